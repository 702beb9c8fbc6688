"""The answers of a run's sweeps: the difference at every value, and the point at which its sign turns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heritage_experiments.scenario import Comparison
from heritage_experiments.statistics import SignFlip, sign_flip

OutcomeOf = Callable[[str, str], pd.Series]
"""A cell's values of an outcome, by replication."""


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """What a sweep came to.

    Parameters
    ----------
    comparison : Comparison
        With its sweep.
    key : str
        The key that was swept.
    flip : SignFlip
        The differences, and where they turn.
    num_planned : int
        Values that the scenario asks for; the flip has fewer where a cell has no results yet.
    """

    comparison: Comparison
    key: str
    flip: SignFlip
    num_planned: int

    def as_outcome(self) -> dict[str, Any]:
        """Return the point as an outcome: name, value, n, interval; an end that is open is written as a text."""
        flip = self.flip
        leaf = self.key.rpartition(".")[2]
        return {
            "name": f"sign_flip_{self.comparison.name}_{leaf}",
            "outcome": self.comparison.outcome,
            "key": self.key,
            "says": str(flip.crossing),
            "points": list(flip.points),
            "low": _written(flip.low),
            "high": _written(flip.high),
            "support": _written(flip.support),
            "shown": flip.shown,
            "n": flip.n,
            "differences": [
                {"value": x, "mean": _written(d.mean), "low": _written(d.low), "high": _written(d.high), "n": d.n}
                for x, d in zip(flip.values, flip.at_values, strict=True)
            ],
        }


def _written(value: float) -> float | str | None:
    """Return a figure as JSON can hold it: an open end of an interval as text, nothing where it is not defined."""
    return value if math.isfinite(value) else None if math.isnan(value) else str(value)


def sweep_answers(comparisons: tuple[Comparison, ...], values: OutcomeOf) -> list[SweepAnswer]:
    """Return the answers of all comparisons that are swept and have results at two values or more.

    Parameters
    ----------
    comparisons : tuple of Comparison
        The scenario's.
    values : callable
        ``values(cell, outcome)`` by replication; empty where the cell has no results.

    Returns
    -------
    list of SweepAnswer
    """
    found = []
    for comparison in comparisons:
        sweep = comparison.sweep
        if sweep is None:
            continue
        sides: dict[float, tuple[pd.Series, pd.Series]] = {}
        for value in sweep.values:
            names = (sweep.cell_name(side, value) for side in (comparison.treatment, comparison.control))
            treatment, control = (values(name, comparison.outcome) for name in names)
            if len(treatment) and len(control):
                sides[float(value)] = (treatment, control)
        if len(sides) > 1:
            aligned = _aligned([series for pair in sides.values() for series in pair])
            flip = sign_flip(list(sides), aligned[0::2], aligned[1::2])
            found.append(SweepAnswer(comparison, sweep.key, flip, len(sweep.values)))
    return found


def _aligned(series: list[pd.Series]) -> npt.NDArray[np.float64]:
    """Return the series as rows over the replications that any of them has; NaN where one lacks it."""
    return pd.concat(series, axis=1).sort_index().to_numpy(np.float64).T
