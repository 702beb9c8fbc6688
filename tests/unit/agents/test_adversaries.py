"""Adversaries: what bots play and pay, what a ring makes by each fraud, and that nobody else's numbers move.

Costs about 5 s.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import small_world as sw
from pydantic import ValidationError
from scipy import stats

from heritage_agents.adversaries.bots import BotAccounts
from heritage_agents.adversaries.claims import Claims
from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.adversaries.detection import NEVER, days_until_found
from heritage_agents.adversaries.ring import Ring
from heritage_agents.adversaries.shard import bot_bounds, make_shard_with_bots, reshard
from heritage_agents.adversaries.sybils import PeopleWithSybils, community_of, sybil_names
from heritage_agents.listeners.cohort import reshard as reshard_listeners
from heritage_agents.people import creator_names, make_people
from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import BPS, InputError, Keys, StorageError
from heritage_sim.config import EconomyConfig
from heritage_sim.economy import Economy
from heritage_sim.executors import LocalExecutor
from heritage_sim.money.treasury import LicenceFee
from heritage_sim.royalty import make_rule, settle_usage
from heritage_sim.royalty.without import RuleWithout, usage_without
from heritage_sim.sharding import shard_bounds

KEYS = sw.KEYS
DAYS, EPOCH = 14, 7
CHEAPEST = min(sw.LISTENERS.plans, key=lambda plan: plan.fee_units_per_day)


def economy(rule="pro_rata", num_shards=1, days=DAYS, ring=True, **fields):
    """Return the small economy with a ring in it, wired as experiments wire it."""
    config = AdversariesConfig(colluder=1, **fields)
    names = creator_names(sw.CREATORS, sw.COMMUNITIES) + sybil_names(config.sybils)
    home = community_of(config.colluder, sw.CREATORS, sw.COMMUNITIES)

    def people(model):
        honest = make_people(model, sw.CREATORS, sw.COMMUNITIES, KEYS)
        return PeopleWithSybils(honest, home, config.sybils) if config.sybils else honest

    def executor():
        factories = sw.shard_factories(KEYS, num_shards)
        if config.bots:
            bounds = bot_bounds(config.bots, num_shards)
            make = [partial(make_shard_with_bots, f, config, sw.LISTENERS, KEYS) for f in factories]
            factories = [partial(m, *b) for m, b in zip(make, bounds, strict=True)]
        return LocalExecutor(factories)

    funds = list(range(len(sw.COMMUNITIES)))
    payees = [c.name for c in sw.COMMUNITIES] + list(names)
    of = [*funds, *(c for c in funds for _ in range(sw.CREATORS.num_per_community)), *[home] * config.sybils]
    parts = sw.small_parts(
        KEYS,
        rule=rule,
        creator_names=names,
        make_people=people,
        make_executor=executor,
        make_ledger=lambda: make_ledger(LedgerConfig(), payees, EconomyConfig().genesis_s, payee_communities=of),
        make_ring=partial(Ring, config, sw.LISTENERS, KEYS, len(funds)) if ring and config.is_on else None,
    )
    return Economy(EconomyConfig(days=days, epoch_days=EPOCH), parts, KEYS)


def lived(*args, **kwargs):
    made = economy(*args, **kwargs)
    made.run()
    return made


def outcomes(economy):
    return {o.name: o for o in economy.results().outcomes}


def usages_of_epochs(made):
    """Live an economy, and return the usage of every shard as each epoch settled it."""
    taken, call = {}, made.executor.call

    def remembering(method, *args):
        if method == "rule_statistics" and args[-1] not in taken:
            taken[args[-1]] = call("usage", args[-1])
        return call(method, *args)

    made.executor.call = remembering
    made.run()
    return list(taken.values())


def profit(economy, kind="bots"):
    return outcomes(economy)[f"adversary_profit_units_{kind}"].value


def bots(num=7, first=0, keys=KEYS, **fields):
    return BotAccounts(AdversariesConfig(bots=num, **fields), sw.LISTENERS, keys, first, num)


def world(day, works):
    return replace(sw.world_of(day), bought_works=np.array(works, dtype=np.int32))


# ---- accounts ------------------------------------------------------------------------------------------------------


def test_an_account_plays_its_works_evenly_and_pays_its_plan():
    accounts = bots(bot_plays_per_day=50)
    for day in range(3):
        rows = accounts.run_day(world(day, [2, 5, 9, 11]))
        per_bot = np.zeros((7, sw.world_of(0).works.num_works), dtype=int)
        per_bot[rows.listener_ids - sw.LISTENERS.num_listeners, rows.work_ids] = rows.plays
        assert (per_bot.sum(axis=1) == 50).all()
        assert (np.sort(per_bot[:, [2, 5, 9, 11]], axis=1) == [12, 12, 13, 13]).all()
        assert (rows.seconds == rows.plays * 35).all()
    usage = accounts.usage(0, 24)
    assert (np.diff(usage.indptr) == 4).all()
    assert usage.plays.sum() == 7 * 150
    assert usage.plays_by_day.sum(axis=1).tolist() == [350, 350, 350]
    pool_a_day = CHEAPEST.fee_units_per_day * sw.LISTENERS.royalty_share_bps // BPS
    assert usage.fee_units.tolist() == [3 * pool_a_day] * 7


def test_plays_too_short_to_count_are_not_in_the_usage_and_the_fee_is_paid():
    accounts = bots(bot_play_s=10)
    assert accounts.run_day(world(0, [1, 2])).plays.size == 0
    assert accounts.usage(0, 24).fee_units.min() > 0


def test_nothing_is_played_before_the_first_day_and_without_a_work():
    accounts = bots(start_day=2)
    assert accounts.run_day(world(1, [1])).plays.size == 0
    assert accounts.usage(0, 24).fee_units.sum() == 0
    assert accounts.run_day(world(2, [])).plays.size == 0
    assert accounts.usage(0, 24).fee_units.min() > 0


def test_days_until_found_are_geometric():
    u = Keys(3, 0).stream("test", "found").uniform(np.arange(20_000), 0)
    free = days_until_found(u, 0.3)
    counts = np.bincount(np.minimum(free, 12), minlength=13)
    expected = np.append(0.3 * 0.7 ** np.arange(12), 0.7**12) * u.size
    assert stats.chisquare(counts, expected).pvalue > 1e-4
    assert (days_until_found(u, 0.0) == NEVER).all()
    assert (days_until_found(u, 1.0) == 0).all()


@pytest.mark.parametrize("void", [True, False])
def test_an_account_found_out_is_closed_and_its_plays_of_the_epoch_are_struck_out(void):
    accounts = bots(num=40, bot_detection_per_day=0.3, void_detected=void, bot_plays_per_day=10)
    days = 6
    played = np.zeros((40, days), dtype=int)
    for day in range(days):
        rows = accounts.run_day(world(day, [3]))
        played[rows.listener_ids - sw.LISTENERS.num_listeners, day] = rows.plays
    last = np.minimum(accounts.found_day, days - 1)
    assert 0 < np.count_nonzero(accounts.found_day < days) < 40
    assert (played == 10 * (np.arange(days) <= last[:, None])).all()
    usage = accounts.usage(0, 24)
    counted = np.zeros(40, dtype=np.int64)
    np.add.at(counted, np.repeat(np.arange(40), np.diff(usage.indptr)), usage.plays)
    kept = ~((accounts.found_day < days) & void)
    assert counted.tolist() == (played.sum(axis=1) * kept).tolist()
    assert usage.plays_by_day.sum() == counted.sum()
    # A day that was begun is paid.
    assert (usage.fee_units // usage.fee_units[last == 0][0] == last + 1).all()


def test_any_division_of_accounts_plays_the_same():
    whole, parts = bots(num=11), [bots(num=11, first=0), bots(num=11, first=4)]
    parts[0] = BotAccounts(AdversariesConfig(bots=11), sw.LISTENERS, KEYS, 0, 4)
    for day in range(2):
        for accounts in (whole, *parts):
            accounts.run_day(world(day, [0, 4, 8]))
    one, two = whole.usage(0, 24), [accounts.usage(0, 24) for accounts in parts]
    np.testing.assert_array_equal(one.plays, np.concatenate([u.plays for u in two]))
    np.testing.assert_array_equal(one.work_ids, np.concatenate([u.work_ids for u in two]))
    np.testing.assert_array_equal(one.plays_by_day, two[0].plays_by_day + two[1].plays_by_day)


def test_accounts_are_put_down_and_taken_up():
    one = bots()
    one.run_day(world(0, [1, 2]))
    other = bots()
    other.restore(one.snapshot())
    for accounts in (one, other):
        accounts.run_day(world(1, [1, 2]))
    np.testing.assert_array_equal(one.usage(0, 24).plays, other.usage(0, 24).plays)
    np.testing.assert_array_equal(one.usage(0, 24).plays_by_day, other.usage(0, 24).plays_by_day)
    with pytest.raises(StorageError, match="not 0 \\.\\.\\. 9"):
        bots(num=9).restore(one.snapshot())


# ---- what a rule makes of it ---------------------------------------------------------------------------------------


def usage_with_bots(num_bots=5, **fields):
    shard = make_shard_with_bots(
        sw.shard_factories(KEYS, 1)[0], AdversariesConfig(bots=num_bots, **fields), sw.LISTENERS, KEYS, 0, num_bots
    )
    for day in range(EPOCH):
        shard.run_day(world(day, [0, 1]))
    return shard


@pytest.mark.parametrize("rule", ["pro_rata", "user_centric", "threshold(min_plays=3)", "community_weighted"])
def test_the_rule_without_bots_decides_as_on_listeners_alone(rule):
    shard, rights = usage_with_bots(), rights_of()
    alone = settle_usage(make_rule(rule), [shard.listeners.usage(0)], rights)
    without = RuleWithout(make_rule(rule), sw.LISTENERS.num_listeners, np.zeros(0, dtype=np.int64))
    statement = settle_usage(without, [shard.usage(0)], rights)
    assert statement.pool_units == alone.pool_units
    np.testing.assert_array_equal(statement.payee_units, alone.payee_units)


def test_works_that_are_left_out_have_no_plays_and_their_listeners_still_pay():
    usage = usage_with_bots().usage(0)
    left = usage_without(usage, None, np.array([0, 1]))
    assert not np.isin(left.work_ids, [0, 1]).any()
    assert left.fee_units.sum() == usage.fee_units.sum()
    kept = ~np.isin(usage.work_ids, [0, 1])
    assert left.plays.sum() == usage.plays[kept].sum()
    assert (np.diff(left.indptr) >= 0).all()
    assert left.indptr[-1] == left.work_ids.size


def rights_of():
    made = sw.small_economy()
    return made.rights_book.rights(made.catalogue, made.people.terms)


@pytest.mark.parametrize("num_bots", [1, 4, 20])
def test_user_centric_bots_never_bring_more_than_their_own_fees(num_bots):
    made = economy("user_centric", bots=num_bots)
    bound = 0.0
    for usages in usages_of_epochs(made):
        usage = usages[0]
        is_bot = usage.listener_ids >= sw.LISTENERS.num_listeners
        played = np.add.reduceat(np.append(usage.plays, 0), usage.indptr[:-1]) * (np.diff(usage.indptr) > 0) > 0
        of_bots, active, idle = (int(usage.fee_units[w].sum()) for w in (is_bot, ~is_bot & played, ~played))
        # With nobody idle one listener moves at most one fee; with idle fees F0 beside active ones F1, f (1 + F0 / F1).
        bound += of_bots * (1.0 + idle / active) + num_bots
    paid = num_bots * CHEAPEST.fee_units_per_day * DAYS
    brought = profit(made) + paid + AdversariesConfig().publishing_cost_units * uploaded_first(made)
    assert 0 < brought <= bound
    assert brought < paid


def uploaded_first(made):
    """Return whether the ring had to upload a piece because the colluder had none."""
    works = made.results().tables["works"]
    return int(((works["creator"] == 1) & (works["origin"] == "human") & (works["day"] == 0)).any())


def test_pro_rata_pays_for_bots_out_of_everybodys_fees():
    made = lived("pro_rata", bots=5)
    found = outcomes(made)
    assert profit(made) > 5 * CHEAPEST.fee_units_per_day * DAYS
    assert found["adversary_profit_units_bots"].n == 5
    assert found["adversary_displaced_units"].value > profit(made)
    assert found["adversary_displaced_units"].n > 0


def test_detection_lowers_the_profit_and_is_counted():
    free, caught = lived("pro_rata", bots=12), lived("pro_rata", bots=12, bot_detection_per_day=0.4)
    assert profit(caught) < profit(free)
    keys_found = bots(num=12, bot_detection_per_day=0.4).found_day < DAYS
    assert outcomes(caught)["adversary_accounts_detected"].value == np.count_nonzero(keys_found) > 0


def test_without_adversaries_every_figure_is_zero_and_bots_count_as_nobodys_listening():
    honest = outcomes(lived("pro_rata"))
    for name, outcome in honest.items():
        if name.startswith("adversary_"):
            assert (outcome.value, outcome.n) == (0.0, 0)
    # Listeners live the same until the recommender has seen what bots played, after day 0.
    days = [lived("pro_rata", days=1, bots=n) for n in (0, 9)]
    plays = [made.results().tables["daily"]["plays"] for made in days]
    np.testing.assert_array_equal(*plays)


def test_books_sum_to_the_unit_with_every_fraud_at_once():
    made = lived("user_centric", bots=6, sybils=3, false_claims_per_work=0.7, bot_detection_per_day=0.1)
    epochs = made.results().tables["epochs"]
    np.testing.assert_array_equal(epochs["pool_units"], epochs["statement_units"])
    np.testing.assert_array_equal(epochs["pool_units"], epochs["deposited_units"])
    fees = int(made.treasury.licence_units.sum())
    assert fees == sum(fee.units for fee in made.treasury.licences) > 0
    assert made.treasury.ledger.deposited_units() == int(epochs["pool_units"].sum()) + fees


def test_any_number_of_shards_and_a_pause_give_the_same():
    fields = {"bots": 6, "sybils": 2, "false_claims_per_work": 0.5, "bot_detection_per_day": 0.1}
    one, three = lived(num_shards=1, **fields), lived(num_shards=3, **fields)
    sw.same_results(one, three)
    paused = economy(num_shards=1, **fields)
    paused.run(9)
    taken_up = economy(num_shards=1, **fields)
    taken_up.restore(paused.snapshot())
    taken_up.run()
    sw.same_results(one, taken_up)


def test_a_shard_with_bots_is_divided_anew():
    config = AdversariesConfig(bots=5)
    bounds = shard_bounds(sw.LISTENERS.num_listeners, 2)
    factories = sw.shard_factories(KEYS, 2)
    shards = [
        make_shard_with_bots(f, config, sw.LISTENERS, KEYS, *b)
        for f, b in zip(factories, bot_bounds(5, 2), strict=True)
    ]
    for shard in shards:
        shard.run_day(world(0, [4, 6]))
    whole = [(0, sw.LISTENERS.num_listeners)]
    (state,) = reshard([s.snapshot() for s in shards], whole, reshard_listeners)
    one = make_shard_with_bots(sw.shard_factories(KEYS, 1)[0], config, sw.LISTENERS, KEYS, 0, 5)
    one.restore(state)
    bots_of_both = [s.bots.usage(0, 24) for s in shards]
    np.testing.assert_array_equal(one.bots.usage(0, 24).plays, np.concatenate([u.plays for u in bots_of_both]))
    assert bounds[0][1] == bounds[1][0]


# ---- further names -------------------------------------------------------------------------------------------------


def test_further_names_upload_copies_and_move_no_creators_decision():
    fields = {"sybils": 3, "copies_per_sybil": 2, "days_between_copies": 4}
    made, honest = lived(**fields), lived()
    works = made.results().tables["works"]
    num_creators = sw.CREATORS.num_per_community * len(sw.COMMUNITIES)
    copies = works["creator"] >= num_creators
    assert np.bincount(works["creator"][copies] - num_creators).tolist() == [2, 2, 2]
    hashes = made.catalogue.content_sha256
    own = {hashes[i].tobytes() for i in np.flatnonzero(works["creator"] == 1)}
    assert {hashes[i].tobytes() for i in np.flatnonzero(copies)} <= own
    # Nothing was settled in the first epoch, so that creators could not have heard of the copies.
    asked = [e.results().tables["commissions"] for e in (made, honest)]
    first = [{k: v[t["day"] < EPOCH].tolist() for k, v in t.items()} for t in asked]
    assert first[0] == first[1]
    assert outcomes(made)["adversary_profit_units_sybils"].n == 6
    assert [outcomes(made)[f"creators_active_community_{c}"].n for c in range(3)] == [4, 4, 4]


def test_what_copies_bring_is_what_their_names_were_paid_under_pro_rata_less_what_the_ring_loses():
    # Under pro-rata the counterfactual can be had by hand: plays of copies are taken out, and the pool stays.
    made = economy("pro_rata", sybils=2, copies_per_sybil=3, days_between_copies=1, days=EPOCH)
    made.run(EPOCH - 1)
    made.step()
    again = economy("pro_rata", sybils=2, copies_per_sybil=3, days_between_copies=1, days=EPOCH)
    (usages,) = usages_of_epochs(again)
    rights = again.rights_book.rights(again.catalogue, again.people.terms)
    copies = np.flatnonzero(again.catalogue.creator >= 12)
    rule = make_rule("pro_rata")
    plain = settle_usage(rule, usages, rights).payee_units
    honest = settle_usage(rule, [usage_without(u, None, copies) for u in usages], rights).payee_units
    ring = 3 + np.array([1, 12, 13])
    costs = (copies.size + uploaded_first(made)) * AdversariesConfig().publishing_cost_units
    assert profit(made, "sybils") == (plain - honest)[ring].sum() - costs
    assert profit(made, "bots") == profit(made, "claims") == 0.0


def test_a_colluder_who_is_not_there_is_named():
    with pytest.raises(InputError, match="no creator 12"):
        community_of(12, sw.CREATORS, sw.COMMUNITIES)
    with pytest.raises(InputError, match="no plan 'gold'"):
        bots(bot_plan="gold")
    with pytest.raises(ValidationError, match="cannot play"):
        AdversariesConfig(bots=1, bot_plays_per_day=5_000, bot_play_s=60)


# ---- false claims --------------------------------------------------------------------------------------------------

FEES = [LicenceFee(day, creator, 3, 1_000) for day in range(40) for creator in range(2, 12)]


def claims(**fields):
    return Claims(AdversariesConfig(claim_bond_units=70, **fields), KEYS, np.array([1], dtype=np.int32))


def test_claims_are_filed_believed_and_found_out_at_the_stated_chances():
    made = claims(false_claims_per_work=0.6, claim_stands=0.5, claim_detection_per_day=0.0)
    paid = made.redirected(FEES, work=9, last_day=40)
    held = sum(fee.source_work == 9 for fee in paid)
    assert stats.binomtest(made.num_filed, len(FEES), 0.6).pvalue > 1e-4
    assert stats.binomtest(held, made.num_filed, 0.5).pvalue > 1e-4
    assert made.bonds_lost_units(41) == 70 * (made.num_filed - held)
    assert [replace(fee, source_work=3) for fee in paid] == FEES


def test_a_claim_found_out_before_the_epoch_ends_holds_no_fee_and_any_found_out_costs_its_bond():
    late = claims(false_claims_per_work=1.0, claim_stands=1.0, claim_detection_per_day=0.5)
    paid = late.redirected(FEES, work=9, last_day=39)
    # A claim of day d stands on day 39 with chance (1 - p)^(39 - d); all are found out long after.
    for age in (0, 1, 2):
        fees = [fee for fee in paid if fee.day == 39 - age]
        assert stats.binomtest(sum(f.source_work == 9 for f in fees), len(fees), 0.5**age).pvalue > 1e-3
    assert late.bonds_lost_units(500) == 70 * len(FEES)
    never = claims(false_claims_per_work=1.0, claim_stands=1.0, claim_detection_per_day=0.0)
    never.redirected(FEES, work=9, last_day=39)
    assert never.bonds_lost_units(500) == 0


def test_the_ring_does_not_claim_its_own_works():
    own = [LicenceFee(3, 1, 3, 1_000)]
    made = claims(false_claims_per_work=1.0, claim_stands=1.0)
    assert made.redirected(own, work=9, last_day=9) == own
    assert made.num_filed == 0


def test_nothing_is_claimed_before_the_ring_begins_to_act():
    made = claims(false_claims_per_work=1.0, claim_stands=1.0, claim_detection_per_day=0.0, start_day=17)
    paid = made.redirected(FEES, work=9, last_day=40)
    assert {fee.day for fee in paid if fee.source_work == 9} == set(range(17, 40))
    assert made.num_filed == sum(fee.day >= 17 for fee in FEES)


def test_licence_fees_that_are_owed_to_the_colluder_are_no_profit_and_its_victims_are_those_who_were_owed():
    """Creators build on each other's works here, so that sources are the colluder's and other members' too."""
    eager = replace(sw.CREATORS.making_rules, learning_chance=1.0, learnt_share=0.9)
    doubtful = {"false_claims_per_work": 0.01, "claim_stands": 0.0, "claim_bond_units": 0}
    vain = economy(days=42, **doubtful)
    vain = Economy(vain.config, replace(vain.parts, making=eager), KEYS)
    vain.run()
    assert vain.treasury.licence_units[3 + 1] > 0
    cost = AdversariesConfig().publishing_cost_units * uploaded_first(vain)
    assert profit(vain, "claims") == -cost
    bold = economy(days=42, **doubtful | {"false_claims_per_work": 1.0, "claim_stands": 1.0})
    bold = Economy(bold.config, replace(bold.parts, making=eager), KEYS)
    bold.ring.claimed = remembering(bold.ring.claimed, pairs := [])
    bold.run()
    lost = np.zeros(len(bold.parts.payee_names), dtype=np.int64)
    for owed, paid in pairs:
        for fee, sign in ((owed, -1), (paid, 1)):
            for stem in bold.rights_book.stems(fee.source_work, bold.catalogue):
                lost[stem.payee_id] += sign * fee.units * stem.share_bps // BPS
    assert (lost[3:] < 0).any()
    assert profit(bold, "claims") == lost[3 + 1] - cost
    lost[3 + 1] = 0
    assert outcomes(bold)["adversary_displaced_units"].value == -lost[lost < 0].sum()
    assert outcomes(bold)["adversary_displaced_units"].n == np.count_nonzero(lost < 0)


def test_a_ring_points_at_no_work_that_would_owe_its_own_sources_more_than_it_is_paid():
    """Works that join two traditions have two sources, to each of which more than half is passed on here."""
    consent = ("derive", "perform", "sell", "outside")
    communities = tuple(c.model_copy(update={"consent": consent}) for c in sw.COMMUNITIES)
    crossing = sw.CREATORS.model_copy(update={"base_log_odds": 0.0, "crossing_log_odds": 50.0})
    made = economy(days=21, false_claims_per_work=1.0, claim_stands=1.0, claim_detection_per_day=0.0, start_day=20)
    parts = replace(made.parts, make_people=lambda model: make_people(model, crossing, communities, KEYS))
    made = Economy(made.config.model_copy(update={"derivative_share_bps": 6_000}), parts, KEYS)
    made.run()
    own = np.flatnonzero(made.catalogue.creator == 1)
    assert (made.catalogue.parents[own, 1] >= 0).any()
    pointed_at = {fee.source_work for fee in made.treasury.licences} & set(own.tolist())
    assert all((made.catalogue.parents[work, 1:] < 0).all() for work in pointed_at)
    assert made.treasury.owed_licences == []


def remembering(claimed, pairs):
    def told(fees, *rest):
        paid = claimed(fees, *rest)
        pairs.extend(zip(fees, paid, strict=True))
        return paid

    return told


def test_false_claims_take_the_fee_from_the_true_source():
    made = lived(false_claims_per_work=1.0, claim_stands=1.0, claim_detection_per_day=0.0, claim_bond_units=0, days=28)
    found = outcomes(made)
    ring_works = np.flatnonzero(made.catalogue.creator == 1)
    held = [fee for fee in made.treasury.licences if fee.source_work in ring_works]
    assert held
    cost = AdversariesConfig().publishing_cost_units * uploaded_first(made)
    assert found["adversary_profit_units_claims"].value == made.treasury.licence_units[3 + 1] - cost
    kept_by_ring_bps = BPS - sw.COMMUNITIES[0].share_bps
    assert made.treasury.licence_units[3 + 1] == pytest.approx(
        sum(fee.units for fee in held) * kept_by_ring_bps / BPS, abs=len(held)
    )
    assert found["adversary_displaced_units"].value > 0
