"""A ledger owned by a Ray actor: the same answers, also when the actor is killed in the middle."""

import os
import signal

import pytest
from ledgers import COMMUNITIES, DAY_S, GENESIS_S, NUM_PAYEES, books, make, record, settle, statement

from heritage_contracts.at_rest.folder import open_folder
from heritage_contracts.config import LedgerConfig
from heritage_contracts.refusals import RefusalError
from heritage_contracts.sending.ray_owner import OwnedLedger
from heritage_contracts.verification import verify_folder
from heritage_experiments.ledger_folders import leave_ledger
from heritage_experiments.scenario_load import load_scenario
from heritage_experiments.wiring import Surroundings, build_economy
from heritage_sim.base import ConsentLabel, DirectPayment, Ledger

pytestmark = pytest.mark.integration


def owned(kind, work_dir=None):
    names = [f"payee {i}" for i in range(NUM_PAYEES)]
    config = LedgerConfig(kind=kind)
    return OwnedLedger(config, names, GENESIS_S, payee_communities=COMMUNITIES, work_dir=work_dir)


def story(ledger, weeks, between=lambda: None):
    for week in weeks:
        at_s = GENESIS_S + (week + 1) * 7 * DAY_S
        ledger.register([record(10 * week + i, [10 * week] if i else []) for i in range(3)], at_s)
        ledger.set_consent([ConsentLabel(1, week)], at_s)
        between()
        ledger.pay([DirectPayment(10 * week + 1, 1_000)], at_s)
        settle(ledger, statement(week, [week, 10**12, 3, 0, 7]), at_s)
        between()
        ledger.claim([1, 3], at_s + 2 * DAY_S)


def test_the_owner_answers_as_the_ledger_would(ray_cluster):
    ledger, alone = owned("reference"), make("reference")
    assert isinstance(ledger, Ledger)
    for one in (ledger, alone):
        story(one, range(2))
        with pytest.raises(RefusalError, match="WrongEpoch") as refusal:
            one.post(statement(5, [1] * NUM_PAYEES), GENESIS_S + 30 * DAY_S)
        assert refusal.value.reason == "WrongEpoch"
    assert books(ledger) == books(alone)
    assert ledger.max_pending == alone.max_pending
    second = owned("reference")
    second.restore(ledger.snapshot())
    assert books(second) == books(alone)
    for one in (ledger, second):
        one.close()


@pytest.mark.slow
def test_an_owner_that_is_killed_comes_back_from_journal_and_outbox(ray_cluster, tmp_path):
    alone = make("reference")
    story(alone, range(3))
    ledger = owned("evm", tmp_path)
    kills = iter([False, True, False, True, False, False])

    def kill_sometimes():
        if next(kills):
            os.kill(ledger.process_id(), signal.SIGKILL)

    story(ledger, range(3), kill_sometimes)
    assert ledger.num_rebuilds == 2
    assert books(ledger) == books(alone)
    ledger.close()


SMALL = """
name: owned
question: Who owns the keys?
seed: 3
replications: 1
traditions: [{name: gamelan, kind: gamelan, num_works: 12}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 30}
creators: {num_per_community: 3}
economy: {days: 14, epoch_days: 7}
generator: {kind: archive}
royalty: {rule: {kind: pro_rata}, shadow: []}
ledger: {kind: anvil, faults: flaky}
arms: {one: {}}
cells: [{name: one, arm: one}]
comparisons: []
"""


@pytest.mark.slow
def test_a_replication_on_anvil_leaves_its_ledger_to_an_actor_where_ray_runs(ray_cluster, anvil_binary, tmp_path):
    path = tmp_path / "owned.yaml"
    path.write_text(SMALL)
    economy = build_economy(load_scenario(path), 0, Surroundings(tmp_path / "cache"))
    ledger = economy.treasury.ledger
    assert isinstance(ledger, OwnedLedger)
    economy.run()
    outcomes = {o.name: o for o in economy.results().outcomes}
    economy.close()
    assert outcomes["ledger_unresolved_rate"].value == 0.0
    assert outcomes["ledger_failure_rate"].n >= outcomes["ledger_unresolved_rate"].n > 0
    leave_ledger(ledger, tmp_path / "ledger")
    assert verify_folder(open_folder(tmp_path / "ledger")).books.num_final == 2
