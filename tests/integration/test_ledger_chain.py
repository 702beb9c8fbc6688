"""What the contracts refuse when somebody goes past the client: wrong proofs, strangers, double claims; and costs.

On the embedded chain. The contracts' own tests attack them further; here stand the calls as this client writes them.
"""

import numpy as np
import pytest
from ledgers import DAY_S, GENESIS_S, make, record, settle, statement

from heritage_contracts import calldata
from heritage_contracts.deployment import role_address
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import CALL_GAS, DEPLOY_LEAD_S
from heritage_contracts.sending.chain import Call
from heritage_contracts.sending.signing import fields_of
from heritage_contracts.trees.epoch import make_epoch
from heritage_contracts.trees.merkle import build_tree, leaf_of, payee_leaves, proof_of, root_of
from heritage_sim.base import DirectPayment, LedgerError

UNITS = (5, 0, 10**9, 41)

pytestmark = pytest.mark.integration


@pytest.fixture
def ledger():
    return make("evm", len(UNITS))


@pytest.fixture
def settled(ledger):
    settle(ledger, statement(0, UNITS), GENESIS_S)
    return ledger


def epoch_of(ledger, epoch=0, units=UNITS):
    return make_epoch(ledger.deployment, statement(epoch, units), tuple(units), ledger.provenance_head())


def refused(ledger, call, error):
    """Assert that a contract refuses a call with an error, asked before or sent, and that no balance changes."""
    before = ledger.token_balance_units(), ledger.claimed_units().tolist()
    with pytest.raises(RefusalError) as refusal:
        ledger._one(call, ledger.last_block_s())
    assert refusal.value.reason == error
    with pytest.raises(RefusalError, match=rf"\b{error}\b"):
        ledger.chain.block([call], ledger.last_block_s())
    assert (ledger.token_balance_units(), ledger.claimed_units().tolist()) == before


def claim_call(ledger, payee, cumulative, proof_payee=None, role="relayer"):
    proof = epoch_of(ledger).proof(payee if proof_payee is None else proof_payee)
    data = calldata.claim(ledger.deployment.payee_ids[payee], cumulative, proof)
    return Call(role, ledger.deployment.distributor, data, CALL_GAS)


def wallet_balance(ledger, payee):
    return ledger.balance_of(ledger.deployment.payee_addresses[payee])


def test_the_contracts_stand_where_the_deployment_says(ledger):
    at, read = ledger.deployment, ledger.chain.read
    stands = {
        (at.distributor, "token()"): at.token,
        (at.distributor, "payees()"): at.payees,
        (at.distributor, "provenance()"): at.registry,
        (at.pool, "token()"): at.token,
        (at.pool, "payees()"): at.payees,
        (at.pool, "provenance()"): at.registry,
        (at.registry, "payees()"): at.payees,
    }
    assert {where: read(where[0], calldata.call(where[1]))[12:] for where in stands} == stands
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
    both = settled.calls.claim_multi([0, 3], epoch_of(settled), CALL_GAS)
    (mined,) = settled.chain.block([both], settled.last_block_s())
    paid = [topics[1] for topics, _ in mined.logs if topics[0] == calldata.CLAIMED_TOPIC]
    assert paid == [settled.deployment.payee_ids[3]]
    assert [wallet_balance(settled, p) for p in (0, 3)] == [5, 41]


def test_a_claim_of_more_than_the_leaf_says_is_refused(settled):
    refused(settled, claim_call(settled, 0, 6), "WrongProof")


def test_another_payees_proof_is_refused(settled):
    refused(settled, claim_call(settled, 0, 5, proof_payee=2), "WrongProof")


def test_one_wrong_proof_stops_the_whole_relay(settled):
    ids, epoch = settled.deployment.payee_ids, epoch_of(settled)
    data = calldata.claim_many([(ids[0], 5, epoch.proof(0)), (ids[3], 42, epoch.proof(3))])
    refused(settled, Call("relayer", settled.deployment.distributor, data, CALL_GAS), "WrongProof")


def test_an_inner_node_does_not_pass_for_a_leaf(settled):
    tree = epoch_of(settled).tree
    left, right = sorted((leaf_of(tree, 0), leaf_of(tree, 1)))
    data = calldata.claim(left, int.from_bytes(right, "big"), proof_of(tree, 0)[1:])
    refused(settled, Call("relayer", settled.deployment.distributor, data, CALL_GAS), "WrongProof")


def test_a_refusal_of_the_contract_is_known_before_anything_is_sent(ledger):
    before = ledger.chain.head_hash()
    for intent in (lambda: ledger.finalize(0, GENESIS_S), lambda: ledger.post(statement(1, UNITS), GENESIS_S)):
        with pytest.raises(RefusalError):
            intent()
    assert ledger.chain.head_hash() == before


@pytest.mark.parametrize("role", ["guardian", "relayer", "treasury", "admin", "author"])
def test_each_role_has_its_own_powers_and_no_other(ledger, role):
    at, calls = ledger.deployment, ledger.calls
    post = calls.post(epoch_of(ledger))
    batch = calldata.register_batch(at.first_head, bytes(75))
    payees = calldata.register_payees([bytes(32)], [role_address(role)], [0])
    for call in (
        Call(role, post.to, post.data, CALL_GAS),
        Call(role, at.registry, batch, CALL_GAS),
        Call(role, at.payees, payees, CALL_GAS),
    ):
        refused(ledger, call, "AccessControlUnauthorizedAccount")
    if role != "guardian":
        refused(
            ledger,
            Call(role, at.distributor, calls.dispute(0).data, CALL_GAS),
            "AccessControlUnauthorizedAccount",
        )
    if role != "treasury":
        refused(ledger, Call(role, at.token, calls.mint(bytes(19) + b"\1", 1).data, CALL_GAS), "NotMinter")


def test_the_chain_itself_refuses_falling_totals_and_missing_deposits(settled):
    refused(settled, settled.calls.post(epoch_of(settled, epoch=1, units=(0, 0, 0, 1))), "TotalFell")
    unfunded = epoch_of(settled, epoch=1, units=(2**62, 2**62, 10**9, 41))
    words = (word(1), unfunded.root, word(2**120), unfunded.provenance_head, unfunded.data_hash)
    data = calldata.call("post(uint256,bytes32,uint256,bytes32,bytes32)", *words)
    refused(settled, Call("poster", settled.deployment.distributor, data, CALL_GAS), "ERC20InsufficientBalance")


def test_an_epoch_names_the_provenance_it_was_settled_on(ledger):
    stale = epoch_of(ledger)
    ledger.register([record(0)], GENESIS_S)
    refused(ledger, ledger.calls.post(stale), "WrongProvenanceHead")


@pytest.mark.parametrize(
    ("records", "error"),
    [
        (bytes(73) + b"\x01\x00" + bytes(32), "UnknownParent"),  # a work as its own parent
        (bytes(73) + b"\x11\x00" + bytes(17 * 32), "TooManyParents"),
        (bytes(79), "RecordTooShort"),  # four bytes too many
        (b"", "EmptyBatch"),
    ],
    ids=["own parent", "17 parents", "bytes left over", "empty"],
)
def test_the_registry_refuses_impossible_records(ledger, records, error):
    data = calldata.register_batch(ledger.deployment.first_head, records)
    refused(ledger, Call("registrar", ledger.deployment.registry, data, CALL_GAS), error)


def test_the_registry_refuses_a_batch_built_on_another_head(ledger):
    data = calldata.register_batch(bytes(32), bytes(75))
    refused(ledger, Call("registrar", ledger.deployment.registry, data, CALL_GAS), "StaleHead")


def test_a_root_that_promises_more_than_was_paid_in_stops_at_its_ceiling(ledger):
    at = ledger.deployment
    promised, stranger = (7, 8), keccak256(b"nobody registered me")
    ids = [at.payee_ids[0], at.payee_ids[1], stranger]
    tree = build_tree(payee_leaves(at.chain_id, at.distributor, ids, [*promised, 1]))
    words = (word(0), root_of(tree), word(10), ledger.provenance_head(), bytes(32))
    post = calldata.call("post(uint256,bytes32,uint256,bytes32,bytes32)", *words)
    ledger.chain.block([Call("poster", at.distributor, post, CALL_GAS)], GENESIS_S)
    ledger.chain.block([ledger.calls.finalize(0)], GENESIS_S + DAY_S)

    def claim(i, amount):
        return Call("relayer", at.distributor, calldata.claim(ids[i], amount, proof_of(tree, i)), CALL_GAS)

    ledger.chain.block([claim(0, 7)], GENESIS_S + DAY_S)
    refused(ledger, claim(1, 8), "AboveCeiling")
    refused(ledger, claim(2, 1), "UnknownPayee")
    assert ledger.token_balance_units() == 3


def test_a_payees_wallet_cannot_be_replaced_by_the_registrar(ledger):
    data = calldata.register_payees(ledger.deployment.payee_ids[:1], [role_address("registrar")], [0])
    refused(ledger, Call("registrar", ledger.deployment.payees, data, CALL_GAS), "PayeeExists")


def test_only_the_holder_signs_for_the_holder(ledger):
    at = ledger.deployment
    stranger, new = at.wallet(1), at.wallet_address(0, 1)
    refused(ledger, ledger.calls.request_rotation(0, stranger, new, 0, ledger.last_block_s()), "WrongSignature")
    used = ledger.calls.request_rotation(0, at.wallet(0), new, 0, ledger.last_block_s() + DAY_S)
    ledger.chain.block([used], ledger.last_block_s())
    refused(ledger, used, "WrongSignature")


def test_posting_and_finalising_costs_the_same_for_few_and_many_payees():
    gas = []
    for count in (10, 300):
        ledger = make("evm", count, challenge_window_hours=0.0)
        for epoch in range(9):
            # The ring of eight roots is full from the ninth epoch on.
            done = settle(ledger, statement(epoch, [10**9] * count), GENESIS_S + epoch * 7 * DAY_S)
        gas.append(done.gas)
    # Zero bytes of calldata cost less than others; hashes and totals differ by a few of them.
    assert abs(gas[0] - gas[1]) < 0.01 * gas[0]
    assert 50_000 < gas[1] <= 110_000


def test_bounds_of_gas_hold_with_room_for_the_dearest_of_each_kind():
    """Each transaction uses at most nine tenths of what it asks for: first claims, first credits, many stems."""
    ledger = make("evm", 40, communities=[0, 1, *(i % 2 for i in range(38))])
    stems = tuple((p, 625) for p in range(16))
    ledger.register([record(i, stems=stems) for i in range(60)], GENESIS_S)
    ledger.register([record(60 + i, range(i, 7 + i), 1_000, stems=stems) for i in range(3)], GENESIS_S)
    ledger.pay([DirectPayment(i, 10**6) for i in range(10)], GENESIS_S)
    ledger.pay([DirectPayment(60 + i, 10**6) for i in range(3)], GENESIS_S)
    settle(ledger, statement(0, np.arange(40) + 1), GENESIS_S + DAY_S)
    ledger.claim(range(0, 40, 3), GENESIS_S + 3 * DAY_S)
    ledger.claim(range(40), GENESIS_S + 4 * DAY_S)
    settle(ledger, statement(1, np.arange(40) + 1), GENESIS_S + 5 * DAY_S)
    ledger.claim(range(40), GENESIS_S + 7 * DAY_S)
    for parcel in ledger.chain.outbox.parcels:
        for transaction in parcel.transactions:
            asked = fields_of(transaction.attempts[-1].raw).gas
            assert transaction.mined.gas_used <= 0.9 * asked, (transaction.intent, transaction.mined.gas_used, asked)


# ---- when others act, and when sending breaks off ---------------------------------------------------------------


def ask_as_members(ledger, payee, wallet=1):
    """Let a payee's community ask for a rotation past the client."""
    accounts = ledger.account_of(payee), ledger.deployment.wallet_address(payee, wallet)
    asked = ledger.calls.request_rotation_by_community(payee, [0, 1], accounts, 0, ledger.last_block_s())
    ledger.chain.block([asked], ledger.last_block_s())


def test_who_is_passed_over_without_our_knowing_is_paid_later():
    ledger = make("evm")
    ledger.register([record(0, stems=((2, 10_000),))], GENESIS_S)
    ledger.pay([DirectPayment(0, 7)], GENESIS_S + 60)
    settle(ledger, statement(0, [0, 0, 10, 20, 0]), GENESIS_S + 120)
    ask_as_members(ledger, 2)
    at_s = ledger.last_block_s() + 60
    assert ledger.claim([2, 3], at_s).payee_ids.tolist() == [3]
    at_s += ledger.config.rotation_delay_s
    ledger.chain.block([ledger.calls.complete_rotation(2)], at_s)
    paid = ledger.claim([2, 3], at_s + 60)
    assert (paid.payee_ids.tolist(), paid.amounts_units.tolist()) == ([2], [17])
    assert ledger.balance_of(ledger.deployment.wallet_address(2, 1)) == 17


def test_what_anybody_may_do_is_taken_as_done_where_somebody_did_it_first():
    ledger = make("evm")
    posting = ledger.post(statement(0, [0, 0, 10, 20, 0]), GENESIS_S)
    ledger.chain.block([ledger.calls.finalize(0)], posting.final_from_s)
    settled = ledger.finalize(0, posting.final_from_s + 600)
    assert settled.withdrawable_s == posting.final_from_s
    assert ledger.num_final == 1
    ledger.request_rotation(2, 1, posting.final_from_s + 700, signers=[0, 1])
    done_s = ledger.last_block_s() + ledger.config.rotation_delay_s
    ledger.chain.block([ledger.calls.complete_rotation(2)], done_s)
    with pytest.raises(RefusalError, match="WrongSignature"):
        ledger.cancel_rotation(2, done_s + 60)
    ledger.complete_rotation(2, done_s + 60)
    assert ledger.claim([2], done_s + 120).amounts_units.tolist() == [10]
    assert ledger.balance_of(ledger.deployment.wallet_address(2, 1)) == 10
    # The new holder's signature is the one that counts, by its own books too.
    ledger.request_rotation(2, 0, done_s + 180)
    with pytest.raises(RefusalError, match="NothingPending"):
        ledger.finalize(0, done_s + 200)


def test_a_claim_that_broke_off_between_two_blocks_is_asked_for_again(monkeypatch):
    ledgers = [make("reference"), make("evm")]
    for ledger in ledgers:
        ledger.register([record(0, stems=((2, 10_000),))], GENESIS_S)
        ledger.pay([DirectPayment(0, 7)], GENESIS_S + 60)
        settle(ledger, statement(0, [0, 0, 10, 20, 0]), GENESIS_S + 120)
    reference, ledger = ledgers
    at_s = ledger.last_block_s() + 60
    blocks = iter([ledger.chain.block])

    def breaks_off(calls, at_s):
        for block in blocks:
            return block(calls, at_s)
        raise LedgerError("nobody answers", "a node that is gone")

    with monkeypatch.context() as broken:
        broken.setattr(ledger.chain, "block", breaks_off)
        with pytest.raises(LedgerError, match="nobody answers"):
            ledger.claim([2, 3], at_s)
    paid, expected = ledger.claim([2, 3], at_s), reference.claim([2, 3], at_s)
    assert paid.amounts_units.tolist() == expected.amounts_units.tolist() == [17, 20]
    assert ledger.fingerprint() == reference.fingerprint()
    ledger.restore(ledger.snapshot())
    assert ledger.fingerprint() == reference.fingerprint()


def test_anybody_may_ask_the_embedded_chain_and_pays_nothing():
    ledger = make("evm")
    settle(ledger, statement(0, [1, 2, 3, 4, 5]), GENESIS_S)
    at = ledger.deployment
    held = calldata.call("balanceOf(address)", calldata.address_word(at.distributor))
    asked = {"from": "0x" + "00" * 20, "to": "0x" + at.token.hex(), "data": "0x" + held.hex()}
    assert int(ledger.chain.rpc.ask("eth_call", asked, "latest"), 16) == 15
