"""Abandonment between two arms: the hazard ratio of leaving a session, from the sessions of both.

Cox's model with the arm as a covariate beside what was known before each session (mean length of the listener's
earlier sessions, heritage familiarity, device); Efron's ties. The two arms of a replication share their listeners and
their random numbers, so errors are over listeners, both arms' rows of a listener together.

Replications are worlds of their own: each is a stratum with a baseline hazard of its own in the pooled model, and a
listener of one is another than that of the next. Beside it stands the mean of the replications' own log hazard ratios
with its Student-t interval, which assumes nothing about the errors within one. A hazard ratio is an average over the
session where hazards are not proportional: the test says so, and the difference of the restricted means assumes nothing
of the kind.

Sessions come out of the model: they are synthetic, and stand for no person's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.statistics.paired import student_t_interval
from heritage_sim.evaluation.abandonment import SessionDesign, session_design
from heritage_sim.evaluation.evaluating import SESSION_COLUMNS
from heritage_sim.metrics import Measure, cox, kaplan_meier, proportionality, restricted_mean_difference

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]]
NAN = float("nan")

ARM = "arm"


@dataclass(frozen=True, slots=True)
class Abandonment:
    """What two arms' sessions say of leaving.

    Parameters
    ----------
    hazard_ratio : Measure
        Treatment against control, pooled over replications; its interval is over listeners, its baseline 1.
    by_replication : Measure
        The geometric mean of the replications' own hazard ratios, with its Student-t interval.
    controls : dict of str to Measure
        Hazard ratios of the other covariates in the pooled model.
    proportionality_p : dict of str to float
        p of the test of proportional hazards of each covariate, over listeners.
    mean_difference : Measure
        Restricted mean length of a session, treatment minus control, in seconds; its baseline is the control's.
    horizon_s : float
        Horizon of that mean [s].
    num_events, num_sessions, num_listeners : int
        Sessions that were abandoned, all of them, and the listeners whose they are, both arms together; a listener
        of one replication is another than that of the next.
    identical : bool
        Whether every session of one arm is one of the other, to the second: then there is nothing to estimate.
    """

    hazard_ratio: Measure
    by_replication: Measure
    controls: dict[str, Measure]
    proportionality_p: dict[str, float]
    mean_difference: Measure
    horizon_s: float
    num_events: int
    num_sessions: int
    num_listeners: int
    identical: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The sessions of both arms, one after the other: treatment first."""

    design: SessionDesign
    covariates: Floats
    names: tuple[str, ...]
    treated: npt.NDArray[np.bool_]
    replication: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]


def abandonment(sessions: Columns, treatment: str, control: str, horizon_s: float) -> Abandonment | None:
    """Return what two cells' sessions say, over the replications that both have; None where there are none.

    Parameters
    ----------
    sessions : mapping of str to ndarray
        The run's ``sessions`` table as columns.
    treatment : str
        Cell whose hazard stands above the line.
    control : str
        Cell whose hazard stands below it.
    horizon_s : float
        Horizon of the restricted mean [s].

    Returns
    -------
    Abandonment or None
    """
    sides = _sides(sessions, treatment, control)
    if sides is None:
        return None
    d = sides.design
    fit = cox(d.duration_s, d.abandoned, sides.covariates, sides.names, cluster=sides.owner, strata=sides.replication)
    tests = proportionality(
        fit, d.duration_s, d.abandoned, sides.covariates, cluster=sides.owner, strata=sides.replication
    )
    return Abandonment(
        hazard_ratio=fit.hazard_ratio(ARM),
        by_replication=_by_replication(sides),
        controls={name: fit.hazard_ratio(name) for name in sides.names if name != ARM},
        proportionality_p={test.name: test.p_value for test in tests},
        mean_difference=restricted_mean_difference(
            d.duration_s, d.abandoned, sides.treated, horizon_s, cluster=sides.owner
        ),
        horizon_s=horizon_s,
        num_events=fit.num_events,
        num_sessions=fit.num_rows,
        num_listeners=fit.num_clusters,
        identical=_same(sides),
    )


def curves(sessions: Columns, cells: Sequence[str], at_s: npt.ArrayLike) -> list[Floats]:
    """Return the Kaplan-Meier share of sessions not yet abandoned at each time, for each cell.

    Parameters
    ----------
    sessions : mapping of str to ndarray
        The run's ``sessions`` table as columns.
    cells : sequence of str
        Cells.
    at_s : array_like of float, shape (num_times,)
        Times [s].

    Returns
    -------
    list of ndarray of float64, each of shape (num_times,)
    """
    found: list[Floats] = []
    for cell in cells:
        rows = np.flatnonzero(sessions["cell"] == cell)
        design = session_design({name: sessions[name][rows] for name in SESSION_COLUMNS})
        found.append(kaplan_meier(design.duration_s, design.abandoned).at(at_s))
    return found


def _same(sides: _Sides) -> bool:
    """Return whether both arms have the same sessions, one by one."""
    d = sides.design
    rows = np.column_stack([sides.replication, d.listener, d.duration_s, d.abandoned])
    return np.array_equal(rows[sides.treated], rows[~sides.treated])


def _by_replication(sides: _Sides) -> Measure:
    """Return the mean log hazard ratio of replications fitted alone, and its interval, as ratios."""
    d, logs = sides.design, []
    for r in np.unique(sides.replication):
        here = sides.replication == r
        fit = cox(d.duration_s[here], d.abandoned[here], sides.covariates[here], sides.names)
        logs.append(float(fit.beta[sides.names.index(ARM)]))
    known = [b for b in logs if np.isfinite(b)]
    if not known:
        return Measure(NAN, "1", "replication", 0, baseline=1.0, against="no difference", num_excluded=len(logs))
    low, high = np.exp(student_t_interval(known))
    value = float(np.exp(np.mean(known)))
    dropped = len(logs) - len(known)
    return Measure(value, "1", "replication", len(known), float(low), float(high), 1.0, "no difference", dropped)


def _sides(sessions: Columns, treatment: str, control: str) -> _Sides | None:
    of = [sessions["cell"] == cell for cell in (treatment, control)]
    shared = np.intersect1d(sessions["replication"][of[0]], sessions["replication"][of[1]])
    known = np.isin(sessions["replication"], shared) & (sessions["prior_sessions"] > 0)
    order = np.concatenate([np.flatnonzero(rows & known) for rows in of])
    num_treated = int(np.count_nonzero(of[0] & known))
    if num_treated in (0, order.size):
        return None
    design = session_design({name: sessions[name][order] for name in SESSION_COLUMNS})
    treated = np.arange(order.size) < num_treated
    replication = sessions["replication"][order].astype(np.int64)
    return _Sides(
        design=design,
        covariates=np.column_stack([treated.astype(np.float64), design.covariates]),
        names=(ARM, *design.names),
        treated=treated,
        replication=replication,
        owner=replication * (int(design.listener.max()) + 1) + design.listener,
    )


def columns_of(table: pd.DataFrame) -> Columns:
    """Return a table's columns as arrays."""
    return {str(name): np.asarray(table[name]) for name in table.columns}
