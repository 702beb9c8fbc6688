"""How a difference between two cells is judged: paired over replications, with an interval and a verdict in words."""

from heritage_experiments.statistics.effects import STATIC, Effect, Finding, compare, correct, split_effect
from heritage_experiments.statistics.multiplicity import holm
from heritage_experiments.statistics.paired import (
    LEVEL,
    PairedDifference,
    bca_interval,
    paired_difference,
    student_t_interval,
)
from heritage_experiments.statistics.proportion import wilson_interval
from heritage_experiments.statistics.sign_flip import Crossing, SignFlip, sign_flip
from heritage_experiments.statistics.verdict import Verdict, judge

__all__ = [
    "LEVEL",
    "STATIC",
    "Crossing",
    "Effect",
    "Finding",
    "PairedDifference",
    "SignFlip",
    "Verdict",
    "bca_interval",
    "compare",
    "correct",
    "holm",
    "judge",
    "paired_difference",
    "sign_flip",
    "split_effect",
    "student_t_interval",
    "wilson_interval",
]
