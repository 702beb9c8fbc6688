"""Philox4x32-10 in torch, with the addresses of `heritage_sim.base.rng`: one address, one number, everywhere.

Used where numbers are wanted on the device in bulk, such as initial weights. It passes
``tests/golden/philox4x32_10.json`` and equals the NumPy version bit for bit.

References
----------
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import torch

from heritage_sim.base.rng import MULTIPLIER_0, MULTIPLIER_1, NUM_ROUNDS, WEYL_0, WEYL_1

_MASK = 0xFFFFFFFF
_HALF = 0xFFFF


def _multiply(a: torch.Tensor, b: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the high and low 32-bit words of ``a * b``.

    torch has no unsigned 64-bit product, so the factor is split in 16-bit halves: no partial product leaves int64.
    """
    low, high = a * (b & _HALF), a * (b >> 16)
    middle = (low >> 16) + (high & _HALF)
    return (high >> 16) + (middle >> 16), ((middle & _HALF) << 16) | (low & _HALF)


def philox4x32(counter: torch.Tensor, key: tuple[int, int]) -> torch.Tensor:
    """Return Philox4x32-10 of each counter.

    Parameters
    ----------
    counter : Tensor of int64, shape (..., 4)
        Counter words in ``[0, 2^32)``, lowest first.
    key : tuple of int
        Two 32-bit key words.

    Returns
    -------
    Tensor of int64, shape (..., 4)
        Words in ``[0, 2^32)``.
    """
    c0, c1, c2, c3 = counter.unbind(-1)
    k0, k1 = key
    for _ in range(NUM_ROUNDS):
        high0, low0 = _multiply(c0, MULTIPLIER_0)
        high1, low1 = _multiply(c2, MULTIPLIER_1)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + WEYL_0) & _MASK, (k1 + WEYL_1) & _MASK
    return torch.stack([c0, c1, c2, c3], dim=-1)


def words(key: tuple[int, int], ids: torch.Tensor, step: int, num_draws: int, first_draw: int = 0) -> torch.Tensor:
    """Return 32-bit words, int64 of shape ``(num_ids, num_draws)``, for draws ``first_draw ...`` of each id.

    ``ids`` are non-negative int64; the words equal ``Stream(key).words(ids, step, num_draws, first_draw)``.
    """
    blocks = torch.arange(first_draw // 4, (first_draw + num_draws + 3) // 4, device=ids.device)
    counter = torch.empty((ids.numel(), blocks.numel(), 4), dtype=torch.int64, device=ids.device)
    counter[:, :, 0] = (ids & _MASK)[:, None]
    counter[:, :, 1] = (ids >> 32)[:, None]
    counter[:, :, 2] = step & _MASK
    counter[:, :, 3] = blocks[None, :]
    offset = first_draw % 4
    return philox4x32(counter, key).reshape(ids.numel(), -1)[:, offset : offset + num_draws]


def uniforms(key: tuple[int, int], ids: torch.Tensor, step: int, num_draws: int, first_draw: int = 0) -> torch.Tensor:
    """Return uniforms in (0, 1), float64 of shape ``(num_ids, num_draws)``: ``(word + 1/2) / 2^32``."""
    return (words(key, ids, step, num_draws, first_draw).double() + 0.5) * 2.0**-32


def normals(key: tuple[int, int], ids: torch.Tensor, step: int, num_draws: int, first_draw: int = 0) -> torch.Tensor:
    """Return standard normals, float64 of shape ``(num_ids, num_draws)``, by Box-Muller on two uniforms each."""
    u = uniforms(key, ids, step, 2 * num_draws, 2 * first_draw)
    return torch.sqrt(-2.0 * torch.log(u[:, 0::2])) * torch.cos(2.0 * torch.pi * u[:, 1::2])
