"""Aggregates of listening by name: ``thing.statistic``, computed the same way from every simulation.

========================  ============================================  ================================================
thing                     what it is                                    statistics
========================  ============================================  ================================================
plays_by_rank             share of all plays                            ``1-10``, ``51-`` (ranks), ``top1%``, ``1%-10%``
plays_by_work             plays of each work of the catalogue           distribution
plays_per_listener        plays of each listener in the observed days   distribution
plays_per_active          the same over listeners with at least one     distribution
works_per_listener        different works each listener played          distribution
sessions_per_listener     sessions of each listener                     distribution
dwell_s                   seconds of every work that was put on         distribution
per_session               means over sessions                           ``plays``, ``seconds``, ``abandoned``
churn                     subscribers who leave                         ``per_30_days``
========================  ============================================  ================================================

Statistics of a distribution: ``mean``, ``sd``, ``cv`` (sd / mean), ``gini``, ``zeros`` (share with none), ``q90`` (a
quantile, here the 90th percentile), ``q90/q50`` (a ratio of two), ``top5%`` (share of the total that the 5 % with most
hold). Plays are those that count for royalties; ranks go from the most played work on, unplayed works last.

Quantiles of counts are those of the distribution in which each count ``c`` is spread evenly from ``c - 1/2`` to
``c + 1/2``: the plain quantile moves in whole steps, and a fit cannot feel its way down a staircase.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.calibration.listening import Listened
from heritage_sim.base import InputError
from heritage_sim.metrics import gini

Values = npt.NDArray[np.float64]

DISTRIBUTIONS: dict[str, Callable[[Listened], npt.NDArray[Any]]] = {
    "plays_by_work": lambda heard: heard.plays_by_work,
    "plays_per_listener": lambda heard: heard.plays,
    "plays_per_active": lambda heard: heard.plays[heard.plays > 0],
    "works_per_listener": lambda heard: heard.works,
    "sessions_per_listener": lambda heard: heard.sessions,
    "dwell_s": lambda heard: heard.dwell_s,
}
"""Things with a distribution, and where it is read."""

_PER_SESSION = {"plays": "full_plays", "seconds": "seconds", "abandoned": "abandonments"}
_THINGS = (*DISTRIBUTIONS, "plays_by_rank", "per_session", "churn")
_QUANTILE = r"q(\d{1,2}(?:\.\d+)?)"
_PERCENT = r"(\d+(?:\.\d+)?)%"


@dataclass(frozen=True, slots=True)
class Moment:
    """One aggregate.

    Parameters
    ----------
    name : str
        ``thing.statistic``.
    is_count_quantile : bool
        Whether it is a quantile of whole numbers: one who states it has rounded it.
    of : callable
        ``of(listened) -> float``; NaN where there is nothing to compute it from.
    """

    name: str
    is_count_quantile: bool
    of: Callable[[Listened], float]

    @property
    def limits(self) -> tuple[float, float]:
        """Return what it can be at least and at most."""
        thing, _, statistic = self.name.partition(".")
        if "/" in statistic:
            return -math.inf, math.inf  # quantiles of counts may lie below 0, by half a count
        if thing == "plays_by_rank" or statistic in ("gini", "zeros", "abandoned") or statistic.startswith("top"):
            return 0.0, 1.0
        return -0.5 if self.is_count_quantile else 0.0, math.inf


def moment(name: str, where: str = "") -> Moment:
    """Return the moment of a name.

    Parameters
    ----------
    name : str
        ``thing.statistic``.
    where : str
        What to name in an error.

    Returns
    -------
    Moment

    Raises
    ------
    InputError
        If there is no such thing or statistic.
    """
    thing, _, statistic = name.partition(".")
    if thing not in _THINGS:
        raise InputError(f"no target is called `{thing}`", where, f"one of: {', '.join(_THINGS)}")
    if thing in DISTRIBUTIONS:
        read, compute = DISTRIBUTIONS[thing], _statistic(statistic)
        of = None if compute is None else lambda heard: _over(read(heard), compute)
        remedy = "mean, sd, cv, gini, zeros, q90, q90/q50 or top5%"
    elif thing == "plays_by_rank":
        band, remedy = _band(statistic), "ranks such as 1-10 or 51-, or shares of the works such as top1% or 1%-10%"
        of = None if band is None else lambda heard: _over(heard.plays_by_work, band)
    elif thing == "per_session":
        key, remedy = _PER_SESSION.get(statistic), ", ".join(_PER_SESSION)
        of = None if key is None else lambda heard: _ratio(heard.totals[key], heard.totals["sessions"])
    else:
        remedy = "per_30_days"
        of = _churn if statistic == remedy else None
    if of is None:
        raise InputError(f"`{thing}` has no statistic `{statistic}`", where, f"write {remedy}")
    whole = thing in DISTRIBUTIONS and thing != "dwell_s" and re.fullmatch(_QUANTILE, statistic) is not None
    return Moment(name, whole, of)


def _statistic(text: str) -> Callable[[Values], float] | None:
    simple: dict[str, Callable[[Values], float]] = {
        "mean": lambda x: float(x.mean()),
        "sd": lambda x: float(x.std()),
        "cv": lambda x: _ratio(x.std(), x.mean()),
        "gini": gini,
        "zeros": lambda x: float((x == 0).mean()),
    }
    if text in simple:
        return simple[text]
    if found := re.fullmatch(_QUANTILE, text):
        return lambda x: _quantile(x, float(found[1]))
    if found := re.fullmatch(f"{_QUANTILE}/{_QUANTILE}", text):
        return lambda x: _ratio(_quantile(x, float(found[1])), _quantile(x, float(found[2])))
    if (found := re.fullmatch(f"top{_PERCENT}", text)) and 0.0 < float(found[1]) <= 100.0:
        return lambda x: _share_of_ranks(x, 0.0, float(found[1]) / 100.0 * x.size)
    return None


def _band(text: str) -> Callable[[Values], float] | None:
    if found := re.fullmatch(r"(\d+)-(\d*)", text):
        first, last = int(found[1]), int(found[2] or 0)
        if first < 1 or 0 < last < first:
            return None
        return lambda x: _share_of_ranks(x, first - 1, last or x.size)
    found = re.fullmatch(f"(?:top()|{_PERCENT}-){_PERCENT}", text)
    if found is None:
        return None
    low, high = float(found[2] or 0.0) / 100.0, float(found[3]) / 100.0
    return (lambda x: _share_of_ranks(x, low * x.size, high * x.size)) if low < high <= 1.0 else None


def _share_of_ranks(amounts: Values, first: float, last: float) -> float:
    """Return the share of the total between two ranks; where a rank falls inside a unit, the unit is divided."""
    held = np.concatenate([[0.0], np.cumsum(np.sort(amounts)[::-1])])
    below, above = np.interp([first, last], np.arange(held.size), held)
    return _ratio(above - below, held[-1])


def _quantile(x: Values, percent: float) -> float:
    """Return a quantile; of whole numbers that of the spread-out distribution (see above)."""
    if (x != np.floor(x)).any():
        return float(np.quantile(x, percent / 100.0))
    counts, how_often = np.unique(x, return_counts=True)
    steps = np.concatenate([[0.0], np.cumsum(how_often) / x.size])
    at = min(int(np.searchsorted(steps, percent / 100.0, side="left")), counts.size) - 1
    at = max(at, 0)
    inside = (percent / 100.0 - steps[at]) / (steps[at + 1] - steps[at])
    return float(counts[at] - 0.5 + inside)


def _churn(heard: Listened) -> float:
    return 30.0 * _ratio(heard.totals["left_service"], heard.totals["subscribers"])


def _over(amounts: npt.NDArray[Any], compute: Callable[[Values], float]) -> float:
    """Return a statistic of a distribution; NaN where there is none."""
    if amounts.size == 0:
        return math.nan
    return compute(np.asarray(amounts, dtype=np.float64))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
