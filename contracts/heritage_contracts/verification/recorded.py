"""An outbox read by somebody who does not trust it: what it says is on the chain, block by block, with line numbers.

Every line must be written as the outbox writes it, and what stands beside signed bytes (nonce, fee, sender, hash of
what is asked for) must follow from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from coincurve import PublicKey

from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.deployment import ROLES, role_address
from heritage_contracts.hashing import keccak256
from heritage_contracts.schedule import next_block_s
from heritage_contracts.sending.outbox import OUTBOX_VERSION
from heritage_contracts.sending.parcels import Attempt, Mined, attempt_from_state, mined_from_state, mined_to_state
from heritage_contracts.sending.signing import fields_of
from heritage_sim.base import InputError

_REMEDY = "Give the folder of a ledger, as it was written."


@dataclass(slots=True)
class Sent:
    """A transaction: its signed bytes, and the receipt that is recorded for it.

    Parameters
    ----------
    line : int
        Line of its signed bytes.
    intent : str
        Key of what it was for.
    attempts : list of Attempt
        Signed bytes, in the order in which they were made.
    given_up : bool
        The node refused it for good.
    mined : Mined or None
        Recorded receipt.
    receipt_line : int
        Line of the receipt; 0 without one.
    """

    line: int
    intent: str
    attempts: list[Attempt]
    given_up: bool = False
    mined: Mined | None = None
    receipt_line: int = 0


@dataclass(slots=True)
class Asked:
    """What was asked of one block, and the last block that answered.

    Parameters
    ----------
    line : int
        Line of the request.
    at_s : int
        Wished second.
    sent : list of Sent
        In order.
    block : int
        Number of the last block; -1 while there is none.
    block_hash : bytes
        Its hash.
    block_s : int
        Its timestamp.
    receipt_line : int
        Line of the receipts.
    """

    line: int
    at_s: int
    sent: list[Sent]
    block: int = -1
    block_hash: bytes = b""
    block_s: int = 0
    receipt_line: int = 0


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """A block as the outbox has it: number, hash, timestamp, transactions, and where that is written."""

    number: int
    hash: bytes
    at_s: int
    sent: tuple[Sent, ...]
    where: str


@dataclass(slots=True)
class Recorded:
    """An outbox, taken apart.

    Parameters
    ----------
    path : Path
        Its file.
    chain_id : int
        Chain it belongs to.
    genesis : bytes
        Hash of that chain's block 0.
    asked : list of Asked
        In order.
    keyed : dict of int to Sent
        Newest transaction of each numbered intent.
    """

    path: Path
    chain_id: int
    genesis: bytes
    asked: list[Asked] = field(default_factory=list[Asked])
    keyed: dict[int, Sent] = field(default_factory=dict[int, Sent])

    def where(self, line: int) -> str:
        """Return a line of the file, for messages."""
        return f"{self.path}, line {line}"

    @property
    def num_open(self) -> int:
        """Return how many transactions are signed and have no receipt."""
        return sum(s.mined is None and not s.given_up for a in self.asked for s in a.sent)

    def check_seconds(self, first_s: int) -> None:
        """Hold each block's second against the one that was wished, on a chain where every request has one block.

        Parameters
        ----------
        first_s : int
            Timestamp of block 0.

        Raises
        ------
        DifferenceError
            If a block is at another second than the wished one, or the first free one after it.
        """
        # Receipts that contradict one another are named first, by their own line.
        self.blocks()
        last_s = first_s
        for asked in self.asked:
            if asked.block >= 0:
                require("second of a request", next_block_s(asked.at_s, last_s), asked.block_s, self.where(asked.line))
                last_s = asked.block_s

    def blocks(self) -> list[RecordedBlock]:
        """Return the blocks that hold transactions of ours, or were asked for by themselves, in order.

        Returns
        -------
        list of RecordedBlock

        Raises
        ------
        DifferenceError
            If blocks are not in order of number and time, or one of them is two.
        """
        found: dict[int, RecordedBlock] = {}
        for asked in self.asked:
            self._enter(asked, found)
        ordered = list(found.values())
        for before, block in pairwise(ordered):
            if block.number <= before.number or block.at_s <= before.at_s:
                raise DifferenceError(
                    "number and second of a block",
                    f"after {before.number} and {before.at_s}",
                    f"{block.number} and {block.at_s}",
                    block.where,
                )
        return ordered

    def _enter(self, asked: Asked, found: dict[int, RecordedBlock]) -> None:
        where = self.where(asked.receipt_line)
        by_block: dict[int, list[Sent]] = {}
        for sent in asked.sent:
            if sent.mined is not None:
                by_block.setdefault(sent.mined.block, []).append(sent)
        for number, inside in sorted(by_block.items()):
            first = inside[0].mined
            assert first is not None
            for sent in inside:
                mined = sent.mined
                assert mined is not None
                require("hash of a transaction's block", first.block_hash, mined.block_hash, where)
                require("second of a transaction's block", first.at_s, mined.at_s, where)
            if number in found:
                raise DifferenceError("block of a transaction", "one that is not another request's", number, where)
            found[number] = RecordedBlock(number, first.block_hash, first.at_s, tuple(inside), where)
        if asked.block < 0:
            return
        last = found.setdefault(asked.block, RecordedBlock(asked.block, asked.block_hash, asked.block_s, (), where))
        require("number of the last block of a request", max(by_block, default=asked.block), asked.block, where)
        require("hash of the last block of a request", last.hash, asked.block_hash, where)
        require("second of the last block of a request", last.at_s, asked.block_s, where)


def read_outbox(path: Path) -> Recorded:
    """Return an outbox, after checking each line by itself.

    Parameters
    ----------
    path : Path
        Its file. A last line that a crash cut short is passed over, as what it speaks of was never sent.

    Returns
    -------
    Recorded

    Raises
    ------
    InputError
        If it cannot be read, or a line is none of an outbox.
    DifferenceError
        If what stands beside signed bytes does not follow from them.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"the outbox cannot be read ({error.strerror})", str(path), _REMEDY) from None
    found = Recorded(path, 0, b"")
    for number, line in enumerate(raw[: raw.rfind(b"\n") + 1].splitlines(), 1):
        try:
            state = cast("dict[str, Any]", json.loads(line))
            _take(found, state, number)
            if json.dumps(state, separators=(",", ":")).encode() != line:
                raise ValueError("another spelling")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise InputError("this is no line of an outbox, as it is written", found.where(number), _REMEDY) from None
    if not found.genesis:
        raise InputError("the outbox is empty", str(path), _REMEDY)
    return found


def _take(found: Recorded, state: dict[str, Any], number: int) -> None:
    kind = state["kind"]
    if (number == 1) != (kind == "chain"):
        raise KeyError(kind)
    if kind == "chain":
        if state["version"] != OUTBOX_VERSION:
            raise InputError(f"the outbox is of version {state['version']}", found.where(number), _REMEDY)
        found.chain_id, found.genesis = int(state["chain_id"]), bytes.fromhex(state["genesis"])
        return
    if kind == "signed":
        require("number of a request", len(found.asked), state["parcel"], found.where(number))
        sent = [_sent(found, each, number) for each in state["transactions"]]
        for each in sent:
            _check_key(found, each, found.where(number))
        found.asked.append(Asked(number, int(state["at_s"]), sent))
        return
    asked = found.asked[int(state["parcel"])]
    if kind == "attempt":
        sent = asked.sent[int(state["index"])]
        attempt = _attempt(state, found.where(number))
        first, again = fields_of(sent.attempts[0].raw), fields_of(attempt.raw)
        require("what a further attempt asks for", (first.to, first.data), (again.to, again.data), found.where(number))
        sent.attempts.append(attempt)
    elif kind == "given-up":
        asked.sent[int(state["index"])].given_up = True
    elif kind == "mined":
        asked.block, asked.block_hash = int(state["block"]), bytes.fromhex(state["block_hash"])
        asked.block_s, asked.receipt_line = int(state["block_s"]), number
        for sent, receipt in zip(asked.sent, state["receipts"], strict=True):
            sent.mined = receipt and mined_from_state(receipt)
            sent.receipt_line = number
            if sent.mined is not None and mined_to_state(sent.mined) != receipt:
                raise KeyError("receipt")
    else:
        raise KeyError(kind)


def _sent(found: Recorded, state: dict[str, Any], number: int) -> Sent:
    where = found.where(number)
    attempt = _attempt(state, where)
    fields = fields_of(attempt.raw)
    role = str(state["role"])
    if role in ROLES:
        require(f"signer of a transaction of the {role}", role_address(role), sender_of(attempt.raw), where)
    content = keccak256(role.encode() + b"\0" + fields.to.rjust(20, b"\0") + fields.data)
    require("hash of what a transaction asks for", content, bytes.fromhex(state["content"]), where)
    return Sent(number, str(state["intent"]), [attempt])


def _check_key(found: Recorded, sent: Sent, where: str) -> None:
    """Hold an intent's key (``<number>|<function>``) against the function that is called and the keys before it."""
    number, _, function = sent.intent.partition("|")
    if not function:
        return
    require("function in an intent's key", fields_of(sent.attempts[0].raw).data[:4].hex(), function, where)
    before = found.keyed.get(int(number))
    if before is None:
        require("number in an intent's key", len(found.keyed), int(number), where)
    elif not before.given_up and (before.mined is None or before.mined.ok):
        raise DifferenceError("number in an intent's key", len(found.keyed), int(number), where)
    found.keyed[int(number)] = sent


def _attempt(state: dict[str, Any], where: str) -> Attempt:
    attempt = attempt_from_state(state)
    fields = fields_of(attempt.raw)
    require("nonce of signed bytes", fields.nonce, attempt.nonce, where)
    require("fee of signed bytes", fields.fee.max_wei, attempt.max_wei, where)
    return attempt


def sender_of(raw: bytes) -> bytes:
    """Return the address whose key signed an EIP-1559 transaction, recovered from its signature.

    Parameters
    ----------
    raw : bytes
        Signed bytes.

    Returns
    -------
    bytes
        20 bytes.
    """
    items = _items(raw)
    body = b"".join(items[:9])
    parity, r, s = (int.from_bytes(item[1:] if item[0] >= 0x80 else item, "big") for item in items[9:])
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))
    digest = keccak256(raw[:1] + _list_head(len(body)) + body)
    key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    return keccak256(key.format(compressed=False)[1:])[12:]


def _items(raw: bytes) -> list[bytes]:
    """Return the encoded items of a signed transaction's list, heads included (EIP-2718 type byte, then one list)."""
    position = 2 if raw[1] < 0xF8 else 2 + raw[1] - 0xF7
    items: list[bytes] = []
    while position < len(raw):
        head = raw[position]
        if head < 0x80:
            size = 1
        elif head < 0xB8:
            size = 1 + head - 0x80
        elif head < 0xC0:
            of_length = head - 0xB7
            size = 1 + of_length + int.from_bytes(raw[position + 1 : position + 1 + of_length], "big")
        else:
            size = 1 + head - 0xC0
        items.append(raw[position : position + size])
        position += size
    if len(items) != 12:
        raise ValueError("these are not the bytes of a signed transaction")
    return items


def _list_head(size: int) -> bytes:
    if size < 56:
        return bytes((0xC0 + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0xF7 + len(length),)) + length
