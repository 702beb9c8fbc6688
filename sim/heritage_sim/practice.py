"""How the practice fared: bearers after every settled epoch, and what became of them over the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Outcome, State

Float64 = npt.NDArray[np.float64]
NAN = float("nan")


@dataclass(slots=True, eq=False)
class Practice:
    """Practising bearers at the start and after each settled epoch.

    Parameters
    ----------
    bearers : list of ndarray of float64, each of shape (num_communities,)
        Empty where none are modelled.
    """

    bearers: list[Float64] = field(default_factory=list[Float64])

    def settled(self, bearers: Float64 | None) -> None:
        """Take down the bearers as they are now, if any are modelled."""
        if bearers is not None:
            self.bearers.append(bearers.copy())

    def snapshot(self) -> State:
        """Return all rows."""
        return {"bearers": [row.copy() for row in self.bearers]}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.bearers = [np.array(row, dtype=np.float64) for row in state["bearers"]]


def practice_outcomes(bearers: Sequence[Float64], num_communities: int) -> Iterator[Outcome]:
    """Yield the bearers at the end, and their change over the run; NaN where none are modelled.

    Parameters
    ----------
    bearers : sequence of ndarray of float64, each of shape (num_communities,)
        At the start and after each settled epoch.
    num_communities : int
        Number of communities.

    Yields
    ------
    Outcome
        Of each community, and of all together. Beside the change of the whole stands the worst community's: bearers of
        one tradition do not make up for those of another.
    """
    unknown = np.full(num_communities, NAN)
    first, last = (bearers[0], bearers[-1]) if bearers else (unknown, unknown)
    n = len(bearers) - 1 if bearers else 0
    change = 100.0 * (last - first) / first
    for i in range(num_communities):
        yield Outcome(f"bearers_community_{i}", float(last[i]), "persons", n)
    for i in range(num_communities):
        yield Outcome(f"bearers_change_community_{i}", float(change[i]), "%", n)
    total = float(100.0 * (last.sum() - first.sum()) / first.sum()) if num_communities else NAN
    yield Outcome("bearers_total_change", total, "%", n)
    yield Outcome("bearers_worst_change", float(change.min()) if num_communities else NAN, "%", n)
