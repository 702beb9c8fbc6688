"""Full-catalogue mode in torch, for a GPU: a matrix product proposes works, exact scores put them in order.

The result is that of `heritage_agents.kernel.catalogue`, work for work: by score, ties to the lower id. A library's
matrix product adds up in an order of its own, so its scores are off in their last bits. It only proposes therefore:
the best ``k`` and `_SPARE` more of each block of listeners are scored again as `heritage_agents.kernel.tiles` does it,
one fused multiply-add after another. A listener's result stands where no work that was not proposed can reach the
worst of the best; the product's error is bounded by ``(f + 1) u |q| |v|`` (Higham, 2002, section 3.1). Listeners for
whom that cannot be told, which takes ties among many works, have the whole catalogue scored again.

Top-k alone leaves ties as they fall, so score and id go into one whole number: a float's bits, read as a whole number,
rise with the float (with those of negative ones turned round), and under them stands the id, counted down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

Float32, Int32 = npt.NDArray[np.float32], npt.NDArray[np.int32]
Tensor = torch.Tensor

_AT_ONCE = {"cpu": 1 << 21, "cuda": 1 << 27}
"""Scores that are held at once."""
_SPARE = 28
_NOWHERE = -(1 << 63)
_LAST_ID = (1 << 31) - 1
_ROUNDING = 2.0**-23
"""Twice the rounding error of float32: the product and the exact sum each have one."""
_ROUNDING_SHORT = 2.0**-6
"""The same where a product may cut its factors short: bfloat16 keeps 8 bits, TF32 11."""


class _Table(NamedTuple):
    """The item side on the device; ``offered`` are works that may be shown, ``by_factor`` float64, a row a factor."""

    factors: Tensor
    by_factor: Tensor
    bias: Tensor
    offered: Tensor


def top_works(
    queries: Float32,
    factors: Float32,
    bias: Float32,
    available: npt.NDArray[np.bool_],
    k: int,
    device: str = "cpu",
) -> Int32:
    """Return the ``k`` available works with the largest ``query . factors + bias`` for each listener, best first.

    Parameters
    ----------
    queries : ndarray of float32, shape (num_listeners, num_factors)
        One row for each listener.
    factors : ndarray of float32, shape (num_works, num_factors)
        One row for each work.
    bias : ndarray of float32, shape (num_works,)
        Additive score of each work, finite.
    available : ndarray of bool, shape (num_works,)
        Works that may be offered.
    k : int
        Works wanted, >= 1.
    device : str
        Where torch works: ``cpu`` or ``cuda``.

    Returns
    -------
    ndarray of int32, shape (num_listeners, k)
        Work ids, ties to the lower id; -1 where fewer works are available.
    """
    num_works = factors.shape[0]
    best = np.full((queries.shape[0], k), -1, dtype=np.int32)
    if num_works == 0:
        return best
    held, heights, offered = (torch.tensor(column, device=device) for column in (factors, bias, available))
    table = _Table(held, held.T.contiguous().double(), heights, offered)
    rounding = _ROUNDING if torch.get_float32_matmul_precision() == "highest" else _ROUNDING_SHORT
    longest = torch.linalg.vector_norm(table.factors.double(), dim=1).max()
    loudest = table.bias.abs().max().double()
    at_once = max(1, _AT_ONCE[device] // num_works)
    kept = min(k, num_works)
    for first in range(0, queries.shape[0], at_once):
        asked = torch.tensor(queries[first : first + at_once], device=device)
        norm = torch.linalg.vector_norm(asked.double(), dim=1)
        # nothing is rounded for a query of zeros: its scores are the bias
        error = (factors.shape[1] + 1) * rounding * (norm * longest + (norm > 0.0) * loudest)
        works = _best(asked, table, kept, error)
        best[first : first + asked.shape[0], :kept] = works.int().cpu().numpy()
    return best


def _best(asked: Tensor, table: _Table, k: int, error: Tensor) -> Tensor:
    """Return the best works of each listener, shape ``(n, k)``, given by how much a product can be off."""
    num_works = table.factors.shape[0]
    every = torch.arange(num_works, device=asked.device)
    proposed = min(k + _SPARE, num_works)
    rough = torch.addmm(table.bias, asked, table.factors.T)
    keys = torch.topk(_keys(rough, every, table.offered), proposed, dim=1).values
    works = _works_of(keys)
    there = works >= 0
    score = _exact_scores(asked, table, works.clamp(min=0))
    top = torch.topk(_keys(score, works.clamp(min=0), there), k, dim=1).values
    result = _works_of(top)
    if proposed == num_works:
        return result
    reached = _scores_of(top[:, -1]).double() - _scores_of(keys[:, -1]).double() > error
    certain = reached | (error == 0.0) | ~there[:, -1]
    for rows in torch.nonzero(~certain)[:, 0].split(max(1, asked.shape[0] // 8)):
        score = _exact_scores(asked[rows], table, every.expand(rows.numel(), -1))
        result[rows] = _works_of(torch.topk(_keys(score, every, table.offered), k, dim=1).values)
    return result


def _exact_scores(asked: Tensor, table: _Table, works: Tensor) -> Tensor:
    """Return the scores of works, shape ``(n, m)``, float32, added up as `heritage_agents.kernel.tiles` does."""
    total = table.bias[works].double()
    for k, factor in enumerate(table.by_factor):
        total = _to_single(asked[:, k, None].double() * factor[works], total).double()
    return total.float()


def _to_single(product: Tensor, total: Tensor) -> Tensor:
    """Return the sum of two doubles rounded once to float32.

    Rounded to a double and then to a float32, a sum could end on the wrong side of a middle. So the double is the odd
    one of the two next to the exact sum (Boldo and Melquiond, 2008); what the sum lost is known (Knuth's two-sum).
    """
    near = product + total
    virtual = near - product
    lost = (product - (near - virtual)) + (total - virtual)
    bits = near.view(torch.int64)
    outward = torch.where((lost > 0.0) == (near > 0.0), 1, -1)
    return (bits + outward * ((lost != 0.0) & (bits & 1 == 0))).view(torch.float64).float()


def _keys(score: Tensor, works: Tensor, offered: Tensor) -> Tensor:
    """Return whole numbers that fall in the order of the works: by score, ties to the lower id, then the rest."""
    bits = (score + 0.0).view(torch.int32).long()  # + 0.0: no negative zero
    rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    return torch.where(offered, (rising << 32) | (_LAST_ID - works), _NOWHERE)


def _works_of(keys: Tensor) -> Tensor:
    """Return the works of keys, -1 for none."""
    return torch.where(keys > _NOWHERE, _LAST_ID - (keys & 0xFFFFFFFF), -1)


def _scores_of(keys: Tensor) -> Tensor:
    """Return the float32 scores of keys."""
    rising = keys >> 32
    return torch.where(rising < 0, rising ^ 0x7FFFFFFF, rising).int().view(torch.float32)
