"""What a rule would have decided without some of the usage: the same rule, shown less.

The counterfactual is static. The same listeners play the same works; accounts that are not theirs, or works that should
not be there, are left out of the usage before the rule sees it, and the pool is what the accounts that stay pay.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Rights, RoyaltyRule, Statement, Sums, Usage, sum_exactly

_POOL = "pool_that_stays_units"


class RuleWithout:
    """A rule that is not shown some accounts and works (a `RoyaltyRule`); its pool is its own.

    Parameters
    ----------
    rule : RoyaltyRule
        The rule.
    first_account : int or None
        Accounts with this listener id or a higher one are left out; None for leaving nobody out.
    works : ndarray of int64, shape (num_left_out,)
        Works whose plays are left out.
    """

    def __init__(self, rule: RoyaltyRule, first_account: int | None, works: npt.NDArray[np.int64]) -> None:
        self._rule = rule
        self._first_account = first_account
        self._works = works

    @property
    def name(self) -> str:
        """The rule's own name."""
        return self._rule.name

    @property
    def needs_listeners(self) -> bool:
        """Whether the rule needs to know which listener played what."""
        return self._rule.needs_listeners

    @property
    def num_rounds(self) -> int:
        """The rule's own number of rounds."""
        return self._rule.num_rounds

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return the rule's statistics of the usage that stays, and the pool of the accounts that stay."""
        left = usage_without(usage, self._first_account, self._works)
        pool = np.array([sum_exactly(left.fee_units)], dtype=np.int64)
        return {**self._rule.statistics(left, rights, totals), _POOL: pool}

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return what the rule makes of the usage and the pool that stay; ``pool_units`` is not looked at."""
        own = {name: values for name, values in statistics.items() if name != _POOL}
        return self._rule.settle(own, rights, int(statistics[_POOL][0]), epoch)


def usage_without(usage: Usage, first_account: int | None, works: npt.NDArray[np.int64]) -> Usage:
    """Return a usage without some accounts and without the plays of some works.

    Parameters
    ----------
    usage : Usage
        A shard's.
    first_account : int or None
        Accounts with this listener id or a higher one are left out; None for leaving nobody out.
    works : ndarray of int64, shape (num_left_out,)
        Works whose plays are left out; whoever played them still pays.

    Returns
    -------
    Usage
        ``plays_by_day`` is kept only where nothing is left out; rules do not read it.
    """
    stays = np.ones(usage.listener_ids.size, dtype=np.bool_)
    if first_account is not None:
        stays = usage.listener_ids < first_account
    row = np.repeat(np.arange(usage.listener_ids.size), np.diff(usage.indptr))
    kept = stays[row] & ~np.isin(usage.work_ids, works)
    sizes = np.bincount(row[kept], minlength=usage.listener_ids.size)[stays]
    indptr = np.zeros(sizes.size + 1, dtype=np.int64)
    np.cumsum(sizes, out=indptr[1:])
    changed = not (stays.all() and kept.all())
    return Usage(
        epoch=usage.epoch,
        num_works=usage.num_works,
        listener_ids=usage.listener_ids[stays],
        fee_units=usage.fee_units[stays],
        indptr=indptr,
        work_ids=usage.work_ids[kept],
        plays=usage.plays[kept],
        seconds=usage.seconds[kept],
        plays_by_day=np.zeros((1, usage.num_works), dtype=np.int64) if changed else usage.plays_by_day,
        has_listeners=usage.has_listeners,
    )
