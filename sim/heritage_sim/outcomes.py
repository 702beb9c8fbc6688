"""The outcomes of a replication: one function for each idea, all from whole-number evidence.

Names carry their unit of analysis. Shares and rates are percentages (0-100), gaps are in percentage points. A figure
over nothing (a share of no plays, a mean over no pieces) is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY, CreatorRoll, Origin, Outcome
from heritage_sim.communities import CommunityLog, community_outcomes
from heritage_sim.evaluation import evaluation_names
from heritage_sim.fraud_evidence import fraud_outcomes, no_fraud
from heritage_sim.metrics import (
    abandonment_rate,
    atkinson,
    gap_in_shares,
    gini,
    jain,
    per_session,
    theil,
    theil_parts,
)
from heritage_sim.money.outcomes import MoneyEvidence, money_outcomes, no_money
from heritage_sim.recording import Making

Int64 = npt.NDArray[np.int64]
NAN = float("nan")
AVERSION = 0.5
"""Aversion to inequality in Atkinson's index of creators' payout: below 1, so that one with nothing does not decide."""
PERCENT, POINTS, INDEX, UNITS = "%", "percentage points", "1", "smallest unit"


@dataclass(frozen=True, slots=True, eq=False)
class Payout:
    """How one rule's money fell.

    Parameters
    ----------
    payee_units : ndarray of int64, shape (num_payees,)
        Amounts over all epochs; communities' funds first, creators after them.
    origin_units : ndarray of int64, shape (len(Origin),)
        Amounts earned by works of each origin.
    payee_community : ndarray of int32, shape (num_payees,)
        Community of each payee.
    plays_by_community : ndarray of int64, shape (num_communities,)
        Plays of each community's works.
    """

    payee_units: Int64
    origin_units: Int64
    payee_community: npt.NDArray[np.int32]
    plays_by_community: Int64

    @property
    def num_communities(self) -> int:
        """Return the number of communities."""
        return int(self.plays_by_community.size)

    @property
    def community_units(self) -> Int64:
        """Return what each community was paid, fund and members together, shape ``(num_communities,)``."""
        total = np.zeros(self.num_communities, dtype=np.int64)
        np.add.at(total, self.payee_community, self.payee_units)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that outcomes are computed from, beside the payout.

    Parameters
    ----------
    counts : ndarray of int64, shape (len(TALLY),)
        Sums over days.
    plays_by_origin : ndarray of int64, shape (len(Origin),)
        Plays of works of each origin.
    plays_by_community, exposures_by_community : ndarray of int64, shape (num_communities,)
        Plays and showings of each community's works.
    plays_by_work : ndarray of int64, shape (num_works,)
        Plays of each work.
    generated_plays_by_community : ndarray of int64, shape (num_communities,)
        Plays of each community's generated works.
    making : Making
        How the making of music went.
    money : MoneyEvidence
        What became of the money.
    """

    counts: Int64
    plays_by_origin: Int64
    plays_by_community: Int64
    exposures_by_community: Int64
    plays_by_work: Int64
    generated_plays_by_community: Int64
    making: Making
    money: MoneyEvidence


def outcome_names(num_communities: int) -> tuple[str, ...]:
    """Return the names of all outcomes of an economy with so many communities, in the order they are recorded in."""

    def none(size: int) -> Int64:
        return np.zeros(size, dtype=np.int64)

    of, origins = none(num_communities), none(len(Origin))
    payout = Payout(of, origins, np.arange(num_communities, dtype=np.int32), of)
    nothing = Evidence(none(len(TALLY)), origins, of, of, none(0), of, Making(), no_money(num_communities))
    nobody = CreatorRoll(np.zeros(0, dtype=np.bool_), np.zeros(0), 0, 0)
    found = (
        payout_outcomes(payout),
        listening_outcomes(nothing),
        making_outcomes(nothing.making),
        creator_outcomes(nobody, np.zeros(0, dtype=np.int32), num_communities),
        money_outcomes(nothing.money),
        community_outcomes(CommunityLog(num_communities), num_communities),
        fraud_outcomes(no_fraud()),
    )
    names = tuple(outcome.name for outcomes in found for outcome in outcomes)
    return names + evaluation_names(num_communities)


def payout_outcomes(payout: Payout) -> Iterator[Outcome]:
    """Yield what follows from a rule's amounts alone; computed for the rule in force and for every shadow."""
    creators = payout.payee_units[payout.num_communities :]
    communities = payout.community_units
    n, m = communities.size, creators.size
    yield Outcome("payout_gap_communities", gap_in_shares(communities), POINTS, n)
    yield from shares("payout_share_community", communities)
    parts = theil_parts(payout.payee_units, payout.payee_community)
    yield Outcome("payout_theil_between_communities", parts.between, INDEX, n)
    yield Outcome("payout_theil_within_communities", parts.within, INDEX, payout.payee_units.size)
    yield Outcome("payout_gini_communities", gini(communities), INDEX, n)
    yield Outcome("payout_gini_creators", gini(creators), INDEX, m)
    yield Outcome("payout_theil_creators", theil(creators), INDEX, m)
    yield Outcome("payout_jain_creators", jain(creators), INDEX, m)
    yield Outcome("payout_atkinson_creators", atkinson(creators, AVERSION), INDEX, m)
    yield payout_per_play_gap(communities, payout.plays_by_community)
    yield from shares_by_origin("income_share", payout.origin_units)


def listening_outcomes(evidence: Evidence) -> Iterator[Outcome]:
    """Yield who was played and shown, and how long listeners stayed."""
    yield from shares("plays_share_community", evidence.plays_by_community)
    yield from shares("exposure_share_community", evidence.exposures_by_community)
    yield from shares_by_origin("plays_share", evidence.plays_by_origin)
    yield from displacement(evidence.generated_plays_by_community, evidence.plays_by_community)
    counts = evidence.counts
    sessions, plays = int(counts[TALLY.index("sessions")]), int(counts[TALLY.index("plays")])
    yield Outcome("plays_per_session", per_session(counts, "plays"), INDEX, sessions)
    yield Outcome("seconds_per_session", per_session(counts, "seconds"), "s", sessions)
    yield Outcome("abandonment_rate", abandonment_rate(counts), PERCENT, sessions)
    yield Outcome("sessions", float(sessions), INDEX, 1)
    yield Outcome("plays", float(plays), INDEX, 1)
    yield Outcome("gini_plays_works", gini(evidence.plays_by_work), INDEX, evidence.plays_by_work.size)


def making_outcomes(making: Making) -> Iterator[Outcome]:
    """Yield how much music was made, and how far the generated part keeps its tradition's rules."""
    yield Outcome("works_recorded", float(making.recorded), INDEX, 1)
    yield Outcome("works_generated", float(making.published_generated), INDEX, 1)
    yield Outcome("works_rereleased", float(making.rereleased), INDEX, 1)
    yield Outcome("commissions_refused", float(making.refused_consent + making.refused_strictness), INDEX, 1)
    yield Outcome("commissions_refused_repertoire", float(making.refused_repertoire), INDEX, 1)
    judged, votes = making.judged, making.jury_votes
    passed = judged - making.refused_strictness
    yield Outcome("derivatives_accepted_share", 100.0 * passed / judged if judged else NAN, PERCENT, judged)
    yield Outcome("jury_votes", float(votes), INDEX, 1)
    yield Outcome("jury_votes_split_share", 100.0 * making.jury_split_votes / votes if votes else NAN, PERCENT, votes)
    yield Outcome("jury_calls_without_quorum", float(making.jury_without_quorum), INDEX, 1)
    yield Outcome("works_crossed", float(making.crossed), INDEX, 1)
    yield Outcome("works_concealed", float(making.concealed), INDEX, 1)
    yield Outcome("concealments_detected", float(making.found_out), INDEX, making.concealed)
    n = making.generated
    yield Outcome("violations_per_generated_piece", making.generated_violations / n if n else NAN, INDEX, n)
    yield Outcome("consistency_generated_mean", making.generated_consistency / n if n else NAN, INDEX, n)


def creator_outcomes(
    roll: CreatorRoll, creator_community: npt.NDArray[np.integer], num_communities: int
) -> Iterator[Outcome]:
    """Yield who makes music at the end, how many came and went, and how skilled those are who stayed.

    Names that are payees beside the creators come after all of these, and are nobody who makes music.
    """
    for i in range(num_communities):
        own = creator_community[: roll.active.size] == i
        active = float(np.count_nonzero(roll.active & own))
        yield Outcome(f"creators_active_community_{i}", active, INDEX, int(np.count_nonzero(own)))
    yield Outcome("creators_entered", float(roll.num_entered), INDEX, 1)
    yield Outcome("creators_left", float(roll.num_left), INDEX, 1)
    skill = roll.skill[roll.active]
    yield Outcome("creator_skill_mean", float(skill.mean()) if skill.size else NAN, INDEX, skill.size)


def shares(name: str, amounts: Int64) -> Iterator[Outcome]:
    """Yield each community's share of the whole in percent, as ``<name>_<i>``."""
    total = int(amounts.sum())
    for i, amount in enumerate(amounts.tolist()):
        yield Outcome(f"{name}_{i}", 100.0 * amount / total if total else NAN, PERCENT, amounts.size)


def displacement(generated: Int64, plays: Int64) -> Iterator[Outcome]:
    """Yield the share of each community's plays that its generated works took, in percent."""
    for i, (part, whole) in enumerate(zip(generated.tolist(), plays.tolist(), strict=True)):
        yield Outcome(f"plays_share_generated_community_{i}", 100.0 * part / whole if whole else NAN, PERCENT, whole)


def shares_by_origin(name: str, amounts: Int64) -> Iterator[Outcome]:
    """Yield the share of archive, human and generated works in percent, as ``<name>_<origin>``."""
    total = int(amounts.sum())
    for origin in Origin:
        value = 100.0 * int(amounts[origin]) / total if total else NAN
        yield Outcome(f"{name}_{origin.name.lower()}", value, PERCENT, amounts.size)


def payout_per_play_gap(community_units: Int64, plays_by_community: Int64) -> Outcome:
    """Return the largest minus the smallest community's payout per play; communities nobody played are left out."""
    played = plays_by_community > 0
    rates = community_units[played] / plays_by_community[played]
    value = float(rates.max() - rates.min()) if rates.size > 1 else NAN
    return Outcome("payout_per_play_gap_communities", value, f"{UNITS} per play", int(rates.size))
