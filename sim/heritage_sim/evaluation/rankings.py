"""Frozen rankings against what was then listened to.

Relevant to a listener are the works that could be heard on the split day and that it listened to afterwards for 30 s or
more (or to their end). Works that came out after the split stood in no ranking and are left out on both sides. The
yardstick is one list for everybody: the works most played in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import State
from heritage_sim.metrics import (
    Measure,
    Relevant,
    dwell_auc,
    exposure_shares,
    frozen_tail,
    ranking_quality,
    relevant_pairs,
    tail_coverage,
)

Column = npt.NDArray[Any]
Int64 = npt.NDArray[np.int64]

NUM_RANKS = 100
"""Works of a ranking: the largest cut-off that is told."""
LISTENED_S = 30.0
"""A work listened to for so long, or to its end, is relevant [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What was frozen on the split day.

    Parameters
    ----------
    day : int
        The first day of what the rankings are held against.
    listener : ndarray of int64, shape (num_listeners,)
        Ids of the sample, ascending.
    ranked : ndarray of int32, shape (num_listeners, NUM_RANKS)
        Works, best first, -1 where there are no more.
    available : ndarray of bool, shape (num_works,)
        Works that could be heard.
    streams : ndarray of int64, shape (num_works,)
        Plays of all listeners so far.
    community, born : ndarray of int32, shape (num_works,)
        Community of each work, and the day on which it came out (0 for the archive, which is never cold).
    """

    day: int
    listener: Int64
    ranked: npt.NDArray[np.int32]
    available: npt.NDArray[np.bool_]
    streams: Int64
    community: npt.NDArray[np.int32]
    born: npt.NDArray[np.int32]

    def snapshot(self) -> State:
        """Return it as plain numbers and arrays."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def restore(cls, state: State) -> Split:
        """Return what `snapshot` put down."""
        return cls(**state)

    @property
    def most_played(self) -> npt.NDArray[np.int32]:
        """Return the list of the works most played in training, ties by id, shape ``(1, <= NUM_RANKS)``."""
        works = np.flatnonzero(self.available)
        order = works[np.lexsort((works, -self.streams[works]))]
        return order[None, :NUM_RANKS].astype(np.int32)

    def relevant(self, plays: Mapping[str, Column]) -> Relevant:
        """Return the relevant works of the sample, given its plays as columns."""
        rows, work = self._later(plays)
        heard = plays["dwell_s"][rows] >= np.minimum(LISTENED_S, plays["duration_s"][rows])
        known = work < self.available.size
        known[known] = self.available[work[known]]
        kept = heard & known
        who = np.searchsorted(self.listener, plays["listener"][rows[kept]])
        return relevant_pairs(who, work[kept], self.listener.size)

    def _later(self, plays: Mapping[str, Column]) -> tuple[Int64, Int64]:
        rows = np.flatnonzero(plays["day"] >= self.day)
        return rows, plays["work"][rows].astype(np.int64)


def ranking_measures(
    split: Split, plays: Mapping[str, Column], num_communities: int, cold_days: int
) -> dict[str, Measure]:
    """Return the figures of the frozen rankings.

    Parameters
    ----------
    split : Split
        What was frozen.
    plays : mapping of str to ndarray
        The sample's plays of the whole run: ``listener``, ``day``, ``work``, ``score``, ``dwell_s``, ``duration_s``,
        ``first_time``.
    num_communities : int
        Communities.
    cold_days : int
        Works that came out so many days before the split are cold.

    Returns
    -------
    dict of str to Measure
    """
    relevant, num_works = split.relevant(plays), split.available.size
    yardstick = np.broadcast_to(split.most_played, (split.listener.size, split.most_played.shape[1]))
    quality = ranking_quality(split.ranked, relevant, num_works, (20, NUM_RANKS), yardstick)
    newest = split.born >= max(split.day - cold_days, 1)
    cold = ranking_quality(split.ranked, relevant.only(newest), num_works, (NUM_RANKS,), yardstick)
    tail = frozen_tail(split.streams, np.flatnonzero(split.available))
    found = {
        "ndcg_20": quality.ndcg[20],
        "ndcg_100": quality.ndcg[NUM_RANKS],
        "ndcg_100_cold": cold.ndcg[NUM_RANKS],
        "recall_100": quality.recall[NUM_RANKS],
        "mrr": quality.mrr,
        "coverage_100_tail": tail_coverage(split.ranked, tail, int(np.count_nonzero(split.available))),
    }
    shares = exposure_shares(split.ranked, split.community, num_communities, split.available, relevant)
    for c, share in enumerate(shares):
        found[f"top100_exposure_share_community_{c}"] = share.exposure
    for c, share in enumerate(shares):
        found[f"relevance_share_community_{c}"] = share.relevance
    found["dwell_auc"] = first_plays_auc(split.day, plays)
    return found


def first_plays_auc(day: int, plays: Mapping[str, Column]) -> Measure:
    """Return how well the score told long first plays from short ones, from a day on."""
    rows = np.flatnonzero((plays["day"] >= day) & plays["first_time"].astype(np.bool_))
    return dwell_auc(plays["score"][rows], plays["dwell_s"][rows], cluster=plays["listener"][rows])
