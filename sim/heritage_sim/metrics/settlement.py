"""How long money takes: quantiles weighted by money or payments, with what is unpaid at the end censored.

Time runs from the day of the play to the day its money could be withdrawn, or was paid. A mean over payments hides
small balances that are never claimed; so every duration carries a weight (units of money, or 1 per payment), and
unsettled money stays in the sample as censored at the last day (`heritage_sim.metrics.survival`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import BPS, Rights
from heritage_sim.royalty.rows import largest_remainder_rows

Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def weighted_quantile(values: npt.ArrayLike, weights: npt.ArrayLike, q: float) -> float:
    """Return the smallest value at or below which at least the fraction q of the weight lies.

    With money as weight, the unit of analysis is the smallest unit of money; with ones, the payment. No interpolation:
    the result is a value that occurred.

    Parameters
    ----------
    values : array_like, shape (n,)
        Durations; ``inf`` for money not settled.
    weights : array_like, shape (n,)
        Weights >= 0; sums up to 2^53 are exact.
    q : float
        Fraction in (0, 1].

    Returns
    -------
    float
        NaN where the weights sum to nothing.

    Raises
    ------
    ValueError
        If q or a weight is out of range.
    """
    v: Floats = np.asarray(values, dtype=np.float64)
    w: Floats = np.asarray(weights, dtype=np.float64)
    if not 0.0 < q <= 1.0:
        raise ValueError(f"a quantile's fraction lies in (0, 1], not {q}")
    if w.size and not (w >= 0).all():
        raise ValueError("weights must be >= 0")
    here = w > 0
    if not here.any():
        return float("nan")
    value: Floats = v[here]
    weight: Floats = w[here]
    order = np.argsort(value, kind="stable")
    running = np.cumsum(weight[order])
    # 0.07 * 100 is 7.000000000000001 in floating point: without the slack the quantile would be the next value.
    first = int(np.count_nonzero(running < q * running[-1] * (1.0 - 1e-12)))
    ascending: list[float] = value[order].tolist()
    return ascending[first]


def units_by_work_and_day(work_units: npt.NDArray[np.int64], plays_by_day: npt.NDArray[np.int64]) -> Int64:
    """Return the money that each work's plays earned on each day, shape ``(num_works, num_days)``.

    A work's amount is attributed to days in proportion to its plays on them, by largest remainder, so that each row
    sums to it exactly. Works paid without plays (an epoch without any) count on the last day, when it was decided.

    Parameters
    ----------
    work_units : ndarray of int64, shape (num_works,)
        Amount of each work in an epoch.
    plays_by_day : ndarray of int64, shape (num_days, num_works)
        Plays that count.

    Returns
    -------
    ndarray of int64, shape (num_works, num_days)
    """
    return _rows_by_weight(work_units, plays_by_day.T.copy())


def units_by_payee_and_day(payee_units: Int64, units_of_works: Int64, rights: Rights) -> Int64:
    """Return the money that each payee's works earned on each day, shape ``(num_payees, num_days)``.

    A payee's amount is attributed to days in proportion to what the works it shares in earned on them, each weighing as
    much as the share, by largest remainder, so that each row sums to it exactly. What it is paid beside its works (a
    floor, a solidarity part) follows them; who has none is paid on the last day.

    Parameters
    ----------
    payee_units : ndarray of int64, shape (num_payees,)
        Amount of each payee in an epoch.
    units_of_works : ndarray of int64, shape (num_works, num_days)
        From `units_by_work_and_day`.
    rights : Rights
        Who shares in which work.

    Returns
    -------
    ndarray of int64, shape (num_payees, num_days)
    """
    weights = np.zeros((payee_units.size, units_of_works.shape[1]), dtype=np.int64)
    work = np.repeat(np.arange(rights.num_works), np.diff(rights.indptr))
    # A payee's weight is at most what its works earned times `BPS`, which must fit 62 bits: of large amounts the last
    # bits are left out, payee by payee, lest a small one's days vanish beside a large one's.
    earned = np.zeros(payee_units.size, dtype=np.int64)
    np.add.at(earned, rights.payee_ids, units_of_works.sum(axis=1)[work])
    too_long = np.maximum(np.frexp(earned.astype(np.float64))[1] + BPS.bit_length() - 62, 0)
    shown = units_of_works[work] >> too_long[rights.payee_ids][:, None]
    np.add.at(weights, rights.payee_ids, shown * rights.share_bps[:, None])
    return _rows_by_weight(payee_units, weights)


def _rows_by_weight(units: Int64, weights: Int64) -> Int64:
    """Return each row's amount shared out over its columns by whole weights (made coarser where they are too large)."""
    num_rows, num_columns = weights.shape
    # So many bits keep all products of `largest_remainder_rows` within 62; shares are off by at most that fraction.
    richest = int(units.max(initial=0))
    bits = max(60 - max(richest.bit_length(), (num_rows * num_columns * num_columns).bit_length()), 10)
    heaviest = weights.max(axis=1, initial=0)
    too_long = np.frexp(heaviest.astype(np.float64))[1] - bits
    w = weights >> np.maximum(too_long, 0)[:, None]
    w[w.sum(axis=1) == 0, -1] = 1
    indptr = np.arange(num_rows + 1, dtype=np.int64) * num_columns
    return largest_remainder_rows(units, w.ravel(), indptr).reshape(num_rows, num_columns)


def units_by_day(work_units: npt.NDArray[np.int64], plays_by_day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the money that each day's plays earned, shape ``(num_days,)``; sums to the works' amounts exactly.

    A work's amount is attributed to days in proportion to its plays on them, by largest remainder. Works paid without
    plays (an epoch without any) count on the last day, when it was decided.

    Parameters
    ----------
    work_units : ndarray of int64, shape (num_works,)
        Amount of each work in an epoch.
    plays_by_day : ndarray of int64, shape (num_days, num_works)
        Plays that count.

    Returns
    -------
    ndarray of int64, shape (num_days,)
    """
    return units_by_work_and_day(work_units, plays_by_day).sum(axis=0)
