"""Shards on Ray: the outcomes of shards in process, also when an actor is killed in the middle of the run."""

import os
import signal

import pytest
from small_world import lived, same_results, small_economy

from heritage_sim.executors.ray_executor import RayExecutor

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("ray_cluster")]


@pytest.fixture(scope="module")
def in_process():
    return lived(days=12, epoch_days=4)


@pytest.mark.parametrize("num_shards", [1, 2, 5])
def test_outcomes_on_ray_are_those_in_process(in_process, num_shards):
    economy = lived(days=12, epoch_days=4, num_shards=num_shards, executor=RayExecutor)
    same_results(in_process, economy)
    economy.close()


@pytest.mark.parametrize("day", [2, 8])  # before the first checkpoint, and right after one
def test_a_killed_shard_is_rebuilt_and_the_run_goes_on_with_the_same_outcomes(in_process, day):
    economy = small_economy(days=12, epoch_days=4, num_shards=2, executor=RayExecutor)
    economy.run(until=day)
    before = economy.executor.process_ids()
    os.kill(before[1], signal.SIGKILL)
    economy.run()
    after = economy.executor.process_ids()
    assert after[0] == before[0]
    assert after[1] != before[1]
    same_results(in_process, economy)
    economy.close()


def test_a_fork_on_ray_equals_its_trunk(in_process):
    trunk = small_economy(days=12, epoch_days=4, num_shards=2, executor=RayExecutor)
    trunk.run(until=6)
    fork = trunk.fork()
    for economy in (trunk, fork):
        economy.run()
        same_results(in_process, economy)
        economy.close()
