"""iALS in the whole economy: the same whatever the shards, and put down and taken up on any day."""

import pickle

import numpy as np
import pytest
from small_world import KEYS, lived, same_results, small_economy

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender


def by_factors():
    config = RecommenderConfig(kind="ials", num_candidates=12, ials_factors=6, ials_sample=50)
    return make_recommender(config, KEYS)


@pytest.mark.parametrize("num_shards", [2, 3, 7])
def test_the_division_into_shards_does_not_show(num_shards):
    arguments = {"days": 16, "make_recommender": by_factors}
    same_results(lived(**arguments), lived(**arguments, num_shards=num_shards))


def test_put_down_between_two_days_it_goes_on_as_if_never_stopped():
    arguments = {"days": 14, "make_recommender": by_factors}
    first = small_economy(**arguments)
    first.run(until=9)
    other = small_economy(**arguments)
    other.restore(pickle.loads(pickle.dumps(first.snapshot())))
    other.run()
    same_results(other, lived(**arguments))


def test_it_learns_factors_from_the_plays_and_offers_different_works_to_different_listeners():
    economy = small_economy(days=14, make_recommender=by_factors)
    economy.run()
    state = economy.desk.state
    assert state.factors[:, :6].any()
    played = np.array([[0, 2, 4], [23, 21, 19], [-1, -1, -1]], dtype=np.int32)
    score = state.queries(np.arange(3), played, 14)[:, :6] @ state.factors[:, :6].T
    assert np.abs(score[0] - score[1]).max() > 0.01
    assert np.abs(score[2] - score[0]).max() > 0.01
