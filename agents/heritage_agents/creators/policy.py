"""How creators decide: logits of what they believe a work will bring against what it costs them.

The rule, for one creator on one day. With e the belief about a work's earnings in an epoch (one for recordings, one for
derivatives), H the epochs looked ahead to, s the share of the community's fund, and its own costs:

- Who is active leaves with odds exp(exit_log_odds - (y - y0) / scale), y the income it believes it earns in an epoch
  and y0 the reservation income. Who is not enters with odds B exp(entry_log_odds + (y - y0) / scale), B the stock of
  practising bearers relative to the first day.
- Who is active rests, records or commissions:

      gain(record)     = H (1 - s) e_recorded  + prestige - recording cost
      gain(commission) = H (1 - s) e_generated            - commission cost
      P(action) proportional to exp(base_log_odds + gain(action) / scale);  P(rest) proportional to 1

  A use the own community does not consent to is no alternative.
- Who commissions builds on another tradition's work with odds exp(crossing_log_odds - crossing cost / scale), where a
  community of another tradition consents to derivation from outside; otherwise on its own.
- Who commissions conceals the source with odds exp(concealment_log_odds + (F - p m F) / scale): F the licence fee that
  is saved, p the chance to be found out, m F what is paid then.

"Scale" is `living_scale_units` in the first, `decision_scale_units` in the second and third, and
`concealment_scale_units` in the fourth; the crossing cost is divided by skill.

Each decision has its own stream, addressed by (creator, day); of the actions each has a Gumbel number of its own. So a
choice moves only where what it is made from moves: common random numbers across arms and rules.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from heritage_agents.creators.config import CreatorsConfig
from heritage_sim.base import (
    BPS,
    Consent,
    CreatorAction,
    CreatorDecisions,
    CreatorMinds,
    CreatorPolicy,
    CreatorViews,
    Keys,
)
from heritage_sim.daily_numbers import DailyNumbers

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
RECORDED, GENERATED = 0, 1


class LogitCreatorPolicy(CreatorPolicy):
    """The rule above.

    Parameters
    ----------
    config : CreatorsConfig
        Costs, scales and base odds.
    keys : Keys
        Streams of the replication.
    num_creators : int
        Number of creators.
    """

    def __init__(self, config: CreatorsConfig, keys: Keys, num_creators: int) -> None:
        self._config = config

        def numbers(decision: str, num_draws: int = 1) -> DailyNumbers:
            return DailyNumbers(keys.stream("creator", decision), num_creators, num_draws)

        self._action = numbers("action", len(CreatorAction))
        self._entry, self._exit = numbers("entry"), numbers("exit")
        self._crossing, self._concealment = numbers("crossing"), numbers("concealment")

    def decide(self, views: CreatorViews, minds: CreatorMinds) -> CreatorDecisions:
        """Return what every creator does today."""
        active = self._active(views, minds)
        action = np.where(active, self._actions(views, minds), CreatorAction.REST).astype(np.int8)
        commissions = action == CreatorAction.COMMISSION
        return CreatorDecisions(
            action=action,
            crosses=commissions & self._crosses(views, minds, commissions),
            conceals=commissions & self._conceals(views, commissions),
            active=active,
        )

    def gains_units(self, views: CreatorViews, minds: CreatorMinds) -> Floats:
        """Return the gain of recording and of commissioning a work in the smallest unit, shape ``(2, num_creators)``.

        Parameters
        ----------
        views : CreatorViews
            What creators know.
        minds : CreatorMinds
            What they are and believe.

        Returns
        -------
        ndarray of float64, shape (2, num_creators)
        """
        config = self._config
        fund_share = np.array([t.share_bps for t in views.terms])[views.community] / BPS
        kept = min(views.epochs_left, config.horizon_epochs) * (1.0 - fund_share)
        gains = kept * minds.believed_units - minds.cost_units
        gains[RECORDED] += config.recording_prestige_units
        return gains

    def _active(self, views: CreatorViews, minds: CreatorMinds) -> Flags:
        """Return who makes music from today on."""
        config = self._config
        above = (minds.believed_income_units - config.reservation_income_units) / config.living_scale_units
        active = minds.active
        if config.exit_log_odds is not None:
            stays = ~_happens(config.exit_log_odds - above, self._exit.uniforms(views.day)[0])
            active = active & stays
        if config.entry_log_odds is not None and not minds.active.all():
            odds = config.entry_log_odds + above + _log(views.bearers_share)
            active = active | (~minds.active & _happens(odds, self._entry.uniforms(views.day)[0]))
        return active

    def _actions(self, views: CreatorViews, minds: CreatorMinds) -> npt.NDArray[np.int64]:
        config = self._config
        worth = -np.log(-np.log(self._action.uniforms(views.day)))
        log_odds = config.base_log_odds + self.gains_units(views, minds) / config.decision_scale_units
        worth[CreatorAction.RECORD] += np.where(_consents(views, Consent.PERFORM), log_odds[RECORDED], -np.inf)
        worth[CreatorAction.COMMISSION] += np.where(_consents(views, Consent.DERIVE), log_odds[GENERATED], -np.inf)
        return worth.argmax(axis=0)

    def _crosses(self, views: CreatorViews, minds: CreatorMinds, commissions: Flags) -> Flags:
        config = self._config
        open_to_outside = [Consent.DERIVE | Consent.OUTSIDE in t.consent for t in views.terms]
        if config.crossing_log_odds is None or not any(open_to_outside) or not commissions.any():
            return np.zeros_like(commissions)
        traditions = set(views.tradition[open_to_outside].tolist())
        # The community's own tradition does not count: to cross takes an open one beside it.
        abroad = np.array([bool(traditions - {t}) for t in views.tradition.tolist()])[views.community]
        cost = config.crossing_cost_units / (minds.skill * config.decision_scale_units)
        return abroad & _happens(config.crossing_log_odds - cost, self._crossing.uniforms(views.day)[0])

    def _conceals(self, views: CreatorViews, commissions: Flags) -> Flags:
        config = self._config
        if config.concealment_log_odds is None or not commissions.any():
            return np.zeros_like(commissions)
        fee = config.licence_fee_units_floor
        gain = fee * (1.0 - config.detection_chance * config.concealment_penalty)
        log_odds = config.concealment_log_odds + gain / config.concealment_scale_units
        return _happens(np.full(commissions.size, log_odds), self._concealment.uniforms(views.day)[0])


def _consents(views: CreatorViews, use: Consent) -> Flags:
    """Return whose own community permits a use, shape ``(num_creators,)``."""
    return np.array([use in t.consent for t in views.terms])[views.community]


def _happens(log_odds: Floats, uniform: Floats) -> Flags:
    """Return whether something of these log odds happens: a uniform u is below logistic(x) where logit(u) < x."""
    return np.log(uniform) - np.log1p(-uniform) < log_odds


def _log(share: Floats) -> Floats:
    return np.where(share > 0.0, np.log(np.maximum(share, math.ulp(0.0))), -np.inf)
