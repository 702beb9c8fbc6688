"""From an interval to words, by one rule for every sentence of a report."""

from __future__ import annotations

import math
from enum import StrEnum

from heritage_experiments.statistics.paired import LEVEL, PairedDifference


class Verdict(StrEnum):
    """What may be said of a difference."""

    HIGHER = "higher"
    LOWER = "lower"
    NOT_SHOWN = "not shown"
    NONE = "no difference at all"
    UNDEFINED = "not defined"


def judge(difference: PairedDifference, adjusted_p: float | None = None) -> Verdict:
    """Return the verdict on a difference.

    "Not shown" where the interval contains zero, where there is only one pair, or where Holm's correction over the
    primary comparisons takes the p-value to 5 % or more; "no difference at all" where every pair is exactly equal.

    Parameters
    ----------
    difference : PairedDifference
        What was found.
    adjusted_p : float, optional
        Holm-adjusted p-value, for primary outcomes.

    Returns
    -------
    Verdict
    """
    if difference.n == 0:
        return Verdict.UNDEFINED
    if difference.identical:
        return Verdict.NONE
    if math.isnan(difference.low) or difference.low <= 0.0 <= difference.high:
        return Verdict.NOT_SHOWN
    if adjusted_p is not None and not adjusted_p < 1.0 - LEVEL:
        return Verdict.NOT_SHOWN
    return Verdict.HIGHER if difference.mean > 0.0 else Verdict.LOWER
