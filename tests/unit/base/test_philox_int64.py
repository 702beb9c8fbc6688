"""Philox on signed 64-bit integers, with NumPy arrays: the published words, and the base's at every address."""

import json
from pathlib import Path

import numpy as np
import pytest

from heritage_sim.base import Stream, stream_key
from heritage_sim.base.philox_int64 import rounds, words_at

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "philox4x32_10.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", GOLDEN)
def test_published_vectors(vector):
    counter, key, output = ([int(word, 16) for word in vector[name]] for name in ("counter", "key", "output"))
    assert [int(word[0]) for word in rounds(*(np.array([word]) for word in counter), tuple(key))] == output


@pytest.mark.parametrize("step", [0, 11, 2**32 - 1, 2**33 + 5])
def test_addresses_are_those_of_the_unsigned_version(step):
    key = stream_key(7, 1, "listener", "choice")
    ids = np.array([0, 1, 2**31, 2**32, 2**62 + 12345])
    draws = np.arange(9)
    words = words_at(ids[:, None], step, draws[None, :], key)
    assert words.dtype == np.int64
    np.testing.assert_array_equal(words, Stream(key).words(ids, step, 9))
