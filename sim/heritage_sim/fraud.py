"""Fraud as the economy meets it: what a ring does on a day, and what it made of it against the same usage without it.

Profit is measured, not assumed. The acting rule settles the epoch's usage again without one kind of fraud after another
(`heritage_sim.royalty.without`): first without the bots, then without the copies too. From statement to statement the
ring's income falls by what the kind brought, so that the kinds sum to the whole; from that go their costs. It is the
static gain: the same listeners play the same works in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Catalogue, Executor, Rights, RoyaltyRule, State, Statement, WorkBatch
from heritage_sim.day.royalty import rule_totals
from heritage_sim.fraud_evidence import FraudEvidence
from heritage_sim.money.treasury import LicenceFee
from heritage_sim.rights import RightsBook

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Uploads:
    """Works that a ring uploads on a day.

    Parameters
    ----------
    batch : WorkBatch
        The works.
    made_from : ndarray of int64, shape (num_works,)
        The works of the catalogue that they are copies of.
    """

    batch: WorkBatch
    made_from: Int64


class FraudRing(Protocol):
    """A ring of adversaries in one economy; all that it draws is keyed, and shifts nobody else's numbers."""

    def uploads(self, catalogue: Catalogue, day: int) -> Uploads | None:
        """Return the works that the ring uploads today, or None."""
        ...

    def bought_works(self, catalogue: Catalogue, uses: npt.NDArray[np.int16], day: int) -> npt.NDArray[np.int32]:
        """Return the works that the ring's bots are to play today, given what each work may be used for."""
        ...

    def claimed(
        self,
        fees: Sequence[LicenceFee],
        catalogue: Catalogue,
        book: RightsBook,
        payable: npt.NDArray[np.bool_],
        last_day: int,
    ) -> list[LicenceFee]:
        """Return an epoch's licence fees as they will be paid: those that a false claim holds go to the ring's work.

        ``payable`` tells of the registered works, the first of the catalogue, which of them can be paid a fee.
        """
        ...

    def honest_rules(self, rule: RoyaltyRule, catalogue: Catalogue) -> dict[str, RoyaltyRule]:
        """Return the acting rule without one kind of fraud after another, by kind; the last is without any."""
        ...

    def settled(self, statement: Statement, without: Mapping[str, Statement], first_day: int, last_day: int) -> None:
        """Take down what an epoch's statement gave the ring, beside the statements without its frauds."""
        ...

    def evidence(self, num_days: int) -> FraudEvidence:
        """Return what the ring has made in so many days."""
        ...

    def snapshot(self) -> State:
        """Return all that changes from day to day."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        ...


def statements_without(
    executor: Executor, rules: Mapping[str, RoyaltyRule], rights: Rights, epoch: int
) -> dict[str, Statement]:
    """Return what each of a ring's `honest_rules` makes of an epoch's usage; every statement sums to its own pool.

    Parameters
    ----------
    executor : Executor
        Where the usage is.
    rules : mapping of str to RoyaltyRule
        By kind of fraud, in the order they are taken away.
    rights : Rights
        Who is owed for which work in this epoch.
    epoch : int
        Number of the epoch.

    Returns
    -------
    dict of str to Statement
    """
    if not rules:
        return {}
    totals = rule_totals(executor, list(rules.values()), rights, epoch)
    made = zip(rules.items(), totals, strict=True)
    return {kind: rule.settle(sums, rights, 0, epoch) for (kind, rule), sums in made}
