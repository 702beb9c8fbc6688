"""Outcomes against figures worked out by hand."""

import math

import numpy as np
import pytest

from heritage_sim.base import TALLY, CommunityTerms, Consent, CreatorRoll
from heritage_sim.communities import CommunityLog, community_outcomes
from heritage_sim.money import STEPS
from heritage_sim.money.outcomes import Durations, MoneyEvidence, money_outcomes, no_money
from heritage_sim.outcomes import (
    Evidence,
    Payout,
    creator_outcomes,
    listening_outcomes,
    making_outcomes,
    payout_outcomes,
)
from heritage_sim.recording import Making

NAMES = [
    "payout_gap_communities",
    "payout_share_community_0",
    "payout_share_community_1",
    "payout_theil_between_communities",
    "payout_theil_within_communities",
    "payout_gini_communities",
    "payout_gini_creators",
    "payout_theil_creators",
    "payout_jain_creators",
    "payout_atkinson_creators",
    "payout_per_play_gap_communities",
    "income_share_archive",
    "income_share_human",
    "income_share_generated",
    "plays_share_community_0",
    "plays_share_community_1",
    "exposure_share_community_0",
    "exposure_share_community_1",
    "plays_share_archive",
    "plays_share_human",
    "plays_share_generated",
    "plays_share_generated_community_0",
    "plays_share_generated_community_1",
    "plays_per_session",
    "seconds_per_session",
    "abandonment_rate",
    "sessions",
    "plays",
    "gini_plays_works",
    "works_recorded",
    "works_generated",
    "works_rereleased",
    "commissions_refused",
    "commissions_refused_repertoire",
    "derivatives_accepted_share",
    "jury_votes",
    "jury_votes_split_share",
    "jury_calls_without_quorum",
    "works_crossed",
    "works_concealed",
    "concealments_detected",
    "violations_per_generated_piece",
    "consistency_generated_mean",
    "creators_active_community_0",
    "creators_active_community_1",
    "creators_entered",
    "creators_left",
    "creator_skill_mean",
    "settlement_days_withdrawable_median",
    "settlement_days_withdrawable_p90",
    "pool_units",
    "settlement_days_paid_median",
    "settlement_days_paid_p90",
    "settlement_days_withdrawable_payments_median",
    "settlement_days_withdrawable_payments_p90",
    "settlement_days_paid_payments_median",
    "settlement_days_paid_payments_p90",
    "settlement_quantiles_unreached",
    *[f"settlement_step_days_{name}" for name in STEPS],
    "unpaid_money_share",
    "trapped_money_share",
    "trapped_months_median",
    "payment_costs_units",
    "traceable_money_share",
    "licence_fees_units",
    "licence_fees_units_community_0",
    "licence_fees_units_community_1",
    "consent_to_derive_share",
    "bearers_community_0",
    "bearers_community_1",
    "bearers_change_community_0",
    "bearers_change_community_1",
    "bearers_total_change",
    "bearers_worst_change",
]


def evidence(**changes):
    counts = dict.fromkeys(TALLY, 0) | {"sessions": 10, "plays": 25, "seconds": 1_500, "abandonments": 4}
    given = {
        "counts": np.array([counts[name] for name in TALLY]),
        "plays_by_origin": np.array([10, 5, 10]),
        "plays_by_community": np.array([20, 5]),
        "exposures_by_community": np.array([30, 90]),
        "plays_by_work": np.array([0, 0, 25]),
        "generated_plays_by_community": np.array([8, 2]),
        "making": Making(
            requested=10,
            refused_consent=2,
            refused_repertoire=1,
            refused_strictness=1,
            recorded=3,
            published_generated=2,
            rereleased=1,
            generated=4,
            generated_violations=6,
            generated_consistency=3.0,
            judged=4,
            jury_votes=5,
            jury_split_votes=2,
            jury_without_quorum=1,
            crossed=2,
            concealed=5,
            found_out=3,
        ),
        "money": money(),
    } | changes
    return Evidence(**given)


def money(**changes):
    """One epoch of 100 units in three parts; the last of them was withdrawable, and never paid."""
    steps = {
        "usage": [1.0, 0.5, 1.5],
        "report": [0.0] * 3,
        "matching": [0.25] * 3,
        "cash_in": [0.0] * 3,
        "statement": [0.25] * 3,
        "settlement": [1.5, 1.0, 7.0],
        "cash_out": [2.0, 3.0, np.nan],
    }
    given = {
        "units": np.array([60, 20, 20]),
        "payments": np.array([0.5, 1.5, 2.0]),
        "withdrawable_days": np.array([3.0, 2.0, 9.0]),
        "paid_days": np.array([5.0, 5.5, np.nan]),
        "observed_days": np.array([20.0, 20.0, 21.0]),
        "step_days": np.array([steps[name] for name in STEPS]),
        "trapped": np.array([False, False, True]),
    } | changes
    return MoneyEvidence(
        durations=Durations(**given),
        pool_units=100,
        num_epochs=1,
        cost_units=3,
        traceable_units=80,
        licence_units=np.array([7, 2]),
        num_licences=3,
    )


def community_log():
    """Two settled epochs; in the second the first community does not let derive."""
    log = CommunityLog(2)
    free, guarded = CommunityTerms(Consent.ALL, 0.3, 3_000), CommunityTerms(Consent.PERFORM, 0.3, 3_000)
    log.settled([guarded, guarded], np.array([200.0, 50.0]))
    log.settled([free, free], np.array([90.0, 10.0]))
    log.settled([guarded, free], np.array([210.0, 40.0]))
    return log


def payout(units=(10, 20, 50, 20)):
    # Two funds, then one creator in each community.
    return Payout(np.array(units), np.array([50, 0, 50]), np.array([0, 1, 0, 1]), np.array([20, 5]))


ROLL = CreatorRoll(np.array([True, False, True]), np.array([1.5, 9.0, 0.5]), 4, 5)
"""Three creators, one of the first community; the second of them is not active."""


def outcomes(of=None):
    made = of or evidence()
    rows = [
        *payout_outcomes(payout()),
        *listening_outcomes(made),
        *making_outcomes(made.making),
        *creator_outcomes(ROLL, np.array([0, 1, 1]), 2),
        *money_outcomes(made.money),
        *community_outcomes(community_log(), 2),
    ]
    return {o.name: o for o in rows}


def test_names_are_the_agreed_ones_in_order():
    assert list(outcomes()) == NAMES


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("payout_gap_communities", 60 - 40, "percentage points"),
        ("payout_share_community_0", 60.0, "%"),
        # Groups of two with means 30 and 20 around 25.
        ("payout_theil_between_communities", 0.6 * math.log(30 / 25) + 0.4 * math.log(20 / 25), "1"),
        # Of 10 and 50 around 30; the other group's two are equal.
        ("payout_theil_within_communities", 0.6 * (math.log(1 / 3) / 6 + 5 * math.log(5 / 3) / 6), "1"),
        ("payout_gini_communities", 0.1, "1"),
        ("payout_gini_creators", (50 - 20) / (2 * 70), "1"),
        ("payout_jain_creators", 70**2 / (2 * (50**2 + 20**2)), "1"),
        ("payout_atkinson_creators", 1 - (math.sqrt(50) / 2 + math.sqrt(20) / 2) ** 2 / 35, "1"),
        ("payout_per_play_gap_communities", 40 / 5 - 60 / 20, "smallest unit per play"),
        ("income_share_generated", 50.0, "%"),
        ("plays_share_community_1", 20.0, "%"),
        ("exposure_share_community_1", 75.0, "%"),
        ("plays_share_human", 20.0, "%"),
        ("plays_per_session", 2.5, "1"),
        ("seconds_per_session", 150.0, "s"),
        ("abandonment_rate", 40.0, "%"),
        ("gini_plays_works", 2 / 3, "1"),
        ("commissions_refused", 3.0, "1"),
        ("commissions_refused_repertoire", 1.0, "1"),
        ("derivatives_accepted_share", 75.0, "%"),
        ("jury_votes", 5.0, "1"),
        ("jury_votes_split_share", 40.0, "%"),
        ("jury_calls_without_quorum", 1.0, "1"),
        ("plays_share_generated_community_0", 40.0, "%"),
        ("plays_share_generated_community_1", 40.0, "%"),
        ("consent_to_derive_share", 75.0, "%"),
        ("bearers_community_1", 40.0, "persons"),
        ("bearers_change_community_0", 5.0, "%"),
        ("bearers_change_community_1", -20.0, "%"),
        ("bearers_total_change", 0.0, "%"),
        ("bearers_worst_change", -20.0, "%"),
        ("works_rereleased", 1.0, "1"),
        ("works_crossed", 2.0, "1"),
        ("works_concealed", 5.0, "1"),
        ("concealments_detected", 3.0, "1"),
        ("creators_active_community_0", 1.0, "1"),
        ("creators_active_community_1", 1.0, "1"),
        ("creators_entered", 4.0, "1"),
        ("creators_left", 5.0, "1"),
        ("creator_skill_mean", 1.0, "1"),
        ("violations_per_generated_piece", 1.5, "1"),
        ("consistency_generated_mean", 0.75, "1"),
        ("settlement_days_withdrawable_median", 3.0, "days"),
        ("settlement_days_withdrawable_p90", 9.0, "days"),
        ("settlement_days_paid_median", 5.0, "days"),
        # Half of four payments are the first two rows; the quantile is reached by the end of the second.
        ("settlement_days_withdrawable_payments_median", 3.0, "days"),
        ("settlement_days_withdrawable_payments_p90", 9.0, "days"),
        ("settlement_days_paid_payments_median", 5.5, "days"),
        ("settlement_quantiles_unreached", 2.0, "1"),
        ("settlement_step_days_usage", (60 * 1.0 + 20 * 0.5) / 80, "days"),
        ("settlement_step_days_matching", 0.25, "days"),
        ("settlement_step_days_settlement", (60 * 1.5 + 20 * 1.0) / 80, "days"),
        ("settlement_step_days_cash_out", (60 * 2.0 + 20 * 3.0) / 80, "days"),
        ("unpaid_money_share", 20.0, "%"),
        ("trapped_money_share", 20.0, "%"),
        ("trapped_months_median", (21.0 - 2.0) / (365.25 / 12), "months"),
        ("payment_costs_units", 3.0, "smallest unit"),
        ("traceable_money_share", 80.0, "%"),
        ("licence_fees_units", 9.0, "smallest unit"),
        ("licence_fees_units_community_1", 2.0, "smallest unit"),
    ],
)
def test_value_by_hand(name, value, unit):
    made = outcomes()[name]
    assert made.value == pytest.approx(value, rel=1e-12)
    assert made.unit == unit


def test_shares_and_means_of_nothing_are_nan():
    nothing = np.zeros(2, dtype=np.int64)
    empty = evidence(
        counts=np.zeros(len(TALLY), dtype=np.int64), plays_by_community=nothing, making=Making(), money=no_money(2)
    )
    empty = outcomes(empty)
    for name in ("plays_share_community_0", "plays_per_session", "abandonment_rate", "consistency_generated_mean"):
        assert math.isnan(empty[name].value)
    assert math.isnan(empty["settlement_days_withdrawable_median"].value)
    assert empty["works_recorded"].value == 0.0


def test_ledgers_without_transactions_have_no_failure_rate_and_others_name_their_denominators():
    assert not [name for name in outcomes() if name.startswith("ledger_")]
    counted = MoneyEvidence(**{f: getattr(money(), f) for f in MoneyEvidence.__slots__} | {"submissions": Counted()})
    found = {o.name: o for o in money_outcomes(counted)}
    assert (found["ledger_failure_rate"].value, found["ledger_failure_rate"].n) == (12.5, 40)
    assert (found["ledger_unresolved_rate"].value, found["ledger_unresolved_rate"].n) == (10.0, 30)


class Counted:
    attempts, failed_attempts, intents, unresolved = 40, 5, 30, 3
