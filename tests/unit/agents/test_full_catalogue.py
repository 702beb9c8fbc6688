"""Full-catalogue mode against a stable sort of exactly computed scores."""

from __future__ import annotations

import numpy as np
import pytest

from heritage_agents.kernel.catalogue import top_works
from heritage_sim.base import Keys

KEYS = Keys(root_seed=5, replication=0)


def tables(n, m, f, coarse):
    """Return queries, factors and bias in whole multiples of 1/8, so that float32 sums are exact and ties are many."""

    def drawn(name, rows, width):
        return np.rint(KEYS.stream("test", name).normals(np.arange(rows), 0, width) * coarse).astype(np.float32) / 8

    return drawn("queries", n, f), drawn("factors", m, f), drawn("bias", m, 1)[:, 0]


def by_sorting(queries, factors, bias, available, k):
    scores = queries.astype(np.float64) @ factors.astype(np.float64).T + bias
    expected = np.full((queries.shape[0], k), -1, dtype=np.int32)
    works = np.flatnonzero(available)
    for row, score in enumerate(scores):
        order = works[np.argsort(-score[works], kind="stable")][:k]
        expected[row, : order.size] = order
    return expected


@pytest.mark.parametrize(("n", "m", "f"), [(1, 1, 1), (3, 63, 5), (4, 64, 32), (9, 1_500, 32), (17, 3_001, 7)])
@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize("coarse", [1, 40])
def test_the_best_of_all_works_come_in_order_and_ties_go_to_the_lower_id(n, m, f, k, coarse):
    queries, factors, bias = tables(n, m, f, coarse)
    available = KEYS.stream("test", "available").uniform(np.arange(m), 0) < 0.8
    np.testing.assert_array_equal(
        top_works(queries, factors, bias, available, k), by_sorting(queries, factors, bias, available, k)
    )


def test_works_that_rise_steadily_still_leave_the_best():
    """Every work passes the bound: the buffer is emptied as often as can be."""
    m = 5_000
    bias = np.arange(m, dtype=np.float32)
    got = top_works(np.zeros((2, 4), np.float32), np.zeros((m, 4), np.float32), bias, np.ones(m, bool), 7)
    assert got.tolist() == [list(range(m - 1, m - 8, -1))] * 2


def test_a_listener_gets_the_same_whoever_else_is_asked_for():
    rng = KEYS.stream("test", "real")
    queries = rng.normals(np.arange(23), 0, 32).astype(np.float32)
    factors = rng.normals(np.arange(2_000), 1, 32).astype(np.float32)
    bias, available = np.zeros(2_000, np.float32), np.ones(2_000, bool)
    whole = top_works(queries, factors, bias, available, 20)
    for first, stop in ((0, 1), (5, 7), (22, 23), (3, 20)):
        np.testing.assert_array_equal(top_works(queries[first:stop], factors, bias, available, 20), whole[first:stop])


def test_nobody_and_nothing_are_no_trouble():
    none = np.zeros((0, 3), np.float32)
    assert top_works(none, np.ones((5, 3), np.float32), np.zeros(5, np.float32), np.ones(5, bool), 2).shape == (0, 2)
    one = np.ones((1, 3), np.float32)
    assert top_works(one, none, np.zeros(0, np.float32), np.zeros(0, bool), 2).tolist() == [[-1, -1]]
    gone = top_works(one, np.ones((5, 3), np.float32), np.zeros(5, np.float32), np.zeros(5, bool), 2)
    assert gone.tolist() == [[-1, -1]]


def test_tables_that_do_not_fit_or_hold_no_numbers_are_refused():
    """The kernel reads as far as one table says, in all of them."""
    one, works, bias, shown = np.ones((2, 3), np.float32), np.ones((70, 3), np.float32), np.zeros(70), np.ones(70, bool)
    bias = bias.astype(np.float32)
    for queries, factors, heights, available, k in (
        (one[:, :2], works, bias, shown, 5),
        (one, works[:, :2], bias, shown, 5),
        (one, works, bias[:69], shown, 5),
        (one, works, bias[:1], shown, 5),
        (one, works, bias, shown[:60], 5),
        (one, works, bias, shown, 0),
        (one * np.float32(np.nan), works, bias, shown, 5),
        (one, works * np.float32(np.inf), bias, shown, 5),
        (one, works, bias + np.float32(np.nan), shown, 5),
    ):
        with pytest.raises(ValueError, match=r"must|shape"):
            top_works(queries, factors, heights, available, k)


def test_without_factors_the_bias_alone_decides():
    bias = np.array([0.5, 2.0, -1.0, 2.0], np.float32)
    got = top_works(np.zeros((3, 0), np.float32), np.zeros((4, 0), np.float32), bias, np.ones(4, bool), 3)
    assert got.tolist() == [[1, 3, 0]] * 3
