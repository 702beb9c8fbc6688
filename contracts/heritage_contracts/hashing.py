"""Keccak-256, the hash of the EVM, and the words it is fed with."""

from __future__ import annotations

from functools import lru_cache

from eth_hash.auto import keccak as _keccak

_keccak(b"")  # the first call binds the C implementation

_MOST_KEPT_BYTES = 512


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of bytes."""
    # Half of what a replication hashes is the archive, the same in all of them: hashes of short data are kept.
    return _kept(data) if len(data) <= _MOST_KEPT_BYTES else _keccak.hasher(data)


@lru_cache(maxsize=8_192)
def _kept(data: bytes) -> bytes:
    return _keccak.hasher(data)


def word(value: int) -> bytes:
    """Return a non-negative integer as the EVM's 32-byte big-endian word."""
    return value.to_bytes(32, "big")


def selector(signature: str) -> bytes:
    """Return the four bytes by which a function or error is called, from ``name(type,...)``."""
    return keccak256(signature.encode())[:4]
