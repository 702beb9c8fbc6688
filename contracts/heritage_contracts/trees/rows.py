"""Hashes one under another: rows of 32 bytes, and the same rows hashed by whichever way is quicker.

Row by row through `heritage_contracts.hashing` needs no compiler; `heritage_contracts.trees.keccak_rows` is more than
ten times as quick and costs half a second to import. Both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_contracts.hashing import keccak256

Rows = npt.NDArray[np.uint8]
"""Hashes one under another, shape ``(num_rows, 32)``."""

MANY_LEAVES = 4_096
"""From here on rows are hashed by compiled code; importing it pays for itself after a few such trees."""


def rows_of(hashes: Sequence[bytes] | Rows) -> Rows:
    """Return 32-byte strings one under another.

    Parameters
    ----------
    hashes : sequence of bytes, or ndarray of uint8, shape (n, 32)
        An array is passed through.

    Returns
    -------
    ndarray of uint8, shape (n, 32)

    Raises
    ------
    ValueError
        If one of them is not 32 bytes.
    """
    if isinstance(hashes, np.ndarray):
        if hashes.ndim != 2 or hashes.shape[1] != 32 or hashes.dtype != np.uint8:
            raise ValueError(f"hashes of type {hashes.dtype} and shape {hashes.shape} are not rows of 32 bytes")
        return hashes
    if any(len(h) != 32 for h in hashes):
        raise ValueError("a hash is 32 bytes")
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)


def hash_pair(a: bytes, b: bytes) -> bytes:
    """Return the hash of two nodes, the smaller one first."""
    return keccak256(a + b if a <= b else b + a)


def amount_words(amounts: Sequence[int] | npt.NDArray[np.int64]) -> Rows:
    """Return amounts as the EVM's 32-byte big-endian words.

    Parameters
    ----------
    amounts : sequence of int, length n
        Below 2^256.

    Returns
    -------
    ndarray of uint8, shape (n, 32)

    Raises
    ------
    ValueError
        If an array holds other than whole numbers.
    OverflowError
        If an amount is negative or above 2^256.
    """
    words = np.zeros((len(amounts), 32), dtype=np.uint8)
    if isinstance(amounts, np.ndarray):
        if amounts.dtype.kind not in "iu":
            raise ValueError(f"amounts of type {amounts.dtype} are not whole numbers")
        if amounts.size and int(amounts.min()) < 0:
            raise OverflowError("an amount is negative")
        words[:, 24:] = amounts.astype(">u8").view(np.uint8).reshape(-1, 8)
    else:
        words[:] = np.frombuffer(b"".join(int(a).to_bytes(32, "big") for a in amounts), np.uint8).reshape(-1, 32)
    return words


def hash_rows(rows: Rows, of_leaves: int) -> Rows:
    """Return the hash of each row, shape ``(num_rows, 32)``; by compiled code where the tree has many leaves."""
    if of_leaves >= MANY_LEAVES:
        from heritage_contracts.trees import keccak_rows

        return keccak_rows.hash_rows(rows)
    return np.frombuffer(b"".join(keccak256(row.tobytes()) for row in rows), np.uint8).reshape(-1, 32)


def hash_sorted_pairs(nodes: Rows, of_leaves: int) -> Rows:
    """Return the hash of rows 2i and 2i + 1, the smaller first; by compiled code where the tree has many leaves."""
    if of_leaves >= MANY_LEAVES:
        from heritage_contracts.trees import keccak_rows

        return keccak_rows.hash_sorted_pairs(nodes)
    raw = nodes.tobytes()
    hashes = [hash_pair(raw[i : i + 32], raw[i + 32 : i + 64]) for i in range(0, len(raw), 64)]
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
