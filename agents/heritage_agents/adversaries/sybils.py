"""The ring's further names among the creators: they stand in the roster, and never decide anything as creators do."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.config import CommunityConfig, CreatorsConfig
from heritage_sim.base import CreatorDecisions, CreatorViews, InputError, People


class PeopleWithSybils:
    """The creators and communities of an economy with a ring's further names after all creators (a `People`).

    The creators decide as if the names were not there. What else people do is asked of them.

    Parameters
    ----------
    people : People
        Creators and communities.
    community : int
        Community under which the names are listed.
    num_sybils : int
        How many names.
    """

    def __init__(self, people: People, community: int, num_sybils: int) -> None:
        self.people = people
        self._num_sybils = num_sybils
        self._creator_community = np.concatenate(
            [people.creator_community, np.full(num_sybils, community, dtype=np.int32)]
        )

    def __getattr__(self, name: str) -> Any:
        """Return what the ring does not change."""
        if name.startswith("_") or name == "people":
            raise AttributeError(name)
        return getattr(self.people, name)

    @property
    def creator_community(self) -> npt.NDArray[np.int32]:
        """Community of each creator, the further names last, shape ``(num_creators + num_sybils,)``."""
        return self._creator_community

    def decide_all(self, views: CreatorViews) -> CreatorDecisions:
        """Return what every creator does today; the further names rest."""
        num_all, num_creators = views.num_creators, views.num_creators - self._num_sybils
        of_creators: dict[str, Any] = {}
        for field in fields(views):
            value = getattr(views, field.name)
            # Rows of creators are told by the arrays' width; terms and communities have another.
            if isinstance(value, np.ndarray) and field.name != "tradition" and value.shape[-1] == num_all:
                of_creators[field.name] = value[..., :num_creators]
        decided = self.people.decide_all(replace(views, **of_creators))
        rest: dict[str, Any] = {
            field.name: np.concatenate([rows, np.zeros(self._num_sybils, dtype=rows.dtype)])
            for field in fields(decided)
            for rows in (getattr(decided, field.name),)
        }
        return CreatorDecisions(**rest)


def community_of(creator: int, config: CreatorsConfig, communities: tuple[CommunityConfig, ...]) -> int:
    """Return the community of a creator: creators are numbered community by community.

    Parameters
    ----------
    creator : int
        The colluder.
    config : CreatorsConfig
        How many creators each community has.
    communities : tuple of CommunityConfig
        In community order.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If there is no such creator.
    """
    num_creators = config.num_per_community * len(communities)
    if creator >= num_creators:
        raise InputError(
            f"there is no creator {creator} to collude",
            "adversaries.colluder",
            f"from 0 to {num_creators - 1}"
            if num_creators
            else "give communities creators: creators.num_per_community",
        )
    return creator // config.num_per_community


def sybil_names(num_sybils: int) -> tuple[str, ...]:
    """Return a name for each of the ring's further names; they are fictional, and say what they are."""
    width = len(str(num_sybils))
    return tuple(f"ring name {i + 1:0{width}d}" for i in range(num_sybils))
