"""Step 5: listeners live the day in their shards; whole-number sums come back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Catalogue, Consent, DayTally, Executor, WorkFeatures, World
from heritage_sim.rights import Uses
from heritage_sim.sharding import add_tallies


def available_works(uses: Uses) -> npt.NDArray[np.bool_]:
    """Return which works may be played under what each may be used for: those that may be performed."""
    return (uses & int(Consent.PERFORM)) != 0


def work_features(catalogue: Catalogue, available: npt.NDArray[np.bool_]) -> WorkFeatures:
    """Return what may be known of the first ``len(available)`` works without asking listeners."""
    n = available.size
    return WorkFeatures(
        vectors=catalogue.vectors[:n],
        tradition=catalogue.tradition[:n],
        community=catalogue.community[:n],
        day=catalogue.column("day")[:n],
        consistency=catalogue.consistency[:n],
        duration_s=catalogue.column("duration_s")[:n],
        available=available,
    )


def listen(executor: Executor, world: World) -> DayTally:
    """Return the day's tally over all shards."""
    return add_tallies(executor.call("run_day", world))
