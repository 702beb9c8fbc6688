"""What creators build on and ask for: no piece twice a day, repertoires that grow, crossing, concealed sources."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from small_world import COMMUNITIES, CREATORS, DIM, KEYS, TRADITIONS, archive, lived, piece, same_results, small_economy

from heritage_agents.people import make_people
from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    SHARE_BASIS,
    Catalogue,
    Commission,
    Consent,
    CreatorAction,
    CreatorDecisions,
    Intent,
    Keys,
    Origin,
    WorkBatch,
)
from heritage_sim.daily_numbers import DAYS_AT_A_TIME, MOST_ROWS, DailyNumbers
from heritage_sim.day.asking import CommissionDesk
from heritage_sim.day.commissioning import Answer, Archive, Request, permitted
from heritage_sim.day.repertoire import Repertoire
from heritage_sim.economy import Economy
from heritage_sim.parts import MakingRules
from heritage_sim.rights import RightsBook
from heritage_sim.state_io import read_state, write_state

HOME = np.array([0, 0, 1, 1, 2, 2], dtype=np.int32)
TRADITION = np.array([0, 1, 1], dtype=np.int32)
RULES = MakingRules(licence_fee_units=100, learning_chance=1.0, learnt_share=1.0, repertoire_size=2, most_generations=2)


def decisions(num, action=CreatorAction.COMMISSION, crosses=False, conceals=False):
    return CreatorDecisions(
        action=np.full(num, action, dtype=np.int8),
        crosses=np.full(num, crosses),
        conceals=np.full(num, conceals),
        active=np.ones(num, dtype=bool),
    )


def desk_of(home=HOME, takes=3, rules=RULES, derivative_share=0):
    batch, _ = archive()
    book = Archive(batch.tradition, batch.content_sha256, TRADITIONS)
    repertoire = Repertoire(batch.num_works, home, rules, derivative_share, KEYS)
    return CommissionDesk(TRADITION[home], book, repertoire, takes, rules, KEYS), repertoire, book


def catalogue_of(*makers):
    """The archive, and one work of each maker after it."""
    batch, _ = archive()
    catalogue = Catalogue(DIM)
    catalogue.append(batch)
    n, creator = len(makers), np.array(makers, dtype=np.int32)
    catalogue.append(
        WorkBatch(
            vectors=np.zeros((n, DIM), dtype=np.float32),
            tradition=TRADITION[HOME[creator]],
            community=HOME[creator],
            creator=creator,
            origin=np.full(n, Origin.GENERATED, dtype=np.int8),
            synthetic=np.ones(n, dtype=bool),
            consistency=np.ones(n, dtype=np.float32),
            duration_s=np.ones(n, dtype=np.float32),
            day=np.zeros(n, dtype=np.int32),
            parents=np.full((n, MAX_PARENTS), NO_ONE, dtype=np.int32),
            content_sha256=np.zeros((n, 32), dtype=np.uint8),
        )
    )
    return catalogue


# ---- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_agents", [3, MOST_ROWS // DAYS_AT_A_TIME + 1])
def test_daily_numbers_are_the_streams_own_however_days_are_grouped(num_agents):
    stream = Keys(5, 2).stream("creator", "anything")
    numbers, ids = DailyNumbers(stream, num_agents, 3), np.arange(num_agents)
    for day in (0, 15, 16, 400, 3):
        np.testing.assert_array_equal(numbers.uniforms(day), stream.uniforms(ids, day, 3).T)
        np.testing.assert_array_equal(numbers.integers(day, 7)[1], stream.integer(ids, day, 7, 1))


# ---- asking ---------------------------------------------------------------------------------------------------------


def test_no_two_creators_ask_for_one_piece_on_a_day_and_the_later_takes_the_next():
    home = np.zeros(30, dtype=np.int32)  # thirty creators, twelve works, three takes: 36 pieces
    desk, _, book = desk_of(home)
    first = KEYS.stream("creator", "take")
    moved = 0
    for day in range(40):
        taken = set()
        for request in desk.requests(decisions(30), day):
            key = request.commission.source, request.commission.take
            assert key not in taken
            wished = int(first.integer(request.creator, day, 3)[0])
            between = [(wished + step) % 3 for step in range(3)]
            passed = between[: between.index(request.commission.take)]
            assert all((key[0], take) in taken for take in passed)
            moved += bool(passed)
            taken.add(key)
    assert moved > 100
    assert book.hashes


def test_archive_works_with_the_same_notes_are_one_source():
    batch, _ = archive()
    alike = np.repeat(batch.content_sha256[::2], 2, axis=0)
    book, home = Archive(batch.tradition, alike, TRADITIONS), np.zeros(200, dtype=np.int32)
    repertoire = Repertoire(batch.num_works, home, RULES, 0, KEYS)
    requests = CommissionDesk(TRADITION[home], book, repertoire, 3, RULES, KEYS).requests(decisions(200), 0)
    assert len({(r.commission.source, r.commission.take) for r in requests}) == len(requests) == 6 * 3


def test_who_finds_no_piece_left_asks_for_none():
    desk, _, _ = desk_of(np.zeros(200, dtype=np.int32))
    requests = desk.requests(decisions(200), 0)
    assert len(requests) == 36
    assert len({(r.commission.source, r.commission.take) for r in requests}) == 36


def test_a_recording_and_a_derivative_may_share_source_and_take():
    home = np.zeros(60, dtype=np.int32)
    mixed = decisions(60)
    mixed.action[::2] = CreatorAction.RECORD
    pairs = Counter((r.commission.source, r.commission.take) for r in desk_of(home)[0].requests(mixed, 0))
    assert max(pairs.values()) == 2


def test_who_rests_asks_for_nothing_and_nobody_elses_wish_moves_but_for_collisions():
    desk, _, _ = desk_of(takes=50)  # with so many takes nobody meets anybody
    some = decisions(6)
    some.action[[1, 4]] = CreatorAction.REST
    for day in range(20):
        everybody = {r.creator: r for r in desk.requests(decisions(6), day)}
        assert {r.creator: r for r in desk.requests(some, day)} == {k: everybody[k] for k in (0, 2, 3, 5)}


# ---- repertoire -----------------------------------------------------------------------------------------------------


def test_creators_learn_registered_works_of_others_of_their_community_and_build_on_them():
    desk, repertoire, book = desk_of()
    catalogue = catalogue_of(0, 2, 3)  # one of community 0, two of community 1, none of community 2
    repertoire.add([5, 14, 16])
    repertoire.learn(catalogue, num_registered=26, epoch=0, day=0)  # the third of them is not registered yet
    assert [repertoire.known(k).tolist() for k in range(6)] == [[], [24], [], [25], [], []]
    requests = {r.creator: r for r in desk.requests(decisions(6), 3)}
    assert requests[1].source_work == 24
    # The generator is asked on the archive work at the root of the line.
    assert requests[1].commission.source == book.hashes[5]
    assert requests[3].commission.source == book.hashes[14]
    assert requests[0].source_work < 24
    assert desk.requests(decisions(6, CreatorAction.RECORD), 3)[1].source_work < 24


def test_lines_lead_to_their_root_through_any_number_of_works_and_too_long_ones_are_not_learnt():
    _, repertoire, _ = desk_of()
    catalogue = catalogue_of(0, 0, 0, 0)
    repertoire.add([7])
    for newest in (24, 25, 26):
        repertoire.add([newest])
    assert repertoire.root.tolist()[24:] == [7, 7, 7, 7]
    assert repertoire.generation.tolist()[24:] == [1, 2, 3, 4]
    for epoch in range(60):
        repertoire.learn(catalogue, 28, epoch, day=0)
    assert set(repertoire.known(1).tolist()) == {24, 25}


@pytest.mark.parametrize(("share", "learnt"), [(0, {24, 25}), (SHARE_BASIS // 2, {24, 25}), (SHARE_BASIS, {24})])
def test_a_work_that_would_owe_more_than_it_is_paid_is_not_learnt(share, learnt):
    _, repertoire, _ = desk_of(derivative_share=share)
    catalogue = catalogue_of(0, 0)
    catalogue.parents[24, 0], catalogue.parents[25, 0] = 7, 24
    repertoire.add([7])
    repertoire.add([24])
    for epoch in range(60):
        repertoire.learn(catalogue, 26, epoch, day=0)
    assert set(repertoire.known(1).tolist()) == learnt


def test_derivatives_of_derivatives_are_paid_whatever_is_passed_on():
    eager = replace(CREATORS.making_rules, learning_chance=1.0, learnt_share=0.9)
    small = small_economy(days=28, making=eager)
    for bps in (4_000, 10_000):
        economy = Economy(small.config.model_copy(update={"derivative_share_bps": bps}), small.parts, small.keys)
        economy.run()
        assert economy.treasury.owed_licences == []
        assert (economy.catalogue.parents[:, 0] >= archive()[0].num_works).any()


def test_the_newest_learnt_work_takes_the_place_of_the_oldest():
    _, repertoire, _ = desk_of()
    catalogue = catalogue_of(*[0] * 9)
    repertoire.add([1] * 9)
    learnt = []
    for epoch in range(40):
        repertoire.learn(catalogue, 33, epoch, day=0)
        learnt += [w for w in repertoire.known(1).tolist() if w not in learnt[-2:]]
        assert set(repertoire.known(1).tolist()) == set(learnt[-2:])
    assert len(learnt) > 5


def test_derivatives_of_derivatives_have_the_known_work_as_parent_and_its_makers_are_paid():
    eager = replace(CREATORS.making_rules, learning_chance=1.0, learnt_share=0.6)
    economy = lived(days=35, making=eager)
    catalogue, parents = economy.catalogue, economy.catalogue.parents[:, 0]
    second = np.flatnonzero((parents >= archive()[0].num_works) & (catalogue.creator != NO_ONE))
    assert second.size > 5
    np.testing.assert_array_equal(catalogue.community[parents[second]], catalogue.community[second])
    assert (catalogue.creator[parents[second]] != catalogue.creator[second]).all()
    paid = economy.treasury.licence_units[len(COMMUNITIES) :]
    assert paid.sum() > 0
    sources = economy.results().tables["licences"]["source_work"]
    # The last epoch's works were paid for as well: fees are paid to what is registered.
    assert economy.treasury.owed_licences == []
    assert set(np.unique(catalogue.creator[sources])) - {NO_ONE} == set(np.flatnonzero(paid))
    assert next(o.value for o in economy.results().outcomes if o.name == "traceable_money_share") == 100.0


def test_what_has_not_come_out_yet_is_neither_learnt_nor_part_of_what_works_are_said_to_earn():
    """A long wait for the day of release must not look like works that nobody wants."""
    economy = small_economy(days=28, release_days=13, making=replace(CREATORS.making_rules, learning_chance=1.0))
    catalogue = economy.catalogue
    economy.run(until=7)
    assert (catalogue.column("day") == 13).sum() > 5
    creators = range(economy.parts.num_creators)
    assert all((catalogue.column("day")[economy._repertoire.known(k)] == 0).all() for k in creators)
    views = economy.accounts.creator_views(7, economy.people.terms, 3.0)
    first_day = np.flatnonzero((catalogue.creator != NO_ONE) & (catalogue.column("day") == 0))
    made = np.unique(catalogue.creator[first_day])
    assert np.isin(np.flatnonzero(~np.isnan(views.own_units).all(axis=0)), made).all()
    economy.run(until=14)
    assert any((catalogue.column("day")[economy._repertoire.known(k)] == 13).any() for k in creators)


# ---- crossing -------------------------------------------------------------------------------------------------------


def test_who_crosses_asks_on_another_traditions_work_and_joins_one_of_its_own():
    desk, _, _ = desk_of()
    batch, _ = archive()
    requests = desk.requests(decisions(6, crosses=True), 0)
    assert len(requests) == 6
    for r in requests:
        tradition = TRADITION[HOME[r.creator]]
        assert batch.tradition[r.source_work] != tradition == batch.tradition[r.joined_work]
        assert r.commission.tradition == TRADITIONS[batch.tradition[r.source_work]]


@pytest.mark.parametrize(
    ("source", "joined", "may"),
    [
        (Consent.DERIVE | Consent.OUTSIDE, Consent.DERIVE, True),
        (Consent.ALL & ~Consent.OUTSIDE, Consent.ALL, False),
        (Consent.ALL & ~Consent.DERIVE, Consent.ALL, False),
        (Consent.ALL, Consent.ALL & ~Consent.DERIVE, False),
    ],
)
def test_a_crossing_needs_consent_for_those_outside_and_to_derive_from_the_own_work(source, joined, may):
    request = Request(0, 14, Commission("x", "slate", "0", 0), joined_work=2)
    book = RightsBook(("a", "b", "c", *"uvwxyz"), HOME, 3)
    book.add(np.zeros(24))
    uses = np.full(24, int(Consent.ALL), dtype=np.int16)
    uses[[14, 2]] = int(source), int(joined)
    kept, refused = permitted([request], book, uses)
    assert kept == ([request] if may else [])
    assert refused.by_terms == int(not may)


def lively(communities=COMMUNITIES, days=28, **config):
    creators = CREATORS.model_copy(update={"base_log_odds": -1.0, **config})
    keys = Keys(11, 1)
    return small_economy(
        days=days,
        communities=communities,
        making=creators.making_rules,
        make_people=lambda model: make_people(model, creators, communities, keys),
    )


def outcomes(economy):
    return {o.name: o.value for o in economy.results().outcomes}


def test_by_default_nobody_crosses_and_nobody_conceals():
    economy = lively(crossing_log_odds=5.0)
    economy.run()
    found = outcomes(economy)
    assert found["works_crossed"] == found["works_concealed"] == found["concealments_detected"] == 0.0
    assert found["works_generated"] > 20


def test_crossed_works_are_in_the_sources_tradition_under_the_creators_community_and_pay_the_source():
    opened = (COMMUNITIES[0].model_copy(update={"consent": ("train", "derive", "perform", "sell", "outside")}),)
    economy = lively((*opened, *COMMUNITIES[1:]), crossing_log_odds=1.0)
    economy.run()
    catalogue, found = economy.catalogue, outcomes(economy)
    crossed = np.flatnonzero(catalogue.parents[:, 1] != NO_ONE)
    assert found["works_crossed"] == crossed.size > 5
    home = economy.parts.community_tradition[catalogue.community[crossed]]
    source, joined = catalogue.parents[crossed, :2].T
    np.testing.assert_array_equal(catalogue.tradition[crossed], catalogue.tradition[source])
    assert (catalogue.community[source] == 0).all()
    assert (home == 1).all()
    np.testing.assert_array_equal(economy.parts.community_tradition[catalogue.community[joined]], home)
    assert found["traceable_money_share"] == 100.0


def test_requests_on_works_whose_community_keeps_outsiders_out_are_refused_and_counted():
    opened = (*COMMUNITIES[:2], COMMUNITIES[2].model_copy(update={"consent": ("derive", "perform", "sell", "outside")}))
    economy = lively(opened, crossing_log_odds=5.0)
    economy.run()
    # Half the second tradition's works are the closed community's: about half of the first community's wishes fail.
    crossed, refused = economy.recorder.making.crossed, economy.recorder.making.refused_consent
    assert crossed > 5
    assert 0.3 < refused / (crossed + refused) < 0.7


def test_who_withdraws_derivation_is_derived_from_no_more_through_works_that_others_have_learnt_either():
    """The generator is asked on the archive work at the root of the line, whoever holds the works in between."""
    opened = {"consent": ("derive", "perform", "sell", "outside"), "withdrawal_share": 1.0}
    change = {"consent_changes": [{"day": 15, "withdraw": ["derive"]}]}
    num_archive = archive()[0].num_works
    for withdraws in (0, 2):  # the only one of its tradition, reached by crossing; and one of two that share theirs
        communities = tuple(
            type(c).model_validate(c.model_dump() | opened | (change if i == withdraws else {}))
            for i, c in enumerate(COMMUNITIES)
        )
        economy = lively(communities, days=42, crossing_log_odds=1.0, learning_chance=1.0, learnt_share=0.9)
        economy.run()
        catalogue = economy.catalogue
        root = economy._repertoire.root
        theirs = (catalogue.origin == Origin.GENERATED) & (catalogue.community[root] == withdraws)
        abroad = theirs & (catalogue.community != withdraws) & (catalogue.parents[:, 0] >= num_archive)
        day = catalogue.column("day")
        assert (abroad & (day < 15)).sum() > 0
        assert (theirs & (day >= 15)).sum() == 0
        assert ((catalogue.origin == Origin.GENERATED) & (day >= 15)).sum() > 5


# ---- concealing -----------------------------------------------------------------------------------------------------


def answer(conceals=True, origin=Origin.GENERATED, creator=0, is_found_out=False, joined=NO_ONE, intent=Intent.DERIVE):
    request = Request(creator, 4, Commission("x", "reed", "0", 0, intent), joined, conceals)
    return Answer(request, piece("x", "reed", origin, 0.9), 4, is_found_out)


@pytest.mark.parametrize(
    ("made", "parents", "owed"),
    [
        (answer(conceals=False), (4,), 100),
        (answer(conceals=False, joined=2), (4, 2), 100),
        (answer(), (), 0),
        (answer(joined=2), (), 0),
        (answer(is_found_out=True), (4,), 250),
        (answer(is_found_out=True, joined=2), (4, 2), 250),
        (answer(conceals=False, intent=Intent.RECORD), (4,), 0),
    ],
)
def test_a_concealed_source_is_neither_named_nor_paid_until_it_is_found_out(made, parents, owed):
    assert made.named_parents == parents
    assert made.owed_units(replace(RULES, concealment_penalty=2.5)) == owed


def test_concealed_sources_are_found_out_with_the_stated_chance_and_rereleased_works_always():
    home = np.zeros(2_000, dtype=np.int32)
    desk, _, _ = desk_of(home, rules=replace(RULES, detection_chance=0.3))
    made = [answer(creator=k, conceals=k % 2 == 0) for k in range(2_000)]
    seen = desk.found_out(made, day=3)
    assert not any(a.is_found_out for a in seen[1::2])
    assert 250 < sum(a.is_found_out for a in seen[::2]) < 350
    again = desk.found_out([answer(creator=k, origin=Origin.ARCHIVE) for k in range(50)], day=3)
    assert all(a.is_found_out for a in again)


def test_with_concealment_traceable_money_falls_and_licence_fees_with_it_and_detection_brings_both_back():
    found = {}
    for name, config in {
        "named": {},
        "concealed": {"concealment_log_odds": 1.0, "detection_chance": 0.0},
        "found out": {"concealment_log_odds": 1.0, "detection_chance": 1.0, "concealment_penalty": 1.0},
    }.items():
        economy = lively(**config)
        economy.run()
        found[name] = outcomes(economy) | {"catalogue": economy.catalogue, "earned": economy.recorder.earned_units}
    named, concealed, seen = found["named"], found["concealed"], found["found out"]
    assert named["traceable_money_share"] == seen["traceable_money_share"] == 100.0
    assert concealed["works_concealed"] > 10
    assert concealed["concealments_detected"] == 0.0
    assert concealed["licence_fees_units"] < named["licence_fees_units"]
    assert seen["concealments_detected"] == seen["works_concealed"] > 10
    # What cannot be traced is what works without a named source earned.
    catalogue, earned = concealed["catalogue"], concealed["earned"]
    orphan = (catalogue.creator != NO_ONE) & (catalogue.parents[:, 0] == NO_ONE)
    assert orphan.sum() == concealed["works_concealed"]
    lost = orphan | np.isin(catalogue.parents[:, 0], np.flatnonzero(orphan))
    assert concealed["traceable_money_share"] == pytest.approx(100.0 * (1.0 - earned[lost].sum() / earned.sum()))
    assert concealed["traceable_money_share"] < 95.0


def test_a_penalty_is_what_one_who_is_found_out_pays_the_source():
    economy = lively(concealment_log_odds=50.0, detection_chance=1.0, concealment_penalty=2.5)
    economy.run()
    fees = economy.results().tables["licences"]["units"]
    assert fees.size > 20
    assert (fees == int(2.5 * economy.parts.making.licence_fee_units)).all()


# ---- the state ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [7, 16])
def test_repertoires_and_creators_are_put_down_and_taken_up_bit_for_bit(day, tmp_path):
    opened = tuple(c.model_copy(update={"consent": ("derive", "perform", "sell", "outside")}) for c in COMMUNITIES)
    config = {"concealment_log_odds": 0.0, "learning_chance": 1.0, "learnt_share": 0.5, "exit_log_odds": -3.0}
    whole, first, second = (lively(opened, days=21, **config) for _ in range(3))
    whole.run()
    first.run(until=day)
    write_state(first.snapshot(), tmp_path / "state.npz")
    second.restore(read_state(tmp_path / "state.npz"))
    second.run()
    same_results(whole, second)
    assert (second.recorder.making.crossed, second.recorder.making.concealed) > (0, 0)
