"""A shard of listeners with its share of the bots: to royalty and recommender all are subscribers.

What is told of listeners (tallies, samples, who subscribes) is told of listeners alone; the bots are in the usage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from heritage_agents.adversaries.bots import BotAccounts
from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.listeners.config import ListenersConfig
from heritage_sim.base import DayTally, Keys, Population, State, Sums, Usage, World
from heritage_sim.sharding import even_bounds

Bounds = Sequence[tuple[int, int]]


class ShardWithBots:
    """Listeners and bots of one shard (a `Population`).

    Parameters
    ----------
    listeners : Population
        The listeners; what else they can tell is asked of them.
    bots : BotAccounts
        The bots, whose listener ids are above those of all listeners.
    """

    def __init__(self, listeners: Population, bots: BotAccounts) -> None:
        self.listeners = listeners
        self.bots = bots

    def __getattr__(self, name: str) -> Any:
        """Return what only listeners have: views, samples, who subscribes."""
        if name.startswith("_") or name in ("listeners", "bots"):
            raise AttributeError(name)
        return getattr(self.listeners, name)

    def run_day(self, world: World) -> DayTally:
        """Live one day and return the listeners' sums."""
        tally = self.listeners.run_day(world)
        self.bots.run_day(world)
        return tally

    def audience(self) -> Sums:
        """Return by home community how many ``listeners`` there are, and how many ``subscribers`` among them."""
        return self.listeners.audience()

    def usage(self, epoch: int) -> Usage:
        """Return what listeners and bots played since the last `close_epoch`."""
        played = self.listeners.usage(epoch)
        return joined(played, self.bots.usage(epoch, played.num_works))

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        self.listeners.close_epoch()
        self.bots.close_epoch()

    def snapshot(self) -> State:
        """Return the state of both."""
        return {"listeners": self.listeners.snapshot(), "bots": self.bots.snapshot()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.listeners.restore(state["listeners"])
        self.bots.restore(state["bots"])


def make_shard_with_bots(
    make_listeners: Callable[[], Population],
    config: AdversariesConfig,
    listeners: ListenersConfig,
    keys: Keys,
    first: int,
    stop: int,
) -> ShardWithBots:
    """Return a shard with bots ``first ... stop - 1``; a picklable target for `functools.partial`."""
    return ShardWithBots(make_listeners(), BotAccounts(config, listeners, keys, first, stop))


def bot_bounds(num_bots: int, num_shards: int) -> list[tuple[int, int]]:
    """Return ``(first, stop)`` of each shard's bots; there may be shards without any."""
    return even_bounds(num_bots, num_shards)


def joined(one: Usage, other: Usage) -> Usage:
    """Return two usages of one epoch and the same works as one, the rows of the first one first.

    Parameters
    ----------
    one : Usage
        Of listeners whose ids are all below those of the other.
    other : Usage
        Of the other listeners.

    Returns
    -------
    Usage
    """
    return Usage(
        epoch=one.epoch,
        num_works=one.num_works,
        listener_ids=np.concatenate([one.listener_ids, other.listener_ids]),
        fee_units=np.concatenate([one.fee_units, other.fee_units]),
        indptr=np.concatenate([one.indptr, one.indptr[-1] + other.indptr[1:]]),
        work_ids=np.concatenate([one.work_ids, other.work_ids]),
        plays=np.concatenate([one.plays, other.plays]),
        seconds=np.concatenate([one.seconds, other.seconds]),
        plays_by_day=one.plays_by_day + other.plays_by_day,
        has_listeners=one.has_listeners and other.has_listeners,
    )


def reshard(
    states: Sequence[State], bounds: Bounds, reshard_listeners: Callable[[Sequence[State], Bounds], list[State]]
) -> list[State]:
    """Return the snapshots of shards with other bounds that stand for the same listeners and bots.

    Parameters
    ----------
    states : sequence of State
        Snapshots of all shards, in shard order.
    bounds : sequence of (int, int)
        ``(first, stop)`` listener ids of every new shard; the bots are divided evenly over them.
    reshard_listeners : callable
        Does the same for the listeners, such as `heritage_agents.listeners.cohort.reshard`.

    Returns
    -------
    list of State
    """
    listeners = reshard_listeners([state["listeners"] for state in states], bounds)
    old = [state["bots"] for state in states]
    logs = [name for name in old[0] if name.startswith("log_")]
    whole = {name: np.concatenate([state[name] for state in old]) for name in logs}
    account = np.concatenate([state["log_bot"] + state["first"] for state in old])
    num_bots = max(int(state["stop"]) for state in old)
    made: list[State] = []
    for own, (first, stop) in zip(listeners, bot_bounds(num_bots, len(bounds)), strict=True):
        mine = (account >= first) & (account < stop)
        bots = {**old[0], "first": first, "stop": stop} | {name: rows[mine] for name, rows in whole.items()}
        bots["log_bot"] = account[mine] - first
        made.append({"listeners": own, "bots": bots})
    return made
