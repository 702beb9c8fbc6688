"""The evaluation of one run: frozen on the split day, told at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY, Executor, Outcome, State, World
from heritage_sim.evaluation.abandonment import RELIABILITY, abandonment_measures, session_design
from heritage_sim.evaluation.config import EvaluationConfig
from heritage_sim.evaluation.rankings import NUM_RANKS, Split, ranking_measures
from heritage_sim.metrics import Measure, listener_surplus

Column = npt.NDArray[Any]
Columns = dict[str, Column]
Int64 = npt.NDArray[np.int64]

SESSION_COLUMNS = (
    *("listener", "day", "session", "start_s", "device", "familiarity", "home"),
    *("prior_sessions", "prior_mean_s", "slates", "plays", "seconds", "abandoned"),
)
_PLAY_COLUMNS = ("listener", "day", "work", "score", "dwell_s", "duration_s", "first_time")
_NOT_IN_EVERY_RUN = ("abandonment_hr_device_", RELIABILITY)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What the evaluation of a run tells.

    Parameters
    ----------
    measures : dict of str to Measure
        By outcome name; beside them hazard ratios of devices, and groups of the reliability curve.
    sessions : dict of str to ndarray
        The sample's sessions as columns, `SESSION_COLUMNS`.
    """

    measures: dict[str, Measure]
    sessions: Columns

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the figures that every run has, whatever its devices are and however many sessions it has."""
        for name, m in self.measures.items():
            if not name.startswith(_NOT_IN_EVERY_RUN):
                yield Outcome(name, m.value, m.unit, m.n)

    def table(self) -> Columns:
        """Return one row for each figure: value, unit, unit of analysis, n, interval, baseline."""
        rows = list(self.measures.values())

        return {
            "name": np.array(list(self.measures), dtype=np.str_),
            **{name: np.array([getattr(m, name) for m in rows]) for name in Measure.__slots__},
        }


class Evaluation:
    """Freezes rankings on the split day, and holds them against the rest of the run.

    Parameters
    ----------
    config : EvaluationConfig
        When, and what is asked.
    days : int
        Days of the run.
    num_communities : int
        Communities.
    """

    def __init__(self, config: EvaluationConfig, days: int, num_communities: int) -> None:
        self._config, self._num_communities = config, num_communities
        self.split_day = config.split_day(days)
        self._split: Split | None = None

    def freeze(self, executor: Executor, world: World, streams: Int64) -> None:
        """Freeze the rankings of the sample; all earlier days must have been lived.

        Parameters
        ----------
        executor : Executor
            Where the listeners are.
        world : World
            What they meet on the split day.
        streams : ndarray of int64, shape (num_works,)
            Plays so far.
        """
        parts: list[Columns] = [part for part in executor.call("ranking", world, NUM_RANKS) if part]
        if not parts:
            return
        works = world.works
        self._split = Split(
            day=int(world.day),
            listener=np.concatenate([part["listener"] for part in parts]).astype(np.int64),
            ranked=np.concatenate([part["works"] for part in parts]).astype(np.int32),
            available=works.available.copy(),
            streams=streams.copy(),
            community=works.community.astype(np.int32),
            born=works.day.astype(np.int32),
        )

    def findings(self, executor: Executor, counts: Int64) -> Findings:
        """Return what the run tells so far; figures that need the split are NaN before it.

        Parameters
        ----------
        executor : Executor
            Where the listeners are.
        counts : ndarray of int64, shape (>= len(TALLY),)
            Sums of the days' tallies first.

        Returns
        -------
        Findings
        """
        noted: list[tuple[Columns, Columns]] = executor.call("noted")
        sessions = joined([own for own, _ in noted], SESSION_COLUMNS)
        plays = joined([own for _, own in noted], _PLAY_COLUMNS)
        split = self._split or _nobody(self.split_day)
        measures = ranking_measures(split, plays, self._num_communities, self._config.cold_days)
        measures["listener_surplus_mean"] = listener_surplus(counts)
        design = session_design(sessions)
        measures |= abandonment_measures(design, self.split_day, float(self._config.horizon_s))
        return Findings(measures, sessions)

    def snapshot(self) -> State:
        """Return what was frozen."""
        return {"split": None if self._split is None else self._split.snapshot()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._split = None if state["split"] is None else Split.restore(state["split"])


def joined(parts: Sequence[Mapping[str, Column]], names: Sequence[str]) -> Columns:
    """Return the shards' columns one after the other: in the order of listeners, as shards are ranges of them."""
    kept = [part for part in parts if part]
    return {name: np.concatenate([part[name] for part in kept] or [np.zeros(0)]) for name in names}


def evaluation_names(num_communities: int) -> tuple[str, ...]:
    """Return the names of all outcomes of an evaluation, in the order they are told in."""
    nothing = np.zeros(0)
    plays = dict.fromkeys(_PLAY_COLUMNS, nothing) | {"first_time": np.zeros(0, dtype=np.bool_)}
    measures = ranking_measures(_nobody(1), plays, num_communities, 1)
    measures["listener_surplus_mean"] = listener_surplus(np.zeros(len(TALLY), dtype=np.int64))
    design = session_design(dict.fromkeys(SESSION_COLUMNS, nothing))
    measures |= abandonment_measures(design, 1, 1.0)
    return tuple(outcome.name for outcome in Findings(measures, {}).outcomes())


def _nobody(day: int) -> Split:
    none = np.zeros(0, dtype=np.int64)
    small = np.zeros(0, dtype=np.int32)
    return Split(day, none, np.zeros((0, NUM_RANKS), np.int32), np.zeros(0, np.bool_), none, small, small)
