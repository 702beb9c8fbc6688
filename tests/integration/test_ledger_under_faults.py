"""A ledger on Anvil while everything goes wrong: every payee is paid what the reference ledger says, to the unit.

About 6 s.
"""

import numpy as np
import pytest
from ledgers import DAY_S, GENESIS_S, NUM_PAYEES, books, make, record, statement

from heritage_contracts.nodes import faults
from heritage_contracts.nodes.faults import FaultSchedule
from heritage_sim.base import DirectPayment

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("anvil_binary")]

HARSH = FaultSchedule(
    name="harsh",
    drop=0.05,
    duplicate=0.2,
    hang=0.03,
    half_batch=0.05,
    underpriced=0.05,
    evicted=0.1,
    reorg=0.05,
    kill=0.02,
)


def lived(ledger):
    """Live twelve days: works, payments for them, an epoch a day, claims by some and in the end by all."""
    now = GENESIS_S + DAY_S
    ledger.register([record(0), record(1, (0,)), record(2, (0, 1))], now)
    for day in range(12):
        now += DAY_S
        ledger.pay([DirectPayment(day % 3, 1_000_003 + day)], now)
        posted = ledger.post(statement(day, [day * 17 + 1, 0, 5_003, 71 * day, 999]), now + 60)
        ledger.finalize(day, posted.final_from_s)
        now = posted.final_from_s + 60
        ledger.claim(np.arange(day % 2, NUM_PAYEES if day == 11 else 3), now)
    ledger.claim(np.arange(NUM_PAYEES), now + 60)
    return ledger


def under(schedule, monkeypatch):
    monkeypatch.setitem(faults.NAMED, schedule.name, schedule)
    return lived(make("anvil", faults=schedule.name))


@pytest.mark.parametrize("seed", [2, 4])
def test_every_payee_is_paid_what_the_reference_says_while_everything_goes_wrong(monkeypatch, seed):
    said = lived(make("reference"))
    done = under(HARSH.model_copy(update={"seed": seed}), monkeypatch)
    assert books(done) == books(said)
    assert done.withdrawable_units().sum() == 0
    counts = done.chain.submissions
    assert counts.unresolved == 0
    assert {"lost", "vanished"} <= set(counts.failures)
    done.close()
