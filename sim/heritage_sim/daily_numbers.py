"""Keyed numbers of all creators, many days at a time.

A day of few creators is too short a row for NumPy: most of a call is its overhead. So a block of days is drawn in one
call. The addresses are the stream's own (agent, day, draw), hence nothing depends on how days are grouped.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Stream, philox4x32

DAYS_AT_A_TIME = 16
MOST_ROWS = 1 << 16
"""Agents times days in a call, so that many agents take no more memory than a block is worth."""
MOST_DRAWS = 4
"""Words in a block of Philox."""


class DailyNumbers:
    """The first numbers of every agent on every day.

    Parameters
    ----------
    stream : Stream
        Whose numbers.
    num_agents : int
        Ids 0 .. num_agents - 1.
    num_draws : int
        Numbers of an agent and day, 1 to `MOST_DRAWS`.
    """

    def __init__(self, stream: Stream, num_agents: int, num_draws: int = 1) -> None:
        self._key = stream.key
        self._num_agents = num_agents
        self._num_draws = num_draws
        self._num_days = max(1, min(DAYS_AT_A_TIME, MOST_ROWS // max(num_agents, 1)))
        self._first_day = -1
        self._held: npt.NDArray[np.uint32] = np.zeros((0, num_draws, num_agents), dtype=np.uint32)

    def words(self, day: int) -> npt.NDArray[np.uint32]:
        """Return the 32-bit words of a day, shape ``(num_draws, num_agents)``."""
        first = day - day % self._num_days
        if first != self._first_day:
            counter = np.zeros((self._num_days, self._num_agents, MOST_DRAWS), dtype=np.uint64)
            counter[:, :, 0] = np.arange(self._num_agents)
            counter[:, :, 2] = np.arange(first, first + self._num_days)[:, None]
            self._held = philox4x32(counter, self._key)[:, :, : self._num_draws].transpose(0, 2, 1).copy()
            self._first_day = first
        return self._held[day - first]

    def uniforms(self, day: int) -> npt.NDArray[np.float64]:
        """Return the uniforms of a day in (0, 1), as `Stream.uniforms` has them, shape ``(num_draws, num_agents)``."""
        return (self.words(day).astype(np.float64) + 0.5) * 2.0**-32

    def integers(self, day: int, high: int) -> npt.NDArray[np.int64]:
        """Return the integers of a day in ``[0, high)``, as `Stream.integer`, shape ``(num_draws, num_agents)``."""
        return ((self.words(day).astype(np.uint64) * np.uint64(high)) >> np.uint64(32)).astype(np.int64)
