"""The listening-only economy: a scenario's listeners on its archive under its recommender, and nothing else.

Nobody makes a work, nothing is paid, terms stand as they are at the start. That leaves out what answers to listening
(new works, pools, income) and keeps what calibration is about, at a small part of the cost. The days go as in the
`Economy`: listen, then refresh the recommender on its own period.

Draws are numbered apart from the replications of runs, so no run meets the random numbers that its parameters were
fitted with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_experiments.scenario import Scenario
from heritage_experiments.wiring import Surroundings, build_parts
from heritage_models.config import GeneratorConfig
from heritage_sim.base import TALLY, Catalogue, DayTally, Keys, Usage, World
from heritage_sim.day.listening import listen, work_features
from heritage_sim.day.refreshing import RecommenderDesk

Ints = npt.NDArray[np.int64]

FIRST_DRAW = 1_000_000
"""Replication number of draw 0; runs have at most 100,000 replications."""

_AT = {name: i for i, name in enumerate(TALLY)}


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """What was listened to in the observed days.

    Parameters
    ----------
    days : int
        Observed days.
    plays, works : ndarray of int64, shape (num_listeners,)
        Each listener's plays that count, and different works among them.
    plays_by_work : ndarray of int64, shape (num_works,)
        Plays that count of each work.
    totals : dict of str to int
        Sums over the days of the figures that `TALLY` names.
    sessions : ndarray of int64, shape (num_listeners,), optional
        Each listener's sessions; None where the population does not tell.
    dwell_s : ndarray of float64, optional
        Seconds of every work that was put on, whether it counts or not; None where the population does not tell.
    """

    days: int
    plays: Ints
    works: Ints
    plays_by_work: Ints
    totals: dict[str, int]
    sessions: Ints | None = None
    dwell_s: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which days are lived and observed.

    Parameters
    ----------
    days : int
        Days observed.
    warm_up_days : int
        Days lived before.
    """

    days: int
    warm_up_days: int = 0


def listening_only(scenario: Scenario, num_listeners: int) -> Scenario:
    """Return a scenario as calibration simulates it: so many listeners, and no generator to train."""
    listeners = scenario.listeners.model_copy(update={"num_listeners": num_listeners})
    parts = {section: kind for section, kind in scenario.own_parts.items() if section == "recommender"}
    update = {"listeners": listeners, "generator": GeneratorConfig(kind="archive"), "own_parts": parts}
    return scenario.model_copy(update=update)


def simulate(scenario: Scenario, draw: int, window: Window, cache_dir: Path) -> Listened:
    """Return what the scenario's listeners listen to; a function of its arguments alone.

    Parameters
    ----------
    scenario : Scenario
        As `listening_only` returns it.
    draw : int
        Number of the draw, >= 0: the key of all random numbers, with the scenario's seed.
    window : Window
        Days.
    cache_dir : Path
        Where corpora are kept.

    Returns
    -------
    Listened
    """
    keys = Keys(scenario.seed, FIRST_DRAW + draw)
    parts = build_parts(scenario, FIRST_DRAW + draw, keys, Surroundings(cache_dir))
    catalogue = Catalogue(dim=parts.encoder.dim)
    catalogue.append(parts.archive)
    may_play = np.array(["perform" in community.consent for community in scenario.communities])
    available = may_play[catalogue.community]
    features = work_features(catalogue, available)
    desk, executor = RecommenderDesk(parts.make_recommender()), parts.make_executor()
    plays = np.zeros(catalogue.num_works, dtype=np.int64)
    rhythm = scenario.economy
    observed = _Observed()
    desk.refresh(executor, catalogue, available, plays, 0, 0)
    for day in range(window.warm_up_days + window.days):
        epoch = rhythm.epoch_of(day)
        tally = listen(executor, World(day, features, desk.state, desk.visible_plays(catalogue.num_works)))
        plays += tally.plays_by_work
        if day >= window.warm_up_days:
            observed.tallies.append(tally)
        if rhythm.refreshes(day):
            desk.refresh(executor, catalogue, available, plays, day + 1, epoch)
        last = day + 1 == window.warm_up_days + window.days
        if rhythm.ends_epoch(day) or last or day + 1 == window.warm_up_days:
            if day >= window.warm_up_days:
                observed.usages.append(executor.call("usage", epoch))
            executor.call("close_epoch")
    executor.close()
    return observed.listened(window.days)


class _Observed:
    """Gathers the observed days."""

    def __init__(self) -> None:
        self.tallies: list[DayTally] = []
        self.usages: list[Sequence[Usage]] = []

    def listened(self, days: int) -> Listened:
        counts = np.sum([tally.counts for tally in self.tallies], axis=0)
        shards = list(zip(*self.usages, strict=True))
        plays, works = zip(*(_by_listener(shard) for shard in shards), strict=True)
        by_work = np.sum([usage.plays_by_work() for shard in shards for usage in shard], axis=0)
        return Listened(
            days=days,
            plays=np.concatenate(plays),
            works=np.concatenate(works),
            plays_by_work=by_work,
            totals={name: int(counts[at]) for name, at in _AT.items()},
        )


def _by_listener(epochs: Sequence[Usage]) -> tuple[Ints, Ints]:
    """Return plays, and different works played, of each listener of a shard over its epochs."""
    num_listeners, width = epochs[0].listener_ids.size, max(usage.num_works for usage in epochs)
    rows = [np.repeat(np.arange(num_listeners), np.diff(usage.indptr)) for usage in epochs]
    plays = np.zeros(num_listeners, dtype=np.int64)
    for row, usage in zip(rows, epochs, strict=True):
        np.add.at(plays, row, usage.plays)
    pairs = np.unique(np.concatenate([row * width + usage.work_ids for row, usage in zip(rows, epochs, strict=True)]))
    return plays, np.bincount(pairs // width, minlength=num_listeners).astype(np.int64)
