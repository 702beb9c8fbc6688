"""Weighted: a mixture of user-centric and pro-rata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import BPS, Rights, Statement, Sums, Usage, parameter
from heritage_sim.royalty.rule import Rule, statement_of
from heritage_sim.royalty.rules.pro_rata import ProRata
from heritage_sim.royalty.rules.user_centric import UserCentric


class Weighted(Rule):
    """Work j earns ``lambda`` of its user-centric amount and ``1 - lambda`` of its pro-rata amount.

    ``weight_bps`` is lambda in basis points: 0 is pro-rata, 10,000 user-centric, both to the unit. The two statements
    are mixed by largest remainder, so that the sum stays the pool.

    References
    ----------
    Bergantiños and Moreno-Ternero, "Revenue sharing at music streaming platforms", Management Science 71(10), 2025.
    """

    kind: ClassVar[str] = "weighted"
    listeners: ClassVar[bool] = True

    weight_bps: int = parameter(
        5_000, "0 pro-rata ... 10,000 user-centric", unit="basis points", source="the scenario", ge=0, le=BPS
    )

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return the statistics of both rules; their names differ."""
        self.refuse_totals_only(usage)
        return ProRata().statistics(usage, rights, totals) | UserCentric().statistics(usage, rights, totals)

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return the mixture of both rules' amounts."""
        centric = UserCentric().settle(statistics, rights, pool_units, epoch)
        pro_rata = ProRata().settle(statistics, rights, pool_units, epoch)
        units = _mixed(centric.work_units, pro_rata.work_units, self.weight_bps)
        reasons = [
            f"{self.weight_bps} of {BPS} parts of each work's amount are user-centric: {centric.reasons[0]}",
            *centric.reasons[1:-1],
            f"the other {BPS - self.weight_bps} parts are pro-rata: {pro_rata.reasons[0]}",
        ]
        return statement_of(self, units, rights, pool_units, epoch, reasons)


def _mixed(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], weight_bps: int) -> npt.NDArray[np.int64]:
    """Return ``second + weight * (first - second) / BPS`` in whole units, the sum kept by largest remainders."""
    # With first - second = q * BPS + r the product never grows beyond the amounts themselves.
    q, r = np.divmod(first - second, BPS)
    part, remainder = np.divmod(weight_bps * r, BPS)
    units = second + weight_bps * q + part
    left = int(remainder.sum()) // BPS
    units[np.argsort(-remainder, kind="stable")[:left]] += 1
    return units
