"""What the machine could do at best, and how two shards and the whole catalogue come out beside simpler ways."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import numpy.typing as npt

from heritage_agents.config import CommunityConfig
from heritage_agents.kernel.catalogue import top_works
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.groups import GROUP, dot_group
from heritage_agents.kernel.lanes import padded
from heritage_agents.listeners.cohort import make_shard
from heritage_agents.listeners.config import ListenersConfig
from heritage_experiments.bench.stripped_step import CANDIDATES, unit_rows
from heritage_sim.base import Keys, WorkFeatures, World
from heritage_sim.executors import LocalExecutor
from heritage_sim.sharding import shard_bounds

_KEYS = Keys(root_seed=20_260_101, replication=0)
_SCORED = -(-CANDIDATES // GROUP) * GROUP


@compiled
def _dots_alone(tastes, works, ids, out):
    """Score every listener's candidates and do nothing with the scores."""
    total = np.float32(0.0)
    for row in range(ids.shape[0]):
        for first in range(0, ids.shape[1], GROUP):
            dot_group(tastes, row, works, ids[row], first, out)
        total += out[0]
    return total


def random_dots_per_s(num_listeners: int, num_works: int) -> float:
    """Return listener-steps a CPU second of one core if a step were the dot products of its candidates alone."""
    tastes, works = padded(unit_rows("tastes", num_listeners)), padded(unit_rows("works", num_works))
    ids = _KEYS.stream("bench", "ceiling").integer(np.arange(num_listeners * _SCORED), 0, num_works)
    table = ids.astype(np.int32).reshape(num_listeners, _SCORED)
    out = np.empty(_SCORED, dtype=np.float32)
    _dots_alone(tastes[:1], works, table[:1], out)
    started = time.thread_time()
    _dots_alone(tastes, works, table, out)
    return num_listeners / (time.thread_time() - started)


def whole_catalogue_per_s(num_listeners: int, num_works: int, k: int, repeats: int) -> tuple[float, float, float]:
    """Return listeners a CPU second of one core by our kernel and by torch, and the share of works they agree on.

    torch multiplies the tables and takes the largest of each row, on one thread.
    """
    import torch

    queries, factors = unit_rows("tastes", num_listeners), unit_rows("works", num_works)
    bias = (0.1 * _KEYS.stream("bench", "bias").normals(np.arange(num_works), 0, 1)[:, 0]).astype(np.float32)
    every = np.ones(num_works, dtype=np.bool_)
    q, f, b = torch.from_numpy(queries), torch.from_numpy(factors), torch.from_numpy(bias)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ours: list[float] = []
    theirs: list[float] = []
    mine, others = top_works(queries[:64], factors, bias, every, k), torch.zeros(0)
    for _ in range(repeats):
        started = time.thread_time()
        mine = top_works(queries, factors, bias, every, k)
        ours.append(num_listeners / (time.thread_time() - started))
        started = time.thread_time()
        others = torch.addmm(b, q, f.T).topk(k, dim=1).indices
        theirs.append(num_listeners / (time.thread_time() - started))
    torch.set_num_threads(threads)
    agree = np.mean([np.isin(a, c).mean() for a, c in zip(mine, others.numpy(), strict=True)])
    return float(np.median(ours)), float(np.median(theirs)), float(agree)


class _Table:
    """Candidates that lie ready (a `RecommenderState`)."""

    affinity = 2.0

    def __init__(self, num_listeners: int, num_works: int) -> None:
        self.bias = np.zeros(num_works, dtype=np.float32)
        place = np.arange(num_listeners, dtype=np.int32)[:, None] * np.int32(7)
        self._rows = (place + np.arange(CANDIDATES, dtype=np.int32) * np.int32(97)) % np.int32(num_works)

    def candidates(self, listener_ids: npt.NDArray[np.int64], history: object, day: int) -> npt.NDArray[np.int32]:
        """Return the rows of the listeners."""
        return np.take(self._rows, listener_ids, axis=0)  # lets other threads run, as indexing does not


def day_by_shards_s(num_listeners: int, num_works: int, num_shards: int, num_days: int) -> float:
    """Return the wall seconds of a day lived by so many shards, each in its own thread; the fastest of the days."""
    of = np.zeros(num_works, dtype=np.int32)
    works = WorkFeatures(
        vectors=unit_rows("works", num_works),
        tradition=of,
        community=of,
        day=of,
        consistency=np.full(num_works, 0.8, dtype=np.float32),
        duration_s=np.full(num_works, 180.0, dtype=np.float32),
        available=np.ones(num_works, dtype=np.bool_),
    )
    config = ListenersConfig(num_listeners=num_listeners)
    home = [CommunityConfig(name="Tirtanala", tradition="gamelan")]
    factories = [
        partial(make_shard, config, _KEYS, first, stop, works, home)
        for first, stop in shard_bounds(num_listeners, num_shards)
    ]
    executor = LocalExecutor(factories, num_threads=num_shards)
    table, plays = _Table(num_listeners, num_works), np.zeros(num_works, dtype=np.int64)
    taken: list[float] = []
    for day in range(num_days):
        started = time.perf_counter()
        executor.call("run_days", World(day, works, table, plays), 1)
        taken.append(time.perf_counter() - started)
    executor.close()
    return min(taken)
