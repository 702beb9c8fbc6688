"""Step 7: the rule's statistics are computed where the usage is, summed, and settled into a statement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Executor, LedgerError, Rights, RoyaltyRule, Statement, Sums, sum_exactly
from heritage_sim.sharding import add_sums


def epoch_totals(executor: Executor, epoch: int) -> tuple[int, npt.NDArray[np.int64]]:
    """Return the epoch's pool, and the plays that count in it.

    Parameters
    ----------
    executor : Executor
        Where the usage is.
    epoch : int
        Number of the epoch.

    Returns
    -------
    pool_units : int
        What all subscribers pay into the pool, in the token's smallest unit.
    plays_by_day : ndarray of int64, shape (num_days, num_works)
        Plays of each work on each day of the epoch.
    """
    totals = add_sums(executor.call("epoch_totals", epoch))
    return int(totals["pool_units"][0]), totals["plays_by_day"]


def statements(
    executor: Executor, rules: Sequence[RoyaltyRule], rights: Rights, pool_units: int, epoch: int
) -> list[Statement]:
    """Return what each rule makes of one epoch's usage.

    All rules are asked in one call to the shards; those with a second round are asked again with their first totals.

    Parameters
    ----------
    executor : Executor
        Where the usage is.
    rules : sequence of RoyaltyRule
        Rules to settle by, the one in force and its shadows alike.
    rights : Rights
        Who is owed for which work in this epoch.
    pool_units : int
        What all subscribers pay into the pool, in the token's smallest unit.
    epoch : int
        Number of the epoch.

    Returns
    -------
    list of Statement, length num_rules
        One for each rule, in the order of ``rules``.

    Raises
    ------
    LedgerError
        If a statement does not sum to the pool.
    """
    totals = rule_totals(executor, rules, rights, epoch)
    made = [rule.settle(sums, rights, pool_units, epoch) for rule, sums in zip(rules, totals, strict=True)]
    for statement in made:
        _check(statement, pool_units)
    return made


def rule_totals(executor: Executor, rules: Sequence[RoyaltyRule], rights: Rights, epoch: int) -> list[Sums]:
    """Return each rule's statistics of an epoch's usage, summed over shards, after as many rounds as it asks for."""
    totals = _summed(executor, rules, rights, [None] * len(rules), epoch)
    again = [i for i, rule in enumerate(rules) if rule.num_rounds == 2]
    if again:
        second = _summed(executor, [rules[i] for i in again], rights, [totals[i] for i in again], epoch)
        for i, sums in zip(again, second, strict=True):
            totals[i] = sums
    return totals


def _summed(
    executor: Executor, rules: Sequence[RoyaltyRule], rights: Rights, totals: Sequence[Sums | None], epoch: int
) -> list[Sums]:
    by_shard = executor.call("rule_statistics", tuple(rules), rights, tuple(totals), epoch)
    return [add_sums([shard[i] for shard in by_shard]) for i in range(len(rules))]


def _check(statement: Statement, pool_units: int) -> None:
    for what, amounts in (("payees", statement.payee_units), ("works", statement.work_units)):
        total = sum_exactly(amounts)
        if total != pool_units:
            raise LedgerError(
                f"{statement.rule} gives {what} {total:,} units of a pool of {pool_units:,}",
                f"epoch {statement.epoch}",
                "a rule must share out its pool exactly; see heritage_sim.base.largest_remainder",
            )
