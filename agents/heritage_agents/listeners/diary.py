"""What a shard writes down: the epoch's counted plays, from which royalties run, and the sample's rows of all days."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.sheets import PLAY_ROW, SESSION_ROW, Books, Offers
from heritage_agents.listeners.resharding import LOG, NOTED
from heritage_sim.base import State, Usage

Int64 = npt.NDArray[np.int64]
Columns = tuple[npt.NDArray[Any], ...]


class Diary:
    """The log of counted plays since the last `close_epoch`, and the noted sessions and plays since day 0.

    Parameters
    ----------
    ids : ndarray of int64, shape (num_listeners,)
        Listener ids of the shard, consecutive.
    sampled : ndarray of bool, shape (num_listeners,)
        Whose sessions and plays are noted.
    """

    def __init__(self, ids: Int64, sampled: npt.NDArray[np.bool_]) -> None:
        self._ids, self._sampled = ids, sampled
        self._days: list[int] = []
        self._log: list[Columns] = []
        self._noted: list[Columns] = []

    def open_books(
        self, counts: Int64, plays_by_work: Int64, exposures_by_work: Int64, offers: Offers, slates: int
    ) -> Books:
        """Return books with room for all that the sessions on offer can become, of so many ``slates`` at most each."""
        noted = int(offers.num_sessions[self._sampled[offers.rows]].sum())
        room = int(offers.num_sessions.sum()) * slates
        log_rows, log_works, log_seconds = (np.empty(room, dtype=np.int32) for _ in range(3))
        return Books(
            counts=counts,
            plays_by_work=plays_by_work,
            exposures_by_work=exposures_by_work,
            log_rows=log_rows,
            log_works=log_works,
            log_seconds=log_seconds,
            sessions=np.zeros(noted, dtype=SESSION_ROW),
            plays=np.zeros(noted * slates, dtype=PLAY_ROW),
        )

    def begin_day(self, day: int) -> None:
        """Begin a day; what is kept from now on is its."""
        self._days.append(day)

    def keep(self, books: Books, written: tuple[int, int, int]) -> npt.NDArray[Any]:
        """Take down what the kernel wrote, and return the noted plays, whose scores may still be filled in."""
        logged, num_sessions, num_plays = written
        self._log.append(
            (
                np.full(logged, len(self._days) - 1, dtype=np.int32),
                self._ids[books.log_rows[:logged]],
                books.log_works[:logged].copy(),
                books.log_seconds[:logged].copy(),
            )
        )
        self._noted.append((books.sessions[:num_sessions].copy(), books.plays[:num_plays].copy()))
        return self._noted[-1][1]

    def usage(self, epoch: int, num_works: int, fee_units: Int64) -> Usage:
        """Return the plays that count since the last `close_epoch`.

        Parameters
        ----------
        epoch : int
            Number of the epoch.
        num_works : int
            Works known on the last day.
        fee_units : ndarray of int64, shape (num_listeners,)
            What each listener's fee adds to the pool.

        Returns
        -------
        Usage
        """
        day, listener, work, seconds = self._joined_log()
        pairs, which = np.unique((listener - self._ids[0]) * num_works + work, return_inverse=True)
        num_days = max(1, len(self._days))
        by_day = np.bincount(day.astype(np.int64) * num_works + work, minlength=num_days * num_works)
        return Usage(
            epoch=epoch,
            num_works=num_works,
            listener_ids=self._ids.copy(),
            fee_units=fee_units,
            indptr=np.searchsorted(pairs // num_works, np.arange(self._ids.size + 1)).astype(np.int64),
            work_ids=(pairs % num_works).astype(np.int32),
            plays=np.bincount(which, minlength=pairs.size).astype(np.int64),
            # weights are float64, exact for whole seconds below 2^53
            seconds=np.bincount(which, weights=seconds, minlength=pairs.size).astype(np.int64),
            plays_by_day=by_day.astype(np.int64).reshape(num_days, num_works),
        )

    def close_epoch(self) -> None:
        """Forget the epoch's plays; what is noted of the sample stays."""
        self._days, self._log = [], []

    def noted(self) -> Columns:
        """Return the rows of the sample's sessions and of its plays."""
        empty = tuple(np.zeros(0, dtype=kind) for kind in (SESSION_ROW, PLAY_ROW))
        return tuple(np.concatenate(parts) for parts in zip(empty, *self._noted, strict=True))

    def snapshot(self) -> State:
        """Return all that is written down."""
        state: State = {"days": list(self._days)} | dict(zip(LOG, self._joined_log(), strict=True))
        return state | dict(zip(NOTED, self.noted(), strict=True))

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._days = [int(day) for day in state["days"]]
        self._log = [tuple(np.array(state[name]) for name in LOG)]
        self._noted = [tuple(np.array(state[name]) for name in NOTED)]

    def _joined_log(self) -> Columns:
        empty = tuple(np.zeros(0, dtype=kind) for kind in (np.int32, np.int64, np.int32, np.int32))
        return tuple(np.concatenate(parts) for parts in zip(empty, *self._log, strict=True))
