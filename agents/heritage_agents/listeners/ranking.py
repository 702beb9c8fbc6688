"""The whole catalogue ranked for some listeners by the recommender's own score, as it stands on a day.

The score is the one that fills slates: ``affinity (history . vector) + bias``, or ``query . factors + bias`` of a
recommender that has factors of its own. Each listener's ranking is independent of who else is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.catalogue import top_works
from heritage_sim.base import CatalogueState, HistoryVectors, World


def ranked_works(
    world: World,
    ids: npt.NDArray[np.int64],
    history: HistoryVectors,
    recent: npt.NDArray[np.int32],
    num_ranks: int,
) -> npt.NDArray[np.int32]:
    """Return the available works with the best scores, best first, ties to the lower id.

    Parameters
    ----------
    world : World
        The day, the works and the recommender's state.
    ids : ndarray of int64, shape (num_listeners,)
        Listeners.
    history : ndarray of float32, shape (num_listeners, dim)
        Their history vectors.
    recent : ndarray of int32, shape (num_listeners, num_recent)
        The works each played last.
    num_ranks : int
        Works wanted of each.

    Returns
    -------
    ndarray of int32, shape (num_listeners, num_ranks)
        -1 where fewer works are available.
    """
    state: Any = world.recommender_state
    if ids.size == 0:
        return np.zeros((0, num_ranks), dtype=np.int32)
    if isinstance(state, CatalogueState):
        queries, factors = state.queries(ids, recent, world.day), state.factors
    else:
        queries, factors = np.float32(state.affinity) * history, world.works.vectors
    known = min(factors.shape[0], world.works.num_works)
    bias = np.zeros(known, dtype=np.float32)
    given = min(known, state.bias.shape[0])
    bias[:given] = state.bias[:given]
    return top_works(
        np.ascontiguousarray(queries, dtype=np.float32),
        np.ascontiguousarray(factors[:known], dtype=np.float32),
        bias,
        world.works.available[:known],
        num_ranks,
    )
