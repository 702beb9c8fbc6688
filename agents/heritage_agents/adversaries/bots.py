"""Bot accounts: subscribers who are nobody, and play what they are paid to play.

An account pays its plan's fee from the ring's first day on, and every day plays the ring's works in turn, as often as
it is set to. Each day it may be found out; it is closed at the end of that day. All that happens to an account follows
from its own id, so that accounts can be divided over shards in any way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.adversaries.detection import NEVER, days_until_found
from heritage_agents.listeners.config import ListenersConfig, PlanConfig
from heritage_sim.base import BPS, InputError, Keys, State, StorageError, Usage, World

Int64 = npt.NDArray[np.int64]
_LOG = ("log_day", "log_bot", "log_work", "log_plays", "log_seconds")


@dataclass(frozen=True, slots=True, eq=False)
class BotPlays:
    """What bots played on a day; arrays of shape ``(num_rows,)``, one row for each (account, work).

    Parameters
    ----------
    listener_ids : ndarray of int64
        Ids of the accounts.
    work_ids : ndarray of int64
        Works.
    plays : ndarray of int64
        Plays that count for royalties, > 0.
    seconds : ndarray of int64
        Whole seconds played in them.
    """

    listener_ids: Int64
    work_ids: Int64
    plays: Int64
    seconds: Int64


class BotAccounts:
    """A range of bot accounts with their plays of the running epoch.

    Parameters
    ----------
    config : AdversariesConfig
        What bots do.
    listeners : ListenersConfig
        Plans, and what a play is; account ``b`` has the listener id ``num_listeners + b``.
    keys : Keys
        Streams of the replication.
    first : int
        First account, from 0 on.
    stop : int
        One past the last.
    """

    def __init__(
        self, config: AdversariesConfig, listeners: ListenersConfig, keys: Keys, first: int, stop: int
    ) -> None:
        self._config = config
        self._counted_s = listeners.counted_play_s
        self.plan = bot_plan(config, listeners)
        self._pool_units_per_day = self.plan.fee_units_per_day * listeners.royalty_share_bps // BPS
        self.first, self.stop = first, stop
        self.listener_ids = listeners.num_listeners + np.arange(first, stop, dtype=np.int64)
        self.found_day = found_days(config, keys, np.arange(first, stop, dtype=np.int64))
        self._turn = keys.stream("bot", "turn")
        self._days: list[int] = []
        self._log: list[tuple[Int64, ...]] = []

    def __len__(self) -> int:
        """Return the number of accounts."""
        return int(self.listener_ids.size)

    def run_day(self, world: World) -> BotPlays:
        """Play the day's bought works, and return what was played and counts.

        Parameters
        ----------
        world : World
            The day, the works, and which of them the ring has played.

        Returns
        -------
        BotPlays
        """
        day, works = int(world.day), np.asarray(world.bought_works, dtype=np.int64)
        played_s = np.minimum(float(self._config.bot_play_s), world.works.duration_s[works].astype(np.float64))
        counts = played_s >= np.minimum(self._counted_s, world.works.duration_s[works].astype(np.float64))
        works, played_s = works[counts], np.floor(played_s[counts]).astype(np.int64)
        open_rows = np.flatnonzero((day >= self._config.start_day) & (day <= self.found_day))
        if not works.size or not open_rows.size:
            empty = np.zeros(0, dtype=np.int64)
            plays = BotPlays(empty, empty, empty, empty)
        else:
            plays = self._dealt(open_rows, works, played_s, day)
        at = np.full(plays.plays.size, len(self._days), dtype=np.int64)
        bot = plays.listener_ids - (self.listener_ids[0] if len(self) else 0)
        self._log.append((at, bot, plays.work_ids, plays.plays, plays.seconds))
        self._days.append(day)
        return plays

    def _dealt(self, rows: Int64, works: Int64, played_s: Int64, day: int) -> BotPlays:
        """Return the plays of open accounts: each goes round the works, beginning with one of its own."""
        num, ids = works.size, self.listener_ids[rows]
        begins = self._turn.integer(ids, day, num)
        whole, rest = divmod(self._config.bot_plays_per_day, num)
        place = (np.arange(num)[None, :] - begins[:, None]) % num
        plays = whole + (place < rest).astype(np.int64)
        bot, work = np.nonzero(plays)
        amount = plays[bot, work]
        return BotPlays(ids[bot], works[work], amount, amount * played_s[work])

    def usage(self, epoch: int, num_works: int) -> Usage:
        """Return the plays that count since the last `close_epoch`, and what the fees of those days add to the pool.

        A pair of an account that was found out, and whose plays are struck out, stays with no plays.

        Parameters
        ----------
        epoch : int
            Number of the epoch.
        num_works : int
            Works in the catalogue.

        Returns
        -------
        Usage
        """
        at, bot, work, plays, seconds = self._joined_log()
        if self._config.void_detected and self._days:
            struck = self.found_day[bot] <= self._days[-1]
            plays, seconds = np.where(struck, 0, plays), np.where(struck, 0, seconds)
        width = max(num_works, 1)
        pairs, which = np.unique(bot * width + work, return_inverse=True)
        totals = np.zeros((2, pairs.size), dtype=np.int64)
        np.add.at(totals[0], which, plays)
        np.add.at(totals[1], which, seconds)
        by_day = np.zeros((max(1, len(self._days)), num_works), dtype=np.int64)
        np.add.at(by_day, (at, work), plays)
        return Usage(
            epoch=epoch,
            num_works=num_works,
            listener_ids=self.listener_ids.copy(),
            fee_units=self._pool_units_per_day * self._num_days_paid(),
            indptr=np.searchsorted(pairs // width, np.arange(len(self) + 1)).astype(np.int64),
            work_ids=(pairs % width).astype(np.int32),
            plays=totals[0],
            seconds=totals[1],
            plays_by_day=by_day,
        )

    def _num_days_paid(self) -> Int64:
        days = np.array(self._days, dtype=np.int64)
        is_open = (days >= self._config.start_day)[:, None] & (days[:, None] <= self.found_day[None, :])
        return is_open.sum(axis=0).astype(np.int64)

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        self._days, self._log = [], []

    def snapshot(self) -> State:
        """Return all that changes from day to day."""
        state: State = {
            "first": self.first,
            "stop": self.stop,
            "days": np.array(self._days, dtype=np.int64),
        }
        return state | dict(zip(_LOG, self._joined_log(), strict=True))

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down.

        Parameters
        ----------
        state : State
            Of the same range of accounts.

        Raises
        ------
        StorageError
            If the state is that of another range.
        """
        if (int(state["first"]), int(state["stop"])) != (self.first, self.stop):
            raise StorageError(
                f"the state is that of bots {state['first']} ... {state['stop']}, not {self.first} ... {self.stop}",
                "restoring a shard",
                "divide it first with heritage_agents.adversaries.shard.reshard",
            )
        self._days = [int(day) for day in state["days"]]
        self._log = [tuple(np.array(state[name], dtype=np.int64) for name in _LOG)]

    def _joined_log(self) -> tuple[npt.NDArray[Any], ...]:
        empty = tuple(np.zeros(0, dtype=np.int64) for _ in _LOG)
        return tuple(np.concatenate(parts) for parts in zip(empty, *self._log, strict=True))


def found_days(config: AdversariesConfig, keys: Keys, accounts: Int64) -> Int64:
    """Return the day on which each account is found out, its last; a day after all days for those who never are."""
    free = days_until_found(keys.stream("bot", "detection").uniform(accounts, 0), config.bot_detection_per_day)
    return np.minimum(config.start_day + free, NEVER)


def bot_plan(config: AdversariesConfig, listeners: ListenersConfig) -> PlanConfig:
    """Return the plan that bots pay for.

    Parameters
    ----------
    config : AdversariesConfig
        Names it, or does not.
    listeners : ListenersConfig
        The plans there are.

    Returns
    -------
    PlanConfig
        The cheapest where none is named.

    Raises
    ------
    InputError
        If there is no plan of that name.
    """
    if not config.bot_plan:
        return min(listeners.plans, key=lambda plan: plan.fee_units_per_day)
    for plan in listeners.plans:
        if plan.name == config.bot_plan:
            return plan
    raise InputError(
        f"there is no plan {config.bot_plan!r} for bots to pay",
        "adversaries.bot_plan",
        f"one of: {', '.join(plan.name for plan in listeners.plans)}",
    )
