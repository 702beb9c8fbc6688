"""Law 3 with all behaviour on: the division into shards, threads and processes shows in no outcome, bit for bit.

The economy is small and everything in it is strong: several sessions a day, much churn and word of mouth, factors of
the whole catalogue, a ring with bots and copies, releases every third day, refreshes every fourth, practice that is
handed on, a split for rankings, and sessions noted one by one. Costs about 20 CPU seconds, Ray's start included.
"""

from __future__ import annotations

import os
import signal
from functools import partial

import numpy as np
import pytest
import small_world as sw

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.adversaries.ring import Ring
from heritage_agents.adversaries.shard import bot_bounds, make_shard_with_bots
from heritage_agents.adversaries.shard import reshard as reshard_with_bots
from heritage_agents.listeners.cohort import reshard as reshard_listeners
from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_sim.executors import LocalExecutor, reshard
from heritage_sim.sharding import shard_bounds

pytestmark = pytest.mark.integration

DAYS = 20
LISTENERS = sw.LISTENERS.model_copy(
    update={
        "sessions_per_day": 1.6,
        "subscribed_at_start": 0.7,
        "renewal_days": 3,
        "churn_base": 0.0,
        "churn_satisfaction": 0.5,
        "return_rate": 0.02,
        "word_of_mouth": 0.25,
        "consistency_taste_sd": 1.0,
        "popularity_weight": 0.4,
        "release_pull": 0.8,
    }
)
RING = AdversariesConfig(
    colluder=1, bots=11, bot_plays_per_day=60, bot_detection_per_day=0.05, sybils=0, false_claims_per_work=0.3
)
RECOMMENDERS = {
    "ials": RecommenderConfig(kind="ials", num_candidates=15, ials_sample=50, ials_factors=6, ials_rounds=2),
    "content": RecommenderConfig(kind="content", num_candidates=12, num_clusters=4),
}


class Watched(LocalExecutor):
    """Remembers how many days it was asked for in each call."""

    def __init__(self, factories, num_threads=1):
        super().__init__(factories, num_threads)
        self.num_days = []

    def call(self, method, *args):
        if method == "run_days":
            self.num_days.append(args[1])
        return super().call(method, *args)


def factories(num_shards):
    make = sw.shard_factories(sw.KEYS, num_shards, LISTENERS)
    bounds = bot_bounds(RING.bots, num_shards)
    return [
        partial(make_shard_with_bots, one, RING, LISTENERS, sw.KEYS, *own)
        for one, own in zip(make, bounds, strict=True)
    ]


def economy(recommender="ials", num_shards=1, executor=Watched):
    return sw.small_economy(
        days=DAYS,
        epoch_days=8,
        refresh_days=4,
        release_days=3,
        transmission="competition",
        make_executor=lambda: executor(factories(num_shards)),
        make_recommender=lambda: make_recommender(RECOMMENDERS[recommender], sw.KEYS),
        make_ring=partial(Ring, RING, LISTENERS, sw.KEYS, len(sw.COMMUNITIES)),
    )


def lived(**arguments):
    made = economy(**arguments)
    made.run()
    return made


@pytest.fixture(scope="module", params=sorted(RECOMMENDERS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def one_shard(kind):
    return lived(recommender=kind)


def same_in_all(one, other):
    """Assert equal outcomes and tables, and equal rows of the sample's sessions and plays."""
    sw.same_results(one, other)
    for mine, its in zip(noted(one), noted(other), strict=True):
        assert mine.keys() == its.keys()
        for name, values in mine.items():
            np.testing.assert_array_equal(values, its[name], err_msg=name)


def noted(made):
    parts = made.executor.call("noted")
    return [
        {name: np.concatenate([part[name] for part in rows]) for name in rows[0]} for rows in zip(*parts, strict=True)
    ]


def test_what_is_to_be_compared_does_happen(one_shard):
    """Else the tests below would compare nothing with nothing."""
    values = {outcome.name: outcome.value for outcome in one_shard.results().outcomes}
    sessions, plays = noted(one_shard)
    assert sessions["session"].max() >= 3
    assert plays["work"].size > 300
    daily = one_shard.results().tables["daily"]
    assert daily["left_service"].sum() > 100
    assert daily["came_back"].sum() > 50
    assert values["adversary_accounts_detected"] >= 2
    assert max(one_shard.executor.num_days) >= 2
    assert one_shard.catalogue.num_works > one_shard.parts.archive.num_works + 5


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("num_shards", [2, 3, 7])
def test_shards_and_threads_do_not_show(kind, one_shard, num_shards, num_threads):
    made = lived(recommender=kind, num_shards=num_shards, executor=partial(Watched, num_threads=num_threads))
    same_in_all(one_shard, made)
    made.close()


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [(4, 3, 2), (5, 1, 3), (14, 2, 7), (16, 7, 1)],  # after a refresh, in between, in a later epoch, at an epoch's end
)
def test_divided_anew_in_the_middle_of_an_epoch_it_goes_on_the_same(kind, one_shard, day, before, after):
    first, second = (economy(recommender=kind, num_shards=num) for num in (before, after))
    first.run(until=day)
    state = first.snapshot()
    bounds = shard_bounds(LISTENERS.num_listeners, after)
    divide = partial(reshard_with_bots, reshard_listeners=reshard_listeners)
    second.restore(state | {"shards": reshard(state["shards"], bounds, divide)})
    second.run()
    same_in_all(one_shard, second)


@pytest.mark.usefixtures("ray_cluster")
def test_a_shard_killed_on_ray_does_not_show(kind, one_shard):
    pytest.importorskip("ray")
    from heritage_sim.executors.ray_executor import RayExecutor

    made = economy(recommender=kind, num_shards=3, executor=RayExecutor)
    # Before the first checkpoint, and after it; both between two refreshes.
    made.run(until={"content": 6, "ials": 13}[kind])
    before = made.executor.process_ids()
    os.kill(before[1], signal.SIGKILL)
    made.run()
    after = made.executor.process_ids()
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]
    same_in_all(one_shard, made)
    made.close()
