"""Which money can be traced: its work's chain is registered back to the sources, and every use was consented to.

A unit of money earned by work w on day t is traceable where

- w and all its ancestors are registered, and each leads to a source: it is one (a work of the archive) or names one,
- w's community permitted to perform and to sell w on day t, and
- every ancestor's community permitted, when its child was published, what the child needed: to derive from it, or, for
  a recording of the tradition's own music, to perform it; from another tradition's work, to do so from outside.

Consent at a moment is what the label in force then permits: of labels put down at or before it the last one, nothing
once it has expired, and everything where there is none. A label of the work itself stands in place of the uses in its
record; what the community permits for all its works narrows either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import NO_ONE, Consent, ConsentLabel, sum_exactly

Int64 = npt.NDArray[np.int64]
Labels = Sequence[tuple[int, ConsentLabel]]
"""Labels with the chain time at which each was put down, in that order."""


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """The works as they stand in the registry.

    Parameters
    ----------
    registered : ndarray of bool, shape (num_works,)
        Whether the work is registered.
    community : ndarray of int, shape (num_works,)
        Community of each work.
    uses : ndarray of int, shape (num_works,)
        `Consent` flags in each work's record.
    parents : ndarray of int, shape (num_works, max_parents)
        Works it derives from, all of them earlier rows; ``NO_ONE`` where there is none.
    published_s : ndarray of int64, shape (num_works,)
        When each was published.
    needed : ndarray of int, shape (num_works, max_parents)
        `Consent` flags that its publication needed of each parent.
    is_source : ndarray of bool, shape (num_works,)
        Whether the work is a source itself; any other that names none is not traceable.
    """

    registered: npt.NDArray[np.bool_]
    community: npt.NDArray[np.integer]
    uses: npt.NDArray[np.integer]
    parents: npt.NDArray[np.integer]
    published_s: Int64
    needed: npt.NDArray[np.integer]
    is_source: npt.NDArray[np.bool_]


def uses_at(chains: Chains, labels: Labels, works: npt.NDArray[np.integer], at_s: npt.NDArray[np.integer]) -> Int64:
    """Return the `Consent` flags permitted for works at moments.

    Parameters
    ----------
    chains : Chains
        All works.
    labels : sequence of (int, ConsentLabel)
        In order of time.
    works : ndarray of int, shape (n,)
        Works asked about.
    at_s : ndarray of int, shape (n,)
        When.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    own = chains.uses[works].astype(np.int64)
    shared = np.full(works.size, int(Consent.ALL), dtype=np.int64)
    community = chains.community[works]
    for put_s, label in labels:
        in_force = (at_s >= put_s) & (community == label.community)
        permitted: Int64 = np.where((label.expires_s > 0) & (at_s >= label.expires_s), 0, label.uses)
        if label.work_id == NO_ONE:
            shared = np.where(in_force, permitted, shared)
        else:
            own = np.where(in_force & (works == label.work_id), permitted, own)
    return np.bitwise_and(own, shared, dtype=np.int64)


def whole_chains(chains: Chains, labels: Labels) -> npt.NDArray[np.bool_]:
    """Return which works lead back to registered sources by edges that were consented to, shape ``(num_works,)``."""
    num_works, width = chains.parents.shape
    every_child: Int64 = np.repeat(np.arange(num_works, dtype=np.int64), width)
    edge = chains.parents.ravel() != NO_ONE
    child, parent = every_child[edge], chains.parents.ravel()[edge]
    needed = chains.needed.ravel()[edge]
    granted = uses_at(chains, labels, parent, chains.published_s[child]) & needed == needed
    whole = chains.registered & (chains.is_source | edge.reshape(num_works, width).any(axis=1))
    np.logical_and.at(whole, child, granted)
    while True:
        before = int(np.count_nonzero(whole))
        np.logical_and.at(whole, child, whole[parent])
        if int(np.count_nonzero(whole)) == before:
            return whole


def traceable_units(work_units: Int64, chains: Chains, labels: Labels, used_s: Sequence[int]) -> int:
    """Return how much of an epoch's money is traceable.

    Parameters
    ----------
    work_units : ndarray of int64, shape (num_works, num_days)
        What each work earned by its use on each day.
    chains : Chains
        All works.
    labels : sequence of (int, ConsentLabel)
        In order of time.
    used_s : sequence of int, length num_days
        Moment of each day's use.

    Returns
    -------
    int
        In the smallest unit, at most the sum of ``work_units``.
    """
    works = np.flatnonzero(whole_chains(chains, labels) & work_units.any(axis=1))
    wanted = int(Consent.PERFORM | Consent.SELL)
    total = 0
    for day, at_s in enumerate(used_s):
        permitted = uses_at(chains, labels, works, np.full(works.size, at_s, dtype=np.int64)) & wanted == wanted
        total += sum_exactly(work_units[works[permitted], day])
    return total
