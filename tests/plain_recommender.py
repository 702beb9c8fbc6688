"""A recommender for tests that goes into actors by name; it imports little, so that an actor starts fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heritage_sim.base import Keys

NUM_CANDIDATES = 20


@dataclass(frozen=True)
class PlainState:
    affinity: float
    bias: np.ndarray
    keys: Keys

    def candidates(self, listener_ids, history, day):
        start = self.keys.stream("test", "start").integer(listener_ids, day, self.bias.size)
        return ((start[:, None] + np.arange(NUM_CANDIDATES)) % self.bias.size).astype(np.int32)


class PlainRecommender:
    """Its bias is the log of all plays so far; it also remembers every play it was ever told of."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.plays = np.zeros(0, dtype=np.int64)

    def statistics(self, usage):
        return {"plays": usage.plays_by_work(), "days": usage.plays_by_day.sum(axis=0)}

    def refresh(self, statistics, works, day):
        plays = np.zeros(works.num_works, dtype=np.int64)
        plays[: self.plays.size] = self.plays
        plays[: statistics["plays"].size] += statistics["plays"]
        self.plays = plays
        return PlainState(1.0, np.log1p(plays).astype(np.float32) * 0.1, self.keys)

    def snapshot(self):
        return {"plays": self.plays.copy()}

    def restore(self, state):
        self.plays = np.array(state["plays"])
