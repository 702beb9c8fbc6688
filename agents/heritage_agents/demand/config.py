"""What can be set about the demand on a generation service.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
"""

from __future__ import annotations

from pydantic import field_validator

from heritage_sim.base import Section, parameter

HOURS, WEEKDAYS = 24, 7
_HOURLY = (
    *(0.5, 0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.2, 1.3),
    *(1.2, 1.2, 1.3, 1.3, 1.3, 1.4, 1.5, 1.7, 1.8, 1.7, 1.3, 0.8),
)
_WEEKLY = (0.9, 0.9, 0.95, 1.0, 1.15, 1.15, 0.95)


class DemandConfig(Section):
    """When buyers ask for pieces, what they ask for, and how long they and the creators wait."""

    buyers_per_day: float = parameter(
        200.0, "Mean number of buyers' commissions a day, apart from bursts", unit="1/day", ge=0.0, le=1e8
    )
    hourly: tuple[float, ...] = parameter(
        _HOURLY,
        "Relative rate in each hour of the day, from midnight on; scaled to mean 1",
        unit="1",
        min_length=HOURS,
        max_length=HOURS,
    )
    weekly: tuple[float, ...] = parameter(
        _WEEKLY,
        "Relative rate on each day of the week, from day 0 on; scaled to mean 1",
        unit="1",
        min_length=WEEKDAYS,
        max_length=WEEKDAYS,
    )
    release_every_days: int = parameter(
        7, "Days from one release day to the next; day 0 is none", unit="days", ge=1, le=3_650
    )
    release_hour: int = parameter(9, "Hour of a release day at which works come out", unit="h", ge=0, le=23)
    release_burst: float = parameter(
        1.0, "Rise of the rate in the hour of a release, relative to the rate without it", unit="1", ge=0.0, le=1e3
    )
    release_decay_h: float = parameter(
        6.0, "Hours in which the rise after a release falls by the factor e", unit="h", gt=0.0, le=1e3
    )
    tradition_weights: dict[str, float] = parameter(
        None,
        "Weight of each tradition in what buyers ask for; traditions that are not named have weight 1",
        unit="1",
        default_factory=dict,
    )
    source_skew: float = parameter(
        0.8,
        "Exponent of Zipf's law over the archive works of a tradition that buyers build on; 0 asks for all alike",
        unit="1",
        ge=0.0,
        le=4.0,
    )
    buyer_patience_median_s: float = parameter(
        20.0, "Median time after which a buyer gives up", unit="s", gt=0.0, le=1e9
    )
    creator_patience_median_s: float = parameter(
        3_600.0, "Median time after which a creator gives up", unit="s", gt=0.0, le=1e9
    )
    patience_sd: float = parameter(
        0.7, "Standard deviation of the log of the time after which somebody gives up", unit="1", ge=0.0, le=4.0
    )

    @field_validator("hourly", "weekly")
    @classmethod
    def _has_a_mean(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if min(weights) < 0.0 or sum(weights) <= 0.0:
            raise ValueError("relative rates must not be negative, and one must be above 0")
        return weights

    @field_validator("tradition_weights")
    @classmethod
    def _not_negative(cls, weights: dict[str, float]) -> dict[str, float]:
        for name, weight in weights.items():
            if weight < 0.0:
                raise ValueError(f"the weight of {name!r} must not be negative")
        return weights
