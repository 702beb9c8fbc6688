"""Whether hazards are proportional: the drift of the Schoenfeld residuals with time.

At each event, the residual is the covariates of who left minus their mean over who could have. Scaled by
``d V`` (d events, V the covariance of beta) it estimates beta(t) - beta (Grambsch and Therneau). Its slope on g(t) is
zero where the hazard ratio does not change over time:

    theta = sum_k (g_k - mean g) r_k / sum_k (g_k - mean g)^2.

Independent rows: ``theta^2 sum (g - mean g)^2 / (d V_jj)`` is chi-squared with one degree of freedom. With owners who
repeat, the slope's variance is the sandwich over owners instead.

References
----------
Grambsch and Therneau, "Proportional hazards tests and diagnostics based on weighted residuals", Biometrika 81, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.cox import CoxFit
from heritage_sim.metrics.discrimination import midranks
from heritage_sim.metrics.measure import cluster_sums
from heritage_sim.metrics.risk_sets import efron_sums, risk_sets

Floats = npt.NDArray[np.float64]
TimeScale = Literal["rank", "log", "identity"]


@dataclass(frozen=True, slots=True)
class ProportionalityTest:
    """The test of one covariate.

    Parameters
    ----------
    name : str
        The covariate.
    slope : float
        theta: change of the log hazard ratio along g(t).
    chi_squared : float
        Its square over its variance.
    p_value : float
        Of one degree of freedom; small: the hazard ratio is an average over time and hides a trend.
    n : int
        Number of events.
    """

    name: str
    slope: float
    chi_squared: float
    p_value: float
    n: int


def proportionality(
    fit: CoxFit,
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    *,
    time: TimeScale = "rank",
    cluster: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
) -> list[ProportionalityTest]:
    """Return the test of each estimable covariate of a fit, in its order.

    Parameters
    ----------
    fit : CoxFit
        What was fitted on these rows.
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    covariates : array_like of float, shape (n, p)
        Those of the fit.
    time : {"rank", "log", "identity"}
        g(t): mean rank among the events' times, logarithm, or t itself.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    strata : array_like, shape (n,), optional
        Those of the fit.

    Returns
    -------
    list of ProportionalityTest
    """
    estimable = np.flatnonzero(np.isfinite(fit.beta))
    t, delta = np.asarray(durations, dtype=np.float64), np.asarray(event, dtype=np.bool_)
    if estimable.size == 0 or not delta.any():
        return []
    rows, residuals = schoenfeld_residuals(fit, t, delta, covariates, strata)
    num_events = rows.size
    covariance = fit.covariance[np.ix_(estimable, estimable)]
    scaled = num_events * np.einsum("ep,pq->eq", residuals[:, estimable], covariance)
    g = {"rank": midranks, "log": np.log, "identity": np.array}[time](t[rows])
    g = g - g.mean()
    square = float((g * g).sum())
    if square == 0.0:
        return []
    slope = (g[:, None] * scaled).sum(axis=0) / square
    if cluster is None:
        variance = num_events * np.diag(covariance) / square
    else:
        left = scaled - scaled.mean(axis=0) - np.outer(g, slope)
        sums = cluster_sums(g[:, None] * left, np.asarray(cluster)[rows])
        variance = (sums * sums).sum(axis=0) / square**2
    found: list[ProportionalityTest] = []
    for j, theta, of in zip(estimable.tolist(), slope.tolist(), variance.tolist(), strict=True):
        statistic = theta * theta / of if of > 0.0 else float("nan")
        p = erfc(sqrt(statistic / 2.0)) if statistic == statistic else float("nan")
        found.append(ProportionalityTest(fit.names[j], theta, statistic, p, num_events))
    return found


def schoenfeld_residuals(
    fit: CoxFit,
    durations: Floats,
    event: npt.NDArray[np.bool_],
    covariates: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the rows with events and their residuals, shape ``(num_events, p)``; of ties, against their mean.

    Parameters
    ----------
    fit : CoxFit
        What was fitted.
    durations : ndarray of float64, shape (n,)
        Time to the event or to censoring.
    event : ndarray of bool, shape (n,)
        False where censored; at least one is not.
    covariates : array_like of float, shape (n, p)
        Those of the fit.
    strata : array_like, shape (n,), optional
        Those of the fit.

    Returns
    -------
    rows : ndarray of int64, shape (num_events,)
        Rows with events.
    residuals : ndarray of float64, shape (num_events, p)
        Theirs.
    """
    sets = risk_sets(durations, event, None if strata is None else np.asarray(strata))
    columns = (np.asarray(covariates, dtype=np.float64) - fit.means)[sets.order].T.copy()
    sums = efron_sums(sets, columns, np.nan_to_num(fit.beta))
    mean = np.repeat(sums.mean / sets.num_tied, sets.num_tied, axis=1)
    return sets.order[sets.event_places], (columns[:, sets.event_places] - mean).T
