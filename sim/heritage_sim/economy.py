"""The simulated world: one `Economy` lives its days, each in nine steps, from the parts it was given.

The way is one-directional: nothing downstream reaches back upstream except through the next day's state. All random
numbers are keyed (`heritage_sim.base.rng`); Mesa's own generators are never drawn from.
"""

from __future__ import annotations

import mesa  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    Catalogue,
    CreatorDecisions,
    DayTally,
    Keys,
    ProvenanceRecord,
    Rights,
    State,
    Statement,
    World,
)
from heritage_sim.commission_log import CommissionLog, Fate
from heritage_sim.config import EconomyConfig
from heritage_sim.day.asking import CommissionDesk
from heritage_sim.day.commissioning import Answer, Archive, answers, permitted, releasable
from heritage_sim.day.feedback import Accounts
from heritage_sim.day.listening import Audience, Listening, available_works, work_features
from heritage_sim.day.publication import accepted, chains, licence_fees, provenance, work_batch
from heritage_sim.day.refreshing import RecommenderDesk
from heritage_sim.day.repertoire import Repertoire
from heritage_sim.day.royalty import epoch_totals, statements
from heritage_sim.evaluation import Evaluation
from heritage_sim.fraud import statements_without
from heritage_sim.fraud_evidence import no_fraud
from heritage_sim.metrics import units_by_payee_and_day, units_by_work_and_day
from heritage_sim.money.traceability import traceable_units
from heritage_sim.money.treasury import Treasury
from heritage_sim.parts import Parts
from heritage_sim.recording import Recorder
from heritage_sim.results import Results, results_of
from heritage_sim.rights import RightsBook


class Economy(mesa.Model):
    """One replication of the economy.

    Parameters
    ----------
    config : EconomyConfig
        Its rhythm.
    parts : Parts
        What it is made of. Stateful parts are made here, so two economies of the same parts share no state.
    keys : Keys
        Streams of the replication; never of an arm or a rule.
    """

    def __init__(self, config: EconomyConfig, parts: Parts, keys: Keys) -> None:
        super().__init__(rng=keys.replication)
        self.config, self.parts, self.keys = config, parts, keys
        self.day = 0
        self.people = parts.make_people(self)
        creator_community = self.people.creator_community
        self._creator_community = creator_community
        self._rules = (parts.rule, *parts.shadow_rules)
        self.catalogue = Catalogue(dim=parts.encoder.dim)
        self.catalogue.append(parts.archive)
        self._archive = Archive(parts.archive.tradition, parts.archive.content_sha256, parts.traditions)
        self._repertoire = Repertoire(
            parts.archive.num_works, creator_community, parts.making, config.derivative_share, keys
        )
        self._commissions = CommissionDesk(
            parts.community_tradition[creator_community],
            self._archive,
            self._repertoire,
            parts.takes,
            parts.making,
            keys,
        )
        self.rights_book = RightsBook(parts.payee_names, creator_community, parts.num_communities)
        self.rights_book.add(np.zeros(parts.archive.num_works, dtype=np.int64), parts.archive_uses)
        self.desk = RecommenderDesk(parts.make_recommender())
        self.executor = parts.make_executor()
        self.audience = Audience()
        self._listening = Listening(self.executor)
        self.treasury = Treasury(parts.make_ledger(), config, parts.money_chain, len(parts.payee_names), keys)
        self.accounts = Accounts(creator_community, parts.community_tradition)
        self.recorder = Recorder(parts.num_communities, len(parts.payee_names))
        self.recorder.communities.settled(self.people.terms, self.people.bearers)
        self.commissions = CommissionLog(parts.traditions)
        self.ring = parts.make_ring(creator_community) if parts.make_ring else None
        self.evaluation = Evaluation(parts.evaluation, config.days, parts.num_communities)
        self._num_registered = 0
        self._is_open = False

    def step(self) -> None:
        """Live one day, in nine steps."""
        if not self._is_open:
            self._open()
        self._communities_set_terms()
        made = self._commissions_are_answered(self._creators_decide())
        self._pieces_are_published(made)
        self._ring_uploads()
        self._listeners_live_the_day()
        self._recommender_refreshes()
        if self.config.ends_epoch(self.day):
            self._epoch_is_settled()
        self.day += 1

    def run(self, until: int | None = None) -> None:
        """Live the days up to, not including, day ``until`` (all of them by default)."""
        stop = self.config.days if until is None else min(until, self.config.days)
        while self.day < stop:
            self.step()

    @property
    def epoch(self) -> int:
        """Return the epoch that today belongs to."""
        return self.config.epoch_of(self.day)

    def _open(self) -> None:
        self.treasury.open(self._provenance(0), self.people.terms)
        self._num_registered = self.catalogue.num_works
        self.audience.count(self.executor)
        self._refresh(day=0)
        self._is_open = True

    def _communities_set_terms(self) -> None:
        """Step 1: communities set terms as an epoch begins; a change that is set for a day stands over their rule."""
        if self.config.begins_epoch(self.day):
            self.people.set_terms(self.accounts.community_views(self.epoch, self.people.terms, self.day))
        # A change that is set for this day stands over what the rule has just decided.
        changed = self.people.change_consent(self.day)
        if changed or self.config.begins_epoch(self.day):
            self.treasury.label(self.people.terms, self.config.calendar.start_of(self.day))

    def _creators_decide(self) -> CreatorDecisions:
        """Step 2: creators decide, all on the same morning's views: enter or leave; rest, record or commission."""
        epochs_left = (self.config.days - self.day) / self.config.epoch_days
        people = self.people
        return people.decide_all(self.accounts.creator_views(self.day, people.terms, epochs_left, people.bearers_share))

    def _commissions_are_answered(self, decisions: CreatorDecisions) -> list[Answer]:
        """Step 3: decisions become commissions; those that consent permits are answered in one batch each."""
        asked = self._commissions.requests(decisions, self.day)
        uses = self.rights_book.uses(self.catalogue, self.people.terms)
        granted, refused = permitted(asked, self.rights_book, uses)
        made = answers(granted, self.parts.performer, self.parts.generator, self._archive)
        kept, withheld = releasable(made, self.rights_book, uses)
        self.recorder.making.commissioned(len(asked), refused + withheld)
        self.recorder.making.composed([a.piece for a in made])
        self.commissions.asked(self.day, asked)
        self.commissions.reached(Fate.WITHHELD, made)
        self.commissions.reached(Fate.REFUSED_TERMS, kept)
        return kept

    def _pieces_are_published(self, made: list[Answer]) -> None:
        """Step 4: pieces that the communities concerned accept join the catalogue, with shares and provenance."""
        terms = self.people.terms
        kept, judging = accepted(made, self.people, self.catalogue.community, self.day)
        kept = self._commissions.found_out(kept, self.day)
        self.recorder.making.published([a.piece for a in kept], judging)
        self.recorder.making.attributed(kept)
        self.commissions.reached(Fate.PUBLISHED, kept)
        if kept:
            day = self.config.release_day(self.day)
            batch = work_batch(kept, self.parts.encoder, self._creator_community, self.parts.traditions, day)
            self.catalogue.append(batch)
            self.rights_book.add([terms[int(c)].share_bps for c in batch.community])
            self._repertoire.add([a.source_work for a in kept])
            self.treasury.license(licence_fees(kept, self.day, self.parts.making))

    def _ring_uploads(self) -> None:
        """Beside step 4: a fraud ring, where the scenario has one, uploads its copies."""
        uploads = self.ring.uploads(self.catalogue, self.day) if self.ring else None
        if uploads is not None:
            terms = self.people.terms
            self.catalogue.append(uploads.batch)
            self.rights_book.add([terms[int(c)].share_bps for c in uploads.batch.community])
            self._repertoire.add(uploads.made_from)

    def _bought_works(self) -> npt.NDArray[np.int32]:
        if self.ring is None:
            return np.zeros(0, dtype=np.int32)
        return self.ring.bought_works(
            self.catalogue, self.rights_book.uses(self.catalogue, self.people.terms), self.day
        )

    def _listeners_live_the_day(self) -> None:
        """Step 5: listeners live the day in their shards; whole-number sums come back."""
        num_works = self.catalogue.num_works
        world = World(
            day=self.day,
            works=work_features(self.catalogue, self._available(self.day)),
            recommender_state=self.desk.state,
            visible_plays=self.desk.visible_plays(num_works),
            bought_works=self._bought_works(),
            subscribed_share=self.audience.subscribed_share,
        )
        if self.day == self.evaluation.split_day:
            self._waiting_days_are_lived()
            self.evaluation.freeze(self.executor, world, self.recorder.plays_of(num_works))
        self._days_are_recorded(self._listening.wait(world))

    def _days_are_recorded(self, tallies: list[DayTally]) -> None:
        for tally in tallies:
            self.recorder.day(tally, self.catalogue)
            self.audience.day(tally)

    def _waiting_days_are_lived(self) -> None:
        self._days_are_recorded(self._listening.live())

    def _available(self, day: int) -> npt.NDArray[np.bool_]:
        return available_works(self.rights_book.uses(self.catalogue, self.people.terms), self.catalogue, day)

    def _recommender_refreshes(self) -> None:
        """Step 6: the recommender learns from usage on its own period, and its new state is broadcast."""
        if self.config.refreshes(self.day):
            self._refresh(day=self.day + 1)

    def _refresh(self, day: int) -> None:
        self._waiting_days_are_lived()
        self.audience.show()
        plays = self.recorder.plays_of(self.catalogue.num_works)
        self.desk.refresh(self.executor, self.catalogue, self._available(day), plays, day, self.epoch)

    def _epoch_is_settled(self) -> None:
        """Steps 7 to 9: the rule settles the epoch's usage, the ledger pays, people hear of it and hand on practice."""
        self._waiting_days_are_lived()
        terms, epoch = self.people.terms, self.epoch
        rights = self.rights_book.rights(self.catalogue, terms)
        # Step 7: the rule in force decides; the shadows say what they would have made of the same usage.
        pool_units, plays_by_day = epoch_totals(self.executor, epoch)
        decided = statements(self.executor, self._rules, rights, pool_units, epoch)
        if self.ring:
            honest = self.ring.honest_rules(self.parts.rule, self.catalogue)
            without = statements_without(self.executor, honest, rights, epoch)
            self.ring.settled(decided[0], without, epoch * self.config.epoch_days, self.day)
            payable = self._repertoire.payable(self.catalogue, self._num_registered)
            owed, known = self.treasury.owed_licences, (self.catalogue, self.rights_book, payable)
            self.treasury.redirect(self.ring.claimed(owed, *known, self.day))
        # Step 8: the ledger.
        stems = [self.rights_book.stems(fee.source_work, self.catalogue) for fee in self.treasury.owed_licences]
        licensed = self.treasury.pay_licences(stems, self.config.calendar.start_of(self.day + 1))
        self.treasury.settle(decided[0], self._provenance(self._num_registered), stop_day=self.day + 1)
        self._num_registered = self.catalogue.num_works
        self._repertoire.learn(self.catalogue, self._num_registered, epoch, self.day)
        if self.day + 1 == self.config.days:
            self.treasury.close()
        # Step 9: what creators and communities hear of it.
        self.accounts.credit(decided[0], licensed, rights, self.catalogue, plays_by_day.sum(axis=0), self.day)
        views = self.accounts.community_views(epoch + 1, terms, self.day + 1)
        self.people.hand_on(views, days=self.day + 1 - epoch * self.config.epoch_days)
        self.recorder.communities.settled(self.people.terms, self.people.bearers)
        self._epoch_is_recorded(decided, rights, plays_by_day)
        self.executor.call("close_epoch")
        self.executor.checkpoint()

    def _epoch_is_recorded(self, decided: list[Statement], rights: Rights, plays_by_day: npt.NDArray[np.int64]) -> None:
        in_force, first_day = decided[0], self.epoch * self.config.epoch_days
        by_work = units_by_work_and_day(in_force.work_units, plays_by_day)
        by_payee = units_by_payee_and_day(in_force.payee_units, by_work, rights)
        calendar = self.config.calendar
        used_s = [calendar.middle_of(day) for day in range(first_day, self.day + 1)]
        works = chains(self.catalogue, self._num_registered, calendar, self.rights_book, self.parts.community_tradition)
        traced = traceable_units(by_work, works, self.treasury.labels, used_s)
        self.recorder.epoch(decided, self.catalogue, by_payee, first_day, traced)

    def _provenance(self, first: int) -> list[ProvenanceRecord]:
        return provenance(self.catalogue, first, self.rights_book, self.config.derivative_share)

    def results(self) -> Results:
        """Return the outcomes and tables of the days lived so far."""
        self._waiting_days_are_lived()
        return results_of(
            self.parts,
            self.config.calendar,
            self.recorder,
            self.treasury,
            self.catalogue,
            self._creator_community,
            self.commissions,
            self.people.roll,
            self.ring.evidence(self.day) if self.ring else no_fraud(),
            self.evaluation.findings(self.executor, self.recorder.daily_table().sum(axis=0)),
        )

    def snapshot(self) -> State:
        """Return the whole state between two days, as plain numbers, strings and arrays.

        What an economy of the same configuration, parts and keys needs to go on bit for bit: `restore`.
        """
        self._waiting_days_are_lived()
        return {
            "day": self.day,
            "is_open": self._is_open,
            "num_registered": self._num_registered,
            "catalogue": self.catalogue.snapshot(),
            "rights": self.rights_book.snapshot(),
            "repertoire": self._repertoire.snapshot(),
            "people": self.people.snapshot(),
            "recommender": self.desk.snapshot() if self._is_open else None,
            "shards": self.executor.checkpoint(),
            "audience": self.audience.snapshot(),
            "treasury": self.treasury.snapshot(),
            "accounts": self.accounts.snapshot(),
            "recorder": self.recorder.snapshot(),
            "commissions": self.commissions.snapshot(),
            "evaluation": self.evaluation.snapshot(),
            "ring": self.ring.snapshot() if self.ring else None,
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down; this economy must not have lived a day yet.

        Parameters
        ----------
        state : dict
            A snapshot of another economy; with its configuration, parts and keys this one goes on bit for bit.

        Raises
        ------
        ValueError
            If it has.
        """
        if self._is_open:
            raise ValueError("only an economy that has not lived a day can take up a snapshot: make a new one")
        self.day = self.steps = int(state["day"])
        self._is_open = bool(state["is_open"])
        self._num_registered = int(state["num_registered"])
        self.catalogue = Catalogue.restore(state["catalogue"])
        self.rights_book.restore(state["rights"])
        self._repertoire.restore(state["repertoire"])
        self.people.restore(state["people"])
        if state["recommender"] is not None:
            self.desk.restore(state["recommender"], self.catalogue)
        self.executor.restore(state["shards"])
        self.audience.restore(state["audience"])
        self.treasury.restore(state["treasury"])
        self.accounts.restore(state["accounts"])
        self.recorder.restore(state["recorder"])
        self.commissions.restore(state["commissions"])
        self.evaluation.restore(state["evaluation"])
        if self.ring and state["ring"] is not None:
            self.ring.restore(state["ring"])

    def fork(self, parts: Parts | None = None) -> Economy:
        """Return another economy that goes on from here, under other parts (such as another rule) if they are given."""
        other = Economy(self.config, parts or self.parts, self.keys)
        other.restore(self.snapshot())
        return other

    def close(self) -> None:
        """Give back what the executor started."""
        self.executor.close()
