"""Keccak-256, the hash of the EVM, and the words it is fed with."""

from __future__ import annotations

from eth_hash.auto import keccak as _keccak

_keccak(b"")  # the first call binds the C implementation

keccak256 = _keccak.hasher
"""Return the 32-byte Keccak-256 of bytes."""


def word(value: int) -> bytes:
    """Return a non-negative integer as the EVM's 32-byte big-endian word."""
    return value.to_bytes(32, "big")


def selector(signature: str) -> bytes:
    """Return the four bytes by which a function or error is called, from ``name(type,...)``."""
    return keccak256(signature.encode())[:4]
