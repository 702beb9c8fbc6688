"""What creators are told of a settled epoch, against the run's own tables; and what they make of it."""

import numpy as np
import pytest
from small_world import COMMUNITIES, CREATORS, lived, small_economy

from heritage_sim.base import NO_ONE, CommunityTerms, Consent
from heritage_sim.day.feedback import Accounts

NUM = len(COMMUNITIES)
TERMS = [CommunityTerms(Consent.ALL, 0.3, 3_000)] * NUM


@pytest.fixture(scope="module")
def told():
    """An economy after one epoch, its views, and its tables."""
    economy = small_economy(days=14)
    economy.run(until=7)
    views = economy.accounts.creator_views(7, economy.people.terms, 1.0, np.array([1.0, 0.5, 2.0]))
    return economy, views, economy.results().tables


def test_before_anything_was_settled_nothing_is_known():
    views = Accounts(np.array([0, 1], dtype=np.int32), np.array([0, 1], dtype=np.int32)).creator_views(0, TERMS, 9.0)
    for figure in (views.epoch_income_units, views.community_income_units, views.own_units, views.community_units):
        assert np.isnan(figure).all()
    assert views.income_units.tolist() == [0, 0]
    assert views.bearers_share.tolist() == [1.0, 1.0]


def test_own_figures_are_means_over_own_works_by_kind(told):
    _, views, tables = told
    works = tables["works"]
    for k in range(views.num_creators):
        for kind, human in ((0, True), (1, False)):
            own = (works["creator"] == k) & ((works["origin"] == "human") == human)
            expected = works["earned_units"][own].mean() if own.any() else np.nan
            np.testing.assert_equal(views.own_units[kind, k], expected)
    assert np.isnan(views.own_units).any()
    assert (views.own_units > 0).any()


def test_the_communitys_figures_are_means_over_its_works_whoever_made_them(told):
    _, views, tables = told
    works = tables["works"]
    for c in range(NUM):
        for kind, human in ((0, True), (1, False)):
            theirs = (works["community"] == c) & (works["creator"] != NO_ONE) & ((works["origin"] == "human") == human)
            expected = works["earned_units"][theirs].mean() if theirs.any() else np.nan
            np.testing.assert_array_equal(views.community_units[kind, views.community == c], expected)


def test_income_is_what_the_statement_credited_and_its_mean_is_over_those_who_have_published(told):
    _, views, tables = told
    payouts, works = tables["payouts"], tables["works"]
    credited = payouts["units"][~payouts["shadow"]][NUM:]
    np.testing.assert_array_equal(views.income_units, credited)
    np.testing.assert_array_equal(views.epoch_income_units, credited)
    for c in range(NUM):
        members = [k for k in np.unique(works["creator"]) if k != NO_ONE and views.community[k] == c]
        expected = credited[members].mean() if members else np.nan
        np.testing.assert_array_equal(views.community_income_units[views.community == c], expected)


def test_bearers_and_terms_are_those_of_the_creators_community(told):
    economy, views, _ = told
    np.testing.assert_array_equal(views.bearers_share, np.repeat([1.0, 0.5, 2.0], CREATORS.num_per_community))
    assert list(views.terms) == economy.people.terms


def test_figures_are_of_the_last_epoch_and_credit_is_of_all():
    economy = lived(days=14)
    payouts = economy.results().tables["payouts"]
    views = economy.accounts.creator_views(14, economy.people.terms, 0.0)
    by_epoch = [payouts["units"][~payouts["shadow"] & (payouts["epoch"] == e)][NUM:] for e in (0, 1)]
    np.testing.assert_array_equal(views.income_units, by_epoch[0] + by_epoch[1])
    np.testing.assert_array_equal(views.epoch_income_units, by_epoch[1])


def test_a_communitys_income_is_what_the_last_two_epochs_credited_to_members_and_fund_licence_fees_included():
    economy = lived(days=21)
    tables = economy.results().tables
    payouts, licences = tables["payouts"], tables["licences"]
    home = economy.rights_book.payee_community
    views = economy.accounts.community_views(3, economy.people.terms, 21)
    assert licences["units"].sum() > 0
    for c in range(NUM):
        for income, epoch in ((views[c].income_units, 2), (views[c].previous_income_units, 1)):
            streamed = payouts["units"][~payouts["shadow"] & (payouts["epoch"] == epoch)][home == c].sum()
            licensed = licences["units"][(licences["community"] == c) & (licences["day"] // 7 == epoch)].sum()
            assert income == streamed + licensed
