"""A short year on Anvil through kills of node and client; `heritage bench ledger-year` is the long one."""

import pytest

from heritage_experiments.bench.ledger import settle_epochs
from heritage_experiments.bench.ledger_year import YearPlan, live

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("anvil_binary")]


def test_every_payee_is_paid_to_the_unit_and_the_whole_verifies_after_kills_of_node_and_client(tmp_path):
    plan = YearPlan(num_payees=60, num_days=40, node_kills=4, client_restarts=1)
    year = live(plan, tmp_path)
    assert year.restarts == plan.node_kills
    assert year.lost > 0
    assert year.paid_units > 0


def test_faults_come_on_days_of_their_own_that_have_an_open_window():
    kills, restarts = YearPlan().fault_days()
    assert len({*kills, *restarts}) == 14
    assert 0 not in kills
    assert max(*kills, *restarts) < 365


def test_an_epoch_costs_the_same_for_any_number_of_payees_and_a_push_does_not(tmp_path):
    few, many = (settle_epochs(n, tmp_path / str(n)) for n in (10, 120))
    assert few.epoch_gas <= 110_000
    assert abs(many.epoch_gas / few.epoch_gas - 1) < 0.01
    assert many.push_gas > 9 * few.push_gas / 2
    assert many.claim_gas < 22_500
