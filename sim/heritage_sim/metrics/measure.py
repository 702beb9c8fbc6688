"""One measured figure with what it needs to be read: its unit, what was counted, its interval and its yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
"""Nominal coverage of the intervals."""
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2.0)
NAN = float("nan")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure over a sample.

    Parameters
    ----------
    value : float
        The figure; NaN where it is not defined (a mean over nothing).
    unit : str
        Unit of the value (``1``, ``%``, ``s``).
    per : str
        Unit of analysis: what `n` counts (``listener``, ``session``, ``work``).
    n : int
        Units of analysis that the value is made of.
    low, high : float
        Interval at `LEVEL` over units of analysis drawn anew; NaN where the statistic has none.
    baseline : float
        The same figure of the yardstick that `against` names; NaN without one.
    against : str
        What the baseline is; empty without one.
    num_excluded : int
        Units that could not enter, such as listeners without any relevant work.
    """

    value: float
    unit: str
    per: str
    n: int
    low: float = NAN
    high: float = NAN
    baseline: float = NAN
    against: str = ""
    num_excluded: int = 0


def mean_measure(
    values: npt.ArrayLike,
    unit: str,
    per: str,
    baseline: float = NAN,
    against: str = "",
    cluster: npt.ArrayLike | None = None,
) -> Measure:
    """Return the mean of the values that are defined, with its normal interval; the others are counted as excluded.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        One value for each unit of analysis; NaN where not defined.
    unit : str
        Unit of the values.
    per : str
        Unit of analysis.
    baseline : float
        The yardstick's mean.
    against : str
        What the yardstick is.
    cluster : array_like of int, shape (n,), optional
        Who the unit belongs to, where units of one owner are not independent: the interval is over owners then.

    Returns
    -------
    Measure
    """
    x: Floats = np.asarray(values, dtype=np.float64)
    kept = np.isfinite(x)
    n = int(np.count_nonzero(kept))
    if n == 0:
        return Measure(NAN, unit, per, 0, baseline=baseline, against=against, num_excluded=int(x.size))
    mean = float(x[kept].mean())
    owner = None if cluster is None else np.asarray(cluster)[kept]
    half = Z * clustered_error((x[kept] - mean) / n, owner)
    return Measure(mean, unit, per, n, mean - half, mean + half, baseline, against, int(x.size) - n)


def clustered_error(influence: Floats, cluster: npt.NDArray[np.generic] | None = None) -> float:
    """Return the standard error of a statistic whose deviation is the sum of its units' influences; NaN below two.

    ``sqrt(G / (G - 1) sum_g (sum_{i in g} e_i)^2)`` over G clusters; each unit is its own cluster by default. For a
    mean, ``e_i = (x_i - m) / n``, this is the usual ``s / sqrt(n)``.

    Parameters
    ----------
    influence : ndarray of float64, shape (n,)
        Each unit's influence; they sum to zero.
    cluster : ndarray, shape (n,), optional
        Cluster of each unit.

    Returns
    -------
    float
    """
    sums = influence if cluster is None else cluster_sums(influence, cluster)
    if sums.size < 2:
        return NAN
    return float(np.sqrt(sums.size / (sums.size - 1) * (sums * sums).sum()))


def cluster_sums(values: Floats, cluster: npt.NDArray[np.generic]) -> Floats:
    """Return the sum of each cluster's values, shape ``(num_clusters, ...)``, in the order of the clusters' names."""
    _, at = np.unique(cluster, return_inverse=True)
    num_clusters = int(at.max()) + 1 if at.size else 0
    if values.ndim == 1:
        return np.bincount(at, weights=values, minlength=num_clusters).astype(np.float64)
    columns = [np.bincount(at, weights=column, minlength=num_clusters) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float64)
