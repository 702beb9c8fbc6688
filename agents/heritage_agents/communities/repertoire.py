"""Restricted repertoire: which archive works a community keeps from being derived from, or from being performed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_agents.communities.config import CommunityConfig
from heritage_sim.base import Consent, Keys


def archive_uses(
    communities: Sequence[CommunityConfig], work_community: npt.NDArray[np.int32], keys: Keys
) -> npt.NDArray[np.int16]:
    """Return what each archive work may ever be used for.

    Every work has one keyed number that says how guarded it is. Of its community's works, the lowest are closed:
    exactly the stated share, to the nearest work. So what is never performed and what is never derived from overlap as
    far as they can, and a larger share closes more works and opens none.

    Parameters
    ----------
    communities : sequence of CommunityConfig
        In community order.
    work_community : ndarray of int32, shape (num_works,)
        Community of each archive work.
    keys : Keys
        Streams of the replication.

    Returns
    -------
    ndarray of int16, shape (num_works,)
        `Consent` flags.
    """
    uses = np.full(work_community.size, int(Consent.ALL), dtype=np.int16)
    guarded = keys.stream("work", "guarded").uniform(np.arange(work_community.size, dtype=np.int64), 0)
    for c, community in enumerate(communities):
        own = np.flatnonzero(work_community == c)
        most_guarded_first = own[np.argsort(guarded[own], kind="stable")]
        for share, use in (
            (community.never_derived_share, Consent.DERIVE),
            (community.never_performed_share, Consent.PERFORM),
        ):
            closed = most_guarded_first[: int(share * own.size + 0.5)]
            uses[closed] &= ~int(use)
    return uses
