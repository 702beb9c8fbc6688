"""What the contracts refuse when somebody goes past the client: wrong proofs, haste, strangers, double claims."""

import numpy as np
import pytest

from heritage_contracts import calldata, make_ledger
from heritage_contracts.chain import Call
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import role_address
from heritage_contracts.epoch import make_epoch
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.merkle import build_tree, leaf_of, payee_leaves, proof_of, root_of
from heritage_contracts.schedule import CALL_GAS, DEPLOY_LEAD_S, claim_gas
from heritage_sim.base import LedgerError, ProvenanceRecord, Statement

GENESIS_S = 1_767_225_600
DAY_S = 86_400
UNITS = (5, 0, 10**9, 41)

pytestmark = pytest.mark.integration


def statement(epoch, units):
    amounts = np.array(units, dtype=np.int64)
    return Statement(epoch, "test", int(amounts.sum()), amounts, np.zeros(0, np.int64), ())


def settle(ledger, told, at_s):
    return ledger.finalize(told.epoch, ledger.post(told, at_s).final_from_s)


@pytest.fixture
def ledger():
    return make_ledger(LedgerConfig(kind="evm"), [f"payee {i}" for i in range(len(UNITS))], GENESIS_S)


@pytest.fixture
def settled(ledger):
    settle(ledger, statement(0, UNITS), GENESIS_S)
    return ledger


def epoch_of(ledger, epoch=0, units=UNITS):
    return make_epoch(ledger.deployment, statement(epoch, units), tuple(units), ledger.provenance_head())


def refused(ledger, call, error):
    """Assert that a contract refuses a call with an error, and that the block changed no balance."""
    before = ledger.token_balance_units(), ledger.claimed_units().tolist()
    with pytest.raises(LedgerError, match=rf"the contract refused: {error}\b"):
        ledger.chain.block([call], ledger.last_block_s())
    assert (ledger.token_balance_units(), ledger.claimed_units().tolist()) == before


def claim_call(ledger, payee, cumulative, proof_payee=None, role="relayer"):
    tree = epoch_of(ledger).tree
    proof = proof_of(tree, payee if proof_payee is None else proof_payee)
    data = calldata.claim(ledger.deployment.payee_ids[payee], cumulative, proof)
    return Call(role, ledger.deployment.distributor, data, CALL_GAS)


def wallet_balance(ledger, payee):
    owner = calldata.address_word(ledger.deployment.payee_addresses[payee])
    return int.from_bytes(ledger.chain.read(ledger.deployment.token, calldata.call("balanceOf(address)", owner)), "big")


def test_the_contracts_stand_where_the_deployment_says(ledger):
    at = ledger.deployment
    read = ledger.chain.read
    assert read(at.distributor, calldata.call("token()"))[12:] == at.token
    assert read(at.distributor, calldata.call("registry()"))[12:] == at.registry
    assert read(at.registry, calldata.call("head()")) == at.first_head
    assert ledger.last_block_s() == GENESIS_S - 1 > GENESIS_S - DEPLOY_LEAD_S


def test_claims_reach_the_registered_wallets_whoever_sends_them(settled):
    settled.chain.block([claim_call(settled, 0, 5, role="guardian")], settled.last_block_s())
    settled.claim([2], settled.last_block_s())
    assert [wallet_balance(settled, p) for p in range(4)] == [5, 0, 10**9, 0]
    assert settled.audit().unclaimed == 41


def test_a_second_claim_is_refused_alone_and_passed_over_among_others(settled):
    settled.chain.block([claim_call(settled, 0, 5)], settled.last_block_s())
    refused(settled, claim_call(settled, 0, 5), "NothingDue")
    both = settled.claim_many_call([0, 3], claim_gas(4).of(2))
    (mined,) = settled.chain.block([both], settled.last_block_s())
    paid = [topics[1] for topics, _ in mined.logs if topics[0] == calldata.CLAIMED_TOPIC]
    assert paid == [settled.deployment.payee_ids[3]]
    assert [wallet_balance(settled, p) for p in (0, 3)] == [5, 41]


def test_a_claim_of_more_than_the_leaf_says_is_refused(settled):
    refused(settled, claim_call(settled, 0, 6), "WrongProof")


def test_another_payees_proof_is_refused(settled):
    refused(settled, claim_call(settled, 0, 5, proof_payee=2), "WrongProof")


def test_one_wrong_proof_stops_the_whole_relay(settled):
    ids, tree = settled.deployment.payee_ids, epoch_of(settled).tree
    data = calldata.claim_many([(ids[0], 5, proof_of(tree, 0)), (ids[3], 42, proof_of(tree, 3))])
    refused(settled, Call("relayer", settled.deployment.distributor, data, CALL_GAS), "WrongProof")


def test_an_inner_node_does_not_pass_for_a_leaf(settled):
    tree = epoch_of(settled).tree
    left, right = sorted((leaf_of(tree, 0), leaf_of(tree, 1)))
    data = calldata.claim(left, int.from_bytes(right, "big"), proof_of(tree, 0)[1:])
    refused(settled, Call("relayer", settled.deployment.distributor, data, CALL_GAS), "WrongProof")


def test_finalising_inside_the_window_is_refused(ledger):
    epoch = epoch_of(ledger)
    ledger.chain.block([ledger.mint_call(epoch.total), ledger.post_call(epoch)], GENESIS_S)
    with pytest.raises(LedgerError, match="WindowOpen"):
        ledger.chain.block([ledger.finalize_call(0)], GENESIS_S + DAY_S - 1)
    refused(ledger, claim_call(ledger, 0, 5), "WrongProof")
    ledger.chain.block([ledger.finalize_call(0)], GENESIS_S + DAY_S)
    assert ledger.final_root() == epoch.root


def test_the_guardian_stops_a_pending_root_and_the_epoch_is_posted_again(ledger):
    forged = epoch_of(ledger, units=(10**9 + 46, 0, 0, 0))
    ledger.chain.block([ledger.mint_call(forged.total), ledger.post_call(forged)], GENESIS_S)
    refused(ledger, ledger.dispute_call(1), "WrongEpoch")
    ledger.chain.block([ledger.dispute_call(0)], GENESIS_S + 3600)
    assert ledger.token_balance_units() == 0
    refused(ledger, ledger.finalize_call(0), "NothingPending")
    settle(ledger, statement(0, UNITS), GENESIS_S + 7200)
    assert ledger.verify_epoch(ledger.published_epoch(0)).root == epoch_of(ledger).root
    assert ledger.claim(range(4), GENESIS_S + 2 * DAY_S).amounts_units.tolist() == [5, 10**9, 41]


def test_the_guardian_cannot_touch_a_final_root(settled):
    refused(settled, settled.dispute_call(0), "NothingPending")


@pytest.mark.parametrize("role", ["guardian", "relayer", "treasury"])
def test_only_the_operator_posts_and_registers(ledger, role):
    at = ledger.deployment
    post = ledger.post_call(epoch_of(ledger))
    refused(ledger, Call(role, at.distributor, post.data, CALL_GAS), "NotPoster")
    batch = calldata.register_batch(at.first_head, bytes(36))
    refused(ledger, Call(role, at.registry, batch, CALL_GAS), "NotRegistrar")
    payees = calldata.register_payees([bytes(32)], [role_address(role)])
    refused(ledger, Call(role, at.distributor, payees, CALL_GAS), "NotPoster")


def test_only_the_guardian_disputes_and_only_the_treasury_mints(ledger):
    at = ledger.deployment
    refused(ledger, Call("operator", at.distributor, ledger.dispute_call(0).data, CALL_GAS), "NotGuardian")
    refused(ledger, Call("operator", at.token, ledger.mint_call(1).data, CALL_GAS), "NotMinter")


def test_the_chain_itself_refuses_skipped_epochs_falling_totals_and_missing_deposits(settled):
    refused(settled, settled.post_call(epoch_of(settled, epoch=2)), "WrongEpoch")
    refused(settled, settled.post_call(epoch_of(settled, epoch=1, units=(0, 0, 0, 1))), "TotalFell")
    unfunded = epoch_of(settled, epoch=1, units=(6, 0, 10**9, 41))
    refused(settled, settled.post_call(unfunded), "ERC20InsufficientBalance")


def test_a_second_post_waits_for_the_first(ledger):
    epoch = epoch_of(ledger)
    ledger.chain.block([ledger.mint_call(epoch.total), ledger.post_call(epoch)], GENESIS_S)
    refused(ledger, ledger.post_call(epoch_of(ledger, epoch=1)), "StillPending")


def test_an_epoch_names_the_provenance_it_was_settled_on(ledger):
    stale = epoch_of(ledger)
    ledger.register([ProvenanceRecord(0, bytes(32), 0, 15, ())], GENESIS_S)
    refused(ledger, ledger.post_call(stale), "WrongProvenanceHead")


@pytest.mark.parametrize(
    ("records", "error"),
    [
        (bytes(35) + b"\x01" + word(0)[-4:], "UnknownParent"),  # a work as its own parent
        (bytes(35) + b"\x11" + bytes(68), "TooManyParents"),
        (bytes(40), "no reason given"),  # four bytes too many
        (b"", "EmptyBatch"),
    ],
    ids=["own parent", "17 parents", "bytes left over", "empty"],
)
def test_the_registry_refuses_impossible_records(ledger, records, error):
    data = calldata.register_batch(ledger.deployment.first_head, records)
    refused(ledger, Call("operator", ledger.deployment.registry, data, CALL_GAS), error)


def test_the_registry_refuses_a_batch_built_on_another_head(ledger):
    data = calldata.register_batch(bytes(32), bytes(36))
    refused(ledger, Call("operator", ledger.deployment.registry, data, CALL_GAS), "StaleHead")


def test_a_root_that_promises_more_than_was_paid_in_stops_at_its_ceiling(ledger):
    at = ledger.deployment
    promised, stranger = (7, 8), keccak256(b"nobody registered me")
    ids = [at.payee_ids[0], at.payee_ids[1], stranger]
    tree = build_tree(payee_leaves(at.chain_id, at.distributor, ids, [*promised, 1]))
    words = (word(0), root_of(tree), word(10), ledger.provenance_head(), bytes(32))
    post = calldata.call("post(uint256,bytes32,uint256,bytes32,bytes32)", *words)
    ledger.chain.block([ledger.mint_call(10), Call("operator", at.distributor, post, CALL_GAS)], GENESIS_S)
    ledger.chain.block([ledger.finalize_call(0)], GENESIS_S + DAY_S)

    def claim(i, amount):
        return Call("relayer", at.distributor, calldata.claim(ids[i], amount, proof_of(tree, i)), CALL_GAS)

    ledger.chain.block([claim(0, 7)], GENESIS_S + DAY_S)
    refused(ledger, claim(1, 8), "AboveCeiling")
    refused(ledger, claim(2, 1), "UnknownPayee")
    assert ledger.token_balance_units() == 3


def test_a_payees_wallet_cannot_be_replaced(ledger):
    data = calldata.register_payees(ledger.deployment.payee_ids[:1], [role_address("operator")])
    refused(ledger, Call("operator", ledger.deployment.distributor, data, CALL_GAS), "PayeeExists")


def test_posting_costs_the_same_gas_for_few_and_many_payees():
    gas = []
    for count in (2, 300):
        ledger = make_ledger(LedgerConfig(kind="evm"), [str(i) for i in range(count)], GENESIS_S)
        units = [10**9] * count
        settle(ledger, statement(0, units), GENESIS_S)
        gas.append(settle(ledger, statement(1, units), GENESIS_S + 7 * DAY_S).gas)
    # Zero bytes of calldata cost less than others; hashes and totals differ by a few of them.
    assert abs(gas[0] - gas[1]) < 500
    assert 0 < gas[1] < 130_000
