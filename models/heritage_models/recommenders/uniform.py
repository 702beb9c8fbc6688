"""Offer available works at random: the baseline that favours nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders.dealing import shuffled
from heritage_sim.base import HistoryVectors, Keys, State, Stream, Sums, Usage, WorkFeatures


@dataclass(frozen=True, slots=True, eq=False)
class UniformState:
    """What is broadcast; see `heritage_sim.base.RecommenderState`."""

    available: npt.NDArray[np.int32]
    num_candidates: int
    bias: npt.NDArray[np.float32]
    shuffle: Stream
    place: Stream
    affinity: float = 0.0

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return distinct available works for each listener, shape ``(num_listeners, num_candidates)``, -1 for none."""
        del history
        packs = shuffled(self.shuffle, self.available, np.zeros(self.available.size, dtype=np.int64), 1, day)
        pack = np.zeros(listener_ids.size, dtype=np.int64)
        return packs.deal(pack, self.place.uniform(listener_ids, day), self.num_candidates)


class UniformRecommender:
    """Offers keyed random works and scores them all alike; learns nothing.

    Parameters
    ----------
    config : RecommenderConfig
        ``num_candidates`` is used.
    keys : Keys
        Streams of the replication.
    """

    def __init__(self, config: RecommenderConfig, keys: Keys) -> None:
        self._config = config
        self._shuffle = keys.stream("recommender", "shuffle")
        self._place = keys.stream("recommender", "place")

    def statistics(self, usage: Usage) -> Sums:
        """Return nothing: usage does not matter."""
        del usage
        return {}

    def refresh(self, statistics: Sums, works: WorkFeatures, day: int) -> UniformState:
        """Return a state over the works available now."""
        del statistics, day
        return UniformState(
            available=np.flatnonzero(works.available).astype(np.int32),
            num_candidates=self._config.num_candidates,
            bias=np.zeros(works.num_works, dtype=np.float32),
            shuffle=self._shuffle,
            place=self._place,
        )

    def snapshot(self) -> State:
        """Return an empty state."""
        return {}

    def restore(self, state: State) -> None:
        """Take up an empty state."""
        del state
