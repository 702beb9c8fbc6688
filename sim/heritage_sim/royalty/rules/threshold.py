"""Threshold: pro-rata among works that were played often enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Rights, Statement, Sums, Usage, largest_remainder, parameter, sum_exactly
from heritage_sim.royalty.rule import Rule, state_without_plays, statement_of


class Threshold(Rule):
    """Work j earns ``P * W_j / sum(W)`` over works with ``W_j >= min_plays``; the others earn nothing.

    The threshold is per epoch. Where no work reaches it, it is passed over for that epoch, so that a statement always
    has somebody to pay. The rule jumps at the threshold: one play more can be worth a work's whole income.
    """

    kind: ClassVar[str] = "threshold"

    min_plays: int = parameter(
        20, "Plays that a work needs in an epoch", unit="plays", source="the scenario", ge=1, le=10**12
    )

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return ``plays_by_work``, shape ``(num_works,)``."""
        return {"plays_by_work": usage.plays_by_work()}

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return amounts in proportion to plays of the works that reached the threshold."""
        plays = statistics["plays_by_work"]
        if not plays.any():
            return state_without_plays(self, rights, pool_units, epoch)
        counted = np.where(plays >= self.min_plays, plays, 0)
        if not counted.any():
            reason = (
                f"no work reached {self.min_plays} plays: {pool_units} units were shared in proportion to all plays"
            )
            return statement_of(self, largest_remainder(pool_units, plays), rights, pool_units, epoch, [reason])
        reached = np.count_nonzero(counted)
        reason = (
            f"{pool_units} units were shared by {reached} works with at least {self.min_plays} plays, in proportion to "
            f"plays; {np.count_nonzero(plays) - reached} works with {sum_exactly(plays) - sum_exactly(counted)} plays "
            "got nothing"
        )
        return statement_of(self, largest_remainder(pool_units, counted), rights, pool_units, epoch, [reason])
