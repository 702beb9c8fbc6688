"""Creators: Mesa agents who weigh what a work has been earning against what it costs to make.

The rule. On a day a creator rests, records, or commissions a derivative. With e the belief about a work's earnings in
an epoch (one for recordings, one for derivatives), H the epochs looked ahead to, s the share of the community's fund:

    gain(record)     = H (1 - s) e_recorded  + prestige - recording cost
    gain(commission) = H (1 - s) e_generated            - commission cost
    P(action) proportional to exp(base_log_odds + gain(action) / scale);  P(rest) proportional to 1

A use the community does not consent to is no alternative. Beliefs follow the community's last settled figures by
exponential smoothing and start at a stated prior; while there is no such work yet (NaN), a belief stays as it is.

Each action has a Gumbel number of its own, addressed by (creator, day, action), so the choice is the multinomial logit
and moves only where the gains move: common random numbers across arms and rules.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt

from heritage_agents.config import CreatorsConfig
from heritage_sim.base import BPS, Consent, CreatorAction, CreatorPolicy, CreatorView, Keys, State


class LogitCreatorPolicy:
    """The rule above (a `CreatorPolicy`).

    Parameters
    ----------
    config : CreatorsConfig
        Costs, scale and base odds.
    keys : Keys
        Streams of the replication.
    num_creators : int
        Creators whose numbers are drawn together, once a day; a larger id is drawn alone.
    """

    def __init__(self, config: CreatorsConfig, keys: Keys, num_creators: int) -> None:
        self._config = config
        self._stream = keys.stream("creator", "action")
        self._ids = np.arange(num_creators, dtype=np.int64)
        self._day = -1
        self._noise: list[list[float]] = []

    def gains_units(self, view: CreatorView) -> tuple[float, float]:
        """Return the gain of recording and of commissioning a work, in the token's smallest unit."""
        config = self._config
        kept = min(view.epochs_left, config.horizon_epochs) * (1.0 - view.terms.share_bps / BPS)
        return (
            kept * view.expected_recorded_units + config.recording_prestige_units - config.recording_cost_units,
            kept * view.expected_generated_units - config.commission_cost_units,
        )

    def decide(self, creator_id: int, view: CreatorView) -> CreatorAction:
        """Return what the creator does today."""
        config = self._config
        rest, record, commission = self._gumbels(creator_id, view.day)
        gain_record, gain_commission = self.gains_units(view)
        record += config.base_log_odds + gain_record / config.decision_scale_units
        commission += config.base_log_odds + gain_commission / config.decision_scale_units
        consent = view.terms.consent
        best, action = rest, CreatorAction.REST
        if record > best and consent & Consent.PERFORM:
            best, action = record, CreatorAction.RECORD
        if commission > best and consent & Consent.DERIVE:
            action = CreatorAction.COMMISSION
        return action

    def _gumbels(self, creator_id: int, day: int) -> list[float]:
        if creator_id >= self._ids.size:
            return self._draw(np.array([creator_id]), day)[0]
        if day != self._day:
            self._noise = self._draw(self._ids, day)
            self._day = day
        return self._noise[creator_id]

    def _draw(self, ids: npt.NDArray[np.int64], day: int) -> list[list[float]]:
        return (-np.log(-np.log(self._stream.uniforms(ids, day, len(CreatorAction))))).tolist()


class Creator(mesa.Agent):
    """One creator.

    Parameters
    ----------
    model : mesa.Model
        The economy.
    creator_id : int
        Number among all creators.
    community : int
        Index of the community.
    policy : CreatorPolicy
        How it decides.
    config : CreatorsConfig
        Its first belief and how fast it learns.

    Attributes
    ----------
    income_units : int
        What it has been credited so far, in the token's smallest unit.
    believed_recorded_units, believed_generated_units : float
        What it believes a new work earns in an epoch, in the token's smallest unit.
    """

    def __init__(
        self, model: mesa.Model, creator_id: int, community: int, policy: CreatorPolicy, config: CreatorsConfig
    ) -> None:
        super().__init__(model)
        self.creator_id = creator_id
        self.community = community
        self.policy = policy
        self.income_units = 0
        self.believed_recorded_units = float(config.expected_units_per_epoch)
        self.believed_generated_units = float(config.expected_units_per_epoch)
        self._rate = config.belief_rate

    def decide(self, view: CreatorView) -> CreatorAction:
        """Take in what the view tells, and return what to do today, on the belief rather than on the newest figures."""
        self.income_units = view.income_units
        self.believed_recorded_units = self._learnt(self.believed_recorded_units, view.expected_recorded_units)
        self.believed_generated_units = self._learnt(self.believed_generated_units, view.expected_generated_units)
        believed = replace(
            view,
            expected_recorded_units=self.believed_recorded_units,
            expected_generated_units=self.believed_generated_units,
        )
        return self.policy.decide(self.creator_id, believed)

    def _learnt(self, belief: float, news: float) -> float:
        return belief if math.isnan(news) else belief + self._rate * (news - belief)

    def snapshot(self) -> State:
        """Return income and beliefs."""
        return {
            "income_units": self.income_units,
            "believed_recorded_units": self.believed_recorded_units,
            "believed_generated_units": self.believed_generated_units,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `snapshot` put down."""
        self.income_units = int(state["income_units"])
        self.believed_recorded_units = float(state["believed_recorded_units"])
        self.believed_generated_units = float(state["believed_generated_units"])
