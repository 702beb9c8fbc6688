"""Bench ``population``: listener-steps per core-second, beside the same step in plain Mesa and in blocked NumPy.

The work: N listeners, M works, vectors of width 32, one slate of 10 out of 100 random candidates a day, choice by
multinomial logit, dwell, drift of taste and history, popularity brought up to date between days (synchronous
activation). All three implementations are given the same candidates and the same keyed random numbers, so they make the
same choices, and the share of plays that agree is reported. What is drawn and offered lies ready before the clock
starts, except that the compiled kernel draws its own numbers within it: the comparison leans towards the baselines.

The clock is the CPU time of the one thread that works.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mesa
import numba
import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.philox import gumbel, uniform
from heritage_agents.kernel.sheets import STEPS_PER_DAY, Behaviour
from heritage_agents.listeners.cohort import Cohort, behaviour_of
from heritage_agents.listeners.config import DeviceConfig, ListenersConfig
from heritage_agents.listeners.drawing import Listeners
from heritage_sim.base import HistoryVectors, Keys, TasteVectors, WorkFeatures, World

_DIM, _NUM_CANDIDATES, _SLATE, _BLOCK = 32, 100, 10, 256
_KEYS = Keys(root_seed=20_260_101, replication=0)
_UNIT = "listener-steps per CPU-s of one core"


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """A day's candidates, laid out before the clock starts (a `RecommenderState`)."""

    affinity: float
    bias: npt.NDArray[np.float32]
    table: npt.NDArray[np.int32]

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return the rows of the table, whatever the history."""
        return self.table


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What a day holds ready: candidates and their random numbers, each ``(num_listeners, num_candidates)``."""

    offers: Offers
    noise: npt.NDArray[np.float64]
    dwell_uniform: npt.NDArray[np.float64]
    outside_noise: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """The work that every implementation does."""

    config: ListenersConfig
    listeners: Listeners
    works: WorkFeatures
    days: tuple[Day, ...]

    @property
    def num_steps(self) -> int:
        """Return the number of listener-steps."""
        return len(self.days) * int(self.listeners.ids.size)


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the bench's records.

    Parameters
    ----------
    quick : bool
        A tenth of the work and one repeat: figures are rough.

    Returns
    -------
    list of dict
        Records ``{bench, name, value, unit, baseline, ratio, n, note}``.
    """
    num_listeners, num_days, repeats = (1_000, 2, 1) if quick else (10_000, 5, 3)
    work = workload(num_listeners, 10_000, num_days)
    started = time.thread_time()
    _live_kernel(workload(10, 100, 1))
    first_call_s = time.thread_time() - started
    lives: dict[str, Callable[[Workload], tuple[float, npt.NDArray[np.int64]]]] = {
        "kernel": _live_kernel,
        "mesa": _live_mesa,
        "numpy_blocked": _live_numpy_blocked,
    }
    measured = {name: [live(work) for _ in range(repeats)] for name, live in lives.items()}
    rate = {name: work.num_steps / statistics.median(s for s, _ in runs) for name, runs in measured.items()}
    plays = {name: runs[0][1] for name, runs in measured.items()}
    agree = min(_overlap(plays["kernel"], plays[name]) for name in ("mesa", "numpy_blocked"))
    size = f"{num_listeners} listeners x {num_days} days, 10,000 works, 100 candidates, slate 10, width 32"
    return [
        _record(
            "listener_steps_per_core_s", rate["kernel"], _UNIT, rate["mesa"], work.num_steps,
            f"{size}; baseline: plain Mesa {mesa.__version__}, one object per listener; median of {repeats}",
        ),
        _record(
            "listener_steps_per_core_s_beside_numpy", rate["kernel"], _UNIT, rate["numpy_blocked"], work.num_steps,
            f"{size}; baseline: NumPy {np.__version__} in blocks of {_BLOCK}; median of {repeats}",
        ),
        _record(
            "plays_that_agree", agree, "1", None, int(plays["kernel"].sum()),
            "share of plays on the same works in all three; float sums in another order may turn a near tie",
        ),
        _record(
            "kernel_first_call_cpu_s", first_call_s, "CPU-s", None, 1,
            f"a first small day: compiles with numba {numba.__version__}, or loads from its cache",
        ),
    ]  # fmt: skip


def _record(name: str, value: float, unit: str, baseline: float | None, n: int, note: str) -> dict[str, Any]:
    ratio = None if baseline is None else value / baseline
    return {
        "bench": "population", "name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio, "n": n,
        "note": note,
    }  # fmt: skip


def _overlap(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Return the share of plays that two histograms have in common."""
    return float(np.minimum(one, other).sum() / max(1, one.sum(), other.sum()))


def workload(num_listeners: int, num_works: int, num_days: int) -> Workload:
    """Return the work for one size, drawn by key."""
    config = ListenersConfig(
        num_listeners=num_listeners,
        max_sessions_per_day=1,
        max_slates=1,
        slate_size=_SLATE,
        outside_utility=0.5,
        devices=(DeviceConfig(name="any", share=1.0),),
        churn_base=-1e3,  # everybody stays and comes once a day: a day is one step of each
    )
    works = np.arange(num_works)
    ids = np.arange(num_listeners, dtype=np.int64)
    of = (works % 3).astype(np.int32)
    features = WorkFeatures(
        vectors=_unit_rows("works", num_works),
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
        taste=TasteVectors(_unit_rows("tastes", num_listeners)),
        consistency_taste=_KEYS.stream("bench", "theta").normals(ids, 0, 1)[:, 0],
        device=np.zeros(num_listeners, dtype=np.int32),
        familiarity=np.zeros(num_listeners),
        session_rate=np.full(num_listeners, 100.0),
        subscribed=np.ones(num_listeners, dtype=np.bool_),
        pool_units_per_day=np.full(num_listeners, 233_100, dtype=np.int64),
        num_communities=3,
    )
    bias = (0.2 * _KEYS.stream("bench", "bias").normals(works, 0, 1)[:, 0]).astype(np.float32)
    return Workload(config, listeners, features, tuple(_day(ids, bias, day) for day in range(num_days)))


def _unit_rows(name: str, n: int) -> npt.NDArray[np.float32]:
    rows = _KEYS.stream("bench", name).normals(np.arange(n), 0, _DIM)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _day(ids: npt.NDArray[np.int64], bias: npt.NDArray[np.float32], day: int) -> Day:
    # an odd stride through the catalogue gives distinct works that lie far apart, one in each of 100 strata
    stratum = max(1, bias.size // _NUM_CANDIDATES)
    place = _KEYS.stream("bench", "candidates").uniforms(ids, day, _NUM_CANDIDATES)
    table = (np.arange(_NUM_CANDIDATES) * stratum + np.floor(place * stratum)).astype(np.int32)
    noise, dwell, outside = (np.empty(shape) for shape in (table.shape, table.shape, ids.shape))
    keys = np.array([_KEYS.stream("listener", name).key for name in ("choice", "dwell", "outside")], dtype=np.uint64)
    _draw(ids, table, day * STEPS_PER_DAY, keys, noise, dwell, outside)
    return Day(Offers(2.0, bias, table), noise, dwell, outside)


@numba.njit(cache=True)
def _draw(ids, table, step, keys, noise, dwell, outside):
    """Fill in the numbers that the kernel draws for itself, at the kernel's addresses."""
    for i in range(ids.size):
        outside[i] = gumbel(ids[i], step, 0, keys[2, 0], keys[2, 1])
        for c in range(table.shape[1]):
            noise[i, c] = gumbel(ids[i], step, table[i, c], keys[0, 0], keys[0, 1])
            dwell[i, c] = uniform(ids[i], step, table[i, c], keys[1, 0], keys[1, 1])


def _live_kernel(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: the cohort as the economy runs it."""
    cohort = Cohort(work.config, _KEYS, work.listeners, work.works)
    plays = np.zeros(work.works.num_works, dtype=np.int64)
    started = time.thread_time()
    for number, day in enumerate(work.days):
        plays = plays + cohort.run_day(World(number, work.works, day.offers, plays)).plays_by_work
    return time.thread_time() - started, plays


class _MesaListener(mesa.Agent):
    """A listener as one writes it in Mesa: an object with a step."""

    def __init__(self, model: _MesaListening, row: int) -> None:
        super().__init__(model)
        self.row = row
        self.taste = model.work.listeners.taste[row].copy()
        self.history = np.zeros(_DIM, dtype=np.float32)
        self.theta = float(model.work.listeners.consistency_taste[row])
        self.num_plays = 0

    def step(self) -> None:
        """See a slate, choose, listen, change."""
        model: Any = self.model
        b, day, works = model.behaviour, model.day, model.work.works
        candidates = day.offers.table[self.row]
        vectors = works.vectors[candidates]
        score = day.offers.affinity * (vectors @ self.history) + day.offers.bias[candidates]
        slate = np.argpartition(-score, _SLATE)[:_SLATE]
        shown = candidates[slate]
        appeal = b.kappa * (vectors[slate] @ self.taste) + self.theta * works.consistency[shown]
        value = appeal + model.popularity[shown] + day.noise[self.row, slate]
        best = int(value.argmax())
        if value[best] <= b.outside_utility + day.outside_noise[self.row]:
            return
        work, vector = shown[best], vectors[slate[best]]
        log_rate = (
            -b.skip_appeal * appeal[best]
            + b.skip_novelty * (1.0 - self.history @ vector)
            - b.skip_experience * math.log1p(self.num_plays)
        )
        duration = float(works.duration_s[work])
        heard = -math.log(day.dwell_uniform[self.row, slate[best]]) / (b.skip_rate * math.exp(log_rate))
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
        self.day = work.days[0]
        self.plays = np.zeros(work.works.num_works, dtype=np.int64)
        self.new_plays = np.zeros_like(self.plays)
        self.popularity = np.zeros(self.plays.size)
        for row in range(work.listeners.ids.size):
            _MesaListener(self, row)

    def live(self, day: Day) -> None:
        """Live one day; popularity changes between days."""
        self.day = day
        self.popularity = self.work.config.popularity_weight * np.log1p(self.plays)
        self.agents.do("step")
        self.plays = self.plays + self.new_plays
        self.new_plays[:] = 0


def _live_mesa(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: one object per listener."""
    model = _MesaListening(work)
    started = time.thread_time()
    for day in work.days:
        model.live(day)
    return time.thread_time() - started, model.plays


def _live_numpy_blocked(work: Workload) -> tuple[float, npt.NDArray[np.int64]]:
    """Return CPU seconds and plays of each work: the same step on arrays, 256 listeners at a time."""
    b = behaviour_of(work.config)
    n = int(work.listeners.ids.size)
    taste, history = work.listeners.taste.copy(), np.zeros((n, _DIM), dtype=np.float32)
    num_plays = np.zeros(n, dtype=np.int64)
    plays = np.zeros(work.works.num_works, dtype=np.int64)
    started = time.thread_time()
    for day in work.days:
        popularity = work.config.popularity_weight * np.log1p(plays)
        new = np.zeros_like(plays)
        for first in range(0, n, _BLOCK):
            block = slice(first, min(first + _BLOCK, n))
            new += _numpy_block(work, day, b, block, taste, history, num_plays, popularity)
        plays = plays + new
    return time.thread_time() - started, plays


def _numpy_block(
    work: Workload,
    day: Day,
    b: Behaviour,
    block: slice,
    taste: npt.NDArray[np.float32],
    history: npt.NDArray[np.float32],
    num_plays: npt.NDArray[np.int64],
    popularity: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Live a day of one block in place, and return its plays of each work."""
    candidates = day.offers.table[block]
    u, h = taste[block], history[block]
    vectors = work.works.vectors[candidates]
    score = day.offers.affinity * np.matmul(vectors, h[:, :, None])[:, :, 0] + day.offers.bias[candidates]
    slate = np.argpartition(-score, _SLATE, axis=1)[:, :_SLATE]
    shown = np.take_along_axis(candidates, slate, axis=1)
    match = np.matmul(np.take_along_axis(vectors, slate[:, :, None], axis=1), u[:, :, None])[:, :, 0]
    appeal = b.kappa * match + work.listeners.consistency_taste[block, None] * work.works.consistency[shown]
    value = appeal + popularity[shown] + np.take_along_axis(day.noise[block], slate, axis=1)
    best = value.argmax(axis=1)
    at = np.arange(best.size)
    rows = np.flatnonzero(value[at, best] > b.outside_utility + day.outside_noise[block])
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
    heard = -np.log(day.dwell_uniform[own, slate[rows, pick]]) / (b.skip_rate * np.exp(log_rate))
    num_plays[own] += 1
    counted = np.minimum(duration, heard) >= np.minimum(b.counted_play_s, duration)
    angle = np.arccos(np.clip((u[rows] * v).sum(axis=1), -1.0, 1.0))
    moved = counted & (np.sin(angle) > 1e-6)
    keep, gain = np.sin((1.0 - b.drift) * angle[moved]), np.sin(b.drift * angle[moved])
    turned = keep[:, None] * u[rows[moved]] + gain[:, None] * v[moved]
    taste[own[moved]] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    history[own] = (1.0 - b.history_weight) * h[rows] + b.history_weight * v
    return np.bincount(played, minlength=popularity.size)
