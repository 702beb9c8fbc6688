"""The ranking of the whole catalogue against the score written out, for both kinds of recommender."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from small_world import world_of

from heritage_agents.listeners.ranking import ranked_works
from heritage_sim.base import HistoryVectors, Keys

STREAM = Keys(5, 0).stream("test", "ranking")
IDS = np.arange(40, 52)


@dataclass
class Factors:
    """A recommender that ranks by factors of its own; its query is the factor of the work played last."""

    factors: np.ndarray
    bias: np.ndarray
    num_candidates: int = 5

    def queries(self, listener_ids, recent, day):
        return np.where(recent[:, :1] >= 0, self.factors[recent[:, 0]], 0).astype(np.float32)


def written_out(scores: np.ndarray, available: np.ndarray, k: int) -> list[list[int]]:
    works = np.flatnonzero(available)
    found = [works[np.lexsort((works, -row[works]))][:k].tolist() for row in scores]
    return [row + [-1] * (k - len(row)) for row in found]


def test_rankings_are_by_the_score_that_fills_slates() -> None:
    world = world_of(3)
    n = world.works.num_works
    available = np.arange(n) % 5 != 0
    bias = STREAM.normals(0, 0, n)[0].astype(np.float32)
    world = replace(
        world,
        works=replace(world.works, available=available),
        recommender_state=replace(world.recommender_state, affinity=2.0, bias=bias),
    )
    history = STREAM.normals(IDS, 1, world.works.vectors.shape[1]).astype(np.float32)
    made = ranked_works(world, IDS, HistoryVectors(history), np.full((IDS.size, 1), -1, dtype=np.int32), 10)
    scores = 2.0 * history.astype(float) @ world.works.vectors.T.astype(float) + bias
    assert made.tolist() == written_out(scores, available, 10)
    alone = ranked_works(world, IDS[3:4], HistoryVectors(history[3:4]), np.full((1, 1), -1, dtype=np.int32), 10)
    assert alone.tolist() == made[3:4].tolist()


def test_factors_rank_by_query_and_works_they_do_not_know_are_left_out() -> None:
    world = world_of(3)
    n = world.works.num_works - 4
    state = Factors(
        STREAM.normals(np.arange(n), 2, 6).astype(np.float32), STREAM.normals(0, 3, n)[0].astype(np.float32)
    )
    recent = STREAM.integer(IDS, 4, n).astype(np.int32)[:, None]
    recent[0] = -1
    world = replace(world, recommender_state=state)
    history = HistoryVectors(np.zeros((IDS.size, world.works.vectors.shape[1]), dtype=np.float32))
    made = ranked_works(world, IDS, history, recent, 100)
    scores = state.queries(IDS, recent, 3).astype(float) @ state.factors.T.astype(float) + state.bias
    assert made.tolist() == written_out(scores, np.ones(n, dtype=bool), 100)
    assert (made[:, n:] == -1).all()


def test_nobody_is_ranked_for_where_nobody_is_sampled() -> None:
    world = world_of(0)
    nobody = HistoryVectors(np.zeros((0, world.works.vectors.shape[1]), dtype=np.float32))
    assert ranked_works(world, IDS[:0], nobody, np.zeros((0, 1), dtype=np.int32), 7).shape == (0, 7)
