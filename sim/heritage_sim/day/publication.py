"""Step 4: pieces that their community accepts join the catalogue, with agreed shares and provenance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Catalogue,
    CommunityTerms,
    Encoder,
    Intent,
    ProvenanceRecord,
    WorkBatch,
)
from heritage_sim.day.commissioning import Answer


def accepted(
    answers: Sequence[Answer], creator_community: npt.NDArray[np.int32], terms: Sequence[CommunityTerms]
) -> tuple[list[Answer], int]:
    """Return the answers that may be published, and how many derived pieces were not consistent enough."""
    kept = [
        a
        for a in answers
        if a.request.commission.intent == Intent.RECORD
        or a.piece.fidelity.consistency >= terms[int(creator_community[a.request.creator])].strictness
    ]
    return kept, len(answers) - len(kept)


def work_batch(
    answers: Sequence[Answer],
    encoder: Encoder,
    creator_community: npt.NDArray[np.int32],
    traditions: Sequence[str],
    day: int,
) -> WorkBatch:
    """Return the answers as rows for the catalogue; each has the archive work it derives from as its only parent."""
    pieces = [a.piece for a in answers]
    creators = np.array([a.request.creator for a in answers], dtype=np.int32)
    parents = np.full((len(answers), MAX_PARENTS), NO_ONE, dtype=np.int32)
    parents[:, 0] = [a.source_work for a in answers]
    hashes = b"".join(bytes.fromhex(p.receipt.piece_sha256) for p in pieces)
    return WorkBatch(
        vectors=encoder.encode(pieces),
        tradition=np.array([traditions.index(p.tradition) for p in pieces], dtype=np.int32),
        community=creator_community[creators].astype(np.int32),
        creator=creators,
        origin=np.array([p.origin for p in pieces], dtype=np.int8),
        synthetic=np.array([p.synthetic for p in pieces], dtype=np.bool_),
        consistency=np.array([p.fidelity.consistency for p in pieces], dtype=np.float32),
        duration_s=np.array([p.notes.duration_s for p in pieces], dtype=np.float32),
        day=np.full(len(pieces), day, dtype=np.int32),
        parents=parents,
        content_sha256=np.frombuffer(hashes, dtype=np.uint8).reshape(len(pieces), 32),
    )


def provenance(catalogue: Catalogue, first: int, terms: Sequence[CommunityTerms]) -> list[ProvenanceRecord]:
    """Return the provenance records of all works from row ``first`` on, under the terms in force."""
    return [
        ProvenanceRecord(
            work_id=work,
            content_sha256=catalogue.content_sha256[work].tobytes(),
            community=int(catalogue.community[work]),
            consent=int(terms[int(catalogue.community[work])].consent),
            parents=tuple(int(p) for p in catalogue.parents[work] if p != NO_ONE),
        )
        for work in range(first, catalogue.num_works)
    ]
