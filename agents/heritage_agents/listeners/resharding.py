"""Snapshots of shards divided anew: the same listeners in other ranges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from heritage_sim.base import State, StorageError

BY_LISTENER = (
    *("taste", "history", "num_plays", "num_sessions", "session_s", "satisfaction", "recent"),
    *("subscribed", "days_paid"),
)
"""Arrays of a snapshot with one row for each listener."""

LOG = ("log_day", "log_listener", "log_work", "log_seconds")
"""Columns of a snapshot's log of counted plays."""

NOTED = ("noted_sessions", "noted_plays")
"""Rows of a snapshot that name their listener."""


def reshard(states: Sequence[State], bounds: Sequence[tuple[int, int]]) -> list[State]:
    """Return the snapshots of shards with other bounds that stand for the same population.

    Parameters
    ----------
    states : sequence of State
        Snapshots of all shards, taken at the same time.
    bounds : sequence of (int, int)
        ``(first, stop)`` of every new shard; together they cover the same listeners.

    Returns
    -------
    list of State

    Raises
    ------
    StorageError
        If the states or the bounds leave a gap.
    """
    ordered = sorted(states, key=lambda state: state["first"])
    edges = [ordered[0]["first"], *(state["stop"] for state in ordered)]
    old_gap = any(state["first"] != edge for state, edge in zip(ordered, edges, strict=False))
    new = sorted(bounds)
    new_gap = any(a[1] != b[0] for a, b in pairwise(new))
    if old_gap or new_gap or (new[0][0], new[-1][1]) != (edges[0], edges[-1]):
        raise StorageError(
            "the shards' states do not cover the listeners one after another",
            f"states {edges}, bounds {new}",
            "take the states of all shards at one checkpoint",
        )
    whole = {name: np.concatenate([state[name] for state in ordered]) for name in (*BY_LISTENER, *LOG, *NOTED)}
    made: list[State] = []
    for first, stop in bounds:
        own: State = {name: whole[name][first - edges[0] : stop - edges[0]].copy() for name in BY_LISTENER}
        for names, listener in (
            (LOG, whole["log_listener"]),
            *(((name,), whole[name]["listener"]) for name in NOTED),
        ):
            mine = (listener >= first) & (listener < stop)
            own |= {name: whole[name][mine] for name in names}
        made.append(
            {"first": first, "stop": stop, "num_works": ordered[0]["num_works"], "days": list(ordered[0]["days"])} | own
        )
    return made
