"""What is on its way to the chain, and how it stands in a journal line.

An intent becomes a `Transaction`: signed bytes (one `Attempt`, or several that exclude one another by their nonce) and,
once a block holds it, its receipt (`Mined`). The transactions that are asked of one block are a `Parcel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from heritage_contracts.hashing import keccak256

Log = tuple[tuple[bytes, ...], bytes]


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that a block holds.

    Parameters
    ----------
    gas_used : int
        Gas it used.
    logs : tuple of (topics, data)
        Events it emitted.
    emitters : tuple of bytes
        Address of the contract that emitted each of them.
    ok : bool
        Whether the contract accepted it.
    block : int
        Number of the block.
    block_hash : bytes
        Hash of the block.
    at_s : int
        Timestamp of the block.
    fee_wei : int
        What a unit of gas cost.
    """

    gas_used: int
    logs: tuple[Log, ...]
    emitters: tuple[bytes, ...] = ()
    ok: bool = True
    block: int = 0
    block_hash: bytes = b""
    at_s: int = 0
    fee_wei: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Signed bytes that may have been sent.

    Parameters
    ----------
    nonce : int
        Number among the sender's transactions.
    raw : bytes
        What a node takes.
    hash : bytes
        By which a node knows them.
    max_wei : int
        Highest fee for a unit of gas that they offer.
    """

    nonce: int
    raw: bytes
    hash: bytes
    max_wei: int


@dataclass(slots=True)
class Transaction:
    """An intent on its way: who signs, what was tried, and the receipt once there is one.

    Parameters
    ----------
    intent : str
        Key of the intent; empty where nobody asks for it again.
    role : str
        Who signs.
    content : bytes
        Hash of what is asked of the contract, by which a key used for two things is noticed.
    attempts : list of Attempt
        In order; they exclude one another by their nonce.
    mined : Mined or None
        Receipt, None while it is open.
    given_up : bool
        The node refused to take it at all.
    """

    intent: str
    role: str
    content: bytes
    attempts: list[Attempt]
    mined: Mined | None = None
    given_up: bool = False


@dataclass(slots=True)
class Parcel:
    """What is asked of one block.

    Parameters
    ----------
    number : int
        Index in the outbox.
    at_s : int
        Wished timestamp.
    transactions : list of Transaction
        In order; none for a block that only moves the clock.
    block : int
        Number of the last block that holds one of them; -1 while open.
    block_hash : bytes
        Hash of that block.
    block_s : int
        Timestamp of that block.
    """

    number: int
    at_s: int
    transactions: list[Transaction]
    block: int = -1
    block_hash: bytes = b""
    block_s: int = 0

    @property
    def is_open(self) -> bool:
        """Return whether something of it is not known to be on the chain."""
        return self.block < 0


def attempt_to_state(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as plain values."""
    return {"nonce": attempt.nonce, "max_wei": attempt.max_wei, "raw": attempt.raw.hex()}


def attempt_from_state(state: dict[str, Any]) -> Attempt:
    """Return the attempt that plain values describe."""
    raw = bytes.fromhex(state["raw"])
    return Attempt(int(state["nonce"]), raw, keccak256(raw), int(state["max_wei"]))


def mined_to_state(mined: Mined) -> dict[str, Any]:
    """Return a receipt as plain values."""
    return {
        "ok": mined.ok,
        "gas": mined.gas_used,
        "fee_wei": mined.fee_wei,
        "block": mined.block,
        "block_hash": mined.block_hash.hex(),
        "at_s": mined.at_s,
        "logs": [
            [address.hex(), [t.hex() for t in topics], data.hex()]
            for address, (topics, data) in zip(mined.emitters, mined.logs, strict=True)
        ],
    }


def mined_from_state(state: dict[str, Any]) -> Mined:
    """Return the receipt that plain values describe."""
    logs: list[Any] = state["logs"]
    return Mined(
        gas_used=int(state["gas"]),
        logs=tuple((tuple(bytes.fromhex(t) for t in log[1]), bytes.fromhex(log[2])) for log in logs),
        emitters=tuple(bytes.fromhex(log[0]) for log in logs),
        ok=bool(state["ok"]),
        block=int(state["block"]),
        block_hash=bytes.fromhex(state["block_hash"]),
        at_s=int(state["at_s"]),
        fee_wei=int(state["fee_wei"]),
    )
