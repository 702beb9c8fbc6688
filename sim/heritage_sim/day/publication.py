"""Step 4: pieces that the communities concerned accept join the catalogue, with agreed shares and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Ballot,
    Calendar,
    Catalogue,
    Consent,
    Encoder,
    Intent,
    Origin,
    People,
    ProvenanceRecord,
    Verdict,
    WorkBatch,
)
from heritage_sim.day.commissioning import Answer
from heritage_sim.money.traceability import Chains
from heritage_sim.money.treasury import LicenceFee
from heritage_sim.parts import MakingRules
from heritage_sim.rights import RightsBook


@dataclass(slots=True)
class Judging:
    """How derived pieces were judged.

    Parameters
    ----------
    judged, accepted : int
        Derived pieces that communities were asked about, and those that were accepted.
    votes, split_votes : int
        Votes that juries held with a quorum, and those that were not unanimous.
    without_quorum : int
        Votes for which too few jurors came.
    """

    judged: int = 0
    accepted: int = 0
    votes: int = 0
    split_votes: int = 0
    without_quorum: int = 0

    def add(self, other: Judging) -> None:
        """Count those of another day too."""
        for field in fields(Judging):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def accepted(
    answers: Sequence[Answer],
    people: People,
    work_community: npt.NDArray[np.int32],
    day: int,
) -> tuple[list[Answer], Judging]:
    """Return the answers that may be published, and how the derived ones were judged.

    A derived piece is published under the name of its creator's community, which must accept it; so must every other
    community whose works it is made from, where the creator says so. Each judges in its own way, by its jury or by its
    measure, hence a jury changes how a piece is judged and not by whom. Recordings of the tradition's own music are not
    judged.

    Parameters
    ----------
    answers : sequence of Answer
        The day's pieces.
    people : People
        Who judges.
    work_community : ndarray of int32, shape (num_works,)
        Community of each work.
    day : int
        The day.

    Returns
    -------
    list of Answer
    Judging
    """
    kept, judging = list[Answer](), Judging()
    for answer in answers:
        if answer.request.commission.intent == Intent.RECORD:
            kept.append(answer)
            continue
        creator = answer.request.creator
        asked = {int(people.creator_community[creator]): None}
        if not answer.request.conceals:
            asked |= {int(work_community[work]): None for work in answer.made_from}
        consistency = answer.piece.fidelity.consistency
        verdicts = [people.judge(Ballot(community, creator, day, consistency)) for community in asked]
        judging.add(_of(verdicts))
        if all(verdict.accepted for verdict in verdicts):
            kept.append(answer)
    return kept, judging


def _of(verdicts: Sequence[Verdict]) -> Judging:
    held = [v for v in verdicts if v.votes_for + v.votes_against and v.has_quorum]
    return Judging(
        judged=1,
        accepted=int(all(v.accepted for v in verdicts)),
        votes=len(held),
        split_votes=sum(v.votes_for > 0 and v.votes_against > 0 for v in held),
        without_quorum=sum(not v.has_quorum for v in verdicts),
    )


def work_batch(
    answers: Sequence[Answer],
    encoder: Encoder,
    creator_community: npt.NDArray[np.int32],
    traditions: Sequence[str],
    day: int,
) -> WorkBatch:
    """Return the answers as rows for the catalogue; parents are the works that are named."""
    pieces = [a.piece for a in answers]
    creators = np.array([a.request.creator for a in answers], dtype=np.int32)
    parents = np.full((len(answers), MAX_PARENTS), NO_ONE, dtype=np.int32)
    for row, a in enumerate(answers):
        parents[row, : len(a.named_parents)] = a.named_parents
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

    A record carries what the work itself may be used for, for good; what its community permits at a moment narrows it,
    and stands in the community's labels, which have a history.

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
            consent=int(book.own_uses[work]),
            parents=tuple(int(p) for p in catalogue.parents[work] if p != NO_ONE),
            derivative_share=derivative_share,
            stems=book.stems(work, catalogue),
        )
        for work in range(first, catalogue.num_works)
    ]


def licence_fees(answers: Sequence[Answer], day: int, rules: MakingRules) -> list[LicenceFee]:
    """Return what the makers of published works owe their sources: licence fees, and penalties of who was found out."""
    owed = [(a, a.owed_units(rules)) for a in answers]
    return [LicenceFee(day, a.request.creator, a.source_work, units) for a, units in owed if units > 0]


def chains(
    catalogue: Catalogue,
    num_registered: int,
    calendar: Calendar,
    book: RightsBook,
    community_tradition: npt.NDArray[np.int32],
) -> Chains:
    """Return the works as they stand in the registry; uses fall in the middle of their day.

    Parameters
    ----------
    catalogue : Catalogue
        All works.
    num_registered : int
        So many of them, from the first, are registered.
    calendar : Calendar
        Maps days to chain time.
    book : RightsBook
        What each work itself may be used for.
    community_tradition : ndarray of int32, shape (num_communities,)
        Tradition of each community.

    Returns
    -------
    Chains
    """
    home = community_tradition[catalogue.community]
    # Where there is no parent, whatever stands here is not looked at.
    outside = home[catalogue.parents] != home[:, None]
    use = np.where(catalogue.origin == Origin.HUMAN, int(Consent.PERFORM), int(Consent.DERIVE))
    return Chains(
        registered=np.arange(catalogue.num_works) < num_registered,
        community=catalogue.community,
        uses=book.own_uses,
        parents=catalogue.parents,
        published_s=np.array([calendar.middle_of(d) for d in catalogue.column("day").tolist()], dtype=np.int64),
        needed=np.bitwise_or(use[:, None], np.where(outside, int(Consent.OUTSIDE), 0), dtype=np.int64),
        is_source=catalogue.creator == NO_ONE,
    )
