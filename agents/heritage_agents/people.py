"""The creators and communities of one economy, made from the scenario."""

from __future__ import annotations

from collections.abc import Sequence

import mesa
import numpy as np
import numpy.typing as npt

from heritage_agents.communities.community import Community, GuardingCommunityPolicy
from heritage_agents.config import CommunityConfig, CreatorsConfig
from heritage_agents.creators.creator import Creator, LogitCreatorPolicy
from heritage_sim.base import (
    CommunityPolicy,
    CommunityTerms,
    CommunityView,
    CreatorAction,
    CreatorPolicy,
    CreatorView,
    Keys,
    State,
)


class MesaPeople:
    """Mesa agents behind the seam `heritage_sim.base.People`.

    Parameters
    ----------
    creators : sequence of Creator
        In the order of their ids.
    communities : sequence of Community
        In the order of their ids.
    """

    def __init__(self, creators: Sequence[Creator], communities: Sequence[Community]) -> None:
        self.creators = tuple(creators)
        self.communities = tuple(communities)
        self._creator_community = np.array([creator.community for creator in creators], dtype=np.int32)

    @property
    def creator_community(self) -> npt.NDArray[np.int32]:
        """Community of each creator, shape ``(num_creators,)``."""
        return self._creator_community

    @property
    def terms(self) -> list[CommunityTerms]:
        """Terms in force, one per community."""
        return [community.terms for community in self.communities]

    def set_terms(self, views: Sequence[CommunityView]) -> list[CommunityTerms]:
        """Let every community set its terms for the epoch that begins, and return them."""
        return [community.set_terms(view) for community, view in zip(self.communities, views, strict=True)]

    def decide_all(self, views: Sequence[CreatorView]) -> list[CreatorAction]:
        """Return what every creator does today, one view and one action each, in creator order.

        All decide on the same morning's views, so the order of the calls has no effect (synchronous activation).
        """
        return [creator.decide(view) for creator, view in zip(self.creators, views, strict=True)]

    def snapshot(self) -> State:
        """Return all that is theirs."""
        return {
            "creators": [creator.snapshot() for creator in self.creators],
            "communities": [community.snapshot() for community in self.communities],
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        for creator, own in zip(self.creators, state["creators"], strict=True):
            creator.restore(own)
        for community, own in zip(self.communities, state["communities"], strict=True):
            community.restore(own)


def make_people(
    model: mesa.Model,
    config: CreatorsConfig,
    communities: Sequence[CommunityConfig],
    keys: Keys,
    creator_policy: CreatorPolicy | None = None,
    community_policy: CommunityPolicy | None = None,
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

    Returns
    -------
    MesaPeople
    """
    num_creators = config.num_per_community * len(communities)
    guard = community_policy or GuardingCommunityPolicy(tuple(communities))
    logit = creator_policy or LogitCreatorPolicy(config, keys, num_creators)
    return MesaPeople(
        [Creator(model, k, k // config.num_per_community, logit, config) for k in range(num_creators)],
        [Community(model, c, guard, community) for c, community in enumerate(communities)],
    )


def creator_names(config: CreatorsConfig, communities: Sequence[CommunityConfig]) -> tuple[str, ...]:
    """Return a fictional name for each creator, in the order of their ids: the community's name and a number."""
    width = len(str(config.num_per_community))
    return tuple(
        f"{community.name} creator {n + 1:0{width}d}"
        for community in communities
        for n in range(config.num_per_community)
    )
