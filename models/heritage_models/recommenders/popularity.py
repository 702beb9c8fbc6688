"""Offer everybody what is played most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders.dealing import by_work
from heritage_models.recommenders.play_counts import PlayCounts
from heritage_sim.base import HistoryVectors, Keys, State, Sums, Usage, WorkFeatures


def most_played(
    counts: npt.NDArray[np.float64], tie_break: npt.NDArray[np.float64], available: npt.NDArray[np.bool_], num: int
) -> npt.NDArray[np.int32]:
    """Return the ids of the ``num`` most played available works, most played first, ties by the smaller key."""
    ids = np.flatnonzero(available)
    order = np.lexsort((tie_break[ids], -counts[ids]))
    return ids[order[:num]].astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class PopularityState:
    """What is broadcast; see `heritage_sim.base.RecommenderState`."""

    offered: npt.NDArray[np.int32]
    bias: npt.NDArray[np.float32]
    affinity: float = 0.0

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return the same most played works for each listener, shape ``(num_listeners, num_candidates)``, -1: none."""
        del history, day
        return np.broadcast_to(self.offered, (listener_ids.size, self.offered.size)).copy()


class PopularityRecommender:
    """Offers the most played works; among works never played, a keyed choice.

    Parameters
    ----------
    config : RecommenderConfig
        ``num_candidates``, ``popularity_weight`` and ``half_life_days`` are used.
    keys : Keys
        Streams of the replication.
    """

    def __init__(self, config: RecommenderConfig, keys: Keys) -> None:
        self._config = config
        self._counts = PlayCounts(config.half_life_days)
        self._ties = keys.stream("recommender", "ties")

    def statistics(self, usage: Usage) -> Sums:
        """Return plays by work of a shard."""
        return self._counts.statistics(usage)

    def refresh(self, statistics: Sums, works: WorkFeatures, day: int) -> PopularityState:
        """Return the works most played so far."""
        counts = self._counts.learn(statistics, works.num_works, day)
        top = most_played(counts, by_work(self._ties, works.num_works, 0), works.available, self._config.num_candidates)
        offered = np.full(self._config.num_candidates, -1, dtype=np.int32)
        offered[: top.size] = top
        return PopularityState(offered, (self._config.popularity_weight * np.log1p(counts)).astype(np.float32))

    def snapshot(self) -> State:
        """Return the play counts."""
        return self._counts.snapshot()

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._counts.restore(state)
