"""Configuration of measuring inside a run."""

from __future__ import annotations

from heritage_sim.base import Section, parameter


class EvaluationConfig(Section):
    """When rankings are frozen, and what is asked of sessions. No key here changes what happens, only what is told."""

    split_share: float = parameter(
        0.75,
        "Share of the days after which the rankings of the sample are frozen: what came before is training, what comes "
        "after is what they are held against",
        unit="1",
        source="the scenario",
        ge=0.05,
        le=0.95,
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

    def split_day(self, days: int) -> int:
        """Return the day on which rankings are frozen, before its listening, in a run of so many days."""
        # 0.15 * 20 is 3.0000000000000004 or a hair less, depending on the share.
        return int(days * self.split_share + 1e-9)
