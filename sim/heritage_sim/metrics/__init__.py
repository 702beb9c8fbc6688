"""Measures of outcomes: inequality, settlement time, exposure and engagement. Pure functions of arrays.

Each names its unit of analysis in its docstring: the same money gives very different indices over works, people and
communities, so a figure without its unit says nothing.
"""

from heritage_sim.metrics.engagement import abandonment_rate, per_session
from heritage_sim.metrics.exposure import discounted_exposure, group_shares
from heritage_sim.metrics.inequality import (
    TheilParts,
    atkinson,
    gap_in_shares,
    gini,
    jain,
    lorenz_curve,
    lorenz_dominance,
    theil,
    theil_parts,
)
from heritage_sim.metrics.settlement import (
    KaplanMeier,
    kaplan_meier,
    survival_quantile,
    units_by_day,
    units_by_payee_and_day,
    units_by_work_and_day,
    weighted_quantile,
)

__all__ = [
    "KaplanMeier",
    "TheilParts",
    "abandonment_rate",
    "atkinson",
    "discounted_exposure",
    "gap_in_shares",
    "gini",
    "group_shares",
    "jain",
    "kaplan_meier",
    "lorenz_curve",
    "lorenz_dominance",
    "per_session",
    "survival_quantile",
    "theil",
    "theil_parts",
    "units_by_day",
    "units_by_payee_and_day",
    "units_by_work_and_day",
    "weighted_quantile",
]
