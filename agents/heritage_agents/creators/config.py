"""What can be set about creators.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from pydantic import Field

from heritage_sim.base import BPS, Section


class CreatorsConfig(Section):
    """The creators of every community and the rule by which they decide."""

    num_per_community: int = Field(default=20, description="Creators in each community.", ge=0, le=100_000)
    recording_cost_units: int = Field(
        default=40_000_000, description="Cost of recording a work, in the token's smallest unit. Assumed.", ge=0
    )
    commission_cost_units: int = Field(
        default=15_000_000,
        description="Cost of commissioning a derivative, in the token's smallest unit. Assumed.",
        ge=0,
    )
    commission_licence_bps: int = Field(
        default=2_000,
        description="Part of `commission_cost_units` that is the licence fee of the source work, in basis points; it "
        "is owed when the derivative is published, and paid at the epoch's end. Creators weigh the cost as a whole. "
        "Assumed.",
        ge=0,
        le=BPS,
    )
    recording_prestige_units: int = Field(
        default=0,
        description="What a recording is worth beside its earnings, in the token's smallest unit. Assumed.",
        ge=0,
    )
    expected_units_per_epoch: int = Field(
        default=10_000_000,
        description="What a new work is believed to earn in an epoch before anything was settled. Assumed.",
        ge=0,
    )
    belief_rate: float = Field(
        default=0.1,
        description="Share of the gap to the newest figures that the belief about earnings closes each day. Assumed.",
        ge=0.0,
        le=1.0,
    )
    horizon_epochs: float = Field(
        default=8.0, description="Epochs of earnings that are looked ahead to, at most. Assumed.", ge=0.0
    )
    decision_scale_units: int = Field(
        default=20_000_000, description="Gain that raises the odds of acting by e; scale of the logit. Assumed.", gt=0
    )
    base_log_odds: float = Field(
        default=-3.5,
        description="Log odds, on a day, of recording rather than resting at no gain; of commissioning alike. Assumed.",
    )

    @property
    def licence_fee_units_floor(self) -> int:
        """Return the licence fee of a commission, rounded down to the smallest unit."""
        return self.commission_cost_units * self.commission_licence_bps // BPS
