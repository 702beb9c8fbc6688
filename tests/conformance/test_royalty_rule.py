"""What every royalty rule promises; each registered rule passes, with its defaults and at its parameters' ends."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heritage_sim.base import InputError, Keys, Rights, RoyaltyRule, Statement, Usage, sum_exactly
from heritage_sim.royalty import RULES, Rule, make_rule, settle_usage, sum_statistics

WRITTEN = [*RULES, "community_weighted(strength=0)", "community_weighted(strength=0.37)"]
NUM_WORKS, NUM_COMMUNITIES, NUM_PAYEES = 12, 3, 9


@pytest.fixture(params=WRITTEN)
def rule(request: pytest.FixtureRequest) -> Rule:
    return make_rule(request.param)


def make_usage(plays: list[list[int]], fees: list[int], first_id: int = 0, has_listeners: bool = True) -> Usage:
    """Usage from a dense matrix, listeners by works; zeros are left out."""
    dense = np.array(plays, dtype=np.int64).reshape(len(fees), -1)
    rows, works = np.nonzero(dense)
    return Usage(
        epoch=3,
        num_works=dense.shape[1],
        listener_ids=np.arange(first_id, first_id + len(fees)),
        fee_units=np.array(fees, dtype=np.int64),
        indptr=np.searchsorted(rows, np.arange(len(fees) + 1)).astype(np.int64),
        work_ids=works.astype(np.int32),
        plays=dense[rows, works],
        seconds=dense[rows, works] * 60,
        plays_by_day=dense.sum(axis=0)[None, :],
        has_listeners=has_listeners,
    )


def make_rights(num_works: int = NUM_WORKS) -> Rights:
    """Two payees a work: the community's fund with an odd share, and a creator; archive works go to the fund alone."""
    community = np.arange(num_works, dtype=np.int32) % NUM_COMMUNITIES
    payees: list[int] = []
    shares: list[int] = []
    indptr = [0]
    for w in range(num_works):
        if w % 4 == 0:
            payees.append(int(community[w]))
            shares.append(10_000)
        else:
            payees += [int(community[w]), NUM_COMMUNITIES + w % (NUM_PAYEES - NUM_COMMUNITIES)]
            shares += [3_333, 6_667]
        indptr.append(len(payees))
    return Rights(
        payee_names=tuple(f"payee {i}" for i in range(NUM_PAYEES)),
        payee_community=np.arange(NUM_PAYEES, dtype=np.int32) % NUM_COMMUNITIES,
        work_community=community,
        indptr=np.array(indptr),
        payee_ids=np.array(payees, dtype=np.int32),
        share_bps=np.array(shares, dtype=np.int64),
        consent=np.full(num_works, 15, dtype=np.int16),
    )


RIGHTS = make_rights()
LISTENERS = st.lists(
    st.tuples(
        st.lists(st.one_of(st.just(0), st.integers(0, 500)), min_size=NUM_WORKS, max_size=NUM_WORKS),
        st.integers(0, 10**10),
    ),
    min_size=1,
    max_size=12,
)
Listeners = list[tuple[list[int], int]]


def settled(rule: Rule, listeners: Listeners) -> Statement:
    return settle_usage(rule, [make_usage([p for p, _ in listeners], [f for _, f in listeners])], RIGHTS)


def drawn_listeners(num: int) -> Listeners:
    words = Keys(1, 0).stream("listener", "test").words(np.arange(num), 0, NUM_WORKS + 1).astype(np.int64)
    plays = np.where(words[:, :NUM_WORKS] % 3 == 0, words[:, :NUM_WORKS] % 50, 0)
    return [(plays[i].tolist(), int(words[i, -1] % 20_000_000)) for i in range(num)]


def test_it_is_a_royalty_rule(rule: Rule) -> None:
    assert isinstance(rule, RoyaltyRule)
    assert rule.name.startswith(rule.kind)
    assert make_rule(rule.name) == rule


def test_it_travels_to_a_shard(rule: Rule) -> None:
    assert pickle.loads(pickle.dumps(rule)) == rule


@given(listeners=LISTENERS)
@settings(max_examples=60)
@pytest.mark.parametrize("written", WRITTEN)
def test_the_statement_sums_to_the_pool(written: str, listeners: Listeners) -> None:
    statement = settled(make_rule(written), listeners)
    assert statement.pool_units == sum(fee for _, fee in listeners)
    assert sum_exactly(statement.work_units) == statement.pool_units
    assert sum_exactly(statement.payee_units) == statement.pool_units
    assert statement.work_units.min() >= 0
    assert statement.payee_units.min() >= 0


@given(listeners=LISTENERS, cuts=st.lists(st.integers(0, 12), max_size=3))
@settings(max_examples=40)
@pytest.mark.parametrize("written", WRITTEN)
def test_any_division_into_shards_gives_the_same_statement(written: str, listeners: Listeners, cuts: list[int]) -> None:
    rule = make_rule(written)
    edges = [0, *sorted(min(c, len(listeners)) for c in cuts), len(listeners)]
    shards = [
        make_usage([p for p, _ in listeners[a:b]] or [[0] * NUM_WORKS], [f for _, f in listeners[a:b]] or [0], a)
        for a, b in pairwise(edges)
    ]
    whole = settled(rule, listeners)
    pieces = settle_usage(rule, shards[::-1], RIGHTS)
    assert pieces.work_units.tolist() == whole.work_units.tolist()
    assert pieces.payee_units.tolist() == whole.payee_units.tolist()


def test_statistics_are_whole_numbers_that_settle_alone(rule: Rule) -> None:
    listeners = drawn_listeners(20)
    usage = make_usage([p for p, _ in listeners], [f for _, f in listeners])
    totals = None
    for _ in range(rule.num_rounds):
        totals = sum_statistics([rule.statistics(usage, RIGHTS, totals)])
    assert totals is not None
    assert all(v.dtype == np.int64 for v in totals.values())
    again = rule.settle(totals, RIGHTS, sum_exactly(usage.fee_units), usage.epoch)
    assert again.payee_units.tolist() == settled(rule, listeners).payee_units.tolist()
    assert again.epoch == usage.epoch


def test_a_work_nobody_played_earns_nothing(rule: Rule) -> None:
    listeners = [([*p[:5], 0, *p[6:]], f) for p, f in drawn_listeners(20)]
    assert settled(rule, listeners).work_units[5] == 0


def test_each_work_pays_its_payees_within_a_unit_of_their_shares(rule: Rule) -> None:
    statement = settled(rule, drawn_listeners(20))
    exact = np.zeros(NUM_PAYEES)
    for w in range(NUM_WORKS):
        for s in range(RIGHTS.indptr[w], RIGHTS.indptr[w + 1]):
            exact[RIGHTS.payee_ids[s]] += statement.work_units[w] * RIGHTS.share_bps[s] / 10_000
    assert np.abs(statement.payee_units - exact).max() <= NUM_WORKS


def test_an_epoch_without_plays_goes_equally_to_communities_and_works(rule: Rule) -> None:
    statement = settled(rule, [([0] * NUM_WORKS, 900), ([0] * NUM_WORKS, 303)])
    by_community = np.bincount(RIGHTS.work_community, weights=statement.work_units)
    assert by_community.tolist() == [401, 401, 401]
    assert statement.work_units.max() - statement.work_units.min() <= 1
    assert "no play counted" in statement.reasons[0]


def test_an_epoch_without_money_pays_nothing(rule: Rule) -> None:
    statement = settled(rule, [(p, 0) for p, _ in drawn_listeners(5)])
    assert not statement.payee_units.any()


def test_swapping_two_works_of_a_community_swaps_their_amounts(rule: Rule) -> None:
    def swapped(x: list[int]) -> list[int]:
        x = x.copy()
        x[1], x[4] = x[4], x[1]
        return x

    listeners = drawn_listeners(30)
    before = settled(rule, listeners).work_units.tolist()
    after = settled(rule, [(swapped(p), f) for p, f in listeners]).work_units.tolist()
    # Ties for the last unit go by work id, so a unit per listener may stay behind.
    assert np.abs(np.array(swapped(before)) - after).max() <= len(listeners)


def test_it_says_in_words_what_it_did(rule: Rule) -> None:
    statement = settled(rule, drawn_listeners(5))
    assert statement.rule == rule.name
    assert len(statement.reasons) >= 2
    assert all(reason.strip() for reason in statement.reasons)


def test_totals_are_refused_by_name_where_listeners_are_needed(rule: Rule) -> None:
    usage = make_usage([[5] * NUM_WORKS], [1000], has_listeners=False)

    def settle() -> Statement:
        return settle_usage(rule, [usage], RIGHTS)

    if not rule.needs_listeners:
        assert sum_exactly(settle().payee_units) == 1000
        return
    with pytest.raises(InputError) as refusal:
        settle()
    assert rule.kind in refusal.value.what
    assert "'listener'" in refusal.value.where


@pytest.mark.parametrize("change", [lambda r: make_rights(NUM_WORKS + 1), lambda r: make_rights(NUM_WORKS - 1)])
def test_rights_of_another_catalogue_are_refused(rule: Rule, change: Callable[[Rights], Rights]) -> None:
    usage = make_usage([[5] * NUM_WORKS], [1000])
    with pytest.raises((ValueError, IndexError)):
        settle_usage(rule, [usage], change(RIGHTS))
