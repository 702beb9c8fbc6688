"""From shards to a statement: statistics in each, summed, in as many rounds as the rule asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from heritage_sim.base import Rights, RoyaltyRule, Statement, Sums, Usage, sum_exactly


def sum_statistics(shards: Iterable[Sums]) -> Sums:
    """Return the element-by-element sum of shards' statistics; whole numbers, so order never matters.

    Parameters
    ----------
    shards : iterable of dict
        One dictionary of arrays for each shard.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If there is no shard, or shards disagree on names.
    """
    total: Sums = {}
    for i, sums in enumerate(shards):
        if i == 0:
            total = {k: np.array(v, dtype=np.int64) for k, v in sums.items()}
            continue
        if sums.keys() != total.keys():
            raise ValueError(f"shards disagree on statistics: {sorted(total)} and {sorted(sums)}")
        for k, v in sums.items():
            total[k] += v
    if not total:
        raise ValueError("no shard gave statistics")
    return total


def settle_usage(
    rule: RoyaltyRule, usages: Sequence[Usage], rights: Rights, pool_units: int | None = None
) -> Statement:
    """Return the statement of a rule on usage held in memory (a usage file, or all shards of a small economy).

    Parameters
    ----------
    rule : RoyaltyRule
        The rule.
    usages : sequence of Usage
        One for each shard, of one epoch.
    rights : Rights
        Who is owed.
    pool_units : int, optional
        Amount to share out; the sum of all fees where not given.

    Returns
    -------
    Statement
    """
    pool = sum(sum_exactly(u.fee_units) for u in usages) if pool_units is None else pool_units
    totals: Sums | None = None
    for _ in range(rule.num_rounds):
        totals = sum_statistics([rule.statistics(u, rights, totals) for u in usages])
    assert totals is not None
    return rule.settle(totals, rights, pool, usages[0].epoch)
