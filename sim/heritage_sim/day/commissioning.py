"""Step 3: what was asked for is checked against consent, answered in one batch each, and checked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    NO_ONE,
    Commission,
    Consent,
    Generator,
    Intent,
    Origin,
    Piece,
)
from heritage_sim.parts import MakingRules
from heritage_sim.rights import Refused, RightsBook, Uses


@dataclass(frozen=True, slots=True)
class Request:
    """A commission with who made it and which work it builds on.

    Parameters
    ----------
    creator : int
        Creator id.
    source_work : int
        Row of that work in the catalogue; the commission names the archive work at the root of its line.
    commission : Commission
        What is asked for.
    joined_work : int
        Row of the work of the own tradition that is joined with another tradition's; ``NO_ONE`` where nobody crosses.
    conceals : bool
        Whether the creator will not name what it built on.
    root_work : int
        Row of the archive work at the root of the source's line; ``NO_ONE`` where the source is that work itself.
    is_root_foreign : bool
        Whether that root is of another tradition than the creator's.
    """

    creator: int
    source_work: int
    commission: Commission
    joined_work: int = NO_ONE
    conceals: bool = False
    root_work: int = NO_ONE
    is_root_foreign: bool = False

    @property
    def crosses(self) -> bool:
        """Return whether it builds on another tradition's work."""
        return self.joined_work != NO_ONE


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
        Row of the work it derives from: the one asked for; or, where an archive piece was retrieved, that piece,
        whatever it was retrieved for.
    is_found_out : bool
        Whether a source that the creator concealed was found out.
    """

    request: Request
    piece: Piece
    source_work: int
    is_found_out: bool = False

    @property
    def made_from(self) -> tuple[int, ...]:
        """Return the rows of the works that it is made from: its source, and the root of the source's line."""
        root = self.request.root_work
        return (self.source_work,) if root == NO_ONE else (self.source_work, root)

    @property
    def named_parents(self) -> tuple[int, ...]:
        """Return the rows of the works that provenance names: none where the source stays concealed."""
        if self.request.conceals and not self.is_found_out:
            return ()
        if self.request.crosses:
            return (self.source_work, self.request.joined_work)
        return (self.source_work,)

    def owed_units(self, rules: MakingRules) -> int:
        """Return what the creator owes the source on publication; to record the tradition's own music is free."""
        if self.request.commission.intent == Intent.RECORD:
            return 0
        if self.request.conceals:
            return rules.penalty_units_half_up if self.is_found_out else 0
        return rules.licence_fee_units


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
        self._elsewhere = [np.flatnonzero(tradition != t) for t in range(len(self.names))]
        self._tradition: list[int] = tradition.tolist()
        self.hashes = [row.tobytes().hex() for row in content_sha256]
        # Of works with the same notes the first one stands for all.
        self._row_of = {content: row for row, content in reversed(list(enumerate(self.hashes)))}

    def tradition_of(self, work: int) -> int:
        """Return the tradition of an archive work."""
        return self._tradition[work]

    def works_elsewhere(self, tradition: int) -> npt.NDArray[np.intp]:
        """Return the rows of all other traditions' works."""
        return self._elsewhere[tradition]

    def source_of(self, request: Request, piece: Piece) -> int:
        """Return the row of the archive work that the piece answering a request derives from."""
        if piece.origin != Origin.ARCHIVE:
            return request.source_work
        return self._row_of.get(piece.receipt.piece_sha256, request.source_work)


def permitted(requests: Sequence[Request], book: RightsBook, uses: Uses) -> tuple[list[Request], Refused]:
    """Return the requests that the sources may be used for, and the refusals.

    To derive from a work needs consent to derive from it, and to cross to it, consent for those outside its tradition
    as well; to record it, consent to perform it. Whoever derives from a learnt work derives from the root of its line
    too: that is the work which the generator is asked on.

    Parameters
    ----------
    requests : sequence of Request
        The day's.
    book : RightsBook
        What each work's own consent is.
    uses : ndarray of int16, shape (num_works,)
        What is permitted today for each work.

    Returns
    -------
    list of Request
    Refused
    """
    kept, refused = list[Request](), Refused()
    for request in requests:
        wanting = [(work, need) for work, need in _uses_of(request) if uses[work] & need != need]
        if wanting:
            refused += book.refusal(*wanting[0])
        else:
            kept.append(request)
    return kept, refused


def _uses_of(request: Request) -> list[tuple[int, int]]:
    """Return the works that a request uses, with the `Consent` flags that each must carry."""
    if request.commission.intent == Intent.RECORD:
        return [(request.source_work, int(Consent.PERFORM))]
    if request.crosses:
        return [
            (request.source_work, int(Consent.DERIVE | Consent.OUTSIDE)),
            (request.joined_work, int(Consent.DERIVE)),
        ]
    of_source = (request.source_work, int(Consent.DERIVE))
    if request.root_work == NO_ONE:
        return [of_source]
    outside = Consent.OUTSIDE if request.is_root_foreign else Consent.NONE
    return [of_source, (request.root_work, int(Consent.DERIVE | outside))]


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


def releasable(made: Sequence[Answer], book: RightsBook, uses: Uses) -> tuple[list[Answer], Refused]:
    """Return the answers that may be released, and the refusals.

    A retrieved piece may be another work than the one it was asked on. Its own consent counts too: to derive from it,
    since it is released as a derivative, and to perform it, since what is released is the work itself.
    """
    kept, refused = list[Answer](), Refused()
    for answer in made:
        is_foreign = answer.request.crosses or answer.request.is_root_foreign
        outside = Consent.OUTSIDE if is_foreign else Consent.NONE
        need = int(Consent.DERIVE | Consent.PERFORM | outside)
        if answer.piece.origin != Origin.ARCHIVE or uses[answer.source_work] & need == need:
            kept.append(answer)
        else:
            refused += book.refusal(answer.source_work, need)
    return kept, refused
