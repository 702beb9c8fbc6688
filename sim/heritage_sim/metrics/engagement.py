"""Engagement from tallies: whole-number counts over listeners and days, so that ratios are formed once, at the end."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY
from heritage_sim.metrics.measure import Measure

_AT = {name: i for i, name in enumerate(TALLY)}


def abandonment_rate(counts: npt.NDArray[np.int64]) -> float:
    """Return abandoned sessions as a percentage of sessions (unit of analysis: the session); NaN without sessions.

    Parameters
    ----------
    counts : ndarray of int64, shape (len(TALLY),)
        Sums of `heritage_sim.base.DayTally.counts` over days and shards.

    Returns
    -------
    float
    """
    sessions = int(counts[_AT["sessions"]])
    return 100.0 * int(counts[_AT["abandonments"]]) / sessions if sessions else float("nan")


def per_session(
    counts: npt.NDArray[np.int64], name: Literal["slates", "plays", "full_plays", "abandonments", "seconds"]
) -> float:
    """Return a tally's figure per session (unit of analysis: the session); NaN without sessions."""
    sessions = int(counts[_AT["sessions"]])
    return int(counts[_AT[name]]) / sessions if sessions else float("nan")


def listener_surplus(counts: npt.NDArray[np.int64]) -> Measure:
    """Return what a slate is worth to a listener beyond playing nothing (unit of analysis: the slate).

    The log-sum of a multinomial-logit choice, ``log(sum_s exp V_s + exp V_0) - V_0``, in utility units: the expected
    utility of the best of the slate and the outside option over that of the outside option alone. It is comparable
    between arms that share the scale of utility; it is not money. Baseline 0: a slate of nothing.

    Parameters
    ----------
    counts : ndarray of int64, shape (len(TALLY),)
        Sums of `heritage_sim.base.DayTally.counts` over days and shards.

    Returns
    -------
    Measure
        Without an interval: only sums leave a shard.

    References
    ----------
    Small and Rosen, "Applied welfare economics with discrete choice models", Econometrica 49, 1981.
    """
    slates, micro = int(counts[_AT["slates"]]), int(counts[_AT["surplus_micro"]])
    value = micro / 1e6 / slates if slates else float("nan")
    return Measure(value, "utility unit", "slate", slates, baseline=0.0, against="a slate of nothing")
