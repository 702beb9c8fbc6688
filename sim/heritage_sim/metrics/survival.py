"""How long things last when not all have ended: Kaplan-Meier, and the mean time within a horizon.

The restricted mean survival time is the area under the survival curve up to a horizon tau, ``int_0^tau S(t) dt``: the
mean time still there, within the first tau. Unlike a hazard ratio it assumes nothing about the hazards and is in units
of time. Its interval comes from each row's influence,

    psi_i = -sum_{t_j <= tau} A_j (dN_ij - Y_ij h_j) / (n_j (1 - h_j)),      A_j = int_{t_j}^tau S(t) dt,

with ``h_j = d_j / n_j``, dN_ij whether row i ends at t_j and Y_ij whether it is still there. Summed squares of psi over
rows are Greenwood's variance exactly; summed over the rows of one owner first, they respect that sessions of one
listener, in either arm, are not independent.

References
----------
Kaplan and Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958. Royston and Parmar,
"Restricted mean survival time", BMC Med. Res. Methodol. 13, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.measure import NAN, Measure, Z, cluster_sums

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """The share still there (unsettled, not abandoned) over time.

    Parameters
    ----------
    times : ndarray of float64, shape (num_times,)
        Distinct times at which something ended, ascending.
    survival : ndarray of float64, shape (num_times,)
        Estimated share still there just after each.
    """

    times: Floats
    survival: Floats

    def at(self, times: npt.ArrayLike, just_before: bool = False) -> Floats:
        """Return the share still there at any times (or just before them), shape as given; 1 before the first."""
        t: Floats = np.asarray(times, dtype=np.float64)
        step = np.searchsorted(self.times, t, side="left" if just_before else "right")
        return np.concatenate([[1.0], self.survival])[step]

    def area(self, until: float) -> float:
        """Return the area under the curve from 0 to a time."""
        inside = self.times < until
        edges = np.concatenate([[0.0], self.times[inside], [until]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        return float((np.diff(edges) * heights).sum())


@dataclass(frozen=True, slots=True, eq=False)
class RiskTable:
    """Counts at each distinct time, each of shape ``(num_times,)``.

    Parameters
    ----------
    times : ndarray of float64
        Distinct times, ascending.
    at_risk, events, leaving : ndarray of float64
        Weight still there just before; ending then; ending or censored then.
    at : ndarray of int64, shape (n,)
        Place of each row's time.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    leaving: Floats
    at: npt.NDArray[np.int64]


def risk_table(durations: npt.ArrayLike, event: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> RiskTable:
    """Return how many are there, end and are censored at each distinct time.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Time to the end, or to the end of observation.
    event : array_like of bool, shape (n,)
        False where censored.
    weights : array_like, shape (n,), optional
        1 each where not given.

    Returns
    -------
    RiskTable
    """
    t: Floats = np.asarray(durations, dtype=np.float64)
    ended = np.asarray(event, dtype=np.bool_)
    w = np.ones(t.size) if weights is None else np.asarray(weights, dtype=np.float64)
    times, at = np.unique(t, return_inverse=True)
    leaving = np.bincount(at, weights=w, minlength=times.size).astype(np.float64)
    events = np.bincount(at, weights=w * ended, minlength=times.size).astype(np.float64)
    at_risk: Floats = np.cumsum(leaving[::-1], dtype=np.float64)[::-1]
    return RiskTable(times, at_risk, events, leaving, at.astype(np.int64))


def kaplan_meier(durations: npt.ArrayLike, settled: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> KaplanMeier:
    """Return the Kaplan-Meier estimate of the share still there, ``S(t) = prod_{t_k <= t} (1 - d_k / n_k)``.

    d_k is the weight that ends (is settled) at t_k, n_k the weight neither ended nor censored before it.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Time to the end, or to the end of observation.
    settled : array_like of bool, shape (n,)
        False where the time is that of the end of observation (censored).
    weights : array_like, shape (n,), optional
        Such as units of money; 1 each where not given.

    Returns
    -------
    KaplanMeier
    """
    table = risk_table(durations, settled, weights)
    here = table.events > 0.0
    survival: Floats = np.cumprod(1.0 - table.events[here] / table.at_risk[here], dtype=np.float64)
    return KaplanMeier(table.times[here], survival)


def censoring_curve(durations: npt.ArrayLike, event: npt.ArrayLike) -> KaplanMeier:
    """Return Kaplan-Meier of the time to censoring; of a tie, the event comes first.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.

    Returns
    -------
    KaplanMeier
    """
    table = risk_table(durations, event)
    censored = table.leaving - table.events
    here = censored > 0.0
    left = table.at_risk[here] - table.events[here]
    survival: Floats = np.cumprod(1.0 - censored[here] / left, dtype=np.float64)
    return KaplanMeier(table.times[here], survival)


def survival_quantile(curve: KaplanMeier, q: float) -> float:
    """Return the first time by which at least the fraction q has ended; ``inf`` where it never has while observed."""
    reached = np.flatnonzero(curve.survival <= 1.0 - q + 1e-12)
    return float(curve.times[reached[0]]) if reached.size else float("inf")


def survival_at(durations: npt.ArrayLike, event: npt.ArrayLike, horizon: float, per: str = "session") -> Measure:
    """Return the Kaplan-Meier share still there at a horizon, with Greenwood's interval kept within 0 and 1.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    horizon : float
        t.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    table = risk_table(durations, event)
    n = int(table.at.size)
    if n == 0:
        return Measure(NAN, "1", per, 0)
    value = float(kaplan_meier(durations, event).at(horizon))
    left = table.at_risk - table.events
    here = (table.times <= horizon) & (left > 0.0)
    half = Z * value * float(np.sqrt((table.events[here] / (table.at_risk[here] * left[here])).sum()))
    return Measure(value, "1", per, n, max(0.0, value - half), min(1.0, value + half))


def restricted_mean(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    horizon: float,
    cluster: npt.ArrayLike | None = None,
    unit: str = "s",
    per: str = "session",
) -> Measure:
    """Return the mean time still there within a horizon, with its interval.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    horizon : float
        tau > 0; beyond the last observation the curve is taken as flat.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    unit : str
        Unit of time.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    value, influence = _mean_and_influence(durations, event, horizon)
    if influence.size == 0:
        return Measure(NAN, unit, per, 0)
    half = Z * _root_of_squares(influence, None if cluster is None else np.asarray(cluster))
    return Measure(value, unit, per, int(influence.size), value - half, value + half)


def restricted_mean_difference(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    treated: npt.ArrayLike,
    horizon: float,
    cluster: npt.ArrayLike | None = None,
    unit: str = "s",
    per: str = "session",
) -> Measure:
    """Return the treated rows' restricted mean minus the others', with its interval; the baseline is the others' own.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    treated : array_like of bool, shape (n,)
        Which rows come first in the difference.
    horizon : float
        tau > 0.
    cluster : array_like, shape (n,), optional
        Whose row it is; one owner may have rows on both sides, as with common random numbers.
    unit : str
        Unit of time.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    t, ended = np.asarray(durations, dtype=np.float64), np.asarray(event, dtype=np.bool_)
    one = np.asarray(treated, dtype=np.bool_)
    if not one.any() or one.all():
        return Measure(NAN, unit, per, int(t.size))
    first, psi_first = _mean_and_influence(t[one], ended[one], horizon)
    second, psi_second = _mean_and_influence(t[~one], ended[~one], horizon)
    influence = np.empty(t.size)
    influence[one], influence[~one] = psi_first, -psi_second
    half = Z * _root_of_squares(influence, None if cluster is None else np.asarray(cluster))
    value = first - second
    return Measure(value, unit, per, int(t.size), value - half, value + half, second, "restricted mean of the others")


def _mean_and_influence(durations: npt.ArrayLike, event: npt.ArrayLike, horizon: float) -> tuple[float, Floats]:
    """Return the restricted mean and each row's psi."""
    table = risk_table(durations, event)
    if table.times.size == 0:
        return NAN, np.zeros(0)
    curve = kaplan_meier(durations, event)
    ended = np.asarray(event, dtype=np.bool_)
    edges = np.append(np.minimum(table.times, horizon), horizon)
    areas = np.diff(edges) * curve.at(table.times)
    after = np.cumsum(areas[::-1])[::-1]
    left = table.at_risk - table.events
    # Where the curve falls to zero nothing lies under it afterwards: A_j = 0.
    inside = (table.times <= horizon) & (table.events > 0.0) & (left > 0.0)
    weight = np.zeros(table.times.size)
    weight[inside] = after[inside] / left[inside]
    stays = np.cumsum(weight * table.events / table.at_risk)
    return curve.area(horizon), stays[table.at] - weight[table.at] * ended


def _root_of_squares(influence: Floats, cluster: npt.NDArray[np.generic] | None) -> float:
    sums = influence if cluster is None else cluster_sums(influence, cluster)
    return float(np.sqrt((sums * sums).sum()))
