"""Where a paired difference changes sign as one assumption is swept, with an interval over replications.

The same comparison is made at each of some values x_1 < ... < x_m of one parameter. With d_kr the difference in
replication r at x_k and D_k its mean over r, the curve D is taken as straight between neighbouring values, and

    x* = x_k + (x_{k+1} - x_k) D_k / (D_k - D_{k+1})        where D_k and D_{k+1} differ in sign.

Replications are resampled whole, all values together, because replication r meets the same random numbers at every
value: the interval so uses the pairing along the sweep too. A resample whose curve does not cross inside the range is
not thrown away, which would make the interval too short: if all of its curve lies on the side of the last value the
crossing lies before the range, else behind it, and an end of the interval may be open. Where a resampled curve crosses
more than once, its first crossing counts for the lower end of the interval and its last for the upper.

A crossing of the means is not yet a finding. It is *shown* only where the difference is below zero at one value and
above it at another, each with Holm's correction over all values of the sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from heritage_experiments.statistics.multiplicity import holm
from heritage_experiments.statistics.paired import LEVEL, PairedDifference, differences, paired_difference, resamples

Float64 = npt.NDArray[np.float64]


class Crossing(StrEnum):
    """How often the mean difference changes sign inside the range."""

    ONE = "changes sign once"
    SEVERAL = "changes sign more than once"
    NEVER = "no change of sign in the range"
    NONE = "no difference at all"
    UNDEFINED = "not defined"


@dataclass(frozen=True, slots=True)
class SignFlip:
    """What a sweep says of a difference's sign.

    Parameters
    ----------
    values : tuple of float
        Values of the parameter, ascending.
    at_values : tuple of PairedDifference
        The difference at each.
    crossing : Crossing
        How often the mean changes sign.
    points : tuple of float
        Where, ascending, in the unit of the parameter.
    low, high : float
        Interval of the point at `LEVEL`; infinite at an end that is open, NaN unless there is exactly one point and
        more than one replication.
    support : float
        Share of the resamples whose curve crosses inside the range; NaN where there is no interval.
    shown : bool
        Whether the difference is shown to be below zero at one value and above it at another.
    n : int
        Replications that have both sides at every value.
    """

    values: tuple[float, ...]
    at_values: tuple[PairedDifference, ...]
    crossing: Crossing
    points: tuple[float, ...]
    low: float
    high: float
    support: float
    shown: bool
    n: int


def sign_flip(values: npt.ArrayLike, treatment: npt.ArrayLike, control: npt.ArrayLike) -> SignFlip:
    """Return where treatment minus control changes sign along a sweep.

    Parameters
    ----------
    values : array_like of float, shape (num_values,)
        Values of the parameter, strictly ascending.
    treatment : array_like of float, shape (num_values, num_replications)
        Outcome of the treatment; column r is replication r. A replication with a NaN anywhere is left out of the point.
    control : array_like of float, shape (num_values, num_replications)
        The same of the control.

    Returns
    -------
    SignFlip

    Raises
    ------
    ValueError
        If shapes differ, or there are fewer than two values, or they do not ascend.
    """
    x = np.asarray(values, np.float64)
    a, b = np.asarray(treatment, np.float64), np.asarray(control, np.float64)
    if a.shape != b.shape or a.ndim != 2 or x.shape != a.shape[:1]:
        raise ValueError("treatment and control must be of one shape, (num_values, num_replications)")
    if x.size < 2 or not (np.diff(x) > 0.0).all():
        raise ValueError("a sweep needs two values or more, ascending")
    at_values = tuple(paired_difference(treated, untreated) for treated, untreated in zip(a, b, strict=True))
    kept = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    d = differences(a[:, kept], b[:, kept])
    n = int(d.shape[1])
    points = crossings(x, d.mean(axis=1)) if n else ()
    crossing = _crossing(d, points)
    low = high = support = float("nan")
    if crossing is Crossing.ONE and n > 1:
        low, high, support = _interval(x, d)
    return SignFlip(
        values=tuple(x.tolist()),
        at_values=at_values,
        crossing=crossing,
        points=points,
        low=low,
        high=high,
        support=support,
        shown=_both_signs_shown(at_values),
        n=n,
    )


def crossings(x: Float64, y: Float64) -> tuple[float, ...]:
    """Return where a curve that is straight between its points changes sign; a touch of zero is no change.

    Parameters
    ----------
    x : ndarray of float64, shape (num_values,)
        Ascending.
    y : ndarray of float64, shape (num_values,)
        The curve at these.

    Returns
    -------
    tuple of float
        A stretch of zeros between two signs counts once, at its middle.
    """
    found: list[float] = []
    sides = np.flatnonzero(y)
    for i, j in zip(sides[:-1].tolist(), sides[1:].tolist(), strict=True):
        if (y[i] < 0.0) == (y[j] < 0.0):
            continue
        if j == i + 1:
            found.append(float(x[i] + (x[j] - x[i]) * y[i] / (y[i] - y[j])))
        else:
            found.append(float(x[i + 1] + x[j - 1]) / 2.0)
    return tuple(found)


def _crossing(d: Float64, points: tuple[float, ...]) -> Crossing:
    if not d.shape[1]:
        return Crossing.UNDEFINED
    if not d.any():
        return Crossing.NONE
    if not points:
        return Crossing.NEVER
    return Crossing.ONE if len(points) == 1 else Crossing.SEVERAL


def _interval(x: Float64, d: Float64) -> tuple[float, float, float]:
    """Return the bootstrap interval of the one crossing, and the share of resamples that cross at all."""
    curves = d[:, resamples(d.shape[1])].mean(axis=2).T
    after = np.sign(d.mean(axis=1)[np.flatnonzero(d.mean(axis=1))[-1]])
    first, last = _first_and_last(x, curves)
    crossed = np.isfinite(first)
    beyond = np.where(np.sign(curves.sum(axis=1)) == after, -np.inf, np.inf)
    first, last = np.where(crossed, first, beyond), np.where(crossed, last, beyond)
    # The order statistics themselves: between a point and infinity nothing can be interpolated.
    low = np.quantile(first, 0.5 - LEVEL / 2.0, method="lower")
    high = np.quantile(last, 0.5 + LEVEL / 2.0, method="higher")
    return float(low), float(high), float(crossed.mean())


def _first_and_last(x: Float64, curves: Float64) -> tuple[Float64, Float64]:
    """Return the first and the last point at which each curve crosses, shape ``(num_curves,)``; NaN where none does."""
    left, right = curves[:, :-1], curves[:, 1:]
    crosses = left * right < 0.0
    share = np.divide(left, left - right, out=np.zeros_like(left), where=crosses)
    points = np.where(crosses, x[:-1] + np.diff(x) * share, np.nan)
    found = crosses.any(axis=1)
    first, last = np.full((2, curves.shape[0]), np.nan)
    first[found], last[found] = np.nanmin(points[found], axis=1), np.nanmax(points[found], axis=1)
    for i in np.flatnonzero((curves == 0.0).any(axis=1)).tolist():  # zeros are rare, and need a look on both sides
        at = crossings(x, curves[i])
        first[i], last[i] = (at[0], at[-1]) if at else (np.nan, np.nan)
    return first, last


def _both_signs_shown(at_values: tuple[PairedDifference, ...]) -> bool:
    p = holm([at.p_value for at in at_values])
    signs = {np.sign(at.mean) for at, adjusted in zip(at_values, p.tolist(), strict=True) if adjusted < 1.0 - LEVEL}
    return {-1.0, 1.0} <= signs
