"""Combinations of epoch length, challenge window and way of claiming: days, gas, and time left to dispute.

Days follow from `heritage_sim.money.claiming` (tests check it against the running money chain), gas from `measure_gas`.
A combination is on the frontier if no other is at least as good in days by money, days by payments, gas and time to
dispute, and better in one. Days by payments stand beside those by money because a threshold on balances looks fast by
money while most payees wait for years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from heritage_experiments.frontier.gas import Gas
from heritage_sim.base import InputError
from heritage_sim.money.claiming import epochs_until, waiting_quantile
from heritage_sim.money.outcomes import DAYS_PER_MONTH

YEAR_DAYS = 365.25
HOURS_SHOWN = 24.0
EPOCH_DAYS = (1.0, 7.0, 14.0, 30.0, 91.0)
WINDOW_HOURS = (1.0, 24.0, 72.0, 168.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """A way of claiming.

    Parameters
    ----------
    name, words : str
        As data, and for people.
    rhythm : str
        ``epoch``: after every one; ``month``: when a month's epochs are final, at least one; ``threshold``: when the
        balance reaches one.
    shared : bool
        Whether somebody claims for many neighbours by one proof, or each payee for itself.
    """

    name: str
    words: str
    rhythm: Literal["epoch", "month", "threshold"]
    shared: bool


POLICIES = (
    Policy("each_epoch", "own, each epoch", "epoch", False),
    Policy("monthly", "own, monthly", "month", False),
    Policy("threshold", "own, by balance", "threshold", False),
    Policy("relayer_each_epoch", "relayed, each epoch", "epoch", True),
    Policy("relayer_monthly", "relayed, monthly", "month", True),
)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of payees; nobody measured it.

    Parameters
    ----------
    monthly_units : int
        What payees earn a month on average, smallest units. The payee of rank i earns in proportion to 1 / i.
    threshold_units : int
        Balance from which payees claim under ``threshold``, smallest units.
    claim_hours : float
        From money being withdrawable until a claim is in the payee's hands.
    ready_days : float
        From an epoch's end until its statement can be posted: report, matching, cash-in, statement.
    """

    monthly_units: int = 10_000_000
    threshold_units: int = 50_000_000
    claim_hours: float = 10.0
    ready_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """What gas costs, as somebody states it.

    Parameters
    ----------
    gas_gwei : float
        Price of one gas, billionths of the chain's coin.
    coin : float
        Price of the coin, in ``unit``.
    unit : str
        Unit of what is reported.
    """

    gas_gwei: float
    coin: float
    unit: str

    def of(self, gas: float) -> float:
        """Return what so much gas costs."""
        return gas * self.gas_gwei * 1e-9 * self.coin


@dataclass(frozen=True, slots=True)
class Point:
    """One combination.

    Parameters
    ----------
    epoch_days, window_hours : float
        Epoch length, challenge window.
    policy : str
        Name of a way of claiming.
    days_to_withdrawable, days_to_paid : float
        Median days from the play, every unit of money weighing the same.
    days_to_paid_payments : float
        The same, every payment (what an epoch gives one payee) weighing the same.
    gas_per_payee_month : float
        Posting, finalising and claims of a month, divided by payees.
    hours_to_dispute : float
        How long a posted epoch can still be stopped.
    payees_waiting_over_a_year : float
        Share of payees whose claims lie more than a year apart, percent.
    cost_per_payee_month : float or None
        In the unit of the price; None without one.
    on_frontier : bool
        Whether nothing else here is as fast, as cheap and as long open to dispute, and better in one of them.
    """

    epoch_days: float
    window_hours: float
    policy: str
    days_to_withdrawable: float
    days_to_paid: float
    days_to_paid_payments: float
    gas_per_payee_month: float
    hours_to_dispute: float
    payees_waiting_over_a_year: float
    cost_per_payee_month: float | None
    on_frontier: bool


def frontier(
    gas: Gas,
    assumed: Assumed,
    epoch_days: Sequence[float] = EPOCH_DAYS,
    window_hours: Sequence[float] = WINDOW_HOURS,
    price: Price | None = None,
) -> tuple[Point, ...]:
    """Return all combinations that can run, by epoch, window and policy.

    Claiming monthly is left out where an epoch is no shorter than a month: it is claiming after each one. A window
    longer than ``gas.max_pending`` epochs cannot run: statements would pile up before the contract without end.

    Parameters
    ----------
    gas : Gas
        Measured for the number of payees.
    assumed : Assumed
        What is assumed of them.
    epoch_days : sequence of float
        Lengths of an epoch, days.
    window_hours : sequence of float
        Challenge windows, hours.
    price : Price, optional
        Makes costs of gas.

    Returns
    -------
    tuple of Point

    Raises
    ------
    InputError
        If no combination can run.
    """
    rows = [
        _row(gas, assumed, epoch, window, policy)
        for epoch in epoch_days
        for window in window_hours
        if window / 24.0 <= gas.max_pending * epoch
        for policy in POLICIES
        if policy.rhythm != "month" or _epochs_a_month(epoch) > 1
    ]
    if not rows:
        raise InputError(
            f"every window is longer than {gas.max_pending} epochs",
            "--epoch-days, --window-hours",
            f"At most {gas.max_pending} epochs may wait for their windows; take longer epochs or shorter windows.",
        )
    best = pareto(np.array([[r[4], r[5], r[6], -r[7]] for r in rows]))
    return tuple(
        Point(*row, price.of(row[6]) if price else None, bool(b)) for row, b in zip(rows, best.tolist(), strict=True)
    )


def at_one_window(points: Sequence[Point]) -> tuple[float, tuple[Point, ...]]:
    """Return one window, a day's or the first above it, and what is on the frontier there.

    Another window moves days and time to dispute by its difference and leaves gas as it is, so one of them shows all.
    """
    windows = sorted({p.window_hours for p in points})
    chosen = next((w for w in windows if w >= HOURS_SHOWN), windows[-1])
    return chosen, tuple(p for p in points if p.on_frontier and p.window_hours == chosen)


def incomes(num_payees: int, monthly_units: int) -> npt.NDArray[np.float64]:
    """Return what the payee of each rank earns a month, in proportion to 1 / rank, with the given mean."""
    share = 1.0 / np.arange(1, num_payees + 1)
    return monthly_units * num_payees * share / share.sum()


def pareto(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return which rows no other row beats: no worse in any column and better in one.

    Parameters
    ----------
    costs : ndarray of float64, shape (n, num_aims)
        The smaller the better.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    no_worse = (costs[:, None, :] <= costs[None, :, :]).all(axis=2)
    better = (costs[:, None, :] < costs[None, :, :]).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0), dtype=np.bool_)


def _epochs_a_month(epoch_days: float) -> int:
    return max(1, round(DAYS_PER_MONTH / epoch_days))


def _row(
    gas: Gas, assumed: Assumed, epoch_days: float, window_hours: float, policy: Policy
) -> tuple[float, float, str, float, float, float, float, float, float]:
    monthly = incomes(gas.num_payees, assumed.monthly_units)
    epochs = np.ones(gas.num_payees)
    if policy.rhythm == "month":
        epochs *= _epochs_a_month(epoch_days)
    elif policy.rhythm == "threshold":
        # Whole units, of which a payee earns at least one an epoch.
        earned = np.maximum(np.floor(monthly * epoch_days / DAYS_PER_MONTH), 1).astype(np.int64)
        epochs = epochs_until(assumed.threshold_units, earned).astype(np.float64)
    period_days = epochs * epoch_days
    fixed = assumed.ready_days + window_hours / 24.0
    in_hand = fixed + assumed.claim_hours / 24.0
    claim = gas.shared_claim if policy.shared else gas.single_claim
    posting = gas.epoch * DAYS_PER_MONTH / epoch_days / gas.num_payees
    return (
        epoch_days,
        window_hours,
        policy.name,
        waiting_quantile([epoch_days], [1.0], fixed, 0.5),
        waiting_quantile(period_days, monthly, in_hand, 0.5),
        waiting_quantile(period_days, np.ones(gas.num_payees), in_hand, 0.5),
        posting + claim * float((DAYS_PER_MONTH / period_days).mean()),
        window_hours,
        100.0 * float((period_days > YEAR_DAYS).mean()),
    )
