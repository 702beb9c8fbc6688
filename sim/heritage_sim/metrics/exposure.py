"""Who is shown and who is heard: shares of groups, and exposure discounted by position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.ranking import discounts


def group_shares(amounts: npt.ArrayLike, group: npt.ArrayLike, num_groups: int) -> npt.NDArray[np.float64]:
    """Return each group's share of the whole in percent, shape ``(num_groups,)``; NaN where there is nothing.

    The unit of analysis is the group (a community, a tradition, an origin); amounts are plays, exposures or money.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Amounts >= 0 of members.
    group : array_like of int, shape (n,)
        Group of each member, in ``0 ... num_groups - 1``; members with a negative group are left out of both sides.
    num_groups : int
        Number of groups.

    Returns
    -------
    ndarray of float64, shape (num_groups,)
    """
    x, g = np.asarray(amounts), np.asarray(group)
    inside = g >= 0
    sums = np.zeros(num_groups, dtype=np.int64 if x.dtype.kind in "iub" else np.float64)
    np.add.at(sums, g[inside], x[inside])
    total = sums.sum()
    return 100.0 * sums / total if total else np.full(num_groups, np.nan)


def discounted_exposure(slates: npt.NDArray[np.integer], num_works: int) -> npt.NDArray[np.float64]:
    """Return each work's exposure, ``sum over slates of 1 / log2(1 + rank)``, shape ``(num_works,)``.

    Parameters
    ----------
    slates : ndarray of int, shape (num_slates, num_slots)
        Works shown, best rank first; -1 for an empty slot.
    num_works : int
        Works in the catalogue.

    Returns
    -------
    ndarray of float64, shape (num_works,)
    """
    weights: npt.NDArray[np.float64] = np.broadcast_to(discounts(slates.shape[1]), slates.shape)
    shown = slates >= 0
    return np.bincount(slates[shown], weights=weights[shown], minlength=num_works).astype(np.float64)
