"""The chain, seen by the one party that writes to it: one owner of keys and nonces.

A call becomes signed bytes in the outbox, then a transaction in a block, then a receipt in the outbox. Everything that
can go wrong on the way leads to one place, `Chain.settle`: find the last block on which chain and outbox agree, and
send what comes after it again, byte for byte, in order and at its seconds. Equal bytes have equal hashes and a chain
takes each once, so sending too often is harmless; and what may have been sent is on disk, so nothing is forgotten.

web3.py's ``transact`` asks the node for nonce, fee, gas and chain id again for every transaction; here they are known,
and a block of many transactions costs a few requests.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from heritage_contracts.compiled import error_names
from heritage_contracts.deployment import role_key
from heritage_contracts.hashing import keccak256
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import next_block_s
from heritage_contracts.sending.delivery import Block, Delivery, ReorganisedError, Submissions, block_of
from heritage_contracts.sending.outbox import Outbox
from heritage_contracts.sending.pace import OurBlocks, Pace
from heritage_contracts.sending.parcels import Attempt, Mined, Parcel, Transaction
from heritage_contracts.sending.rpc import RefusedError, Rpc, UnreachableError
from heritage_contracts.sending.signing import Fee, Signer, fields_of
from heritage_sim.base import LedgerError, StorageError

if TYPE_CHECKING:
    from web3 import Web3

__all__ = ["Call", "Chain", "Mined", "Submissions", "role_signer"]

_Answer = TypeVar("_Answer")
SILENCES = 6
"""How often in a row a silent node is waited for or started again before giving up."""
REORGANISATIONS = 100
"""How many reorganisations may come while one intent is brought onto the chain."""


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be sent.

    Parameters
    ----------
    role : str
        Who signs.
    to : bytes
        20-byte address; empty to create a contract.
    data : bytes
        Calldata or creation code.
    gas : int
        Gas it asks for.
    intent : str
        Key under which it is sent once for ever, such as ``12|b6b55f25`` (position among the ledger's transactions,
        function); empty where every call is a new one. What else the call says, an epoch's number and root included,
        is held against `content`: one key never stands for two contents.
    """

    role: str
    to: bytes
    data: bytes
    gas: int
    intent: str = ""

    @property
    def content(self) -> bytes:
        """Return a hash of what is asked for, by which a key used for two things is noticed."""
        return keccak256(self.role.encode() + b"\0" + self.to.rjust(20, b"\0") + self.data)


_role_signers: dict[str, Signer] = {}


def role_signer(role: str) -> Signer:
    """Return the simulated wallet of a role; its key is public knowledge."""
    if role not in _role_signers:
        _role_signers[role] = Signer(role_key(role))
    return _role_signers[role]


class Chain:
    """A chain and the outbox of the party that writes to it.

    Opening it settles what an earlier process left open.

    Parameters
    ----------
    node : Rpc or Web3
        The node; of a Web3, its provider.
    outbox : Outbox or None
        Journal; None keeps one in memory.
    pace : Pace or None
        Who makes the blocks; None: we do.
    signer : callable
        Returns a role's `Signer`.
    revive : callable or None
        Called before a silent node is asked again; takes how often that was, and starts or waits for the node.

    Raises
    ------
    LedgerError
        If another chain answers than the outbox belongs to, or nobody answers.
    """

    def __init__(
        self,
        node: Rpc | Web3,
        outbox: Outbox | None = None,
        pace: Pace | None = None,
        signer: Callable[[str], Signer] = role_signer,
        revive: Callable[[int], None] | None = None,
    ) -> None:
        self.rpc = node if isinstance(node, Rpc) else Rpc(node.provider, "the embedded EVM")
        self.outbox = Outbox() if outbox is None else outbox
        self.submissions = Submissions()
        self.chain_id = 0
        self.last_s = 0
        self._pace = OurBlocks(self.rpc) if pace is None else pace
        self._signer = signer
        self._revive = revive
        self._nonces: dict[str, int] = {}
        self._head: Block | None = None
        self._delivery = Delivery(self.rpc, self.outbox, self._pace, self.submissions, self._sign_again, self._address)
        taken_up = [t for p in self.outbox.parcels for t in p.transactions]
        self.submissions.intents = len(taken_up)
        self.submissions.resolved = sum(t.mined is not None for t in taken_up)
        self.settle()

    # ---- writing ------------------------------------------------------------------------------------------------

    def block(self, calls: Sequence[Call], at_s: int) -> list[Mined]:
        """Put calls into one block at ``at_s``, or at the first free second after the last block.

        A call whose intent is already on the chain is answered from the outbox. Where others make the blocks, ``at_s``
        is the earliest second and the calls may come into several blocks, in order.

        Parameters
        ----------
        calls : sequence of Call
            In order.
        at_s : int
            Wished timestamp, seconds.

        Returns
        -------
        list of Mined
            What became of each call.

        Raises
        ------
        LedgerError
            If a contract refuses one of them, with the name of its error; if the node will not take one; or if nobody
            answers. Whatever has been signed stays in the outbox and is settled later.
        StorageError
            If the outbox cannot be written. Nothing has been sent then.
        """
        known = [self._known(call) for call in calls]
        fresh = [call for call, found in zip(calls, known, strict=True) if found is None]
        if fresh or not calls:
            self._patiently(partial(self._pace.ready, at_s))
            parcel = self._sign(fresh, next_block_s(at_s, self.last_s))
            sent = iter(parcel.transactions)
            known = [next(sent) if found is None else found for found in known]
        transactions = [t for t in known if t is not None]
        if not calls or any(t.mined is None for t in transactions):
            self.settle()
        return [self._accepted(call, t) for call, t in zip(calls, transactions, strict=True)]

    def settle(self) -> None:
        """Bring chain and outbox together: receipts checked, what is missing sent again.

        Raises
        ------
        LedgerError
            If nobody answers, another chain answers, or a transaction is not taken.
        """
        silent = moved = 0
        while True:
            delivered = self._delivery.num_delivered
            try:
                self._deliver_open()
                return
            except ReorganisedError:
                self._head = None
                moved += 1
                if moved == REORGANISATIONS:
                    raise
            except UnreachableError:
                self.submissions.count_failure("unreachable")
                self._head = None
                # Whoever got further starts to count anew.
                silent = 0 if self._delivery.num_delivered > delivered else silent + 1
                if self._revive is None or silent == SILENCES:
                    raise
                self._revive(silent)
            except LedgerError:
                # What was given up has freed its nonces.
                self._nonces = {}
                raise

    def _deliver_open(self) -> None:
        recovering = self._head is None or self._latest().hash != self._head.hash
        head = self._find_common() if recovering or self._head is None else self._head
        for parcel in self.outbox.open_parcels():
            block = self._delivery.deliver(parcel, head, recovering)
            # A reorganisation may have taken earlier blocks along; where ours stands right on the last, it did not.
            if block.parent != head.hash and block.hash != head.hash:
                self._delivery.check_stands(head)
            head = self._head = block
            self.last_s = block.at_s

    def mined(self, intent: str) -> Mined | None:
        """Return the receipt of an intent as it is known now: a reorganisation may have moved it. None if open."""
        found = self.outbox.find(intent)
        return found.mined if found else None

    # ---- reading ------------------------------------------------------------------------------------------------

    def read(self, to: bytes, data: bytes, role: str = "relayer", at_s: int | None = None) -> bytes:
        """Return what a call answers on the state after the last block, without writing.

        Parameters
        ----------
        to : bytes
            20-byte address of the contract.
        data : bytes
            Calldata.
        role : str
            Who asks.
        at_s : int, optional
            Second at which it is asked; the last block's without it.

        Returns
        -------
        bytes

        Raises
        ------
        RefusalError
            If the contract refuses, with the name of its error.
        """
        request = {"to": "0x" + to.hex(), "from": "0x" + self._signer(role).address.hex(), "data": "0x" + data.hex()}
        # State and block overrides, as the execution API has them.
        overrides: list[Any] = [] if at_s is None else [{}, {"time": hex(at_s)}]
        try:
            return bytes.fromhex(self._steadily("eth_call", request, "latest", *overrides).removeprefix("0x"))
        except RefusedError as error:
            name = _error_name(error.refusal.data) if error.refusal.data else error.refusal.message
            raise RefusalError(name, "EVM") from None

    def head_hash(self) -> bytes:
        """Return the hash of the last block, which commits to the whole chain."""
        return bytes.fromhex(self._steadily("eth_getBlockByNumber", "latest", False)["hash"][2:])

    def logs(self, contract: bytes, topics: Sequence[bytes]) -> list[bytes]:
        """Return the data of a contract's events with these first topics, oldest first.

        Our own events come from the outbox, which has every receipt; those of others from the node. A node that prunes
        or loses some of ours (a log gap) therefore does not matter, and the gap is counted.
        """
        request = {
            "fromBlock": "0x0",
            "toBlock": "latest",
            "address": "0x" + contract.hex(),
            "topics": ["0x" + topic.hex() for topic in topics],
        }
        ours = [(one.block, one.logs[index][1]) for one, index in self.outbox.logs(contract, topics)]
        mine = {t.attempts[-1].hash for p in self.outbox.parcels for t in p.transactions}
        answered: list[Any] = self._steadily("eth_getLogs", request)
        theirs = [
            (int(log["blockNumber"], 16), bytes.fromhex(log["data"][2:]))
            for log in answered
            if bytes.fromhex(log["transactionHash"][2:]) not in mine
        ]
        self.submissions.log_gaps += max(0, len(ours) + len(theirs) - len(answered))
        return [data for _, data in sorted(ours + theirs, key=lambda pair: pair[0])]

    def close(self) -> None:
        """Let go of the outbox."""
        self.outbox.close()

    # ---- signing ------------------------------------------------------------------------------------------------

    def _known(self, call: Call) -> Transaction | None:
        """Return the transaction that carries an intent, None if it must be sent."""
        found = self.outbox.find(call.intent) if call.intent else None
        if found is None or found.given_up or (found.mined is not None and not found.mined.ok):
            return None
        if found.content != call.content:
            raise LedgerError(
                f"intent {call.intent} was signed with other content before",
                self.outbox.where,
                "An intent key names one transaction for ever; give the new one another key.",
            )
        return found

    def _sign(self, calls: Sequence[Call], at_s: int) -> Parcel:
        fee = self._patiently(self._pace.fee)
        for role in dict.fromkeys(call.role for call in calls):
            self._patiently(partial(self._nonce, role))
        before = dict(self._nonces)
        transactions: list[Transaction] = []
        for call in calls:
            nonce = self._nonce(call.role)
            signed = self._signer(call.role).transaction(self.chain_id, nonce, fee, call.gas, call.to, call.data)
            self._nonces[call.role] = nonce + 1
            transactions.append(
                Transaction(
                    call.intent, call.role, call.content, [Attempt(nonce, signed.raw, signed.hash, fee.max_wei)]
                )
            )
        try:
            parcel = self.outbox.sign(at_s, transactions)
        except StorageError:
            self._nonces = before
            raise
        self.submissions.intents += len(transactions)
        return parcel

    def _sign_again(self, parcel: Parcel, index: int, max_wei: int, renumber: bool) -> Attempt:
        """Sign another attempt at a transaction: with a higher fee, or with the next nonce."""
        transaction = parcel.transactions[index]
        last = transaction.attempts[-1]
        if renumber:
            # The chain knows better than we do: somebody else uses this key.
            self._nonces.pop(transaction.role, None)
        nonce = self._nonce(transaction.role) if renumber else last.nonce
        fields = fields_of(last.raw)
        # A replacement must raise the tip too; in proportion it rises by as much as the whole.
        fee = Fee(max_wei, -(-fields.fee.tip_wei * max_wei // last.max_wei))
        signed = self._signer(transaction.role).transaction(
            self.chain_id, nonce, fee, fields.gas, fields.to, fields.data
        )
        attempt = Attempt(nonce, signed.raw, signed.hash, max_wei)
        self.outbox.try_again(parcel, index, attempt)
        if renumber:
            self._nonces[transaction.role] = nonce + 1
        return attempt

    def _nonce(self, role: str) -> int:
        """Return a role's next nonce: kept here; asked of outbox and chain once."""
        if role not in self._nonces:
            ours = self.outbox.next_nonce(role)
            on_chain = int(self.rpc.ask("eth_getTransactionCount", "0x" + self._address(role).hex(), "latest"), 16)
            self._nonces[role] = on_chain if ours is None else max(ours, on_chain)
        return self._nonces[role]

    def _address(self, role: str) -> bytes:
        return self._signer(role).address

    # ---- settling -----------------------------------------------------------------------------------------------

    def _find_common(self) -> Block:
        """Check that the chain is ours, reopen what comes after the last block both agree on; return the head."""
        self.chain_id = int(self.rpc.ask("eth_chainId"), 16)
        first: Any = self.rpc.ask("eth_getBlockByNumber", "0x0", False)
        self.outbox.bind(self.chain_id, bytes.fromhex(first["hash"][2:]))
        head = self._head = self._latest()
        self.last_s = head.at_s
        closed = [p for p in self.outbox.parcels if not p.is_open]
        # Blocks are a chain: where one agrees, all before it do, so the first that does not is found by bisection.
        common = bisect_left(closed, True, key=lambda p: not self._stands(p, head.number))
        for parcel in closed[common:]:
            self.submissions.count_lost(sum(t.mined is not None for t in parcel.transactions))
            self.outbox.reopen(parcel)
        self._nonces = {}
        return head

    def _stands(self, parcel: Parcel, head: int) -> bool:
        if parcel.block > head:
            return False
        block: Any = self.rpc.ask("eth_getBlockByNumber", hex(parcel.block), False)
        # A node that prunes answers with nothing for blocks that it once had; they are far below any reorganisation.
        return block is None or bytes.fromhex(block["hash"][2:]) == parcel.block_hash

    def _latest(self) -> Block:
        """Return the last block."""
        return block_of(self.rpc.ask("eth_getBlockByNumber", "latest", False))

    def _steadily(self, method: str, *params: Any) -> Any:
        """Return a method's result; a node that falls silent is settled with first."""
        return self._patiently(partial(self.rpc.ask, method, *params))

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return what a question is answered with; a node that falls silent is settled with first."""
        for silent in count():
            try:
                return ask()
            except UnreachableError:
                self._head = None
                if self._revive is None or silent == SILENCES:
                    raise
                self._revive(silent)
                self.settle()
        raise AssertionError("unreachable")

    def _accepted(self, call: Call, transaction: Transaction) -> Mined:
        """Return the receipt of a call that the contract accepted."""
        if transaction.mined is None:
            raise LedgerError(f"the node will not take {call.intent or 'a transaction'}", self.rpc.name)
        if not transaction.mined.ok:
            self.read(call.to, call.data, call.role)
            raise LedgerError("a transaction failed on the chain and not when asked again", "EVM")
        return transaction.mined


def _error_name(data: str) -> str:
    raw = bytes.fromhex(data.removeprefix("0x"))
    return error_names().get(raw[:4], "0x" + raw.hex() if raw else "no reason given")
