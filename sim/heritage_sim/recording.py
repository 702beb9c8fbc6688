"""What a replication writes down as it goes: whole-number rows from which every outcome and table is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY, Catalogue, DayTally, Origin, Piece, State, Statement
from heritage_sim.communities import CommunityLog
from heritage_sim.day.commissioning import Answer
from heritage_sim.day.publication import Judging
from heritage_sim.rights import Refused

Int64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Making:
    """How the making of music went, summed over the run.

    Parameters
    ----------
    requested, refused_consent, refused_repertoire, refused_strictness : int
        Commissions; those refused for want of consent; of these the ones whose source itself is restricted; derived
        pieces that a community did not accept.
    recorded, published_generated, rereleased : int
        Works published that people recorded, that a generator composed, and that are archive pieces published again.
    generated : int
        Pieces a generator composed, published or not.
    generated_violations : int
        Constraints they broke.
    generated_consistency : float
        Sum of their consistency.
    judged : int
        Derived pieces that communities were asked about.
    jury_votes, jury_split_votes, jury_without_quorum : int
        Votes of juries, those that were not unanimous, and calls to which too few jurors came.
    crossed : int
        Works published that join another tradition's work with the own one's.
    concealed, found_out : int
        Works published whose maker would not name what they were made from; of these the ones found out.
    """

    requested: int = 0
    refused_consent: int = 0
    refused_repertoire: int = 0
    refused_strictness: int = 0
    recorded: int = 0
    published_generated: int = 0
    rereleased: int = 0
    generated: int = 0
    generated_violations: int = 0
    generated_consistency: float = 0.0
    judged: int = 0
    jury_votes: int = 0
    jury_split_votes: int = 0
    jury_without_quorum: int = 0
    crossed: int = 0
    concealed: int = 0
    found_out: int = 0

    def commissioned(self, requested: int, refused: Refused) -> None:
        """Count commissions, and those refused for want of consent."""
        self.requested += requested
        self.refused_consent += refused.by_terms + refused.by_repertoire
        self.refused_repertoire += refused.by_repertoire

    def published(self, pieces: Sequence[Piece], judging: Judging) -> None:
        """Count published works by origin, and how derived pieces were judged."""
        self.recorded += sum(piece.origin == Origin.HUMAN for piece in pieces)
        self.published_generated += sum(piece.origin == Origin.GENERATED for piece in pieces)
        self.rereleased += sum(piece.origin == Origin.ARCHIVE for piece in pieces)
        self.refused_strictness += judging.judged - judging.accepted
        self.judged += judging.judged
        self.jury_votes += judging.votes
        self.jury_split_votes += judging.split_votes
        self.jury_without_quorum += judging.without_quorum

    def attributed(self, answers: Sequence[Answer]) -> None:
        """Count among published works those that cross traditions, conceal their source, and are found out."""
        self.crossed += sum(answer.request.crosses for answer in answers)
        self.concealed += sum(answer.request.conceals for answer in answers)
        self.found_out += sum(answer.is_found_out for answer in answers)

    def composed(self, pieces: Sequence[Piece]) -> None:
        """Count the composed ones among the day's pieces, before anything is refused."""
        for piece in pieces:
            if piece.origin == Origin.GENERATED:
                self.generated += 1
                self.generated_violations += piece.fidelity.num_violations
                self.generated_consistency += piece.fidelity.consistency


@dataclass(frozen=True, slots=True, eq=False)
class EpochShares:
    """How each rule shared out one epoch's pool.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    rules : list of str
        Rules, the one in force first, the shadows after it.
    payee_units : ndarray of int64, shape (num_rules, num_payees)
        Amounts of payees.
    origin_units : ndarray of int64, shape (num_rules, len(Origin))
        Amounts that works of each origin earned.
    """

    epoch: int
    rules: list[str]
    payee_units: Int64
    origin_units: Int64


class Recorder:
    """Rows by day, by epoch and by work.

    Parameters
    ----------
    num_communities : int
        Width of the day's plays by community.
    num_payees : int
        Width of the epochs' amounts by payee.

    Attributes
    ----------
    settled : list of (int, ndarray of int64)
        Of each epoch its first day, and what each payee's works earned on each day, shape ``(num_payees, num_days)``.
    traceable_units : int
        How much of all money is traceable.
    communities : CommunityLog
        Terms and practising bearers after each epoch.
    """

    def __init__(self, num_communities: int, num_payees: int) -> None:
        self.num_communities = num_communities
        self.making = Making()
        self.daily: list[Int64] = []
        self.plays: Int64 = np.zeros(0, dtype=np.int64)
        self.earned_units: Int64 = np.zeros(0, dtype=np.int64)
        self.exposures_by_community: Int64 = np.zeros(num_communities, dtype=np.int64)
        self.shares: list[EpochShares] = []
        self.settled: list[tuple[int, Int64]] = []
        self.traceable_units = 0
        self.communities = CommunityLog(num_communities)
        self._num_payees = num_payees

    def day(self, tally: DayTally, catalogue: Catalogue) -> None:
        """Take down a day: its counts, and its plays by origin and by community; the tally may know fewer works."""
        n = tally.plays_by_work.size
        by_origin = _sums(catalogue.origin[:n], tally.plays_by_work, len(Origin))
        by_community = _sums(catalogue.community[:n], tally.plays_by_work, self.num_communities)
        self.daily.append(np.concatenate([tally.counts, by_origin, by_community]))
        self.plays = self.plays_of(n) + tally.plays_by_work
        self.exposures_by_community += _sums(catalogue.community[:n], tally.exposures_by_work, self.num_communities)

    def epoch(
        self,
        statements: Sequence[Statement],
        catalogue: Catalogue,
        payee_units_by_day: Int64,
        first_day: int,
        traceable_units: int,
    ) -> None:
        """Take down an epoch.

        Parameters
        ----------
        statements : sequence of Statement
            What each rule decided, the one in force first.
        catalogue : Catalogue
            All works.
        payee_units_by_day : ndarray of int64, shape (num_payees, num_days)
            What each payee's works earned on each day under the rule in force.
        first_day : int
            Day of the first column.
        traceable_units : int
            How much of the epoch's money is traceable.
        """
        in_force = statements[0]
        self.shares.append(
            EpochShares(
                epoch=in_force.epoch,
                rules=[s.rule for s in statements],
                payee_units=np.stack([s.payee_units for s in statements]),
                origin_units=np.stack([_sums(catalogue.origin, s.work_units, len(Origin)) for s in statements]),
            )
        )
        self.earned_units = self.earned_of(catalogue.num_works) + in_force.work_units
        self.settled.append((first_day, payee_units_by_day))
        self.traceable_units += traceable_units

    def plays_of(self, num_works: int) -> Int64:
        """Return plays so far of the first ``num_works`` works, 0 for those nobody could have played yet."""
        return _longer(self.plays, num_works)

    def earned_of(self, num_works: int) -> Int64:
        """Return what the first ``num_works`` works have earned so far under the rules in force."""
        return _longer(self.earned_units, num_works)

    def totals_in_force(self) -> tuple[Int64, Int64]:
        """Return what the rules in force gave: to each payee, and to each origin's works."""
        return self._totals([(shares, 0) for shares in self.shares])

    def totals_of(self, rule: str) -> tuple[Int64, Int64] | None:
        """Return what a rule made of every epoch's usage, in force or not; None where it was not asked each time."""
        if not all(rule in shares.rules for shares in self.shares):
            return None
        return self._totals([(shares, shares.rules.index(rule)) for shares in self.shares])

    def _totals(self, rows: Sequence[tuple[EpochShares, int]]) -> tuple[Int64, Int64]:
        payees, origins = np.zeros(self._num_payees, dtype=np.int64), np.zeros(len(Origin), dtype=np.int64)
        for shares, row in rows:
            payees += shares.payee_units[row]
            origins += shares.origin_units[row]
        return payees, origins

    def daily_table(self) -> Int64:
        """Return one row a day: tally counts, plays by origin, plays by community."""
        width = len(TALLY) + len(Origin) + self.num_communities
        return np.stack(self.daily) if self.daily else np.zeros((0, width), dtype=np.int64)

    def snapshot(self) -> State:
        """Return all rows."""
        return {
            "making": {field.name: getattr(self.making, field.name) for field in fields(Making)},
            "daily": self.daily_table(),
            "plays": self.plays.copy(),
            "earned_units": self.earned_units.copy(),
            "exposures_by_community": self.exposures_by_community.copy(),
            "shares": [
                {field.name: getattr(line, field.name) for field in fields(EpochShares)} for line in self.shares
            ],
            "settled": [(first_day, units.copy()) for first_day, units in self.settled],
            "traceable_units": self.traceable_units,
            "communities": self.communities.snapshot(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.making = Making(**state["making"])
        self.daily = [np.array(row) for row in state["daily"]]
        self.plays = np.array(state["plays"])
        self.earned_units = np.array(state["earned_units"])
        self.exposures_by_community = np.array(state["exposures_by_community"])
        self.shares = [EpochShares(**line) for line in state["shares"]]
        self.settled = [(int(first_day), np.array(units)) for first_day, units in state["settled"]]
        self.traceable_units = int(state["traceable_units"])
        self.communities.restore(state["communities"])


def _sums(group: npt.NDArray[np.integer], amounts: Int64, num_groups: int) -> Int64:
    total = np.zeros(num_groups, dtype=np.int64)
    np.add.at(total, group, amounts)
    return total


def _longer(held: Int64, num_works: int) -> Int64:
    grown = np.zeros(num_works, dtype=np.int64)
    grown[: held.size] = held
    return grown
