import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from heritage_models import philox_torch  # noqa: E402
from heritage_sim.base import Stream, stream_key  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "golden" / "philox4x32_10.json"


def test_published_vectors():
    for vector in json.loads(GOLDEN.read_text())["vectors"]:
        counter, key, output = ([int(w, 16) for w in vector[k]] for k in ("counter", "key", "output"))
        assert philox_torch.philox4x32(torch.tensor(counter), (key[0], key[1])).tolist() == output


@pytest.mark.parametrize(("draws", "first"), [(1, 0), (5, 0), (4, 3), (9, 6)])
def test_addresses_are_those_of_the_numpy_version(draws, first):
    key = stream_key(7, 1, "generator", "weights")
    ids = [0, 1, 2**31, 2**32, 2**62 + 12345]
    expected = Stream(key).words(np.array(ids), 11, draws, first)
    got = philox_torch.words(key, torch.tensor(ids), 11, draws, first)
    assert got.tolist() == expected.tolist()
    assert philox_torch.uniforms(key, torch.tensor(ids), 11, draws, first).tolist() == (
        Stream(key).uniforms(np.array(ids), 11, draws, first).tolist()
    )


def test_normals_have_the_moments_of_a_standard_normal():
    drawn = philox_torch.normals((3, 4), torch.arange(1000), 0, 50).numpy()
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert abs((drawn**4).mean() - 3) < 0.15
    np.testing.assert_allclose(drawn, Stream((3, 4)).normals(np.arange(1000), 0, 50), rtol=1e-12, atol=1e-12)
