"""The kernel's own logarithm, exponential, draws, dot products and slates, each against an independent way."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from heritage_agents.kernel.arithmetic import WIDE, exponential, exponentials, logarithm, logarithms
from heritage_agents.kernel.draws import uniforms_at, words_from
from heritage_agents.kernel.groups import GROUP, dot_group
from heritage_agents.kernel.lanes import LANES, dot_rows
from heritage_agents.kernel.slates import TAKEN, strike_out, take_slate
from heritage_sim.base import Keys, Stream

KEYS = Keys(root_seed=77, replication=0)


@njit
def _exponential_alone(values, out):
    for i in range(values.size):
        out[i] = exponential(values[i])


@njit
def _logarithm_alone(values, out):
    for i in range(values.size):
        out[i] = logarithm(values[i])


@njit
def _exponential_together(values, out):
    out[:] = values
    for first in range(0, values.size, WIDE):
        exponentials(out[first : first + WIDE])


@njit
def _logarithm_together(values, out):
    out[:] = values
    for first in range(0, values.size, WIDE):
        logarithms(out[first : first + WIDE])


def by_both(alone, together, values):
    """Return what a function gives, having checked that it gives the same alone and sixteen at a time."""
    filled = np.ones(-(-values.size // WIDE) * WIDE)
    filled[: values.size] = values
    one, many = np.empty_like(filled), np.empty_like(filled)
    alone(filled, one)
    together(filled, many)
    assert one.tobytes() == many.tobytes()
    return one[: values.size]


def exponential_of(values):
    return by_both(_exponential_alone, _exponential_together, values)


def logarithm_of(values):
    return by_both(_logarithm_alone, _logarithm_together, values)


def off_by(got, exact):
    """Return the largest distance in units of the last place of the exact value."""
    return float(np.max(np.abs(got - exact) / np.spacing(np.abs(exact))))


def test_the_exponential_is_within_two_units_of_the_last_place():
    for values in (np.linspace(-700, 700, 100_003), np.linspace(-1, 1, 100_003), np.array([0.0, -0.0, 1e-300])):
        assert off_by(exponential_of(values), np.exp(values)) <= 2.0


def test_the_exponential_stays_finite_and_above_zero():
    out = exponential_of(np.array([1e9, 710.0, -710.0, -1e9]))
    assert np.isfinite(out).all()
    assert out[0] == out[1] > 1e307
    assert 0.0 < out[2] == out[3] < 1e-307


def test_the_logarithm_is_within_two_units_of_the_last_place():
    for values in (np.exp(np.linspace(-700, 700, 100_003)), np.array([2.0**-33, 1.0 - 2.0**-33, 0.5, 2.0])):
        assert off_by(logarithm_of(values), np.log(values)) <= 2.0
    near = np.linspace(0.99, 1.01, 10_001)
    np.testing.assert_allclose(logarithm_of(near), np.log(near), rtol=0, atol=3e-16)


@njit
def _uniforms(agent, step, draws, k0, k1, out):
    for first in range(0, draws.size, WIDE):
        uniforms_at(agent, step, draws[first : first + WIDE], k0, k1, out[first : first + WIDE])


@njit
def _words(agent, step, first, k0, k1, out):
    for piece in range(out.size // (4 * WIDE)):
        words_from(agent, step, first + np.uint64(WIDE * piece), k0, k1, out, 4 * WIDE * piece)


def long(*numbers):
    return [np.uint64(number) for number in numbers]


@pytest.mark.parametrize("agent", [0, 3, 2**33 + 5])
def test_draws_at_works_are_those_of_the_stream(agent):
    stream = KEYS.stream("test", "draws")
    draws = np.array([0, 1, 2, 3, 4, 9_999, 17, 17, 2**31 - 1, *range(100, 123)], dtype=np.int32)
    out = np.empty(draws.size)
    _uniforms(*long(agent, 41), draws, *long(*stream.key), out)
    assert out.tolist() == [float(stream.uniform(agent, 41, int(draw))[0]) for draw in draws]


def test_words_come_lane_by_lane():
    key = (0x8F00_1234, 0xFFFF_FFFF)
    out = np.empty(2 * 4 * WIDE, dtype=np.uint32)
    _words(*long(2**40 + 9, 2, 5), *long(*key), out)
    expected = Stream(key).words(2**40 + 9, 2, 4 * 2 * WIDE, first_draw=20)[0]
    np.testing.assert_array_equal(out.reshape(2, 4, WIDE).transpose(0, 2, 1).ravel(), expected)


@njit
def dots_one_by_one(a, i, b, ids, out):
    for j in range(ids.size):
        out[j] = dot_rows(a, i, b, ids[j])


@njit
def dots_in_groups(a, i, b, ids, out):
    for first in range(0, ids.size, GROUP):
        dot_group(a, i, b, ids, first, out)


@pytest.mark.parametrize("width", [LANES, 2 * LANES, 5 * LANES])
def test_sixteen_dot_products_at_once_equal_each_alone_bit_for_bit(width):
    a = KEYS.stream("test", "a").normals(np.arange(3), 0, width).astype(np.float32)
    b = KEYS.stream("test", "b").normals(np.arange(40), 0, width).astype(np.float32)
    ids = KEYS.stream("test", "ids").integer(np.arange(3 * GROUP), 0, 40).astype(np.int32)
    one, many = np.empty(ids.size, np.float32), np.empty(ids.size, np.float32)
    dots_one_by_one(a, 2, b, ids, one)
    dots_in_groups(a, 2, b, ids, many)
    assert one.tobytes() == many.tobytes()
    np.testing.assert_allclose(one, b[ids].astype(np.float64) @ a[2], rtol=1e-4, atol=1e-4)


def slates_by_sorting(scores, size):
    order = np.argsort(-scores, kind="stable")
    return [np.sort(order[i : i + size]).tolist() for i in range(0, len(order) // size * size, size)]


@pytest.mark.parametrize("num", [1, 15, 16, 40, 100])
@pytest.mark.parametrize("size", [1, 4, 10, 11, 30])
@pytest.mark.parametrize("guess", [-1e9, 0.0, 0.7, 1e9])
@pytest.mark.parametrize("kind", ["distinct", "ties", "all equal", "huge and tiny", "negative"])
def test_slates_are_the_best_then_the_next_best_with_ties_to_the_earlier(num, size, guess, kind):
    raw = KEYS.stream("test", f"scores {kind}").normals(np.arange(num), 0, 1)[:, 0]
    scores = {
        "distinct": raw,
        "ties": np.rint(2 * raw),
        "all equal": np.zeros(num),
        "huge and tiny": np.sign(raw) * 10.0 ** (12 * raw),
        "negative": -np.abs(raw) - 3.0,
    }[kind].astype(np.float32)
    expected = slates_by_sorting(scores, size)
    filled = np.full(-(-num // LANES) * LANES, TAKEN, dtype=np.float32)
    filled[:num] = scores
    low, high, slate = scores.min(), scores.max(), np.empty(num + LANES, dtype=np.int32)
    next_guess = np.float32(guess)
    for places in expected:
        next_guess = take_slate(filled, filled.size, size, low, high, next_guess, slate)
        assert slate[:size].tolist() == places
        strike_out(filled, slate, size)
