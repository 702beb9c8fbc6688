"""A ring around one creator, and its books: what each kind of fraud brought, and what it cost.

The colluder is a creator like any other. When the ring begins to act and the colluder has published nothing, the ring
uploads a recording of an archive work under that name, so that there is something to play and to point at. Its further
names (Sybils) upload copies of the colluder's works. A false claim says that a newly published derivative builds on
the ring's work; where it is believed, the licence fee goes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heritage_agents.adversaries.bots import bot_plan, found_days
from heritage_agents.adversaries.claims import Claims
from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.listeners.config import ListenersConfig
from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Catalogue,
    Consent,
    Keys,
    Origin,
    RoyaltyRule,
    State,
    Statement,
    WorkBatch,
    largest_remainder,
)
from heritage_sim.fraud import Uploads
from heritage_sim.fraud_evidence import FraudEvidence
from heritage_sim.money.treasury import LicenceFee
from heritage_sim.rights import RightsBook
from heritage_sim.royalty.without import RuleWithout

Int64 = npt.NDArray[np.int64]


class Ring:
    """The ring of one economy (a `FraudRing`).

    Parameters
    ----------
    config : AdversariesConfig
        What it does.
    listeners : ListenersConfig
        Plans that bots pay; their ids begin at ``num_listeners``.
    keys : Keys
        Streams of the replication.
    num_communities : int
        Number of communities, which come first among the payees.
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator, the ring's further names last.

    Raises
    ------
    InputError
        If there is no such plan.
    """

    def __init__(
        self,
        config: AdversariesConfig,
        listeners: ListenersConfig,
        keys: Keys,
        num_communities: int,
        creator_community: npt.NDArray[np.int32],
    ) -> None:
        num_honest = creator_community.size - config.sybils
        self._config = config
        self._keys = keys
        self._first_bot = listeners.num_listeners
        self._fee_units_per_day = bot_plan(config, listeners).fee_units_per_day
        self._found = found_days(config, keys, np.arange(config.bots, dtype=np.int64))
        self._community = int(creator_community[config.colluder])
        self._sybils = np.arange(num_honest, creator_community.size, dtype=np.int32)
        self._members = np.concatenate([np.array([config.colluder], dtype=np.int32), self._sybils])
        self._payees = num_communities + self._members.astype(np.int64)
        self._claims = Claims(config, keys, self._members)
        self._brought = {"bots": 0, "sybils": 0, "claims": 0}
        self._spent = {"bots": 0, "sybils": 0, "claims": 0}
        self._num_copies = 0
        self._gained: Int64 = np.zeros(num_communities + creator_community.size, dtype=np.int64)

    def uploads(self, catalogue: Catalogue, day: int) -> Uploads | None:
        """Return the works that the ring uploads today, or None."""
        since = day - self._config.start_day
        if since < 0:
            return None
        own = np.flatnonzero(catalogue.creator == self._config.colluder)
        if since == 0 and not own.size:
            self._spent[self._first_kind()] += self._config.publishing_cost_units
            return self._first_piece(catalogue, day)
        round_number, rest = divmod(since - 1, self._config.days_between_copies)
        if rest or since < 1 or round_number >= self._config.copies_per_sybil or not (self._sybils.size and own.size):
            return None
        self._num_copies += self._sybils.size
        self._spent["sybils"] += self._sybils.size * self._config.publishing_cost_units
        copied = own[self._keys.stream("ring", "copy").integer(self._sybils, round_number, own.size)]
        batch = _uploaded(catalogue, copied, self._sybils, catalogue.parents[copied], catalogue.origin[copied], day)
        return Uploads(batch, copied)

    def _first_kind(self) -> str:
        """Return the kind of fraud that the ring's first piece is put down to."""
        if self._config.bots:
            return "bots"
        return "claims" if self._config.false_claims_per_work > 0.0 else "sybils"

    def _first_piece(self, catalogue: Catalogue, day: int) -> Uploads:
        """Return a recording of an archive work of the colluder's community, or of any where it has none."""
        archive = catalogue.creator == NO_ONE
        own = np.flatnonzero(archive & (catalogue.community == self._community))
        works = own if own.size else np.flatnonzero(archive)
        source = works[self._keys.stream("ring", "first piece").integer(0, 0, works.size)]
        parents = np.full((1, MAX_PARENTS), NO_ONE, dtype=np.int32)
        parents[0, 0] = source[0]
        batch = _uploaded(catalogue, source, self._members[:1], parents, np.array([Origin.HUMAN], dtype=np.int8), day)
        return Uploads(replace(batch, community=np.array([self._community], dtype=np.int32)), source)

    def bought_works(self, catalogue: Catalogue, uses: npt.NDArray[np.int16], day: int) -> npt.NDArray[np.int32]:
        """Return the works that the bots are to play today: the ring's newest that may be played."""
        if not self._config.bots:
            return np.zeros(0, dtype=np.int32)
        may_be_played = ((uses & int(Consent.PERFORM)) != 0) & (catalogue.column("day") <= day)
        works = np.flatnonzero(np.isin(catalogue.creator, self._members) & may_be_played)
        return works[-self._config.bot_works :].astype(np.int32)

    def claimed(
        self,
        fees: Sequence[LicenceFee],
        catalogue: Catalogue,
        book: RightsBook,
        payable: npt.NDArray[np.bool_],
        last_day: int,
    ) -> list[LicenceFee]:
        """Return an epoch's licence fees as they will be paid: those that a false claim holds go to the ring's work."""
        known = np.flatnonzero(payable & (catalogue.creator[: payable.size] == self._config.colluder))
        if not known.size:
            return list(fees)
        paid = self._claims.redirected(fees, int(known[0]), last_day)
        for owed, to in zip(fees, paid, strict=True):
            if to is not owed:
                moved = _credited(to, catalogue, book, self._gained.size)
                moved -= _credited(owed, catalogue, book, self._gained.size)
                self._brought["claims"] += int(moved[self._payees].sum())
                self._gained = self._gained + moved
        return paid

    def honest_rules(self, rule: RoyaltyRule, catalogue: Catalogue) -> dict[str, RoyaltyRule]:
        """Return the acting rule without bots, then without copies too, as far as there are any."""
        first = self._first_bot if self._config.bots else None
        copies = np.flatnonzero(np.isin(catalogue.creator, self._sybils))
        rules: dict[str, RoyaltyRule] = {}
        if first is not None:
            rules["bots"] = RuleWithout(rule, first, np.zeros(0, dtype=np.int64))
        if copies.size:
            rules["sybils"] = RuleWithout(rule, first, copies)
        return rules

    def settled(self, statement: Statement, without: Mapping[str, Statement], first_day: int, last_day: int) -> None:
        """Take down what an epoch's statement gave the ring, beside the statements without its frauds."""
        before = statement.payee_units
        for kind, honest in without.items():
            self._brought[kind] += int((before - honest.payee_units)[self._payees].sum())
            before = honest.payee_units
        self._gained = self._gained + statement.payee_units - before
        self._spent["bots"] += self._fee_units_per_day * self._account_days(first_day, last_day)

    def _account_days(self, first_day: int, last_day: int) -> int:
        """Return the days that accounts were open between two days, both included, summed over accounts."""
        begins, ends = max(first_day, self._config.start_day), np.minimum(self._found, last_day)
        return int(np.maximum(ends - begins + 1, 0).sum())

    def evidence(self, num_days: int) -> FraudEvidence:
        """Return what the ring has made in so many days."""
        gained = self._gained.copy()
        gained[self._payees] = 0
        lost = np.minimum(gained, 0)
        costs = {**self._spent, "claims": self._spent["claims"] + self._claims.bonds_lost_units(num_days)}
        return FraudEvidence(
            profit_units={kind: brought - costs[kind] for kind, brought in self._brought.items()},
            num_acting={"bots": self._config.bots, "sybils": self._num_copies, "claims": self._claims.num_filed},
            accounts_detected=int(np.count_nonzero(self._found < num_days)),
            displaced_units=-int(lost.sum()),
            num_displaced=int(np.count_nonzero(lost)),
        )

    def snapshot(self) -> State:
        """Return all that changes from day to day."""
        return {
            "brought": dict(self._brought),
            "spent": dict(self._spent),
            "num_copies": self._num_copies,
            "gained": self._gained.copy(),
            "claims": self._claims.snapshot(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._brought = {kind: int(units) for kind, units in state["brought"].items()}
        self._spent = {kind: int(units) for kind, units in state["spent"].items()}
        self._num_copies = int(state["num_copies"])
        self._gained = np.array(state["gained"], dtype=np.int64)
        self._claims.restore(state["claims"])


def _credited(fee: LicenceFee, catalogue: Catalogue, book: RightsBook, num_payees: int) -> Int64:
    """Return what a licence fee credits to each payee, apart from what a contract passes on to the work's sources."""
    stems = book.stems(fee.source_work, catalogue)
    units = np.zeros(num_payees, dtype=np.int64)
    np.add.at(units, [s.payee_id for s in stems], largest_remainder(fee.units, [s.share_bps for s in stems]))
    return units


def _uploaded(
    catalogue: Catalogue,
    works: npt.NDArray[np.integer],
    creators: npt.NDArray[np.int32],
    parents: npt.NDArray[np.int32],
    origin: npt.NDArray[np.int8],
    day: int,
) -> WorkBatch:
    """Return copies of works under other names, published today."""
    return WorkBatch(
        vectors=catalogue.vectors[works].copy(),
        tradition=catalogue.tradition[works].copy(),
        community=catalogue.community[works].copy(),
        creator=creators.astype(np.int32),
        origin=np.array(origin, dtype=np.int8),
        synthetic=catalogue.column("synthetic")[works].copy(),
        consistency=catalogue.consistency[works].copy(),
        duration_s=catalogue.column("duration_s")[works].copy(),
        day=np.full(works.size, day, dtype=np.int32),
        parents=np.array(parents, dtype=np.int32),
        content_sha256=catalogue.content_sha256[works].copy(),
    )
