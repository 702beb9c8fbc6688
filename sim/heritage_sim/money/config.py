"""Configuration of the money chain: how long each step takes, where the figure comes from, and how payees are paid."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heritage_sim.base import Section, parameter
from heritage_sim.base.clock import DAY_S

IMMEDIATE = "none: taken as immediate"
BESIDE = "said in `source` beside it"
"""Source of a figure whose source the scenario itself states, for each step of the chain apart."""
CHOSEN = "the scenario"
"""Source of a choice that is what a scenario compares, and no figure about the world."""


class StepConfig(Section):
    """A step that takes as long every time."""

    days: float = parameter(0.0, "How long the step takes", unit="days", source=BESIDE, ge=0.0, le=36_500.0)
    source: str = parameter(
        IMMEDIATE, "Where the figure comes from, or that it is assumed", unit="text", source=CHOSEN, min_length=1
    )

    @property
    def lag_s(self) -> int:
        """Return the lag, rounded to whole seconds."""
        return round(self.days * DAY_S)


class SettlementConfig(Section):
    """How a statement's money becomes withdrawable; all other steps are the same for both kinds.

    on_chain: the statement is posted on the ledger and final when the challenge window is over
    (``ledger.challenge_window_hours``). manual: balances wait in a queue for the next payment run; each payment costs
    something, and balances below a minimum stay where they are.
    """

    kind: Literal["on_chain", "manual"] = parameter("on_chain", "Which of the two", unit="name", source=CHOSEN)
    source: str = parameter(
        "none: this testbed's own contracts",
        "Where the figures come from, or the assumption",
        unit="text",
        source=CHOSEN,
        min_length=1,
    )
    claim_every_epochs: int = parameter(
        1,
        "on_chain: payees claim after every so many final epochs; 0: never",
        unit="epochs",
        source=BESIDE,
        ge=0,
        le=1_000,
    )
    claim_at_end: bool = parameter(
        True,
        "on_chain: whether what is left is claimed after the last epoch too, unless payees never claim",
        unit="yes or no",
        source=BESIDE,
    )
    batch_days: float = parameter(
        90.0, "manual: days between payment runs", unit="days", source=BESIDE, ge=1.0, le=3_650.0
    )
    first_batch_days: float | None = parameter(
        None,
        "manual: when the first payment run falls, counted from day 0; null: nobody knows, and each replication draws "
        "it evenly from one period, the same for all cells",
        unit="days",
        source=BESIDE,
        ge=0.0,
        le=3_650.0,
    )
    cost_units: int = parameter(
        0,
        "manual: cost of one payment, taken from it, in the token's smallest unit",
        unit="smallest unit",
        source=BESIDE,
        ge=0,
    )
    minimum_units: int = parameter(
        0,
        "manual: balance from which a payee is paid, in the token's smallest unit",
        unit="smallest unit",
        source=BESIDE,
        ge=0,
    )
    cost_sink: str = parameter(
        "payment costs",
        "manual: name of the account that the costs of payments go to",
        unit="name",
        source=CHOSEN,
        min_length=1,
    )


def _cash_out() -> StepConfig:
    return StepConfig(
        days=10 / 24,
        source="assumed: what a published median of 1.92 days leaves over if epoch and window are a day each",
    )


class MoneyChainConfig(Section):
    """From the play to money in hand: each step's lag, and the settlement step.

    A statement's money is ready to be settled when the epoch is over and report, matching, cash-in and statement have
    followed one another.
    """

    report: StepConfig = Field(
        default_factory=StepConfig, description="From the epoch's end until its usage is reported."
    )
    matching: StepConfig = Field(
        default_factory=StepConfig, description="From the report until plays are matched with works and payees."
    )
    cash_in: StepConfig = Field(default_factory=StepConfig, description="From there until the pool's money is in.")
    statement: StepConfig = Field(
        default_factory=StepConfig, description="From there until the statement is ready to be settled."
    )
    settlement: SettlementConfig = Field(default_factory=SettlementConfig, description="How payees come to be paid.")
    cash_out: StepConfig = Field(
        default_factory=_cash_out,
        description="From money being withdrawable until it is in the payee's hands: a claim, a transfer.",
    )
    follow_days: float = parameter(
        30.0,
        "How long money is followed after the last simulated day; what is unpaid then is censored",
        unit="days",
        source=CHOSEN,
        ge=0.0,
        le=36_500.0,
    )

    @property
    def shared_steps(self) -> tuple[StepConfig, ...]:
        """Return the steps between an epoch's end and its settlement, in order."""
        return (self.report, self.matching, self.cash_in, self.statement)

    @property
    def ready_lag_s(self) -> int:
        """Return the seconds from an epoch's end until its statement is ready to be settled."""
        return sum(step.lag_s for step in self.shared_steps)
