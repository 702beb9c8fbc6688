"""What can be set about communities.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heritage_sim.base import BPS, Consent, Section

ConsentName = Literal["train", "derive", "perform", "sell"]


class CommunityConfig(Section):
    """A community: its terms at the start, its listeners, and the rule by which it changes its terms."""

    name: str = Field(description="Fictional name of the community.", min_length=1)
    tradition: str = Field(description="Name of one of the scenario's traditions.", min_length=1)
    share_bps: int = Field(
        default=3_000,
        description="Share of a new work's earnings that goes to the community's fund. Assumed.",
        ge=0,
        le=BPS,
    )
    strictness: float = Field(
        default=0.3, description="Lowest consistency at which a derived piece is published. Assumed.", ge=0.0, le=1.0
    )
    consent: tuple[ConsentName, ...] = Field(
        default=("train", "derive", "perform", "sell"), description="Uses the community consents to at the start."
    )
    listener_share: float = Field(
        default=1.0,
        description="Weight of the listeners whose first taste is centred on this community's archive, relative to "
        "the other communities. Assumed.",
        ge=0.0,
    )
    activity: float = Field(
        default=1.0, description="Session rate of those listeners relative to `sessions_per_day`. Assumed.", ge=0.0
    )

    displacement_share: float = Field(
        default=0.1,
        description="Share of the community's plays taken by generated works above which a fall of income is put down "
        "to them. Assumed.",
        ge=0.0,
        le=1.0,
    )
    income_tolerance: float = Field(
        default=0.02,
        description="Relative fall of income between two epochs that is put up with. Assumed.",
        ge=0.0,
        le=1.0,
    )
    strictness_step: float = Field(
        default=0.05, description="Change of strictness at a time; 0 holds it fixed. Assumed.", ge=0.0, le=1.0
    )
    strictness_max: float = Field(
        default=0.9, description="Strictness is not raised above this. Assumed.", ge=0.0, le=1.0
    )
    share_step_bps: int = Field(
        default=500, description="Change of the fund's share at a time; 0 holds it fixed. Assumed.", ge=0, le=BPS
    )
    share_max_bps: int = Field(default=6_000, description="The share is not raised above this. Assumed.", ge=0, le=BPS)
    withdrawal_share: float = Field(
        default=0.35,
        description="Share of plays taken by generated works above which, when income falls, consent to derive is "
        "withdrawn; it is given again below `displacement_share`. Assumed.",
        ge=0.0,
        le=1.0,
    )

    @property
    def consent_flags(self) -> Consent:
        """Return the consent as flags."""
        flags = Consent.NONE
        for name in self.consent:
            flags |= Consent[name.upper()]
        return flags
