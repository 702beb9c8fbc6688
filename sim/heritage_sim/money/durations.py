"""How long each part of the money took: from the treasury's books and the days on which it was earned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from heritage_sim.base import Calendar
from heritage_sim.base.clock import DAY_S
from heritage_sim.money.books import NEVER, EpochBooks, Int64
from heritage_sim.money.outcomes import Durations
from heritage_sim.money.treasury import Treasury


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Money of an epoch that was withdrawable, and paid, at the same moments."""

    line: EpochBooks
    first_day: int
    units_by_day: Int64
    payments_by_day: np.ndarray[tuple[int], np.dtype[np.float64]]
    withdrawable_s: int
    paid_s: int
    trapped: bool


def durations_of(
    treasury: Treasury, settled: Sequence[tuple[int, Int64]], calendar: Calendar, until_s: int
) -> tuple[Int64, Int64, Durations]:
    """Return epoch, day of play, and durations of all money, one row for each day and moment of payment.

    Parameters
    ----------
    treasury : Treasury
        Books and calendar.
    settled : sequence of (int, ndarray of int64)
        Of each epoch its first day, and what each payee earned on each day, shape ``(num_payees, num_days)``.
    calendar : Calendar
        Maps chain time to days.
    until_s : int
        End of the days lived, until which money was observed at least.

    Returns
    -------
    epoch, day : ndarray of int64, shape (num_rows,)
    durations : Durations
    """
    parts = [
        p
        for line, (first, units) in zip(treasury.books, settled, strict=True)
        for p in _parts(treasury, line, first, units)
    ]
    # Blocks may come a few seconds after the wished end.
    end_s = max([until_s, treasury.observed_s, *(s for p in parts for s in (p.withdrawable_s, p.paid_s))])

    def column(value: str) -> Int64:
        sizes = [p.units_by_day.size for p in parts]
        return np.repeat(np.array([getattr(p, value) for p in parts], dtype=np.int64), sizes)

    def of_line(value: str) -> Int64:
        sizes = [p.units_by_day.size for p in parts]
        return np.repeat(np.array([getattr(p.line, value) for p in parts], dtype=np.int64), sizes)

    def since(at_s: Int64, from_s: Int64) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.where((at_s == NEVER) | (from_s == NEVER), np.nan, (at_s - from_s) / DAY_S)

    empty = [np.zeros(0, dtype=np.int64)]
    day = np.concatenate([p.first_day + np.arange(p.units_by_day.size) for p in parts] or empty).astype(np.int64)
    played_s = np.array([calendar.middle_of(d) for d in day.tolist()], dtype=np.int64)
    ended_s, ready_s = of_line("ended_s"), of_line("ready_s")
    withdrawable_s, paid_s = column("withdrawable_s"), column("paid_s")
    lags = [np.full(day.size, step.lag_s / DAY_S) for step in treasury.money.shared_steps]
    return (
        of_line("epoch"),
        day,
        Durations(
            units=np.concatenate([p.units_by_day for p in parts] or empty),
            payments=np.concatenate([p.payments_by_day for p in parts] or [np.zeros(0)]),
            withdrawable_days=since(withdrawable_s, played_s),
            paid_days=since(paid_s, played_s),
            observed_days=since(np.full(day.size, end_s), played_s),
            step_days=np.stack(
                [since(ended_s, played_s), *lags, since(withdrawable_s, ready_s), since(paid_s, withdrawable_s)]
            ),
            trapped=column("trapped").astype(np.bool_),
        ),
    )


def _parts(treasury: Treasury, line: EpochBooks, first_day: int, units: Int64) -> Iterator[_Part]:
    """Yield an epoch's money by moment of payment; payees who are owed nothing make no part of their own."""
    trapped = treasury.settlement.passed_over(line) > 0
    keys = np.stack([line.payee_withdrawable_s, line.payee_paid_s, trapped.astype(np.int64)], axis=1)
    owed = line.payee_units > 0
    for withdrawable_s, paid_s, is_trapped in np.unique(keys[owed] if owed.any() else keys, axis=0).tolist():
        mine = (keys == (withdrawable_s, paid_s, is_trapped)).all(axis=1)
        by_payee = units[mine]
        total = np.maximum(line.payee_units[mine], 1)[:, None]
        yield _Part(
            line=line,
            first_day=first_day,
            units_by_day=by_payee.sum(axis=0),
            payments_by_day=(by_payee / total).sum(axis=0),
            withdrawable_s=withdrawable_s,
            paid_s=paid_s,
            trapped=bool(is_trapped),
        )
