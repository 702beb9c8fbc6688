"""Step 6: the recommender learns from usage on its own period, and its new state is broadcast.

A recommender's state is whatever its kind needs, so it cannot be put down as plain arrays. What can be is what it was
made from: the recommender before the refresh, the statistics, and which works it saw. A snapshot holds these, and
restoring makes the same refresh again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Catalogue, Executor, Recommender, State, Sums
from heritage_sim.day.listening import work_features
from heritage_sim.sharding import add_sums


class RecommenderDesk:
    """A recommender with the state it last sent out.

    Parameters
    ----------
    recommender : Recommender
        Fresh.
    """

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender
        self.state: Any = None
        self._visible_plays = np.zeros(0, dtype=np.int64)
        self._last: State = {}

    def visible_plays(self, num_works: int) -> npt.NDArray[np.int64]:
        """Return play counts as listeners are shown them: frozen at the last refresh, 0 for works that are newer."""
        shown = np.zeros(num_works, dtype=np.int64)
        shown[: self._visible_plays.size] = self._visible_plays
        return shown

    def refresh(
        self,
        executor: Executor,
        catalogue: Catalogue,
        available: npt.NDArray[np.bool_],
        plays: npt.NDArray[np.int64],
        day: int,
        epoch: int,
    ) -> None:
        """Learn from what was listened to since the last refresh.

        Parameters
        ----------
        executor : Executor
            Where the usage is.
        catalogue : Catalogue
            All works.
        available : ndarray of bool, shape (num_works,)
            Which of them may be played.
        plays : ndarray of int64, shape (num_works,)
            Plays so far, to be shown from now on.
        day : int
            Day from which the new state is in use.
        epoch : int
            Epoch whose usage is running.
        """
        statistics = add_sums(executor.call("recommender_statistics", self.recommender, epoch))
        self._visible_plays = plays.copy()
        self._learn(self.recommender.snapshot(), statistics, catalogue, available, day)

    def _learn(
        self, before: State, statistics: Sums, catalogue: Catalogue, available: npt.NDArray[np.bool_], day: int
    ) -> None:
        self._last = {"before": before, "statistics": statistics, "available": available, "day": day}
        self.state = self.recommender.refresh(statistics, work_features(catalogue, available), day)

    def snapshot(self) -> State:
        """Return what the last refresh was made from, and the plays shown."""
        return {"last": dict(self._last), "visible_plays": self._visible_plays.copy()}

    def restore(self, state: State, catalogue: Catalogue) -> None:
        """Make the last refresh again, on the same works."""
        last = state["last"]
        self._visible_plays = np.array(state["visible_plays"], dtype=np.int64)
        self.recommender.restore(last["before"])
        self._learn(last["before"], last["statistics"], catalogue, last["available"], int(last["day"]))
