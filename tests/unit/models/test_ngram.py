"""Witten-Bell against a direct transcription of its recursion in exact fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from heritage_models.ngram import WittenBell
from heritage_sim.base import Keys

START = "start"


def brute_force(train: list[list[int]], num_symbols: int, order: int, context: list, symbol: int) -> Fraction:
    grams: Counter = Counter()
    for s in train:
        padded = [START] * (order - 1) + s
        for i in range(order - 1, len(padded)):
            for length in range(order):
                grams[tuple(padded[i - length : i]), padded[i]] += 1

    def p(h: tuple, w: int) -> Fraction:
        lower = p(h[1:], w) if h else Fraction(1, num_symbols)
        following = {x: c for (g, x), c in grams.items() if g == h}
        total, types = sum(following.values()), len(following)
        return (following.get(w, 0) + types * lower) / (total + types) if total else lower

    padded = [START] * (order - 1) + context
    return p(tuple(padded[len(padded) - order + 1 :]), symbol)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_every_probability_equals_the_recursion_counted_by_hand(order: int) -> None:
    train = [[0, 1, 2, 0, 1, 3], [0, 1, 2, 2], [5, 0, 1]]
    model = WittenBell(train, 7, order)
    test = [0, 1, 2, 0, 4, 6, 0, 1, 2, 2]
    expected = [float(brute_force(train, 7, order, test[:i], w)) for i, w in enumerate(test)]
    np.testing.assert_allclose(np.exp(-model.nll(test)), expected, rtol=1e-12)


def test_probabilities_of_all_symbols_sum_to_one_after_any_context() -> None:
    train = [[0, 1, 2, 0, 1, 3], [0, 1, 2, 2], [5, 0, 1]]
    model = WittenBell(train, 9, 4)
    for context in ([], [0], [0, 1], [8, 8, 1], [2, 0, 1, 2]):
        total = sum(np.exp(-model.nll([*context, w])[-1]) for w in range(9))
        assert total == pytest.approx(1.0, abs=1e-12)


def test_it_learns_a_markov_chain_to_near_its_entropy_and_beats_shorter_memory() -> None:
    u = Keys(3, 0).stream("test", "chain").uniforms(np.arange(60), 0, 200)
    sequences = []
    for row in u:
        s = [0, 0]
        for x in row:
            s.append((s[-1] + s[-2] + 1) % 5 if x < 0.9 else int(x * 1000) % 5)
        sequences.append(s[2:])
    held_out = sequences[40:]
    one, three = (WittenBell(sequences[:40], 5, order).mean_nlls(held_out).mean() for order in (1, 3))
    # from x = .9 on the next symbol is one of five alike: the likely one has .9 + .02, the others .02 each
    follows = np.array([s[i] == (s[i - 1] + s[i - 2] + 1) % 5 for s in held_out for i in range(2, len(s))])
    truth = -np.log(np.where(follows, 0.92, 0.02)).mean()
    assert truth - 0.005 < three < truth + 0.03
    assert one > 1.5


def test_an_empty_training_set_and_contexts_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="no symbols"):
        WittenBell([[]], 4)
    with pytest.raises(ValueError, match="64 bits"):
        WittenBell([list(range(9000))], 9000, 5)
