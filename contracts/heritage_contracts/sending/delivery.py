"""Delivery: from signed bytes to receipts, whatever the node says in between.

One parcel at a time goes through rounds: send what has no receipt, make (or wait for) a block, ask for receipts by
hash. A round that brings nothing is followed by stronger means, each of them safe to use too often: the same bytes
again; out of the pool and in again; the same nonce with a higher fee, journalled first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

from heritage_contracts.schedule import next_block_s
from heritage_contracts.sending.outbox import Outbox
from heritage_contracts.sending.pace import Pace, raised, refusal_kind, try_ask
from heritage_contracts.sending.parcels import Attempt, Mined, Parcel, Transaction
from heritage_contracts.sending.rpc import BATCH_REQUESTS, Refusal, RefusedError, Rpc, UnreachableError
from heritage_sim.base import LedgerError

BLOCKS_BEFORE_MORE = 3
"""Blocks that may pass a transaction by before it offers more."""
UNDOINGS = 8
"""How often a block of ours that lacks some of its parcel is made again."""
GATHERINGS = 20
"""How often what a pool lost is sent again before a block is made without it."""


@dataclass(slots=True)
class Submissions:
    """What it took to get intents onto the chain; the denominator and numerator of the failure rate.

    Parameters
    ----------
    intents : int
        Transactions signed, or taken up from the outbox.
    resolved : int
        Of these, with a receipt (a later reorganisation takes it back).
    attempts : int
        Times signed bytes were given to a node.
    failures : dict of str to int
        Failed attempts and other faults by kind: unreachable, price, low, high, final (a node's refusals),
        vanished (taken and then in no block), lost (in a block that a reorganisation or a restart took away).
    log_gaps : int
        Events of ours that a node did not have.
    """

    intents: int = 0
    resolved: int = 0
    attempts: int = 0
    failures: dict[str, int] = field(default_factory=dict[str, int])
    log_gaps: int = 0

    @property
    def unresolved(self) -> int:
        """Return how many intents have no receipt."""
        return self.intents - self.resolved

    @property
    def failed_attempts(self) -> int:
        """Return how many attempts did not lead into a block."""
        return sum(self.failures.get(kind, 0) for kind in ("price", "low", "high", "final", "vanished", "lost"))

    def count_failure(self, kind: str, times: int = 1) -> None:
        """Count a fault."""
        if times:
            self.failures[kind] = self.failures.get(kind, 0) + times

    def count_lost(self, times: int) -> None:
        """Count receipts that are no longer true."""
        self.count_failure("lost", times)
        self.resolved -= times


class ReorganisedError(LedgerError):
    """A block that held something of ours is no longer on the chain."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header, as far as it matters here.

    Parameters
    ----------
    number : int
        Its height.
    hash, parent : bytes
        Its hash and that of the block below it.
    at_s : int
        Its timestamp.
    base_fee_wei : int
        What a unit of gas cost at least.
    """

    number: int
    hash: bytes
    parent: bytes
    at_s: int
    base_fee_wei: int


def block_of(header: dict[str, Any]) -> Block:
    """Return a block from its JSON."""
    return Block(
        number=int(header["number"], 16),
        hash=bytes.fromhex(header["hash"][2:]),
        parent=bytes.fromhex(header["parentHash"][2:]),
        at_s=int(header["timestamp"], 16),
        base_fee_wei=int(header.get("baseFeePerGas") or "0x0", 16),
    )


class Delivery:
    """Brings parcels into blocks.

    Parameters
    ----------
    rpc : Rpc
        The node.
    outbox : Outbox
        Where attempts and receipts are put down.
    pace : Pace
        Who makes the blocks.
    submissions : Submissions
        Counts, kept up to date.
    sign_again : callable
        Takes parcel, index, fee and whether to take the next nonce; signs and journals another attempt.
    address_of : callable
        Returns a role's 20-byte address.
    """

    def __init__(
        self,
        rpc: Rpc,
        outbox: Outbox,
        pace: Pace,
        submissions: Submissions,
        sign_again: Callable[[Parcel, int, int, bool], Attempt],
        address_of: Callable[[str], bytes],
    ) -> None:
        self._rpc = rpc
        self._outbox = outbox
        self._pace = pace
        self._counts = submissions
        self._sign_again = sign_again
        self._address_of = address_of
        self._sent: set[bytes] = set()
        self._recovering = False
        self._offered_at = 0
        self._last: Block | None = None
        self.num_delivered = 0

    def deliver(self, parcel: Parcel, base: Block, recovering: bool) -> Block:
        """Return the last block, once every transaction of a parcel has a receipt that the outbox holds.

        Parameters
        ----------
        parcel : Parcel
            Open.
        base : Block
            The last block, with everything before the parcel.
        recovering : bool
            Whether a crash, a silence or a reorganisation came in between, so that it may be in a block already.

        Returns
        -------
        Block

        Raises
        ------
        LedgerError
            If the node will not take one of them, or no block does.
        UnreachableError
            If the node falls silent.
        ReorganisedError
            If ``base`` is no longer on the chain, so that what came before has to be sent first.
        """
        self._sent.clear()
        self._recovering, self._offered_at = recovering, base.number
        last_s = base.at_s
        if recovering:
            self._look_up(_missing(parcel))
        idle = rounds = 0
        undone = int(recovering and self._is_torn(parcel) and self._undo(parcel, base))
        while True:
            if rounds > 1:
                # Blocks were made between the receipts: one that came early may be gone again.
                self._look_up_again(parcel)
            missing = _missing(parcel)
            if not missing and (parcel.transactions or rounds):
                return self._confirm(parcel)
            rounds += 1
            missing = self._pace.sendable(missing)
            step = self._pace.step(idle)
            if step == "stop":
                raise LedgerError(
                    f"{len(missing)} transactions are in no block; first: {missing[0].intent or 'without a key'}",
                    self._rpc.name,
                    "They stay in the outbox and are sent again when the ledger is next opened.",
                )
            low = set[int]() if step == "wait" else self._send(parcel, missing, step)
            if undone:
                self._gather(parcel, missing)
            self._pace.advance(next_block_s(parcel.at_s, last_s))
            found = self._look_up(missing)
            for index in low:
                if self._is_used_by_another(parcel.transactions[index]):
                    # None of our attempts can come into a block any more.
                    self._counts.count_failure("low")
                    self._sign_again(parcel, index, parcel.transactions[index].attempts[-1].max_wei, True)
            idle = 0 if found else idle + 1
            if _missing(parcel):
                self.check_stands(base)
                if not low and undone < UNDOINGS and self._undo(parcel, base):
                    undone += 1
                last_s = self._block("latest").at_s

    def check_stands(self, block: Block) -> None:
        """Raise a ReorganisedError if a block that was the last one is no longer on the chain."""
        known: Any = self._rpc.ask("eth_getBlockByNumber", hex(block.number), False)
        if known is None or block_of(known).hash != block.hash:
            raise ReorganisedError(f"block {block.number} is no longer on the chain", self._rpc.name)

    # ---- one block, or none --------------------------------------------------------------------------------------

    def _is_torn(self, parcel: Parcel) -> bool:
        return any(t.mined is not None for t in parcel.transactions) and bool(_missing(parcel))

    def _undo(self, parcel: Parcel, base: Block) -> bool:
        """Take back a block of ours that lacks some of a parcel; return whether that was done.

        A parcel's calls may need each other across senders, and the next parcel may need this one's second: mined in
        parts, or late, when a lost chain is made again, a call that was accepted once would be refused.
        """
        vanished = len(_missing(parcel))
        if not self._pace.take_back(base.number):
            return False
        self._counts.count_failure("vanished", vanished)
        for transaction in parcel.transactions:
            transaction.mined = None
        self._recovering = True
        self._sent.clear()
        return True

    def _gather(self, parcel: Parcel, missing: Sequence[Transaction]) -> None:
        """Send again, before the next block is made, what did not stay in the node's pool."""
        for _ in range(GATHERINGS):
            asked = [["0x" + t.attempts[-1].hash.hex()] for t in missing]
            answers = self._rpc.ask_many("eth_getTransactionByHash", asked)
            missing = [t for t, answer in zip(missing, answers, strict=True) if not isinstance(answer, dict)]
            if not missing:
                return
            self._send(parcel, missing, "send")

    # ---- sending ------------------------------------------------------------------------------------------------

    def _send(self, parcel: Parcel, missing: Sequence[Transaction], step: str) -> set[int]:
        """Send what is missing; return the indices whose nonce the chain says is used."""
        if not missing:
            return set()
        index_of = {id(t): i for i, t in enumerate(parcel.transactions)}
        again = [t for t in missing if t.attempts[-1].hash in self._sent]
        self._counts.count_failure("vanished", len(again))
        if step == "free":
            for transaction in again:
                try_ask(self._rpc, "anvil_dropTransaction", "0x" + transaction.attempts[-1].hash.hex())
        if step == "bump":
            self._offer_more(parcel, [index_of[id(transaction)] for transaction in again])
        low = set[int]()
        # Requests of one batch may be worked on at once: only what one key numbers keeps its order in it.
        for _, run in groupby(missing, key=lambda t: t.role):
            part = list(run)
            for first in range(0, len(part), BATCH_REQUESTS):
                low |= self._send_batch(parcel, part[first : first + BATCH_REQUESTS], index_of)
        return low

    def _send_batch(self, parcel: Parcel, part: Sequence[Transaction], index_of: dict[int, int]) -> set[int]:
        low = set[int]()
        pending = list(part)
        while pending:
            self._counts.attempts += len(pending)
            answers = self._rpc.ask_many("eth_sendRawTransaction", [["0x" + t.attempts[-1].raw.hex()] for t in pending])
            kinds = [refusal_kind(a.message) if isinstance(a, Refusal) else "known" for a in answers]
            sent_before = set(self._sent)
            self._sent.update(t.attempts[-1].hash for t, kind in zip(pending, kinds, strict=True) if kind == "known")
            bumped: list[Transaction] = []
            for transaction, answer, kind in zip(pending, answers, kinds, strict=True):
                index = index_of[id(transaction)]
                if kind == "known":
                    continue
                if kind == "low":
                    low.add(index)
                    continue
                self._counts.count_failure(kind)
                if kind == "price":
                    self._bump(parcel, index)
                    bumped.append(transaction)
                elif kind == "final":
                    self._refused(parcel, index, answer.message, transaction.attempts[-1].hash in sent_before)
            pending = bumped
        return low

    def _bump(self, parcel: Parcel, index: int) -> None:
        last = parcel.transactions[index].attempts[-1]
        floor = 2 * self._block("latest").base_fee_wei
        self._sign_again(parcel, index, raised(last.max_wei, floor, self._pace.cap_wei), False)

    def _offer_more(self, parcel: Parcel, indices: Sequence[int]) -> None:
        """Sign again what several blocks have passed by; what is at the cap already stays as it is.

        Where no block was made, a higher fee could not have helped: offers rise with blocks, never with waiting alone.
        """
        head = self._block("latest")
        if head.number < self._offered_at + BLOCKS_BEFORE_MORE:
            return
        self._offered_at = head.number
        for index in indices:
            last_wei = parcel.transactions[index].attempts[-1].max_wei
            if last_wei + -(-last_wei // 8) <= self._pace.cap_wei:
                self._bump(parcel, index)

    def _refused(self, parcel: Parcel, index: int, message: str, sent_before: bool) -> None:
        """Take a transaction that the node will not have, and its role's later ones in the parcel, out of the outbox.

        That frees their numbers for others, so it is done only where none of them can come into a block: what a pool
        may hold (from an earlier attempt, an earlier process, or behind the gap) stays open and is sent again later.
        """
        refused = parcel.transactions[index]
        self._look_up(_missing(parcel))
        if refused.mined is not None:
            return
        later = [i for i, t in enumerate(parcel.transactions) if i >= index and t.role == refused.role]
        open_ = [i for i in later if parcel.transactions[i].mined is None and not parcel.transactions[i].given_up]
        number = refused.attempts[-1].nonce
        maybe_held = self._recovering or sent_before or sum(a.nonce == number for a in refused.attempts) > 1
        behind = [h for i in open_ if (h := parcel.transactions[i].attempts[-1].hash) in self._sent]
        if maybe_held or (behind and not self._leaves_pool(refused.role, behind)):
            raise LedgerError(
                f"the node refuses a transaction now: {message}",
                self._rpc.name,
                "It, or one after it, may be in a pool already, so they stay in the outbox; mend the cause and go on.",
            )
        # Last first: a nonce is free again only where nothing stands on it.
        for i in reversed(open_):
            self._outbox.give_up(parcel, i)
        raise LedgerError(f"the node refuses a transaction for good: {message}", self._rpc.name)

    def _leaves_pool(self, role: str, hashes: Sequence[bytes]) -> bool:
        """Empty the pool of a role's transactions, on a chain of our own; return whether they are surely out.

        (``anvil_dropTransaction`` leaves those that wait behind a gap where they are.)
        """
        try:
            self._rpc.ask("anvil_removePoolTransactions", "0x" + self._address_of(role).hex())
        except RefusedError:
            return False
        return all(self._rpc.ask("eth_getTransactionByHash", "0x" + h.hex()) is None for h in hashes)

    def _is_used_by_another(self, transaction: Transaction) -> bool:
        """Return whether a transaction's number is used, as deep in the chain as counts, and not by any attempt at it.

        "Nonce too low" alone is no proof: the node that answered may know a block whose receipts another node behind
        the same address, or its own index, does not have yet. Numbered anew, the transaction would be there twice.
        """
        if transaction.mined is not None:
            return False
        deep = self._pace.confirmations
        block = hex(max(0, self._block("latest").number - deep)) if deep else "latest"
        address = "0x" + self._address_of(transaction.role).hex()
        if int(self._rpc.ask("eth_getTransactionCount", address, block), 16) <= transaction.attempts[-1].nonce:
            return False
        return not self._look_up([transaction])

    # ---- receipts -----------------------------------------------------------------------------------------------

    def _look_up(self, missing: Sequence[Transaction]) -> int:
        """Ask for the receipts of every attempt; return how many transactions have one now."""
        wanted = [(t, a) for t in missing for a in t.attempts]
        answers = self._rpc.ask_many("eth_getTransactionReceipt", [["0x" + a.hash.hex()] for _, a in wanted])
        blocks: dict[str, Block] = {}
        found = 0
        for (transaction, _), answer in zip(wanted, answers, strict=True):
            if not isinstance(answer, dict):
                continue
            receipt = cast("dict[str, Any]", answer)
            hash_: str | None = receipt.get("blockHash")
            if hash_ is None:
                continue
            if hash_ not in blocks:
                blocks[hash_] = self._block(hash_)
            transaction.mined = _mined(receipt, blocks[hash_].at_s)
            found += 1
        if blocks:
            self._last = max(blocks.values(), key=lambda block: block.number)
        return found

    def _look_up_again(self, parcel: Parcel) -> None:
        """Ask for the receipts of all of a parcel's transactions, also of those that had one."""
        for transaction in parcel.transactions:
            transaction.mined = None
        self._look_up(_missing(parcel))

    def _confirm(self, parcel: Parcel) -> Block:
        """Wait for the confirmations, look again, put the receipts down and return the last block."""
        mined = [t.mined for t in parcel.transactions if t.mined]
        last = max(mined, key=lambda one: one.block, default=None)
        if last is None or self._last is None or self._last.hash != last.block_hash:
            head = self._block("latest")
        else:
            head = self._last
        number, hash_, at_s = (last.block, last.block_hash, last.at_s) if last else (head.number, head.hash, head.at_s)
        if self._pace.confirmations:
            head = self._block("latest")
            while head.number < number + self._pace.confirmations:
                self._pace.advance(next_block_s(0, head.at_s))
                head = self._block("latest")
            if self._block(hex(number)).hash != hash_:
                # It was reorganised away while we waited; everything is looked up anew.
                for transaction in parcel.transactions:
                    transaction.mined = None
                raise ReorganisedError(f"block {number} was reorganised away before it was confirmed", self._rpc.name)
        self._outbox.mined(parcel, number, hash_, at_s)
        self._counts.resolved += len(mined)
        self.num_delivered += 1
        return head

    def _block(self, which: str) -> Block:
        """Return a block by hash, number or as ``latest``."""
        method = "eth_getBlockByHash" if len(which) == 66 else "eth_getBlockByNumber"
        header: Any = self._rpc.ask(method, which, False)
        if header is None:
            raise UnreachableError(f"the node has no block {which[:18]}", self._rpc.name)
        return block_of(header)


def _missing(parcel: Parcel) -> list[Transaction]:
    return [t for t in parcel.transactions if t.mined is None and not t.given_up]


def _mined(receipt: dict[str, Any], at_s: int) -> Mined:
    logs: list[Any] = receipt["logs"]
    return Mined(
        gas_used=int(receipt["gasUsed"], 16),
        logs=tuple(
            (tuple(bytes.fromhex(t[2:]) for t in log["topics"]), bytes.fromhex(log["data"][2:])) for log in logs
        ),
        emitters=tuple(bytes.fromhex(log["address"][2:]) for log in logs),
        ok=receipt["status"] == "0x1",
        block=int(receipt["blockNumber"], 16),
        block_hash=bytes.fromhex(receipt["blockHash"][2:]),
        at_s=at_s,
        fee_wei=int(receipt.get("effectiveGasPrice") or "0x0", 16),
    )
