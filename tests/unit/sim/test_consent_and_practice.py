"""In a whole economy: restricted works, juries, consent withdrawn midway, and bearers. Costs 5 s."""

import numpy as np
import pytest
from small_world import COMMUNITIES, PlainComposer, archive, lived, same_results, small_economy

from heritage_agents.config import JuryConfig
from heritage_sim.base import NO_ONE, Consent, Origin, ProvenanceRecord

COMMUNITY = archive()[0].community


def changed(community, **changes):
    return type(community).model_validate(community.model_dump() | changes)


def with_each(**changes):
    return tuple(changed(c, **changes) for c in COMMUNITIES)


def outcomes(economy):
    return {o.name: o.value for o in economy.results().outcomes}


def closed_works(economy, use):
    return np.flatnonzero((economy.rights_book.own_uses & int(use)) == 0)


@pytest.fixture(scope="module")
def restricted():
    return lived(days=20, communities=with_each(never_derived_share=0.5, never_performed_share=0.25))


def test_nothing_derives_from_works_that_are_closed_to_it_and_refusals_are_counted(restricted):
    catalogue, closed = restricted.catalogue, closed_works(restricted, Consent.DERIVE)
    assert closed.size == 12
    generated = catalogue.origin == Origin.GENERATED
    assert generated.any()
    assert not np.isin(catalogue.parents[generated], closed).any()
    making = restricted.recorder.making
    assert making.refused_repertoire == making.refused_consent > 0
    assert outcomes(restricted)["commissions_refused_repertoire"] == making.refused_repertoire


def test_works_that_are_never_performed_are_neither_played_nor_shown_nor_recorded_nor_paid(restricted):
    closed = closed_works(restricted, Consent.PERFORM)
    assert closed.size == 3 + 2 + 2  # a quarter of twelve, six and six, to the nearest work and half a one up
    works = restricted.results().tables["works"]
    assert works["plays"][closed].sum() == works["earned_units"][closed].sum() == 0
    recorded = restricted.catalogue.origin == Origin.HUMAN
    assert recorded.any()
    assert not np.isin(restricted.catalogue.parents[recorded], closed).any()
    assert works["plays"][: COMMUNITY.size].sum() > 0


def test_a_restricted_work_carries_its_own_consent_to_rules_and_ledger(restricted):
    own = restricted.rights_book.own_uses
    rights = restricted.rights_book.rights(restricted.catalogue, restricted.people.terms)
    shared = np.array([int(t.consent) for t in restricted.people.terms])[restricted.catalogue.community]
    np.testing.assert_array_equal(rights.consent, own & shared)
    records: list[ProvenanceRecord] = restricted._provenance(0)
    assert [r.consent for r in records] == own.tolist()
    for work in (int(closed_works(restricted, Consent.PERFORM)[0]), int(np.flatnonzero(own == int(Consent.ALL))[0])):
        permitted = restricted.treasury.ledger.permitted(work, restricted.treasury.observed_s)
        assert permitted == int(own[work] & shared[work])


def test_what_is_retrieved_is_not_released_if_it_is_closed_itself():
    economy = lived(days=14, generator=PlainComposer(Origin.ARCHIVE), communities=with_each(never_performed_share=0.5))
    again = (economy.catalogue.origin == Origin.ARCHIVE) & (economy.catalogue.creator != NO_ONE)
    closed = closed_works(economy, Consent.PERFORM)
    # The plain composer's pieces are of works that the archive does not hold: what is asked on stands for them.
    assert again.any()
    assert not np.isin(economy.catalogue.parents[again], closed).any()
    assert economy.recorder.making.refused_repertoire > 0


def test_a_closed_archive_is_as_good_as_no_consent_at_all():
    closed = lived(days=10, communities=with_each(never_derived_share=1.0))
    assert not closed.parts.generator.batches
    assert closed.recorder.making.refused_repertoire > 0


@pytest.fixture(scope="module")
def withdrawn():
    changes = [{"day": 9, "withdraw": ["derive"]}, {"day": 12, "withdraw": ["perform"]}]
    return (changed(COMMUNITIES[0], consent_changes=changes), *COMMUNITIES[1:])


def test_derivation_stops_on_the_day_of_the_withdrawal_and_what_was_published_stays(withdrawn):
    before, after = lived(days=20), lived(days=20, communities=withdrawn)
    for name in ("plays", "plays_community_0"):
        daily = [e.results().tables["daily"][name] for e in (before, after)]
        np.testing.assert_array_equal(daily[0][:9], daily[1][:9])
    tables = after.results().tables
    works, daily = tables["works"], tables["daily"]
    derived = (works["origin"] == "generated") & (works["community"] == 0)
    assert (works["day"][derived] < 9).all()
    assert derived.any()
    # Performance: of the day, for everything the community holds, and for nothing that others hold.
    assert (daily["plays_community_0"][:12] > 0).all()
    assert (daily["plays_community_0"][12:] == 0).all()
    assert (daily["plays_community_1"][12:] > 0).all()
    assert works["plays"][derived].sum() > 0


def test_the_ledger_has_the_label_from_the_first_instant_of_the_day(withdrawn):
    economy = lived(days=20, communities=withdrawn)
    calendar = economy.config.calendar
    of_first = [(s, label.uses) for s, label in economy.treasury.labels if label.community == 0]
    everything = int(COMMUNITIES[0].consent_flags)
    assert (calendar.start_of(9), everything & ~int(Consent.DERIVE)) in of_first
    assert (calendar.start_of(12), everything & ~int(Consent.DERIVE | Consent.PERFORM)) in of_first
    ledger = economy.treasury.ledger
    assert ledger.permitted(0, calendar.start_of(9) - 1) == everything
    assert ledger.permitted(0, calendar.start_of(9)) == everything & ~int(Consent.DERIVE)


def test_works_that_derived_before_a_withdrawal_stay_traceable():
    whole = lived(days=14)
    cut = lived(days=14, communities=with_each(consent_changes=[{"day": 8, "withdraw": ["derive"]}]))
    assert outcomes(whole)["traceable_money_share"] == outcomes(cut)["traceable_money_share"] == 100.0


def test_communities_that_withdraw_on_the_same_day_all_do():
    economy = lived(days=20, communities=with_each(consent_changes=[{"day": 8, "withdraw": ["derive"]}]))
    works = economy.results().tables["works"]
    assert (works["day"][works["origin"] == "generated"] < 8).all()
    assert not any(terms.consent & Consent.DERIVE for terms in economy.people.terms)


def test_jurors_of_one_mind_publish_what_the_measured_rule_does():
    """Whoever holds the source and whatever its bar: neighbours of one tradition differ in theirs."""
    jury = JuryConfig(size=3, noise=0.0, bar_spread=0.0, attendance=1.0).model_dump()
    bars = (0.3, 0.3, 0.9)
    measured, voted = (
        lived(days=14, communities=tuple(changed(c, strictness=b, **k) for c, b in zip(COMMUNITIES, bars, strict=True)))
        for k in ({}, {"jury": jury})
    )
    same = [e.results().tables["works"]["plays"] for e in (measured, voted)]
    np.testing.assert_array_equal(*same)
    assert outcomes(measured)["jury_votes"] == 0
    assert outcomes(voted)["jury_votes"] >= voted.recorder.making.judged > voted.recorder.making.refused_strictness > 0
    assert outcomes(voted)["jury_votes_split_share"] == 0.0


def test_a_jury_at_odds_splits_and_refuses_some():
    voted = lived(days=20, consistency=0.35, communities=with_each(jury={"size": 5, "noise": 0.2}))
    made, making = outcomes(voted), voted.recorder.making
    assert 0.0 < made["derivatives_accepted_share"] < 100.0
    assert made["jury_votes_split_share"] > 0.0
    published = int((voted.catalogue.origin == Origin.GENERATED).sum())
    assert published == making.judged - making.refused_strictness


def test_a_community_is_asked_about_what_its_neighbour_derives_from_its_works():
    never = JuryConfig(size=3, attendance=0.0)
    guarded = (*COMMUNITIES[:2], changed(COMMUNITIES[2], jury=never.model_dump()))
    catalogue = lived(days=20, communities=guarded).catalogue
    generated = np.flatnonzero(catalogue.origin == Origin.GENERATED)
    assert generated.size
    assert 2 not in catalogue.community[generated]
    assert 2 not in catalogue.community[catalogue.parents[generated, 0]]
    open_to_all = lived(days=20).catalogue
    generated = np.flatnonzero(open_to_all.origin == Origin.GENERATED)
    crossed = open_to_all.community[open_to_all.parents[generated, 0]] != open_to_all.community[generated]
    assert crossed.any()


@pytest.fixture(scope="module")
def bearing():
    return lived(days=20, transmission="competition")


def test_bearers_are_the_same_for_any_number_of_shards_and_after_a_snapshot(bearing):
    same_results(bearing, lived(days=20, transmission="competition", num_shards=3))
    first, second = (small_economy(days=20, transmission="competition") for _ in range(2))
    first.run(until=11)
    second.restore(first.snapshot())
    second.run()
    same_results(bearing, second)


def test_bearers_are_told_after_every_epoch_from_the_start_on(bearing):
    rows = bearing.recorder.communities.bearers
    assert len(rows) == 1 + 3
    np.testing.assert_allclose(rows[0], [200.0] * 3)
    made = outcomes(bearing)
    assert made["bearers_community_1"] == rows[-1][1] != 200.0
    total = 100.0 * (rows[-1].sum() - 600.0) / 600.0
    assert made["bearers_total_change"] == pytest.approx(total, rel=1e-12)
    assert made["bearers_worst_change"] == min(made[f"bearers_change_community_{i}"] for i in range(3))


def test_without_transmission_bearers_are_unknown():
    plain = outcomes(lived(days=8))
    assert np.isnan(plain["bearers_community_0"])
    assert np.isnan(plain["bearers_total_change"])


def test_terms_are_told_as_they_stood_after_every_epoch(withdrawn):
    economy = lived(days=20, communities=withdrawn)
    table = economy.results().tables["communities"]
    first = table["community"] == 0
    assert table["settled_epochs"][first].tolist() == [0, 1, 2, 3]
    assert table["may_derive"][first].tolist() == [True, True, False, False]
    assert table["may_perform"][first].tolist() == [True, True, False, False]
    assert table["may_sell"].all()
    assert not table["may_outside"].any()
    assert outcomes(economy)["consent_to_derive_share"] <= 100.0 * (9 - 2) / 9


def test_a_withdrawal_ends_days_that_are_lived_together_on_its_day(withdrawn):
    daily = lived(days=20, communities=withdrawn, release_days=7, refresh_days=7).results().tables["daily"]
    assert (daily["plays_community_0"][:12] > 0).all()
    assert (daily["plays_community_0"][12:] == 0).all()


def test_plays_of_generated_works_are_told_by_community(bearing):
    works = bearing.results().tables["works"]
    for i in range(len(COMMUNITIES)):
        own = works["community"] == i
        part = works["plays"][own & (works["origin"] == "generated")].sum()
        assert outcomes(bearing)[f"plays_share_generated_community_{i}"] == 100.0 * part / works["plays"][own].sum()
