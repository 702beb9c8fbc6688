"""Configuration of the money chain: how long each step takes, where the figure comes from, and how payees are paid."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heritage_sim.base import Section
from heritage_sim.base.clock import DAY_S

IMMEDIATE = "none: taken as immediate"


class StepConfig(Section):
    """A step that takes as long every time."""

    days: float = Field(default=0.0, ge=0.0, le=36_500.0, description="How long the step takes [days].")
    source: str = Field(
        default=IMMEDIATE, min_length=1, description="Where the figure comes from, or that it is assumed."
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

    kind: Literal["on_chain", "manual"] = Field(default="on_chain", description="Which of the two.")
    source: str = Field(
        default="none: this testbed's own contracts",
        min_length=1,
        description="Where the figures come from, or the assumption.",
    )
    claim_every_epochs: int = Field(
        default=1,
        ge=0,
        le=1_000,
        description="on_chain: payees claim after every so many final epochs [epochs]; 0: never.",
    )
    claim_at_end: bool = Field(
        default=True,
        description="on_chain: whether what is left is claimed after the last epoch too, unless payees never claim.",
    )
    batch_days: float = Field(
        default=90.0,
        ge=1.0,
        le=3_650.0,
        description="manual: days between payment runs [days].",
    )
    first_batch_days: float | None = Field(
        default=None,
        ge=0.0,
        le=3_650.0,
        description="manual: when the first payment run falls [days after day 0]; null: nobody knows, and each "
        "replication draws it evenly from one period, the same for all cells.",
    )
    cost_units: int = Field(
        default=0, ge=0, description="manual: cost of one payment, taken from it, in the token's smallest unit."
    )
    minimum_units: int = Field(
        default=0, ge=0, description="manual: balance from which a payee is paid, in the token's smallest unit."
    )
    cost_sink: str = Field(
        default="payment costs",
        min_length=1,
        description="manual: name of the account that the costs of payments go to.",
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
    follow_days: float = Field(
        default=30.0,
        ge=0.0,
        le=36_500.0,
        description="How long money is followed after the last simulated day [days]; what is unpaid then is censored.",
    )

    @property
    def shared_steps(self) -> tuple[StepConfig, ...]:
        """Return the steps between an epoch's end and its settlement, in order."""
        return (self.report, self.matching, self.cash_in, self.statement)

    @property
    def ready_lag_s(self) -> int:
        """Return the seconds from an epoch's end until its statement is ready to be settled."""
        return sum(step.lag_s for step in self.shared_steps)
