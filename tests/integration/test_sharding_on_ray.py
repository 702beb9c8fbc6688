"""Shards on Ray: the outcomes of shards in process, also when an actor is killed in the middle of the run."""

import os
import signal

import numpy as np
import pytest
from small_world import KEYS, lived, same_results, shard_factories, small_economy, world_of

from heritage_sim.base import TALLY
from heritage_sim.executors.ray_executor import RayExecutor

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("ray_cluster")]


@pytest.fixture(scope="module")
def in_process():
    return lived(days=12, epoch_days=4)


@pytest.mark.parametrize("num_shards", [2, 7])
def test_outcomes_on_ray_are_those_in_process(in_process, num_shards):
    economy = lived(days=12, epoch_days=4, num_shards=num_shards, executor=RayExecutor)
    same_results(in_process, economy)
    economy.close()


@pytest.mark.parametrize("day", [2, 8])  # before the first checkpoint, and right after one
def test_a_killed_shard_is_rebuilt_and_the_run_goes_on_with_the_same_outcomes(in_process, day):
    economy = small_economy(days=12, epoch_days=4, num_shards=3, executor=RayExecutor)
    economy.run(until=day)
    before = economy.executor.process_ids()
    os.kill(before[1], signal.SIGKILL)
    economy.run()
    after = economy.executor.process_ids()
    assert after[0] == before[0]
    assert after[1] != before[1]
    same_results(in_process, economy)
    economy.close()


def test_a_shard_killed_before_a_checkpoint_and_again_after_it_is_rebuilt_from_either():
    undisturbed, executor = (RayExecutor(shard_factories(KEYS, 2)) for _ in range(2))
    for one in (undisturbed, executor):
        one.call("run_day", world_of(0))
    os.kill(executor.process_ids()[0], signal.SIGKILL)
    executor.checkpoint()
    os.kill(executor.process_ids()[0], signal.SIGKILL)
    for one in (undisturbed, executor):
        one.call("run_day", world_of(1))
    expected, got = undisturbed.call("usage", 0), executor.call("usage", 0)
    for a, b in zip(expected, got, strict=True):
        assert a.plays.sum() > 0
        np.testing.assert_array_equal(a.work_ids, b.work_ids)
        np.testing.assert_array_equal(a.plays, b.plays)
        np.testing.assert_array_equal(a.plays_by_day, b.plays_by_day)
    for one in (undisturbed, executor):
        one.close()


@pytest.mark.parametrize("loss", ["OutOfMemoryError", "NodeDiedError"])
def test_a_shard_lost_for_memory_or_with_its_node_is_rebuilt_like_a_killed_one(loss, monkeypatch):
    executor = RayExecutor(shard_factories(KEYS, 1))
    tally = executor.call("run_day", world_of(0))[0]
    fetch, losses = ray.get, [getattr(ray.exceptions, loss)("the node ran low on memory")]

    def losing(reference):
        if losses:
            raise losses.pop()
        return fetch(reference)

    before = executor.process_ids()
    monkeypatch.setattr(ray, "get", losing)
    assert executor.call("usage", 0)[0].plays.sum() == tally.counts[TALLY.index("full_plays")]
    assert executor.process_ids() != before
    executor.close()


def test_a_fork_on_ray_equals_its_trunk(in_process):
    trunk = small_economy(days=12, epoch_days=4, num_shards=2, executor=RayExecutor)
    trunk.run(until=6)
    fork = trunk.fork()
    for economy in (trunk, fork):
        economy.run()
        same_results(in_process, economy)
        economy.close()
