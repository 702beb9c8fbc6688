"""Offer works like those a listener has played, a few popular ones, and some at random.

Works are clustered by their vectors. A listener's candidates come from three parts that share no work:

* the most played works, the same for everybody;
* works of the clusters nearest to the listener's history;
* exploration: a quarter of the other works, drawn anew every day, is set aside for it; the clusters offer the rest.

A listener without history gets keyed clusters instead of near ones. New works enter with the next refresh: they need no
plays, only their notes.

Distances are computed on vectors rounded to multiples of 1/4096, as whole numbers held in float64: every sum is exact,
so the nearest clusters do not depend on the number of rows in a call, nor on threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders.dealing import by_work, fill, shuffled
from heritage_models.recommenders.play_counts import PlayCounts
from heritage_models.recommenders.popularity import most_played
from heritage_sim.base import HistoryVectors, Keys, State, Stream, Sums, Usage, WorkFeatures

EXPLORE_SHARE = 0.25
"""Share of works set aside each day for exploration."""
NUM_ROUNDS = 6
"""Rounds of k-means at a refresh; it goes on from the last refresh's centres."""

_GRID = 4096.0
_FEW = 4
# Columns up to which picking them one after the other is quicker than sorting.

Grid = npt.NDArray[np.float64]


def on_grid(vectors: npt.NDArray[np.floating]) -> Grid:
    """Return vectors as whole multiples of 1/4096, held in float64."""
    return np.rint(np.asarray(vectors, dtype=np.float64) * _GRID)


@dataclass(frozen=True, slots=True, eq=False)
class ContentState:
    """What is broadcast; see `heritage_sim.base.RecommenderState`.

    Parameters
    ----------
    centres : ndarray of float64, shape (num_clusters, dim)
        Cluster centres on the grid.
    work_ids : ndarray of int32, shape (num_dealt,)
        Available works that are not among the popular ones, ascending.
    cluster : ndarray of int64, shape (num_dealt,)
        Their clusters.
    popular : ndarray of int32, shape (num_popular,)
        Most played works.
    takes : tuple of int
        Works to take from the nearest cluster, the second nearest, and so on.
    num_candidates : int
        Works to offer.
    bias : ndarray of float32, shape (num_works,)
        Additive score of each work.
    affinity : float
        Weight of the match.
    shuffle, aside, place : Stream
        Keyed draws: order of works, works set aside for exploration, listeners' places.
    """

    centres: Grid
    work_ids: npt.NDArray[np.int32]
    cluster: npt.NDArray[np.int64]
    popular: npt.NDArray[np.int32]
    takes: tuple[int, ...]
    num_candidates: int
    bias: npt.NDArray[np.float32]
    affinity: float
    shuffle: Stream
    aside: Stream
    place: Stream

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return distinct available works for each listener, shape ``(num_listeners, num_candidates)``, -1 for none."""
        num_clusters = self.centres.shape[0]
        top = int(self.work_ids[-1]) + 1 if self.work_ids.size else 0
        explored = by_work(self.aside, top, day)[self.work_ids] < EXPLORE_SHARE
        packs = shuffled(
            self.shuffle, self.work_ids, np.where(explored, num_clusters, self.cluster), num_clusters + 1, day
        )
        place = self.place.uniforms(listener_ids, day, len(self.takes) + 2)
        near = self._nearest(np.asarray(history), place[:, -1])
        offered = np.full((listener_ids.size, self.num_candidates), -1, dtype=np.int32)
        at = self.popular.size
        offered[:, :at] = self.popular
        for i, num in enumerate(self.takes):
            offered[:, at : at + num] = packs.deal(near[:, i], place[:, i], num)
            at += num
        exploring = np.full(listener_ids.size, num_clusters, dtype=np.int64)
        left = self.num_candidates - at
        reserve = packs.deal(exploring, place[:, len(self.takes)], self.num_candidates)
        offered[:, at:] = reserve[:, :left]
        return fill(offered, reserve[:, left:])

    def _nearest(self, history: npt.NDArray[np.float32], cold: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return each listener's nearest clusters, nearest first, shape ``(num_listeners, len(takes))``."""
        h = on_grid(history)
        score = h @ self.centres.T
        nearest = largest(score, len(self.takes))
        unknown = ~h.any(axis=1)
        if unknown.any():
            num_clusters = self.centres.shape[0]
            first = (cold[unknown] * num_clusters).astype(np.int64)
            nearest[unknown] = (first[:, None] + np.arange(len(self.takes))) % num_clusters
        return nearest


class ContentRecommender:
    """Learns play counts and clusters of work vectors.

    Parameters
    ----------
    config : RecommenderConfig
        All fields are used.
    keys : Keys
        Streams of the replication.
    """

    def __init__(self, config: RecommenderConfig, keys: Keys) -> None:
        self._config = config
        self._counts = PlayCounts(config.half_life_days)
        self._centres: Grid = np.zeros((0, 0))
        decisions = ("shuffle", "aside", "place", "ties", "centres")
        self._streams = {name: keys.stream("recommender", name) for name in decisions}

    def statistics(self, usage: Usage) -> Sums:
        """Return plays by work of a shard."""
        return self._counts.statistics(usage)

    def refresh(self, statistics: Sums, works: WorkFeatures, day: int) -> ContentState:
        """Return the state after new plays and new works."""
        c = self._config
        n = works.num_works
        counts = self._counts.learn(statistics, n, day)
        num_available = int(works.available.sum())
        few = num_available <= c.num_candidates  # then everybody is offered everything
        num_popular = num_available if few else round(c.popular_share * c.num_candidates)
        popular = most_played(counts, by_work(self._streams["ties"], n, 0), works.available, num_popular)
        vectors = on_grid(works.vectors)
        if self._centres.size == 0 and n:
            first = np.argsort(by_work(self._streams["centres"], n, 0), kind="stable")
            self._centres = vectors[np.sort(first[: min(c.num_clusters, max(1, n // c.num_candidates))])]
        self._centres, cluster = k_means(vectors, self._centres, NUM_ROUNDS)
        dealt = works.available.copy()
        dealt[popular] = False
        work_ids = np.flatnonzero(dealt).astype(np.int32)
        return ContentState(
            centres=self._centres,
            work_ids=work_ids,
            cluster=cluster[work_ids],
            popular=popular,
            takes=() if few else _takes(round(c.near_share * c.num_candidates), min(c.num_nearest, len(self._centres))),
            num_candidates=c.num_candidates,
            bias=(c.popularity_weight * np.log1p(counts)).astype(np.float32),
            affinity=c.affinity,
            shuffle=self._streams["shuffle"],
            aside=self._streams["aside"],
            place=self._streams["place"],
        )

    def snapshot(self) -> State:
        """Return play counts and cluster centres."""
        return {"counts": self._counts.snapshot(), "centres": self._centres.copy()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._counts.restore(state["counts"])
        self._centres = np.array(state["centres"], dtype=np.float64)


def k_means(vectors: Grid, centres: Grid, num_rounds: int) -> tuple[Grid, npt.NDArray[np.int64]]:
    """Return centres on the grid and each vector's nearest centre after some rounds of k-means.

    A cluster that loses its last vector keeps its centre. Ties go to the lower cluster.

    Parameters
    ----------
    vectors : ndarray of float64, shape (num_works, dim)
        On the grid.
    centres : ndarray of float64, shape (num_clusters, dim)
        To begin with, on the grid.
    num_rounds : int
        Rounds.

    Returns
    -------
    tuple of ndarray
        Centres, shape ``(num_clusters, dim)``, and clusters, shape ``(num_works,)``.
    """
    centres = centres.copy()
    num_clusters = centres.shape[0]
    nearest = np.zeros(vectors.shape[0], dtype=np.int64)
    if num_clusters == 0 or vectors.shape[0] == 0:
        return centres, nearest
    members = np.zeros((num_clusters, vectors.shape[0]))
    for _ in range(num_rounds):
        nearest = (2.0 * (vectors @ centres.T) - (centres * centres).sum(axis=1)).argmax(axis=1)
        members[:] = 0.0
        members[nearest, np.arange(nearest.size)] = 1.0
        size = members.sum(axis=1)
        moved = np.rint((members @ vectors) / np.maximum(size, 1.0)[:, None])
        moved = np.where(size[:, None] > 0, moved, centres)
        if (moved == centres).all():
            break
        centres = moved
    return centres, nearest


def largest(score: Grid, num: int) -> npt.NDArray[np.int64]:
    """Return the columns of each row's largest scores, largest first, ties by the lower column.

    A few are picked one after the other, in half the time that sorting whole rows takes.

    Parameters
    ----------
    score : ndarray of float64, shape (num_rows, num_columns)
        Finite.
    num : int
        Columns wanted of each row, at most ``num_columns``.

    Returns
    -------
    ndarray of int64, shape (num_rows, num)
    """
    if num > _FEW:
        return np.argsort(-score, axis=1, kind="stable")[:, :num]
    left, rows = score.copy(), np.arange(score.shape[0])
    best = np.empty((score.shape[0], num), dtype=np.int64)
    for i in range(num):
        best[:, i] = left.argmax(axis=1)
        left[rows, best[:, i]] = -np.inf
    return best


def _takes(total: int, num_clusters: int) -> tuple[int, ...]:
    """Return how many works to take from each of the nearest clusters: the nearer, the more (n : n - 1 : ... : 1)."""
    weights = np.arange(num_clusters, 0, -1)
    bounds = np.rint(np.cumsum(weights) * total / max(int(weights.sum()), 1)).astype(np.int64)
    return tuple(np.diff(bounds, prepend=0).tolist())
