"""Calldata of the contracts, written as bytes.

A general ABI coder costs more than the chain's own work; here an argument is either a word of 32 bytes or a `Tail`,
whose words stand behind all heads and whose place the head names. A test holds every signature and layout against the
ABI.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from heritage_contracts.hashing import keccak256, selector, word

POSTED_TOPIC = keccak256(b"Posted(uint256,bytes32,uint256,uint256,bytes32,bytes32)")
CLAIMED_TOPIC = keccak256(b"Claimed(bytes32,address,uint256)")
CREDITED_TOPIC = keccak256(b"Credited(bytes32,bytes32,uint256)")
CLAIM_FAILED_TOPIC = keccak256(b"ClaimFailed(bytes32,address,uint256)")
WITHDRAWAL_FAILED_TOPIC = keccak256(b"WithdrawalFailed(bytes32,address,uint256)")
WITHDRAWN_TOPIC = keccak256(b"Withdrawn(bytes32,address,uint256)")
REGISTER_BATCH = selector("registerBatch(bytes32,bytes)")
POST = selector("post(uint256,bytes32,uint256,bytes32,bytes32)")


class Tail(NamedTuple):
    """An argument of dynamic length, encoded."""

    body: bytes


Argument = bytes | Tail
"""A 32-byte word, or what stands behind the words."""


@cache
def _selector(signature: str) -> bytes:
    return selector(signature)


def encode(*arguments: Argument) -> bytes:
    """Return arguments as the ABI lays out a tuple: heads in order, then tails in order."""
    place = 32 * len(arguments)
    heads: list[bytes] = []
    tails: list[bytes] = []
    for argument in arguments:
        if isinstance(argument, Tail):
            heads.append(word(place))
            tails.append(argument.body)
            place += len(argument.body)
        else:
            heads.append(argument)
    return b"".join(heads + tails)


def call(signature: str, *arguments: Argument) -> bytes:
    """Return a call: selector and arguments."""
    return _selector(signature) + encode(*arguments)


def address_word(address: bytes) -> bytes:
    """Return a 20-byte address as a word."""
    return address.rjust(32, b"\0")


def blob(raw: bytes) -> Tail:
    """Return ``bytes``: length and content, padded to words."""
    return Tail(word(len(raw)) + raw.ljust(-(-len(raw) // 32) * 32, b"\0"))


def text(value: str) -> Tail:
    """Return a ``string``."""
    return blob(value.encode())


def array(words: Sequence[bytes]) -> Tail:
    """Return an array of words."""
    return Tail(word(len(words)) + b"".join(words))


def array_of_tails(bodies: Sequence[bytes]) -> Tail:
    """Return an array whose members are of dynamic length: ``bytes[]``, or structs with dynamic members."""
    return Tail(word(len(bodies)) + encode(*(Tail(body) for body in bodies)))


def blobs(raws: Sequence[bytes]) -> Tail:
    """Return ``bytes[]``."""
    return array_of_tails([blob(raw).body for raw in raws])


def register_payees(payee_ids: Sequence[bytes], accounts: Sequence[bytes], communities: Sequence[int]) -> bytes:
    """Return ``registerPayees(packed)``; communities as on the chain, 0 for none."""
    rows = (i + a + c.to_bytes(4, "big") for i, a, c in zip(payee_ids, accounts, communities, strict=True))
    return call("registerPayees(bytes)", blob(b"".join(rows)))


def register_batch(previous_head: bytes, records: bytes) -> bytes:
    """Return ``registerBatch(previousHead, records)``."""
    return call("registerBatch(bytes32,bytes)", previous_head, blob(records))


def claimed_of(payee_ids: Sequence[bytes]) -> bytes:
    """Return ``claimedOf(payeeIds)``."""
    return call("claimedOf(bytes32[])", array(payee_ids))


def balances_of(payee_ids: Sequence[bytes]) -> bytes:
    """Return ``balancesOf(payeeIds)``."""
    return call("balancesOf(bytes32[])", array(payee_ids))


def claim(payee_id: bytes, cumulative: int, proof: Sequence[bytes]) -> bytes:
    """Return ``claim(payeeId, cumulative, proof)``."""
    return call("claim(bytes32,uint256,bytes32[])", payee_id, word(cumulative), array(proof))


def claim_many(claims: Sequence[tuple[bytes, int, Sequence[bytes]]]) -> bytes:
    """Return ``claimMany(claims)`` for (payee id, cumulative amount, proof) each."""
    bodies = [encode(payee_id, word(cumulative), array(proof)) for payee_id, cumulative, proof in claims]
    return call("claimMany((bytes32,uint256,bytes32[])[])", array_of_tails(bodies))


def claim_multi(
    payee_ids: Sequence[bytes], cumulative: Sequence[int], proof: Sequence[bytes], flags: Sequence[bool]
) -> bytes:
    """Return ``claimMulti(payeeIds, cumulative, proof, flags)``."""
    return call(
        "claimMulti(bytes32[],uint256[],bytes32[],bool[])",
        array(payee_ids),
        array([word(c) for c in cumulative]),
        array(proof),
        array([word(flag) for flag in flags]),
    )


def pay_recorded(payments: Sequence[tuple[int, int, int, bytes, Sequence[bytes]]]) -> bytes:
    """Return ``payRecorded(payments)`` for (number, first number of its batch, amount, record, proof) each."""
    bodies = [
        encode(word(number), word(first), word(amount), blob(record), array(proof))
        for number, first, amount, record, proof in payments
    ]
    return call("payRecorded((uint256,uint256,uint256,bytes,bytes32[])[])", array_of_tails(bodies))


def words_of(data: bytes) -> list[int]:
    """Return a result's words as integers."""
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


def array_of(data: bytes) -> list[int]:
    """Return a result that is one dynamic array of integers."""
    offset, *_ = words_of(data[:32])
    return words_of(data[offset + 32 :])
