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

from heritage_agents.listeners.cohort import make_shard
from heritage_experiments.scenario import Scenario
from heritage_experiments.wiring import Surroundings, archive_features, build_parts
from heritage_models.config import GeneratorConfig
from heritage_sim.base import TALLY, Catalogue, Consent, Keys, Usage, World
from heritage_sim.day.listening import Audience, work_features
from heritage_sim.day.refreshing import RecommenderDesk
from heritage_sim.executors import LocalExecutor
from heritage_sim.sharding import usage_since

Ints = npt.NDArray[np.int64]

FIRST_DRAW = 1_000_000
"""Replication number of draw 0; runs have at most 100,000 replications."""


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
    sessions : ndarray of int64, shape (num_listeners,)
        Each listener's sessions.
    dwell_s : ndarray of float64, shape (num_started,)
        Seconds of every work that was put on, whether it counts or not.
    totals : dict of str to int
        Sums over the days of the figures that `TALLY` names.
    """

    days: int
    plays: Ints
    works: Ints
    plays_by_work: Ints
    sessions: Ints
    dwell_s: npt.NDArray[np.float64]
    totals: dict[str, int]


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
    num_listeners, archive = scenario.listeners.num_listeners, archive_features(parts.archive)
    # Everybody is noted: sessions and dwell are read from the notes.
    cohort = make_shard(scenario.listeners, keys, 0, num_listeners, archive, scenario.communities, num_listeners)
    executor = LocalExecutor([lambda: cohort])
    catalogue = Catalogue(dim=parts.encoder.dim)
    catalogue.append(parts.archive)
    may_play = np.array(["perform" in community.consent for community in scenario.communities])
    available = may_play[catalogue.community]
    if parts.archive_uses is not None:
        available &= (parts.archive_uses & int(Consent.PERFORM)) != 0
    features, desk, audience = (
        work_features(catalogue, available),
        RecommenderDesk(parts.make_recommender()),
        Audience(),
    )
    plays = np.zeros(catalogue.num_works, dtype=np.int64)
    rhythm, stop = scenario.economy, window.warm_up_days + window.days
    counts, usages = np.zeros(len(TALLY), dtype=np.int64), list[Usage]()
    before: Usage | None = None  # what of the running epoch was listened to before the observed days
    days_before = window.warm_up_days % rhythm.epoch_days
    audience.count(executor)
    for day in range(stop):
        epoch = rhythm.epoch_of(day)
        if day == 0 or rhythm.refreshes(day - 1):
            audience.show()
            desk.refresh(executor, catalogue, available, plays, day, epoch)
        if rhythm.begins_epoch(day):
            executor.call("close_epoch")
        elif day == window.warm_up_days:
            (before,) = executor.call("usage", epoch)
        world = World(day, features, desk.state, desk.visible_plays(catalogue.num_works), audience.subscribed_share)
        (tally,) = executor.call("run_day", world)
        audience.day(tally)
        plays += tally.plays_by_work
        if day >= window.warm_up_days:
            counts += tally.counts
            if rhythm.ends_epoch(day) or day + 1 == stop:
                (usage,) = executor.call("usage", epoch)
                usages.append(usage if before is None else usage_since(usage, before, days_before))
                before = None
    executor.close()
    sessions, plays_noted = cohort.session_rows(), cohort.play_rows()
    plays_counted, works = _by_listener(usages)
    came = sessions["listener"][sessions["day"] >= window.warm_up_days]
    return Listened(
        days=window.days,
        plays=plays_counted,
        works=works,
        plays_by_work=np.sum([usage.plays_by_work() for usage in usages], axis=0),
        sessions=np.bincount(came, minlength=num_listeners).astype(np.int64),
        dwell_s=plays_noted["dwell_s"][plays_noted["day"] >= window.warm_up_days].astype(np.float64),
        totals={name: int(count) for name, count in zip(TALLY, counts, strict=True)},
    )


def _by_listener(epochs: Sequence[Usage]) -> tuple[Ints, Ints]:
    """Return plays that count, and different works among them, of each listener over the epochs."""
    num_listeners, width = epochs[0].listener_ids.size, max(usage.num_works for usage in epochs)
    rows = [np.repeat(np.arange(num_listeners), np.diff(usage.indptr)) for usage in epochs]
    plays = np.zeros(num_listeners, dtype=np.int64)
    for row, usage in zip(rows, epochs, strict=True):
        np.add.at(plays, row, usage.plays)
    pairs = np.unique(np.concatenate([row * width + usage.work_ids for row, usage in zip(rows, epochs, strict=True)]))
    return plays, np.bincount(pairs // width, minlength=num_listeners).astype(np.int64)
