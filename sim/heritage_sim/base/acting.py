"""What creators and communities see, and what they decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from heritage_sim.base.money import Consent


class CreatorAction(IntEnum):
    """What a creator does on a day."""

    REST = 0
    RECORD = 1
    COMMISSION = 2


@dataclass(frozen=True, slots=True)
class CommunityTerms:
    """A community's terms for an epoch.

    Parameters
    ----------
    consent : Consent
        Uses it permits for works of its tradition.
    strictness : float
        Lowest consistency, in [0, 1], at which it lets a derived piece be published under its name.
    share_bps : int
        Its share of what a new work of its tradition earns, in basis points.
    """

    consent: Consent
    strictness: float
    share_bps: int


@dataclass(frozen=True, slots=True)
class CreatorView:
    """What a creator knows when deciding.

    Parameters
    ----------
    day : int
        The day.
    terms : CommunityTerms
        Terms of the creator's community today.
    income_units : int
        What the statements have credited to the creator so far.
    expected_recorded_units, expected_generated_units : float
        Mean amount that a recorded or generated work of the community earned in the last settled epoch, in the token's
        smallest unit; NaN where there was no such work yet, 0 where there was one and it earned nothing.
    epochs_left : float
        Epochs until the end of the simulated time.
    """

    day: int
    terms: CommunityTerms
    income_units: int
    expected_recorded_units: float
    expected_generated_units: float
    epochs_left: float


@dataclass(frozen=True, slots=True)
class CommunityView:
    """What a community knows when it sets its terms.

    Parameters
    ----------
    epoch : int
        The epoch that begins.
    terms : CommunityTerms
        Its terms so far.
    income_units, previous_income_units : int
        What its members and fund were credited in the last two settled epochs.
    plays, generated_plays : int
        Plays of its works in the last epoch, and of generated ones among them.
    """

    epoch: int
    terms: CommunityTerms
    income_units: int
    previous_income_units: int
    plays: int
    generated_plays: int
