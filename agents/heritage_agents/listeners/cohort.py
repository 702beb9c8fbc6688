"""A shard of listeners as arrays: `Cohort` lives days through the kernel and keeps the epoch's plays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.communities.config import CommunityConfig
from heritage_agents.kernel.engines import COMPILED, Engine, engine_named
from heritage_agents.kernel.lanes import padded, table_of_zeros
from heritage_agents.kernel.sheets import STREAMS, SUBSCRIBERS, Behaviour, Offers, People, Works
from heritage_agents.listeners.arrivals import day_factors, sessions_today
from heritage_agents.listeners.config import ListenersConfig
from heritage_agents.listeners.diary import Diary
from heritage_agents.listeners.drawing import Listeners, draw_listeners
from heritage_agents.listeners.noting import play_columns, sample_of, session_columns
from heritage_agents.listeners.ranking import ranked_works
from heritage_agents.listeners.resharding import reshard
from heritage_agents.listeners.subscribing import renew
from heritage_agents.listeners.view import ListenerView, Selection
from heritage_sim.base import (
    TALLY,
    CatalogueState,
    DayTally,
    HistoryVectors,
    Keys,
    State,
    StorageError,
    Stream,
    Sums,
    TasteVectors,
    Usage,
    WorkFeatures,
    World,
)

__all__ = ["Cohort", "behaviour_of", "make_shard", "reshard"]

NUM_RECENT = 16
"""Works played last that are kept of each listener."""

LARGEST_SCORE = 1e30
"""Scores beyond it, either way, come too near to the marks by which a slate tells what is taken."""

LONGEST_VECTOR = 1.0005
"""Length of a work's vector with its rounding: between two bounds that follow from it slates are sought."""


def make_shard(
    config: ListenersConfig,
    keys: Keys,
    first: int,
    stop: int,
    archive: WorkFeatures,
    communities: Sequence[CommunityConfig],
    session_sample: int = 0,
    engine: tuple[str, str] = ("compiled", "auto"),
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
    session_sample : int
        Listeners, of all shards together, whose sessions and plays are noted one by one.
    engine : tuple of str
        What lives the days, and on which device: arguments of `heritage_agents.kernel.engines.engine_named`.

    Returns
    -------
    Cohort

    Raises
    ------
    ValueError
        If there is no such range of listeners.
    MissingPartError
        If the engine's library or device is missing.
    """
    if not 0 <= first < stop <= config.num_listeners:
        raise ValueError(f"no such range of listeners: {first} ... {stop} of {config.num_listeners}")
    who = draw_listeners(config, communities, keys, first, stop, archive)
    sample = sample_of(keys, config.num_listeners, session_sample)
    return Cohort(config, keys, who, archive, sample, engine_named(*engine))


class Cohort:
    """Listeners of one shard (a `Population`).

    ``cohort[i]`` is a light view of one of them, and `select`, `agg`, `get` and `map` read as in Mesa's ``AgentSet``.

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
    sample : ndarray of int64, optional
        Ids of the listeners whose sessions and plays are noted one by one; of other shards too. Nobody by default.
    engine : Engine
        What lives the days.
    """

    def __init__(
        self,
        config: ListenersConfig,
        keys: Keys,
        listeners: Listeners,
        archive: WorkFeatures,
        sample: npt.NDArray[np.int64] | None = None,
        engine: Engine = COMPILED,
    ) -> None:
        self._engine = engine
        # The kernel has its own copy of the tastes, which moves on; the first ones are not held twice.
        self._config, self._who = config, replace(listeners, taste=TasteVectors(listeners.taste[:0].copy()))
        self._dim = archive.vectors.shape[1]
        self._num_archive = self._num_works = archive.num_works
        self._vectors = _unit_rows(archive.vectors)
        self._behaviour = behaviour_of(config)
        self._keys = np.stack([_key_words(keys.stream("listener", name)) for name in STREAMS])
        self._session_key, self._churn_key, self._return_key = (
            _key_words(keys.stream("listener", name)) for name in ("session", "churn", "return")
        )
        self._starts = keys.stream("listener", "start")
        self._people = _people_of(config, listeners, np.zeros(0, dtype=np.int64) if sample is None else sample)
        self._subscribed = listeners.subscribed.copy()
        self._subscribers = self._subscribers_now()
        self._days_paid = np.zeros(listeners.ids.size, dtype=np.int32)
        self._diary = Diary(listeners.ids, self._people.sampled)

    def __len__(self) -> int:
        """Return the number of listeners."""
        return int(self._who.ids.size)

    def __getitem__(self, index: Any) -> Any:
        """Return a light view of the listener in a place of the shard, or the `Selection` of a slice."""
        return self._everyone()[index]

    def __iter__(self) -> Iterator[ListenerView]:
        """Yield a view of each listener, in ascending order of ids."""
        return iter(self._everyone())

    def select(
        self,
        filter_func: Callable[[ListenerView], bool] | npt.NDArray[np.bool_] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> Selection:
        """Return the listeners for which a condition holds; see `Selection.select`.

        Parameters
        ----------
        filter_func : callable or ndarray of bool, optional
            As there.
        at_most : int or float
            As there.
        inplace : bool
            False: a shard keeps its listeners.
        agent_type : type, optional
            As there.

        Returns
        -------
        Selection

        Raises
        ------
        ValueError
            If the shard itself is to be narrowed.
        """
        if inplace:
            raise ValueError("a shard keeps its listeners: narrow what `select` returns instead")
        return self._everyone().select(filter_func, at_most, agent_type=agent_type)

    def get(self, attribute: str) -> npt.NDArray[Any]:
        """Return an attribute of `ListenerView` of each listener."""
        return self._everyone().get(attribute)

    def agg(self, attribute: str, func: Callable[[Any], Any] | Iterable[Callable[[Any], Any]]) -> Any:
        """Return a function of an attribute's values, or a list of several; see `Selection.agg`."""
        return self._everyone().agg(attribute, func)

    def map(self, method: Callable[[ListenerView], Any]) -> list[Any]:
        """Return what a function makes of each listener's view."""
        return self._everyone().map(method)

    @property
    def history(self) -> HistoryVectors:
        """Return a copy of the listeners' history vectors, shape ``(num_listeners, dim)``."""
        return HistoryVectors(self._people.history[:, : self._dim].copy())

    @property
    def recent(self) -> npt.NDArray[np.int32]:
        """Return a copy of the works played last, newest first, -1 for none, shape ``(num_listeners, NUM_RECENT)``."""
        return self._people.recent.copy()

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
            If the work vectors have another width than the archive's or are longer than 1, a candidate is no work, or
            the recommender's bias or affinity is not finite, or beyond `LARGEST_SCORE`.
        """
        works, day, n = world.works, int(world.day), world.works.num_works
        self._see(works)
        seen = Works(
            vectors=self._vectors,
            consistency=works.consistency.astype(np.float64),
            duration_s=works.duration_s.astype(np.float64),
            available=np.array(works.available, dtype=np.bool_),
            popularity=self._config.popularity_weight * np.log1p(_filled(world.visible_plays, n, np.float64)),
            bias=_filled(world.recommender_state.bias, n, np.float32),
        )
        largest = float(np.abs(seen.bias).max(initial=0.0)) + abs(
            float(getattr(world.recommender_state, "affinity", 0.0))
        )
        if not largest <= LARGEST_SCORE:
            raise ValueError(f"the recommender's bias and affinity must be finite and below {LARGEST_SCORE}: {largest}")
        counts = np.zeros(len(TALLY), dtype=np.int64)
        counts[SUBSCRIBERS] = self._subscribers.sum()
        factors = day_factors(self._config, works, self._num_archive, self._who.num_communities, day)
        rows, num_sessions = sessions_today(
            *(self._who.ids, self._who.session_rate, self._who.home, self._subscribed, factors),
            *(self._config.max_sessions_per_day, day, self._session_key, self._days_paid),
        )
        plays, exposures = (np.zeros(n, dtype=np.int64) for _ in range(2))
        self._diary.begin_day(day)
        for first in range(0, rows.size, self._engine.at_once):
            part = slice(first, first + self._engine.at_once)
            offers, queries = self._offers(world.recommender_state, rows[part], num_sessions[part], seen.available, day)
            books = self._diary.open_books(counts, plays, exposures, offers, self._behaviour.max_slates)
            written = self._engine.live_day(self._behaviour, self._keys, day, self._people, seen, offers, books)
            noted = self._diary.keep(books, written)
            if queries is not None:
                self._score_plays(noted, rows[part], queries, world.recommender_state)
        c = self._config
        hazard = c.return_rate + c.word_of_mouth * _filled(
            world.subscribed_share, self._who.num_communities, np.float64
        )
        renew(
            *(self._who.ids, self._who.home, self._people.satisfaction, self._subscribed),
            *(c.churn_base, c.churn_satisfaction, c.renewal_days, hazard, day, self._churn_key, self._return_key),
            *(counts, self._subscribers),
        )
        return DayTally(counts, plays, exposures, self._subscribers.copy())

    def audience(self) -> Sums:
        """Return how many ``listeners`` are at home in each community, and how many ``subscribers`` are."""
        every = np.bincount(self._who.home, minlength=self._who.num_communities)
        return {"listeners": every.astype(np.int64), "subscribers": self._subscribers.copy()}

    def session_rows(self) -> dict[str, npt.NDArray[Any]]:
        """Return the noted sessions as columns; see `heritage_agents.listeners.noting.session_columns`."""
        return session_columns(self._diary.noted()[0], self._who, self._config, self._starts)

    def play_rows(self) -> dict[str, npt.NDArray[Any]]:
        """Return the noted plays as columns; see `heritage_agents.listeners.noting.play_columns`."""
        return play_columns(self._diary.noted()[1])

    def ranking(self, world: World, num_ranks: int) -> dict[str, npt.NDArray[Any]]:
        """Return the whole catalogue's best works for each noted listener; see `ranking.ranked_works`.

        Parameters
        ----------
        world : World
            What listeners meet on the day.
        num_ranks : int
            Works wanted of each.

        Returns
        -------
        dict of str to ndarray
            ``listener``, shape ``(num_noted,)``, and ``works``, shape ``(num_noted, num_ranks)``.
        """
        rows = np.flatnonzero(self._people.sampled)
        ids, history = self._who.ids[rows], HistoryVectors(self._people.history[rows, : self._dim])
        return {"listener": ids, "works": ranked_works(world, ids, history, self._people.recent[rows], num_ranks)}

    def usage(self, epoch: int) -> Usage:
        """Return the plays that count since the last `close_epoch`, and what the fees of those days add to the pool."""
        return self._diary.usage(epoch, self._num_works, self._who.pool_units_per_day * self._days_paid)

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        self._diary.close_epoch()
        self._days_paid[:] = 0

    def snapshot(self) -> State:
        """Return all that changes from day to day; the rest follows from the configuration."""
        people = self._people
        state: State = {
            "first": int(self._who.ids[0]),
            "stop": int(self._who.ids[-1]) + 1,
            "num_works": self._num_works,
            "taste": people.taste[:, : self._dim].copy(),
            "history": people.history[:, : self._dim].copy(),
            "num_plays": people.num_plays.copy(),
            "num_sessions": people.num_sessions.copy(),
            "session_s": people.session_s.copy(),
            "satisfaction": people.satisfaction.copy(),
            "recent": people.recent.copy(),
            "subscribed": self._subscribed.copy(),
            "days_paid": self._days_paid.copy(),
        }
        return state | self._diary.snapshot()

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
        whole = ("num_plays", "num_sessions", "session_s", "satisfaction", "recent")
        self._people = self._people._replace(
            taste=TasteVectors(padded(state["taste"])),
            history=padded(state["history"]),
            **{name: np.array(state[name]) for name in whole},
        )
        self._subscribed = np.array(state["subscribed"], dtype=np.bool_)
        self._subscribers = self._subscribers_now()
        self._days_paid = np.array(state["days_paid"], dtype=np.int32)
        self._diary.restore(state)
        self._num_works = int(state["num_works"])
        self._vectors = self._vectors[:0]

    def _see(self, works: WorkFeatures) -> None:
        """Take in the vectors of works published since the last day; rows of a catalogue never change."""
        known = self._vectors.shape[0]
        if works.vectors.shape[1] != self._dim:
            raise ValueError(f"work vectors must have width {self._dim}, not {works.vectors.shape[1]}")
        if works.num_works != known:
            known = min(known, works.num_works)
            self._vectors = _unit_rows(self._vectors[:known, : self._dim], works.vectors[known:])
        self._num_works = works.num_works

    def _offers(
        self,
        state: Any,
        rows: npt.NDArray[np.int64],
        num_sessions: npt.NDArray[np.int64],
        available: npt.NDArray[np.bool_],
        day: int,
    ) -> tuple[Offers, npt.NDArray[np.float32] | None]:
        """Return what these listeners may be shown, and their queries where the whole catalogue is ranked."""
        ids = self._who.ids[rows]
        if isinstance(state, CatalogueState):
            queries = np.require(state.queries(ids, self._people.recent[rows], day), np.float32, ["C"])
            bias = np.asarray(state.bias, dtype=np.float32)
            known = available[: state.factors.shape[0]]
            best = self._engine.top_works(queries, state.factors, bias, known, state.num_candidates)
            return Offers(rows, num_sessions, np.require(best, np.int32, ["C", "W", "A"]), True, np.float32(0)), queries
        shown = HistoryVectors(np.ascontiguousarray(self._people.history[rows, : self._dim]))
        candidates = np.require(state.candidates(ids, shown, day), np.int32, ["C", "W", "A"])
        if candidates.max(initial=-1) >= available.size:
            raise ValueError(f"the recommender offers work {candidates.max()}; there are {available.size}")
        return Offers(rows, num_sessions, candidates, False, np.float32(state.affinity)), None

    def _score_plays(
        self,
        plays: npt.NDArray[Any],
        rows: npt.NDArray[np.int64],
        queries: npt.NDArray[np.float32],
        state: CatalogueState,
    ) -> None:
        """Write the scores that ranked the whole catalogue beside the noted plays."""
        asked = queries[np.searchsorted(self._who.ids[rows], plays["listener"])].astype(np.float64)
        work = plays["work"]
        plays["score"] = (asked * state.factors[work]).sum(axis=1) + state.bias[work]

    def _subscribers_now(self) -> npt.NDArray[np.int64]:
        home = self._who.home[self._subscribed]
        return np.bincount(home, minlength=self._who.num_communities).astype(np.int64)

    def _everyone(self) -> Selection:
        who, people = self._who, self._people
        columns: dict[str, npt.NDArray[Any]] = {
            "unique_id": who.ids,
            "home": who.home,
            "plan": who.plan,
            "device": who.device,
            "familiarity": who.familiarity,
            "consistency_taste": who.consistency_taste,
            "session_rate": who.session_rate,
            "is_subscribed": self._subscribed,
            "satisfaction": people.satisfaction,
            "num_plays": people.num_plays,
            "num_sessions": people.num_sessions,
            "session_s": people.session_s,
            "taste": people.taste[:, : self._dim],
            "history": people.history[:, : self._dim],
            "recent": people.recent,
        }
        return Selection(columns, np.arange(len(self), dtype=np.int64))


def behaviour_of(config: ListenersConfig) -> Behaviour:
    """Return what the kernel reads of the configuration, with the skip rate per second."""
    same = {name: getattr(config, name) for name in Behaviour._fields if name != "skip_rate"}
    return Behaviour(skip_rate=config.skip_rate_per_minute / 60.0, **same)


def _people_of(config: ListenersConfig, who: Listeners, sample: npt.NDArray[np.int64]) -> People:
    """Return the listeners as the kernel sees them before day 0."""
    n = who.ids.size
    skip, leave = (np.array([getattr(device, name) for device in config.devices]) for name in ("skip", "leave"))
    taste = padded(who.taste)
    return People(
        ids=who.ids,
        consistency_taste=who.consistency_taste,
        skip_offset=skip[who.device] - config.skip_familiarity * who.familiarity,
        leave_offset=leave[who.device] - config.leave_familiarity * who.familiarity,
        sampled=np.isin(who.ids, sample),
        taste=taste,
        history=table_of_zeros(n, who.taste.shape[1]),
        num_plays=np.zeros(n, dtype=np.int64),
        num_sessions=np.zeros(n, dtype=np.int64),
        session_s=np.zeros(n),
        satisfaction=np.full(n, config.satisfaction_start),
        recent=np.full((n, NUM_RECENT), -1, dtype=np.int32),
    )


def _key_words(stream: Stream) -> npt.NDArray[np.uint64]:
    return np.array(stream.key, dtype=np.uint64)


def _unit_rows(*parts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return work vectors as the kernel reads them; a ValueError if one of the last part is longer than 1."""
    length = np.linalg.norm(parts[-1], axis=1)
    if not length.max(initial=0.0) <= LONGEST_VECTOR:
        raise ValueError(f"work vectors must have length 1, not {length.max()}")
    return padded(*parts)


def _filled(values: npt.NDArray[Any], size: int, kind: type) -> npt.NDArray[Any]:
    """Return a copy of the given width; works younger than the values have 0."""
    wide = np.zeros(size, dtype=kind)
    n = min(size, values.shape[0])
    wide[:n] = values[:n]
    return wide
