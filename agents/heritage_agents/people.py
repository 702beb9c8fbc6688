"""The creators and communities of one economy, made from the scenario."""

from __future__ import annotations

from collections.abc import Sequence

import mesa
import numpy as np
import numpy.typing as npt

from heritage_agents.communities.community import Community, GuardingCommunityPolicy
from heritage_agents.communities.transmission.stock import PracticeStock
from heritage_agents.config import CommunityConfig, CreatorsConfig, TransmissionConfig
from heritage_agents.creators.creator import Creator
from heritage_agents.creators.policy import LogitCreatorPolicy
from heritage_agents.creators.roster import CreatorRoster
from heritage_sim.base import (
    Ballot,
    CommunityPolicy,
    CommunityTerms,
    CommunityView,
    CreatorDecisions,
    CreatorPolicy,
    CreatorRoll,
    CreatorViews,
    Keys,
    State,
    Verdict,
)


class MesaPeople:
    """Mesa agents behind the seam `heritage_sim.base.People`.

    Parameters
    ----------
    roster : CreatorRoster
        All creators.
    creators : sequence of Creator
        Its agents, in the order of their ids.
    communities : sequence of Community
        In the order of their ids.
    practice : PracticeStock
        The practising bearers of all communities.
    """

    def __init__(
        self,
        roster: CreatorRoster,
        creators: Sequence[Creator],
        communities: Sequence[Community],
        practice: PracticeStock,
    ) -> None:
        self.roster = roster
        self.creators = tuple(creators)
        self.communities = tuple(communities)
        self.practice = practice

    @property
    def creator_community(self) -> npt.NDArray[np.int32]:
        """Community of each creator, shape ``(num_creators,)``."""
        return self.roster.community

    @property
    def terms(self) -> list[CommunityTerms]:
        """Terms in force, one per community."""
        return [community.terms for community in self.communities]

    def set_terms(self, views: Sequence[CommunityView]) -> list[CommunityTerms]:
        """Let every community set its terms for the epoch that begins, and return them."""
        return [community.set_terms(view) for community, view in zip(self.communities, views, strict=True)]

    def change_consent(self, day: int) -> bool:
        """Make the changes of consent that are set for a day, and return whether there was any."""
        changed = [community.change_consent(day) for community in self.communities]
        return any(changed)

    def judge(self, ballot: Ballot) -> Verdict:
        """Return whether a community accepts a derived piece."""
        return self.communities[ballot.community].judge(ballot)

    @property
    def bearers(self) -> npt.NDArray[np.float64] | None:
        """Practising bearers of each community, shape ``(num_communities,)``; None where none are modelled."""
        return self.practice.bearers

    @property
    def bearers_share(self) -> npt.NDArray[np.float64]:
        """Bearers relative to those at the start, shape ``(num_communities,)``; 1 where none are modelled."""
        return self.practice.share_of_start

    def hand_on(self, views: Sequence[CommunityView], days: int) -> None:
        """Let the practice be learnt and forgotten over an epoch of so many days that was just settled."""
        self.practice.hand_on(views, days)

    @property
    def roll(self) -> CreatorRoll:
        """Who the creators are at present."""
        return self.roster.roll

    def decide_all(self, views: CreatorViews) -> CreatorDecisions:
        """Return what every creator does today, in creator order."""
        return self.roster.decide(views)

    def snapshot(self) -> State:
        """Return all that is theirs."""
        return {
            "creators": self.roster.snapshot(),
            "communities": [community.snapshot() for community in self.communities],
            "practice": self.practice.snapshot(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.roster.restore(state["creators"])
        for community, own in zip(self.communities, state["communities"], strict=True):
            community.restore(own)
        self.practice.restore(state["practice"])


def make_people(
    model: mesa.Model,
    config: CreatorsConfig,
    communities: Sequence[CommunityConfig],
    keys: Keys,
    creator_policy: CreatorPolicy | None = None,
    community_policy: CommunityPolicy | None = None,
    practice: PracticeStock | None = None,
) -> MesaPeople:
    """Return the Mesa agents of one economy; creators are numbered community by community.

    Parameters
    ----------
    model : mesa.Model
        The economy they live in.
    config : CreatorsConfig
        Creators.
    communities : sequence of CommunityConfig
        In community order.
    keys : Keys
        Streams of the replication.
    creator_policy : CreatorPolicy or None
        How creators decide; None for `LogitCreatorPolicy`.
    community_policy : CommunityPolicy or None
        How communities set their terms; None for `GuardingCommunityPolicy`.
    practice : PracticeStock or None
        The practising bearers, for this economy alone; None for no model of them.

    Returns
    -------
    MesaPeople
    """
    num_creators = config.num_per_community * len(communities)
    guard = community_policy or GuardingCommunityPolicy(tuple(communities))
    community = np.arange(num_creators, dtype=np.int32) // np.int32(max(config.num_per_community, 1))
    logit = creator_policy or LogitCreatorPolicy(config, keys, num_creators)
    roster = CreatorRoster(config, keys, community, logit)
    return MesaPeople(
        roster,
        [Creator(model, roster, k) for k in range(num_creators)],
        [Community(model, c, guard, own, keys) for c, own in enumerate(communities)],
        practice or PracticeStock(TransmissionConfig(), communities),
    )


def creator_names(config: CreatorsConfig, communities: Sequence[CommunityConfig]) -> tuple[str, ...]:
    """Return a fictional name for each creator, in the order of their ids: the community's name and a number."""
    width = len(str(config.num_per_community))
    return tuple(
        f"{community.name} creator {n + 1:0{width}d}"
        for community in communities
        for n in range(config.num_per_community)
    )
