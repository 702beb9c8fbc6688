"""Comparisons of a scenario: total effect, and its arithmetic part apart from the behavioural response.

A royalty rule acts twice. It shares the same plays out differently (arithmetic), and people then act on what they earn
(behaviour). The first is measured without a second world: the treatment's rule settles the control's own usage as a
shadow, and the difference from the control is the arithmetic effect. What remains of the total is the response:

    total_r      = Y_r(treatment) - Y_r(control)
    arithmetic_r = Y_r(treatment's rule on control's usage) - Y_r(control)
    response_r   = total_r - arithmetic_r

Each has its own paired interval over the replications r.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_experiments.statistics.multiplicity import holm
from heritage_experiments.statistics.paired import PairedDifference, paired_difference
from heritage_experiments.statistics.verdict import Verdict, judge

if TYPE_CHECKING:
    import pandas as pd

STATIC = "static."
"""Prefix of outcomes in which a shadow rule settled a run's usage: ``static.<rule>.<outcome>``."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A total effect and, where a shadow rule makes it known, its two parts.

    Parameters
    ----------
    total : PairedDifference
        Treatment minus control.
    arithmetic, response : PairedDifference or None
        The two parts; None where treatment and control settle by the same rule or no shadow was run.
    """

    total: PairedDifference
    arithmetic: PairedDifference | None
    response: PairedDifference | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One outcome of one comparison.

    Parameters
    ----------
    comparison, treatment, control : str
        Name of the comparison and of its cells.
    outcome, unit : str
        Name of the outcome and its unit.
    treatment_mean, control_mean : float
        Means over the replications.
    effect : Effect
        The difference.
    primary : bool
        Whether the outcome decides the scenario's question, and so is under Holm's correction.
    adjusted_p : float
        Holm-adjusted p-value after `correct`; NaN for outcomes that are not primary.
    verdict : Verdict
        What may be said of the total.
    """

    comparison: str
    treatment: str
    control: str
    outcome: str
    unit: str
    treatment_mean: float
    control_mean: float
    effect: Effect
    primary: bool
    adjusted_p: float
    verdict: Verdict


def split_effect(treatment: npt.ArrayLike, control: npt.ArrayLike, static: npt.ArrayLike | None = None) -> Effect:
    """Return the effect of a treatment, split where the static values are known.

    Parameters
    ----------
    treatment : array_like of float, shape (num_replications,)
        Values of the outcome, aligned by replication.
    control : array_like of float, shape (num_replications,)
        The same of the other cell.
    static : array_like of float, shape (num_replications,), optional
        Values of the treatment's rule on the control's usage.

    Returns
    -------
    Effect
    """
    y1, y0 = np.asarray(treatment, np.float64), np.asarray(control, np.float64)
    total = paired_difference(y1, y0)
    if static is None:
        return Effect(total, None, None)
    ys = np.asarray(static, np.float64)
    # (y1 - y0) - (ys - y0) is y1 - ys.
    return Effect(total, paired_difference(ys, y0), paired_difference(y1, ys))


def compare(
    outcomes: pd.DataFrame, name: str, treatment: str, control: str, primary: tuple[str, ...] = ()
) -> list[Finding]:
    """Return the findings of one comparison, one for each outcome that both cells have, in the table's order.

    Parameters
    ----------
    outcomes : DataFrame
        Columns cell, arm, rule, replication, name, value, unit, n.
    name : str
        Name of the comparison.
    treatment : str
        Name of the cell that comes first in the difference.
    control : str
        Name of the cell that is subtracted.
    primary : tuple of str
        Outcomes that `correct` puts under Holm's correction; here each is judged by its interval alone.

    Returns
    -------
    list of Finding
    """
    sides = {}
    for cell in (treatment, control):
        rows = outcomes[outcomes["cell"] == cell]
        sides[cell] = rows.pivot_table(
            index="replication", columns="name", values="value", aggfunc="first", dropna=False, sort=False
        )
    a, b = sides[treatment], sides[control]
    shared = a.index.intersection(b.index).sort_values()
    a, b = a.loc[shared], b.loc[shared]
    units = outcomes.drop_duplicates("name").set_index("name")["unit"]
    rule, other = _rule_of(outcomes, treatment), _rule_of(outcomes, control)
    found = []
    for outcome in [c for c in a.columns if c in b.columns and not c.startswith(STATIC)]:
        shadow = f"{STATIC}{rule}.{outcome}"
        static = b[shadow].to_numpy() if rule != other and shadow in b.columns else None
        effect = split_effect(a[outcome].to_numpy(), b[outcome].to_numpy(), static)
        found.append(
            Finding(
                comparison=name,
                treatment=treatment,
                control=control,
                outcome=str(outcome),
                unit=str(units[outcome]),
                treatment_mean=float(a[outcome].mean()),
                control_mean=float(b[outcome].mean()),
                effect=effect,
                primary=outcome in primary,
                adjusted_p=float("nan"),
                verdict=judge(effect.total),
            )
        )
    return found


def correct(findings: list[Finding]) -> list[Finding]:
    """Return the findings of all comparisons with Holm's correction over the primary ones among them."""
    primary = [i for i, f in enumerate(findings) if f.primary]
    adjusted = holm([findings[i].effect.total.p_value for i in primary])
    corrected = list(findings)
    for i, p in zip(primary, adjusted.tolist(), strict=True):
        corrected[i] = replace(findings[i], adjusted_p=p, verdict=judge(findings[i].effect.total, p))
    return corrected


def _rule_of(outcomes: pd.DataFrame, cell: str) -> str:
    rows = outcomes.loc[outcomes["cell"] == cell, "rule"]
    return str(rows.iloc[0]) if len(rows) else ""
