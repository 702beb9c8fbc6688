"""What became of the money: how long it took, what is stuck, what can be traced, what licences and payments cost.

Durations run from the middle of the day of the play. What is not withdrawable or not paid when observation ends is
censored then (Kaplan-Meier); a quantile that is not reached is NaN, and counted. Each duration is given twice: every
smallest unit of money weighing the same, and every payment (what a statement gives one payee) weighing the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Outcome
from heritage_sim.metrics import kaplan_meier, survival_quantile, weighted_quantile
from heritage_sim.money import STEPS

Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NAN = float("nan")
PERCENT, DAYS, MONTHS, UNITS, INDEX = "%", "days", "months", "smallest unit", "1"
DAYS_PER_MONTH = 365.25 / 12
QUANTILES = (("median", 0.5), ("p90", 0.9))


@runtime_checkable
class Submissions(Protocol):
    """What became of a ledger's transactions, where there are any."""

    @property
    def attempts(self) -> int:
        """Transactions sent."""
        ...

    @property
    def failed_attempts(self) -> int:
        """Transactions sent that did not lead into a block."""
        ...

    @property
    def intents(self) -> int:
        """Things asked for."""
        ...

    @property
    def unresolved(self) -> int:
        """Things asked for that neither happened nor were refused."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """Money by epoch, day of play, and moment of payment; one row each.

    Parameters
    ----------
    units : ndarray of int64, shape (num_rows,)
        Money.
    payments : ndarray of float64, shape (num_rows,)
        How many payments that is: a payee's amount of an epoch is one, its parts are fractions of one.
    withdrawable_days, paid_days : ndarray of float64, shape (num_rows,)
        From the play; NaN where it has not happened.
    observed_days : ndarray of float64, shape (num_rows,)
        From the play to the end of observation.
    step_days : ndarray of float64, shape (len(STEPS), num_rows)
        Part of each step; NaN where a step has not ended.
    trapped : ndarray of bool, shape (num_rows,)
        Whether a payment run has passed the money over and none has paid it.
    """

    units: Int64
    payments: Floats
    withdrawable_days: Floats
    paid_days: Floats
    observed_days: Floats
    step_days: Floats
    trapped: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class MoneyEvidence:
    """All that outcomes of money are computed from.

    Parameters
    ----------
    durations : Durations
        How long it took.
    pool_units : int
        All pools together.
    num_epochs : int
        Epochs that have ended.
    cost_units : int
        What payments have cost.
    traceable_units : int
        Money that is traceable.
    licence_units : ndarray of int64, shape (num_communities,)
        Licence fees credited to each community, fund and members together.
    num_licences : int
        How many were paid.
    submissions : Submissions or None
        What became of the ledger's transactions; None where it has none.
    """

    durations: Durations
    pool_units: int
    num_epochs: int
    cost_units: int
    traceable_units: int
    licence_units: Int64
    num_licences: int
    submissions: Submissions | None = None


def no_money(num_communities: int) -> MoneyEvidence:
    """Return the evidence of an economy in which nothing has happened."""
    none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    durations = Durations(none, nothing, nothing, nothing, nothing, np.zeros((len(STEPS), 0)), np.zeros(0, np.bool_))
    return MoneyEvidence(durations, 0, 0, 0, 0, np.zeros(num_communities, dtype=np.int64), 0)


def money_outcomes(evidence: MoneyEvidence) -> Iterator[Outcome]:
    """Yield the outcomes of money, those about transactions last and only where the ledger counts them."""
    durations = evidence.durations
    found = list(_quantiles(durations))
    yield from found[:2]
    yield Outcome("pool_units", float(evidence.pool_units), UNITS, evidence.num_epochs)
    yield from found[2:]
    unreached = sum(np.isnan(o.value) for o in found) if durations.units.any() else 0
    yield Outcome("settlement_quantiles_unreached", float(unreached), INDEX, len(found))
    yield from _steps(durations)
    yield from _stuck(durations)
    yield Outcome("payment_costs_units", float(evidence.cost_units), UNITS, evidence.num_epochs)
    traced = 100.0 * evidence.traceable_units / evidence.pool_units if evidence.pool_units else NAN
    yield Outcome("traceable_money_share", traced, PERCENT, evidence.num_epochs)
    licences = evidence.licence_units
    yield Outcome("licence_fees_units", float(licences.sum()), UNITS, evidence.num_licences)
    for i, units in enumerate(licences.tolist()):
        yield Outcome(f"licence_fees_units_community_{i}", float(units), UNITS, licences.size)
    if evidence.submissions is not None:
        yield from _failures(evidence.submissions)


def _quantiles(durations: Durations) -> Iterator[Outcome]:
    for weighted, weights, n in (
        ("", durations.units.astype(np.float64), durations.units.size),
        ("_payments", durations.payments, round(float(durations.payments.sum()))),
    ):
        for what, days in (("withdrawable", durations.withdrawable_days), ("paid", durations.paid_days)):
            happened = ~np.isnan(days)
            curve = kaplan_meier(np.where(happened, days, durations.observed_days), happened, weights)
            for name, q in QUANTILES:
                value = survival_quantile(curve, q)
                value = value if np.isfinite(value) else NAN
                yield Outcome(f"settlement_days_{what}{weighted}_{name}", value, DAYS, n)


def _steps(durations: Durations) -> Iterator[Outcome]:
    """Yield each step's mean part over the money that was paid, each smallest unit weighing the same.

    Over the same money they sum to the mean days to payment.
    """
    paid = ~np.isnan(durations.paid_days) & (durations.units > 0)
    weights = durations.units[paid].astype(np.float64)
    for name, days in zip(STEPS, durations.step_days, strict=True):
        value = float(np.average(days[paid], weights=weights)) if weights.size else NAN
        yield Outcome(f"settlement_step_days_{name}", value, DAYS, int(weights.size))


def _stuck(durations: Durations) -> Iterator[Outcome]:
    units, total = durations.units, int(durations.units.sum())
    for name, rows in (("unpaid", np.isnan(durations.paid_days)), ("trapped", durations.trapped)):
        share = 100.0 * int(units[rows].sum()) / total if total else NAN
        yield Outcome(f"{name}_money_share", share, PERCENT, units.size)
    # Waiting begins when the statement was ready: after all steps before settlement.
    before = durations.step_days[: STEPS.index("settlement")].sum(axis=0)
    here = durations.trapped
    months = (durations.observed_days - before)[here] / DAYS_PER_MONTH
    median = weighted_quantile(months, units[here], 0.5)
    yield Outcome("trapped_months_median", median, MONTHS, int(np.count_nonzero(here)))


def _failures(submissions: Submissions) -> Iterator[Outcome]:
    for name, bad, of in (
        ("ledger_failure_rate", submissions.failed_attempts, submissions.attempts),
        ("ledger_unresolved_rate", submissions.unresolved, submissions.intents),
    ):
        yield Outcome(name, 100.0 * bad / of if of else NAN, PERCENT, of)
