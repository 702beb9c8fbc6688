"""Step 2: creators' decisions become requests for pieces.

Which known work a creator builds on, and which of the possible pieces on it is asked for, are keyed draws by creator
and day; they depend on neither the arm nor the rule. Only where two would ask for the same piece on one day does the
later creator take the next one.

Who records plays an archive work of the own tradition. Who commissions builds on a work of its repertoire: an archive
work, or one it has learnt; or, crossing, on an archive work of another tradition, which it joins with such a work of
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heritage_sim.base import NO_ONE, Commission, CreatorAction, CreatorDecisions, Intent, Keys, Origin
from heritage_sim.daily_numbers import DailyNumbers
from heritage_sim.day.commissioning import Answer, Archive, Request
from heritage_sim.day.repertoire import Repertoire
from heritage_sim.parts import MakingRules


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
        taken: set[tuple[Intent, str, int]] = set()
        requests: list[Request] = []
        for creator, work in zip(busy, known, strict=True):
            intent, joined = Intent.RECORD if records[creator] else Intent.DERIVE, NO_ONE
            if crosses[creator] and foreign is not None:
                works = self._archive.works_elsewhere(self._tradition[creator])
                work, joined = int(works[int(foreign[creator] * works.size)]), work
            root = int(self._repertoire.root[work])
            # By content, as the generator is asked: two archive works with the same notes are one source to it.
            content = self._archive.hashes[root]
            take = self._free_take(taken, intent, content, takes[creator])
            if take is None:
                continue
            taken.add((intent, content, take))
            tradition = self._archive.tradition_of(root)
            commission = Commission(f"{creator}-{day}", self._archive.names[tradition], content, take, intent)
            is_foreign, learnt_root = tradition != self._tradition[creator], NO_ONE if root == work else root
            requests.append(Request(creator, work, commission, joined, conceals[creator], learnt_root, is_foreign))
        return requests

    def _free_take(self, taken: set[tuple[Intent, str, int]], intent: Intent, content: str, first: int) -> int | None:
        """Return the first take from a given one on that nobody has asked for today, None where there is none."""
        for step in range(self._takes):
            take = (first + step) % self._takes
            if (intent, content, take) not in taken:
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
