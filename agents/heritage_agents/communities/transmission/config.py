"""What can be set about the transmission of practice.

No source gives these rates for a musical tradition, so every one is an assumption, to be swept, and no conclusion may
rest on one functional form: run them side by side (``experiments/scenarios/transmission.yaml``).
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from heritage_sim.base import Section, parameter

_STANDS = "None: such that the stock at the start stands still while the advantage is 0"


class LogisticConfig(Section):
    """Diffusion with forgetting: learning by meeting bearers, up to a capacity; bearers stop at a constant rate."""

    learning: float = parameter(0.2, "Learning rate at advantage 0, while bearers are few", unit="1/year", gt=0.0)
    forgetting: float = parameter(0.1, "Rate at which bearers stop practising", unit="1/year", ge=0.0)
    capacity: float | None = parameter(
        None, f"Largest share of people who could practise; {_STANDS}", unit="1", gt=0.0, le=1.0
    )

    @model_validator(mode="after")
    def _can_stand_still(self) -> LogisticConfig:
        if self.capacity is None and self.forgetting >= self.learning:
            raise ValueError(
                f"forgetting ({self.forgetting}) must be below learning ({self.learning}), or every stock dies out; "
                "state a capacity if that is meant"
            )
        return self


class CompetitionConfig(Section):
    """Competition of practising with not practising for people, each drawing by numbers and status."""

    rate: float = parameter(0.2, "Rate at which people reconsider", unit="1/year", gt=0.0)
    volatility: float = parameter(
        1.31,
        "Exponent of the numbers' pull; above 1 the larger side wins unless its status is lower",
        unit="1",
        source="Abrams & Strogatz, Nature 424, 2003: 1.31 over 42 regions, for languages",
        gt=0.0,
        le=10.0,
    )
    status: float | None = parameter(
        None, f"Status of practising at advantage 0, that of not practising being its complement; {_STANDS}",
        unit="1", gt=0.0, lt=1.0,
    )  # fmt: skip


class ThresholdConfig(Section):
    """Generations: the old stop, and of the young those practise who see enough others do so."""

    generation_years: float = parameter(25.0, "Mean time for which a bearer practises", unit="years", gt=0.0)
    steepness: float = parameter(
        2.0, "How alike the young's thresholds are: shape of their log-logistic distribution", unit="1", gt=0.0, le=50.0
    )
    threshold: float | None = parameter(
        None, f"Median threshold at advantage 0, as a share of people; {_STANDS}", unit="1", gt=0.0
    )


class TransmissionConfig(Section):
    """Whether and how the stock of practising bearers moves with income and prestige."""

    kind: Literal["none", "logistic", "competition", "threshold"] = parameter(
        "none", "Functional form; none: no bearers are modelled", unit="1", source="the scenario's own choice"
    )
    income_weight: float = parameter(
        1.0, "Weight of income per bearer, relative to the reference, in the advantage", unit="1", ge=0.0, le=20.0
    )
    prestige_weight: float = parameter(
        1.0,
        "Weight of the share of plays, against the share of bearers, in the advantage",
        unit="1",
        ge=0.0,
        le=20.0,
    )
    generated_prestige: float = parameter(
        0.0, "What a play of a generated work counts towards prestige, where one of a human work counts 1",
        unit="1", ge=0.0, le=1.0,
    )  # fmt: skip
    reference_income_units: int | None = parameter(
        None,
        "Income per bearer and day that is neither an advantage nor a drawback, in the token's smallest unit; None: "
        "what a bearer had on average, over all communities, in the first settled epoch",
        unit="units/day",
        ge=1,
    )
    logistic: LogisticConfig = parameter(
        None, "Parameters of `logistic`", unit="1", source="see its keys", default_factory=LogisticConfig
    )
    competition: CompetitionConfig = parameter(
        None, "Parameters of `competition`", unit="1", source="see its keys", default_factory=CompetitionConfig
    )
    threshold: ThresholdConfig = parameter(
        None, "Parameters of `threshold`", unit="1", source="see its keys", default_factory=ThresholdConfig
    )
