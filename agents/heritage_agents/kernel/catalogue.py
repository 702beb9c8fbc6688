"""Full-catalogue mode: the best works of the whole catalogue for every listener, without an array listeners x works.

A tiled product (`heritage_agents.kernel.tiles`) with the running best fused into it. Of each tile only scores above
the listener's bound (the score of the worst work that is still among the best) are kept, in a buffer of a few hundred;
when it is full, its best ``k`` stay and the bound rises. Of M works in random order about ``k (1 + ln(M / k))`` pass,
so nearly all the time goes into the product.

The order is by score, ties to the lower work id: works come in ascending order, and one that only equals the bound does
not pass.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.tiles import COLUMNS, ROWS, score_tile

Float32, Int32 = npt.NDArray[np.float32], npt.NDArray[np.int32]

_STRIP = 16 * COLUMNS
"""Works scored for a block of listeners before the next block: their factors stay in the first-level cache."""


def top_works(queries: Float32, factors: Float32, bias: Float32, available: npt.NDArray[np.bool_], k: int) -> Int32:
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

    Returns
    -------
    ndarray of int32, shape (num_listeners, k)
        Work ids, ties to the lower id; -1 where fewer works are available.

    Raises
    ------
    ValueError
        If the shapes do not fit, ``k`` is below 1, or a number is not finite: it would have no place in an order.
    """
    n, num_works, num_factors = queries.shape[0], *factors.shape
    if queries.shape[1] != num_factors or bias.shape != (num_works,) or available.shape != (num_works,):
        shapes = f"{queries.shape}, {factors.shape}, {bias.shape} and {available.shape}"
        raise ValueError(f"queries, factors, bias and available must fit: they have the shapes {shapes}")
    if k < 1:
        raise ValueError(f"at least one work must be wanted, not {k}")
    if not all(np.isfinite(table).all() for table in (queries, factors, bias)):
        raise ValueError("queries, factors and bias must be finite")
    rows, columns = -(-n // ROWS) * ROWS, -(-num_works // COLUMNS) * COLUMNS
    width = max(num_factors, 1)  # a tile's sum has one term at least
    asked = np.zeros((rows, width), dtype=np.float32)
    asked[:n, :num_factors] = queries
    across = np.zeros((width, columns), dtype=np.float32)
    across[:num_factors, :num_works] = factors.T
    height = np.full(columns, -np.inf, dtype=np.float32)
    height[:num_works] = np.where(available, bias, np.float32(-np.inf))
    best = np.full((rows, k), -1, dtype=np.int32)
    _top(asked, across, height, best)
    return best[:n]


@compiled
def _before(score, work, other_score, other_work):
    """Return whether a work comes before another: by score, ties by id."""
    return score > other_score or (score == other_score and work < other_work)


@compiled
def _keep_best(scores, works, n, k):
    """Bring the ``k`` best of the first ``n`` to the front by quickselect; the worst of them stands at ``k - 1``."""
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        pivot_score, pivot_work = scores[middle], works[middle]
        i, j = low, high
        while i <= j:
            while _before(scores[i], works[i], pivot_score, pivot_work):
                i += 1
            while _before(pivot_score, pivot_work, scores[j], works[j]):
                j -= 1
            if i <= j:
                scores[i], scores[j] = scores[j], scores[i]
                works[i], works[j] = works[j], works[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            return


@compiled
def _put_in_order(scores, works, n):
    """Sort the first ``n`` best first (insertion: n is small)."""
    for i in range(1, n):
        score, work = scores[i], works[i]
        j = i
        while j > 0 and _before(score, work, scores[j - 1], works[j - 1]):
            scores[j], works[j] = scores[j - 1], works[j - 1]
            j -= 1
        scores[j], works[j] = score, work


@compiled
def _top(queries, factors, bias, best):
    num_works, k = factors.shape[1], best.shape[1]
    room = 3 * k + COLUMNS
    scores = np.empty((ROWS, COLUMNS), dtype=np.float32)
    held_score = np.empty((queries.shape[0], room), dtype=np.float32)
    held_work = np.empty((queries.shape[0], room), dtype=np.int32)
    held = np.zeros(queries.shape[0], dtype=np.int64)
    bound = np.full(queries.shape[0], -np.inf, dtype=np.float32)
    for strip in range(0, num_works, _STRIP):
        stop = min(strip + _STRIP, num_works)
        for first in range(0, queries.shape[0], ROWS):
            for column in range(strip, stop, COLUMNS):
                score_tile(queries, first, factors, column, bias, scores)
                for r in range(ROWS):
                    row = first + r
                    limit = bound[row]
                    above = np.int32(0)
                    for c in range(COLUMNS):
                        above |= np.int32(scores[r, c] > limit)
                    if not above:
                        continue
                    n = held[row]
                    for c in range(COLUMNS):
                        if scores[r, c] > limit:
                            held_score[row, n] = scores[r, c]
                            held_work[row, n] = column + c
                            n += 1
                    if n > room - COLUMNS:
                        _keep_best(held_score[row], held_work[row], n, k)
                        n = k
                        bound[row] = held_score[row, k - 1]
                    held[row] = n
    for row in range(queries.shape[0]):
        n = held[row]
        if n > k:
            _keep_best(held_score[row], held_work[row], n, k)
            n = k
        _put_in_order(held_score[row], held_work[row], n)
        for i in range(n):
            best[row, i] = held_work[row, i]
