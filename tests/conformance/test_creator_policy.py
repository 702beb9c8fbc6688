"""What every rule by which creators decide must do: decide for each alone, and only what can be done."""

from dataclasses import fields, replace

import numpy as np
import pytest

from heritage_agents.config import CreatorsConfig
from heritage_agents.creators.policy import LogitCreatorPolicy
from heritage_sim.base import (
    CommunityTerms,
    Consent,
    CreatorAction,
    CreatorDecisions,
    CreatorMinds,
    CreatorPolicy,
    CreatorViews,
    Keys,
)

NUM = 40
KEYS = Keys(3, 1)
LIVELY = CreatorsConfig(
    base_log_odds=0.0, entry_log_odds=-1.0, exit_log_odds=-1.0, crossing_log_odds=0.0, concealment_log_odds=0.0
)
POLICIES = {"logit": lambda keys, num: LogitCreatorPolicy(LIVELY, keys, num)}
COLUMNS = [field.name for field in fields(CreatorDecisions)]


def situation(num=NUM, day=5, seed=9):
    """Creators of three communities, one of which keeps outsiders out, in all sorts of circumstances."""
    u = Keys(seed, 0).stream("test", "situation").uniforms(np.arange(num), 0, 8).T
    terms = tuple(CommunityTerms(consent, 0.3, 3_000) for consent in (Consent.ALL, Consent.ALL, Consent.ALL ^ 16))
    views = CreatorViews(
        day=day,
        terms=terms,
        tradition=np.array([0, 1, 1], dtype=np.int32),
        community=np.arange(num, dtype=np.int32) % 3,
        income_units=np.zeros(num, dtype=np.int64),
        epoch_income_units=1e7 * u[0],
        community_income_units=1e7 * u[1],
        own_units=1e7 * u[2:4],
        community_units=1e7 * u[2:4],
        epochs_left=6.0,
        bearers_share=2.0 * u[4],
    )
    minds = CreatorMinds(
        active=u[5] < 0.7,
        skill=0.5 + u[6],
        cost_units=np.stack([4e7 * u[7], 2e7 * u[6]]),
        believed_units=3e7 * u[2:4],
        believed_income_units=1e7 * u[0],
    )
    return views, minds


def only(columns, rows, num):
    """Return views or minds of some creators: what has a column for each creator is cut, the rest stays."""
    cut = {f.name: getattr(columns, f.name) for f in fields(columns)}
    of_creators = {n: v for n, v in cut.items() if isinstance(v, np.ndarray) and v.shape[-1] == num}
    return replace(columns, **{name: values[..., rows] for name, values in of_creators.items()})


@pytest.fixture(params=POLICIES)
def make(request):
    return POLICIES[request.param]


def test_it_is_a_policy_and_answers_with_one_row_for_each(make):
    policy = make(KEYS, NUM)
    assert isinstance(policy, CreatorPolicy)
    decided = policy.decide(*situation())
    assert {name: getattr(decided, name).shape for name in COLUMNS} == dict.fromkeys(COLUMNS, (NUM,))
    assert decided.action.dtype == np.int8
    assert {getattr(decided, name).dtype for name in COLUMNS[1:]} == {np.dtype(bool)}


def test_who_is_not_active_rests_and_only_commissions_cross_or_conceal(make):
    policy = make(KEYS, NUM)
    for day in range(20):
        decided = policy.decide(*situation(day=day))
        assert (decided.action[~decided.active] == CreatorAction.REST).all()
        commissions = decided.action == CreatorAction.COMMISSION
        assert not (decided.crosses & ~commissions).any()
        assert not (decided.conceals & ~commissions).any()


def test_a_creators_row_follows_from_that_row_alone(make):
    """The first creators of many decide as they would if there were no others, and whatever the others' lives are."""
    views, minds = situation()
    rows = np.arange(7)
    expected = make(KEYS, NUM).decide(views, minds)
    few = make(KEYS, rows.size).decide(only(views, rows, NUM), only(minds, rows, NUM))
    others, their_minds = situation(seed=10)
    mixed = {}
    for name, mine, theirs in (("views", views, others), ("minds", minds, their_minds)):
        columns = {}
        for f in fields(mine):
            own, other = getattr(mine, f.name), getattr(theirs, f.name)
            if isinstance(own, np.ndarray) and own.shape[-1] == NUM:
                columns[f.name] = np.where(np.arange(NUM) < rows.size, own, other)
        mixed[name] = replace(mine, **columns)
    beside = make(KEYS, NUM).decide(mixed["views"], mixed["minds"])
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(few, name), getattr(expected, name)[rows], err_msg=name)
        np.testing.assert_array_equal(getattr(beside, name)[rows], getattr(expected, name)[rows], err_msg=name)


def test_a_day_is_decided_as_if_no_other_had_been(make):
    used, fresh = make(KEYS, NUM), make(KEYS, NUM)
    for day in (3, 50, 4):
        used.decide(*situation(day=day))
    for name in COLUMNS:
        again, first = (getattr(p.decide(*situation(day=9)), name) for p in (used, fresh))
        np.testing.assert_array_equal(again, first, err_msg=name)


def test_it_changes_nothing_of_what_it_is_given(make):
    given, untouched = situation(), situation()
    make(KEYS, NUM).decide(*given)
    for mine, before in zip(given, untouched, strict=True):
        for f in fields(mine):
            np.testing.assert_array_equal(getattr(mine, f.name), getattr(before, f.name), err_msg=f.name)


def test_another_replication_decides_otherwise(make):
    one, other = (make(Keys(3, r), NUM).decide(*situation()).action for r in (1, 2))
    assert (one != other).any()
