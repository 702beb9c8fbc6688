"""What can be set about creators.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from heritage_sim.base import BPS, Section, parameter
from heritage_sim.parts import MakingRules

UNITS = "smallest unit"


class CreatorsConfig(Section):
    """The creators of every community and the rules by which they decide."""

    num_per_community: int = parameter(20, "Creators in each community", unit="creators", ge=0, le=100_000)

    # What making costs, and who can do it cheaper.
    recording_cost_units: int = parameter(40_000_000, "Cost of recording a work at skill 1", unit=UNITS, ge=0)
    commission_cost_units: int = parameter(
        15_000_000, "Cost of commissioning a derivative at skill 1, licence fee included", unit=UNITS, ge=0
    )
    commission_licence_bps: int = parameter(
        2_000,
        "Part of `commission_cost_units` that is the licence fee of the source work; it is owed when the derivative is "
        "published, and paid at the epoch's end. Skill does not lower it",
        unit="basis points",
        ge=0,
        le=BPS,
    )
    cost_spread: float = parameter(
        0.2,
        "Standard deviation of the logarithm of a creator's cost factor, which stays its own and has mean 1",
        unit="1",
        ge=0.0,
        le=2.0,
    )
    skill_spread: float = parameter(
        0.2,
        "Standard deviation of the logarithm of a creator's skill at the start, whose median is 1; costs beside the "
        "licence fee are divided by skill",
        unit="1",
        ge=0.0,
        le=2.0,
    )
    skill_gain: float = parameter(
        0.02,
        "What a day on which a creator sets out on a work adds to the logarithm of skill, whatever becomes of the work",
        unit="1/work",
        ge=0.0,
        le=1.0,
    )
    skill_fade: float = parameter(
        0.01,
        "Share of what practice has added to the logarithm of skill that a day takes away",
        unit="1/day",
        ge=0.0,
        le=1.0,
    )

    # What a work is believed to bring.
    recording_prestige_units: int = parameter(0, "What a recording is worth beside its earnings", unit=UNITS, ge=0)
    expected_units_per_epoch: int = parameter(
        10_000_000,
        "What a new work, and a creator in all, are believed to earn in an epoch before anything was settled",
        unit=UNITS,
        ge=0,
    )
    belief_rate: float = parameter(
        0.1,
        "Share of the gap to the newest figures that a belief about earnings closes each day",
        unit="1/day",
        ge=0.0,
        le=1.0,
    )
    horizon_epochs: float = parameter(
        8.0, "Epochs of earnings that are looked ahead to, at most", unit="epochs", ge=0.0
    )
    decision_scale_units: int = parameter(
        20_000_000, "Gain that raises the odds of acting by e; scale of the logit", unit=UNITS, gt=0
    )
    base_log_odds: float = parameter(
        -3.5,
        "Log odds, on a day, of recording rather than resting at no gain; of commissioning alike",
        unit="1",
    )

    # Entry and exit.
    active_at_start: float = parameter(
        1.0, "Share of creators who make music from the first day; the others may enter", unit="1", ge=0.0, le=1.0
    )
    reservation_income_units: int = parameter(
        5_000_000, "Income in an epoch that making music is weighed against", unit=UNITS, ge=0
    )
    living_scale_units: int = parameter(
        20_000_000,
        "Believed income above the reservation income that raises the odds of entering by e, and lowers those of "
        "leaving by as much",
        unit=UNITS,
        gt=0,
    )
    entry_log_odds: float | None = parameter(
        -5.0,
        "Log odds that one who is not active enters on a day at the reservation income and the first stock of bearers; "
        "the odds go with the stock of bearers. null: nobody enters",
        unit="1",
    )
    exit_log_odds: float | None = parameter(
        -7.0, "Log odds that an active creator leaves on a day at the reservation income. null: nobody leaves", unit="1"
    )

    # What a creator can build on.
    learning_chance: float = parameter(
        0.2,
        "Chance that a creator learns, from an epoch to the next, one of the works that others of its community have "
        "published and registered; it may derive from it from then on",
        unit="1/epoch",
        ge=0.0,
        le=1.0,
    )
    learnt_share: float = parameter(
        0.1,
        "Chance that a commission builds on a learnt work rather than on the archive, where there is one",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    repertoire_size: int = parameter(
        8,
        "Learnt works that a creator keeps beside the tradition's archive; the newest takes the place of the oldest",
        unit="works",
        ge=1,
        le=1_000,
    )
    most_generations: int = parameter(
        4,
        "Generations above which a derivative of derivatives is learnt by nobody; a derivative of an archive work is "
        "the first",
        unit="generations",
        ge=1,
        le=16,
    )

    # Another tradition's music.
    crossing_log_odds: float | None = parameter(
        -2.0,
        "Log odds of building a commission on another tradition's work rather than the own one's, at no further cost. "
        "It takes a community there that consents to derivation by those outside its tradition, which by default none "
        "does. null: nobody crosses",
        unit="1",
    )
    crossing_cost_units: int = parameter(
        5_000_000, "What a commission on another tradition's work costs on top, at skill 1", unit=UNITS, ge=0
    )

    # Naming the source.
    concealment_log_odds: float | None = parameter(
        None,
        "Log odds of concealing the source of a commission rather than naming it, at no gain. null: everybody names "
        "it, since no source gives a rate",
        unit="1",
    )
    detection_chance: float = parameter(
        0.1,
        "Chance that a concealed source is found out, at publication. A re-released archive work is always found out: "
        "its content is registered",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    concealment_penalty: float = parameter(
        3.0,
        "What one who is found out pays the source, in licence fees",
        unit="licence fees",
        ge=0.0,
        le=1_000.0,
    )
    concealment_scale_units: int = parameter(
        1_000_000, "Gain of concealing that raises its odds by e", unit=UNITS, gt=0
    )

    @property
    def licence_fee_units_floor(self) -> int:
        """Return the licence fee of a commission, rounded down to the smallest unit."""
        return self.commission_cost_units * self.commission_licence_bps // BPS

    @property
    def making_rules(self) -> MakingRules:
        """Return what the economy itself must know of the above."""
        return MakingRules(
            licence_fee_units=self.licence_fee_units_floor,
            learning_chance=self.learning_chance,
            learnt_share=self.learnt_share,
            repertoire_size=self.repertoire_size,
            most_generations=self.most_generations,
            detection_chance=self.detection_chance,
            concealment_penalty=self.concealment_penalty,
        )
