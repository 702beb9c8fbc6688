"""Works as they stand in calldata, and the book in which a client finds them again.

The registry knows a work by a key: the number under which its batch entered it, or a hash for a single registration.
The catalogue's ids are translated here, and a work's proof against its batch's root is made here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.refusals import RefusalError
from heritage_contracts.trees.merkle import build_tree, proof_of
from heritage_contracts.trees.rows import Rows
from heritage_sim.base import ProvenanceRecord, Stem
from heritage_sim.base.protocols import State

_WHERE = "ProvenanceRegistry"


@dataclass(frozen=True, slots=True)
class Work:
    """A registered work.

    Parameters
    ----------
    record : ProvenanceRecord
        As it was given.
    key : bytes
        32 bytes by which the contracts know it.
    packed : bytes
        Its record as calldata.
    number : int
        Its number; -1 for a single registration.
    parents : tuple of int
        Work ids it derives from, in the order of their keys, as the record has them.
    """

    record: ProvenanceRecord
    key: bytes
    packed: bytes
    number: int
    parents: tuple[int, ...]


@dataclass(slots=True)
class _Batch:
    packed: list[bytes]
    tree: Rows | None = field(default=None)


class WorkBook:
    """Which works are registered, under which key, with which record.

    Parameters
    ----------
    at : Deployment
        Its payee ids stand in the records.
    """

    def __init__(self, at: Deployment) -> None:
        self._at = at
        self._works: dict[int, Work] = {}
        self._firsts: list[int] = []
        self._batches: list[_Batch] = []
        self.num_numbered = 0

    @property
    def num_works(self) -> int:
        """Return the number of registered works."""
        return len(self._works)

    def __contains__(self, work_id: int) -> bool:
        """Return whether a work is registered."""
        return work_id in self._works

    def work(self, work_id: int, where: str = _WHERE) -> Work:
        """Return a registered work.

        Parameters
        ----------
        work_id : int
            Row in the catalogue.
        where : str
            Who asks, for the message.

        Returns
        -------
        Work

        Raises
        ------
        RefusalError
            If it is not registered.
        """
        found = self._works.get(work_id)
        if found is None:
            raise RefusalError("UnknownWork", where, f"work {work_id}")
        return found

    def fresh(self, records: Sequence[ProvenanceRecord]) -> list[ProvenanceRecord]:
        """Return the records that are not registered yet, in order, each once.

        Parameters
        ----------
        records : sequence of ProvenanceRecord
            In order.

        Returns
        -------
        list of ProvenanceRecord

        Raises
        ------
        RefusalError
            If a work comes a second time with another record.
        """
        fresh: dict[int, ProvenanceRecord] = {}
        for record in records:
            known = self._works[record.work_id].record if record.work_id in self._works else fresh.get(record.work_id)
            if known is not None and known != record:
                raise RefusalError("WorkExists", _WHERE, f"work {record.work_id}")
            if known is None:
                fresh[record.work_id] = record
        return list(fresh.values())

    def numbered(self, records: Sequence[ProvenanceRecord]) -> list[Work]:
        """Return new records as the next batches will enter them; `enter` puts them into the book.

        Parameters
        ----------
        records : sequence of ProvenanceRecord
            Fresh ones, parents before children.

        Returns
        -------
        list of Work

        Raises
        ------
        RefusalError
            If a parent is not registered before, or a field does not fit its place.
        """
        keys: dict[int, bytes] = {}
        works: list[Work] = []
        for number, record in enumerate(records, self.num_numbered):
            parents = self._parents(record, keys)
            keys[record.work_id] = word(number)
            works.append(self._packed(record, word(number), number, parents))
        return works

    def single(self, record: ProvenanceRecord, key: bytes) -> Work:
        """Return a new record as a single registration will enter it.

        Parameters
        ----------
        record : ProvenanceRecord
            Of a work that is not registered.
        key : bytes
            The key that the registry will give it, 32 bytes.

        Returns
        -------
        Work

        Raises
        ------
        RefusalError
            If a parent is not registered, or a field does not fit its place.
        """
        return self._packed(record, key, -1, self._parents(record, {}))

    def enter(self, works: Sequence[Work]) -> None:
        """Put down one batch that was written, or one single work."""
        for work in works:
            self._works[work.record.work_id] = work
        if works and works[0].number >= 0:
            self._firsts.append(works[0].number)
            self._batches.append(_Batch([work.packed for work in works]))
            self.num_numbered += len(works)

    def proof(self, work: Work) -> tuple[int, list[bytes]]:
        """Return the first number of a numbered work's batch, and its proof against the batch's root."""
        index = bisect_right(self._firsts, work.number) - 1
        first, batch = self._firsts[index], self._batches[index]
        if batch.tree is None:
            batch.tree = build_tree([record_leaf(first + i, p) for i, p in enumerate(batch.packed)])
        return first, proof_of(batch.tree, work.number - first)

    def _parents(self, record: ProvenanceRecord, keys: dict[int, bytes]) -> list[tuple[bytes, int]]:
        found: list[tuple[bytes, int]] = []
        for parent in record.parents:
            key = keys.get(parent) or (self._works[parent].key if parent in self._works else None)
            if key is None:
                raise RefusalError("UnknownParent", _WHERE, f"work {record.work_id} names work {parent}")
            found.append((key, parent))
        return sorted(found)

    def _packed(self, record: ProvenanceRecord, key: bytes, number: int, parents: list[tuple[bytes, int]]) -> Work:
        ids = self._at.payee_ids
        try:
            if len(record.content_sha256) != 32 or len(record.manifest_sha256) != 32 or record.work_id < 0:
                raise ValueError("its hashes are not 32 bytes each, or its id is negative")
            for stem in record.stems:
                if not 0 <= stem.payee_id < len(ids):
                    raise ValueError(f"payee {stem.payee_id} of its stems does not exist")
            packed = (
                record.content_sha256
                + record.manifest_sha256
                + (record.community + 1).to_bytes(4, "big")
                + record.consent.to_bytes(1, "big")
                + record.derivative_share.to_bytes(4, "big")
                + bytes((len(parents), len(record.stems)))
                + b"".join(k for k, _ in parents)
                + b"".join(ids[s.payee_id] + s.share_bps.to_bytes(2, "big") for s in record.stems)
            )
        except (ValueError, OverflowError) as error:
            raise RefusalError("WrongRecord", _WHERE, f"work {record.work_id}: {error}") from None
        return Work(record, key, packed, number, tuple(p for _, p in parents))


def record_leaf(number: int, packed: bytes) -> bytes:
    """Return the leaf of a numbered work in its batch's tree."""
    return keccak256(keccak256(word(number) + keccak256(packed)))


def single_key(at: Deployment, content: bytes, owner: bytes, salt: bytes) -> bytes:
    """Return the key of a single registration."""
    return keccak256(word(at.chain_id) + at.registry.rjust(32, b"\0") + content + owner.rjust(32, b"\0") + salt)


def single_salt(at: Deployment, work_id: int) -> bytes:
    """Return the salt with which a simulated owner registers a work."""
    return keccak256(b"heritage.work\0" + at.config.payee_salt.encode() + word(work_id))


def records_to_state(records: Sequence[ProvenanceRecord]) -> State:
    """Return records as arrays, for a journal."""
    return {
        "work_id": np.array([r.work_id for r in records], dtype=np.int64),
        "content": np.frombuffer(b"".join(r.content_sha256 for r in records), dtype=np.uint8).reshape(-1, 32).copy(),
        "community": np.array([r.community for r in records], dtype=np.int32),
        "consent": np.array([r.consent for r in records], dtype=np.int32),
        "num_parents": np.array([len(r.parents) for r in records], dtype=np.int32),
        "parents": np.array([p for r in records for p in r.parents], dtype=np.int64),
        "derivative_share": np.array([r.derivative_share for r in records], dtype=np.int64),
        "num_stems": np.array([len(r.stems) for r in records], dtype=np.int32),
        "stems": np.array([(s.payee_id, s.share_bps) for r in records for s in r.stems], np.int64).reshape(-1, 2),
        "manifest": np.frombuffer(b"".join(r.manifest_sha256 for r in records), dtype=np.uint8).reshape(-1, 32).copy(),
    }


def records_from_state(state: State) -> list[ProvenanceRecord]:
    """Return the records that `records_to_state` put down."""
    ends = np.cumsum(state["num_parents"]).tolist()
    parents: list[int] = np.asarray(state["parents"]).tolist()
    stem_ends = np.cumsum(state["num_stems"]).tolist()
    stems = [Stem(payee, bps) for payee, bps in np.asarray(state["stems"]).tolist()]
    return [
        ProvenanceRecord(
            work_id=int(state["work_id"][i]),
            content_sha256=state["content"][i].tobytes(),
            community=int(state["community"][i]),
            consent=int(state["consent"][i]),
            parents=tuple(parents[end - int(state["num_parents"][i]) : end]),
            derivative_share=int(state["derivative_share"][i]),
            stems=tuple(stems[stem_ends[i] - int(state["num_stems"][i]) : stem_ends[i]]),
            manifest_sha256=state["manifest"][i].tobytes(),
        )
        for i, end in enumerate(ends)
    ]
