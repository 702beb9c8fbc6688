"""What can be set about listeners.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from pydantic import Field, model_validator

from heritage_sim.base import BPS, Section

_DAYS_A_PLAN = 30


class PlanConfig(Section):
    """A subscription plan."""

    name: str = Field(description="Name shown.", min_length=1)
    fee_units_per_day: int = Field(
        description="Fee of a subscriber in the token's smallest unit per day; 333000 is 9.99 for 30 days.", ge=0
    )
    share: float = Field(description="Share of listeners on this plan, 0 to 1.", ge=0.0, le=1.0)

    @property
    def fee_units_per_30_days(self) -> int:
        """Return the fee as plans are advertised, for 30 days."""
        return _DAYS_A_PLAN * self.fee_units_per_day


def _default_plans() -> tuple[PlanConfig, ...]:
    return (
        PlanConfig(name="standard", fee_units_per_day=333_000, share=0.8),
        PlanConfig(name="reduced", fee_units_per_day=166_000, share=0.2),
    )


class ListenersConfig(Section):
    """The listener population: how often it comes, what it likes, how it chooses, listens, leaves and changes."""

    num_listeners: int = Field(default=5_000, description="Number of listeners.", ge=1, le=100_000_000)

    sessions_per_day: float = Field(
        default=0.35,
        description="Mean rate of sessions per listener and day, before the cap of one a day. Assumed.",
        ge=0.0,
    )
    activity_sd: float = Field(
        default=0.8,
        description="Standard deviation of the log of a listener's session rate: heavy and light listeners. Assumed.",
        ge=0.0,
        le=4.0,
    )
    max_slates: int = Field(default=4, description="Slates a session can have at most. Assumed.", ge=1, le=64)
    slate_size: int = Field(default=10, description="Works shown at once.", ge=1, le=100)

    taste_anchor_weight: float = Field(
        default=0.7,
        description="Weight of one archive work of any community, drawn for each listener, beside the centroid of the "
        "home community's archive (weight 1) in the listener's first taste. Assumed.",
        ge=0.0,
    )
    taste_noise: float = Field(
        default=0.3,
        description="Expected length of the isotropic noise in the listener's first taste. Assumed.",
        ge=0.0,
    )
    consistency_taste_mean: float = Field(
        default=0.0,
        description="Mean, over listeners, of the utility of consistency with the archive (per unit of consistency). "
        "May be negative. Assumed.",
    )
    consistency_taste_sd: float = Field(
        default=1.0, description="Standard deviation of that utility over listeners. Assumed.", ge=0.0
    )

    kappa: float = Field(
        default=4.0,
        description="Utility of a perfect match of taste and work; inverse noise of the logit. Assumed.",
        ge=0.0,
    )
    outside_utility: float = Field(default=3.0, description="Utility of playing nothing of the slate. Assumed.")
    popularity_weight: float = Field(
        default=0.1, description="Utility per unit of log(1 + visible plays): social influence. Assumed.", ge=0.0
    )
    fatigue: float = Field(
        default=0.3,
        description="Utility lost by every work for each slate already seen in the session. Assumed.",
        ge=0.0,
    )

    skip_rate_per_minute: float = Field(
        default=0.6,
        description="Hazard of leaving a playing work, per minute, at appeal 0, no novelty, first slate. Assumed.",
        gt=0.0,
    )
    skip_appeal: float = Field(
        default=0.3,
        description="Fall of the log hazard per unit of appeal (kappa x match + taste for consistency). Assumed.",
    )
    skip_novelty: float = Field(
        default=0.4, description="Rise of the log hazard per unit of novelty (1 - history . work). Assumed."
    )
    skip_fatigue: float = Field(
        default=0.15, description="Rise of the log hazard per slate already seen in the session. Assumed."
    )
    skip_experience: float = Field(
        default=0.05, description="Fall of the log hazard per unit of log(1 + plays before this one). Assumed."
    )
    counted_play_s: float = Field(
        default=30.0,
        description="Seconds after which a play counts for royalties (industry convention); a shorter work counts "
        "when heard to its end.",
        ge=0.0,
    )

    leave_base: float = Field(
        default=-1.5, description="Log odds of leaving after the first slate when a whole work was heard. Assumed."
    )
    leave_idle: float = Field(
        default=1.2, description="Rise of the log odds when nothing of the slate was played. Assumed."
    )
    leave_skipped: float = Field(
        default=1.0, description="Rise of the log odds per unheard share of the work that was played. Assumed."
    )
    leave_fatigue: float = Field(default=0.25, description="Rise of the log odds per slate already seen. Assumed.")

    drift: float = Field(
        default=0.01,
        description="Share of the angle between taste and work by which a counted play turns the taste. Assumed.",
        ge=0.0,
        le=1.0,
    )
    history_weight: float = Field(
        default=0.1, description="Weight of the newest play in the listener's history vector. Assumed.", gt=0.0, le=1.0
    )

    plans: tuple[PlanConfig, ...] = Field(
        default_factory=_default_plans, description="Subscription plans; shares sum to 1.", min_length=1
    )
    royalty_share_bps: int = Field(
        default=7_000,
        description="Share of a fee that enters the royalty pool, in basis points; 7000 is near the usual 70 %.",
        ge=0,
        le=BPS,
    )

    @model_validator(mode="after")
    def _plans_add_up(self) -> ListenersConfig:
        total = sum(plan.share for plan in self.plans)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the shares of listeners.plans must sum to 1, not {total:g}")
        for plan in self.plans:
            if plan.fee_units_per_day * self.royalty_share_bps % BPS:
                raise ValueError(
                    f"plan {plan.name!r}: fee_units_per_day x royalty_share_bps must be a multiple of {BPS}, so that "
                    "the pool is a whole number"
                )
        return self

    def pool_units_per_day(self) -> tuple[int, ...]:
        """Return what a subscriber of each plan adds to the royalty pool a day, exactly."""
        return tuple(plan.fee_units_per_day * self.royalty_share_bps // BPS for plan in self.plans)
