"""iALS: factors against the normal equations, fold-in against the closed form, and what it offers to whom."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_models.recommenders.fold_in import fold_in
from heritage_models.recommenders.ials import fitted, through_gram
from heritage_models.recommenders.sampled_plays import SampledPlays
from heritage_sim.base import Keys, MissingPartError, Usage, WorkFeatures

KEYS = Keys(21, 0)


def works(num: int) -> WorkFeatures:
    zero, one = np.zeros(num, np.int32), np.ones(num, np.float32)
    return WorkFeatures(np.eye(num, 4, dtype=np.float32), zero, zero, zero, one, one, np.ones(num, np.bool_))


def usage_of(plays: np.ndarray, first: int = 0) -> Usage:
    """Return the usage of listeners ``first ...`` from a table of plays, one row each."""
    rows, work_ids = np.nonzero(plays)
    counts = plays[rows, work_ids].astype(np.int64)
    return Usage(
        epoch=0,
        num_works=plays.shape[1],
        listener_ids=np.arange(first, first + plays.shape[0]),
        fee_units=np.zeros(plays.shape[0], np.int64),
        indptr=np.searchsorted(rows, np.arange(plays.shape[0] + 1)).astype(np.int64),
        work_ids=work_ids.astype(np.int32),
        plays=counts,
        seconds=counts,
        plays_by_day=plays.sum(axis=0, dtype=np.int64)[None],
    )


def two_circles(num_listeners: int = 80, num_works: int = 40) -> np.ndarray:
    """Return plays of listeners of whom each hears one half of the works only, a third of it, some works more often."""
    u = KEYS.stream("test", "plays").uniforms(np.arange(num_listeners), 0, num_works)
    mine = np.arange(num_listeners)[:, None] % 2 == np.arange(num_works) % 2
    return np.where(mine & (u < 0.33), 1 + (u < 0.1), 0)


def ials(**fields):
    config = RecommenderConfig(kind="ials", **({"ials_factors": 8, "num_candidates": 10} | fields))
    return make_recommender(config, KEYS)


def taught(plays: np.ndarray, **fields):
    recommender = ials(**fields)
    recommender.refresh(recommender.statistics(usage_of(np.zeros_like(plays))), works(plays.shape[1]), 0)
    return recommender, recommender.refresh(recommender.statistics(usage_of(plays)), works(plays.shape[1]), 0)


def test_factors_solve_the_normal_equations_from_the_given_start_and_draw_nothing() -> None:
    """One round by hand (Hu, Koren and Volinsky 2008, equations 4 and 5): the library's own start plays no part."""
    plays = two_circles(12, 9)
    config = RecommenderConfig(kind="ials", ials_rounds=1, ials_regularization=0.7, ials_confidence=3.0)
    start = (0.1 * KEYS.stream("test", "start").normals(np.arange(9), 0, 5)).astype(np.float32)
    untouched = start.copy()
    listeners, items = fitted(csr_matrix(plays.astype(float)), start, config)

    def least_squares(table: np.ndarray, y: np.ndarray) -> np.ndarray:
        x = []
        for row in table:
            c = np.where(row > 0, 1.0 + 3.0 * row, 1.0)
            x.append(np.linalg.solve((y.T * c) @ y + 0.7 * np.eye(y.shape[1]), (y.T * c) @ (row > 0)))
        return np.array(x)

    x = least_squares(plays, start.astype(float))
    np.testing.assert_allclose(listeners, x, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(items, least_squares(plays.T, x), rtol=2e-3, atol=1e-4)
    np.testing.assert_array_equal(start, untouched)
    again = fitted(csr_matrix(plays.astype(float)), start, config)
    np.testing.assert_array_equal(again[1], items)
    other = fitted(csr_matrix(plays.astype(float)), start[::-1].copy(), config)
    assert np.abs(other[1] - items).max() > 1e-3


def test_fold_in_is_the_closed_form() -> None:
    y = KEYS.stream("test", "y").normals(np.arange(30), 0, 6)
    y[7] = 0.0
    solved = through_gram(y.astype(np.float32), 0.5)
    y = y.astype(np.float32).astype(float)
    recent = np.array([[3, 9, 3, 3, -1, 12], [5, -1, -1, -1, -1, -1], [7, 7, 0, 29, 28, 27]], np.int32)
    got = fold_in(y, solved, 2.0, recent, np.zeros(6))
    for row, x in zip(recent, got, strict=True):
        plays = np.bincount(row[row >= 0], minlength=30)
        c = 1.0 + 2.0 * plays
        closed = np.linalg.solve((y.T * c) @ y + 0.5 * np.eye(6), (y.T * c) @ (plays > 0))
        np.testing.assert_allclose(x, closed, rtol=1e-6, atol=1e-9)


def test_fold_in_agrees_with_the_library() -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    _, state = taught(two_circles(), affinity=1.0)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=8, regularization=5.0, num_threads=1)
    model.item_factors = state.factors[:, :8].copy()
    recent = np.array([[2, 4, 4, 8, -1], [1, 3, 5, 7, 9]], np.int32)
    plays = np.stack([np.bincount(row[row >= 0], minlength=40) for row in recent])
    confidences = csr_matrix(np.where(plays > 0, 1.0 + 5.0 * plays, 0.0).astype(np.float32))
    expected = model.recalculate_user(np.arange(2), confidences)
    got = state.queries(np.arange(2), recent, 0)[:, :8]
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-4)


def test_unknown_and_unlearnt_works_in_the_history_change_nothing() -> None:
    plays = two_circles()
    plays[:, 38:] = 0
    _, state = taught(plays)
    ids = np.arange(4)
    recent = np.array([[-1, -1, -1], [38, 39, -1], [99, -1, 40], [-1, -1, -1]], np.int32)
    learnt = state.queries(ids, recent, 0)[:, :8]
    np.testing.assert_array_equal(learnt, np.tile(learnt[:1], (4, 1)))  # the popular direction, all of them
    known = np.array([[2, -1, -1], [38, 2, 2]], np.int32)
    a, b = state.queries(ids[:2], known, 0)[:, :8]
    assert np.abs(a - b).max() > 0  # two plays of work 2 say more than one
    assert np.abs(a - learnt[0]).max() > 0.01


def test_listeners_are_offered_their_circles_works_and_newcomers_the_popular_ones() -> None:
    plays = two_circles()
    plays[:, 6] = 3
    _, state = taught(plays, popularity_weight=0.0, ials_exploration=0.0)
    heard = np.array([[0, 2, 4, -1], [1, 3, 5, -1], [-1, -1, -1, -1]], np.int32)
    score = state.queries(np.arange(3), heard, 0) @ state.factors.T + state.bias
    even, odd, newcomer = np.argsort(-score, axis=1)[:, :10]
    assert (even % 2 == 0).all()
    assert (odd[odd != 6] % 2 == 1).all()
    assert newcomer[0] == 6
    assert 0 < (newcomer % 2).sum() < 10


def test_works_without_plays_come_to_different_listeners_on_different_days() -> None:
    plays = np.zeros((80, 300), dtype=int)
    plays[:, :40] = two_circles()
    _, state = taught(plays, ials_exploration=0.5)
    _, settled = taught(plays, ials_exploration=0.0)
    recent = np.tile(np.array([0, 2, 4], np.int32), (200, 1))

    def offered(of, day: int) -> np.ndarray:
        return np.argsort(-(of.queries(np.arange(200), recent, day) @ of.factors.T + of.bias), axis=1)[:, :10]

    days = np.stack([offered(state, day) for day in range(8)])
    new = days[days >= 40]
    assert 0.02 < new.size / days.size < 0.5
    shown = np.bincount(new, minlength=300)[40:]
    assert (shown > 0).mean() > 0.9 * (1 - np.exp(-new.size / 260))  # spread as if thrown at random
    assert shown.max() < 5 * shown.mean()
    assert (np.sort(days[0], axis=1) != np.sort(days[1], axis=1)).any(axis=1).mean() > 0.8
    assert (offered(settled, 0) < 40).all()


def test_each_shard_fills_in_its_own_listeners_and_the_sum_is_the_whole() -> None:
    plays = two_circles(60, 20)
    whole, parts = (SampledPlays(25, 14.0, KEYS.stream("recommender", "sample")) for _ in range(2))
    blank = np.zeros_like(plays)
    ranges = [slice(0, 7), slice(7, 31), slice(31, 60)]

    def summed(sampled: SampledPlays, table: np.ndarray, pieces: list[slice]):
        sums = [sampled.statistics(usage_of(table[piece], piece.start)) for piece in pieces]
        return {name: np.sum([s[name] for s in sums], axis=0) for name in sums[0]}

    for sampled, pieces in ((whole, [slice(0, 60)]), (parts, ranges)):
        sampled.learn(summed(sampled, blank, pieces), 20, 0)
    one, many = summed(whole, plays, [slice(0, 60)]), summed(parts, plays, ranges)
    assert one["sample_plays"].shape == (25, 20)
    assert one["listeners"] == many["listeners"] == 60
    np.testing.assert_array_equal(one["sample_plays"], many["sample_plays"])
    sample = whole.snapshot()["sample"]
    assert np.unique(sample).size == 25
    np.testing.assert_array_equal(one["sample_plays"], plays[sample])


def test_sampled_plays_fade_as_counts_do_and_grow_with_the_catalogue() -> None:
    sampled = SampledPlays(2, 7.0, KEYS.stream("recommender", "sample"))
    sampled.learn({"listeners": np.array([2]), "sample_plays": np.zeros((0, 3), np.int64)}, 3, 0)
    sampled.learn({"sample_plays": np.array([[4, 0, 0], [0, 8, 0]])}, 3, 1)
    faded = sampled.learn({"sample_plays": np.array([[0, 0, 1], [0, 1, 0]])}, 5, 8).toarray()
    np.testing.assert_allclose(faded, [[2, 0, 1, 0, 0], [0, 5, 0, 0, 0]])
    assert sampled.learn({}, 5, 300).nnz == 0


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match="implicit") as caught:
        ials()
    assert "pip install" in caught.value.remedy
