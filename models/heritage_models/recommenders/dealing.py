"""Deal works to many listeners at once, without repeats and without a loop.

Works lie in *packs*, each in a circular order drawn anew every day. A listener takes consecutive works of a pack from a
keyed place on. Since the order is a keyed shuffle and the place a keyed draw, every set of works is equally likely for
a listener, and no listener's hand depends on who else is in the call. (Two who begin near each other share works that
day.) A sort of all works a day and one gather a call is all it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Stream

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Packs:
    """Works by pack, in circular order.

    Parameters
    ----------
    order : ndarray of int32, shape (num_dealt,)
        Work ids, pack after pack.
    start, size : ndarray of int64, shape (num_packs,)
        Where each pack begins, and how many works it holds.
    """

    order: Int32
    start: Int64
    size: Int64

    def deal(self, pack: Int64, place: npt.NDArray[np.float64], num: int) -> Int32:
        """Return ``num`` distinct works of a pack for each listener, -1 where the pack has no more.

        Parameters
        ----------
        pack : ndarray of int64, shape (num_listeners,)
            Pack of each listener.
        place : ndarray of float64, shape (num_listeners,)
            Keyed uniforms: where in the circle each begins.
        num : int
            Works wanted.

        Returns
        -------
        ndarray of int32, shape (num_listeners, num)
        """
        size = self.size[pack]
        begin = (place * size).astype(np.int64)
        take = np.arange(num)
        at = begin[:, None] + take
        np.subtract(at, size[:, None], out=at, where=at >= size[:, None])
        at += self.start[pack][:, None]
        if num <= int(size.min(initial=num)):
            return self.order[at]
        held = take < size[:, None]
        return np.where(held, self.order[np.where(held, at, 0)] if self.order.size else -1, -1).astype(np.int32)


def shuffled(stream: Stream, work_ids: Int32, pack_of: Int64, num_packs: int, day: int) -> Packs:
    """Return the packs of a day.

    Parameters
    ----------
    stream : Stream
        Keyed by the recommender's decision to shuffle.
    work_ids : ndarray of int32, shape (num_dealt,)
        Works to be dealt, ascending.
    pack_of : ndarray of int64, shape (num_dealt,)
        Pack of each work.
    num_packs : int
        Number of packs.
    day : int
        The day.

    Returns
    -------
    Packs
    """
    u = by_work(stream, int(work_ids[-1]) + 1 if work_ids.size else 0, day)[work_ids]
    order = work_ids[np.argsort(pack_of + u, kind="stable")]
    size = np.bincount(pack_of, minlength=num_packs)
    return Packs(order, np.cumsum(size) - size, size)


def by_work(stream: Stream, num_works: int, day: int) -> npt.NDArray[np.float64]:
    """Return one uniform for each work on a day, shape ``(num_works,)``: draw ``w % 4`` of id ``w // 4``."""
    return stream.uniforms(np.arange((num_works + 3) // 4), day, 4).reshape(-1)[:num_works]


def fill(candidates: Int32, reserve: Int32) -> Int32:
    """Return candidates with their -1 replaced by works of a reserve that shares none with them, in its order.

    Parameters
    ----------
    candidates : ndarray of int32, shape (num_listeners, num_candidates)
        With -1 for none.
    reserve : ndarray of int32, shape (num_listeners, num_reserve)
        Works not among the candidates, -1 for none.

    Returns
    -------
    ndarray of int32, shape (num_listeners, num_candidates)
    """
    missing = candidates < 0
    if reserve.shape[1] == 0 or not missing.any():
        return candidates
    rows = np.flatnonzero(missing.any(axis=1))
    nth = np.cumsum(missing[rows], axis=1) - 1
    inside = missing[rows] & (nth < reserve.shape[1])
    filled = candidates.copy()
    picked = np.take_along_axis(reserve[rows], np.clip(nth, 0, reserve.shape[1] - 1), axis=1)
    filled[rows] = np.where(inside, picked, filled[rows])
    return filled
