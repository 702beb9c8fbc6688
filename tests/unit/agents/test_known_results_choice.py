"""Known result: multinomial logit. McFadden, "Conditional logit analysis of qualitative choice behavior", 1974."""

import numpy as np
import pytest
from plain_listening import directions, listeners_config, lived, offers, shard, works_of
from scipy import stats

from heritage_sim.base import Keys

KEYS = Keys(101, 0)
WORKS, DIM, KAPPA, THETA, WEIGHT, OUTSIDE = 14, 6, 2.5, 0.7, 0.3, 1.4
VISIBLE = 5 * np.arange(WORKS)


@pytest.fixture(scope="module")
def world():
    return works_of(directions(KEYS, WORKS, DIM), consistency=np.linspace(0, 1, WORKS))


def choices(world, slate, num_listeners=6_000, days=3, **changes):
    """Return (plays by work, sessions, expected plays, their variance): the last two by softmax of each listener."""
    config = listeners_config(
        num_listeners=num_listeners, slate_size=100, kappa=KAPPA, consistency_taste_mean=THETA,
        popularity_weight=WEIGHT, outside_utility=OUTSIDE, **changes,
    )  # fmt: skip
    cohort = shard(config, KEYS, world)
    plays = sum(lived(cohort, world, offers(slate, WORKS), VISIBLE, day) for day in range(days))
    taste = cohort.snapshot()["taste"].astype(float)
    utility = KAPPA * taste @ world.vectors[slate].T.astype(float)
    utility += THETA * world.consistency[slate] + WEIGHT * np.log1p(VISIBLE[slate])
    weight = np.exp(np.column_stack([utility, np.full(num_listeners, OUTSIDE)]))
    p = weight / weight.sum(axis=1, keepdims=True)
    return plays, days * num_listeners, days * p.sum(axis=0), days * (p * (1 - p)).sum(axis=0)


def test_choice_frequencies_are_the_softmax_of_each_listeners_utilities(world):
    slate = np.arange(WORKS)
    plays, sessions, expected, variance = choices(world, slate)
    observed = np.append(plays[slate], sessions - plays.sum())
    assert stats.chisquare(observed, expected).pvalue > 1e-3
    assert (np.abs(observed - expected) < 4 * np.sqrt(variance)).all()
    wrong = np.append(np.exp(WEIGHT * np.log1p(VISIBLE)), np.exp(OUTSIDE))  # as if taste did not matter
    assert stats.chisquare(observed, sessions * wrong / wrong.sum()).pvalue < 1e-9


def test_irrelevant_alternatives_do_not_change_the_odds_of_two_works(world):
    """With one taste for all, odds of two works are those of their utilities, whatever else is on the slate."""
    alike = {"taste_anchor_weight": 0.0, "taste_noise": 0.0}
    a, b = 3, 11
    found = []
    for slate in ([a, b], [a, b, 0, 7, 13], list(range(WORKS))):
        plays, _, expected, _ = choices(world, np.array(slate), num_listeners=8_000, days=4, **alike)
        odds = np.log(plays[a] / plays[b])
        stated = np.log(expected[slate.index(a)] / expected[slate.index(b)])
        assert odds == pytest.approx(stated, abs=4 * np.sqrt(1 / plays[a] + 1 / plays[b]))
        found.append((stated, plays[a]))
    assert np.ptp([stated for stated, _ in found]) < 1e-9
    assert found[0][1] > 2 * found[2][1]  # the other works do take plays away
