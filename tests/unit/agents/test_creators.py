"""Creators follow the logits of their stated rule, learn by practice and from their own statements, come and go."""

import math
from collections import Counter
from dataclasses import replace

import mesa
import numpy as np
import pytest
from scipy import stats

from heritage_agents.config import CommunityConfig, CreatorsConfig
from heritage_agents.creators.policy import LogitCreatorPolicy
from heritage_agents.people import make_people
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

KEYS = Keys(11, 0)
USUAL = Consent.TRAIN | Consent.DERIVE | Consent.PERFORM | Consent.SELL
TERMS = CommunityTerms(consent=USUAL, strictness=0.3, share_bps=3_000)
EVEN = {"cost_spread": 0.0, "skill_spread": 0.0}
STEADY = {"entry_log_odds": None, "exit_log_odds": None}


def views(num=60, day=0, **changes):
    """Creators of three communities in turn, the third of the second one's tradition."""
    given = {
        "day": day,
        "terms": (TERMS, TERMS, TERMS),
        "tradition": np.array([0, 1, 1], dtype=np.int32),
        "community": np.arange(num, dtype=np.int32) % 3,
        "income_units": np.zeros(num, dtype=np.int64),
        "epoch_income_units": np.full(num, np.nan),
        "community_income_units": np.full(num, np.nan),
        "own_units": np.full((2, num), np.nan),
        "community_units": np.full((2, num), np.nan),
        "epochs_left": 5.0,
        "bearers_share": np.ones(num),
    }
    return CreatorViews(**given | changes)


def minds(num=60, **changes):
    given = {
        "active": np.ones(num, dtype=bool),
        "skill": np.ones(num),
        "cost_units": np.repeat([[40e6], [15e6]], num, axis=1),
        "believed_units": np.repeat([[9e6], [4e6]], num, axis=1),
        "believed_income_units": np.full(num, 5e6),
    }
    return CreatorMinds(**given | changes)


def policy_of(num, **config):
    return LogitCreatorPolicy(CreatorsConfig(**EVEN | STEADY | config), KEYS, num)


def roster_of(num_per_community=20, policy=None, **config):
    class Model(mesa.Model):
        def __init__(self):
            super().__init__(rng=1)

    three = tuple(CommunityConfig(name=n, tradition=n) for n in ("Tirtanala", "Quilluma", "Baihe"))
    given = CreatorsConfig(num_per_community=num_per_community, **config)
    return make_people(Model(), given, three, KEYS, creator_policy=policy).roster


# ---- what is done ---------------------------------------------------------------------------------------------------


def test_choice_frequencies_are_the_logit_of_gains():
    policy = policy_of(2_000, base_log_odds=-0.5, horizon_epochs=4.0)
    seen = Counter(a for day in range(10) for a in policy.decide(views(2_000, day), minds(2_000)).action.tolist())
    record = -0.5 + (4.0 * 0.7 * 9e6 - 40e6) / 20e6
    commission = -0.5 + (4.0 * 0.7 * 4e6 - 15e6) / 20e6
    weights = np.exp([0.0, record, commission])
    observed = [seen[action] for action in CreatorAction]
    assert stats.chisquare(observed, 20_000 * weights / weights.sum()).pvalue > 1e-3


def test_what_pays_more_is_done_by_everyone_who_did_it_before():
    """Common random numbers: a better commission moves creators to commissions and nowhere else."""
    policy = policy_of(500, base_log_odds=-1.0)
    better = minds(500, believed_units=np.repeat([[9e6], [12e6]], 500, axis=1))
    before, after = (policy.decide(views(500), m).action.tolist() for m in (minds(500), better))
    moved = {(a, b) for a, b in zip(before, after, strict=True) if a != b}
    assert moved == {
        (CreatorAction.REST, CreatorAction.COMMISSION),
        (CreatorAction.RECORD, CreatorAction.COMMISSION),
    }


def test_decisions_depend_neither_on_the_days_asked_before_nor_on_how_many_others_there_are():
    open_rule = {"base_log_odds": 0.0, "concealment_log_odds": 0.0, "exit_log_odds": -1.0}
    one, other = (policy_of(n, **open_rule) for n in (40, 7))
    for day in (3, 40, 3):
        mine, theirs = one.decide(views(40, day), minds(40)), other.decide(views(7, day), minds(7))
        for column in ("action", "crosses", "conceals", "active"):
            np.testing.assert_array_equal(getattr(mine, column)[:7], getattr(theirs, column))


@pytest.mark.parametrize(
    ("withheld", "never"),
    [(Consent.DERIVE, CreatorAction.COMMISSION), (Consent.PERFORM, CreatorAction.RECORD)],
)
def test_a_use_without_consent_is_no_alternative(withheld, never):
    policy = policy_of(300, base_log_odds=5.0)
    closed = replace(TERMS, consent=Consent.ALL & ~withheld)
    actions = policy.decide(views(300, terms=(closed,) * 3), minds(300)).action.tolist()
    assert never not in actions
    assert len(set(actions)) == 2


def test_who_is_not_active_rests():
    policy = policy_of(300, base_log_odds=5.0)
    half = np.arange(300) % 2 == 0
    decided = policy.decide(views(300), minds(300, active=half))
    assert (decided.action[~half] == CreatorAction.REST).all()
    assert (decided.action[half] != CreatorAction.REST).any()
    np.testing.assert_array_equal(decided.active, half)


# ---- another tradition, and naming the source -----------------------------------------------------------------------

OPEN = replace(TERMS, consent=Consent.ALL)


def test_nobody_crosses_where_no_other_tradition_consents_to_those_outside():
    policy = policy_of(600, base_log_odds=5.0, crossing_log_odds=50.0)
    assert not policy.decide(views(600), minds(600)).crosses.any()
    # The open community is of the second tradition: its own neighbours have nowhere to cross to.
    decided = policy.decide(views(600, terms=(TERMS, OPEN, TERMS)), minds(600))
    commissions = decided.action == CreatorAction.COMMISSION
    abroad = views(600).community == 0
    np.testing.assert_array_equal(decided.crosses, commissions & abroad)


def test_crossing_has_its_stated_odds_and_skill_makes_it_easier():
    policy = policy_of(30_000, base_log_odds=50.0, crossing_log_odds=-0.5, crossing_cost_units=20_000_000)
    for skill in (1.0, 2.0):
        known = minds(30_000, skill=np.full(30_000, skill))
        decided = policy.decide(views(30_000, terms=(OPEN,) * 3), known)
        commissions = int((decided.action == CreatorAction.COMMISSION).sum())
        expected = 1.0 / (1.0 + math.exp(0.5 + 1.0 / skill))
        assert stats.binomtest(int(decided.crosses.sum()), commissions, expected).pvalue > 1e-3


def test_concealment_weighs_the_fee_that_is_saved_against_the_chance_and_the_price_of_being_found_out():
    fee = 0.2 * 15e6
    for chance, penalty in ((0.1, 3.0), (0.5, 3.0), (1.0, 1.0)):
        policy = policy_of(
            30_000,
            base_log_odds=50.0,
            concealment_log_odds=-1.0,
            concealment_scale_units=2_000_000,
            detection_chance=chance,
            concealment_penalty=penalty,
        )
        decided = policy.decide(views(30_000), minds(30_000))
        commissions = decided.action == CreatorAction.COMMISSION
        assert not (decided.conceals & ~commissions).any()
        expected = 1.0 / (1.0 + math.exp(1.0 - fee * (1.0 - chance * penalty) / 2e6))
        assert stats.binomtest(int(decided.conceals.sum()), int(commissions.sum()), expected).pvalue > 1e-3


def test_by_default_everybody_names_the_source():
    assert not policy_of(300, base_log_odds=5.0).decide(views(300), minds(300)).conceals.any()


def test_whether_concealment_is_possible_moves_no_other_decision():
    one, other = policy_of(300, base_log_odds=0.0), policy_of(300, base_log_odds=0.0, concealment_log_odds=1.0)
    for day in range(5):
        a, b = (p.decide(views(300, day), minds(300)) for p in (one, other))
        np.testing.assert_array_equal(a.action, b.action)
        np.testing.assert_array_equal(a.active, b.active)


# ---- entry and exit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("income", "bearers"), [(5e6, 1.0), (15e6, 1.0), (5e6, 0.25), (0.0, 2.0)])
def test_entry_has_odds_of_income_above_reservation_times_the_stock_of_bearers(income, bearers):
    config = {"entry_log_odds": -1.0, "reservation_income_units": 5_000_000, "living_scale_units": 10_000_000}
    n = 30_000
    idle = minds(n, active=np.zeros(n, dtype=bool), believed_income_units=np.full(n, income))
    entered = policy_of(n, **config).decide(views(n, bearers_share=np.full(n, bearers)), idle).active
    odds = bearers * math.exp(-1.0 + (income - 5e6) / 10e6)
    assert stats.binomtest(int(entered.sum()), n, odds / (1.0 + odds)).pvalue > 1e-3


def test_nobody_enters_where_nobody_bears_the_practice():
    idle = minds(active=np.zeros(60, dtype=bool))
    assert not policy_of(60, entry_log_odds=20.0).decide(views(bearers_share=np.zeros(60)), idle).active.any()


@pytest.mark.parametrize("income", [0.0, 5e6, 15e6])
def test_exit_has_odds_of_income_below_reservation(income):
    config = {"exit_log_odds": -1.0, "reservation_income_units": 5_000_000, "living_scale_units": 10_000_000}
    n = 30_000
    left = ~policy_of(n, **config).decide(views(n), minds(n, believed_income_units=np.full(n, income))).active
    odds = math.exp(-1.0 - (income - 5e6) / 10e6)
    assert stats.binomtest(int(left.sum()), n, odds / (1.0 + odds)).pvalue > 1e-3


def test_low_income_silences_creators_and_empties_the_roster():
    def activity(units):
        roster = roster_of(base_log_odds=-2.0, exit_log_odds=-3.0, living_scale_units=2_000_000)
        n = roster.num_creators
        told = {"community_units": np.full((2, n), units), "community_income_units": np.full(n, units)}
        made = sum((roster.decide(views(n, day, **told)).action != CreatorAction.REST).sum() for day in range(60))
        return made, roster.roll.active.sum()

    low, middle, high = activity(0.5e6), activity(10e6), activity(30e6)
    assert low[0] < middle[0] < high[0]
    assert low[1] < middle[1] <= high[1]


# ---- what is believed -----------------------------------------------------------------------------------------------


def test_belief_closes_its_share_of_the_gap_each_day():
    roster = roster_of(expected_units_per_epoch=10_000_000, belief_rate=0.2)
    news = np.repeat([[4e6], [np.nan]], 60, axis=1)
    for day in range(5):
        roster.decide(views(day=day, community_units=news))
    np.testing.assert_allclose(roster.believed_units[0], 4e6 + 6e6 * 0.8**5)
    assert (roster.believed_units[1] == 10e6).all()  # no such work yet: nothing learnt


def test_own_statements_stand_before_the_communitys():
    roster = roster_of(expected_units_per_epoch=10_000_000, belief_rate=1.0)
    own = np.full((2, 60), np.nan)
    own[0, 3] = 0.0
    roster.decide(views(own_units=own, community_units=np.full((2, 60), 7e6)))
    assert roster.believed_units[:, 3].tolist() == [0.0, 7e6]
    assert roster.believed_units[:, 4].tolist() == [7e6, 7e6]


def test_who_has_published_goes_by_its_own_income_and_everybody_else_by_that_of_those_who_have():
    roster = roster_of(belief_rate=1.0, active_at_start=0.5)
    own = np.full((2, 60), np.nan)
    own[1, ::2] = 1.0
    roster.decide(views(own_units=own, epoch_income_units=np.full(60, 2e6), community_income_units=np.full(60, 9e6)))
    goes_by_own = roster.believed_income_units == 2e6
    was_active = roster_of(active_at_start=0.5).active
    np.testing.assert_array_equal(goes_by_own, was_active & (np.arange(60) % 2 == 0))


# ---- skill ----------------------------------------------------------------------------------------------------------


class Always(CreatorPolicy):
    """Even creators record every day, odd ones never do anything."""

    def decide(self, views, minds):
        n = views.num_creators
        action = np.where(np.arange(n) % 2 == 0, CreatorAction.RECORD, CreatorAction.REST).astype(np.int8)
        return CreatorDecisions(action, np.zeros(n, bool), np.zeros(n, bool), minds.active)


def test_skill_grows_with_works_up_to_a_steady_level_and_fades_back_to_talent():
    config = {"skill_gain": 0.05, "skill_fade": 0.1, "skill_spread": 0.3}
    roster = roster_of(policy=Always(), **config)
    talent = roster.skill.copy()
    assert np.std(np.log(talent)) > 0.15
    for day in range(3):
        roster.decide(views(day=day))
    made = 0.05 * (1.0 + 0.9 + 0.81)
    np.testing.assert_allclose(np.log(roster.skill / talent), np.where(np.arange(60) % 2 == 0, made, 0.0), atol=1e-12)
    for day in range(3, 400):
        roster.decide(views(day=day))
    np.testing.assert_allclose(np.log(roster.skill / talent)[::2], 0.05 / 0.1, rtol=1e-9)


def test_skill_divides_all_costs_but_the_licence_fee():
    roster = roster_of(cost_spread=0.0, skill_spread=0.5, commission_licence_bps=2_000)
    np.testing.assert_allclose(roster.cost_units[0], 40e6 / roster.skill)
    np.testing.assert_allclose(roster.cost_units[1], 3e6 + 12e6 / roster.skill)


def test_own_cost_factors_have_mean_one():
    costs = roster_of(num_per_community=7_000, cost_spread=0.5, skill_spread=0.0).cost_units[0] / 40e6
    assert stats.kstest(np.log(costs), "norm", (-0.125, 0.5)).pvalue > 1e-3
    assert costs.mean() == pytest.approx(1.0, abs=0.02)


# ---- the roster -----------------------------------------------------------------------------------------------------


def test_agents_are_views_of_their_column_in_the_roster():
    roster = roster_of(active_at_start=0.5, skill_spread=0.3)
    model = mesa.Model(rng=1)
    agent = make_people(
        model, CreatorsConfig(active_at_start=0.5, skill_spread=0.3), (CommunityConfig(name="a", tradition="a"),), KEYS
    ).creators[4]
    assert (agent.is_active, agent.skill) == (roster.active[4], roster.skill[4])
    assert agent.believed_recorded_units == agent.believed_generated_units == 10_000_000
    assert agent.believed_income_units == 10_000_000
    assert agent.income_units == 0


def test_entries_and_exits_are_counted():
    roster = roster_of(active_at_start=0.5, entry_log_odds=-2.0, exit_log_odds=-2.0)
    before = roster.active.copy()
    entered = left = 0
    for day in range(20):
        now = roster.decide(views(day=day)).active
        entered, left = entered + int((now & ~before).sum()), left + int((before & ~now).sum())
        before = now
    roll = roster.roll
    assert (roll.num_entered, roll.num_left) == (entered, left)
    assert min(entered, left) > 0
    np.testing.assert_array_equal(roll.active, before)


def test_a_roster_put_down_and_taken_up_goes_on_as_before():
    lively = {"base_log_odds": -1.0, "active_at_start": 0.7, "exit_log_odds": -3.0, "concealment_log_odds": 0.0}
    one, other = roster_of(**lively), roster_of(**lively)
    for day in range(30):
        one.decide(views(day=day, community_units=np.full((2, 60), 6e6)))
    other.restore(one.snapshot())
    for day in range(30, 40):
        a, b = one.decide(views(day=day)), other.decide(views(day=day))
        np.testing.assert_array_equal(a.action, b.action)
        np.testing.assert_array_equal(a.conceals, b.conceals)
    np.testing.assert_equal(one.snapshot(), other.snapshot())
