"""Philox4x32-10 in torch, with the addresses of `heritage_sim.base.rng`: one address, one number, everywhere.

Used where numbers are wanted on the device in bulk, such as initial weights. The rounds are those of
`heritage_sim.base.philox_int64`; they pass ``tests/golden/philox4x32_10.json`` and equal the NumPy version bit for
bit.

References
----------
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import torch

from heritage_sim.base.philox_int64 import rounds

_MASK = 0xFFFFFFFF


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
    return torch.stack(rounds(c0, c1, c2, c3, key), dim=-1)


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
