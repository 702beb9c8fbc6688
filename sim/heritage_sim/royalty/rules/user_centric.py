"""User-centric: each listener's fee goes to what that listener played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Rights, Statement, Sums, Usage, largest_remainder, sum_exactly
from heritage_sim.royalty.rows import largest_remainder_rows
from heritage_sim.royalty.rule import Rule, state_without_plays, statement_of


class UserCentric(Rule):
    """Work j earns ``sum_i f_i * w_ij / L_i``: f_i the fee of listener i, w_ij plays, L_i = sum_j w_ij.

    Each fee is apportioned over the works its listener played by largest remainder, in the token's smallest unit.
    Listeners who played nothing name nobody; their fees are shared by all works in proportion to what the other
    listeners' fees gave them. So, with nobody idle, one listener moves at most one fee; with idle fees F0 beside active
    fees F1, at most ``f_i * (1 + F0 / F1)`` where the listener stays active, up to rounding.

    References
    ----------
    Alaei, Makhdoumi, Malekian, Pekeč, "Revenue-sharing allocation strategies for two-sided media platforms: pro-rata
    vs. user-centric", Management Science 68(12), 2022.
    """

    kind: ClassVar[str] = "user_centric"
    listeners: ClassVar[bool] = True

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return ``units_by_work`` ``(num_works,)``, ``idle_units`` ``(1,)``, ``listeners`` ``(2,)``: active, idle."""
        self.refuse_totals_only(usage)
        running = np.concatenate([[0], np.cumsum(usage.plays)])
        active = running[usage.indptr[1:]] > running[usage.indptr[:-1]]
        shares = largest_remainder_rows(np.where(active, usage.fee_units, 0), usage.plays, usage.indptr)
        by_work = np.zeros(usage.num_works, dtype=np.int64)
        np.add.at(by_work, usage.work_ids, shares)
        num_active = int(np.count_nonzero(active))
        return {
            "units_by_work": by_work,
            "idle_units": np.array([sum_exactly(usage.fee_units[~active])], dtype=np.int64),
            "listeners": np.array([num_active, active.size - num_active], dtype=np.int64),
        }

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return the sums of all listeners' apportioned fees, idle fees shared in proportion to them.

        Parameters
        ----------
        statistics : dict
            Sums over shards of what `statistics` returned.
        rights : Rights
            Who is owed.
        pool_units : int
            The sum of all fees.
        epoch : int
            Number of the epoch.

        Returns
        -------
        Statement

        Raises
        ------
        ValueError
            If the pool is not the sum of all fees: each unit has an owner under this rule.
        """
        direct = statistics["units_by_work"]
        idle = int(statistics["idle_units"][0])
        num_active, num_idle = (int(x) for x in statistics["listeners"])
        given = sum_exactly(direct)
        if given + idle != pool_units:
            raise ValueError(f"the pool of {pool_units} units is not the sum of all fees, {given + idle} units")
        if given == 0:
            return state_without_plays(self, rights, pool_units, epoch)
        reasons = [
            f"{given:,} units: each active listener's fee ({num_active:,} in all) went to the works that listener "
            "played, in proportion to plays, largest remainders, ties to the lower work id",
        ]
        if num_idle:
            reasons.append(
                f"{idle:,} units: fees of listeners who played nothing ({num_idle:,} in all), shared by works in "
                "proportion to what the other fees gave them"
            )
        units = direct + largest_remainder(idle, direct)
        return statement_of(self, units, rights, pool_units, epoch, reasons)
