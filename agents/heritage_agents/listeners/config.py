"""What can be set about listeners.

A default whose source is "assumed" is an assumption of the scenario, to be swept, not a finding. Amounts are whole
numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from pydantic import model_validator

from heritage_sim.base import BPS, Section, parameter

_DAYS_A_PLAN = 30
_LOG_HAZARD, _LOG_ODDS, _UTILITY = "log hazard", "log odds", "utility"

MAX_SESSIONS = 16
"""Sessions of a day that have addresses of their own for random numbers."""


class PlanConfig(Section):
    """A subscription plan."""

    name: str = parameter(..., "Name shown", unit="text", source="the scenario", min_length=1)
    fee_units_per_day: int = parameter(
        ...,
        "Fee of a subscriber in the token's smallest unit; 333000 a day is 9.99 for 30 days",
        unit="smallest unit/day",
        source="the scenario",
        ge=0,
    )
    share: float = parameter(..., "Share of listeners on this plan", unit="1", source="the scenario", ge=0.0, le=1.0)

    @property
    def fee_units_per_30_days(self) -> int:
        """Return the fee as plans are advertised, for 30 days."""
        return _DAYS_A_PLAN * self.fee_units_per_day


class DeviceConfig(Section):
    """What a listener listens on, and how it changes staying."""

    name: str = parameter(..., "Name shown", unit="text", source="the scenario", min_length=1)
    share: float = parameter(..., "Share of listeners with this device", unit="1", ge=0.0, le=1.0)
    skip: float = parameter(0.0, "Rise of the log hazard of leaving a playing work", unit=_LOG_HAZARD)
    leave: float = parameter(0.0, "Rise of the log odds of leaving after a slate", unit=_LOG_ODDS)


def _default_plans() -> tuple[PlanConfig, ...]:
    return (
        PlanConfig(name="standard", fee_units_per_day=333_000, share=0.8),
        PlanConfig(name="reduced", fee_units_per_day=166_000, share=0.2),
    )


def _default_devices() -> tuple[DeviceConfig, ...]:
    return (
        DeviceConfig(name="phone", share=0.6, skip=0.1, leave=0.1),
        DeviceConfig(name="computer", share=0.25),
        DeviceConfig(name="speaker", share=0.15, skip=-0.3, leave=-0.3),
    )


class ListenersConfig(Section):
    """The listener population: how often it comes, what it likes, how it chooses, listens, leaves and changes."""

    num_listeners: int = parameter(
        5_000, "Number of listeners", unit="listeners", source="the scenario", ge=1, le=100_000_000
    )

    # When sessions begin.
    sessions_per_day: float = parameter(
        0.35, "Mean rate of sessions per listener, over listeners and over the week", unit="1/day", ge=0.0
    )
    activity_sd: float = parameter(
        0.8,
        "Standard deviation of the log of a listener's session rate: heavy and light listeners",
        unit="log rate",
        ge=0.0,
        le=4.0,
    )
    max_sessions_per_day: int = parameter(
        8, "Sessions a listener can have on a day at most", unit="sessions", ge=1, le=MAX_SESSIONS
    )
    weekly_profile: tuple[float, ...] = parameter(
        (1.0, 1.1, 1.1, 0.95, 0.95, 0.95, 0.95),
        "Relative session rate of the seven days of the week, from the weekday of day 0 (a Thursday by default) on; "
        "only ratios count",
        unit="1",
        min_length=7,
        max_length=7,
    )
    daily_profile: tuple[float, ...] = parameter(
        (
            *(0.5, 0.3, 0.2, 0.15, 0.15, 0.3, 0.6, 1.0, 1.2, 1.1, 1.1, 1.1),
            *(1.2, 1.2, 1.2, 1.2, 1.3, 1.5, 1.6, 1.6, 1.6, 1.5, 1.3, 0.9),
        ),
        "Relative session rate of the 24 hours, from midnight on; only ratios count",
        unit="1",
        min_length=24,
        max_length=24,
    )
    release_pull: float = parameter(
        0.05,
        "Rise of the session rate, as a share of it, per unit of log(1 + works of the home community that come out "
        "on the day)",
        unit="1",
        ge=0.0,
    )
    max_slates: int = parameter(4, "Slates a session can have at most", unit="slates", ge=1, le=64)
    slate_size: int = parameter(10, "Works shown at once", unit="works", source="the scenario", ge=1, le=100)
    browse_s: float = parameter(15.0, "Time a listener takes to look at a slate", unit="s", ge=0.0)

    # Who they are.
    taste_anchor_weight: float = parameter(
        0.7,
        "Weight of one archive work of any community, drawn for each listener, beside the centroid of the home "
        "community's archive (weight 1) in the listener's first taste",
        unit="1",
        ge=0.0,
    )
    taste_noise: float = parameter(
        0.3, "Expected length of the isotropic noise in the listener's first taste", unit="1", ge=0.0
    )
    consistency_taste_mean: float = parameter(
        0.0,
        "Mean utility of consistency with the archive over listeners; may be negative",
        unit="utility per unit of consistency",
    )
    consistency_taste_sd: float = parameter(
        1.0, "Standard deviation of that utility over listeners", unit="utility per unit of consistency", ge=0.0
    )
    familiarity_mean: float = parameter(
        0.0, "Mean, over listeners, of the logit of the heritage-familiarity index", unit="logit"
    )
    familiarity_sd: float = parameter(
        1.0, "Standard deviation of that logit over listeners", unit="logit", ge=0.0, le=10.0
    )
    devices: tuple[DeviceConfig, ...] = parameter(
        ..., "Devices; shares sum to 1", unit="devices", default_factory=_default_devices, min_length=1, max_length=100
    )

    # What they choose.
    kappa: float = parameter(
        4.0, "Utility of a perfect match of taste and work; inverse noise of the logit", unit=_UTILITY, ge=0.0
    )
    outside_utility: float = parameter(3.0, "Utility of playing nothing of the slate", unit=_UTILITY)
    popularity_weight: float = parameter(
        0.1,
        "Utility per unit of log(1 + visible plays): social influence",
        unit="utility per unit of log plays",
        ge=0.0,
    )
    fatigue: float = parameter(
        0.3, "Utility lost by every work for each slate already seen in the session", unit="utility/slate", ge=0.0
    )

    # How long they listen to a work.
    skip_rate_per_minute: float = parameter(
        0.6,
        "Hazard of leaving a playing work at appeal 0, no novelty, no familiarity, first slate and no device effect",
        unit="1/min",
        gt=0.0,
    )
    skip_appeal: float = parameter(
        0.3,
        "Fall of the log hazard per unit of appeal (kappa x match + taste for consistency)",
        unit="log hazard per unit of utility",
    )
    skip_novelty: float = parameter(
        0.4, "Rise of the log hazard per unit of novelty (1 - history . work)", unit=_LOG_HAZARD
    )
    skip_fatigue: float = parameter(
        0.15, "Rise of the log hazard per slate already seen in the session", unit="log hazard/slate"
    )
    skip_experience: float = parameter(
        0.05,
        "Fall of the log hazard per unit of log(1 + plays before this one)",
        unit="log hazard per unit of log plays",
    )
    skip_familiarity: float = parameter(
        0.2, "Fall of the log hazard from familiarity 0 to familiarity 1", unit=_LOG_HAZARD
    )
    counted_play_s: float = parameter(
        30.0,
        "Time after which a play counts for royalties; a shorter work counts when heard to its end",
        unit="s",
        source="industry convention",
        ge=0.0,
    )

    # When they leave a session.
    leave_base: float = parameter(
        -1.2,
        "Log odds of leaving after the first slate when a whole work was heard, without prior sessions, at familiarity "
        "0 and no device effect",
        unit=_LOG_ODDS,
    )
    leave_idle: float = parameter(1.2, "Rise of the log odds when nothing of the slate was played", unit=_LOG_ODDS)
    leave_skipped: float = parameter(
        1.0, "Rise of the log odds per unheard share of the work that was played", unit=_LOG_ODDS
    )
    leave_fatigue: float = parameter(0.25, "Rise of the log odds per slate already seen", unit="log odds/slate")
    leave_prior: float = parameter(
        0.1,
        "Fall of the log odds per unit of log(1 + mean length of the listener's earlier sessions in minutes)",
        unit="log odds per unit of log minutes",
    )
    leave_familiarity: float = parameter(
        0.2, "Fall of the log odds from familiarity 0 to familiarity 1", unit=_LOG_ODDS
    )

    # How they change.
    drift: float = parameter(
        0.01,
        "Share of the angle between taste and work by which a counted play turns the taste",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    history_weight: float = parameter(
        0.1, "Weight of the newest play in the listener's history vector", unit="1", gt=0.0, le=1.0
    )
    satisfaction_start: float = parameter(
        1.0, "Satisfaction before the first session: what the service promises", unit=_UTILITY
    )
    satisfaction_weight: float = parameter(
        0.2, "Weight of the newest session's mean surplus in the listener's satisfaction", unit="1", ge=0.0, le=1.0
    )

    # Whether they stay subscribed.
    subscribed_at_start: float = parameter(
        1.0, "Share of listeners who subscribe before day 0", unit="1", source="the scenario", ge=0.0, le=1.0
    )
    renewal_days: int = parameter(
        _DAYS_A_PLAN,
        "Days between a subscriber's decisions to renew",
        unit="days",
        source="the usual monthly plan",
        ge=1,
        le=3_660,
    )
    churn_base: float = parameter(
        -2.5, "Log odds of ending the subscription at a renewal at satisfaction 0", unit=_LOG_ODDS
    )
    churn_satisfaction: float = parameter(
        0.8, "Fall of those log odds per unit of satisfaction", unit="log odds per unit of utility"
    )
    return_rate: float = parameter(
        0.003, "Probability that one who does not subscribe takes it up again", unit="1/day", ge=0.0, le=1.0
    )
    word_of_mouth: float = parameter(
        0.003,
        "Rise of that probability when all of the home community subscribe; in proportion below",
        unit="1/day",
        ge=0.0,
        le=1.0,
    )

    # What they pay.
    plans: tuple[PlanConfig, ...] = parameter(
        ...,
        "Subscription plans; shares sum to 1",
        unit="plans",
        source="the scenario",
        default_factory=_default_plans,
        min_length=1,
    )
    royalty_share_bps: int = parameter(
        7_000,
        "Share of a fee that enters the royalty pool; 7000 is near the usual 70 %",
        unit="basis points",
        source="industry convention",
        ge=0,
        le=BPS,
    )

    @model_validator(mode="after")
    def _shares_add_up(self) -> ListenersConfig:
        for name, parts in (("plans", self.plans), ("devices", self.devices)):
            total = sum(part.share for part in parts)
            if abs(total - 1.0) > 1e-9:
                raise ValueError(f"the shares of listeners.{name} must sum to 1, not {total:g}")
        for plan in self.plans:
            if plan.fee_units_per_day * self.royalty_share_bps % BPS:
                raise ValueError(
                    f"plan {plan.name!r}: fee_units_per_day x royalty_share_bps must be a multiple of {BPS}, so that "
                    "the pool is a whole number"
                )
        for name, profile in (("weekly", self.weekly_profile), ("daily", self.daily_profile)):
            if min(profile) < 0.0 or sum(profile) <= 0.0:
                raise ValueError(f"listeners.{name}_profile must not be negative, and not all zero")
        return self

    def pool_units_per_day(self) -> tuple[int, ...]:
        """Return what a subscriber of each plan adds to the royalty pool a day, exactly."""
        return tuple(plan.fee_units_per_day * self.royalty_share_bps // BPS for plan in self.plans)
