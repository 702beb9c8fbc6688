"""The stock of practising bearers of every community, from one settled epoch to the next.

Bearers are a real-valued stock that moves by its form alone, not whole persons who are drawn. A practice moves by less
than a person in an epoch, so that whole persons would either stand still or add a noise of their own; as a stock, two
cells differ by what income and prestige did and by nothing else, and the forms can be told apart. What chance there is
comes in through plays and income. All inputs are sums of whole numbers over shards, so the stock is the same for any
number of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from heritage_agents.communities.config import CommunityConfig
from heritage_agents.communities.transmission.advantage import Float64, advantage
from heritage_agents.communities.transmission.config import TransmissionConfig
from heritage_agents.communities.transmission.forms import Form, form_of
from heritage_sim.base import CommunityView, State

DAYS_PER_YEAR = 365.25


class PracticeStock:
    """The bearers of all communities.

    Parameters
    ----------
    config : TransmissionConfig
        Form and weights.
    communities : sequence of CommunityConfig
        In community order; of them the people and the share that practises at the start.
    make_form : callable, optional
        ``make_form(config, start) -> Form``: a form of one's own, given the shares at the start.

    Attributes
    ----------
    share : ndarray of float64, shape (num_communities,)
        Share of each community's people who practise.
    """

    def __init__(
        self,
        config: TransmissionConfig,
        communities: Sequence[CommunityConfig],
        make_form: Callable[[TransmissionConfig, Float64], Form | None] = form_of,
    ) -> None:
        self._config = config
        self._members = np.array([c.num_members for c in communities], dtype=np.float64)
        self._start: Float64 = np.array([c.bearers_at_start for c in communities], dtype=np.float64)
        self._form = make_form(config, self._start)
        self.share = self._start.copy()
        self._reference = math.nan if config.reference_income_units is None else float(config.reference_income_units)

    @property
    def bearers(self) -> Float64 | None:
        """Practising bearers of each community, shape ``(num_communities,)``; None where none are modelled."""
        return None if self._form is None else self.share * self._members

    @property
    def share_of_start(self) -> Float64:
        """Bearers of each community relative to those at the start, shape ``(num_communities,)``."""
        return self.share / self._start

    def hand_on(self, views: Sequence[CommunityView], days: int) -> None:
        """Let the practice be learnt and forgotten over a settled epoch.

        Parameters
        ----------
        views : sequence of CommunityView
            What each community was credited and how it was played in the epoch, in community order.
        days : int
            Length of the epoch.
        """
        if self._form is None or not days:
            return
        config = self._config
        income: Float64 = np.array([view.income_units for view in views], dtype=np.float64) / days
        plays: Float64 = np.array([view.plays for view in views], dtype=np.float64)
        generated: Float64 = np.array([view.generated_plays for view in views], dtype=np.float64)
        at_start = self._start * self._members
        # Sums that are exact to the last bit: no stock hangs on the order in which communities are listed.
        all_at_start = math.fsum(at_start)
        if math.isnan(self._reference) and income.any():
            self._reference = math.fsum(income) / all_at_start
        bearers = self.share * self._members
        q = advantage(
            income=np.divide(income, bearers, out=np.zeros_like(income), where=bearers > 0.0),
            reference=0.0 if math.isnan(self._reference) else self._reference,
            plays=plays - (1.0 - config.generated_prestige) * generated,
            all_plays=float(plays.sum()),
            share_of_bearers=at_start / all_at_start,
            weights=(config.income_weight, config.prestige_weight),
        )
        self.share = self._form.after(self.share, q, days / DAYS_PER_YEAR)

    def snapshot(self) -> State:
        """Return the stock and the reference income."""
        return {"share": self.share.tolist(), "reference": self._reference}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `snapshot` put down."""
        self.share = np.array(state["share"], dtype=np.float64)
        self._reference = float(state["reference"])
