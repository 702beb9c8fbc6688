"""The numba Philox gives the published words, and the base's numbers at every address."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from heritage_agents.kernel.philox import block, gumbel, uniform
from heritage_sim.base import Stream, stream_key

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "philox4x32_10.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", GOLDEN)
def test_published_vectors(vector):
    words = [np.uint64(int(word, 16)) for word in vector["counter"] + vector["key"]]
    assert [f"{int(word):08x}" for word in block(*words)] == vector["output"]


def test_equals_base_at_many_addresses():
    words = Stream(stream_key(1, 2, "test", "addresses")).words(np.arange(300), 0, 5)
    for k in range(300):
        low, high, step, draw, seed = (int(word) for word in words[k])
        agent, draw = low + ((high % 2**20) << 32), draw % 100_000
        stream = Stream(stream_key(seed, k, "listener", "choice"))
        key = np.array(stream.key, np.uint64)
        expected = stream.uniform(agent, step, draw)[0]
        assert uniform(agent, step, draw, key[0], key[1]) == expected
        assert gumbel(agent, step, draw, key[0], key[1]) == pytest.approx(-math.log(-math.log(expected)), rel=1e-14)
