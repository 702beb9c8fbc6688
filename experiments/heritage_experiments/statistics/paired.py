"""Paired differences over replications.

Two cells of a scenario share their random numbers (law 3), so replication r of one is compared with replication r of
the other and what both have in common cancels. The interval is Student's t on the differences; a bias-corrected and
accelerated bootstrap (BCa) stands beside it as a check on skewness, never instead of it: at n = 20 to 30 its coverage
is below that of Student's t for symmetric differences.

References
----------
Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82 (1987), for BCa.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Keys

LEVEL = 0.95
"""Nominal coverage of every interval that is shown."""

NUM_RESAMPLES = 4_000

ROUNDING = 1e-9
"""Part of a value below which a difference is the arithmetic's and not the worlds': it counts as none."""

SAME = 1e-13
"""Part of a value within which values that differ by the last bits alone count as one: they have no skewness."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of treatment minus control over paired replications.

    Parameters
    ----------
    mean : float
        Mean difference, in the unit of the outcome.
    low, high : float
        Paired Student-t interval at `LEVEL`; NaN with fewer than two pairs.
    bca_low, bca_high : float
        BCa bootstrap interval at `LEVEL`; NaN with fewer than two pairs.
    p_value : float
        Two-sided p of the paired t-test; 1 where every difference is zero, NaN with fewer than two pairs.
    n : int
        Number of pairs (replications in which both values are defined).
    num_dropped : int
        Replications left out because a value is not defined in one of the cells.
    identical : bool
        True where there is at least one pair and every difference is zero but for `ROUNDING`.
    variance_reduction : float
        ``(Var treatment + Var control) / Var difference``: how many times more replications unpaired runs would need;
        NaN where the differences do not vary.
    """

    mean: float
    low: float
    high: float
    bca_low: float
    bca_high: float
    p_value: float
    n: int
    num_dropped: int
    identical: bool
    variance_reduction: float


def paired_difference(treatment: npt.ArrayLike, control: npt.ArrayLike) -> PairedDifference:
    """Return the paired difference of two cells' values, aligned by replication.

    Parameters
    ----------
    treatment : array_like of float, shape (num_replications,)
        Values of one outcome; position r is replication r. NaN where not defined: such pairs are left out.
    control : array_like of float, shape (num_replications,)
        The same of the other cell.

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        If the two differ in length.
    """
    a, b = np.asarray(treatment, np.float64), np.asarray(control, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError("treatment and control must be of one length, aligned by replication")
    kept = np.isfinite(a) & np.isfinite(b)
    a, b = a[kept], b[kept]
    d = differences(a, b)
    n = int(d.size)
    nan = float("nan")
    low, high = student_t_interval(d)
    bca_low, bca_high = bca_interval(d)
    spread = float(d.var(ddof=1)) if n > 1 else 0.0
    return PairedDifference(
        mean=float(d.mean()) if n else nan,
        low=low,
        high=high,
        bca_low=bca_low,
        bca_high=bca_high,
        p_value=_p_value(d),
        n=n,
        num_dropped=int(kept.size - n),
        identical=n > 0 and not d.any(),
        variance_reduction=float((a.var(ddof=1) + b.var(ddof=1)) / spread) if spread > 0.0 else nan,
    )


def differences(treatment: Float64, control: Float64) -> Float64:
    """Return treatment minus control element by element, in their shape; differences within `ROUNDING` are zero."""
    within = np.abs(treatment - control) <= ROUNDING * np.maximum(np.abs(treatment), np.abs(control))
    return np.where(within, 0.0, treatment - control)


def student_t_interval(values: npt.ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Return the Student-t interval of a mean, ``mean +- t * s / sqrt(n)``; NaN with fewer than two values."""
    from scipy.special import stdtrit

    x = np.asarray(values, np.float64)
    if x.size < 2:
        return float("nan"), float("nan")
    half = float(stdtrit(x.size - 1, 0.5 + level / 2.0)) * float(x.std(ddof=1)) / float(np.sqrt(x.size))
    return float(x.mean()) - half, float(x.mean()) + half


def bca_interval(values: npt.ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """Return the BCa bootstrap interval of a mean; NaN with fewer than two values.

    With the resampled means m*, ``z0 = Phi^-1(#{m* < m} / B)`` corrects the bias and the jackknife's skewness
    ``a = sum(u^3) / (6 sum(u^2)^(3/2))`` the scale; the ends are the quantiles of m* at
    ``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))``. Ties with m count half, so that symmetric data give z0 = 0.
    """
    from scipy.special import ndtr, ndtri

    x = np.asarray(values, np.float64)
    if x.size < 2:
        return float("nan"), float("nan")
    mean = float(x.mean())
    if float(np.ptp(x)) <= SAME * float(np.abs(x).max()):
        return mean, mean
    resampled = x[resamples(x.size)].mean(axis=1)
    below = (np.count_nonzero(resampled < mean) + 0.5 * np.count_nonzero(resampled == mean)) / resampled.size
    # Never 0 or 1, where the correction would be infinite.
    z0 = float(ndtri(np.clip(below, 0.5 / resampled.size, 1.0 - 0.5 / resampled.size)))
    u = (x.sum() - x) / (x.size - 1)
    u = u.mean() - u
    a = float((u**3).sum() / (6.0 * (u**2).sum() ** 1.5))
    z = ndtri([0.5 - level / 2.0, 0.5 + level / 2.0])
    low, high = np.quantile(resampled, ndtr(z0 + (z0 + z) / (1.0 - a * (z0 + z))))
    return float(low), float(high)


@lru_cache(maxsize=8)
def resamples(n: int) -> npt.NDArray[np.int64]:
    """Return keyed bootstrap rows, shape ``(NUM_RESAMPLES, n)``; the same for every outcome of a report."""
    words = Keys(0, 0).stream("statistics", "bootstrap").words(np.arange(NUM_RESAMPLES), n, n).astype(np.uint64)
    return ((words * np.uint64(n)) >> np.uint64(32)).astype(np.int64)


def _p_value(d: Float64) -> float:
    from scipy.special import stdtr

    if d.size < 2:
        return float("nan")
    if not d.any():
        return 1.0
    standard_error = float(d.std(ddof=1)) / float(np.sqrt(d.size))
    if standard_error == 0.0:
        return 0.0
    return float(2.0 * stdtr(d.size - 1, -abs(float(d.mean())) / standard_error))
