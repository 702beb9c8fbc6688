"""Simulated time: days since the start, and the chain's seconds they stand for."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Calendar:
    """Maps simulated days to chain timestamps.

    Parameters
    ----------
    genesis_s : int
        Timestamp of the first instant of day 0, in seconds since 1970. A parameter, never the wall clock.
    """

    genesis_s: int = 1_767_225_600

    def start_of(self, day: float) -> int:
        """Return the timestamp at which a (fractional) day begins."""
        return self.genesis_s + round(day * DAY_S)

    def middle_of(self, day: int) -> int:
        """Return the timestamp of the middle of a day, at which all uses of the day are taken to happen."""
        return self.start_of(day + 0.5)

    def days(self, timestamp_s: float) -> float:
        """Return a timestamp as days since the start."""
        return (timestamp_s - self.genesis_s) / DAY_S
