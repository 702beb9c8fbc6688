"""Kinds of recommenders: what sets each apart, checked by counting."""

from __future__ import annotations

import numpy as np
import pytest

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_models.recommenders.content import k_means, largest, on_grid
from heritage_models.recommenders.dealing import by_work, fill, shuffled
from heritage_models.recommenders.play_counts import PlayCounts
from heritage_sim.base import HistoryVectors, Keys, WorkFeatures

KEYS = Keys(5, 0)
NUM_WORKS, NUM_GROUPS, DIM = 600, 6, 6


@pytest.fixture
def grouped() -> WorkFeatures:
    """Return works in six groups, each around an axis of its own."""
    noise = KEYS.stream("test", "noise").normals(np.arange(NUM_WORKS), 0, DIM)
    vectors = np.eye(DIM)[np.arange(NUM_WORKS) % NUM_GROUPS] + 0.05 * noise
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    zero, one = np.zeros(NUM_WORKS, dtype=np.int32), np.ones(NUM_WORKS, dtype=np.float32)
    return WorkFeatures(unit, zero, zero, zero, one, one, np.ones(NUM_WORKS, dtype=np.bool_))


def test_content_offers_mostly_works_like_the_history_and_some_of_all_others(grouped: WorkFeatures) -> None:
    config = RecommenderConfig(num_clusters=6, num_nearest=1)
    state = make_recommender(config, KEYS).refresh({}, grouped, 0)
    history = HistoryVectors(np.eye(DIM, dtype=np.float32)[np.arange(300) % NUM_GROUPS])
    seen = np.zeros(NUM_WORKS, dtype=np.int64)
    for day in range(20):
        offered = state.candidates(np.arange(300), history, day)
        alike = offered % NUM_GROUPS == (np.arange(300) % NUM_GROUPS)[:, None]
        assert (alike.sum(axis=1) >= 24).all()
        assert alike.mean() < 0.85
        np.add.at(seen, offered, 1)
    assert (seen > 0).all()


def test_without_history_candidates_come_from_keyed_clusters_so_that_no_group_is_favoured(
    grouped: WorkFeatures,
) -> None:
    config = RecommenderConfig(num_clusters=6, num_nearest=1, popular_share=0.0)
    state = make_recommender(config, KEYS).refresh({}, grouped, 0)
    cold = HistoryVectors(np.zeros((3000, DIM), dtype=np.float32))
    groups = np.bincount(state.candidates(np.arange(3000), cold, 0).ravel() % NUM_GROUPS, minlength=NUM_GROUPS)
    np.testing.assert_allclose(groups / groups.sum(), 1 / NUM_GROUPS, atol=0.02)


def test_the_most_played_works_are_offered_to_everybody(grouped: WorkFeatures) -> None:
    plays = np.zeros(NUM_WORKS, dtype=np.int64)
    plays[[3, 77, 500]] = [5, 9, 7]
    history = HistoryVectors(np.eye(DIM, dtype=np.float32)[np.zeros(50, dtype=np.int64)])
    for kind in ("content", "popularity"):
        state = make_recommender(RecommenderConfig(kind=kind), KEYS).refresh({"plays": plays}, grouped, 0)
        offered = state.candidates(np.arange(50), history, 0)
        assert all({3, 77, 500} <= set(row) for row in offered.tolist())
        np.testing.assert_allclose(state.bias[[0, 3, 77]], 0.2 * np.log1p([0, 5, 9]), rtol=1e-6)


def test_the_most_played_come_first_and_a_withdrawn_work_is_not_offered(grouped: WorkFeatures) -> None:
    plays = np.arange(NUM_WORKS)
    grouped.available[599] = False
    state = make_recommender(RecommenderConfig(kind="popularity"), KEYS).refresh({"plays": plays}, grouped, 0)
    (offered,) = state.candidates(np.array([1]), HistoryVectors(np.zeros((1, DIM), dtype=np.float32)), 0)
    assert offered.tolist() == list(range(598, 558, -1))


def test_a_new_work_can_be_offered_after_the_next_refresh_without_a_play(grouped: WorkFeatures) -> None:
    recommender = make_recommender(RecommenderConfig(), KEYS)
    names = ("vectors", "tradition", "community", "day", "consistency", "duration_s", "available")
    old = WorkFeatures(*(getattr(grouped, name)[:590] for name in names))
    history = HistoryVectors(np.eye(DIM, dtype=np.float32)[np.arange(600) % NUM_GROUPS])
    before = recommender.refresh({}, old, 0)
    after = recommender.refresh({"plays": np.zeros(590, dtype=np.int64)}, grouped, 1)
    assert before.candidates(np.arange(600), history, 1).max() < 590
    assert set(range(590, 600)) <= set(after.candidates(np.arange(600), history, 1).ravel().tolist())


def test_random_offers_every_available_work_alike(grouped: WorkFeatures) -> None:
    grouped.available[:100] = False
    state = make_recommender(RecommenderConfig(kind="random"), KEYS).refresh({}, grouped, 0)
    history = HistoryVectors(np.zeros((500, DIM), dtype=np.float32))
    seen = np.zeros(NUM_WORKS)
    num_days = 200
    for day in range(num_days):
        np.add.at(seen, state.candidates(np.arange(500), history, day), 1)
    assert seen[:100].sum() == 0
    expected = num_days * 500 * 40 / 500
    # listeners on a day share one circular order, so a work's count varies like windows on a circle, not like dice
    np.testing.assert_allclose(seen[100:], expected, rtol=0.15)


def test_plays_are_halved_every_half_life() -> None:
    counts = PlayCounts(half_life_days=7.0)
    counts.learn({"plays": np.array([8, 0])}, 2, 0)
    np.testing.assert_allclose(counts.learn({"plays": np.array([0, 1])}, 3, 7), [4.0, 1.0, 0.0])
    np.testing.assert_allclose(counts.learn({}, 3, 21), [1.0, 0.25, 0.0])


def test_k_means_finds_separate_groups_and_keeps_an_empty_cluster_where_it_was(grouped: WorkFeatures) -> None:
    vectors = on_grid(grouped.vectors)
    start = np.vstack([vectors[:NUM_GROUPS], np.full((1, DIM), -4096.0)])
    centres, nearest = k_means(vectors, start, 10)
    np.testing.assert_array_equal(nearest, np.arange(NUM_WORKS) % NUM_GROUPS)
    np.testing.assert_array_equal(centres[-1], start[-1])
    means = np.stack([vectors[nearest == g].mean(axis=0) for g in range(NUM_GROUPS)])
    np.testing.assert_allclose(centres[:-1], means, atol=0.5)


@pytest.mark.parametrize("num", [0, 1, 3, 4, 5, 7])
def test_the_largest_come_first_and_ties_go_to_the_lower_column(num: int) -> None:
    score = np.array([[2.0, 5, 5, -1, 2, 5, 2], [0, 0, 0, 0, 0, 0, 0], [-3, -2, -1, 0, 1, 2, 3]])
    by_hand = [sorted(range(7), key=lambda column: (-row[column], column))[:num] for row in score.tolist()]
    assert largest(score, num).tolist() == by_hand


def test_a_pack_is_dealt_in_a_circle_without_repeats() -> None:
    ids = np.array([2, 3, 5, 8, 13, 21], dtype=np.int32)
    packs = shuffled(KEYS.stream("test", "s"), ids, np.array([0, 1, 0, 1, 0, 1]), 3, 4)
    assert packs.size.tolist() == [3, 3, 0]
    dealt = packs.deal(np.array([0, 1, 0, 2]), np.array([0.0, 0.99, 0.5, 0.3]), 4)
    assert [set(row) for row in dealt.tolist()] == [{2, 5, 13, -1}, {3, 8, 21, -1}, {2, 5, 13, -1}, {-1}]
    assert dealt[0, 0] != dealt[2, 0]


def test_gaps_are_filled_from_the_reserve_in_its_order() -> None:
    offered = np.array([[1, -1, 2, -1], [3, 4, 5, 6], [-1, -1, -1, -1]], dtype=np.int32)
    reserve = np.array([[7, 8], [9, 10], [11, -1]], dtype=np.int32)
    assert fill(offered, reserve).tolist() == [[1, 7, 2, 8], [3, 4, 5, 6], [11, -1, -1, -1]]
    assert fill(offered, reserve[:, :0]).tolist() == offered.tolist()


def test_a_works_number_does_not_depend_on_how_many_works_there_are() -> None:
    stream = KEYS.stream("test", "n")
    np.testing.assert_array_equal(by_work(stream, 100, 3)[:37], by_work(stream, 37, 3))
    assert by_work(stream, 0, 3).size == 0
