"""Calldata of the contracts, written as bytes.

A general ABI coder costs more than the chain's own work; these few shapes are plain words, and a test holds every
selector and layout against the ABI.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from heritage_contracts.hashing import keccak256, selector, word

POSTED_TOPIC = keccak256(b"Posted(uint256,bytes32,uint256,uint256,bytes32,bytes32)")
CLAIMED_TOPIC = keccak256(b"Claimed(bytes32,address,uint256,uint256)")


@cache
def _selector(signature: str) -> bytes:
    return selector(signature)


def address_word(address: bytes) -> bytes:
    """Return a 20-byte address as a word."""
    return address.rjust(32, b"\0")


def call(signature: str, *words: bytes) -> bytes:
    """Return a call whose arguments are all static: selector and words."""
    return _selector(signature) + b"".join(words)


def _array(words: Sequence[bytes]) -> bytes:
    return word(len(words)) + b"".join(words)


def text(value: str) -> bytes:
    """Return a dynamic string: its length and its bytes, padded to words."""
    raw = value.encode()
    return word(len(raw)) + raw.ljust(-(-len(raw) // 32) * 32, b"\0")


def register_payees(payee_ids: Sequence[bytes], accounts: Sequence[bytes]) -> bytes:
    """Return ``registerPayees(payeeIds, accounts)``."""
    ids = _array(payee_ids)
    head = word(64) + word(64 + len(ids))
    return _selector("registerPayees(bytes32[],address[])") + head + ids + _array([address_word(a) for a in accounts])


def register_batch(previous_head: bytes, records: bytes) -> bytes:
    """Return ``registerBatch(previousHead, records)``."""
    padded = records.ljust(-(-len(records) // 32) * 32, b"\0")
    return _selector("registerBatch(bytes32,bytes)") + previous_head + word(64) + word(len(records)) + padded


def claimed_of(payee_ids: Sequence[bytes]) -> bytes:
    """Return ``claimedOf(payeeIds)``."""
    return _selector("claimedOf(bytes32[])") + word(32) + _array(payee_ids)


def claim(payee_id: bytes, cumulative: int, proof: Sequence[bytes]) -> bytes:
    """Return ``claim(payeeId, cumulative, proof)``."""
    return _selector("claim(bytes32,uint256,bytes32[])") + _claim_body(payee_id, cumulative, proof)


def claim_many(claims: Sequence[tuple[bytes, int, Sequence[bytes]]]) -> bytes:
    """Return ``claimMany(claims)`` for (payee id, cumulative amount, proof) each."""
    bodies = [_claim_body(*one) for one in claims]
    offsets: list[bytes] = []
    position = 32 * len(bodies)
    for body in bodies:
        offsets.append(word(position))
        position += len(body)
    return (
        _selector("claimMany((bytes32,uint256,bytes32[])[])")
        + word(32)
        + word(len(bodies))
        + b"".join(offsets)
        + b"".join(bodies)
    )


def _claim_body(payee_id: bytes, cumulative: int, proof: Sequence[bytes]) -> bytes:
    return payee_id + word(cumulative) + word(96) + _array(proof)


def words_of(data: bytes) -> list[int]:
    """Return a result's words as integers."""
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


def array_of(data: bytes) -> list[int]:
    """Return a result that is one dynamic array of integers."""
    offset, *_ = words_of(data[:32])
    return words_of(data[offset + 32 :])
