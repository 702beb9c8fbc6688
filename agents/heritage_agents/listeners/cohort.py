"""A shard of listeners as arrays: `Cohort` lives days through the compiled kernel and keeps the epoch's plays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.config import CommunityConfig, ListenersConfig
from heritage_agents.kernel.day import STREAMS, Behaviour, active_rows, live_day
from heritage_agents.kernel.lanes import padded
from heritage_agents.listeners.drawing import Listeners, draw_listeners
from heritage_sim.base import (
    TALLY,
    DayTally,
    HistoryVectors,
    Keys,
    State,
    StorageError,
    Stream,
    TasteVectors,
    Usage,
    WorkFeatures,
    World,
)

_LOG = ("log_day", "log_listener", "log_work", "log_seconds")


def make_shard(
    config: ListenersConfig,
    keys: Keys,
    first: int,
    stop: int,
    archive: WorkFeatures,
    communities: Sequence[CommunityConfig],
) -> Cohort:
    """Return the shard of listeners ``first ... stop - 1``; a picklable target for `functools.partial`.

    Communities whose listeners cannot be drawn are an `InputError` (`draw_listeners`).

    Parameters
    ----------
    config : ListenersConfig
        The population, all shards together.
    keys : Keys
        Streams of the replication.
    first : int
        First listener id, >= 0.
    stop : int
        One past the last listener id, above ``first`` and at most ``config.num_listeners``.
    archive : WorkFeatures
        The archive works, on which first tastes are centred.
    communities : sequence of CommunityConfig
        In community order.

    Returns
    -------
    Cohort

    Raises
    ------
    ValueError
        If there is no such range of listeners.
    """
    if not 0 <= first < stop <= config.num_listeners:
        raise ValueError(f"no such range of listeners: {first} ... {stop} of {config.num_listeners}")
    return Cohort(config, keys, draw_listeners(config, communities, keys, first, stop, archive), archive)


class Cohort:
    """Listeners of one shard (a `Population`).

    Parameters
    ----------
    config : ListenersConfig
        How they behave.
    keys : Keys
        Streams of the replication.
    listeners : Listeners
        Who they are at the start.
    archive : WorkFeatures
        Works known before the first day; their vectors are taken as unit vectors.
    """

    def __init__(self, config: ListenersConfig, keys: Keys, listeners: Listeners, archive: WorkFeatures) -> None:
        self._config = config
        self._who = listeners
        self._dim = archive.vectors.shape[1]
        self._num_communities = int(archive.community.max()) + 1
        self._behaviour = behaviour_of(config)
        self._session_key = _key_words(keys.stream("listener", "session"))
        self._keys = np.stack([_key_words(keys.stream("listener", name)) for name in STREAMS])
        self._taste = TasteVectors(padded(listeners.taste))
        self._history = np.zeros_like(self._taste)
        self._num_plays = np.zeros(listeners.ids.size, dtype=np.int64)
        self._days: list[int] = []
        self._log: list[tuple[npt.NDArray[Any], ...]] = []
        self._num_works = archive.num_works
        self._vectors = padded(archive.vectors)

    def __len__(self) -> int:
        """Return the number of listeners."""
        return int(self._who.ids.size)

    @property
    def history(self) -> HistoryVectors:
        """Return a copy of the listeners' history vectors, shape ``(num_listeners, dim)``."""
        return HistoryVectors(self._history[:, : self._dim].copy())

    def run_day(self, world: World) -> DayTally:
        """Live one day and return its sums.

        Parameters
        ----------
        world : World
            The day, the works and the recommender's state.

        Returns
        -------
        DayTally

        Raises
        ------
        ValueError
            If the work vectors have another width than the archive's, or the recommender's bias is not finite.
        """
        works, state, day = world.works, world.recommender_state, int(world.day)
        n = works.num_works
        self._see(works)
        bias = _filled(state.bias, n, np.float32)
        if not np.isfinite(bias).all():
            raise ValueError("the recommender's bias must be finite")
        rows = active_rows(self._who.ids, self._who.session_probability, day, self._session_key)
        candidates = np.zeros((0, 1), dtype=np.int32)
        if rows.size:
            shown = HistoryVectors(np.ascontiguousarray(self._history[rows, : self._dim]))
            offered = state.candidates(self._who.ids[rows], shown, day)
            candidates = np.require(offered, np.int32, ["C", "W", "A"])
        room = rows.size * self._behaviour.max_slates
        log_rows, log_works, log_seconds = (np.empty(room, dtype=np.int32) for _ in range(3))
        tally = DayTally(*(np.zeros(size, dtype=np.int64) for size in (len(TALLY), n, n, self._num_communities)))
        logged = live_day(
            self._behaviour,
            self._keys,
            day,
            rows,
            candidates,
            self._who.ids,
            self._taste,
            self._history,
            self._who.consistency_taste,
            self._num_plays,
            self._vectors,
            works.consistency.astype(np.float64),
            works.duration_s.astype(np.float64),
            np.array(works.available, dtype=np.bool_),
            self._config.popularity_weight * np.log1p(_filled(world.visible_plays, n, np.float64)),
            np.float32(state.affinity),
            bias,
            tally.counts,
            tally.plays_by_work,
            tally.exposures_by_work,
            log_rows,
            log_works,
            log_seconds,
        )
        self._log.append(
            (
                np.full(logged, len(self._days), dtype=np.int32),
                self._who.ids[log_rows[:logged]],
                log_works[:logged].copy(),
                log_seconds[:logged].copy(),
            )
        )
        self._days.append(day)
        return tally

    def usage(self, epoch: int) -> Usage:
        """Return the plays that count since the last `close_epoch`, and what the fees of those days add to the pool."""
        day, listener, work, seconds = self._joined_log()
        first, num_listeners = int(self._who.ids[0]), len(self)
        pair = (listener - first) * self._num_works + work
        pairs, which = np.unique(pair, return_inverse=True)
        row = pairs // self._num_works
        num_days = max(1, len(self._days))
        by_day = np.bincount(day.astype(np.int64) * self._num_works + work, minlength=num_days * self._num_works)
        return Usage(
            epoch=epoch,
            num_works=self._num_works,
            listener_ids=self._who.ids.copy(),
            fee_units=self._who.pool_units_per_day * len(self._days),
            indptr=np.searchsorted(row, np.arange(num_listeners + 1)).astype(np.int64),
            work_ids=(pairs % self._num_works).astype(np.int32),
            plays=np.bincount(which, minlength=pairs.size).astype(np.int64),
            # weights are float64, exact for whole seconds below 2^53
            seconds=np.bincount(which, weights=seconds, minlength=pairs.size).astype(np.int64),
            plays_by_day=by_day.astype(np.int64).reshape(num_days, self._num_works),
        )

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        self._days = []
        self._log = []

    def snapshot(self) -> State:
        """Return all that changes from day to day; the rest follows from the configuration."""
        state: State = {
            "first": int(self._who.ids[0]),
            "stop": int(self._who.ids[-1]) + 1,
            "num_works": self._num_works,
            "days": list(self._days),
            "taste": self._taste[:, : self._dim].copy(),
            "history": self._history[:, : self._dim].copy(),
            "num_plays": self._num_plays.copy(),
        }
        return state | dict(zip(_LOG, self._joined_log(), strict=True))

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down.

        Parameters
        ----------
        state : State
            Of the same range of listeners.

        Raises
        ------
        StorageError
            If the state is that of another range of listeners.
        """
        mine = (int(self._who.ids[0]), int(self._who.ids[-1]) + 1)
        if (state["first"], state["stop"]) != mine:
            raise StorageError(
                f"the state is that of listeners {state['first']} ... {state['stop']}, not {mine[0]} ... {mine[1]}",
                "restoring a shard",
                "divide it first with heritage_agents.listeners.cohort.reshard",
            )
        self._taste = TasteVectors(padded(state["taste"]))
        self._history = padded(state["history"])
        self._num_plays = np.array(state["num_plays"], dtype=np.int64)
        self._days = [int(day) for day in state["days"]]
        self._log = [tuple(np.array(state[name]) for name in _LOG)]
        self._num_works = int(state["num_works"])
        self._vectors = self._vectors[:0]

    def _see(self, works: WorkFeatures) -> None:
        """Take in the vectors of works published since the last day; rows of a catalogue never change."""
        known = self._vectors.shape[0]
        if works.vectors.shape[1] != self._dim:
            raise ValueError(f"work vectors must have width {self._dim}, not {works.vectors.shape[1]}")
        if works.num_works != known:
            known = min(known, works.num_works)
            self._vectors = np.concatenate([self._vectors[:known], padded(works.vectors[known:])])
        self._num_works = works.num_works

    def _joined_log(self) -> tuple[npt.NDArray[Any], ...]:
        empty = tuple(np.zeros(0, dtype=kind) for kind in (np.int32, np.int64, np.int32, np.int32))
        return tuple(np.concatenate(parts) for parts in zip(empty, *self._log, strict=True))


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
    whole = {name: np.concatenate([state[name] for state in ordered]) for name in ("taste", "history", "num_plays")}
    log = {name: np.concatenate([state[name] for state in ordered]) for name in _LOG}
    made: list[State] = []
    for first, stop in bounds:
        rows = slice(first - edges[0], stop - edges[0])
        mine = (log["log_listener"] >= first) & (log["log_listener"] < stop)
        made.append(
            {"first": first, "stop": stop, "num_works": ordered[0]["num_works"], "days": list(ordered[0]["days"])}
            | {name: array[rows].copy() for name, array in whole.items()}
            | {name: array[mine].copy() for name, array in log.items()}
        )
    return made


def behaviour_of(config: ListenersConfig) -> Behaviour:
    """Return what the kernel reads of the configuration, with the skip rate per second."""
    same = {name: getattr(config, name) for name in Behaviour._fields if name != "skip_rate"}
    return Behaviour(skip_rate=config.skip_rate_per_minute / 60.0, **same)


def _key_words(stream: Stream) -> npt.NDArray[np.uint64]:
    return np.array(stream.key, dtype=np.uint64)


def _filled(values: npt.NDArray[Any], size: int, kind: type) -> npt.NDArray[Any]:
    """Return a copy of the given width; works younger than the values have 0."""
    wide = np.zeros(size, dtype=kind)
    n = min(size, values.shape[0])
    wide[:n] = values[:n]
    return wide
