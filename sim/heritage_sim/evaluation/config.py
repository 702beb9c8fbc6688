"""Configuration of measuring inside a run."""

from __future__ import annotations

from heritage_sim.base import Section, parameter


class EvaluationConfig(Section):
    """When rankings are frozen, and what is asked of sessions. No key here changes what happens, only what is told."""

    split_day: int | None = parameter(
        None,
        "Day on which the rankings of the sample are frozen, before its listening: what came before is training, what "
        "comes after is what they are held against. Three quarters of `economy.days` where it is not given",
        unit="day",
        source="the scenario",
        ge=1,
        le=36_500,
    )
    cold_days: int = parameter(
        7,
        "Works that came out so many days before the split or later are cold: little of theirs was heard in training",
        unit="days",
        ge=1,
        le=366,
    )
    horizon_s: int = parameter(
        120,
        "Horizon within which sessions are followed: of the restricted mean and of the Brier score. Choose one that "
        "many sessions reach: beyond the longest nothing is known",
        unit="s",
        ge=1,
        le=86_400,
    )

    def split_of(self, days: int) -> int:
        """Return the split day of a run of so many days."""
        return 3 * days // 4 if self.split_day is None else self.split_day
