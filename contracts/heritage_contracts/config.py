"""Configuration of the ledger."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from heritage_sim.base import Currency, Section

TOKEN_DECIMALS = 6
"""Decimals of `SettlementToken`; a property of the contract, not a setting."""
HOUR_S = 3_600
DAY_S = 86_400


class LedgerConfig(Section):
    """How royalties are settled.

    The kind never changes an outcome: all ledgers agree to the unit and, where we make the blocks, to the second.
    """

    kind: Literal["reference", "evm", "anvil", "rpc"] = Field(
        default="reference",
        description="reference: pure integers, milliseconds. evm: the Solidity contracts on an embedded EVM, seconds. "
        "anvil: on an Anvil that is started and stopped with the ledger. rpc: on the chain behind rpc_url.",
    )
    rpc_url: str = Field(
        default="", description="Address of the node where kind is rpc, such as http://127.0.0.1:8545; keys stay here."
    )
    confirmations: int = Field(
        default=2, ge=0, le=1000, description="Blocks that must stand on a transaction before it counts; kind rpc only."
    )
    poll_seconds: float = Field(
        default=1.0, gt=0.0, le=600.0, description="Seconds between two looks at a chain of others; kind rpc only."
    )
    evm_replications: int = Field(
        default=1,
        ge=0,
        description="How many replications of a cell run on a chain where kind is not reference; the others use the "
        "reference.",
    )
    challenge_window_hours: float = Field(
        default=24.0, ge=0.0, le=8760.0, description="Hours between posting an epoch and the money being withdrawable."
    )
    silence_days: float = Field(
        default=90.0,
        gt=0.0,
        le=36_500.0,
        description="Days without a new final epoch after which anybody may wind the distributor up; longer than the "
        "challenge window.",
    )
    notice_days: float = Field(
        default=180.0,
        ge=0.0,
        le=36_500.0,
        description="Days between notice that money lies unclaimed and its going to the fund of the payee's community.",
    )
    rotation_delay_hours: float = Field(
        default=72.0,
        ge=0.0,
        le=87_600.0,
        description="Hours between asking that a payee's money go to another account and that taking effect.",
    )
    payment_rule: Literal["lap", "decay", "lrp"] = Field(
        default="lap",
        description="How a direct payment is split along a work's sources. lap: every ancestor is due its share of "
        "every descendant's payments. decay: times payment_decay for each further generation. lrp: direct parents "
        "only, who pass on to theirs.",
    )
    payment_every_path: bool = Field(
        default=True,
        description="Whether an ancestor reached by several paths counts once for each, or once with its largest "
        "share; true under lrp.",
    )
    payment_decay: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Factor for each further generation; used under decay only."
    )
    community_members: int = Field(default=3, ge=1, le=32, description="Simulated members who sign for each community.")
    community_threshold: int = Field(default=2, ge=1, le=32, description="How many of a community's members must sign.")
    faults: str = Field(
        default="", description="Named schedule of faults between client and Anvil; empty for none; kind anvil only."
    )
    fault_replication: int = Field(
        default=0, ge=0, description="Whose faults strike: set to the number of each replication where there are any."
    )
    currency_code: str = Field(
        default="hUSD", min_length=1, max_length=11, description="Name of the settlement token, shown beside amounts."
    )
    payee_salt: str = Field(
        default="simulated",
        description="Salt of payee ids on the chain. Public here, as the wallets are simulated; secret in earnest use.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> LedgerConfig:
        wrong = [
            (self.silence_s <= self.challenge_window_s, "silence_days", "Make it longer than challenge_window_hours."),
            (self.community_threshold > self.community_members, "community_threshold", "At most community_members."),
            (self.payment_rule == "lrp" and not self.payment_every_path, "payment_every_path", "Under lrp it is true."),
            (self.kind == "rpc" and not self.rpc_url, "rpc_url", "Give the node's address where kind is rpc."),
        ]
        for is_wrong, key, remedy in wrong:
            if is_wrong:
                raise ValueError(f"{key} does not fit the other settings of the ledger. {remedy}")
        return self

    @property
    def currency(self) -> Currency:
        """Return the unit of all amounts."""
        return Currency(code=self.currency_code, decimals=TOKEN_DECIMALS)

    @property
    def challenge_window_s(self) -> int:
        """Return the challenge window in whole seconds."""
        return round(self.challenge_window_hours * HOUR_S)

    @property
    def silence_s(self) -> int:
        """Return the time of silence before winding up in whole seconds."""
        return round(self.silence_days * DAY_S)

    @property
    def notice_s(self) -> int:
        """Return the time of notice in whole seconds."""
        return round(self.notice_days * DAY_S)

    @property
    def rotation_delay_s(self) -> int:
        """Return the delay of a rotation in whole seconds."""
        return round(self.rotation_delay_hours * HOUR_S)

    @property
    def payment_decay_parts(self) -> int:
        """Return the decay in parts of 10^8; 0 where the rule has none."""
        return round(self.payment_decay * 100_000_000) if self.payment_rule == "decay" else 0

    def of_replication(self, replication: int) -> LedgerConfig:
        """Return one replication's configuration: the chain for the first `evm_replications`, else the reference."""
        if self.kind != "reference" and replication >= self.evm_replications:
            return self.model_copy(update={"kind": "reference"})
        return self.model_copy(update={"fault_replication": replication}) if self.faults else self
