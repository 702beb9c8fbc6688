"""Who played what, for a frozen sample of listeners: what factors are learnt from.

A recommender that learns from pairs of listener and work cannot be sent every pair of millions of listeners. It is sent
those of a sample, drawn once by keyed numbers from all listeners; a shard fills in the rows of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heritage_models.recommenders.dealing import by_work
from heritage_sim.base import State, Stream, Sums, Usage

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FORGOTTEN_PLAYS = 0.01
"""A pair that faded below so many plays is dropped."""


class SampledPlays:
    """Plays of each pair of sampled listener and work, halved every ``half_life_days``.

    Parameters
    ----------
    size : int
        Listeners in the sample, or all if there are fewer.
    half_life_days : float
        Half-life [days].
    draw : Stream
        Keyed draw of the sample.
    """

    def __init__(self, size: int, half_life_days: float, draw: Stream) -> None:
        self._size = size
        self._half_life_days = half_life_days
        self._draw = draw
        self._day = 0
        self._sample = np.zeros(0, dtype=np.int64)
        self._pairs = (np.zeros(0), np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))  # as compressed rows

    def statistics(self, usage: Usage) -> Sums:
        """Return a shard's number of listeners, and the plays of those in the sample, shape ``(sample, num_works)``."""
        plays = np.zeros((self._sample.size, usage.num_works), dtype=np.int64)
        ids = usage.listener_ids
        if ids.size and self._sample.size:
            row = np.minimum(np.searchsorted(ids, self._sample), ids.size - 1)
            mine = np.flatnonzero(ids[row] == self._sample)
            begin, stop = usage.indptr[row[mine]], usage.indptr[row[mine] + 1]
            for i, first, last in zip(mine, begin, stop, strict=True):
                plays[i, usage.work_ids[first:last]] += usage.plays[first:last]
        return {"listeners": np.array([ids.size]), "sample_plays": plays}

    def learn(self, statistics: Sums, num_works: int, day: int) -> csr_matrix:
        """Let the plays fade to ``day``, add new ones, and return them, shape ``(sample, num_works)``.

        Parameters
        ----------
        statistics : Sums
            Summed over shards. The first that name listeners fix the sample; its plays come from then on.
        num_works : int
            Works in the catalogue now.
        day : int
            The day the plays stand for from now on.

        Returns
        -------
        csr_matrix of float64, shape (sample, num_works)
        """
        from scipy.sparse import csr_matrix

        if self._sample.size == 0 and "listeners" in statistics:
            num_listeners = int(statistics["listeners"][0])
            order = np.argsort(by_work(self._draw, num_listeners, 0), kind="stable")
            self._sample = np.sort(order[: self._size]).astype(np.int64)
            self._pairs = (*self._pairs[:2], np.zeros(self._sample.size + 1, dtype=np.int64))
        shape = (self._sample.size, num_works)
        faded = csr_matrix(self._pairs, shape=shape) * 0.5 ** ((day - self._day) / self._half_life_days)
        new = statistics.get("sample_plays")
        if new is not None and new.shape[0] == shape[0]:
            fresh = csr_matrix(new.astype(np.float64))
            fresh.resize(shape)
            faded = faded + fresh
        faded.data[faded.data < FORGOTTEN_PLAYS] = 0.0
        faded.eliminate_zeros()
        faded.sort_indices()
        self._pairs, self._day = (faded.data, faded.indices, faded.indptr), day
        return faded

    def snapshot(self) -> State:
        """Return sample, plays and the day they stand for."""
        plays, work_ids, indptr = (part.copy() for part in self._pairs)
        return {"day": self._day, "sample": self._sample, "plays": plays, "work_ids": work_ids, "indptr": indptr}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._day = int(state["day"])
        self._sample = _copied(state["sample"])
        self._pairs = (_copied(state["plays"]), _copied(state["work_ids"]), _copied(state["indptr"]))


def _copied(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.array(values)
