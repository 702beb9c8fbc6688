"""Intents about works: registering them, opening them on the chain, and what communities permit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heritage_contracts.deployment import ALL_WORKS_KEY, AUTHOR, role_address
from heritage_contracts.ledgers.books import Books
from heritage_contracts.ledgers.kind import Label
from heritage_contracts.provenance import Work, records_to_state, single_key, single_salt
from heritage_contracts.refusals import RefusalError
from heritage_contracts.schedule import blocks, open_gas, payable_gas, record_batches, singles
from heritage_sim.base import NO_ONE, ConsentLabel, ProvenanceRecord
from heritage_sim.base.protocols import State

_REGISTRY = "ProvenanceRegistry"
_TIME_END_S = 1 << 48


class WorkIntents(Books):
    """A ledger that works are registered with. Parameters are those of `Books`."""

    def _begin(self) -> None:
        self._journal: list[State] = []
        super()._begin()

    def _put_down(self, intent: str, at_s: int, **arguments: object) -> None:
        """Enter an intent that was carried out into the journal."""
        self._journal.append({"intent": intent, "at_s": int(at_s), **arguments})

    # ---- registration -------------------------------------------------------------------------------------------

    def register(self, records: Sequence[ProvenanceRecord], at_s: int) -> None:
        """Register works in batches, parents before children; a record that is already there is passed over.

        Parameters
        ----------
        records : sequence of ProvenanceRecord
            In order.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If a parent is unknown, a work is registered with another record, or a record breaks the rules. Of the batch
            it is in, nothing is written then; batches of many hundred works before it are.
        """
        fresh = self._works.fresh(records)
        works = self._works.numbered(fresh)
        for part in record_batches([len(work.packed) for work in works]):
            batch = works[part.items.start : part.items.stop]
            self._register(batch, part.gas, int(at_s))
            self._works.enter(batch)
            self._put_down("register", at_s, **records_to_state([work.record for work in batch]))

    def commit(self, record: ProvenanceRecord, at_s: int) -> None:
        """Announce a single registration without showing it, by an author whom nobody vouches for.

        Parameters
        ----------
        record : ProvenanceRecord
            The work; its parents are registered.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If it was announced before and may still be revealed, is registered, or cannot be written.
        """
        self._commit(self._single(record, role_address(AUTHOR)), int(at_s))
        self._put_down("commit", at_s, **records_to_state([record]))

    def reveal(self, record: ProvenanceRecord, at_s: int) -> None:
        """Register a work that was announced at least a minute and at most a day ago; see `commit`.

        Parameters
        ----------
        record : ProvenanceRecord
            The work, as it was announced.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If it was not announced, it is too early or too late, a parent is not stored on the chain or its community
            does not permit the derivation now, another single work has its content, or it claims the tradition of a
            community that the author is not a payee of.
        """
        work = self._single(record, role_address(AUTHOR))
        self._reveal(work, int(at_s))
        self._enter_single(work)
        self._put_down("reveal", at_s, **records_to_state([record]))

    def derive(self, record: ProvenanceRecord, owner: int, at_s: int) -> None:
        """Register a single work by its owner's signature, which the registrar brings.

        Parameters
        ----------
        record : ProvenanceRecord
            The work; its parents are registered and stored on the chain (`open_works`).
        owner : int
            Payee whose first wallet signs.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            As `reveal` does.
        """
        self._check_payee(owner)
        work = self._single(record, self.deployment.payee_addresses[owner])
        self._register_signed(work, owner, int(at_s))
        self._enter_single(work)
        self._put_down("derive", at_s, owner=int(owner), **records_to_state([record]))

    def _single(self, record: ProvenanceRecord, owner: bytes) -> Work:
        at = self.deployment
        if record.work_id in self._works:
            raise RefusalError("WorkExists", _REGISTRY, f"work {record.work_id}")
        salt = single_salt(at, record.work_id)
        return self._works.single(record, single_key(at, record.content_sha256, owner, salt))

    def _enter_single(self, work: Work) -> None:
        self._works.enter([work])
        self._opened.add(work.record.work_id)

    # ---- works on the chain -------------------------------------------------------------------------------------

    def open_works(self, work_ids: Sequence[int], at_s: int) -> None:
        """Store works of batches on the chain, so that single works can derive from them; those stored are passed over.

        Parameters
        ----------
        work_ids : sequence of int
            Registered works.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If a work is not registered. None is stored then.
        """
        works = [self._works.work(w) for w in dict.fromkeys(work_ids)]
        closed = [work for work in works if work.record.work_id not in self._opened]
        if not closed:
            return
        count = self._works.num_numbered
        plan = blocks(singles([open_gas(len(work.packed), count) for work in closed]))
        self._open(closed, plan, int(at_s))
        opened = [work.record.work_id for work in closed]
        self._opened.update(opened)
        self._put_down("open", at_s, works=np.array(opened, dtype=np.int64))

    def make_payable(self, work_ids: Sequence[int], at_s: int) -> None:
        """Let works be paid along their sources: they, and all they derive from, are stored in the pool, sources first.

        Parameters
        ----------
        work_ids : sequence of int
            Registered works; those that can be paid already are passed over.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        RefusalError
            If a work is not registered, or its sources are too many or are due more than the whole. Its sources can be
            paid then.
        """
        depth: dict[int, int] = {}
        for work_id in work_ids:
            self._measure_depth(self._works.work(work_id, "RoyaltyPool"), depth)
        self.open_works([w for w in sorted(depth) if w not in self._opened], at_s)
        for level in range(max(depth.values(), default=-1) + 1):
            works = [self._works.work(w) for w in sorted(depth) if depth[w] == level]
            plan = blocks(singles([self._payable_gas(work) for work in works]))
            self._make_payable(works, plan, int(at_s))
            made = [work.record.work_id for work in works]
            self._payable.update(made)
            self._put_down("make_payable", at_s, works=np.array(made, dtype=np.int64))

    def _measure_depth(self, work: Work, depth: dict[int, int]) -> int:
        """Return how many generations of sources below a work cannot be paid yet; -1 where the work itself can."""
        work_id = work.record.work_id
        if work_id in self._payable:
            return -1
        if work_id not in depth:
            below = [self._measure_depth(self._works.work(p), depth) for p in work.parents]
            depth[work_id] = max(below, default=-1) + 1
        return depth[work_id]

    def ancestors(self, work_id: int) -> set[int]:
        """Return all registered works that a work derives from."""
        found: set[int] = set()
        ways = list(self._works.work(work_id).parents)
        while ways:
            parent = ways.pop()
            if parent not in found:
                found.add(parent)
                ways += self._works.work(parent).parents
        return found

    def _payable_gas(self, work: Work) -> int:
        return payable_gas(len(self.ancestors(work.record.work_id)), len(work.record.stems))

    # ---- consent ------------------------------------------------------------------------------------------------

    def set_consent(self, labels: Sequence[ConsentLabel], at_s: int, signers: Sequence[int] | None = None) -> None:
        """Put down what communities permit from chain time ``at_s`` on; earlier labels stay on record.

        Parameters
        ----------
        labels : sequence of ConsentLabel
            In order.
        at_s : int
            Wished chain time, seconds.
        signers : sequence of int, optional
            Members of each community who sign; the first ones up to its threshold where it is not given.

        Raises
        ------
        RefusalError
            If a work is not registered, a community is unknown, its uses are, too few members sign, or a label expires
            outside the contract's time of 48 bits. None is put down then.
        """
        for label in labels:
            if not 0 <= label.expires_s < _TIME_END_S:
                raise RefusalError("WrongLabel", _REGISTRY, f"it expires at second {label.expires_s}")
            # Beyond a byte the contract would not even read them.
            if not 0 <= int(label.uses) < 256:
                raise RefusalError("UnknownUses", _REGISTRY, f"{int(label.uses)}")
        wanted = [
            Label(
                int(label.community),
                ALL_WORKS_KEY if label.work_id == NO_ONE else self._works.work(label.work_id).key,
                int(label.uses),
                int(label.expires_s),
            )
            for label in labels
        ]
        if not wanted:
            return
        signing = self._signers(signers)
        self._set_labels(wanted, signing, int(at_s))
        rows = [(v.community, int(v.uses), v.work_id, v.expires_s) for v in labels]
        self._put_down("consent", at_s, labels=np.array(rows, dtype=np.int64), signers=list(signing))

    def _signers(self, signers: Sequence[int] | None) -> tuple[int, ...]:
        return tuple(range(self.config.community_threshold)) if signers is None else tuple(sorted(set(signers)))

    def _check_payee(self, payee: int) -> None:
        if not 0 <= payee < len(self.payee_names):
            raise RefusalError(
                "UnknownPayee",
                "PayeeRegistry",
                f"payee {payee}",
                f"Payees are numbered 0 to {len(self.payee_names) - 1}.",
            )
