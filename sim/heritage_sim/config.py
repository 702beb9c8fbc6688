"""Configuration sections of the simulated world."""

from __future__ import annotations

from pydantic import Field, model_validator

from heritage_sim.base import BPS, SHARE_BASIS, Calendar, Section
from heritage_sim.money.config import MoneyChainConfig
from heritage_sim.royalty.config import RoyaltyConfig, RuleConfig

__all__ = ["EconomyConfig", "MoneyChainConfig", "RoyaltyConfig", "RuleConfig"]


class EconomyConfig(Section):
    """The rhythm of the economy: how long it lives, and when its periodic steps happen."""

    days: int = Field(60, ge=1, le=36_500, description="Simulated days of a replication [days].")
    epoch_days: int = Field(
        7,
        ge=1,
        le=366,
        description="Length of a royalty epoch [days]; the last one is shorter where it does not divide `days`.",
    )
    refresh_days: int = Field(
        1, ge=1, le=366, description="Days between refreshes of the recommender [days]; must divide `epoch_days`."
    )
    derivative_share_bps: int = Field(
        0,
        ge=0,
        le=BPS,
        description="Share of what is paid directly to a work (a fee, a tip) that is passed on to each work it derives "
        "from, in basis points. 0: no source gives a figure, and streams do not go this way.",
    )
    genesis_s: int = Field(
        Calendar().genesis_s, ge=1, description="Chain time of the first instant of day 0 [seconds since 1970]."
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

    def refreshes(self, day: int) -> bool:
        """Return whether the recommender is refreshed at the end of a day."""
        return (day + 1) % self.refresh_days == 0
