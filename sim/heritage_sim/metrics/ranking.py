"""How well a ranking of the whole catalogue foretells what is listened to later.

Relevant to a listener are the works it later listened to for 30 s or more. With ``rel_r`` whether the work at rank r is
relevant and m relevant works in all,

    DCG@K = sum_{r <= K} rel_r / log2(1 + r),      NDCG@K = DCG@K / sum_{r <= min(K, m)} 1 / log2(1 + r),
    recall@K = sum_{r <= K} rel_r / m,             MRR = mean of 1 / (rank of the first relevant work).

The ideal is made of *all* relevant works, not of those shown: taking it from the shown list, as common libraries do,
rewards a list for what it left out. No negatives are sampled. A listener without relevant works has no NDCG: it is left
out and counted. Unit of analysis: the listener.

The cold slice asks the same of works that came out after the training period: ranks are those of the full list,
relevant are cold works only, so that it says how well new works are found among all.

References
----------
Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.measure import NAN, Measure, mean_measure

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_TABLE_CELLS = 1 << 22
"""Marks of relevance held at once: blocks of listeners by works, never listeners by works."""


@dataclass(frozen=True, slots=True, eq=False)
class Relevant:
    """Which works are relevant to which listener, as compressed sparse rows; each pair once.

    Parameters
    ----------
    indptr : ndarray of int64, shape (num_listeners + 1,)
        Where each listener's works begin.
    works : ndarray of int64, shape (num_pairs,)
        Theirs, rising.
    """

    indptr: Int64
    works: Int64

    @property
    def num_relevant(self) -> Int64:
        """Return the number of relevant works of each listener, shape ``(num_listeners,)``."""
        return np.diff(self.indptr)

    def only(self, allowed: npt.NDArray[np.bool_]) -> Relevant:
        """Return the pairs whose work is allowed, given a mask over works, shape ``(num_works,)``."""
        kept = allowed[self.works]
        before = np.concatenate([[0], np.cumsum(kept)])
        return Relevant(before[self.indptr].astype(np.int64), self.works[kept])


def relevant_pairs(listener: npt.ArrayLike, work: npt.ArrayLike, num_listeners: int) -> Relevant:
    """Return the distinct pairs of rows such as plays.

    Parameters
    ----------
    listener : array_like of int, shape (num_rows,)
        Row of the listener in the ranking, in ``0 ... num_listeners - 1``.
    work : array_like of int, shape (num_rows,)
        Work listened to.
    num_listeners : int
        Listeners ranked for.

    Returns
    -------
    Relevant
    """
    who, what = np.asarray(listener, dtype=np.int64), np.asarray(work, dtype=np.int64)
    width = int(what.max(initial=0)) + 1
    pair = np.unique(who * width + what)
    indptr = np.searchsorted(pair, np.arange(num_listeners + 1, dtype=np.int64) * width)
    return Relevant(indptr.astype(np.int64), pair % width)


def hits(ranked: npt.NDArray[np.integer], relevant: Relevant, num_works: int) -> npt.NDArray[np.bool_]:
    """Return whether each ranked work is relevant, shape ``(num_listeners, num_ranks)``.

    Parameters
    ----------
    ranked : ndarray of int, shape (num_listeners, num_ranks)
        Distinct works, best first; -1 where a list ends early.
    relevant : Relevant
        Of the same listeners.
    num_works : int
        Works in the catalogue.

    Returns
    -------
    ndarray of bool, shape (num_listeners, num_ranks)
    """
    n = ranked.shape[0]
    found = np.zeros(ranked.shape, dtype=np.bool_)
    block = max(1, _TABLE_CELLS // (num_works + 1))
    # One column more than works: -1 falls there, and it is never marked.
    marks = np.zeros((min(block, n), num_works + 1), dtype=np.bool_)
    for first in range(0, n, block):
        stop = min(first + block, n)
        start, end = relevant.indptr[first], relevant.indptr[stop]
        row = np.repeat(np.arange(stop - first), relevant.num_relevant[first:stop])
        marks[row, relevant.works[start:end]] = True
        found[first:stop] = np.take_along_axis(marks[: stop - first], ranked[first:stop] % (num_works + 1), axis=1)
        marks[row, relevant.works[start:end]] = False
    return found


def discounts(num_ranks: int) -> Floats:
    """Return ``1 / log2(1 + r)`` for ranks 1 ... num_ranks, shape ``(num_ranks,)``."""
    return 1.0 / np.log2(np.arange(2, num_ranks + 2, dtype=np.float64))


def ndcg(hit: npt.NDArray[np.bool_], num_relevant: Int64, k: int) -> Floats:
    """Return NDCG@K of each listener, shape ``(num_listeners,)``; NaN where nothing is relevant.

    Parameters
    ----------
    hit : ndarray of bool, shape (num_listeners, num_ranks)
        From `hits`; shorter lists than K found nothing beyond their end.
    num_relevant : ndarray of int64, shape (num_listeners,)
        All relevant works of each listener.
    k : int
        Cut-off.

    Returns
    -------
    ndarray of float64, shape (num_listeners,)
    """
    discount = discounts(k)
    # A sum along each row, not a product of matrices, is independent of who else is in the call (law 3).
    gain = (hit[:, :k] * discount[: hit.shape[1]]).sum(axis=1)
    ideal = np.concatenate([[NAN], np.cumsum(discount)])[np.minimum(num_relevant, k)]
    return gain / ideal


def recall(hit: npt.NDArray[np.bool_], num_relevant: Int64, k: int) -> Floats:
    """Return recall@K of each listener, shape ``(num_listeners,)``; NaN where nothing is relevant."""
    return np.count_nonzero(hit[:, :k], axis=1) / np.where(num_relevant > 0, num_relevant.astype(np.float64), NAN)


def reciprocal_rank(hit: npt.NDArray[np.bool_], num_relevant: Int64) -> Floats:
    """Return 1 / rank of the first relevant work, 0 where none is in the list; NaN where nothing is relevant."""
    first = hit.argmax(axis=1) if hit.shape[1] else np.zeros(hit.shape[0])
    value = np.where(hit.any(axis=1), 1.0 / (1.0 + first), 0.0)
    return np.where(num_relevant > 0, value, NAN)


@dataclass(frozen=True, slots=True)
class RankingQuality:
    """The figures of one ranking.

    Parameters
    ----------
    ndcg, recall : dict of int to Measure
        By cut-off.
    mrr : Measure
        Mean reciprocal rank within the list.
    """

    ndcg: dict[int, Measure]
    recall: dict[int, Measure]
    mrr: Measure


def ranking_quality(
    ranked: npt.NDArray[np.integer],
    relevant: Relevant,
    num_works: int,
    cutoffs: Sequence[int] = (20, 100),
    yardstick: npt.NDArray[np.integer] | None = None,
    against: str = "the works most played in training, the same list for everybody",
) -> RankingQuality:
    """Return the figures of a ranking, beside those of a yardstick's.

    Parameters
    ----------
    ranked : ndarray of int, shape (num_listeners, num_ranks)
        Distinct works, best first; -1 where a list ends early.
    relevant : Relevant
        Of the same listeners; `Relevant.only` makes the cold slice.
    num_works : int
        Works in the catalogue.
    cutoffs : sequence of int
        Each K.
    yardstick : ndarray of int, shape (num_listeners, num_ranks), optional
        Another ranking of the same listeners.
    against : str
        What that is.

    Returns
    -------
    RankingQuality
    """
    m = relevant.num_relevant
    hit = hits(ranked, relevant, num_works)
    other = None if yardstick is None else hits(yardstick, relevant, num_works)

    def measured(values: Floats, yardstick_values: Floats | None) -> Measure:
        known = yardstick_values is not None and bool((m > 0).any())
        baseline = float(np.nanmean(yardstick_values)) if known and yardstick_values is not None else NAN
        return mean_measure(values, "1", "listener", baseline, against if known else "")

    return RankingQuality(
        {k: measured(ndcg(hit, m, k), None if other is None else ndcg(other, m, k)) for k in cutoffs},
        {k: measured(recall(hit, m, k), None if other is None else recall(other, m, k)) for k in cutoffs},
        measured(reciprocal_rank(hit, m), None if other is None else reciprocal_rank(other, m)),
    )
