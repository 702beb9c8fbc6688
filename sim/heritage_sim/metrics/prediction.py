"""How good a predicted survival is: Brier scores that censoring does not bias, skill, and reliability.

At a horizon t, with S_i(t) predicted and G the Kaplan-Meier curve of censoring,

    B(t) = mean_i [ S_i(t)^2 1(T_i <= t, event) / G(T_i-) + (1 - S_i(t))^2 1(T_i > t) / G(t) ]:

who is censored before t is left out, and those like it that stayed weigh more. The integrated score is the mean of B
over a span of time (trapezia). Skill is ``1 - B / B_KM`` against the prediction that gives everybody the Kaplan-Meier
curve: 0 says that the covariates told nothing. Reliability compares, in groups of equal size by prediction, what was
predicted with the group's own Kaplan-Meier estimate.

References
----------
Graf, Schmoor, Sauerbrei, Schumacher, "Assessment and comparison of prognostic classification schemes for survival
data", Stat. Med. 18, 1999.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.measure import NAN, Measure, mean_measure
from heritage_sim.metrics.survival import KaplanMeier, censoring_curve, kaplan_meier, survival_at

Floats = npt.NDArray[np.float64]

_AGAINST = "everybody given the Kaplan-Meier curve"


def brier_terms(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    at: npt.ArrayLike,
    censoring: KaplanMeier | None = None,
) -> Floats:
    """Return each row's term of B at each horizon, shape ``(n, num_times)``; their means over rows are B.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    predicted : array_like of float, shape (n, num_times)
        Predicted share still there.
    at : array_like of float, shape (num_times,)
        Horizons, within the time observed.
    censoring : KaplanMeier, optional
        Curve of censoring; that of these rows by default.

    Returns
    -------
    ndarray of float64, shape (n, num_times)
    """
    t, ended = np.asarray(durations, dtype=np.float64), np.asarray(event, dtype=np.bool_)
    survival: Floats = np.asarray(predicted, dtype=np.float64)
    horizon: Floats = np.asarray(at, dtype=np.float64)
    g = censoring_curve(t, ended) if censoring is None else censoring
    gone = (t[:, None] <= horizon) & ended[:, None]
    there = t[:, None] > horizon
    before = np.where(ended, g.at(t, just_before=True), 1.0)
    weight = gone / before[:, None] + np.where(there, 1.0 / np.maximum(g.at(horizon), 1e-300), 0.0)
    return weight * (survival - there) ** 2


def brier(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    horizon: float,
    cluster: npt.ArrayLike | None = None,
    per: str = "session",
) -> Measure:
    """Return B at one horizon, with its interval, beside B of the Kaplan-Meier curve.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    predicted : array_like of float, shape (n,)
        Predicted share still there at the horizon.
    horizon : float
        t.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    column = np.asarray(predicted, dtype=np.float64)[:, None]
    return integrated_brier(durations, event, column, [horizon], cluster, per)


def integrated_brier(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    at: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    per: str = "session",
) -> Measure:
    """Return the mean of B over a span of time, with its interval, beside that of the Kaplan-Meier curve.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    predicted : array_like of float, shape (n, num_times)
        Predicted share still there at each time.
    at : array_like of float, shape (num_times,)
        Times, rising; a single one gives B there.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
    """
    made, plain = _errors(durations, event, predicted, at)
    if plain.size == 0:
        return Measure(NAN, "1", per, 0, against=_AGAINST)
    return mean_measure(made, "1", per, float(plain.mean()), _AGAINST, cluster=cluster)


def brier_skill(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    at: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    per: str = "session",
) -> Measure:
    """Return ``1 - B / B_KM``, the part of the yardstick's error that is gone, with its interval; 0 is no skill.

    Of a ratio of means ``r = mean(b) / mean(k)``, a row's influence is ``(b_i - r k_i) / mean(k)``: rows on which both
    err alike add nothing.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    predicted : array_like of float, shape (n, num_times)
        Predicted share still there at each time.
    at : array_like of float, shape (num_times,)
        Times, rising; a single one gives the skill there.
    cluster : array_like, shape (n,), optional
        Whose row it is.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    Measure
        NaN where the yardstick had no error.
    """
    made, plain = _errors(durations, event, predicted, at)
    usual = float(plain.mean()) if plain.size else 0.0
    if usual == 0.0:
        return Measure(NAN, "1", per, int(plain.size), baseline=0.0, against=_AGAINST)
    ratio = float(made.mean()) / usual
    influence = 1.0 - ratio - (made - ratio * plain) / usual
    return mean_measure(influence, "1", per, 0.0, _AGAINST, cluster=cluster)


def _errors(
    durations: npt.ArrayLike, event: npt.ArrayLike, predicted: npt.ArrayLike, at: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Return each row's part of the integrated score, of the prediction and of the Kaplan-Meier curve."""
    times: Floats = np.asarray(at, dtype=np.float64)
    n = np.asarray(durations).size
    if n == 0:
        return np.zeros(0), np.zeros(0)
    weight = _trapezia(times)
    same = np.broadcast_to(kaplan_meier(durations, event).at(times), (n, times.size))
    made, plain = (
        np.einsum("nt,t->n", brier_terms(durations, event, survival, times), weight) for survival in (predicted, same)
    )
    return made, plain


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """A group of rows with like predictions.

    Parameters
    ----------
    predicted : float
        Mean predicted share still there at the horizon.
    observed : Measure
        The group's own Kaplan-Meier estimate.
    """

    predicted: float
    observed: Measure


def reliability(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    predicted: npt.ArrayLike,
    horizon: float,
    num_bins: int = 10,
    per: str = "session",
) -> list[ReliabilityBin]:
    """Return groups of equal size by prediction, lowest first, each with what was predicted and what came.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to censoring.
    event : array_like of bool, shape (n,)
        False where censored.
    predicted : array_like of float, shape (n,)
        Predicted share still there at the horizon.
    horizon : float
        t.
    num_bins : int
        Groups; fewer where there are not so many different predictions, as equal ones stay together.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    list of ReliabilityBin
    """
    t, ended = np.asarray(durations, dtype=np.float64), np.asarray(event, dtype=np.bool_)
    p: Floats = np.asarray(predicted, dtype=np.float64)
    inner = np.quantile(p, np.linspace(0.0, 1.0, num_bins + 1)[1:-1]) if p.size else np.zeros(0)
    group = np.searchsorted(np.unique(inner), p, side="left")
    found: list[ReliabilityBin] = []
    for g in np.unique(group).tolist():
        here = group == g
        found.append(ReliabilityBin(float(p[here].mean()), survival_at(t[here], ended[here], horizon, per)))
    return found


def _trapezia(times: Floats) -> Floats:
    """Return weights, summing to 1, of the trapezium rule over the times."""
    if times.size == 1:
        return np.ones(1)
    step = np.diff(times)
    weight = np.zeros(times.size)
    weight[:-1] += step / 2.0
    weight[1:] += step / 2.0
    return weight / (times[-1] - times[0])
