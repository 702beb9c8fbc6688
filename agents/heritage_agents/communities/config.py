"""What can be set about communities.

Every number that no source gives is marked "assumed": it is an assumption of the scenario, to be swept, not a finding.
Amounts are whole numbers in the token's smallest unit (6 decimals: 1,000,000 units = 1.00).
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from heritage_sim.base import BPS, Consent, Section, parameter

ConsentName = Literal["train", "derive", "perform", "sell", "outside"]
_TERMS = "the scenario's own terms"


def flags_of(names: tuple[ConsentName, ...]) -> Consent:
    """Return the uses of these names as flags."""
    flags = Consent.NONE
    for name in names:
        flags |= Consent[name.upper()]
    return flags


class ConsentChange(Section):
    """A change of a community's consent on a stated day, whatever its rule decides."""

    day: int = parameter(..., "Day from whose first instant the change holds", unit="day", source=_TERMS, ge=1)
    withdraw: tuple[ConsentName, ...] = parameter(
        (), "Uses that are permitted no longer; the community's rule does not give them again", unit="1", source=_TERMS
    )
    grant: tuple[ConsentName, ...] = parameter((), "Uses that are permitted from then on", unit="1", source=_TERMS)

    @model_validator(mode="after")
    def _says_something_and_not_both(self) -> ConsentChange:
        if not self.withdraw and not self.grant:
            raise ValueError("a change of consent must withdraw or grant a use")
        both = sorted(set(self.withdraw) & set(self.grant))
        if both:
            raise ValueError(f"a change of consent cannot both withdraw and grant: {', '.join(both)}")
        return self


class JuryConfig(Section):
    """Members who vote on derived pieces. Each perceives a piece's consistency with noise, and has a bar of its own.

    A juror votes for a piece whose perceived consistency reaches its bar. The bars are spread around the community's
    strictness of the day. A piece is accepted when enough jurors came, and enough of their votes were for it; without
    a quorum it is not.
    """

    size: int = parameter(
        0, "Jurors; with 0 nobody votes and the measured consistency decides", unit="persons", ge=0, le=1_000
    )
    noise: float = parameter(
        0.1, "Standard deviation of a juror's error in perceiving a piece's consistency", unit="1", ge=0.0, le=10.0
    )
    bar_spread: float = parameter(
        0.1, "Standard deviation of the jurors' bars around the community's strictness", unit="1", ge=0.0, le=10.0
    )
    attendance: float = parameter(0.8, "Chance that a juror comes to a vote", unit="1", ge=0.0, le=1.0)
    quorum: float = parameter(0.5, "Share of the jury that must come for a vote to count", unit="1", ge=0.0, le=1.0)
    majority: float = parameter(
        0.5, "Share of the votes cast that those for a piece must exceed", unit="1", ge=0.0, lt=1.0
    )


class CommunityConfig(Section):
    """A community: its terms at the start, its listeners, its bearers, and the rule by which it changes its terms."""

    name: str = parameter(..., "Fictional name of the community", unit="1", source=_TERMS, min_length=1)
    tradition: str = parameter(..., "Name of one of the scenario's traditions", unit="1", source=_TERMS, min_length=1)
    share_bps: int = parameter(
        3_000, "Share of a new work's earnings that goes to the community's fund", unit="bps", ge=0, le=BPS
    )
    strictness: float = parameter(
        0.3,
        "Lowest consistency at which a piece is published that derives from its works, or under its name",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    consent: tuple[ConsentName, ...] = parameter(
        ("train", "derive", "perform", "sell"),
        "Uses the community consents to at the start; `outside`: by those outside its tradition too",
        unit="1",
        source=_TERMS,
    )
    consent_changes: tuple[ConsentChange, ...] = parameter(
        (), "Uses withdrawn or granted on stated days, in the order of the days", unit="1", source=_TERMS
    )
    never_derived_share: float = parameter(
        0.0, "Share of its archive works that nobody may ever derive from", unit="1", ge=0.0, le=1.0
    )
    never_performed_share: float = parameter(
        0.0,
        "Share of its archive works that are never performed publicly, so neither played to listeners nor recorded; "
        "the works most guarded are closed first, to either use",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    jury: JuryConfig = parameter(
        None, "Members who vote on derived pieces", unit="1", source=_TERMS, default_factory=JuryConfig
    )
    num_members: int = parameter(
        1_000, "People of the community, those who practise its music and the others", unit="persons", ge=1
    )
    bearers_at_start: float = parameter(
        0.2, "Share of its people who practise its music on day 0", unit="1", gt=0.0, le=1.0
    )
    listener_share: float = parameter(
        1.0,
        "Weight of the listeners whose first taste is centred on this community's archive, relative to the other "
        "communities",
        unit="1",
        ge=0.0,
    )
    activity: float = parameter(1.0, "Session rate of those listeners relative to `sessions_per_day`", unit="1", ge=0.0)

    displacement_share: float = parameter(
        0.1,
        "Share of the community's plays taken by generated works above which a fall of income is put down to them",
        unit="1",
        ge=0.0,
        le=1.0,
    )
    income_tolerance: float = parameter(
        0.02, "Relative fall of income between two epochs that is put up with", unit="1", ge=0.0, le=1.0
    )
    strictness_step: float = parameter(
        0.05, "Change of strictness at a time; 0 holds it fixed", unit="1/epoch", ge=0.0, le=1.0
    )
    strictness_max: float = parameter(0.9, "Strictness is not raised above this", unit="1", ge=0.0, le=1.0)
    share_step_bps: int = parameter(
        500, "Change of the fund's share at a time; 0 holds it fixed", unit="bps/epoch", ge=0, le=BPS
    )
    share_max_bps: int = parameter(6_000, "The share is not raised above this", unit="bps", ge=0, le=BPS)
    withdrawal_share: float = parameter(
        0.35,
        "Share of plays taken by generated works above which, when income falls, consent to derive is withdrawn; it is "
        "given again below `displacement_share`",
        unit="1",
        ge=0.0,
        le=1.0,
    )

    @model_validator(mode="after")
    def _changes_are_in_order(self) -> CommunityConfig:
        days = [change.day for change in self.consent_changes]
        if days != sorted(set(days)):
            raise ValueError(f"consent_changes must be in the order of their days, one a day, not {days}")
        return self

    @property
    def consent_flags(self) -> Consent:
        """Return the consent at the start as flags."""
        return flags_of(self.consent)

    def consent_on(self, day: int) -> Consent:
        """Return the consent that stands on a day by the start and the stated changes, apart from the rule."""
        consent = self.consent_flags
        for change in self.consent_changes:
            if change.day <= day:
                consent = (consent & ~flags_of(change.withdraw)) | flags_of(change.grant)
        return Consent(consent)
