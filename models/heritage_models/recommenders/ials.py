"""Offer the works of the whole catalogue whose factors fit what a listener played last: iALS.

Works and the listeners of a keyed sample get factors by alternating least squares on their plays (`implicit` does the
solving). Every other listener is folded in inside its shard, from the works played last (`fold_in`), so nobody's plays
but the sample's leave a shard. With x the listener's factors, y the work's and n its plays, both faded, the score is

    affinity (x . y) + popularity_weight log(1 + n) + exploration / sqrt(1 + n) (g . h)

* A listener without known plays gets the sample's mean factors as x: the popular direction.
* A work without plays has y = 0: factors know nothing of notes. It is found through the last term, in which g is drawn
  for each listener and day (standard normal) and h for each work (of length 1, so that no new work is favoured): other
  new works come to each listener on each day, and the less is known of a work, the further it is moved. (The idea is
  that of Thompson sampling; the spread is that of a mean of plays.) As columns of the factors it costs no pass of its
  own.

References
----------
Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
Chapelle, Li, "An empirical evaluation of Thompson sampling", NeurIPS 2011.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders.play_counts import PlayCounts
from heritage_models.recommenders.sampled_plays import SampledPlays
from heritage_sim.base import Keys, MissingPartError, State, Stream, Sums, Usage, WorkFeatures

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NUM_HINTS = 8
"""Width of the draws that explore."""
START_SCALE = 0.1
"""Expected length of a work's factors before the first fit."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IalsState:
    """What is broadcast; see `heritage_sim.base.CatalogueState`.

    Parameters
    ----------
    num_candidates : int
        Works to offer.
    factors : ndarray of float32, shape (num_works, num_factors + NUM_HINTS)
        Learnt factors, then the works' side of what explores.
    bias : ndarray of float32, shape (num_works,)
        Additive score of each work.
    solved : ndarray of float64, shape (num_works, num_factors)
        Factors times the inverse of their Gram matrix; see `fold_in`.
    popular : ndarray of float64, shape (num_factors,)
        Mean factors of the sampled listeners who played something.
    affinity : float
        Weight of the factors' match.
    confidence : float
        What a play adds to the confidence.
    explore : Stream
        Keyed by listener and day.
    """

    num_candidates: int
    factors: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    solved: Float64
    popular: Float64
    affinity: float
    confidence: float
    explore: Stream

    def queries(
        self, listener_ids: npt.NDArray[np.int64], recent: npt.NDArray[np.int32], day: int
    ) -> npt.NDArray[np.float32]:
        """Return each listener's query from the works played last, shape ``(num_listeners, factors.shape[1])``."""
        from heritage_models.recommenders.fold_in import fold_in

        num_factors = self.popular.size
        known = self.factors[:, :num_factors].astype(np.float64)
        made = np.empty((listener_ids.size, num_factors + NUM_HINTS), dtype=np.float32)
        recent = np.ascontiguousarray(recent, dtype=np.int32)
        made[:, :num_factors] = self.affinity * fold_in(known, self.solved, self.confidence, recent, self.popular)
        made[:, num_factors:] = self.explore.normals(listener_ids, day, NUM_HINTS)
        return made


class IalsRecommender:
    """Learns factors of works from the plays of a sample of listeners, and goes on from the last ones.

    Parameters
    ----------
    config : RecommenderConfig
        ``num_candidates``, ``affinity``, ``popularity_weight``, ``half_life_days`` and the fields ``ials_*`` are used.
    keys : Keys
        Streams of the replication.

    Raises
    ------
    MissingPartError
        If `implicit` is not installed.
    """

    def __init__(self, config: RecommenderConfig, keys: Keys) -> None:
        _require_implicit()
        self._config = config
        self._counts = PlayCounts(config.half_life_days)
        self._sampled = SampledPlays(config.ials_sample, config.half_life_days, keys.stream("recommender", "sample"))
        self._factors = np.zeros((0, config.ials_factors), dtype=np.float32)
        self._start = keys.stream("recommender", "factors")
        self._hints = keys.stream("recommender", "hints")
        self._explore = keys.stream("recommender", "explore")

    def statistics(self, usage: Usage) -> Sums:
        """Return a shard's plays by work, its number of listeners, and the plays of its sampled listeners."""
        return self._counts.statistics(usage) | self._sampled.statistics(usage)

    def refresh(self, statistics: Sums, works: WorkFeatures, day: int) -> IalsState:
        """Return the state after new plays and new works."""
        c, n = self._config, works.num_works
        counts = self._counts.learn(statistics, n, day)
        pairs = self._sampled.learn(statistics, n, day)
        listeners, self._factors = fitted(pairs, self._beginning(n), c)
        heard = listeners.any(axis=1)
        hints = self._hints.normals(np.arange(n), 0, NUM_HINTS)
        hints *= (c.ials_exploration / np.sqrt(1.0 + counts) / np.linalg.norm(hints, axis=1))[:, None]
        return IalsState(
            num_candidates=c.num_candidates,
            factors=np.concatenate([self._factors, hints.astype(np.float32)], axis=1),
            bias=(c.popularity_weight * np.log1p(counts)).astype(np.float32),
            solved=through_gram(self._factors, c.ials_regularization),
            popular=listeners[heard].astype(np.float64).mean(axis=0) if heard.any() else np.zeros(c.ials_factors),
            affinity=c.affinity,
            confidence=c.ials_confidence,
            explore=self._explore,
        )

    def snapshot(self) -> State:
        """Return plays, the sample's plays, and the factors."""
        return {
            "counts": self._counts.snapshot(),
            "sampled": self._sampled.snapshot(),
            "factors": self._factors.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._counts.restore(state["counts"])
        self._sampled.restore(state["sampled"])
        self._factors = np.array(state["factors"], dtype=np.float32)

    def _beginning(self, num_works: int) -> npt.NDArray[np.float32]:
        """Return the factors to go on from: keyed ones for works of which nothing was learnt yet."""
        width = self._config.ials_factors
        scale = START_SCALE / math.sqrt(width)
        start = (scale * self._start.normals(np.arange(num_works), 0, width)).astype(np.float32)
        known = self._factors[:num_works]
        learnt = known.any(axis=1)
        start[: len(known)][learnt] = known[learnt]
        return start


def fitted(
    pairs: csr_matrix, start: npt.NDArray[np.float32], config: RecommenderConfig
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the factors of listeners and works after some rounds of alternating least squares.

    The exact solver is used, on one thread: the work's starting factors decide everything, and the same ones give the
    same result bit for bit on one machine.

    Parameters
    ----------
    pairs : csr_matrix of float64, shape (num_listeners, num_works)
        Plays.
    start : ndarray of float32, shape (num_works, num_factors)
        Factors of the works to begin with; not changed.
    config : RecommenderConfig
        ``ials_rounds``, ``ials_regularization`` and ``ials_confidence`` are used.

    Returns
    -------
    tuple of ndarray of float32
        Of the listeners, shape ``(num_listeners, num_factors)``, and of the works, like ``start``. Who has no plays has
        zeros.
    """
    num_listeners, num_factors = len(pairs.indptr) - 1, start.shape[1]
    if pairs.nnz == 0:
        return np.zeros((num_listeners, num_factors), dtype=np.float32), np.zeros_like(start)
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # else the order of its sums would be the machine's
        model = AlternatingLeastSquares(
            factors=num_factors,
            regularization=config.ials_regularization,
            alpha=1.0,  # confidences are given whole
            iterations=config.ials_rounds,
            use_cg=False,
            num_threads=1,
        )
        # set before the fit, so that no number is drawn there
        model.user_factors = np.zeros((num_listeners, num_factors), dtype=np.float32)
        model.item_factors = start.copy()
        confidences = pairs.astype(np.float32)
        confidences.data = np.float32(1.0) + np.float32(config.ials_confidence) * confidences.data
        model.fit(confidences, show_progress=False)
    return np.asarray(model.user_factors, np.float32), np.asarray(model.item_factors, np.float32)


def through_gram(factors: npt.NDArray[np.float32], regularization: float) -> Float64:
    """Return Y (Y'Y + lambda I)^-1, shape ``(num_works, num_factors)``; see `fold_in`."""
    from threadpoolctl import threadpool_limits

    y = factors.astype(np.float64)
    with threadpool_limits(1, "blas"):
        gram = y.T @ y + regularization * np.eye(y.shape[1])
        return np.ascontiguousarray(np.linalg.solve(gram, y.T).T, dtype=np.float64)


def _require_implicit() -> None:
    from importlib.util import find_spec

    if find_spec("implicit") is None:
        raise MissingPartError(
            "recommender kind 'ials' needs the package implicit, which is not installed",
            "recommender.kind",
            "Install it with: pip install 'heritage-economy[recommenders]'; or take kind content or popularity.",
        )
