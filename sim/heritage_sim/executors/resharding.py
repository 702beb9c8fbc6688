"""Snapshots of shards divided anew: the same listeners, another number of shards, the same outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import State, Usage
from heritage_sim.sharding import even_bounds
from heritage_sim.usage_state import usage_from_state, usage_to_state

Bounds = Sequence[tuple[int, int]]
Int64 = npt.NDArray[np.int64]


def reshard(
    states: Sequence[State], bounds: Bounds, reshard_populations: Callable[[Sequence[State], Bounds], list[State]]
) -> list[State]:
    """Return the snapshots of shard hosts with other bounds.

    Parameters
    ----------
    states : sequence of State
        Snapshots of all `ShardHost` of an executor, in shard order.
    bounds : sequence of (int, int)
        ``(first, stop)`` listener ids of every new shard, in order (see `heritage_sim.sharding.shard_bounds`). Further
        accounts, with ids above all listeners', are divided over the new shards by `heritage_sim.sharding.even_bounds`.
    reshard_populations : callable
        Does the same for the populations inside, such as `heritage_agents.listeners.cohort.reshard`.

    Returns
    -------
    list of State
    """
    populations = reshard_populations([state["population"] for state in states], bounds)
    days = {name: states[0][name] for name in ("days_lived", "days_seen")}  # the same in all shards
    if states[0]["seen"] is None:
        return [{"population": population, "seen": None} | days for population in populations]
    seen = [usage_from_state(state["seen"]) for state in states]
    beyond = bounds[-1][1]
    further = even_bounds(sum(int((usage.listener_ids >= beyond).sum()) for usage in seen), len(bounds))
    made: list[State] = []
    for population, own, (first, stop) in zip(populations, bounds, further, strict=True):
        ranges = (own, (beyond + first, beyond + stop))
        made.append({"population": population, "seen": usage_to_state(_of_ranges(seen, ranges))} | days)
    return made


def _of_ranges(shards: Sequence[Usage], ranges: Bounds) -> Usage:
    """Return the usage of accounts whose ids lie in some ranges, ascending by id, whichever shards they were in.

    Plays by day cannot be told apart by listener and are left at zero: what the recommender has seen is only ever
    subtracted, and its days are counted beside it.
    """
    account = np.concatenate([usage.listener_ids for usage in shards])
    row_size = np.concatenate([np.diff(usage.indptr) for usage in shards])
    begin = np.cumsum(row_size) - row_size
    order = np.argsort(account)  # a shard holds its listeners and then its further accounts: ranges interleave
    rows = np.concatenate([order[np.searchsorted(account[order], np.arange(first, stop))] for first, stop in ranges])
    sizes = row_size[rows]
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    shift: Int64 = np.repeat(begin[rows] - indptr[:-1], sizes)
    pairs = np.arange(shift.size, dtype=np.int64) + shift
    return Usage(
        epoch=shards[0].epoch,
        num_works=shards[0].num_works,
        listener_ids=account[rows],
        fee_units=np.concatenate([usage.fee_units for usage in shards])[rows],
        indptr=indptr,
        work_ids=np.concatenate([usage.work_ids for usage in shards])[pairs],
        plays=np.concatenate([usage.plays for usage in shards])[pairs],
        seconds=np.concatenate([usage.seconds for usage in shards])[pairs],
        plays_by_day=np.zeros_like(shards[0].plays_by_day),
        has_listeners=shards[0].has_listeners,
    )
