"""Full-catalogue mode in torch: a matrix product and a top-k, block by block of listeners, for a GPU.

The order is that of `heritage_agents.kernel.catalogue`: by score, ties to the lower work id. Top-k alone leaves ties as
they fall, so score and id go into one whole number: a float's bits, read as a whole number, rise with the float (with
those of negative ones turned round), and under them stands the id, counted down.

A library's matrix product adds up in an order of its own, so a score may differ in its last bits from the compiled one
(by design nothing else does). Every block has the same shape, filled up with zeros, so that how many are asked for
does not choose that order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Float32, Int32 = npt.NDArray[np.float32], npt.NDArray[np.int32]

_AT_ONCE = {"cpu": 1 << 21, "cuda": 1 << 27}
"""Scores that are held at once."""
_MOST_ROWS = 1024
_NOWHERE = -(1 << 63)


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
    num_listeners, num_works = queries.shape[0], factors.shape[0]
    best = np.full((num_listeners, k), -1, dtype=np.int32)
    if num_works == 0:
        return best
    across = torch.tensor(factors, device=device).T
    height, offered = torch.tensor(bias, device=device), torch.tensor(available, device=device)
    down = (1 << 31) - 1 - torch.arange(num_works, device=device)
    at_once = min(_MOST_ROWS, max(1, _AT_ONCE.get(device, _AT_ONCE["cuda"]) // num_works))
    asked = torch.zeros((at_once, queries.shape[1]), dtype=torch.float32, device=device)
    kept = min(k, num_works)
    for first in range(0, num_listeners, at_once):
        part = torch.tensor(queries[first : first + at_once], device=device)
        asked.zero_()
        asked[: part.shape[0]] = part
        bits = (asked @ across + height + 0.0)[: part.shape[0]].view(torch.int32).long()  # + 0.0: no negative zero
        rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
        key = torch.where(offered, (rising << 32) | down, _NOWHERE)
        top = torch.topk(key, kept, dim=1, sorted=True).values
        works = torch.where(top > _NOWHERE, (1 << 31) - 1 - (top & 0xFFFFFFFF), -1)
        best[first : first + part.shape[0], :kept] = works.int().cpu().numpy()
    return best
