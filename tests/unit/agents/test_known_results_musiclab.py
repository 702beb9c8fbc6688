"""Known result: MusicLab. Seeing what others played makes success more unequal and less predictable.

48 songs, 700 listeners a world, several worlds of other listeners: each listener plays one song. Independent listeners
see the songs in an order of their own; under social influence they see the plays so far too; ranked, the most played
come first. Shares of equally good songs must lie between those of independent choice (Gini .144, unpredictability
.0061) and those of Polya's urn (.504, .0214), both computed here by the laws themselves.

References
----------
Salganik, Dodds, Watts, "Experimental study of inequality and unpredictability in an artificial cultural market",
Science 311, 2006.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from plain_listening import directions, listeners_config, lived, shard, works_of

from heritage_sim.base import Keys, Stream
from heritage_sim.metrics import gini

SONGS, LISTENERS, WORLDS, A_DAY, DIM = 48, 700, 8, 10, 8
SONGS_HEARD_OF = directions(Keys(105, 0), SONGS, DIM)


def unpredictability(shares):
    """Return the mean over songs and pairs of worlds of how far a song's shares lie apart."""
    return float(np.mean([np.abs(a - b).mean() for a, b in combinations(shares, 2)]))


def measured(shares):
    return np.mean([gini(row) for row in shares]), unpredictability(shares)


def multinomial_worlds(stream, num_worlds):
    """Return shares where everybody picks a song at random."""
    songs = (stream.uniforms(np.arange(num_worlds), 0, LISTENERS) * SONGS).astype(int)
    return np.array([np.bincount(row, minlength=SONGS) for row in songs]) / LISTENERS


def urn_worlds(stream, num_worlds):
    """Return shares of Polya's urn with prior 1, by its own draw: a new ball, or a copy of an earlier one."""
    made = []
    for u in stream.uniforms(np.arange(num_worlds), 1, 2 * LISTENERS).reshape(num_worlds, LISTENERS, 2):
        balls = []
        for n, (what, which) in enumerate(u):
            fresh = what < SONGS / (SONGS + n)
            balls.append(int(which * SONGS) if fresh else balls[int(which * n)])
        made.append(np.bincount(balls, minlength=SONGS) / LISTENERS)
    return np.array(made)


@dataclass(frozen=True)
class OwnOrder:
    """All songs, in an order of each listener's own where scores are equal."""

    bias: np.ndarray
    order: Stream
    affinity: float = 0.0

    def candidates(self, listener_ids, history, day):
        return np.argsort(self.order.uniforms(listener_ids, 0, SONGS), axis=1).astype(np.int32)


def worlds(influence, ranked, kappa):
    """Return shares of plays in worlds of our own listeners, shape (worlds, songs): ten a day, each of them once.

    They look through two pages of songs until they play one.
    """
    songs = works_of(SONGS_HEARD_OF)
    config = listeners_config(
        num_listeners=LISTENERS, slate_size=24, max_slates=2, kappa=kappa, popularity_weight=influence,
        outside_utility=2.5, leave_base=60.0, leave_idle=-120.0, taste_noise=1.0,
    )  # fmt: skip
    made = []
    for world in range(WORLDS):
        keys = Keys(105, 1 + world)
        plays = np.zeros(SONGS, dtype=np.int64)
        for day, first in enumerate(range(0, LISTENERS, A_DAY)):
            bias = (plays if ranked else np.zeros(SONGS)).astype(np.float32)
            state = OwnOrder(bias, keys.stream("test", "order"))
            visible = plays if influence else np.zeros(SONGS)
            plays = plays + lived(shard(config, keys, songs, first, first + A_DAY), songs, state, visible, day)
        assert plays.sum() > 0.8 * LISTENERS
        made.append(plays / plays.sum())
    return np.array(made)


def test_the_limits_are_those_stated():
    stream = Keys(105, 0).stream("test", "limits")
    assert measured(multinomial_worlds(stream, 40)) == pytest.approx((0.144, 0.0061), rel=0.04)
    assert measured(urn_worlds(stream, 40)) == pytest.approx((0.504, 0.0214), rel=0.06)


@pytest.mark.slow
def test_seeing_others_plays_makes_success_more_unequal_and_less_predictable_and_more_so_when_ranked():
    stream = Keys(105, 0).stream("test", "limits")
    lowest, highest = measured(multinomial_worlds(stream, 40)), measured(urn_worlds(stream, 40))
    alone, seen, ranked = (measured(worlds(*arm, kappa=0.5)) for arm in ((0.0, False), (0.4, False), (0.4, True)))
    for of in (0, 1):  # inequality, unpredictability
        assert 0.9 * lowest[of] < alone[of] < 1.25 * lowest[of]
        assert 1.2 * alone[of] < seen[of]
        assert 1.2 * seen[of] < ranked[of] < highest[of]
