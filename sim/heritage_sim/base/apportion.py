"""Integer apportionment: share out a whole number so that the parts sum to it exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
_SAFE = 1 << 62


def largest_remainder(pool_units: int, weights: npt.ArrayLike) -> Int64:
    """Return integer shares of a pool in proportion to integer weights, summing to the pool exactly.

    Each share is ``floor(pool * w / sum(w))``; the units left over go one each to the largest remainders, ties to the
    lower index (Hamilton's method).

    Parameters
    ----------
    pool_units : int
        Amount to share, in the token's smallest unit, >= 0.
    weights : array_like of int, shape (n,)
        Non-negative whole weights.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        If the pool or a weight is negative, or if a pool > 0 meets weights that are all zero.
    """
    w = np.asarray(weights)
    if w.dtype.kind not in "iu":
        raise ValueError("weights must be whole numbers")
    w = w.astype(np.int64)
    pool = int(pool_units)
    if pool < 0 or (w.size and int(w.min()) < 0):
        raise ValueError("pool and weights must be >= 0")
    total = sum_exactly(w)
    if total == 0:
        if pool:
            raise ValueError("nobody to share a positive pool among: every weight is zero")
        return np.zeros(w.shape, dtype=np.int64)
    if pool * int(w.max()) < _SAFE:
        products = w * pool
        shares, remainders = products // total, products % total
    else:
        pairs = [divmod(pool * int(x), total) for x in w]
        shares = np.array([q for q, _ in pairs], dtype=np.int64)
        remainders = np.array([r for _, r in pairs], dtype=object)
    left = pool - sum_exactly(shares)
    if left:
        order = (
            sorted(range(w.size), key=lambda i: (-int(remainders[i]), i))
            if remainders.dtype == object
            else (np.argsort(-remainders, kind="stable"))
        )
        shares[np.asarray(order[:left], dtype=np.int64)] += 1
    return shares


def sum_exactly(values: npt.ArrayLike) -> int:
    """Return the sum of whole numbers as a Python integer, without overflow."""
    v = np.asarray(values)
    if v.size == 0:
        return 0
    if v.dtype.kind in "iu" and int(np.abs(v).max()) < _SAFE // v.size:
        return int(v.sum(dtype=np.int64))
    return sum(int(x) for x in v.ravel())
