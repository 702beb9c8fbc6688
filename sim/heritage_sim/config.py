"""Configuration sections of the simulated world."""

from __future__ import annotations

from pydantic import model_validator

from heritage_sim.base import BPS, SHARE_BASIS, Calendar, Section, parameter
from heritage_sim.evaluation.config import EvaluationConfig
from heritage_sim.money.config import MoneyChainConfig
from heritage_sim.royalty.config import RoyaltyConfig, RuleConfig

__all__ = ["EconomyConfig", "EvaluationConfig", "MoneyChainConfig", "RoyaltyConfig", "RuleConfig"]


class EconomyConfig(Section):
    """The rhythm of the economy: how long it lives, and when its periodic steps happen."""

    days: int = parameter(60, "Simulated days of a replication", unit="days", source="the scenario", ge=1, le=36_500)
    epoch_days: int = parameter(
        7,
        "Length of a royalty epoch; the last one is shorter where it does not divide `days`",
        unit="days",
        source="the scenario",
        ge=1,
        le=366,
    )
    refresh_days: int = parameter(
        1,
        "Days between refreshes of the recommender, and of the plays and the share of subscribers that listeners are "
        "shown; a work is offered from the first refresh after it was made; must divide `epoch_days`",
        unit="days",
        ge=1,
        le=366,
    )
    release_days: int = parameter(
        1,
        "Days between the days on which works come out; a piece made in between can be heard from the next one on",
        unit="days",
        ge=1,
        le=366,
    )
    session_sample: int = parameter(
        200,
        "Listeners whose sessions and plays are noted one by one, the same ones in all cells; all of them if there are "
        "no more",
        unit="listeners",
        source="the scenario",
        ge=0,
        le=1_000_000,
    )
    derivative_share_bps: int = parameter(
        0,
        "Share of what is paid directly to a work (a fee, a tip) that is passed on to each work it derives from; no "
        "source gives a figure, and streams do not go this way",
        unit="basis points",
        ge=0,
        le=BPS,
    )
    genesis_s: int = parameter(
        Calendar().genesis_s,
        "Chain time of the first instant of day 0, counted from 1970",
        unit="s",
        source="the scenario",
        ge=1,
    )

    @model_validator(mode="after")
    def _refresh_divides_epoch(self) -> EconomyConfig:
        # Refreshes that fall on epoch ends let a shard forget an epoch's usage as soon as it is settled.
        if self.epoch_days % self.refresh_days:
            raise ValueError(
                f"refresh_days ({self.refresh_days}) must divide epoch_days ({self.epoch_days}): "
                f"take {max(k for k in range(1, self.refresh_days + 1) if self.epoch_days % k == 0)}"
            )
        return self

    @property
    def calendar(self) -> Calendar:
        """Return the calendar that begins at ``genesis_s``."""
        return Calendar(self.genesis_s)

    @property
    def derivative_share(self) -> int:
        """Return the derivative share in parts of `SHARE_BASIS`."""
        return self.derivative_share_bps * (SHARE_BASIS // BPS)

    @property
    def num_epochs(self) -> int:
        """Return the number of epochs, a shorter last one included."""
        return -(-self.days // self.epoch_days)

    def epoch_of(self, day: int) -> int:
        """Return the epoch a day belongs to."""
        return day // self.epoch_days

    def begins_epoch(self, day: int) -> bool:
        """Return whether a day is the first of its epoch."""
        return day % self.epoch_days == 0

    def ends_epoch(self, day: int) -> bool:
        """Return whether a day is the last of its epoch."""
        return (day + 1) % self.epoch_days == 0 or day + 1 == self.days

    def release_day(self, day: int) -> int:
        """Return the day on which a work made on a day comes out: that day, or the next one of releases."""
        return -(-day // self.release_days) * self.release_days

    def refreshes(self, day: int) -> bool:
        """Return whether the recommender is refreshed at the end of a day."""
        return (day + 1) % self.refresh_days == 0
