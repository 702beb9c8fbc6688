"""Configuration of the ledger."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from heritage_sim.base import Currency, Section, parameter

TOKEN_DECIMALS = 6
"""Decimals of `SettlementToken`; a property of the contract, not a setting."""
HOUR_S = 3_600
DAY_S = 86_400


class LedgerConfig(Section):
    """How royalties are settled.

    The kind never changes an outcome: all ledgers agree to the unit and, where we make the blocks, to the second.
    """

    kind: Literal["reference", "evm", "anvil", "rpc"] = parameter(
        "reference",
        "reference: pure integers, milliseconds. evm: the Solidity contracts on an embedded EVM, seconds. "
        "anvil: on an Anvil that is started and stopped with the ledger. rpc: on the chain behind rpc_url.",
        unit="name",
        source="the scenario",
    )
    rpc_url: str = parameter(
        "",
        "Address of the node where kind is rpc, such as http://127.0.0.1:8545; keys stay here.",
        unit="text",
        source="the scenario",
    )
    confirmations: int = parameter(
        2,
        "Blocks that must stand on a transaction before it counts; kind rpc only.",
        unit="blocks",
        source="the operator's choice",
        ge=0,
        le=1000,
    )
    poll_seconds: float = parameter(
        1.0,
        "Seconds between two looks at a chain of others; kind rpc only.",
        unit="s",
        source="the operator's choice",
        gt=0.0,
        le=600.0,
    )
    evm_replications: int = parameter(
        1,
        "How many replications of a cell run on a chain where kind is not reference; the others use the reference.",
        unit="replications",
        source="the scenario",
        ge=0,
    )
    challenge_window_hours: float = parameter(
        24.0, "Hours between posting an epoch and the money being withdrawable.", unit="h", ge=0.0, le=8760.0
    )
    silence_days: float = parameter(
        90.0,
        "Days without a new final epoch after which anybody may wind the distributor up; longer than the "
        "challenge window.",
        unit="days",
        gt=0.0,
        le=36_500.0,
    )
    notice_days: float = parameter(
        180.0,
        "Days between notice that money lies unclaimed and its going to the fund of the payee's community.",
        unit="days",
        ge=0.0,
        le=36_500.0,
    )
    rotation_delay_hours: float = parameter(
        72.0,
        "Hours between asking that a payee's money go to another account and that taking effect.",
        unit="h",
        ge=0.0,
        le=87_600.0,
    )
    payment_rule: Literal["lap", "decay", "lrp"] = parameter(
        "lap",
        "How a direct payment is split along a work's sources. lap: every ancestor is due its share of "
        "every descendant's payments. decay: times payment_decay for each further generation. lrp: direct "
        "parents only, who pass on to theirs.",
        unit="name",
        source="the scenario",
    )
    payment_every_path: bool = parameter(
        True,
        "Whether an ancestor reached by several paths counts once for each, or once with its largest "
        "share; true under lrp.",
        unit="yes or no",
        source="the scenario",
    )
    payment_decay: float = parameter(
        0.5, "Factor for each further generation; used under decay only.", unit="1", ge=0.0, le=1.0
    )
    community_members: int = parameter(3, "Simulated members who sign for each community.", unit="members", ge=1, le=32)
    community_threshold: int = parameter(2, "How many of a community's members must sign.", unit="members", ge=1, le=32)
    faults: str = parameter(
        "",
        "Named schedule of faults between client and Anvil; empty for none; kind anvil only.",
        unit="text",
        source="the scenario",
    )
    fault_replication: int = parameter(
        0,
        "Whose faults strike: set to the number of each replication where there are any.",
        unit="number of a replication",
        source="the scenario",
        ge=0,
    )
    currency_code: str = parameter(
        "hUSD",
        "Name of the settlement token, shown beside amounts.",
        unit="text",
        source="the scenario",
        min_length=1,
        max_length=11,
    )
    payee_salt: str = parameter(
        "simulated",
        "Salt of payee ids on the chain. Public here, as the wallets are simulated; secret in earnest use.",
        unit="text",
        source="the scenario",
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
