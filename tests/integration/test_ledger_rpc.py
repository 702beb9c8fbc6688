"""A ledger on a chain whose blocks others make: no clock of ours, confirmations, fees as the chain asks for them."""

import threading

import pytest
from ledgers import COMMUNITIES, GENESIS_S, NUM_PAYEES, has_anvil, make, record, statement

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, ROLES, role_address
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_contracts.sending.rpc import http_rpc
from heritage_sim.base import DirectPayment

pytestmark = [pytest.mark.integration, pytest.mark.slow]

BLOCK_S = 600


@pytest.fixture
def chain_of_others():
    """Return the URL of a chain on which somebody else makes a block of ten minutes twenty times a second."""
    if not has_anvil():
        pytest.skip("needs Anvil: npm --prefix contracts install, or foundryup")
    from heritage_contracts.nodes.anvil import ManagedAnvil

    stopped = threading.Event()
    with ManagedAnvil(GENESIS_S - DEPLOY_LEAD_S, [role_address(r) for r in ROLES], EMBEDDED_CHAIN_ID) as node:
        others = http_rpc(node.url)

        def make_blocks():
            while not stopped.wait(0.05):
                others.ask("evm_increaseTime", BLOCK_S)
                others.ask("evm_mine")

        maker = threading.Thread(target=make_blocks)
        maker.start()
        yield node.url
        stopped.set()
        maker.join()


def test_a_chain_of_others_gives_the_roots_and_amounts_of_the_reference(chain_of_others, tmp_path):
    config = LedgerConfig(
        kind="rpc", rpc_url=chain_of_others, confirmations=2, poll_seconds=0.05, challenge_window_hours=1.0
    )
    names = [f"payee {i}" for i in range(NUM_PAYEES)]
    asked = []

    def ledger_on_chain():
        made = make_ledger(config, names, GENESIS_S, payee_communities=COMMUNITIES, work_dir=tmp_path)
        ask = made.chain.rpc.ask
        made.chain.rpc.ask = lambda method, *params: (asked.append(method), ask(method, *params))[1]
        return made

    ledger, reference = ledger_on_chain(), make("reference", challenge_window_hours=1.0)
    for one in (ledger, reference):
        one.register([record(0), record(1, [0])], GENESIS_S)
        one.pay([DirectPayment(1, 1_000), DirectPayment(0, 50)], GENESIS_S)
        posting = one.post(statement(0, [5, 0, 10**9, 41, 1]), GENESIS_S)
        settled = one.finalize(0, posting.final_from_s)
        assert settled.withdrawable_s - settled.posted_s >= 3_600
        one.claim([0, 2, 3], settled.withdrawable_s)
    assert not [method for method in asked if method.startswith(("evm_", "anvil_"))]
    shared = ("claimed_units", "withdrawable_units", "deposited_units")
    assert [getattr(ledger, s)() for s in shared[2:]] == [getattr(reference, s)() for s in shared[2:]]
    assert all((getattr(ledger, s)() == getattr(reference, s)()).all() for s in shared[:2])
    assert ledger.commitment(0) == reference.commitment(0)
    assert ledger.audit().token_balance == reference.audit().token_balance
    assert ledger.submissions().unresolved == 0

    # Put down and taken up: nothing is sent again, and the story goes on.
    kept, sent = ledger.snapshot(), ledger.submissions().attempts
    ledger.close()
    again = ledger_on_chain()
    again.restore(kept)
    assert again.submissions().attempts == 0 < sent
    for one in (again, reference):
        posting = one.post(statement(1, [1] * NUM_PAYEES), GENESIS_S + 7_200)
        one.finalize(1, posting.final_from_s)
        one.claim(range(NUM_PAYEES), posting.final_from_s)
    assert (again.claimed_units() == reference.claimed_units()).all()
    assert again.audit().unclaimed == 0
    again.close()
