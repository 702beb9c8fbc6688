"""What every executor promises, run on each: results in shard order, checkpoints, restores, clear refusals."""

import pickle
from functools import partial

import numpy as np
import pytest
from plain_recommender import PlainRecommender
from small_world import KEYS, shard_factories, world_of

from heritage_sim.base import Executor, InputError
from heritage_sim.executors import LocalExecutor
from heritage_sim.executors.ray_executor import RayExecutor
from heritage_sim.sharding import add_sums, add_tallies, shard_bounds

NUM_SHARDS = 2


@pytest.fixture(params=["local", "local_in_threads", pytest.param("ray", marks=pytest.mark.integration)])
def make_executor(request):
    kind = partial(LocalExecutor, num_threads=2) if request.param == "local_in_threads" else LocalExecutor
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
        kind = RayExecutor
    made = []

    def make(num_shards=NUM_SHARDS) -> Executor:
        made.append(kind(shard_factories(KEYS, num_shards)))
        return made[-1]

    yield make
    for executor in made:
        executor.close()
        executor.close()


def assert_same(one, two):
    assert pickle.dumps(_plain(one)) == pickle.dumps(_plain(two))


def _plain(value):
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def test_results_come_in_shard_order(make_executor):
    executor = make_executor()
    assert executor.num_shards == NUM_SHARDS
    usages = executor.call("usage", 0)
    bounds = [(int(u.listener_ids[0]), int(u.listener_ids[-1]) + 1) for u in usages]
    assert bounds == shard_bounds(120, NUM_SHARDS)


def test_sums_over_shards_do_not_depend_on_their_number(make_executor):
    tallies = []
    for num_shards in (1, 3):
        executor = make_executor(num_shards)
        for day in range(3):
            tally = add_tallies(executor.call("run_day", world_of(day)))
        plays = add_sums(executor.call("recommender_statistics", PlainRecommender(KEYS), 0))["plays"]
        tallies.append((tally.counts.tolist(), tally.exposures_by_work.tolist(), plays.tolist()))
    assert tallies[0] == tallies[1]
    assert sum(tallies[0][2]) > 0


def test_days_asked_for_at_once_are_the_days_asked_for_one_by_one(make_executor):
    at_once, one_by_one = make_executor(), make_executor()
    by_shard = at_once.call("run_days", world_of(0), 4)
    for day, tallies in enumerate(zip(*by_shard, strict=True)):
        expected = add_tallies(one_by_one.call("run_day", world_of(day)))
        got = add_tallies(tallies)
        assert (got.counts.tolist(), got.plays_by_work.tolist()) == (
            expected.counts.tolist(),
            expected.plays_by_work.tolist(),
        )
    assert_same(at_once.checkpoint(), one_by_one.checkpoint())


def test_a_checkpoint_taken_up_by_another_executor_goes_on_bit_for_bit(make_executor):
    first, second = make_executor(), make_executor()
    for day in range(2):
        first.call("run_day", world_of(day))
    first.call("recommender_statistics", PlainRecommender(KEYS), 0)
    second.restore(first.checkpoint())
    for executor in (first, second):
        executor.call("run_day", world_of(2))
    recommender = PlainRecommender(KEYS)
    one, two = (add_sums(e.call("recommender_statistics", recommender, 0)) for e in (first, second))
    assert_same(one, two)
    assert_same(first.checkpoint(), second.checkpoint())


def test_states_of_another_number_of_shards_are_refused(make_executor):
    states = make_executor(1).checkpoint()
    with pytest.raises(InputError, match="1 shards cannot be taken up by 2"):
        make_executor(2).restore(states)


def no_listeners():
    raise InputError("no community has any listeners", "communities", "give one a share")


@pytest.mark.parametrize("kind", [LocalExecutor, pytest.param(RayExecutor, marks=pytest.mark.integration)])
def test_a_shard_that_cannot_be_built_says_why(kind, request):
    if kind is RayExecutor:
        request.getfixturevalue("ray_cluster")
    with pytest.raises(InputError, match=r"^no community has any listeners\n"):
        kind([no_listeners]).call("usage", 0)


def test_an_error_inside_a_shard_reaches_the_caller(make_executor):
    executor = make_executor()
    with pytest.raises(Exception, match="no_such_method"):
        executor.call("no_such_method")
    assert len(executor.call("usage", 0)) == NUM_SHARDS
