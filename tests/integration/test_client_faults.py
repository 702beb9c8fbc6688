"""What goes wrong between ledger and chain, done to a real Anvil: afterwards every intent is there exactly once.

About 25 s in all.
"""

import os
import resource
import signal
from itertools import pairwise

import pytest
from minting import FUNDED, GENESIS_S, TOKEN, deploy, mint, mint_call, minted_once

from heritage_contracts.hashing import keccak256, word
from heritage_contracts.nodes.anvil import ManagedAnvil
from heritage_contracts.nodes.faults import FaultSchedule
from heritage_contracts.nodes.faulty import FaultInjector
from heritage_contracts.sending.chain import Call, Chain, role_signer
from heritage_contracts.sending.outbox import FileOutbox
from heritage_contracts.sending.pace import FIXED_FEE, OthersBlocks
from heritage_contracts.sending.rpc import Rpc, http_provider, http_rpc
from heritage_contracts.sending.signing import Fee
from heritage_sim.base import LedgerError, StorageError

pytestmark = pytest.mark.integration


@pytest.fixture
def anvil(anvil_binary):
    with ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary) as node:
        yield node


@pytest.fixture
def box(tmp_path):
    return tmp_path / "outbox.jsonl"


@pytest.fixture
def chain(anvil, box):
    with_token = Chain(anvil.rpc, FileOutbox(box), revive=anvil.revive)
    deploy(with_token)
    yield with_token
    with_token.close()


def reopened(chain, anvil, box):
    """Return the chain as another process would open it."""
    chain.close()
    return Chain(anvil.rpc, FileOutbox(box), revive=anvil.revive)


class CrashError(BaseException):
    """This process dies here."""


class CrashingProvider:
    """Dies at a method, before or after the node got it."""

    has_batches = True

    def __init__(self, provider, method, after):
        self.provider, self.method, self.after = provider, method, after

    def make_request(self, method, params):
        if method == self.method and not self.after:
            raise CrashError
        answer = self.provider.make_request(method, params)
        if method == self.method:
            raise CrashError
        return answer

    def make_batch_request(self, requests):
        if requests[0][0] == self.method and not self.after:
            raise CrashError
        answer = self.provider.make_batch_request(requests)
        if requests[0][0] == self.method:
            raise CrashError
        return answer


# ---- faults by schedule ---------------------------------------------------------------------------------------------

SCHEDULES = [
    FaultSchedule(name="drop", drop=0.3, seed=1),
    FaultSchedule(name="duplicate", duplicate=1.0, seed=1),
    FaultSchedule(name="hang", hang=0.4, seed=1),
    FaultSchedule(name="half_batch", half_batch=0.25, seed=1),
    FaultSchedule(name="underpriced", underpriced=0.2, seed=1),
    FaultSchedule(name="evicted", evicted=0.5, seed=1),
    FaultSchedule(name="reorg", reorg=0.3, seed=1),
    FaultSchedule(name="kill", kill=0.08, seed=3),
]


def run_under(schedule, anvil_binary, num_blocks=12, of=8):
    faults = FaultInjector(schedule)
    with ManagedAnvil(GENESIS_S, FUNDED, program=anvil_binary, wrap=faults.wrap) as node:
        faults.kill = node.kill
        chain = Chain(node.rpc, revive=node.revive)
        deploy(chain)
        for k in range(num_blocks):
            mint(chain, k * of, of, GENESIS_S + 100 * (k + 1))
        chain.settle()
        offers = {len(t.attempts) for p in chain.outbox.parcels for t in p.transactions}
        return faults, minted_once(chain), chain.submissions, node.num_starts, offers


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
def test_every_intent_is_mined_exactly_once_under(schedule, anvil_binary):
    faults, once, counts, _, offers = run_under(schedule, anvil_binary)
    assert once == list(range(96))
    assert faults.struck[schedule.name] > 0
    assert (counts.intents, counts.unresolved) == (97, 0)
    # But for those refused as too cheap, retries send the very bytes that were signed first.
    assert offers == {1} or schedule.name == "underpriced"


def test_all_faults_together_strike_alike_twice(anvil_binary):
    schedule = FaultSchedule(
        name="all",
        drop=0.05,
        duplicate=0.1,
        hang=0.1,
        half_batch=0.1,
        underpriced=0.05,
        evicted=0.1,
        reorg=0.1,
        kill=0.05,
    )
    first, second = (run_under(schedule, anvil_binary) for _ in range(2))
    assert first[1] == list(range(96))
    assert len(first[0].struck) >= 6
    assert (first[0].struck, first[2], first[3]) == (second[0].struck, second[2], second[3])


# ---- faults by hand -------------------------------------------------------------------------------------------------


def test_a_nonce_gap_is_filled_with_the_bytes_that_are_missing(anvil, chain):
    class LosesTheFirst:
        has_batches, lost = True, 0

        def make_request(self, method, params):
            return provider.make_request(method, params)

        def make_batch_request(self, requests):
            if requests[0][0] == "eth_sendRawTransaction" and not self.lost:
                self.lost = 1
                answers = provider.make_batch_request(requests[1:])
                return [{"result": "0x" + keccak256(bytes.fromhex(requests[0][1][0][2:])).hex()}, *answers]
            return provider.make_batch_request(requests)

    provider = http_provider(anvil.url)
    anvil.rpc.use(LosesTheFirst())
    mint(chain, 0, 5)
    assert minted_once(chain) == list(range(5))
    sent = [t.attempts for p in chain.outbox.parcels for t in p.transactions]
    assert all(len(attempts) == 1 for attempts in sent)


def test_a_nonce_that_somebody_else_used_is_replaced_by_the_next(anvil, chain):
    mint(chain, 0, 1)
    foreign = role_signer("treasury").transaction(chain.chain_id, 1, Fee(10**13, 10**9), 50_000, b"\x22" * 20, b"")
    anvil.rpc.ask("eth_sendRawTransaction", "0x" + foreign.raw.hex())
    anvil.rpc.ask("evm_mine")
    mint(chain, 1, 3)
    assert minted_once(chain) == list(range(4))
    assert chain.submissions.failures["low"] == 1


def test_a_nonce_that_is_too_low_after_a_restart_is_replaced_by_the_next(anvil, chain, box):
    mint(chain, 0, 2)
    anvil.rpc.use(CrashingProvider(http_provider(anvil.url), "eth_sendRawTransaction", False))
    with pytest.raises(CrashError):
        mint(chain, 2, 2)
    anvil.rpc.use(http_provider(anvil.url))
    foreign = role_signer("treasury").transaction(chain.chain_id, 2, Fee(10**13, 10**9), 50_000, b"\x22" * 20, b"")
    anvil.rpc.ask("eth_sendRawTransaction", "0x" + foreign.raw.hex())
    anvil.rpc.ask("evm_mine")
    again = reopened(chain, anvil, box)
    assert minted_once(again) == list(range(4))
    mint(again, 4, 1)
    assert minted_once(again) == list(range(5))
    assert again.submissions.failures["low"] >= 1
    assert again.submissions.unresolved == 0
    again.close()


def test_an_underpriced_replacement_offers_an_eighth_more_and_is_journalled_first(anvil, chain, box):
    foreign = role_signer("treasury").transaction(
        chain.chain_id, 0, Fee(2 * FIXED_FEE.max_wei, 2 * FIXED_FEE.tip_wei), 50_000, b"\x22" * 20, b""
    )
    anvil.rpc.ask("eth_sendRawTransaction", "0x" + foreign.raw.hex())
    mint(chain, 0, 3)
    assert minted_once(chain) == [0, 1, 2]
    fees = [a.max_wei for a in chain.outbox.find("mint|0").attempts]
    assert len(fees) > 1
    assert all(8 * later >= 9 * earlier for earlier, later in pairwise(fees))
    assert len(reopened(chain, anvil, box).outbox.find("mint|0").attempts) == len(fees)


def test_a_fee_is_never_raised_above_the_cap(anvil, chain):
    foreign = role_signer("treasury").transaction(chain.chain_id, 0, Fee(10**15, 10**14), 50_000, b"\x22" * 20, b"")
    anvil.rpc.ask("eth_sendRawTransaction", "0x" + foreign.raw.hex())
    with pytest.raises(LedgerError, match="above the cap"):
        mint(chain, 0, 1)
    assert chain.submissions.unresolved == 1


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_receipts_of_reorganised_blocks_are_taken_back_and_their_bytes_sent_again(anvil, chain, depth):
    for k in range(4):
        mint(chain, 2 * k, 2, GENESIS_S + 100 * (k + 1))
    hashes = [chain.mined(f"mint|{i}").block_hash for i in range(8)]
    anvil.rpc.ask("anvil_reorg", depth, [])
    assert minted_once(chain) == list(range(8 - 2 * depth))
    chain.settle()
    assert minted_once(chain) == list(range(8))
    moved = [i for i in range(8) if chain.mined(f"mint|{i}").block_hash != hashes[i]]
    assert moved == list(range(8 - 2 * depth, 8))
    assert chain.submissions.failures == {"lost": 2 * depth}
    assert all(len(t.attempts) == 1 for p in chain.outbox.parcels for t in p.transactions)


def test_a_killed_node_is_rebuilt_block_for_block(anvil, chain):
    for k in range(4):
        mint(chain, 2 * k, 2, GENESIS_S + 100 * (k + 1))
    before = chain.head_hash(), chain.last_s
    os.kill(anvil.pid, signal.SIGKILL)
    assert minted_once(chain) == list(range(8))
    assert (chain.head_hash(), chain.last_s) == before
    assert anvil.num_starts == 2


def test_a_node_restarted_on_an_older_state_gets_what_came_after(anvil, chain):
    mint(chain, 0, 2, GENESIS_S + 100)
    older = anvil.rpc.ask("evm_snapshot")
    mint(chain, 2, 2, GENESIS_S + 200)
    mint(chain, 4, 2, GENESIS_S + 300)
    before = chain.last_s
    assert anvil.rpc.ask("evm_revert", older)
    assert minted_once(chain) == [0, 1]
    mint(chain, 6, 2, GENESIS_S + 400)
    assert minted_once(chain) == list(range(8))
    assert chain.mined("mint|5").at_s == before
    assert chain.submissions.failures == {"lost": 4}


@pytest.mark.parametrize(
    ("method", "after"),
    [
        ("eth_sendRawTransaction", False),
        ("eth_sendRawTransaction", True),
        ("evm_mine", True),
        ("eth_getTransactionReceipt", False),
    ],
)
def test_what_a_crash_interrupted_is_finished_by_the_next_process(anvil, chain, box, method, after):
    mint(chain, 0, 2)
    real = http_provider(anvil.url)
    anvil.rpc.use(CrashingProvider(real, method, after))
    with pytest.raises(CrashError):
        mint(chain, 2, 3)
    anvil.rpc.use(real)
    again = reopened(chain, anvil, box)
    assert minted_once(again) == list(range(5))
    mint(again, 0, 5)
    assert minted_once(again) == list(range(5))
    assert again.submissions.unresolved == 0
    again.close()


def test_what_a_crash_cut_short_in_the_journal_was_never_sent(anvil, chain, box):
    mint(chain, 0, 2)
    size = box.stat().st_size
    chain.close()
    with box.open("ab") as file:
        file.write(b'{"kind":"signed","parcel":2,"at_s":17')
    again = Chain(anvil.rpc, FileOutbox(box), revive=anvil.revive)
    assert box.stat().st_size == size
    mint(again, 2, 1)
    assert minted_once(again) == [0, 1, 2]
    again.close()


def test_a_full_disk_stops_the_sending_and_the_same_intent_goes_through_later(anvil, chain, box):
    mint(chain, 0, 1)
    before, size = chain.submissions.attempts, box.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The system then refuses to let any file grow past this, as a full disk does: half the line is written.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(StorageError, match="outbox cannot be written"):
            mint(chain, 1, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert chain.submissions.attempts == before
    assert box.stat().st_size == size
    assert minted_once(chain) == [0]
    mint(chain, 1, 1)
    assert minted_once(chain) == [0, 1]


def test_transactions_that_anvil_queued_for_ever_come_into_a_block(anvil, chain, box):
    mint(chain, 0, 1)
    # Mining on, and a batch far above 250: Anvil leaves hundreds of such transactions in its queue (client tests of
    # its own would never do this, another client on the same node can).
    fee = FIXED_FEE
    signer = role_signer("relayer")
    raws = [signer.transaction(chain.chain_id, n, fee, 30_000, b"\x33" * 20, word(n)).raw for n in range(600)]
    chain._sign([Call("relayer", b"\x33" * 20, word(n), 30_000, f"stuck|{n}") for n in range(600)], GENESIS_S + 50)
    assert [t.attempts[0].raw for t in chain.outbox.parcels[-1].transactions] == raws
    anvil.rpc.ask("evm_setAutomine", True)
    http_provider(anvil.url).make_batch_request([("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in raws])
    stuck = anvil.rpc.ask("txpool_status")
    anvil.rpc.ask("evm_setAutomine", False)
    again = reopened(chain, anvil, box)
    assert all(again.mined(f"stuck|{n}").ok for n in range(600))
    assert int(anvil.rpc.ask("eth_getTransactionCount", "0x" + signer.address.hex(), "latest"), 16) == 600
    assert again.submissions.unresolved == 0, stuck
    again.close()


def test_a_foreign_chain_on_the_port_is_refused(anvil, chain, box, anvil_binary):
    mint(chain, 0, 1)
    chain.close()
    with (
        ManagedAnvil(GENESIS_S + 1, FUNDED, program=anvil_binary) as foreign,
        pytest.raises(LedgerError, match="another chain answers"),
    ):
        Chain(foreign.rpc, FileOutbox(box))


def test_a_chain_that_changes_under_a_running_client_is_refused(anvil, chain, anvil_binary):
    mint(chain, 0, 1)
    with ManagedAnvil(GENESIS_S + 1, FUNDED, program=anvil_binary) as foreign:
        anvil.rpc.use(http_provider(foreign.url))
        with pytest.raises(LedgerError, match="another chain answers"):
            mint(chain, 1, 1)
        assert int(foreign.rpc.ask("eth_blockNumber"), 16) == 0


def test_a_clock_that_jumped_ahead_moves_the_next_block_and_no_further(anvil, chain):
    anvil.rpc.ask("evm_setNextBlockTimestamp", GENESIS_S + 86_400)
    anvil.rpc.ask("evm_mine")
    (one,) = mint(chain, 0, 1, GENESIS_S + 50)
    assert one.at_s == GENESIS_S + 86_401


def test_events_that_the_node_has_forgotten_come_from_the_outbox(anvil, chain):
    mint(chain, 0, 3)
    topics = [keccak256(b"Transfer(address,address,uint256)")]
    complete = chain.logs(TOKEN, topics)
    assert [int.from_bytes(data, "big") for data in complete] == [1, 2, 4]
    provider = http_provider(anvil.url)

    class ForgetsLogs:
        def make_request(self, method, params):
            answer = provider.make_request(method, params)
            return answer | {"result": answer["result"][:1]} if method == "eth_getLogs" else answer

    anvil.rpc.use(ForgetsLogs())
    assert chain.logs(TOKEN, topics) == complete
    assert chain.submissions.log_gaps == 2


def test_an_intent_key_used_for_something_else_is_refused(chain):
    mint(chain, 0, 1)
    other = mint_call(5)
    with pytest.raises(LedgerError, match="other content"):
        chain.block([Call(other.role, other.to, other.data, other.gas, "mint|0")], 0)


def test_what_the_node_refuses_for_good_frees_its_nonce(chain):
    with pytest.raises(LedgerError, match="refuses a transaction for good"):
        chain.block([mint_call(0, gas=17_000_000)], 0)
    mint(chain, 0, 2)
    assert minted_once(chain) == [0, 1]


def test_what_waits_behind_a_refused_transaction_is_not_mined_later_beside_its_second_signing(anvil, chain):
    with pytest.raises(LedgerError, match="refuses a transaction for good"):
        chain.block([mint_call(0, gas=17_000_000), mint_call(1), mint_call(2)], 0)
    for first, count in ((0, 1), (5, 2), (1, 2)):
        mint(chain, first, count)
    assert minted_once(chain) == [0, 1, 2, 5, 6]


class PoorOnce:
    """Takes the bytes, loses its answer, and from then on says that the sender cannot pay."""

    def __init__(self, provider):
        self.provider, self.seen = provider, 0

    def make_request(self, method, params):
        if method != "eth_sendRawTransaction":
            return self.provider.make_request(method, params)
        self.seen += 1
        if self.seen == 1:
            self.provider.make_request(method, params)
            raise TimeoutError
        error = {"code": -32000, "message": "insufficient funds for gas * price + value"}
        return {"jsonrpc": "2.0", "id": 0, "error": error}


def test_what_a_pool_may_hold_already_is_never_given_up(anvil, chain, box):
    good = http_provider(anvil.url)
    anvil.rpc.use(PoorOnce(good))
    with pytest.raises(LedgerError, match="stay in the outbox"):
        mint(chain, 0, 1)
    anvil.rpc.use(good)
    mint(chain, 0, 2)
    assert minted_once(chain) == [0, 1]
    assert [len(p.transactions) for p in chain.outbox.parcels] == [1, 1, 1]


# ---- chains whose blocks others make --------------------------------------------------------------------------------


def test_on_a_chain_that_mines_by_itself_intents_wait_for_inclusion_and_confirmations(anvil, box):
    anvil.rpc.ask("evm_setIntervalMining", 1)
    rpc = http_rpc(anvil.url)
    chain = Chain(rpc, FileOutbox(box), OthersBlocks(rpc, confirmations=1, poll_s=0.1))
    deploy(chain)
    mint(chain, 0, 3)
    assert minted_once(chain) == [0, 1, 2]
    assert int(rpc.ask("eth_blockNumber"), 16) > chain.mined("mint|2").block
    chain.close()


def test_a_transaction_that_became_too_cheap_is_offered_higher(anvil, box):
    rpc = http_rpc(anvil.url)
    pace = OthersBlocks(rpc, confirmations=0, poll_s=0.02)
    anvil.rpc.ask("evm_setAutomine", True)
    chain = Chain(rpc, FileOutbox(box), pace)
    deploy(chain, at_s=0)

    class DearerAfterSigning:
        """The base fee rises tenfold between the look at the fees and the sending."""

        risen = False

        def make_request(self, method, params):
            if method == "eth_sendRawTransaction" and not self.risen:
                self.risen = True
                provider.make_request("anvil_setNextBlockBaseFeePerGas", [hex(10**10)])
            return provider.make_request(method, params)

    provider = http_provider(anvil.url)
    rpc.use(DearerAfterSigning())
    mint(chain, 0, 1)
    assert minted_once(chain) == [0]
    assert len(chain.outbox.find("mint|0").attempts) > 1
    chain.close()


class Lags:
    """Behind one address: a node with the last block, and one whose receipts come later."""

    def __init__(self, provider, without=6):
        self.provider, self.without = provider, without

    def make_request(self, method, params):
        if method == "eth_getTransactionReceipt" and self.without:
            self.without -= 1
            return {"jsonrpc": "2.0", "id": 0, "result": None}
        return self.provider.make_request(method, params)


def test_a_nonce_that_is_too_low_because_receipts_lag_is_not_signed_anew(anvil, box):
    anvil.rpc.ask("evm_setIntervalMining", 1)
    rpc = http_rpc(anvil.url)
    chain = Chain(rpc, FileOutbox(box), OthersBlocks(rpc, confirmations=2, poll_s=0.1))
    deploy(chain)
    rpc.use(Lags(http_provider(anvil.url), without=16))
    mint(chain, 0, 1)
    assert minted_once(chain) == [0]
    assert len(chain.outbox.find("mint|0").attempts) == 1
    chain.close()


def test_waiting_alone_raises_no_offer(anvil, box):
    rpc = http_rpc(anvil.url)
    chain = Chain(rpc, FileOutbox(box), OthersBlocks(rpc, confirmations=0, poll_s=0.01, patience_s=0.4))
    with pytest.raises(LedgerError, match="in no block"):
        deploy(chain, at_s=0)
    assert len(chain.outbox.find("deploy").attempts) == 1
    chain.close()


def test_nobody_answering_is_one_clear_error():
    with pytest.raises(LedgerError, match="the node does not answer"):
        Chain(Rpc(http_provider("http://127.0.0.1:9/secret-key", 1.0), "http://127.0.0.1:9"))
