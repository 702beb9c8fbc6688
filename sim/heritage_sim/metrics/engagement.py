"""Engagement from tallies: whole-number counts over listeners and days, so that ratios are formed once, at the end."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY

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
