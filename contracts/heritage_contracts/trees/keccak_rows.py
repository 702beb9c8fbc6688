"""Keccak-256 of many short rows at once, for trees too large to hash one row at a time.

A row of at most 128 bytes fits one block with its padding: it is laid into the state and permuted once. Rows are
permuted side by side, the same word of all of them in one run of memory, so that the compiler can use vector registers.
Published vectors and `heritage_contracts.hashing.keccak256` hold it. Importing numba costs about as much as hashing
80,000 rows one by one: `heritage_contracts.trees.rows` imports this module for large trees only.

Source: FIPS 202, sections 3.2 and 5.1, with Keccak's own padding byte 0x01 as Ethereum uses it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

MAX_ROW_BYTES = 128
"""Longest row: whole words that leave room for the padding."""
_SIDE = 64
# Rows permuted side by side. The compiler leaves runs shorter than 64 words scalar, which takes 2.7 times as long; at
# 64, both states still fit the first-level cache.
_NUM_ROUNDS = 24
_LAST_WORD = 16
# Last of the 17 words of a block of Keccak-256; the padding ends in its topmost bit.

_Words = npt.NDArray[np.uint64]


def _round_constants() -> list[int]:
    """Return the 24 constants of step iota from their shift register (FIPS 202, algorithm 5)."""
    constants: list[int] = []
    register = 1
    for _ in range(_NUM_ROUNDS):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        constants.append(constant)
    return constants


def _rotations_and_targets() -> tuple[list[int], list[int]]:
    """Return, for each word x + 5y, the rotation of step rho and the place that step pi moves it to."""
    rotation, target = [0] * 25, [0] * 25
    x, y = 1, 0
    for t in range(24):
        rotation[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    for x in range(5):
        for y in range(5):
            target[x + 5 * y] = y + 5 * ((2 * x + 3 * y) % 5)
    return rotation, target


_ROUND = np.array(_round_constants(), dtype=np.uint64)
_ROTATION = np.array(_rotations_and_targets()[0], dtype=np.uint64)
_TARGET = np.array(_rotations_and_targets()[1], dtype=np.int64)
_MASK = np.uint64(63)
_WORD_BITS = np.uint64(64)


@njit(cache=True, nogil=True)
def _permute(state: _Words, moved: _Words, column: _Words) -> None:
    """Apply Keccak-f[1600] to `_SIDE` states, shape ``(25, _SIDE)``; the others are room to work in."""
    for r in range(_NUM_ROUNDS):
        for x in range(5):  # theta
            for k in range(_SIDE):
                column[x, k] = state[x, k] ^ state[x + 5, k] ^ state[x + 10, k] ^ state[x + 15, k] ^ state[x + 20, k]
        for x in range(5):
            for k in range(_SIDE):
                c = column[(x + 1) % 5, k]
                d = column[(x + 4) % 5, k] ^ (c << np.uint64(1) | c >> np.uint64(63))
                column[x + 5, k] = d
        for i in range(25):  # theta's second half, rho and pi
            shift = _ROTATION[i]
            back = (_WORD_BITS - shift) & _MASK
            to = _TARGET[i]
            d = 5 + i % 5
            for k in range(_SIDE):
                lane = state[i, k] ^ column[d, k]
                moved[to, k] = lane << shift | lane >> back
        for y in range(0, 25, 5):  # chi
            for x in range(5):
                for k in range(_SIDE):
                    state[y + x, k] = moved[y + x, k] ^ (~moved[y + (x + 1) % 5, k] & moved[y + (x + 2) % 5, k])
        for k in range(_SIDE):  # iota
            state[0, k] ^= _ROUND[r]


@njit(cache=True, nogil=True)
def _hash_words(rows: _Words, out: _Words) -> None:
    """Hash rows of whole little-endian words, shape ``(m, w)`` with w <= 16, into ``out``, shape ``(m, 4)``."""
    num_rows, num_words = rows.shape
    state = np.empty((25, _SIDE), dtype=np.uint64)
    moved = np.empty((25, _SIDE), dtype=np.uint64)
    column = np.empty((10, _SIDE), dtype=np.uint64)
    for first in range(0, num_rows, _SIDE):
        side = min(_SIDE, num_rows - first)
        state[:] = np.uint64(0)
        for k in range(side):
            for w in range(num_words):
                state[w, k] = rows[first + k, w]
            state[num_words, k] ^= np.uint64(1)
            state[_LAST_WORD, k] ^= np.uint64(1) << np.uint64(63)
        _permute(state, moved, column)
        for k in range(side):
            for w in range(4):
                out[first + k, w] = state[w, k]


@njit(cache=True, nogil=True)
def _put_smaller_first(nodes: npt.NDArray[np.uint8], pairs: npt.NDArray[np.uint8]) -> None:
    """Copy neighbours of ``nodes``, shape ``(2m, 32)``, into ``pairs``, shape ``(m, 64)``, the smaller one first."""
    for i in range(pairs.shape[0]):
        first, second = 2 * i, 2 * i + 1
        for b in range(32):
            if nodes[first, b] != nodes[second, b]:
                if nodes[first, b] > nodes[second, b]:
                    first, second = second, first
                break
        pairs[i, :32] = nodes[first]
        pairs[i, 32:] = nodes[second]


def hash_rows(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the Keccak-256 of every row.

    Parameters
    ----------
    rows : ndarray of uint8, shape (num_rows, num_bytes)
        ``num_bytes`` is a multiple of 8, at most 128.

    Returns
    -------
    ndarray of uint8, shape (num_rows, 32)

    Raises
    ------
    ValueError
        If rows are of another length.
    """
    if rows.ndim != 2 or rows.shape[1] % 8 or rows.shape[1] > MAX_ROW_BYTES:
        raise ValueError(f"rows of shape {rows.shape}: a row is a multiple of 8 bytes, at most {MAX_ROW_BYTES}")
    words = np.ascontiguousarray(rows).view("<u8").reshape(len(rows), rows.shape[1] // 8)
    out = np.empty((len(rows), 4), dtype="<u8")
    _hash_words(words, out)
    return out.view(np.uint8)


def hash_sorted_pairs(nodes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the hash of each two neighbours, the smaller one first.

    Parameters
    ----------
    nodes : ndarray of uint8, shape (2 * num_pairs, 32)
        Rows 2i and 2i + 1 are a pair.

    Returns
    -------
    ndarray of uint8, shape (num_pairs, 32)
    """
    pairs = np.empty((len(nodes) // 2, 64), dtype=np.uint8)
    _put_smaller_first(np.ascontiguousarray(nodes), pairs)
    return hash_rows(pairs)
