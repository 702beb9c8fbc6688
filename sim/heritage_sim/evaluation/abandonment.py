"""When sessions are abandoned: hazards by what came before the session, and how well they foretell.

The time is the length of a session in whole seconds; a session that ended with its slates is censored. Covariates are
known before it begins: the mean length of the listener's *earlier* sessions (never the current one, which is the
outcome itself), heritage familiarity, and device. First sessions have no earlier ones and are left out. Errors are over
listeners.

Hazard ratios are fitted on all sessions. Prediction is judged forward: a model of the sessions before the split, on
those after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics import (
    CoxFit,
    Measure,
    brier_skill,
    concordance,
    cox,
    integrated_brier,
    reliability,
    restricted_mean,
)

Column = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

NUM_BRIER_TIMES = 10
NUM_RELIABILITY_GROUPS = 5
RELIABILITY = "abandonment_reliability_"
"""Begins the names of the groups by which what was foretold is held against what came."""
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class SessionDesign:
    """Sessions as a survival model wants them, n of them with p covariates.

    Parameters
    ----------
    duration_s : ndarray of float64, shape (n,)
        Length, rounded up to whole seconds.
    abandoned : ndarray of bool, shape (n,)
        False where censored.
    covariates : ndarray of float64, shape (n, p)
        As named.
    names : tuple of str, length p
        ``prior_mean`` (of earlier sessions, in minutes), ``familiarity`` (0 to 1), ``device_<i>`` (beside device 0).
    listener : ndarray of int64, shape (n,)
        Whose session it is.
    day : ndarray of int32, shape (n,)
        Day of each.
    """

    duration_s: Floats
    abandoned: npt.NDArray[np.bool_]
    covariates: Floats
    names: tuple[str, ...]
    listener: npt.NDArray[np.int64]
    day: npt.NDArray[np.int32]

    def rows(self, kept: npt.NDArray[np.bool_]) -> SessionDesign:
        """Return some of the sessions."""
        return replace(
            self,
            duration_s=self.duration_s[kept],
            abandoned=self.abandoned[kept],
            covariates=self.covariates[kept],
            listener=self.listener[kept],
            day=self.day[kept],
        )


def session_design(sessions: Mapping[str, Column], num_devices: int | None = None) -> SessionDesign:
    """Return the sessions that have earlier ones.

    Parameters
    ----------
    sessions : mapping of str to ndarray
        ``listener``, ``day``, ``device``, ``familiarity``, ``prior_sessions``, ``prior_mean_s``, ``seconds``,
        ``abandoned``.
    num_devices : int, optional
        Devices; as many as occur where not given.

    Returns
    -------
    SessionDesign
    """
    kept = np.flatnonzero(sessions["prior_sessions"] > 0)
    device = sessions["device"][kept]
    devices = int(sessions["device"].max(initial=0)) + 1 if num_devices is None else num_devices
    prior: Floats = sessions["prior_mean_s"][kept].astype(np.float64) / 60.0
    columns = [prior, sessions["familiarity"][kept].astype(np.float64)]
    columns += [(device == i).astype(np.float64) for i in range(1, devices)]
    return SessionDesign(
        duration_s=np.maximum(np.ceil(sessions["seconds"][kept].astype(np.float64)), 1.0),
        abandoned=sessions["abandoned"][kept].astype(np.bool_),
        covariates=np.stack(columns, axis=1),
        names=("prior_mean", "familiarity", *(f"device_{i}" for i in range(1, devices))),
        listener=sessions["listener"][kept].astype(np.int64),
        day=sessions["day"][kept].astype(np.int32),
    )


def abandonment_measures(design: SessionDesign, split_day: int, horizon_s: float) -> dict[str, Measure]:
    """Return hazard ratios, the restricted mean, and how well a model of the earlier sessions foretells the later.

    Parameters
    ----------
    design : SessionDesign
        Sessions of the whole run.
    split_day : int
        First day of those that are foretold.
    horizon_s : float
        Horizon [s].

    Returns
    -------
    dict of str to Measure
        ``abandonment_hr_<covariate>`` (for a minute more of the earlier sessions' mean, for familiarity 1 against 0,
        for a device against the first), ``session_restricted_mean_s``, ``abandonment_concordance``,
        ``abandonment_brier``, ``abandonment_brier_skill``; and of the reliability curve
        ``abandonment_reliability_<k>``: the share of a group's sessions that go on at half the horizon, k = 1 for those
        that were least expected to, beside what was foretold for them.
    """
    d = design
    fit = cox(d.duration_s, d.abandoned, d.covariates, d.names, cluster=d.listener)
    found = {f"abandonment_hr_{name}": fit.hazard_ratio(name) for name in d.names}
    found["session_restricted_mean_s"] = restricted_mean(d.duration_s, d.abandoned, horizon_s, cluster=d.listener)
    return found | _foretold(d.rows(d.day < split_day), d.rows(d.day >= split_day), horizon_s)


def _foretold(before: SessionDesign, after: SessionDesign, horizon_s: float) -> dict[str, Measure]:
    names = ("abandonment_concordance", "abandonment_brier", "abandonment_brier_skill")
    n = int(after.duration_s.size)
    # Beyond the last session observed there is nothing to compare with.
    reach = min(horizon_s, float(after.duration_s.max(initial=0.0)) - 1.0)
    fit = cox(before.duration_s, before.abandoned, before.covariates, before.names, cluster=before.listener)
    if n == 0 or reach <= 0.0 or not np.isfinite(fit.beta).any():
        return {name: Measure(_NAN, "1", "session", n) for name in names}
    risk = fit.log_risk(after.covariates)
    times = np.linspace(reach / NUM_BRIER_TIMES, reach, NUM_BRIER_TIMES)
    rows = after.duration_s, after.abandoned, fit.survival(after.covariates, times), times, after.listener
    score, gained = integrated_brier(*rows), brier_skill(*rows)
    told = concordance(after.duration_s, after.abandoned, risk, after.listener)
    return dict(zip(names, (told, score, gained), strict=True)) | _reliability(after, fit, reach / 2.0)


def _reliability(after: SessionDesign, fit: CoxFit, at_s: float) -> dict[str, Measure]:
    foretold = fit.survival(after.covariates, [at_s])[:, 0]
    groups = reliability(after.duration_s, after.abandoned, foretold, at_s, NUM_RELIABILITY_GROUPS)
    return {
        f"{RELIABILITY}{k}": replace(group.observed, baseline=group.predicted, against="foretold for them")
        for k, group in enumerate(groups, start=1)
    }
