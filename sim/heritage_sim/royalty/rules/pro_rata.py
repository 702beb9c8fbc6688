"""Pro-rata: one pot, shared by plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Rights, Statement, Sums, Usage, largest_remainder, sum_exactly
from heritage_sim.royalty.rule import Rule, state_without_plays, statement_of


class ProRata(Rule):
    """Work j earns ``P * W_j / sum(W)``: W_j its plays that count, P the pool.

    One unit of analysis, the play: whoever plays more moves more of everybody's money.

    References
    ----------
    Bergantiños and Moreno-Ternero, "Revenue sharing at music streaming platforms", Management Science 71(10), 2025.
    """

    kind: ClassVar[str] = "pro_rata"

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return ``plays_by_work``, shape ``(num_works,)``."""
        return {"plays_by_work": usage.plays_by_work()}

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return amounts in proportion to plays."""
        plays = statistics["plays_by_work"]
        if not plays.any():
            return state_without_plays(self, rights, pool_units, epoch)
        reason = (
            f"{pool_units:,} units were shared by {np.count_nonzero(plays):,} works in proportion to their plays "
            f"({sum_exactly(plays):,} in all), largest remainders, ties to the lower work id"
        )
        return statement_of(self, largest_remainder(pool_units, plays), rights, pool_units, epoch, [reason])
