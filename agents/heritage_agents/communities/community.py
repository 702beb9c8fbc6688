"""Communities: Mesa agents who guard their terms, and change them when generated works seem to displace their own.

The rule, at the start of an epoch, with g the generated share of the community's plays and a *loss* a fall of its
income between the last two settled epochs by more than the tolerance:

- loss and g above ``displacement_share``: stricter by a step and a larger share for the fund by a step, within bounds;
- loss and g above ``withdrawal_share``: consent to derive is withdrawn as well;
- no loss: strictness and share go back by a step towards what they were at the start;
- g below ``displacement_share``: consent to derive that the rule withdrew is given again.

Before two epochs were settled nothing is compared. The rule draws no random number. Changes of consent that the
scenario sets for a day come beside it: the rule never gives back what they withdrew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mesa

from heritage_agents.communities.config import CommunityConfig, flags_of
from heritage_agents.communities.jury import Jury
from heritage_sim.base import (
    Ballot,
    CommunityPolicy,
    CommunityTerms,
    CommunityView,
    Consent,
    Keys,
    State,
    Verdict,
)


def first_terms(config: CommunityConfig) -> CommunityTerms:
    """Return the terms with which a community begins."""
    return CommunityTerms(
        consent=config.consent_flags, strictness=float(config.strictness), share_bps=int(config.share_bps)
    )


class GuardingCommunityPolicy:
    """The rule above (a `CommunityPolicy`).

    Parameters
    ----------
    configs : sequence of CommunityConfig
        In community order.
    """

    def __init__(self, configs: tuple[CommunityConfig, ...]) -> None:
        self._configs = configs

    def terms(self, community_id: int, view: CommunityView) -> CommunityTerms:
        """Return the terms for the epoch that begins."""
        config = self._configs[community_id]
        start, now = first_terms(config), view.terms
        if view.epoch < 2:
            return now
        generated = view.generated_plays / view.plays if view.plays else 0.0
        loss = view.income_units < (1.0 - config.income_tolerance) * view.previous_income_units
        strictness, share, consent = now.strictness, now.share_bps, now.consent
        if loss and generated > config.displacement_share:
            strictness = max(strictness, min(strictness + config.strictness_step, config.strictness_max))
            share = max(share, min(share + config.share_step_bps, config.share_max_bps))
        elif not loss:
            strictness = max(strictness - config.strictness_step, min(strictness, start.strictness))
            share = max(share - config.share_step_bps, min(share, start.share_bps))
        if loss and generated > config.withdrawal_share:
            consent &= ~Consent.DERIVE
        elif generated < config.displacement_share:
            consent |= config.consent_on(view.day) & Consent.DERIVE
        return CommunityTerms(consent=Consent(consent), strictness=strictness, share_bps=share)


class Community(mesa.Agent):
    """One community.

    Parameters
    ----------
    model : mesa.Model
        The economy.
    community_id : int
        Index of the community.
    policy : CommunityPolicy
        How it sets its terms.
    config : CommunityConfig
        Its name, first terms, jury and changes of consent.
    keys : Keys
        Streams of the replication.

    Attributes
    ----------
    terms : CommunityTerms
        Terms in force.
    income_units : int
        What members and fund were credited in the last settled epoch, in the token's smallest unit.
    """

    def __init__(
        self, model: mesa.Model, community_id: int, policy: CommunityPolicy, config: CommunityConfig, keys: Keys
    ) -> None:
        super().__init__(model)
        self.community_id = community_id
        self.name = config.name
        self.policy = policy
        self.terms = first_terms(config)
        self.income_units = 0
        self.jury = Jury(config.jury, community_id, keys) if config.jury.size else None
        self._changes = {change.day: change for change in config.consent_changes}

    def set_terms(self, view: CommunityView) -> CommunityTerms:
        """Set the terms for the epoch that begins, and return them."""
        self.income_units = view.income_units
        self.terms = self.policy.terms(self.community_id, view)
        return self.terms

    def change_consent(self, day: int) -> bool:
        """Withdraw and grant what is set for a day, and return whether anything is."""
        change = self._changes.get(day)
        if change is None:
            return False
        consent = (self.terms.consent & ~flags_of(change.withdraw)) | flags_of(change.grant)
        self.terms = replace(self.terms, consent=Consent(consent))
        return True

    def judge(self, ballot: Ballot) -> Verdict:
        """Return whether a derived piece is accepted: by the jury's vote, or where there is none, by its measure."""
        if self.jury is None:
            return Verdict(ballot.consistency >= self.terms.strictness)
        return self.jury.verdict(ballot, self.terms.strictness)

    def snapshot(self) -> State:
        """Return terms and income."""
        return {
            "consent": int(self.terms.consent),
            "strictness": self.terms.strictness,
            "share_bps": self.terms.share_bps,
            "income_units": self.income_units,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `snapshot` put down."""
        self.terms = CommunityTerms(
            consent=Consent(int(state["consent"])),
            strictness=float(state["strictness"]),
            share_bps=int(state["share_bps"]),
        )
        self.income_units = int(state["income_units"])
