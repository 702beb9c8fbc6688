"""Provenance records as they stand in calldata, and the book that numbers them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heritage_contracts.hashing import keccak256, word
from heritage_sim.base import LedgerError, ProvenanceRecord, Stem
from heritage_sim.base.protocols import State

MAX_PARENTS = 16


class RecordBook:
    """Which works are registered, under which number, with which record.

    The registry numbers works in the order they come; the catalogue's ids need not be in that order, so parents are
    translated before they go out.
    """

    def __init__(self) -> None:
        self._number: dict[int, int] = {}
        self._records: dict[int, ProvenanceRecord] = {}

    @property
    def num_works(self) -> int:
        """Return the number of registered works."""
        return len(self._number)

    def record(self, work_id: int) -> ProvenanceRecord | None:
        """Return a registered work's record, or None."""
        return self._records.get(work_id)

    def new_records(self, records: Sequence[ProvenanceRecord]) -> list[ProvenanceRecord]:
        """Return the records that are not registered yet, in order, each once.

        Parameters
        ----------
        records : sequence of ProvenanceRecord
            Parents before children.

        Returns
        -------
        list of ProvenanceRecord

        Raises
        ------
        LedgerError
            If a parent is unknown, a work comes a second time with another record, or a field is impossible.
        """
        fresh: dict[int, ProvenanceRecord] = {}
        for record in records:
            known = self._records.get(record.work_id) or fresh.get(record.work_id)
            if known is not None:
                if known != record:
                    raise LedgerError(
                        f"work {record.work_id} is registered with another record",
                        "ProvenanceRegistry",
                        "A registration cannot be changed; give the changed work a new id.",
                    )
                continue
            _check_record(record)
            for parent in record.parents:
                if parent not in self._number and parent not in fresh:
                    raise LedgerError(
                        f"work {record.work_id} names parent {parent}, which is not registered",
                        "ProvenanceRegistry",
                        "Register parents before their children.",
                    )
            fresh[record.work_id] = record
        return list(fresh.values())

    def enter(self, records: Sequence[ProvenanceRecord]) -> list[bytes]:
        """Number new records and return each packed as `ProvenanceRegistry` reads it."""
        packed: list[bytes] = []
        for record in records:
            self._number[record.work_id] = len(self._number)
            self._records[record.work_id] = record
            packed.append(
                record.content_sha256
                + record.community.to_bytes(2, "big")
                + bytes((record.consent, len(record.parents)))
                + b"".join(self._number[p].to_bytes(4, "big") for p in record.parents)
            )
        return packed


def _check_record(record: ProvenanceRecord) -> None:
    wrong = (
        "its content hash is not 32 bytes" * (len(record.content_sha256) != 32)
        or "its id is negative" * (record.work_id < 0)
        or "its community is not in [0, 65535]" * (not 0 <= record.community < 1 << 16)
        or "its consent flags are not in [0, 255]" * (not 0 <= record.consent < 1 << 8)
        or f"it has more than {MAX_PARENTS} parents" * (len(record.parents) > MAX_PARENTS)
    )
    if wrong:
        raise LedgerError(f"work {record.work_id} cannot be registered: {wrong}", "ProvenanceRegistry")


def fold_head(head: bytes, first_number: int, packed: Sequence[bytes]) -> bytes:
    """Return the provenance head after a batch: the hash of old head, first number, count and the records' hash."""
    return keccak256(head + word(first_number) + word(len(packed)) + keccak256(b"".join(packed)))


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
    parents: list[int] = state["parents"].tolist()
    stem_ends = np.cumsum(state["num_stems"]).tolist()
    stems = [Stem(payee, bps) for payee, bps in state["stems"].tolist()]
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
