"""Steps 2 and 3: creators' actions become commissions, and the day's commissions are answered in one batch each.

Which archive work a creator builds on, and which of the possible pieces on it is asked for, are keyed draws by creator
and day. They do not depend on what others do, on the arm or on the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    Commission,
    CommunityTerms,
    Consent,
    CreatorAction,
    Generator,
    Intent,
    Keys,
    Origin,
    Piece,
)
from heritage_sim.rights import permits


@dataclass(frozen=True, slots=True)
class Request:
    """A commission with who made it and which work it builds on.

    Parameters
    ----------
    creator : int
        Creator id.
    source_work : int
        Row of the archive work in the catalogue.
    commission : Commission
        What is asked for.
    """

    creator: int
    source_work: int
    commission: Commission


@dataclass(frozen=True, slots=True)
class Answer:
    """A request and the piece that answers it.

    Parameters
    ----------
    request : Request
        What was asked for.
    piece : Piece
        What came back.
    source_work : int
        Row of the archive work it derives from: the one asked for; or, where an archive piece was retrieved, that
        piece, whatever it was retrieved for.
    """

    request: Request
    piece: Piece
    source_work: int


class Archive:
    """The archive as creators choose from it: the works of each tradition, by content hash.

    Parameters
    ----------
    tradition : ndarray of int32, shape (num_archive_works,)
        Tradition of each archive work.
    content_sha256 : ndarray of uint8, shape (num_archive_works, 32)
        Content hashes.
    names : sequence of str
        Names of the traditions.
    """

    def __init__(
        self, tradition: npt.NDArray[np.int32], content_sha256: npt.NDArray[np.uint8], names: Sequence[str]
    ) -> None:
        self.names = tuple(names)
        self.works = [np.flatnonzero(tradition == t) for t in range(len(self.names))]
        self.hashes = [row.tobytes().hex() for row in content_sha256]
        # Of works with the same notes the first one stands for all.
        self._row_of = {content: row for row, content in reversed(list(enumerate(self.hashes)))}

    def source_of(self, request: Request, piece: Piece) -> int:
        """Return the row of the archive work that the piece answering a request derives from."""
        if piece.origin != Origin.ARCHIVE:
            return request.source_work
        return self._row_of.get(piece.receipt.piece_sha256, request.source_work)


def requests_of_the_day(
    actions: Sequence[CreatorAction],
    creator_tradition: npt.NDArray[np.int32],
    archive: Archive,
    takes: int,
    day: int,
    keys: Keys,
) -> list[Request]:
    """Return what the creators who do not rest ask for, in creator order."""
    busy = np.array([k for k, action in enumerate(actions) if action != CreatorAction.REST], dtype=np.int64)
    if not busy.size:
        return []
    place = keys.stream("creator", "source").uniform(busy, day)
    take = keys.stream("creator", "take").integer(busy, day, takes)
    requests: list[Request] = []
    for i, creator in enumerate(busy.tolist()):
        tradition = int(creator_tradition[creator])
        works = archive.works[tradition]
        source = int(works[int(place[i] * works.size)])
        requests.append(
            Request(
                creator=creator,
                source_work=source,
                commission=Commission(
                    request_id=f"{creator}-{day}",
                    tradition=archive.names[tradition],
                    source=archive.hashes[source],
                    take=int(take[i]),
                    intent=Intent.RECORD if actions[creator] == CreatorAction.RECORD else Intent.DERIVE,
                ),
            )
        )
    return requests


def permitted(
    requests: Sequence[Request], work_community: npt.NDArray[np.int32], terms: Sequence[CommunityTerms]
) -> tuple[list[Request], int]:
    """Return the requests that the sources' communities consent to, and how many were refused.

    To derive from a work needs its community's consent; to perform the tradition's own music does not.
    """
    may_derive = permits(terms, Consent.DERIVE)
    kept = [r for r in requests if r.commission.intent == Intent.RECORD or may_derive[work_community[r.source_work]]]
    return kept, len(requests) - len(kept)


def answers(requests: Sequence[Request], performer: Generator, generator: Generator, archive: Archive) -> list[Answer]:
    """Return a piece for every request, in order: recordings by the performer, derivatives by the generator."""
    pieces: dict[str, Piece] = {}
    for intent, source in ((Intent.RECORD, performer), (Intent.DERIVE, generator)):
        batch = [r.commission for r in requests if r.commission.intent == intent]
        if batch:
            made = source.compose(batch)
            pieces.update((c.request_id, piece) for c, piece in zip(batch, made, strict=True))
    made = [(r, pieces[r.commission.request_id]) for r in requests]
    return [Answer(r, piece, archive.source_of(r, piece)) for r, piece in made]


def releasable(
    made: Sequence[Answer], work_community: npt.NDArray[np.int32], terms: Sequence[CommunityTerms]
) -> tuple[list[Answer], int]:
    """Return the answers whose actual source's community consents, and how many were refused.

    A retrieved piece may belong to another community than the work it was asked on; its consent counts too.
    """
    may_derive = permits(terms, Consent.DERIVE)
    kept = [a for a in made if a.piece.origin != Origin.ARCHIVE or may_derive[work_community[a.source_work]]]
    return kept, len(made) - len(kept)
