"""Largest remainder against exact fractions, its defining inequalities, and a brute force over all allocations."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heritage_sim.base import largest_remainder, sum_exactly
from heritage_sim.royalty import largest_remainder_rows

WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=30).filter(any)


def in_fractions(pool: int, weights: list[int]) -> list[int]:
    """Hamilton's method with exact fractions: the textbook, not the code under test."""
    total = sum(weights)
    quotas = [Fraction(pool * w, total) for w in weights]
    seats = [q.numerator // q.denominator for q in quotas]
    order = sorted(range(len(weights)), key=lambda i: (-(quotas[i] - seats[i]), i))
    for i in order[: pool - sum(seats)]:
        seats[i] += 1
    return seats


@given(pool=st.integers(0, 10**15), weights=WEIGHTS)
def test_shares_are_hamiltons(pool: int, weights: list[int]) -> None:
    assert largest_remainder(pool, weights).tolist() == in_fractions(pool, weights)


@given(pool=st.integers(0, 2**61), weights=st.lists(st.integers(0, 2**61), min_size=1, max_size=8).filter(any))
def test_amounts_beyond_64_bit_products_are_exact(pool: int, weights: list[int]) -> None:
    assert largest_remainder(pool, weights).tolist() == in_fractions(pool, weights)


@pytest.mark.parametrize("weights", [(1, 1, 1), (5, 3, 1), (0, 2, 7), (1, 4, 4)])
@pytest.mark.parametrize("pool", range(8))
def test_no_allocation_lies_nearer_to_the_quotas(pool: int, weights: tuple[int, ...]) -> None:
    quotas = [Fraction(pool * w, sum(weights)) for w in weights]

    def distance(parts: tuple[int, ...]) -> Fraction:
        return sum((abs(p - q) for p, q in zip(parts, quotas, strict=True)), Fraction(0))

    nearest = min(distance(p) for p in product(range(pool + 1), repeat=len(weights)) if sum(p) == pool)
    assert distance(tuple(largest_remainder(pool, list(weights)).tolist())) == nearest


def test_ties_go_to_the_lower_index() -> None:
    assert largest_remainder(2, [1, 1, 1]).tolist() == [1, 1, 0]


@pytest.mark.parametrize(("pool", "weights"), [(-1, [1]), (1, [-1, 2]), (1, [0, 0]), (1, [0.5, 0.5]), (1, [])], ids=str)
def test_impossible_apportionments_are_refused(pool: int, weights: list[float]) -> None:
    with pytest.raises(ValueError):
        largest_remainder(pool, weights)


def test_nothing_is_shared_among_nobody() -> None:
    assert largest_remainder(0, [0, 0]).tolist() == [0, 0]


def test_sums_beyond_64_bits_are_exact() -> None:
    assert sum_exactly(np.array([2**62, 2**62, 2**62], dtype=np.int64)) == 3 * 2**62
    assert sum_exactly(np.array([], dtype=np.int64)) == 0


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 10**12), st.lists(st.integers(0, 10**5), min_size=1, max_size=9).filter(any)),
        max_size=12,
    )
)
def test_rows_at_once_equal_rows_one_by_one(rows: list[tuple[int, list[int]]]) -> None:
    weights = [w for _, row in rows for w in row]
    indptr = np.concatenate([[0], np.cumsum([len(row) for _, row in rows])]).astype(np.int64)
    shares = largest_remainder_rows([pool for pool, _ in rows], weights, indptr)
    expected = [share for pool, row in rows for share in in_fractions(pool, row)]
    assert shares.tolist() == expected


def test_rows_with_large_amounts_take_the_exact_way() -> None:
    pool = 2**61 - 1
    assert largest_remainder_rows([pool, 5], [3, 4, 2**40, 1], [0, 2, 4]).tolist() == [
        *in_fractions(pool, [3, 4]),
        *in_fractions(5, [2**40, 1]),
    ]


def test_empty_rows_without_money_are_skipped() -> None:
    assert largest_remainder_rows([0, 7, 0], [1, 1], [0, 0, 2, 2]).tolist() == [4, 3]


@pytest.mark.parametrize("pools", [[1, 1], [-1, 1]])
def test_a_row_that_cannot_be_shared_is_refused(pools: list[int]) -> None:
    with pytest.raises(ValueError):
        largest_remainder_rows(pools, [0, 1], [0, 1, 2])
