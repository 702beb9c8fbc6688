"""Listening alone, for results with known answers: works, offers and listeners with everything switched off but choice.

Shards are made by `make_shard` and live days through the kernel that `heritage run` uses. A day is one session of one
slate for each listener, and every play counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heritage_agents.config import CommunityConfig, ListenersConfig
from heritage_agents.listeners.cohort import Cohort, make_shard
from heritage_sim.base import Keys, WorkFeatures, World

CHOICE_ALONE = {
    "sessions_per_day": 1e6,
    "max_sessions_per_day": 1,
    "activity_sd": 0.0,
    "release_pull": 0.0,
    "max_slates": 1,
    "consistency_taste_sd": 0.0,
    "popularity_weight": 0.0,
    "fatigue": 0.0,
    "skip_rate_per_minute": 1e-9,
    "counted_play_s": 0.0,
    "drift": 0.0,
    "churn_base": -60.0,
    "churn_satisfaction": 0.0,
}
COMMUNITY = (CommunityConfig(name="Tirtanala", tradition="reed"),)


def listeners_config(**changes) -> ListenersConfig:
    """Return listeners who come once a day, see one slate and only choose; `changes` replace single fields."""
    return ListenersConfig(**(CHOICE_ALONE | changes))


def works_of(vectors: np.ndarray, consistency: np.ndarray | None = None, published: int = 0) -> WorkFeatures:
    """Return works of one community, all available, a minute long."""
    n = len(vectors)
    zero, one = np.zeros(n, np.int32), np.ones(n, np.float32)
    return WorkFeatures(
        vectors=np.asarray(vectors, np.float32),
        tradition=zero,
        community=zero,
        day=np.full(n, published, np.int32),
        consistency=one if consistency is None else np.asarray(consistency, np.float32),
        duration_s=60 * one,
        available=np.ones(n, bool),
    )


def directions(keys: Keys, num: int, dim: int) -> np.ndarray:
    """Return keyed vectors of unit length, shape ``(num, dim)``."""
    raw = keys.stream("test", "directions").normals(np.arange(num), 0, dim)
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def shard(config: ListenersConfig, keys: Keys, works: WorkFeatures, first: int = 0, stop: int | None = None) -> Cohort:
    """Return some listeners, all of them by default."""
    return make_shard(config, keys, first, config.num_listeners if stop is None else stop, works, COMMUNITY)


@dataclass(frozen=True)
class Offers:
    """A recommender's state: everybody is offered the same works, in the order given where scores are equal."""

    works: np.ndarray
    bias: np.ndarray
    affinity: float = 0.0

    def candidates(self, listener_ids, history, day):
        return np.tile(np.asarray(self.works, np.int32), (len(listener_ids), 1))


def offers(works, num_works: int) -> Offers:
    """Return a state that offers some of all works and scores them alike."""
    return Offers(np.asarray(works), np.zeros(num_works, np.float32))


def lived(cohort: Cohort, works: WorkFeatures, state, visible: np.ndarray, day: int = 0) -> np.ndarray:
    """Let a shard live a day and return plays by work."""
    return cohort.run_day(World(day, works, state, np.asarray(visible, np.int64))).plays_by_work
