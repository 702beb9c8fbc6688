"""The creators of an economy as arrays: what each is, believes and does not forget overnight.

Skill s divides what making costs beside the licence fee: cost = fee + c (stated cost - fee) / s, with c the creator's
own cost factor. log s is a talent, which stays, and practice, which each work adds to and each day takes a share of:
who rests long is left with the talent, who makes works at a steady pace reaches a steady skill.

Beliefs close a share of the gap to the newest figures each day: to what the creator's own works earned by the last
statement, and as long as it has none of a kind, to what its community's did. As long as there are none of these either,
a belief stays as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_agents.creators.config import CreatorsConfig
from heritage_sim.base import (
    CreatorAction,
    CreatorDecisions,
    CreatorMinds,
    CreatorPolicy,
    CreatorRoll,
    CreatorViews,
    Keys,
    State,
)

Floats = npt.NDArray[np.float64]


class CreatorRoster:
    """All creators, one column each.

    Parameters
    ----------
    config : CreatorsConfig
        What they begin with, and how they learn.
    keys : Keys
        Streams of the replication.
    community : ndarray of int32, shape (num_creators,)
        Community of each.
    policy : CreatorPolicy
        How they decide.

    Attributes
    ----------
    community : ndarray of int32, shape (num_creators,)
        Community of each.
    active : ndarray of bool, shape (num_creators,)
        Who makes music at present.
    practice : ndarray of float64, shape (num_creators,)
        What practice has added to the logarithm of each one's skill.
    believed_units : ndarray of float64, shape (2, num_creators)
        What each believes a new recorded and a new generated work earn in an epoch, in the token's smallest unit.
    believed_income_units : ndarray of float64, shape (num_creators,)
        What each believes it earns, or would earn, in an epoch.
    income_units : ndarray of int64, shape (num_creators,)
        What each has been credited so far.
    """

    def __init__(
        self, config: CreatorsConfig, keys: Keys, community: npt.NDArray[np.int32], policy: CreatorPolicy
    ) -> None:
        self.community = community
        self._config = config
        self._policy = policy
        ids = np.arange(community.size)
        starts = keys.stream("creator", "start")
        normal = starts.normals(ids, 0, 2)
        self._talent: Floats = config.skill_spread * normal[:, 0]
        self.practice: Floats = np.zeros(community.size)
        # The mean of a log-normal with parameters (m, s) is exp(m + s^2 / 2).
        self._cost_factor: Floats = np.exp(config.cost_spread * normal[:, 1] - config.cost_spread**2 / 2.0)
        self.active = keys.stream("creator", "active_at_start").uniform(ids, 0) < config.active_at_start
        believed = float(config.expected_units_per_epoch)
        self.believed_units: Floats = np.full((2, community.size), believed)
        self.believed_income_units: Floats = np.full(community.size, believed)
        self.income_units = np.zeros(community.size, dtype=np.int64)
        self._num_entered = 0
        self._num_left = 0

    @property
    def num_creators(self) -> int:
        """Return the number of creators."""
        return int(self.community.size)

    @property
    def skill(self) -> Floats:
        """Skill of each, shape ``(num_creators,)``."""
        return np.exp(self._talent + self.practice)

    @property
    def cost_units(self) -> Floats:
        """What recording and commissioning a work costs each, licence fee included, shape ``(2, num_creators)``."""
        config, fee = self._config, self._config.licence_fee_units_floor
        relative = self._cost_factor / self.skill
        return np.stack([config.recording_cost_units * relative, fee + (config.commission_cost_units - fee) * relative])

    @property
    def minds(self) -> CreatorMinds:
        """What they are and believe."""
        return CreatorMinds(self.active, self.skill, self.cost_units, self.believed_units, self.believed_income_units)

    @property
    def roll(self) -> CreatorRoll:
        """Who they are at present."""
        return CreatorRoll(self.active.copy(), self.skill, self._num_entered, self._num_left)

    def decide(self, views: CreatorViews) -> CreatorDecisions:
        """Take in what the views tell, and return what each does today, on its beliefs rather than the newest figures.

        All decide on the same morning's views, so the order has no effect (synchronous activation).

        Parameters
        ----------
        views : CreatorViews
            What each knows.

        Returns
        -------
        CreatorDecisions
        """
        self.income_units = views.income_units
        self._learn(self.believed_units, np.where(np.isnan(views.own_units), views.community_units, views.own_units))
        # Who does not make music, or has published nothing yet, goes by those who have.
        published = ~np.isnan(views.own_units).all(axis=0)
        incomes = np.where(self.active & published, views.epoch_income_units, views.community_income_units)
        self._learn(self.believed_income_units, incomes)
        decided = self._policy.decide(views, self.minds)
        self._num_entered += int(np.count_nonzero(decided.active & ~self.active))
        self._num_left += int(np.count_nonzero(self.active & ~decided.active))
        self.active = decided.active
        makes = decided.action != CreatorAction.REST
        self.practice = (1.0 - self._config.skill_fade) * self.practice + self._config.skill_gain * makes
        return decided

    def _learn(self, belief: Floats, news: Floats) -> None:
        """Move beliefs towards the news, in place, where there is any."""
        step = self._config.belief_rate * (news - belief)
        np.add(belief, step, out=belief, where=~np.isnan(step))

    def snapshot(self) -> State:
        """Return what lasts from day to day."""
        return {
            "active": self.active.copy(),
            "practice": self.practice.copy(),
            "believed_units": self.believed_units.copy(),
            "believed_income_units": self.believed_income_units.copy(),
            "income_units": self.income_units.copy(),
            "num_entered": self._num_entered,
            "num_left": self._num_left,
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.active = np.array(state["active"], dtype=np.bool_)
        self.practice = np.array(state["practice"], dtype=np.float64)
        self.believed_units = np.array(state["believed_units"], dtype=np.float64)
        self.believed_income_units = np.array(state["believed_income_units"], dtype=np.float64)
        self.income_units = np.array(state["income_units"], dtype=np.int64)
        self._num_entered = int(state["num_entered"])
        self._num_left = int(state["num_left"])
