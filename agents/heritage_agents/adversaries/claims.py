"""False-parent claims: the ring says that somebody's new derivative builds on its own work.

Each licence fee is for one published derivative. The ring claims it with a chance, and puts down a bond. The claim is
believed with a chance, and is then found out on a day by a daily chance; one that is not believed is found out at
once. Fees are paid at the end of the epoch: to the ring's work where the claim still stands then, to the true source
otherwise. Whenever a claim is found out its bond is lost; a fee that was paid stays paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.adversaries.detection import NEVER, days_until_found
from heritage_sim.base import Keys, State
from heritage_sim.money.treasury import LicenceFee


class Claims:
    """The claims of one ring, drawn by (maker, day) of the derivative, which nobody makes two of on a day.

    Parameters
    ----------
    config : AdversariesConfig
        Chances and bond.
    keys : Keys
        Streams of the replication.
    members : ndarray of int32
        The ring's creators; it does not claim their works.
    """

    def __init__(self, config: AdversariesConfig, keys: Keys, members: npt.NDArray[np.int32]) -> None:
        self._config = config
        self._streams = [keys.stream("ring", name) for name in ("claim", "belief", "doubt")]
        self._members = {int(member) for member in members}
        self._found_days: list[int] = []

    @property
    def num_filed(self) -> int:
        """Return the number of claims so far."""
        return len(self._found_days)

    def bonds_lost_units(self, num_days: int) -> int:
        """Return the bonds of all claims found out in so many days."""
        return self._config.claim_bond_units * sum(day < num_days for day in self._found_days)

    def redirected(self, fees: Sequence[LicenceFee], work: int, last_day: int) -> list[LicenceFee]:
        """Return the fees as they will be paid.

        Parameters
        ----------
        fees : sequence of LicenceFee
            Of the epoch, owed to the true sources.
        work : int
            The ring's work.
        last_day : int
            Last day of the epoch, after which the fees are paid.

        Returns
        -------
        list of LicenceFee
            In the same order.
        """
        if self._config.false_claims_per_work <= 0.0:
            return list(fees)
        paid: list[LicenceFee] = []
        for fee in fees:
            found_day = self._filed(fee)
            if found_day is None:
                paid.append(fee)
                continue
            self._found_days.append(found_day)
            if found_day > last_day:
                fee = replace(fee, source_work=work)
            paid.append(fee)
        return paid

    def _filed(self, fee: LicenceFee) -> int | None:
        """Return the day on which the claim on a derivative is found out; None where none is filed."""
        if fee.creator in self._members or fee.day < self._config.start_day:
            return None
        claim, belief, doubt = (stream.uniform(fee.creator, fee.day) for stream in self._streams)
        if claim[0] >= self._config.false_claims_per_work:
            return None
        if belief[0] >= self._config.claim_stands:
            return fee.day
        # The first day on which it can be found out is the day after it was believed.
        free = int(days_until_found(doubt, self._config.claim_detection_per_day)[0])
        return min(fee.day + 1 + free, NEVER)

    def snapshot(self) -> State:
        """Return all claims so far."""
        return {"found_days": np.array(self._found_days, dtype=np.int64)}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._found_days = [int(day) for day in state["found_days"]]
