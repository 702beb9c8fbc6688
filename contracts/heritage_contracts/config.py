"""Configuration of the ledger."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heritage_sim.base import Currency, Section

TOKEN_DECIMALS = 6
"""Decimals of `SettlementToken`; a property of the contract, not a setting."""


class LedgerConfig(Section):
    """How royalties are settled.

    The kind never changes an outcome: both ledgers agree to the unit and to the second.
    """

    kind: Literal["reference", "evm"] = Field(
        default="reference",
        description="reference: pure integers, milliseconds. evm: the Solidity contracts on an embedded EVM, seconds.",
    )
    evm_replications: int = Field(
        default=1,
        ge=0,
        description="How many replications of a cell run on the EVM where kind is evm; the others use the reference.",
    )
    challenge_window_hours: float = Field(
        default=24.0, ge=0.0, le=8760.0, description="Hours between posting an epoch and the money being withdrawable."
    )
    currency_code: str = Field(
        default="hUSD", min_length=1, max_length=11, description="Name of the settlement token, shown beside amounts."
    )
    payee_salt: str = Field(
        default="simulated",
        description="Salt of payee ids on the chain. Public here, as the wallets are simulated; secret in earnest use.",
    )

    @property
    def currency(self) -> Currency:
        """Return the unit of all amounts."""
        return Currency(code=self.currency_code, decimals=TOKEN_DECIMALS)

    @property
    def challenge_window_s(self) -> int:
        """Return the challenge window in whole seconds."""
        return round(self.challenge_window_hours * 3600)

    def of_replication(self, replication: int) -> LedgerConfig:
        """Return the configuration of one replication: the EVM for the first `evm_replications`, else the reference."""
        if self.kind == "evm" and replication >= self.evm_replications:
            return self.model_copy(update={"kind": "reference"})
        return self
