"""Whom recommendations reach: coverage of the long tail, and communities' shares of exposure.

Coverage grows with the number of listeners, since more lists hold more works: compare figures of equally many only. The
tail is frozen on the training period, the same set of works for every arm that shares it; if it moved with the arm, an
arm could cover the tail by making other works unpopular.

A community's exposure is read beside two shares: of the catalogue (what it offers) and of what listeners later chose
(what was relevant). More exposure than the catalogue but less than the relevance is not favour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.exposure import group_shares
from heritage_sim.metrics.measure import NAN, Measure, Z, clustered_error
from heritage_sim.metrics.ranking import Relevant, discounts

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

PERCENT = "%"


def frozen_tail(
    streams: npt.NDArray[np.int64], works: npt.NDArray[np.integer] | None = None, share: float = 0.1
) -> Int64:
    """Return the works played least in the training period, rising; at least one where there is a work.

    Parameters
    ----------
    streams : ndarray of int64, shape (num_works,)
        Plays in the training period.
    works : ndarray of int, optional
        Works that were there in it; all by default.
    share : float
        Share of them that is the tail, rounded down; of equally played works the lower ids are taken.

    Returns
    -------
    ndarray of int64
    """
    there = np.arange(streams.size) if works is None else np.asarray(works)
    order = there[np.lexsort((there, streams[there]))]
    size = min(order.size, max(1, int(order.size * share + 1e-9)))
    return np.sort(order[:size]).astype(np.int64)


def tail_coverage(ranked: npt.NDArray[np.integer], tail: Int64, num_available: int) -> Measure:
    """Return the share of the tail that is in anybody's list, beside what lists drawn at random would cover.

    Unit of analysis: the work of the tail. There is no interval: lists drawn anew with replacement hold fewer different
    works, so resampling is biased; spread over replications says what is wanted. By chance a work is missed by all
    with ``(1 - K / num_available)^num_listeners``.

    Parameters
    ----------
    ranked : ndarray of int, shape (num_listeners, num_ranks)
        Distinct works of each list; -1 for none.
    tail : ndarray of int64
        From `frozen_tail`.
    num_available : int
        Works that could be listed.

    Returns
    -------
    Measure
    """
    size = max(int(tail.max(initial=-1)), int(ranked.max(initial=-1))) + 1
    reached = np.zeros(size, dtype=np.bool_)
    reached[ranked[ranked >= 0]] = True
    missed = (1.0 - min(1.0, ranked.shape[1] / num_available)) ** ranked.shape[0] if num_available else NAN
    value = 100.0 * float(reached[tail].mean()) if tail.size else NAN
    return Measure(value, PERCENT, "work of the tail", int(tail.size), baseline=100.0 * (1.0 - missed),
                   against=f"lists drawn at random for {ranked.shape[0]} listeners")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExposureShare:
    """A community's share of what is shown, beside what it offers and what is chosen.

    Parameters
    ----------
    exposure : Measure
        Share of exposure in percent; its interval is over listeners, its baseline the share of the catalogue.
    relevance : Measure
        Share of relevant pairs of listener and work in percent, likewise.
    """

    exposure: Measure
    relevance: Measure


def exposure_shares(
    ranked: npt.NDArray[np.integer],
    community: npt.NDArray[np.integer],
    num_communities: int,
    available: npt.NDArray[np.bool_],
    relevant: Relevant,
) -> list[ExposureShare]:
    """Return each community's share of exposure, discounted by ``1 / log2(1 + r)`` (unit of analysis: the listener).

    Parameters
    ----------
    ranked : ndarray of int, shape (num_listeners, num_ranks)
        Works, best first; -1 for none.
    community : ndarray of int, shape (num_works,)
        Community of each work.
    num_communities : int
        Communities.
    available : ndarray of bool, shape (num_works,)
        Works that could be listed.
    relevant : Relevant
        Of the same listeners.

    Returns
    -------
    list of ExposureShare, length num_communities
    """
    n = ranked.shape[0]
    weight = np.where(ranked >= 0, discounts(ranked.shape[1]), 0.0)
    of: Int64 = np.where(ranked >= 0, community[ranked], 0).astype(np.int64)
    place = np.arange(n, dtype=np.int64)[:, None] * num_communities + of
    flat = np.bincount(place.ravel(), weights=weight.ravel(), minlength=n * num_communities)
    whose = np.repeat(np.arange(n, dtype=np.int64), np.diff(relevant.indptr))
    pairs = np.bincount(whose * num_communities + community[relevant.works], minlength=n * num_communities)
    offered = group_shares(available.astype(np.int64), community, num_communities)
    shown, chosen = (
        _shares(amounts.astype(np.float64).reshape(n, num_communities), per, size, offered)
        for amounts, per, size in ((flat, "listener", n), (pairs, "relevant pair", relevant.works.size))
    )
    return [ExposureShare(*both) for both in zip(shown, chosen, strict=True)]


def _shares(by_listener: Floats, per: str, n: int, offered: Floats) -> list[Measure]:
    """Return each community's share of amounts, with its interval over listeners, beside what it offers."""
    whole, total = by_listener.sum(axis=1), float(by_listener.sum())
    found: list[Measure] = []
    for c in range(by_listener.shape[1]):
        share = float(by_listener[:, c].sum()) / total if total else NAN
        # The delta method of a ratio of sums: each listener's influence is its residual over the total.
        half = Z * clustered_error((by_listener[:, c] - share * whole) / total) if total else NAN
        low, high = 100.0 * (share - half), 100.0 * (share + half)
        found.append(Measure(100.0 * share, PERCENT, per, n, low, high, float(offered[c]), "share of the catalogue"))
    return found
