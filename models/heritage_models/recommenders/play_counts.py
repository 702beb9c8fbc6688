"""Play counts that fade: what all recommenders here learn from usage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import State, Sums, Usage


class PlayCounts:
    """Plays of each work, halved every ``half_life_days``.

    Parameters
    ----------
    half_life_days : float
        Half-life [days].
    """

    def __init__(self, half_life_days: float) -> None:
        self._half_life_days = half_life_days
        self._day = 0
        self._counts = np.zeros(0)

    @staticmethod
    def statistics(usage: Usage) -> Sums:
        """Return plays by work of a shard, shape ``(num_works,)``."""
        return {"plays": usage.plays_by_work()}

    def learn(self, statistics: Sums, num_works: int, day: int) -> npt.NDArray[np.float64]:
        """Let the counts fade to ``day``, add new plays, and return them, shape ``(num_works,)``."""
        faded = self._counts * 0.5 ** ((day - self._day) / self._half_life_days)
        counts = np.zeros(num_works)
        counts[: faded.size] = faded[:num_works]
        plays = statistics.get("plays")
        if plays is not None:
            counts[: plays.size] += plays[:num_works]
        self._counts, self._day = counts, day
        return counts

    def snapshot(self) -> State:
        """Return the counts and the day they stand for."""
        return {"counts": self._counts.copy(), "day": self._day}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._counts = np.array(state["counts"], dtype=np.float64)
        self._day = int(state["day"])
