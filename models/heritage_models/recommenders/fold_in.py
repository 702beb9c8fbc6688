"""Where a listener stands among the works' factors, from what was played last: compiled, each row alone.

With Y the factors, lambda the regularization, and for the k distinct works a listener played last their plays r, the
confidences c = 1 + alpha r and their rows Y_r, Hu, Koren and Volinsky (2008, equation 4) give

    x = (G + Y_r' diag(c - 1) Y_r)^-1 Y_r' c,        G = Y'Y + lambda I.

G is the same for everybody. By the push-through identity x = Z_r' z with Z = Y G^-1, where

    (diag(1 / (alpha r)) + Y_r Z_r') z = diag(1 / (alpha r)) c,

a positive definite system of k equations instead of as many as there are factors: k is at most a few dozen, and the
cost of a listener hardly depends on the factors. The answer is the same to rounding. It is solved by Cholesky in one
fixed order of float64 sums, so nothing depends on who else is in the call, nor on threads.

References
----------
Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def _distinct(recent, num_works, works, plays):
    """Write the distinct works of a row and how often each stands there, in order of first place; return how many."""
    k = 0
    for work in recent:
        if work < 0 or work >= num_works:
            continue
        found = False
        for i in range(k):
            if works[i] == work:
                plays[i] += 1.0
                found = True
                break
        if not found:
            works[k] = work
            plays[k] = 1.0
            k += 1
    return k


@njit(cache=True, nogil=True)
def _solve(system, right, k):
    """Solve a positive definite system of ``k`` equations in place, by Cholesky; only its lower triangle is read."""
    for i in range(k):
        for j in range(i + 1):
            total = system[i, j]
            for m in range(j):
                total -= system[i, m] * system[j, m]
            system[i, j] = math.sqrt(total) if i == j else total / system[j, j]
    for i in range(k):
        total = right[i]
        for m in range(i):
            total -= system[i, m] * right[m]
        right[i] = total / system[i, i]
    for i in range(k - 1, -1, -1):
        total = right[i]
        for m in range(i + 1, k):
            total -= system[m, i] * right[m]
        right[i] = total / system[i, i]


@njit(cache=True, nogil=True)
def fold_in(
    factors: Float64, solved: Float64, confidence: float, recent: npt.NDArray[np.int32], unknown: Float64
) -> Float64:
    """Return each listener's factors from the works played last.

    Parameters
    ----------
    factors : ndarray of float64, shape (num_works, num_factors)
        Y; rows of zeros are works of which nothing was learnt.
    solved : ndarray of float64, shape (num_works, num_factors)
        Z = Y G^-1.
    confidence : float
        alpha, what one play adds to the confidence, > 0.
    recent : ndarray of int32, shape (num_listeners, num_recent)
        Works played last, -1 for none.
    unknown : ndarray of float64, shape (num_factors,)
        Given to listeners of whose plays nothing was learnt.

    Returns
    -------
    ndarray of float64, shape (num_listeners, num_factors)
    """
    num_listeners, num_recent = recent.shape
    num_works, num_factors = factors.shape
    folded = np.zeros((num_listeners, num_factors))
    works = np.empty(num_recent, dtype=np.int64)
    plays = np.empty(num_recent)
    right = np.empty(num_recent)
    system = np.empty((num_recent, num_recent))
    for row in range(num_listeners):
        k = _distinct(recent[row], num_works, works, plays)
        known = False
        for i in range(k):
            noise = 1.0 / (confidence * plays[i])
            right[i] = noise * (1.0 + confidence * plays[i])
            for j in range(i + 1):
                total = 0.0
                for f in range(num_factors):
                    total += factors[works[i], f] * solved[works[j], f]
                system[i, j] = total
            known = known or system[i, i] > 0.0
            system[i, i] += noise
        if not known:
            folded[row] = unknown
            continue
        _solve(system, right, k)
        for i in range(k):
            for f in range(num_factors):
                folded[row, f] += right[i] * solved[works[i], f]
    return folded
