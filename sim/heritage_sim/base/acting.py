"""What creators and communities see, and what they decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heritage_sim.base.money import Consent

Floats = npt.NDArray[np.float64]


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
        Lowest consistency, in [0, 1], at which it lets a piece be published that derives from its works, or under its
        name.
    share_bps : int
        Its share of what a new work of its tradition earns, in basis points.
    """

    consent: Consent
    strictness: float
    share_bps: int


@dataclass(frozen=True, slots=True, eq=False)
class CreatorViews:
    """What creators know when deciding, one row a creator; a figure that nobody could know yet is NaN.

    Parameters
    ----------
    day : int
        The day.
    terms : tuple of CommunityTerms, length num_communities
        Terms of every community today: they are public.
    tradition : ndarray of int32, shape (num_communities,)
        Tradition of each community.
    community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    income_units : ndarray of int64, shape (num_creators,)
        What the statements have credited to the creator so far, in the token's smallest unit.
    epoch_income_units : ndarray of float64, shape (num_creators,)
        What the last statement credited to the creator.
    community_income_units : ndarray of float64, shape (num_creators,)
        Mean of that over the creators of its community who have published a work.
    own_units : ndarray of float64, shape (2, num_creators)
        Mean amount that the creator's own recorded and generated works earned in the last settled epoch, 0 where they
        earned nothing; NaN where there are none.
    community_units : ndarray of float64, shape (2, num_creators)
        The same of all its community's works.
    epochs_left : float
        Epochs until the end of the simulated time.
    bearers_share : ndarray of float64, shape (num_creators,)
        Practising bearers of the creator's community relative to the start of the run.
    """

    day: int
    terms: tuple[CommunityTerms, ...]
    tradition: npt.NDArray[np.int32]
    community: npt.NDArray[np.int32]
    income_units: npt.NDArray[np.int64]
    epoch_income_units: Floats
    community_income_units: Floats
    own_units: Floats
    community_units: Floats
    epochs_left: float
    bearers_share: Floats

    @property
    def num_creators(self) -> int:
        """Return the number of creators."""
        return int(self.community.size)


@dataclass(frozen=True, slots=True, eq=False)
class CreatorMinds:
    """What creators are and believe this morning, one row a creator.

    Parameters
    ----------
    active : ndarray of bool, shape (num_creators,)
        Who makes music at present; the others may enter.
    skill : ndarray of float64, shape (num_creators,)
        Skill, > 0; 1 is the skill at which the scenario's costs are stated.
    cost_units : ndarray of float64, shape (2, num_creators)
        What recording and commissioning a work costs the creator, licence fee included, in the token's smallest unit.
    believed_units : ndarray of float64, shape (2, num_creators)
        What it believes a new recorded and a new generated work earn in an epoch.
    believed_income_units : ndarray of float64, shape (num_creators,)
        What it believes it earns, or would earn, in an epoch.
    """

    active: npt.NDArray[np.bool_]
    skill: Floats
    cost_units: Floats
    believed_units: Floats
    believed_income_units: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CreatorDecisions:
    """What creators do on a day, one row a creator.

    Parameters
    ----------
    action : ndarray of int8, shape (num_creators,)
        `CreatorAction` codes; who is not active rests.
    crosses : ndarray of bool, shape (num_creators,)
        Whether a commission builds on another tradition's work.
    conceals : ndarray of bool, shape (num_creators,)
        Whether a commission's source is not to be named.
    active : ndarray of bool, shape (num_creators,)
        Who makes music from today on.
    """

    action: npt.NDArray[np.int8]
    crosses: npt.NDArray[np.bool_]
    conceals: npt.NDArray[np.bool_]
    active: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CreatorRoll:
    """Who the creators are at present.

    Parameters
    ----------
    active : ndarray of bool, shape (num_creators,)
        Who makes music.
    skill : ndarray of float64, shape (num_creators,)
        Skill, > 0.
    num_entered, num_left : int
        How often somebody entered or left so far.
    """

    active: npt.NDArray[np.bool_]
    skill: Floats
    num_entered: int
    num_left: int


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
        What its members and fund were credited in the last two settled epochs: by statements, and as licence fees.
    plays, generated_plays : int
        Plays of its works in the last epoch, and of generated ones among them.
    day : int
        The first day of the epoch that begins.
    """

    epoch: int
    terms: CommunityTerms
    income_units: int
    previous_income_units: int
    plays: int
    generated_plays: int
    day: int = 0


@dataclass(frozen=True, slots=True)
class Ballot:
    """A derived piece that a community is asked about.

    Parameters
    ----------
    community : int
        Who is asked.
    creator : int
        Whose commission it was; with the day it names the piece, since nobody commissions twice a day.
    day : int
        The day.
    consistency : float
        Measured consistency of the piece, in [0, 1].
    """

    community: int
    creator: int
    day: int
    consistency: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a community says of a derived piece.

    Parameters
    ----------
    accepted : bool
        Whether it may be published.
    votes_for, votes_against : int
        Votes cast; 0 and 0 where nobody votes and the measured consistency decides.
    has_quorum : bool
        Whether enough jurors came; True where nobody votes.
    """

    accepted: bool
    votes_for: int = 0
    votes_against: int = 0
    has_quorum: bool = True
