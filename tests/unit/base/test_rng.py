"""Philox against published vectors, its addresses against their definition, and the numbers against their laws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from heritage_sim.base import Keys, Stream, philox4x32, stream_key

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "philox4x32_10.json").read_text())["vectors"]
STREAM = Keys(7, 3).stream("listener", "choice")
IDS = np.arange(50_000)


def philox_in_python(counter: list[int], key: tuple[int, int]) -> list[int]:
    """The published algorithm, word by word, in unbounded integers."""
    k0, k1 = key
    c = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda v: v["counter"][0])
def test_published_vectors_come_out(vector: dict[str, list[str]]) -> None:
    counter, key, output = ([int(x, 16) for x in vector[k]] for k in ("counter", "key", "output"))
    assert philox4x32(counter, (key[0], key[1])).tolist() == output


def test_an_address_is_id_step_and_draw() -> None:
    agent, step = (5 << 32) + 9, 17
    words = STREAM.words(np.array([agent]), step, 11)[0].tolist()
    by_hand = [philox_in_python([9, 5, step, d // 4], STREAM.key)[d % 4] for d in range(11)]
    assert words == by_hand


def test_draws_do_not_depend_on_who_else_asks_or_how_many() -> None:
    all_at_once = STREAM.uniforms(IDS[:100], 4, 10)
    assert (STREAM.uniforms(IDS[40:60], 4, 10) == all_at_once[40:60]).all()
    assert (STREAM.uniforms(IDS[:100], 4, 3, first_draw=5) == all_at_once[:, 5:8]).all()
    assert (STREAM.uniform(IDS[:100], 4, 6) == all_at_once[:, 6]).all()


def test_every_part_of_a_streams_name_gives_another_key() -> None:
    names = [(1, 0, "a", "b"), (2, 0, "a", "b"), (1, 1, "a", "b"), (1, 0, "ab", ""), (1, 0, "a", "c"), (1, 0, "", "ab")]
    assert len({stream_key(*n) for n in names}) == len(names)
    assert Keys(1, 0).stream("a", "b") == Stream(stream_key(1, 0, "a", "b"))


def test_uniforms_are_uniform_and_open() -> None:
    u = STREAM.uniforms(IDS, 0, 4).ravel()
    assert u.min() > 0.0
    assert u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > 0.001


def test_uniforms_of_neighbouring_addresses_are_uncorrelated() -> None:
    u = STREAM.uniforms(IDS, 0, 2)
    limit = 4.0 / np.sqrt(IDS.size)
    assert abs(np.corrcoef(u[:, 0], u[:, 1])[0, 1]) < limit
    assert abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < limit
    assert abs(np.corrcoef(u[:, 0], STREAM.uniform(IDS, 1))[0, 1]) < limit
    assert abs(np.corrcoef(u[:, 0], Keys(7, 4).stream("listener", "choice").uniform(IDS, 0))[0, 1]) < limit


def test_normals_are_standard_normal() -> None:
    z = STREAM.normals(IDS, 0, 2)
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.001
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < 4.0 / np.sqrt(IDS.size)


def test_integers_are_evenly_spread_and_in_range() -> None:
    counts = np.bincount(STREAM.integer(IDS, 2, 7), minlength=7)
    assert counts.size == 7
    assert stats.chisquare(counts).pvalue > 0.001
