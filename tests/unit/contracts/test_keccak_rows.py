"""Keccak over rows against published vectors, and against the C implementation for every length and many counts."""

import numpy as np
import pytest

from heritage_contracts.hashing import keccak256
from heritage_contracts.trees import keccak_rows

# The first five words of Keccak-f[1600] applied once and twice to the zero state (the Keccak team's
# KeccakF-1600-IntermediateValues.txt).
ONCE = "F1258F7940E1DDE7 84D5CCF933C0478A D598261EA65AA9EE BD1547306F80494D 8B284E056253D057"
TWICE = "2D5C954DF96ECB3C 6A332CD07057B56D 093D8D1270D76B6C 8A20D9B25569D094 4F9C4F99E5E7F156"


def some_rows(count, length):
    """Return rows that differ in every byte, without a random number: counters times an odd number."""
    counters = np.arange(1, count * length // 8 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return counters.view(np.uint8).reshape(count, length)


def one_by_one(rows):
    return [keccak256(row.tobytes()) for row in rows]


def test_the_permutation_gives_the_published_words_in_every_lane():
    side = keccak_rows._SIDE
    state = np.zeros((25, side), dtype=np.uint64)
    moved, column = np.empty_like(state), np.empty((10, side), dtype=np.uint64)
    for published in (ONCE, TWICE):
        keccak_rows._permute(state, moved, column)
        expected = [int(word, 16) for word in published.split()]
        assert all(state[:5, lane].tolist() == expected for lane in range(side))


@pytest.mark.parametrize("length", range(8, keccak_rows.MAX_ROW_BYTES + 1, 8))
def test_every_row_length_is_hashed_as_one_by_one(length):
    rows = some_rows(3, length)
    assert [h.tobytes() for h in keccak_rows.hash_rows(rows)] == one_by_one(rows)


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 200])
def test_every_count_of_rows_fills_its_lanes(count):
    rows = some_rows(count, 64)
    assert [h.tobytes() for h in keccak_rows.hash_rows(rows)] == one_by_one(rows)


def test_rows_that_are_not_side_by_side_in_memory_are_hashed_all_the_same():
    rows = some_rows(20, 64)[::-2]
    assert [h.tobytes() for h in keccak_rows.hash_rows(rows)] == one_by_one(rows)


def test_pairs_are_hashed_smaller_first_down_to_the_last_byte():
    nodes = np.repeat(some_rows(1, 32), 8, axis=0)
    nodes[0, 31] += 1  # differs in the last byte, the larger one first
    nodes[3, 31] += 1
    nodes[4, 0] = 255
    nodes[5, 0] = 1
    expected = [
        keccak256(b"".join(sorted((nodes[i].tobytes(), nodes[i + 1].tobytes())))) for i in range(0, len(nodes), 2)
    ]
    assert [h.tobytes() for h in keccak_rows.hash_sorted_pairs(nodes)] == expected


@pytest.mark.parametrize("shape", [(2, 136), (2, 12), (64,)])
def test_rows_of_another_length_are_refused(shape):
    with pytest.raises(ValueError, match="multiple of 8 bytes, at most 128"):
        keccak_rows.hash_rows(np.zeros(shape, dtype=np.uint8))
