"""The outbox: what is signed is on disk before it is sent.

An append-only file of JSON Lines. The first names the chain; then, for every block the sender asks for, one line with
the signed bytes (written and synced *before* anything is sent) and one with the receipts. A further attempt at a
transaction (a higher fee, another nonce) is a line of its own, also written first. After a crash the file says
everything that may be on the chain: what has no receipt is sent again, byte for byte, and the chain takes equal bytes
once. A line that a crash cut short was not sent, so it is dropped.

An intent is found by its key, such as ``12|b6b55f25`` (position among the ledger's transactions, function): whoever
asks for it again is answered from here. A hash of all that is asked for, an epoch's number and root included, stands
beside the key and must be the same then.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heritage_contracts.sending.parcels import (
    Attempt,
    Mined,
    Parcel,
    Transaction,
    attempt_from_state,
    attempt_to_state,
    mined_from_state,
    mined_to_state,
)
from heritage_sim.base import InputError, LedgerError, StorageError

OUTBOX_VERSION = 1


@dataclass(slots=True)
class Outbox:
    """The journal in memory, for chains that live as long as this process.

    Parameters
    ----------
    chain_id : int or None
        Chain it belongs to; None before the first connection.
    genesis : bytes
        Hash of that chain's block 0.
    parcels : list of Parcel
        In order.
    """

    chain_id: int | None = None
    genesis: bytes = b""
    parcels: list[Parcel] = field(default_factory=list[Parcel])
    _by_intent: dict[str, Transaction] = field(default_factory=dict[str, Transaction])
    _next: dict[str, int] = field(default_factory=dict[str, int])
    _open: set[int] = field(default_factory=set[int])
    _emitting: dict[tuple[bytes, bytes], set[int]] = field(default_factory=dict[tuple[bytes, bytes], set[int]])

    def bind(self, chain_id: int, genesis: bytes) -> None:
        """Belong to a chain.

        Parameters
        ----------
        chain_id : int
            Its id.
        genesis : bytes
            Hash of its block 0.

        Raises
        ------
        LedgerError
            If the journal belongs to another chain.
        """
        if self.chain_id is None:
            self._write({"kind": "chain", "version": OUTBOX_VERSION, "chain_id": chain_id, "genesis": genesis.hex()})
            self.chain_id, self.genesis = chain_id, genesis
        if (self.chain_id, self.genesis) != (chain_id, genesis):
            raise LedgerError(
                f"another chain answers: id {chain_id} with block 0 0x{genesis.hex()[:16]}, where the journal belongs "
                f"to id {self.chain_id} with block 0 0x{self.genesis.hex()[:16]}",
                self.where,
                "Give the address of the chain the journal belongs to, or begin another ledger in an empty folder.",
            )

    def sign(self, at_s: int, transactions: Sequence[Transaction]) -> Parcel:
        """Put signed transactions down; only then may they be sent.

        Parameters
        ----------
        at_s : int
            Wished timestamp.
        transactions : sequence of Transaction
            With one attempt each.

        Returns
        -------
        Parcel

        Raises
        ------
        StorageError
            If they cannot be written. The journal is then as before.
        """
        parcel = Parcel(len(self.parcels), at_s, list(transactions))
        self._write(
            {
                "kind": "signed",
                "parcel": parcel.number,
                "at_s": at_s,
                "transactions": [
                    {"intent": t.intent, "role": t.role, "content": t.content.hex()} | attempt_to_state(t.attempts[0])
                    for t in transactions
                ],
            }
        )
        self._enter(parcel)
        return parcel

    def try_again(self, parcel: Parcel, index: int, attempt: Attempt) -> None:
        """Put a further attempt at a transaction down; only then may it be sent."""
        line = {"kind": "attempt", "parcel": parcel.number, "index": index}
        self._write(line | attempt_to_state(attempt))
        self._add(parcel.transactions[index], attempt)

    def give_up(self, parcel: Parcel, index: int) -> None:
        """Put down that a transaction will not be sent again."""
        self._write({"kind": "given-up", "parcel": parcel.number, "index": index})
        self._drop(parcel.transactions[index])

    def mined(self, parcel: Parcel, block: int, block_hash: bytes, block_s: int) -> None:
        """Put the receipts of a parcel down, all of whose transactions carry theirs, and its last block.

        Not synced: a receipt that a power cut takes is asked for again.
        """
        self._write(
            {
                "kind": "mined",
                "parcel": parcel.number,
                "block": block,
                "block_hash": block_hash.hex(),
                "block_s": block_s,
                "receipts": [t.mined and mined_to_state(t.mined) for t in parcel.transactions],
            },
            sync=False,
        )
        parcel.block, parcel.block_hash, parcel.block_s = block, block_hash, block_s
        self._close(parcel)

    def reopen(self, parcel: Parcel) -> None:
        """Take a parcel's receipts back: the chain no longer has its block. A later line replaces them."""
        parcel.block = -1
        for transaction in parcel.transactions:
            transaction.mined = None
        self._open.add(parcel.number)

    def open_parcels(self) -> list[Parcel]:
        """Return the parcels that are not known to be on the chain, in order."""
        return [self.parcels[number] for number in sorted(self._open)]

    def find(self, intent: str) -> Transaction | None:
        """Return the newest transaction of an intent, None if there is none."""
        return self._by_intent.get(intent)

    def next_nonce(self, role: str) -> int | None:
        """Return one more than the highest nonce a role has signed, None if it has signed nothing."""
        return self._next.get(role)

    def logs(self, contract: bytes, topics: Sequence[bytes]) -> Iterator[tuple[Mined, int]]:
        """Return a contract's events with these first topics among our own transactions, oldest first."""
        wanted = tuple(topics)
        numbers = self._emitting.get((contract, wanted[0]), ()) if wanted else range(len(self.parcels))
        for number in sorted(numbers):
            for transaction in self.parcels[number].transactions:
                one = transaction.mined
                if one is None:
                    continue
                for index, (found, _) in enumerate(one.logs):
                    if one.emitters[index] == contract and found[: len(wanted)] == wanted:
                        yield one, index

    @property
    def where(self) -> str:
        """Return where the journal is, for messages."""
        return "outbox"

    def close(self) -> None:
        """Let go of the file; a memory journal has none."""

    def _enter(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)
        self._open.add(parcel.number)
        for transaction in parcel.transactions:
            self._count(transaction)
            if transaction.intent:
                self._by_intent[transaction.intent] = transaction

    def _close(self, parcel: Parcel) -> None:
        """Note that a parcel has its receipts, and which events are among them."""
        self._open.discard(parcel.number)
        for transaction in parcel.transactions:
            if transaction.mined is not None:
                for address, (topics, _) in zip(transaction.mined.emitters, transaction.mined.logs, strict=True):
                    self._emitting.setdefault((address, topics[0] if topics else b""), set()).add(parcel.number)

    def _count(self, transaction: Transaction) -> None:
        following = transaction.attempts[-1].nonce + 1
        self._next[transaction.role] = max(self._next.get(transaction.role, 0), following)

    def _add(self, transaction: Transaction, attempt: Attempt) -> None:
        transaction.attempts.append(attempt)
        self._count(transaction)

    def _drop(self, transaction: Transaction) -> None:
        """Give a transaction up; its nonce is free again where no later one of the role stands on it."""
        transaction.given_up = True
        nonce = transaction.attempts[-1].nonce
        self._next[transaction.role] = min(self._next[transaction.role], nonce)

    def _write(self, line: dict[str, Any], sync: bool = True) -> None:
        """Put a line down, and for good if synced; in memory there is nothing to do."""


class FileOutbox(Outbox):
    """The journal in a file.

    Parameters
    ----------
    path : Path
        Made if it is not there; one process may have it open at a time.

    Raises
    ------
    InputError
        If the file is no outbox, or of another version.
    StorageError
        If it cannot be opened or written, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise StorageError(f"the outbox cannot be opened: {error.strerror}", str(path)) from None
        try:
            _lock(self._file.fileno(), path)
            self._take_up()
        except OSError as error:
            self._file.close()
            raise StorageError(f"the outbox cannot be read: {error.strerror}", str(path)) from None
        except BaseException:
            self._file.close()
            raise

    def _take_up(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        if not data:
            # Its lines are synced one by one; its name in the folder is another thing to lose.
            sync_folder(self._path.parent)
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            self._read(line, number)
        self._size = whole
        # A crash cut the last line short; what it speaks of was never sent.
        self._is_torn = whole < len(data)
        self._mend()

    @property
    def where(self) -> str:
        """Return the file's path."""
        return str(self._path)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, line: dict[str, Any], sync: bool = True) -> None:
        raw = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            self._mend()
            written = self._put(raw, sync)
            if written != len(raw):
                raise OSError(28, "No space left on device")
        except OSError as error:
            # What was written of the line goes, so that the next attempt begins on a line of its own.
            self._is_torn = True
            with contextlib.suppress(OSError):
                self._mend()
            sent = "It was sent, and its receipt is asked for again." if line["kind"] == "mined" else "It was not sent."
            raise StorageError(
                f"the outbox cannot be written: {error.strerror}",
                str(self._path),
                f"{sent} Free space on the disk and go on: what was sent before is kept.",
            ) from None
        self._size += len(raw)

    def _mend(self) -> None:
        """Cut off what stands behind the last whole line."""
        if self._is_torn:
            os.ftruncate(self._file.fileno(), self._size)
            self._is_torn = False

    def _put(self, raw: bytes, sync: bool) -> int:
        """Write, and sync if asked to; return how many bytes were written."""
        written = self._file.write(raw)
        if sync:
            os.fsync(self._file.fileno())
        return written or 0

    def _read(self, line: bytes, number: int) -> None:
        where = f"{self._path}, line {number}"
        try:
            state: dict[str, Any] = json.loads(line)
            kind = state["kind"]
            if number == 1 and kind != "chain":
                raise KeyError(kind)
            if kind == "chain" and state["version"] != OUTBOX_VERSION:
                raise InputError(
                    f"the outbox is of version {state['version']}, not {OUTBOX_VERSION}", where, "Use an empty folder."
                )
            self._take(kind, state)
        except (ValueError, KeyError, IndexError, TypeError):
            raise InputError(
                "this is no line of an outbox", where, "Give the folder of a ledger, or an empty one."
            ) from None

    def _take(self, kind: str, state: dict[str, Any]) -> None:
        if kind == "chain":
            self.chain_id, self.genesis = int(state["chain_id"]), bytes.fromhex(state["genesis"])
        elif kind == "signed":
            transactions = [
                Transaction(t["intent"], t["role"], bytes.fromhex(t["content"]), [attempt_from_state(t)])
                for t in state["transactions"]
            ]
            self._enter(Parcel(len(self.parcels), int(state["at_s"]), transactions))
        elif kind == "attempt":
            self._add(self.parcels[int(state["parcel"])].transactions[int(state["index"])], attempt_from_state(state))
        elif kind == "given-up":
            self._drop(self.parcels[int(state["parcel"])].transactions[int(state["index"])])
        elif kind == "mined":
            parcel = self.parcels[int(state["parcel"])]
            parcel.block, parcel.block_hash = int(state["block"]), bytes.fromhex(state["block_hash"])
            parcel.block_s = int(state["block_s"])
            for transaction, receipt in zip(parcel.transactions, state["receipts"], strict=True):
                transaction.mined = receipt and mined_from_state(receipt)
            self._close(parcel)
        else:
            raise KeyError(kind)


def sync_folder(path: Path) -> None:
    """Sync a folder, so that a file made or renamed in it has its name after a power cut; not so on Windows."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    """Keep other processes off the file: two owners of one key would use each nonce twice."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StorageError(
            "another process has the outbox open", str(path), "Wait for it to end, or use another folder."
        ) from None
