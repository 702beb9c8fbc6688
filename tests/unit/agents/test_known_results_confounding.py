"""Known result: algorithmic confounding. Retraining on plays of what was recommended makes listeners' plays more alike
without making them better.

The loop is the economy's own, over listening alone: the shard's host brings the recommender to its usage, the state
goes back to the shard. After a time of random offers a recommender is trained once, or again after every day. Alike is
the Jaccard similarity of what two listeners played, of each and the listener nearest in taste and of all pairs; good
is the match of taste and work, mean over plays. Offers by true taste (the ideal, which no recommender can know) and at
random show the scale.

References
----------
Chaney, Stewart, Engelhardt, "How algorithmic confounding in recommendation systems increases homogeneity and decreases
utility", RecSys 2018 (arXiv 1710.11214); replicated in T-RECS (arXiv 2107.08959).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from plain_listening import directions, listeners_config, shard, works_of

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_sim.base import Keys, World
from heritage_sim.executors import ShardHost
from heritage_sim.sharding import usage_since

LISTENERS, WORKS, DIM, SHOWN = 400, 300, 8, 10
RANDOM_DAYS, DAYS, REPLICATIONS = 30, 40, 3


class Found(NamedTuple):
    """What the listeners of a replication made of the days after the random ones."""

    alike_nearest: float
    alike: float
    good: float


@dataclass(frozen=True)
class Ideal:
    """Offers each listener the works nearest to the true taste."""

    best: np.ndarray
    bias: np.ndarray
    affinity: float = 0.0

    def candidates(self, listener_ids, history, day):
        return self.best[listener_ids]


def found(taste, vectors, usage):
    """Return the three figures of a usage."""
    rows = np.repeat(np.arange(LISTENERS), np.diff(usage.indptr))
    played = np.zeros((LISTENERS, WORKS))
    played[rows, usage.work_ids] = 1.0
    both, size = played @ played.T, played.sum(axis=1)
    jaccard = both / (size[:, None] + size - both)
    likeness = taste @ taste.T - 2.0 * np.eye(LISTENERS)
    match = (taste[rows] * vectors[usage.work_ids]).sum(axis=1)
    return Found(
        alike_nearest=float(jaccard[np.arange(LISTENERS), likeness.argmax(axis=1)].mean()),
        alike=float((jaccard.sum() - LISTENERS) / (LISTENERS * (LISTENERS - 1))),
        good=float(np.average(match, weights=usage.plays)),
    )


def life(kind, replication, retrained=False):
    """Return what comes of a recommender that is trained once, or after every day."""
    keys = Keys(106, replication)
    works = works_of(directions(keys, WORKS, DIM))
    config = listeners_config(
        num_listeners=LISTENERS, slate_size=SHOWN, kappa=3.0, outside_utility=-1e6, taste_anchor_weight=0.0,
        taste_noise=3.0,
    )  # fmt: skip
    cohort = shard(config, keys, works)
    host = ShardHost(cohort)
    taste = cohort.snapshot()["taste"].astype(float)
    wide = {"num_candidates": 4 * SHOWN} if kind == "content" else {"num_candidates": SHOWN}
    if kind == "ials":
        wide |= {"ials_factors": DIM, "ials_sample": LISTENERS, "ials_rounds": 3, "ials_exploration": 0.0}
    registered = "random" if kind == "ideal" else kind
    recommender = make_recommender(RecommenderConfig(kind=registered, half_life_days=1e6, **wide), keys)
    unseen = make_recommender(RecommenderConfig(kind="random", num_candidates=SHOWN), keys)
    recommender.refresh(host.recommender_statistics(recommender, 0), works, 0)
    state = unseen.refresh({}, works, 0)
    for day in range(RANDOM_DAYS + DAYS):
        if day == RANDOM_DAYS:
            before = cohort.usage(0)
            state = recommender.refresh(host.recommender_statistics(recommender, 0), works, day)
            if kind == "ideal":
                best = np.argsort(-taste @ works.vectors.T, axis=1)[:, :SHOWN].astype(np.int32)
                state = Ideal(best, np.zeros(WORKS, np.float32))
        elif day > RANDOM_DAYS and retrained:
            state = recommender.refresh(host.recommender_statistics(recommender, 0), works, day)
        host.run_day(World(day, works, state, np.zeros(WORKS, np.int64)))
    return found(taste, works.vectors, usage_since(cohort.usage(0), before, RANDOM_DAYS))


@pytest.fixture(scope="module")
def scale():
    return {kind: [life(kind, r) for r in range(REPLICATIONS)] for kind in ("random", "ideal")}


def test_the_scale_random_offers_are_worst_and_the_ideal_is_best_and_alike_only_for_the_like(scale):
    for random, ideal in zip(scale["random"], scale["ideal"], strict=True):
        assert ideal.good > 2 * random.good
        assert ideal.alike_nearest > 5 * ideal.alike
        assert ideal.alike_nearest > 3 * random.alike_nearest


def test_retraining_on_recommended_plays_makes_listeners_alike_beyond_the_ideal_without_raising_utility(scale):
    """The house's default recommender. Every replication: 20 % more alike, and no better."""
    for r, ideal in enumerate(scale["ideal"]):
        once, again = life("content", r), life("content", r, retrained=True)
        assert again.alike > 1.2 * once.alike
        assert again.alike_nearest > 1.05 * once.alike_nearest
        assert again.alike > 3 * ideal.alike  # not because all like the same
        assert again.good < once.good + 0.005
        assert again.good < 0.85 * ideal.good


@pytest.mark.slow
def test_retrained_factors_make_listeners_alike_too(scale):
    """iALS: more alike in every replication.

    It gains a little utility besides, for it learns from more plays: how far it stays behind the ideal is what is
    asserted, not a loss.
    """
    for r, ideal in enumerate(scale["ideal"][:2]):
        once, again = life("ials", r), life("ials", r, retrained=True)
        assert again.alike > 1.2 * once.alike
        assert again.alike_nearest > 1.2 * once.alike_nearest
        assert again.alike > ideal.alike
        assert again.good - once.good < 0.3 * (ideal.good - once.good)


def test_popularity_cannot_unlearn_what_it_made_popular(scale):
    """Only what is offered is played, so the first offer stays: trained once or every day, all play the same works."""
    for r, ideal in enumerate(scale["ideal"]):
        once, again = life("popularity", r), life("popularity", r, retrained=True)
        assert again == once
        assert again.alike > 5 * ideal.alike
        assert again.good < 0.6 * ideal.good
