"""Steps 2 and 3: creators' decisions become commissions, and the day's commissions are answered in one batch each.

Which known work a creator builds on, and which of the possible pieces on it is asked for, are keyed draws by creator
and day; they depend on neither the arm nor the rule. Only where two would ask for the same piece on one day does the
later creator take the next one.

Who records plays an archive work of the own tradition. Who commissions builds on a work of its repertoire: an archive
work, or one it has learnt; or, crossing, on an archive work of another tradition, which it joins with such a work of
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    NO_ONE,
    Commission,
    Consent,
    CreatorAction,
    CreatorDecisions,
    Generator,
    Intent,
    Keys,
    Origin,
    Piece,
)
from heritage_sim.daily_numbers import DailyNumbers
from heritage_sim.day.repertoire import Repertoire
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
    """

    creator: int
    source_work: int
    commission: Commission
    joined_work: int = NO_ONE
    conceals: bool = False

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


class CommissionDesk:
    """Where creators ask: it turns their decisions into requests.

    Parameters
    ----------
    creator_tradition : ndarray of int32, shape (num_creators,)
        Tradition of each creator.
    archive : Archive
        What they choose from.
    repertoire : Repertoire
        What they know beside it.
    takes : int
        Possible pieces on each source, >= 1.
    rules : MakingRules
        What holds for all of them.
    keys : Keys
        Streams of the replication.
    """

    def __init__(
        self,
        creator_tradition: npt.NDArray[np.int32],
        archive: Archive,
        repertoire: Repertoire,
        takes: int,
        rules: MakingRules,
        keys: Keys,
    ) -> None:
        self._tradition: list[int] = creator_tradition.tolist()
        self._archive = archive
        self._repertoire = repertoire
        self._takes = takes
        self._rules = rules

        def numbers(decision: str, num_draws: int = 1) -> DailyNumbers:
            return DailyNumbers(keys.stream("creator", decision), creator_tradition.size, num_draws)

        self._source, self._take = numbers("source"), numbers("take")
        self._learnt, self._foreign = numbers("learnt_source", 2), numbers("foreign_source")
        self._found_out = numbers("detection")

    def requests(self, decisions: CreatorDecisions, day: int) -> list[Request]:
        """Return what the creators who do not rest ask for, in creator order.

        No piece is asked for twice on a day; who finds no piece left on its source asks for none.
        """
        busy: list[int] = np.flatnonzero(decisions.action != CreatorAction.REST).tolist()
        if not busy:
            return []
        records: list[bool] = (decisions.action == CreatorAction.RECORD).tolist()
        crosses, conceals = decisions.crosses.tolist(), decisions.conceals.tolist()
        takes: list[int] = self._take.integers(day, self._takes)[0].tolist()
        known = self._known_works(busy, records, day)
        foreign = self._foreign.uniforms(day)[0] if decisions.crosses.any() else None
        taken: set[tuple[Intent, int, int]] = set()
        requests: list[Request] = []
        for creator, work in zip(busy, known, strict=True):
            intent, joined = Intent.RECORD if records[creator] else Intent.DERIVE, NO_ONE
            if crosses[creator] and foreign is not None:
                works = self._archive.works_elsewhere(self._tradition[creator])
                work, joined = int(works[int(foreign[creator] * works.size)]), work
            root = int(self._repertoire.root[work])
            take = self._free_take(taken, intent, root, takes[creator])
            if take is None:
                continue
            taken.add((intent, root, take))
            tradition = self._archive.names[self._archive.tradition_of(root)]
            commission = Commission(f"{creator}-{day}", tradition, self._archive.hashes[root], take, intent)
            requests.append(Request(creator, work, commission, joined, conceals[creator]))
        return requests

    def _free_take(self, taken: set[tuple[Intent, int, int]], intent: Intent, root: int, first: int) -> int | None:
        """Return the first take from a given one on that nobody has asked for today, None where there is none."""
        for step in range(self._takes):
            take = (first + step) % self._takes
            if (intent, root, take) not in taken:
                return take
        return None

    def _known_works(self, creators: Sequence[int], records: Sequence[bool], day: int) -> list[int]:
        """Return the work of its repertoire that each creator builds on; who records keeps to the archive."""
        source = self._source.uniforms(day)[0]
        learnt_share, which = self._learnt.uniforms(day)
        chosen: list[int] = []
        for creator in creators:
            learnt = self._repertoire.known(creator)
            if learnt.size and not records[creator] and learnt_share[creator] < self._rules.learnt_share:
                chosen.append(int(learnt[int(which[creator] * learnt.size)]))
            else:
                works = self._archive.works[self._tradition[creator]]
                chosen.append(int(works[int(source[creator] * works.size)]))
        return chosen

    def found_out(self, made: Sequence[Answer], day: int) -> list[Answer]:
        """Return the answers with the concealed sources that are found out marked.

        A re-released archive work always is: its content is registered.
        """
        if not any(a.request.conceals for a in made):
            return list(made)
        chance = self._found_out.uniforms(day)[0]
        seen = [
            a.piece.origin == Origin.ARCHIVE or chance[a.request.creator] < self._rules.detection_chance for a in made
        ]
        return [replace(a, is_found_out=a.request.conceals and bool(s)) for a, s in zip(made, seen, strict=True)]


def permitted(requests: Sequence[Request], book: RightsBook, uses: Uses) -> tuple[list[Request], Refused]:
    """Return the requests that the sources may be used for, and the refusals.

    To derive from a work needs consent to derive from it, and to cross to it, consent for those outside its tradition
    as well; to record it, consent to perform it.

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
    return [(request.source_work, int(Consent.DERIVE))]


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
        outside = Consent.OUTSIDE if answer.request.crosses else Consent.NONE
        need = int(Consent.DERIVE | Consent.PERFORM | outside)
        if answer.piece.origin != Origin.ARCHIVE or uses[answer.source_work] & need == need:
            kept.append(answer)
        else:
            refused += book.refusal(answer.source_work, need)
    return kept, refused
