"""Step 5: listeners live their days in their shards; whole-number sums come back.

Shards are asked for several days at a time where nothing that listeners meet changes in between: the recommender's
state, what popularity and subscribers are shown, and which works can be heard. A day waits until something of this is
about to change, or until somebody wants to know; what comes out is the same as of days asked for one by one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Catalogue, Consent, DayTally, Executor, State, WorkFeatures, World
from heritage_sim.rights import Uses
from heritage_sim.sharding import add_sums, add_tallies


def available_works(uses: Uses, catalogue: Catalogue, day: int) -> npt.NDArray[np.bool_]:
    """Return which works may be played on a day: those that may be performed, and have come out."""
    return ((uses & int(Consent.PERFORM)) != 0) & (catalogue.column("day") <= day)


def work_features(catalogue: Catalogue, available: npt.NDArray[np.bool_]) -> WorkFeatures:
    """Return what may be known of the first ``len(available)`` works without asking listeners."""
    n = available.size
    return WorkFeatures(
        vectors=catalogue.vectors[:n],
        tradition=catalogue.tradition[:n],
        community=catalogue.community[:n],
        day=catalogue.column("day")[:n],
        consistency=catalogue.consistency[:n],
        duration_s=catalogue.column("duration_s")[:n],
        available=available,
    )


class Listening:
    """The days that wait to be lived.

    Parameters
    ----------
    executor : Executor
        Where the listeners are.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._world: World | None = None
        self._num_days = 0

    def wait(self, world: World) -> list[DayTally]:
        """Let a day wait; return the tallies of earlier days that could not wait any longer.

        Parameters
        ----------
        world : World
            The day after the last one.

        Returns
        -------
        list of DayTally
            In the order of the days; empty where the new day can be lived together with those that wait.
        """
        lived = self.live() if self._world is not None and not _meet_the_same(self._world, world) else []
        first = world.day if self._world is None else self._world.day
        # Works made since the first day are in the catalogue and cannot be heard yet, so the wider world is no other.
        self._world = replace(world, day=first)
        self._num_days += 1
        return lived

    def live(self) -> list[DayTally]:
        """Let the waiting days be lived, and return their tallies in the order of the days."""
        if self._world is None:
            return []
        by_shard = self._executor.call("run_days", self._world, self._num_days)
        self._world, self._num_days = None, 0
        return [add_tallies(shards) for shards in zip(*by_shard, strict=True)]


def _meet_the_same(before: World, now: World) -> bool:
    """Return whether listeners meet the same on both days, but for works that cannot be heard yet."""
    known = before.works.num_works
    available = now.works.available
    return (
        now.recommender_state is before.recommender_state
        and np.array_equal(available[:known], before.works.available)
        and not available[known:].any()
        and np.array_equal(now.visible_plays[:known], before.visible_plays)
        and np.array_equal(now.subscribed_share, before.subscribed_share)
        and np.array_equal(now.bought_works, before.bought_works)
    )


class Audience:
    """How many listeners each community has, how many subscribe, and what share of them listeners were last told of."""

    def __init__(self) -> None:
        self._listeners = self._subscribers = np.zeros(0, dtype=np.int64)
        self.subscribed_share: npt.NDArray[np.float64] = np.zeros(0)

    def count(self, executor: Executor) -> None:
        """Count the listeners of all shards, once: shards then agree on every share."""
        total = add_sums(executor.call("audience"))
        self._listeners, self._subscribers = total["listeners"], total["subscribers"]

    def day(self, tally: DayTally) -> None:
        """Take in who subscribes at the end of a day."""
        self._subscribers = tally.subscribers_by_community

    def show(self) -> None:
        """Let listeners know of the share as it is now; 0 where a community has no listeners."""
        self.subscribed_share = self._subscribers / np.maximum(self._listeners, 1)

    def snapshot(self) -> State:
        """Return the counts, and the share that listeners know of."""
        return {
            "listeners": self._listeners.copy(),
            "subscribers": self._subscribers.copy(),
            "subscribed_share": self.subscribed_share.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._listeners, self._subscribers = np.array(state["listeners"]), np.array(state["subscribers"])
        self.subscribed_share = np.array(state["subscribed_share"])
