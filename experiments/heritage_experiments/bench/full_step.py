"""The full listener-step as `heritage run` lives it, beside the same step in plain Mesa and in blocked NumPy.

N listeners, each with one session of one slate a day: 100 candidates scored by history and recommender, ten shown, one
or none chosen by multinomial logit, listened to for a while; taste and history move; popularity is brought up to date
between days (synchronous activation). The kernel is the shard of listeners with its defaults, drawing of sessions,
noting of plays and renewal of subscriptions included. All three are given the same candidates and the same keyed
numbers, so they make the same choices. What is drawn and offered lies ready before the clock starts, except that the
kernel draws its own numbers within it: the comparison leans towards the baselines.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt
from mesa.agent import AgentSet

from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.philox import gumbel, uniform
from heritage_agents.kernel.sheets import STEPS_PER_DAY, Behaviour
from heritage_agents.listeners.cohort import Cohort, behaviour_of
from heritage_agents.listeners.config import DeviceConfig, ListenersConfig
from heritage_agents.listeners.drawing import Listeners
from heritage_experiments.bench.stripped_step import BLOCK, CANDIDATES, DIM, SLATE, unit_rows
from heritage_sim.base import TALLY, HistoryVectors, Keys, TasteVectors, WorkFeatures, World

_KEYS = Keys(root_seed=20_260_101, replication=0)
_CHUNK = 16_384
"""Listeners whose numbers are laid out at a time for the baselines."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A day's candidates, laid out before the clock starts (a `RecommenderState`)."""

    affinity: float
    bias: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int32]

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return the rows of the listeners, whatever the history."""
        return self.rows[listener_ids[0] : listener_ids[-1] + 1]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Random numbers of some listeners' day, each ``(num_listeners, CANDIDATES)`` but for the outside option's."""

    noise: npt.NDArray[np.float64]
    dwell_uniform: npt.NDArray[np.float64]
    outside_noise: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """The work that every implementation does."""

    config: ListenersConfig
    listeners: Listeners
    works: WorkFeatures
    days: tuple[Table, ...]

    @property
    def num_steps(self) -> int:
        """Return the number of listener-steps."""
        return len(self.days) * int(self.listeners.ids.size)

    def numbers(self, day: int, first: int, stop: int) -> Numbers:
        """Return the numbers that the kernel draws for itself, of listeners ``first ... stop - 1``."""
        ids, table = self.listeners.ids[first:stop], self.days[day].rows[first:stop]
        made = Numbers(np.empty(table.shape), np.empty(table.shape), np.empty(ids.shape))
        names = ("choice", "dwell", "outside")
        keys = np.array([_KEYS.stream("listener", name).key for name in names], dtype=np.uint64)
        _draw(ids, table, day * STEPS_PER_DAY, keys, made.noise, made.dwell_uniform, made.outside_noise)
        return made


def workload(num_listeners: int, num_works: int, num_days: int) -> Workload:
    """Return the work for one size, drawn by key."""
    config = ListenersConfig(
        num_listeners=num_listeners,
        max_sessions_per_day=1,
        max_slates=1,
        slate_size=SLATE,
        outside_utility=0.5,
        devices=(DeviceConfig(name="any", share=1.0),),
        churn_base=-1e3,  # everybody stays and comes once a day: a day is one step of each
    )
    works = np.arange(num_works)
    ids = np.arange(num_listeners, dtype=np.int64)
    of = (works % 3).astype(np.int32)
    features = WorkFeatures(
        vectors=unit_rows("works", num_works),
        tradition=of,
        community=of,
        day=np.zeros(num_works, dtype=np.int32),
        consistency=_KEYS.stream("bench", "consistency").uniform(works, 0).astype(np.float32),
        duration_s=(60.0 + 120.0 * _KEYS.stream("bench", "duration").uniform(works, 0)).astype(np.float32),
        available=np.ones(num_works, dtype=np.bool_),
    )
    listeners = Listeners(
        ids=ids,
        home=np.zeros(num_listeners, dtype=np.int32),
        plan=np.zeros(num_listeners, dtype=np.int32),
        taste=TasteVectors(unit_rows("tastes", num_listeners)),
        consistency_taste=_KEYS.stream("bench", "theta").normals(ids, 0, 1)[:, 0],
        device=np.zeros(num_listeners, dtype=np.int32),
        familiarity=np.zeros(num_listeners),
        session_rate=np.full(num_listeners, 100.0),
        subscribed=np.ones(num_listeners, dtype=np.bool_),
        pool_units_per_day=np.full(num_listeners, 233_100, dtype=np.int64),
        num_communities=3,
    )
    bias = (0.2 * _KEYS.stream("bench", "bias").normals(works, 0, 1)[:, 0]).astype(np.float32)
    days = tuple(Table(2.0, bias, _candidates(num_listeners, num_works, day)) for day in range(num_days))
    return Workload(config, listeners, features, days)


def _candidates(num_listeners: int, num_works: int, day: int) -> npt.NDArray[np.int32]:
    # one work of each of a hundred strata: distinct works that lie far apart
    stratum = max(1, num_works // CANDIDATES)
    table = np.empty((num_listeners, CANDIDATES), dtype=np.int32)
    for first in range(0, num_listeners, _CHUNK):
        ids = np.arange(first, min(first + _CHUNK, num_listeners))
        place = _KEYS.stream("bench", "candidates").uniforms(ids, day, CANDIDATES)
        table[ids] = np.arange(CANDIDATES) * stratum + np.floor(place * stratum)
    return table


@compiled
def _draw(ids, table, step, keys, noise, dwell, outside):
    """Fill in the numbers that the kernel draws for itself, at the kernel's addresses."""
    for i in range(ids.size):
        outside[i] = gumbel(ids[i], step, 0, keys[2, 0], keys[2, 1])
        for c in range(table.shape[1]):
            noise[i, c] = gumbel(ids[i], step, table[i, c], keys[0, 0], keys[0, 1])
            dwell[i, c] = uniform(ids[i], step, table[i, c], keys[1, 0], keys[1, 1])


def live_kernel(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: the shard as the economy runs it."""
    cohort = Cohort(work.config, _KEYS, work.listeners, work.works)
    plays = np.zeros(work.works.num_works, dtype=np.int64)
    started = time.thread_time()
    for number, table in enumerate(work.days):
        plays = plays + cohort.run_day(World(number, work.works, table, plays)).plays_by_work
    return time.thread_time() - started, plays


class _MesaListener(mesa.Agent):
    """A listener as one writes it in Mesa: an object with a step."""

    def __init__(self, model: _MesaListening, row: int) -> None:
        super().__init__(model)
        self.row = row
        self.taste = model.work.listeners.taste[row].copy()
        self.history = np.zeros(DIM, dtype=np.float32)
        self.theta = float(model.work.listeners.consistency_taste[row])
        self.num_plays = 0

    def step(self) -> None:
        """See a slate, choose, listen, change."""
        model: Any = self.model
        b, table, works = model.behaviour, model.table, model.work.works
        candidates = table.rows[self.row]
        numbers, at = model.numbers, self.row - model.first
        vectors = works.vectors[candidates]
        score = table.affinity * (vectors @ self.history) + table.bias[candidates]
        slate = np.argpartition(-score, SLATE)[:SLATE]
        shown = candidates[slate]
        appeal = b.kappa * (vectors[slate] @ self.taste) + self.theta * works.consistency[shown]
        value = appeal + model.popularity[shown] + numbers.noise[at, slate]
        best = int(value.argmax())
        if value[best] <= b.outside_utility + numbers.outside_noise[at]:
            return
        work, vector = shown[best], vectors[slate[best]]
        log_rate = (
            -b.skip_appeal * appeal[best]
            + b.skip_novelty * (1.0 - self.history @ vector)
            - b.skip_experience * math.log1p(self.num_plays)
        )
        duration = float(works.duration_s[work])
        heard = -math.log(numbers.dwell_uniform[at, slate[best]]) / (b.skip_rate * math.exp(log_rate))
        self.num_plays += 1
        model.new_plays[work] += 1
        if min(duration, heard) >= min(b.counted_play_s, duration):
            angle = math.acos(max(-1.0, min(1.0, float(self.taste @ vector))))
            if math.sin(angle) > 1e-6:
                turned = math.sin((1.0 - b.drift) * angle) * self.taste + math.sin(b.drift * angle) * vector
                self.taste = (turned / math.sqrt(float(turned @ turned))).astype(np.float32)
        self.history = (1.0 - b.history_weight) * self.history + b.history_weight * vector


class _MesaListening(mesa.Model):
    """The listeners of a workload as Mesa agents."""

    def __init__(self, work: Workload) -> None:
        super().__init__(rng=1)
        self.work = work
        self.behaviour: Behaviour = behaviour_of(work.config)
        self.table, self.first, self.numbers = work.days[0], 0, work.numbers(0, 0, 0)
        self.plays = np.zeros(work.works.num_works, dtype=np.int64)
        self.new_plays = np.zeros_like(self.plays)
        self.popularity = np.zeros(self.plays.size)
        everyone = [_MesaListener(self, row) for row in range(work.listeners.ids.size)]
        self.chunks = [AgentSet(everyone[i : i + _CHUNK], random=self.random) for i in range(0, len(everyone), _CHUNK)]

    def live(self, day: int) -> float:
        """Live one day, popularity changing between days, and return CPU seconds."""
        self.table = self.work.days[day]
        self.popularity = self.work.config.popularity_weight * np.log1p(self.plays)
        seconds = 0.0
        for number, agents in enumerate(self.chunks):
            self.first = number * _CHUNK
            self.numbers = self.work.numbers(day, self.first, self.first + len(agents))
            started = time.thread_time()
            agents.do("step")
            seconds += time.thread_time() - started
        self.plays = self.plays + self.new_plays
        self.new_plays[:] = 0
        return seconds


def slates_of_default_sessions_per_s(work: Workload) -> float:
    """Return slates a CPU second where sessions have their default length and outside option, not one slate each."""
    usual = ListenersConfig()
    as_usual = {"max_slates": usual.max_slates, "outside_utility": usual.outside_utility, "devices": usual.devices}
    cohort = Cohort(work.config.model_copy(update=as_usual), _KEYS, work.listeners, work.works)
    plays, slates = np.zeros(work.works.num_works, dtype=np.int64), 0
    started = time.thread_time()
    for number, table in enumerate(work.days):
        tally = cohort.run_day(World(number, work.works, table, plays))
        plays = plays + tally.plays_by_work
        slates += int(tally.counts[TALLY.index("slates")])
    return slates / (time.thread_time() - started)


def live_mesa(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: one object per listener."""
    model = _MesaListening(work)
    return sum(model.live(day) for day in range(len(work.days))), model.plays


def live_numpy_blocked(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: the same step on arrays, `BLOCK` listeners at a time."""
    b = behaviour_of(work.config)
    n = int(work.listeners.ids.size)
    taste, history = work.listeners.taste.copy(), np.zeros((n, DIM), dtype=np.float32)
    num_plays = np.zeros(n, dtype=np.int64)
    plays = np.zeros(work.works.num_works, dtype=np.int64)
    seconds = 0.0
    for day in range(len(work.days)):
        popularity = work.config.popularity_weight * np.log1p(plays)
        new = np.zeros_like(plays)
        for first in range(0, n, _CHUNK):
            stop = min(first + _CHUNK, n)
            numbers = work.numbers(day, first, stop)
            started = time.thread_time()
            for at in range(first, stop, BLOCK):
                block = slice(at, min(at + BLOCK, stop))
                new += _numpy_block(work, day, b, block, numbers, first, taste, history, num_plays, popularity)
            seconds += time.thread_time() - started
        plays = plays + new
    return seconds, plays


def _numpy_block(
    work: Workload,
    day: int,
    b: Behaviour,
    block: slice,
    numbers: Numbers,
    first: int,
    taste: npt.NDArray[np.float32],
    history: npt.NDArray[np.float32],
    num_plays: npt.NDArray[np.int64],
    popularity: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Live a day of one block in place, and return its plays of each work."""
    table, of = work.days[day], slice(block.start - first, block.stop - first)
    candidates = table.rows[block]
    u, h = taste[block], history[block]
    vectors = work.works.vectors[candidates]
    score = table.affinity * np.matmul(vectors, h[:, :, None])[:, :, 0] + table.bias[candidates]
    slate = np.argpartition(-score, SLATE, axis=1)[:, :SLATE]
    shown = np.take_along_axis(candidates, slate, axis=1)
    match = np.matmul(np.take_along_axis(vectors, slate[:, :, None], axis=1), u[:, :, None])[:, :, 0]
    appeal = b.kappa * match + work.listeners.consistency_taste[block, None] * work.works.consistency[shown]
    value = appeal + popularity[shown] + np.take_along_axis(numbers.noise[of], slate, axis=1)
    best = value.argmax(axis=1)
    at = np.arange(best.size)
    rows = np.flatnonzero(value[at, best] > b.outside_utility + numbers.outside_noise[of])
    pick = best[rows]
    played = shown[rows, pick]
    v = work.works.vectors[played]
    own = block.start + rows
    log_rate = (
        -b.skip_appeal * appeal[rows, pick]
        + b.skip_novelty * (1.0 - (h[rows] * v).sum(axis=1))
        - b.skip_experience * np.log1p(num_plays[own])
    )
    duration = work.works.duration_s[played].astype(np.float64)
    heard = -np.log(numbers.dwell_uniform[own - first, slate[rows, pick]]) / (b.skip_rate * np.exp(log_rate))
    num_plays[own] += 1
    counted = np.minimum(duration, heard) >= np.minimum(b.counted_play_s, duration)
    angle = np.arccos(np.clip((u[rows] * v).sum(axis=1), -1.0, 1.0))
    moved = counted & (np.sin(angle) > 1e-6)
    keep, gain = np.sin((1.0 - b.drift) * angle[moved]), np.sin(b.drift * angle[moved])
    turned = keep[:, None] * u[rows[moved]] + gain[:, None] * v[moved]
    taste[own[moved]] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    history[own] = (1.0 - b.history_weight) * h[rows] + b.history_weight * v
    return np.bincount(played, minlength=popularity.size)
