"""What every royalty rule shares: parameters as fields, the way from works to payees, and the epoch without plays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import InputError, Rights, Section, Statement, Sums, Usage, largest_remainder, sum_exactly
from heritage_sim.royalty.rows import largest_remainder_rows

Int64 = npt.NDArray[np.int64]


class Rule(Section):
    """A royalty rule (`heritage_sim.base.RoyaltyRule`) whose parameters are its fields.

    Frozen, so that a rule can be shared by shards and compared. A rule states its registered name as ``kind``, and as
    class variables what it needs to know:

    - ``listeners``: which listener played what;
    - ``communities``: which community a work belongs to;
    - ``num_rounds``: 2 where `statistics` is asked again with the first round's totals.

    Which plays count is decided before a rule sees them: ``Usage.plays`` are the plays that count (in the simulated
    economy those of at least 30 s; in a usage file all that the file reports). Consent does not enter: what was played
    is owed for; consent decides beforehand what may be played or derived.
    """

    kind: ClassVar[str] = ""
    listeners: ClassVar[bool] = False
    communities: ClassVar[bool] = False
    rounds: ClassVar[int] = 1

    @property
    def name(self) -> str:
        """Registered name with parameters, such as ``community_weighted(strength=0.5)``."""
        parameters = ", ".join(f"{k}={_shown(getattr(self, k))}" for k in type(self).model_fields)
        return f"{self.kind}({parameters})" if parameters else self.kind

    @property
    def needs_listeners(self) -> bool:
        """Whether the rule needs to know which listener played what."""
        return self.listeners

    @property
    def needs_communities(self) -> bool:
        """Whether the rule needs to know which community a work belongs to."""
        return self.communities

    @property
    def num_rounds(self) -> int:
        """1, or 2 where `statistics` is asked again with the first round's totals."""
        return self.rounds

    @abstractmethod
    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, Int64] | None) -> Sums:
        """Return a shard's whole-number statistics; ``totals`` is None in the first round."""

    @abstractmethod
    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return integer amounts that sum to the pool exactly."""

    def refuse_totals_only(self, usage: Usage) -> None:
        """Raise where the rule needs single listeners and the usage holds totals only.

        Parameters
        ----------
        usage : Usage
            A shard's usage.

        Raises
        ------
        InputError
            Naming the rule and the missing column; listener-level rules are never approximated from totals.
        """
        if self.needs_listeners and not usage.has_listeners:
            raise InputError(
                f"rule {self.name} needs to know which listener played what, and this usage holds totals only",
                "usage: column 'listener' is missing",
                "give usage with a listener column, or choose a rule that works on totals, such as pro_rata",
            )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def statement_of(
    rule: Rule, work_units: Int64, rights: Rights, pool_units: int, epoch: int, reasons: Sequence[str]
) -> Statement:
    """Return the statement that pays each work's amount to its payees.

    A work's amount is split by ``Rights.share_bps`` with largest remainders, ties to the payee named first.

    Parameters
    ----------
    rule : Rule
        The rule that decided.
    work_units : ndarray of int64, shape (num_works,)
        Amount of each work; sums to the pool.
    rights : Rights
        Payees of each work.
    pool_units : int
        Amount shared out.
    epoch : int
        Number of the epoch.
    reasons : sequence of str
        Steps of the rule, in words.

    Returns
    -------
    Statement

    Raises
    ------
    ValueError
        If the amounts do not sum to the pool, or the rights are for another number of works.
    """
    if work_units.shape != (rights.num_works,):
        raise ValueError(f"amounts of {work_units.size} works meet rights of {rights.num_works}")
    if sum_exactly(work_units) != pool_units:
        raise ValueError(f"rule {rule.name} shared out {sum_exactly(work_units)} of {pool_units} units")
    shares = largest_remainder_rows(work_units, rights.share_bps, rights.indptr)
    payee_units = np.zeros(rights.num_payees, dtype=np.int64)
    np.add.at(payee_units, rights.payee_ids, shares)
    split = "each work's amount was split among its payees by their shares in basis points, largest remainders"
    return Statement(epoch, rule.name, int(pool_units), payee_units, work_units, (*reasons, split))


def state_without_plays(rule: Rule, rights: Rights, pool_units: int, epoch: int) -> Statement:
    """Return the statement of an epoch in which no play counted.

    Nothing says whom listeners wished to pay, and a statement must sum to its pool, so the pool goes equally to the
    communities that have works in the catalogue, and inside each equally to its works. The same for every rule.

    Parameters
    ----------
    rule : Rule
        The rule that was to decide.
    rights : Rights
        Works, communities and payees.
    pool_units : int
        Amount to share out.
    epoch : int
        Number of the epoch.

    Returns
    -------
    Statement

    Raises
    ------
    ValueError
        If there is a pool and no work at all.
    """
    communities, member = np.unique(rights.work_community, return_inverse=True)
    amounts = largest_remainder(pool_units, np.ones(communities.size, dtype=np.int64))
    work_units = share_inside(amounts, np.ones(rights.num_works, dtype=np.int64), member)
    reason = (
        f"no play counted in this epoch: {pool_units} units were shared equally by the {communities.size} communities "
        "with works in the catalogue, and inside each equally by its works"
    )
    return statement_of(rule, work_units, rights, pool_units, epoch, [reason])


def share_inside(amounts: Int64, weights: Int64, group: npt.NDArray[np.integer]) -> Int64:
    """Return each member's integer share of its group's amount in proportion to its weight.

    Parameters
    ----------
    amounts : ndarray of int64, shape (num_groups,)
        Amount of each group.
    weights : ndarray of int64, shape (num_members,)
        Weight of each member.
    group : ndarray of int, shape (num_members,)
        Group of each member.

    Returns
    -------
    ndarray of int64, shape (num_members,)
        Sums over a group to the group's amount exactly.
    """
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=amounts.size)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    shares = np.empty(weights.size, dtype=np.int64)
    shares[order] = largest_remainder_rows(amounts, weights[order], indptr)
    return shares
