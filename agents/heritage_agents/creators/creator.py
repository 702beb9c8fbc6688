"""Creators as Mesa agents: each a light view of its column in the roster, where all of them are kept and decide."""

from __future__ import annotations

import mesa

from heritage_agents.creators.roster import CreatorRoster


class Creator(mesa.Agent):
    """One creator.

    Parameters
    ----------
    model : mesa.Model
        The economy.
    roster : CreatorRoster
        Where it is kept.
    creator_id : int
        Number among all creators.
    """

    def __init__(self, model: mesa.Model, roster: CreatorRoster, creator_id: int) -> None:
        super().__init__(model)
        self._roster = roster
        self.creator_id = creator_id
        self.community = int(roster.community[creator_id])

    @property
    def is_active(self) -> bool:
        """Whether it makes music at present."""
        return bool(self._roster.active[self.creator_id])

    @property
    def skill(self) -> float:
        """Skill; 1 is the one at which the scenario's costs are stated."""
        return float(self._roster.skill[self.creator_id])

    @property
    def income_units(self) -> int:
        """What it has been credited so far, in the token's smallest unit."""
        return int(self._roster.income_units[self.creator_id])

    @property
    def believed_recorded_units(self) -> float:
        """What it believes a new recording earns in an epoch, in the token's smallest unit."""
        return float(self._roster.believed_units[0, self.creator_id])

    @property
    def believed_generated_units(self) -> float:
        """What it believes a new derivative earns in an epoch, in the token's smallest unit."""
        return float(self._roster.believed_units[1, self.creator_id])

    @property
    def believed_income_units(self) -> float:
        """What it believes it earns, or would earn, in an epoch, in the token's smallest unit."""
        return float(self._roster.believed_income_units[self.creator_id])
