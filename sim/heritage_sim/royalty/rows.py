"""Largest remainder for many pools at once: the rows of a compressed sparse matrix.

`heritage_sim.base.largest_remainder` shares one pool; user-centric payout shares one pool per listener, and every work
shares its earnings among its payees. A loop over rows would cost microseconds each, so all rows are done together:

1. ``share = floor(pool * weight / total)`` and the remainder, one integer division for all pairs.
2. Each row has ``left < length`` units over, due to its largest remainders, ties to the earlier entry. All rows are
   sorted in one call, on one integer per pair that is unique: ``(row, total - remainder, position)``, packed in mixed
   radix. Sorting plain integers is several times faster than a stable argsort on several keys.

Where a product or a packed key would not fit 62 bits, the same result is computed with Python's integers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import largest_remainder

Int64 = npt.NDArray[np.int64]
_SAFE = 1 << 62


def largest_remainder_rows(pools: npt.ArrayLike, weights: npt.ArrayLike, indptr: npt.ArrayLike) -> Int64:
    """Return integer shares of each row's pool in proportion to the row's weights; every row sums to its pool exactly.

    Row by row the same as `heritage_sim.base.largest_remainder`.

    Parameters
    ----------
    pools : array_like of int, shape (num_rows,)
        Amount of each row, in the token's smallest unit, >= 0.
    weights : array_like of int, shape (num_pairs,)
        Whole weights >= 0.
    indptr : array_like of int, shape (num_rows + 1,)
        Row starts in ``weights``.

    Returns
    -------
    ndarray of int64, shape (num_pairs,)

    Raises
    ------
    ValueError
        If a pool or weight is negative, or a positive pool meets an empty row or one of zeros.
    """
    w = np.asarray(weights, dtype=np.int64)
    starts = np.asarray(indptr, dtype=np.int64)
    pool = np.asarray(pools, dtype=np.int64)
    lengths = np.diff(starts)
    if w.size == 0:
        if pool.any():
            raise ValueError("nobody to share a positive pool among: a row is empty")
        return np.zeros(0, dtype=np.int64)
    if int(pool.min()) < 0 or int(w.min()) < 0:
        raise ValueError("pools and weights must be >= 0")
    longest, heaviest, richest = int(lengths.max()), int(w.max()), int(pool.max())
    if max(richest, 1) * heaviest >= _SAFE or heaviest * w.size >= _SAFE:
        return _one_by_one(pool, w, starts)
    running = np.concatenate([[0], np.cumsum(w)])
    total = running[starts[1:]] - running[starts[:-1]]
    if ((total == 0) & (pool > 0)).any():
        raise ValueError("nobody to share a positive pool among: every weight of a row is zero")
    radix = int(total.max()) + 1
    if lengths.size * radix * longest >= _SAFE:
        return _one_by_one(pool, w, starts)

    row = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    total_of_pair = np.maximum(total, 1)[row]
    share, remainder = np.divmod(w * pool[row], total_of_pair)
    whole = np.concatenate([[0], np.cumsum(share)])
    left = pool - (whole[starts[1:]] - whole[starts[:-1]])
    position = np.arange(w.size, dtype=np.int64) - starts[row]
    packed = (row * radix + (total_of_pair - remainder)) * longest + position
    packed.sort()
    # Rows keep their places under the sort, so the rank inside a row is the distance from the row's start.
    winners = position < left[row]
    share[starts[row[winners]] + packed[winners] % longest] += 1
    return share


def _one_by_one(pool: Int64, w: Int64, starts: Int64) -> Int64:
    shares = np.zeros(w.size, dtype=np.int64)
    for r in range(pool.size):
        here = slice(int(starts[r]), int(starts[r + 1]))
        shares[here] = largest_remainder(int(pool[r]), w[here])
    return shares
