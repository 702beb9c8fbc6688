"""Snapshots of shards divided anew: the same listeners, another number of shards, the same outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from heritage_sim.base import State, Usage
from heritage_sim.usage_state import usage_from_state, usage_to_state

Bounds = Sequence[tuple[int, int]]


def reshard(
    states: Sequence[State], bounds: Bounds, reshard_populations: Callable[[Sequence[State], Bounds], list[State]]
) -> list[State]:
    """Return the snapshots of shard hosts with other bounds.

    Parameters
    ----------
    states : sequence of State
        Snapshots of all `ShardHost` of an executor, in shard order.
    bounds : sequence of (int, int)
        ``(first, stop)`` listener ids of every new shard, in order (see `heritage_sim.sharding.shard_bounds`).
    reshard_populations : callable
        Does the same for the populations inside, such as `heritage_agents.listeners.cohort.reshard`.

    Returns
    -------
    list of State
    """
    populations = reshard_populations([state["population"] for state in states], bounds)
    if states[0]["seen"] is None:
        return [{"population": population, "seen": None} for population in populations]
    seen = [usage_from_state(state["seen"]) for state in states]
    return [
        {"population": population, "seen": usage_to_state(_of_range(seen, first, stop))}
        for population, (first, stop) in zip(populations, bounds, strict=True)
    ]


def _of_range(shards: Sequence[Usage], first: int, stop: int) -> Usage:
    """Return the usage of listeners ``first ... stop - 1``, whichever shards they were in.

    Plays by day cannot be told apart by listener and are left at zero: what the recommender has seen is only ever
    subtracted, and of its days only their number counts.
    """
    listener = np.concatenate([usage.listener_ids for usage in shards])
    row_size = np.concatenate([np.diff(usage.indptr) for usage in shards])
    inside = (listener >= first) & (listener < stop)
    pairs = np.repeat(inside, row_size)
    return Usage(
        epoch=shards[0].epoch,
        num_works=shards[0].num_works,
        listener_ids=listener[inside],
        fee_units=np.concatenate([usage.fee_units for usage in shards])[inside],
        indptr=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(row_size[inside])]),
        work_ids=np.concatenate([usage.work_ids for usage in shards])[pairs],
        plays=np.concatenate([usage.plays for usage in shards])[pairs],
        seconds=np.concatenate([usage.seconds for usage in shards])[pairs],
        plays_by_day=np.zeros_like(shards[0].plays_by_day),
        has_listeners=shards[0].has_listeners,
    )
