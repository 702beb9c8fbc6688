"""Step 4: pieces that their community accepts join the catalogue, with agreed shares and provenance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Calendar,
    Catalogue,
    CommunityTerms,
    Consent,
    Encoder,
    Intent,
    Origin,
    ProvenanceRecord,
    WorkBatch,
)
from heritage_sim.day.commissioning import Answer
from heritage_sim.money.traceability import Chains
from heritage_sim.money.treasury import LicenceFee
from heritage_sim.rights import RightsBook


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


def provenance(catalogue: Catalogue, first: int, book: RightsBook, derivative_share: int) -> list[ProvenanceRecord]:
    """Return the provenance records of all works from row ``first`` on.

    A record permits every use: what a community permits at a moment stands in its labels, which have a history.

    Parameters
    ----------
    catalogue : Catalogue
        All works.
    first : int
        First row asked for.
    book : RightsBook
        Who shares in each work.
    derivative_share : int
        What derivatives owe each of these works, in parts of `SHARE_BASIS`.

    Returns
    -------
    list of ProvenanceRecord
    """
    return [
        ProvenanceRecord(
            work_id=work,
            content_sha256=catalogue.content_sha256[work].tobytes(),
            community=int(catalogue.community[work]),
            consent=int(Consent.ALL),
            parents=tuple(int(p) for p in catalogue.parents[work] if p != NO_ONE),
            derivative_share=derivative_share,
            stems=book.stems(work, catalogue),
        )
        for work in range(first, catalogue.num_works)
    ]


def licence_fees(answers: Sequence[Answer], day: int, fee_units: int) -> list[LicenceFee]:
    """Return what the makers of published derivatives owe their sources; to record the tradition's own is free."""
    if not fee_units:
        return []
    derived = [a for a in answers if a.request.commission.intent == Intent.DERIVE]
    return [LicenceFee(day, a.request.creator, a.source_work, fee_units) for a in derived]


def chains(catalogue: Catalogue, num_registered: int, calendar: Calendar) -> Chains:
    """Return the works as they stand in the registry; uses fall in the middle of their day."""
    return Chains(
        registered=np.arange(catalogue.num_works) < num_registered,
        community=catalogue.community,
        uses=np.full(catalogue.num_works, int(Consent.ALL)),
        parents=catalogue.parents,
        published_s=np.array([calendar.middle_of(d) for d in catalogue.column("day").tolist()], dtype=np.int64),
        needed=np.where(catalogue.origin == Origin.HUMAN, int(Consent.PERFORM), int(Consent.DERIVE)),
    )
