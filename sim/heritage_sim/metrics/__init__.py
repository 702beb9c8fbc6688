"""Measures of outcomes: inequality, settlement time, exposure, ranking and engagement. Pure functions of arrays.

Each names its unit of analysis in its docstring: the same money gives very different indices over works, people and
communities, so a figure without its unit says nothing. What is estimated comes as a `Measure`: value, unit, unit of
analysis, n, interval and baseline.
"""

from heritage_sim.metrics.cox import CoxFit, cox
from heritage_sim.metrics.discrimination import concordance, dwell_auc, midranks, roc_auc
from heritage_sim.metrics.engagement import abandonment_rate, listener_surplus, per_session
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
from heritage_sim.metrics.measure import Measure, mean_measure
from heritage_sim.metrics.prediction import (
    ReliabilityBin,
    brier,
    brier_skill,
    brier_terms,
    integrated_brier,
    reliability,
)
from heritage_sim.metrics.proportionality import ProportionalityTest, proportionality
from heritage_sim.metrics.ranking import (
    RankingQuality,
    Relevant,
    hits,
    ndcg,
    ranking_quality,
    recall,
    reciprocal_rank,
    relevant_pairs,
)
from heritage_sim.metrics.reach import ExposureShare, exposure_shares, frozen_tail, tail_coverage
from heritage_sim.metrics.resampling import bootstrap_interval, inequality_measures
from heritage_sim.metrics.settlement import (
    units_by_day,
    units_by_payee_and_day,
    units_by_work_and_day,
    weighted_quantile,
)
from heritage_sim.metrics.survival import (
    KaplanMeier,
    censoring_curve,
    kaplan_meier,
    restricted_mean,
    restricted_mean_difference,
    survival_at,
    survival_quantile,
)

__all__ = [
    "CoxFit",
    "ExposureShare",
    "KaplanMeier",
    "Measure",
    "ProportionalityTest",
    "RankingQuality",
    "Relevant",
    "ReliabilityBin",
    "TheilParts",
    "abandonment_rate",
    "atkinson",
    "bootstrap_interval",
    "brier",
    "brier_skill",
    "brier_terms",
    "censoring_curve",
    "concordance",
    "cox",
    "discounted_exposure",
    "dwell_auc",
    "exposure_shares",
    "frozen_tail",
    "gap_in_shares",
    "gini",
    "group_shares",
    "hits",
    "inequality_measures",
    "integrated_brier",
    "jain",
    "kaplan_meier",
    "listener_surplus",
    "lorenz_curve",
    "lorenz_dominance",
    "mean_measure",
    "midranks",
    "ndcg",
    "per_session",
    "proportionality",
    "ranking_quality",
    "recall",
    "reciprocal_rank",
    "relevant_pairs",
    "reliability",
    "restricted_mean",
    "restricted_mean_difference",
    "roc_auc",
    "survival_at",
    "survival_quantile",
    "tail_coverage",
    "theil",
    "theil_parts",
    "units_by_day",
    "units_by_payee_and_day",
    "units_by_work_and_day",
    "weighted_quantile",
]
