"""What a day does: who may publish, who is paid, and that the money adds up."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from small_world import (
    COMMUNITIES,
    KEYS,
    LISTENERS,
    TRADITIONS,
    PlainComposer,
    archive,
    ledger_of,
    lived,
    shard_factories,
    small_economy,
)

from heritage_agents.config import PlanConfig
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import BPS, NO_ONE, LedgerError, Origin
from heritage_sim.config import EconomyConfig, MoneyChainConfig
from heritage_sim.executors import LocalExecutor
from heritage_sim.money.config import SettlementConfig


@pytest.fixture(scope="module")
def economy():
    return lived(days=20)


def test_pool_statement_and_deposit_agree_in_every_epoch_and_all_is_claimed_or_waits(economy):
    epochs = economy.results().tables["epochs"]
    assert epochs["epoch"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(epochs["pool_units"], epochs["statement_units"])
    np.testing.assert_array_equal(epochs["pool_units"], epochs["deposited_units"])
    np.testing.assert_array_equal(epochs["claimed_units"] + epochs["unclaimed_units"], epochs["deposited_units"])
    licences = int(economy.treasury.licence_units.sum())
    assert int(epochs["deposited_units"].sum()) + licences == economy.treasury.ledger.deposited_units()


def test_pool_is_what_the_subscribers_paid_for_the_days_they_subscribed():
    plan = PlanConfig(name="only", fee_units_per_day=100_000, share=1.0)
    fickle = LISTENERS.model_copy(
        update={"plans": (plan,), "renewal_days": 3, "churn_base": -0.5, "return_rate": 0.1, "word_of_mouth": 0.2}
    )
    economy = lived(days=20, make_executor=lambda: LocalExecutor(shard_factories(KEYS, 2, fickle)))
    tables = economy.results().tables
    subscribers = tables["daily"]["subscribers"]
    assert subscribers[0] == 120 > subscribers.min()
    assert tables["daily"]["came_back"].sum() > 0
    of_epochs = [subscribers[first : first + 7].sum() for first in (0, 7, 14)]
    assert tables["epochs"]["pool_units"].tolist() == [70_000 * days for days in of_epochs]
    fees = economy.executor.call("usage", 0)[0].fee_units  # nothing since the last close: no fee is due
    assert fees.sum() == 0


def test_every_table_of_money_sums_to_the_pool(economy):
    tables = economy.results().tables
    pool = tables["epochs"]["pool_units"].sum()
    assert tables["works"]["earned_units"].sum() == pool
    assert tables["settlement"]["units"].sum() == pool
    payouts = tables["payouts"]
    for rule in ("pro_rata", "user_centric"):
        assert payouts["units"][payouts["rule"] == rule].sum() == pool
    np.testing.assert_array_equal(payouts["shadow"], payouts["rule"] == "user_centric")


def test_tallies_agree_between_tables(economy):
    tables = economy.results().tables
    daily, works = tables["daily"], tables["works"]
    by_community = [daily[f"plays_community_{i}"].sum() for i in range(len(COMMUNITIES))]
    by_origin = [daily[f"plays_{o.name.lower()}"].sum() for o in Origin]
    assert sum(by_community) == sum(by_origin) == daily["plays"].sum() == works["plays"].sum()
    assert [works["plays"][works["community"] == c].sum() for c in range(len(COMMUNITIES))] == by_community


def test_new_works_belong_to_their_creators_community_and_build_on_one_work_of_its_tradition(economy):
    catalogue = economy.catalogue
    new = np.flatnonzero(catalogue.creator != NO_ONE)
    assert new.size > 5
    parents = catalogue.parents[new]
    assert (parents[:, 0] != NO_ONE).all()
    assert (parents[:, 1:] == NO_ONE).all()
    np.testing.assert_array_equal(catalogue.tradition[parents[:, 0]], catalogue.tradition[new])
    home = economy.people.creator_community[catalogue.creator[new]]
    np.testing.assert_array_equal(catalogue.community[new], home)
    assert [TRADITIONS[t] for t in catalogue.tradition[new]] == [COMMUNITIES[c].tradition for c in home]


def test_archive_works_pay_their_community_alone_and_new_works_share_by_the_terms_at_publication():
    economy = small_economy(days=14)
    economy.run()
    rights = economy.rights_book.rights(economy.catalogue, economy.people.terms)
    for work in range(economy.catalogue.num_works):
        row = slice(rights.indptr[work], rights.indptr[work + 1])
        payees, shares = rights.payee_ids[row].tolist(), rights.share_bps[row].tolist()
        community, creator = int(economy.catalogue.community[work]), int(economy.catalogue.creator[work])
        assert sum(shares) == BPS
        if creator == NO_ONE:
            assert (payees, shares) == ([community], [BPS])
        else:
            assert payees == [community, len(COMMUNITIES) + creator]


def test_share_of_a_work_stays_what_it_was_when_the_terms_change():
    economy = small_economy(days=8)
    economy.run(until=7)
    new = np.flatnonzero(economy.catalogue.creator != NO_ONE)
    before = economy.rights_book.rights(economy.catalogue, economy.people.terms)
    changed = [type(t)(t.consent, t.strictness, 9_999) for t in economy.people.terms]
    after = economy.rights_book.rights(economy.catalogue, changed)
    assert new.size
    np.testing.assert_array_equal(before.share_bps, after.share_bps)


def test_derived_pieces_below_their_communitys_strictness_are_refused_and_recordings_are_not():
    economy = lived(days=14, consistency=0.1)
    making = economy.recorder.making
    assert making.generated == making.refused_strictness > 0
    assert not (economy.catalogue.origin == Origin.GENERATED).any()
    assert making.recorded == (economy.catalogue.origin == Origin.HUMAN).sum() > 0
    outcomes = {o.name: o.value for o in economy.results().outcomes}
    assert outcomes["violations_per_generated_piece"] == 1.0
    assert outcomes["consistency_generated_mean"] == pytest.approx(0.1)


def test_without_consent_to_derive_commissions_are_refused_and_nothing_is_generated():
    closed = tuple(c.model_copy(update={"consent": ("train", "perform", "sell")}) for c in COMMUNITIES)
    economy = lived(days=14, communities=closed)
    assert economy.recorder.making.generated == 0
    assert not economy.parts.generator.batches


def test_without_consent_to_perform_a_communitys_works_are_never_played():
    closed = (COMMUNITIES[0].model_copy(update={"consent": ("derive",)}), *COMMUNITIES[1:])
    daily = lived(days=10, communities=closed).results().tables["daily"]
    assert daily["plays_community_0"].sum() == 0
    assert daily["plays_community_1"].sum() > 0


def test_commissions_of_a_day_are_asked_for_in_one_batch_each(economy):
    for composer in (economy.parts.performer, economy.parts.generator):
        days = [{request.split("-")[1] for request in batch} for batch in composer.batches]
        assert all(len(day) == 1 for day in days)
        assert len(days) == len({min(day) for day in days})


def test_recommender_is_told_of_every_counted_play_exactly_once():
    for refresh_days in (1, 7):
        economy = lived(days=14, refresh_days=refresh_days)
        assert len(economy.recorder.shares) == 2
        counted = economy.results().tables["daily"]["full_plays"].sum()
        assert economy.desk.recommender.plays.sum() == counted > 0


def test_settlement_time_runs_from_the_middle_of_the_play_day_to_the_blocks_of_the_ledger(economy):
    tables = economy.results().tables
    rows, epochs = tables["settlement"], tables["epochs"]
    calendar = economy.config.calendar
    for epoch, day, wait in zip(rows["epoch"], rows["day"], rows["days_to_withdrawable"], strict=True):
        block = int(epochs["withdrawable_s"][epoch])
        assert wait == pytest.approx(calendar.days(block) - day - 0.5)
    # Posted at the epoch's end, withdrawable after the challenge window of a day.
    assert rows["days_to_withdrawable"][0] == pytest.approx(7.0 + 1.0 - 0.5, abs=1e-3)
    assert rows["days_to_paid"][0] == pytest.approx(7.0 + 1.0 + 10 / 24 - 0.5, abs=1e-3)


def test_what_is_never_claimed_has_no_day_of_payment():
    economy = lived(days=10, money_chain=MoneyChainConfig(settlement=SettlementConfig(claim_every_epochs=0)))
    tables = economy.results().tables
    rows = tables["settlement"]
    assert np.isnan(rows["days_to_paid"]).all()
    assert tables["epochs"]["claimed_units"].sum() == 0
    # Each play's money was watched from its own day on: until thirty days after the last.
    np.testing.assert_allclose(rows["days_observed"], 40.0 - (rows["day"] + 0.5), atol=1e-9)
    assert (rows["days_to_withdrawable"] <= rows["days_observed"]).all()


class ShortPayingLedger:
    """Pays one unit less than is due."""

    def __init__(self, ledger):
        self._ledger = ledger

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    def claim(self, payee_ids, at_s):
        paid = self._ledger.claim(payee_ids, at_s)
        amounts = paid.amounts_units.copy()
        amounts[0] -= 1
        return type(paid)(paid.paid_s, paid.payee_ids, amounts, paid.gas)


def test_a_ledger_that_pays_less_than_is_due_stops_the_run():
    economy = small_economy(days=14, make_ledger=lambda: ShortPayingLedger(ledger_of(LedgerConfig())))
    with pytest.raises(LedgerError, match="was owed"):
        economy.run()


class LosingLedger(ShortPayingLedger):
    """Says that less was deposited."""

    def deposited_units(self):
        return self._ledger.deposited_units() * 99 // 100


def test_a_ledger_that_loses_deposits_stops_the_run():
    economy = small_economy(days=14, make_ledger=lambda: LosingLedger(ledger_of(LedgerConfig())))
    with pytest.raises(LedgerError, match="differ"):
        economy.run()


def test_generator_that_retrieves_leaves_origin_archive_and_pays_the_creator():
    economy = lived(days=14, generator=PlainComposer(Origin.ARCHIVE))
    again = (economy.catalogue.origin == Origin.ARCHIVE) & (economy.catalogue.creator != NO_ONE)
    assert again.sum() > 0
    outcomes = {o.name: o for o in economy.results().outcomes}
    assert outcomes["works_generated"].value == 0.0
    assert outcomes["works_rereleased"].value == again.sum()
    assert np.isnan(outcomes["violations_per_generated_piece"].value)


class NextInArchive(PlainComposer):
    """Retrieves the work that stands after the source in the archive."""

    def compose(self, commissions):
        pieces = archive()[1]
        place = {p.receipt.piece_sha256: i for i, p in enumerate(pieces)}
        self.batches.append(tuple(c.request_id for c in commissions))
        half = len(pieces) // len(TRADITIONS)
        found = [pieces[place[c.source] // half * half + (place[c.source] + 1) % half] for c in commissions]
        return [
            replace(p, receipt=replace(p.receipt, request_id=c.request_id, sources=(c.source,)))
            for c, p in zip(commissions, found, strict=True)
        ]


def test_a_work_that_was_retrieved_derives_from_itself_in_the_archive_not_from_what_it_was_asked_on():
    catalogue = lived(days=14, generator=NextInArchive(Origin.ARCHIVE)).catalogue
    again = np.flatnonzero((catalogue.origin == Origin.ARCHIVE) & (catalogue.creator != NO_ONE))
    assert again.size
    np.testing.assert_array_equal(
        catalogue.content_sha256[catalogue.parents[again, 0]], catalogue.content_sha256[again]
    )


def test_what_is_retrieved_from_a_community_without_consent_to_derive_is_not_released():
    # In this tradition two communities hold every other work: who asks on the one's work is given the other's.
    closed = (*COMMUNITIES[:2], COMMUNITIES[2].model_copy(update={"consent": ("train", "perform", "sell")}))
    economy = lived(days=14, generator=NextInArchive(Origin.ARCHIVE), communities=closed)
    catalogue = economy.catalogue
    again = np.flatnonzero((catalogue.origin == Origin.ARCHIVE) & (catalogue.creator != NO_ONE))
    assert again.size
    assert 2 not in catalogue.community[catalogue.parents[again, 0]]
    assert economy.recorder.making.refused_consent > 0


def test_refresh_that_does_not_divide_the_epoch_is_refused_with_the_nearest_that_does():
    with pytest.raises(ValidationError, match=r"must divide epoch_days \(28\): take 7"):
        EconomyConfig(epoch_days=28, refresh_days=10)
