"""What creators can build on, and what each work was truly made from.

A creator knows the archive of its tradition from the start. From an epoch to the next it may learn a work that others
of its community have published and registered; from then on it may derive from that work too. Whatever it derives from,
the generator is asked for a piece on the archive work at the root of the line: the pieces that can be asked for stay
finitely many, and the same for all.

A work that would owe its own sources more than it is paid, or has more of them than can be credited, is not learnt:
nobody could pay it a licence fee.

The lines are kept here as they are, also where a maker has named no source; provenance has what was named.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_sim.base import NO_ONE, SHARE_BASIS, Catalogue, Keys, State
from heritage_sim.parts import MakingRules

Int32 = npt.NDArray[np.int32]
MOST_ANCESTORS = 32
"""Half of what the contracts credit in one payment."""


class Repertoire:
    """Learnt works of every creator, and the line of every work.

    Parameters
    ----------
    num_archive : int
        Works of the archive, the first rows of the catalogue.
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    rules : MakingRules
        How much is learnt and kept.
    derivative_share : int
        What derivatives owe each of their sources, in parts of `SHARE_BASIS`.
    keys : Keys
        Streams of the replication.

    Attributes
    ----------
    root : ndarray of int32, shape (num_works,)
        The archive work at the root of each work's line; an archive work's is itself.
    generation : ndarray of int32, shape (num_works,)
        How many works the line has below its root.
    """

    def __init__(
        self, num_archive: int, creator_community: Int32, rules: MakingRules, derivative_share: int, keys: Keys
    ) -> None:
        self.root: Int32 = np.arange(num_archive, dtype=np.int32)
        self.generation: Int32 = np.zeros(num_archive, dtype=np.int32)
        self._creator_community = creator_community
        self._rules = rules
        self._num_archive = num_archive
        self._most_ancestors = min(MOST_ANCESTORS, SHARE_BASIS // max(derivative_share, 1))
        self._num_ancestors: Int32 = np.zeros(num_archive, dtype=np.int32)
        self._stream = keys.stream("creator", "learning")
        self._learnt: Int32 = np.full((creator_community.size, rules.repertoire_size), NO_ONE, dtype=np.int32)
        self._num_learnt: Int32 = np.zeros(creator_community.size, dtype=np.int32)

    def add(self, sources: npt.ArrayLike) -> None:
        """Take down the works that newly published ones were truly made from, shape ``(num_new,)``."""
        made_from = np.asarray(sources, dtype=np.int64)
        self.root = np.concatenate([self.root, self.root[made_from]])
        self.generation = np.concatenate([self.generation, self.generation[made_from] + np.int32(1)])

    def known(self, creator: int) -> Int32:
        """Return the works that a creator has learnt and keeps beside the archive, in no order that means anything."""
        return self._learnt[creator, : min(int(self._num_learnt[creator]), self._rules.repertoire_size)]

    def learn(self, catalogue: Catalogue, num_registered: int, epoch: int, day: int) -> None:
        """Let creators learn from what their communities have registered, and what has come out.

        Parameters
        ----------
        catalogue : Catalogue
            All works.
        num_registered : int
            So many of them, from the first, are registered.
        epoch : int
            The epoch that has ended.
        day : int
            Its last day.
        """
        rules, num_creators = self._rules, self._creator_community.size
        if rules.learning_chance <= 0.0 or not num_creators:
            return
        creator = catalogue.creator[:num_registered]
        new = np.flatnonzero(
            (creator != NO_ONE)
            & (catalogue.column("day")[:num_registered] <= day)
            & (self.generation[:num_registered] <= rules.most_generations)
            & self.payable(catalogue, num_registered)
        )
        theirs = [new[catalogue.community[new] == c] for c in range(int(self._creator_community.max()) + 1)]
        chance, pick = self._stream.uniforms(np.arange(num_creators), epoch, 2).T
        for k in np.flatnonzero(chance < rules.learning_chance).tolist():
            works = theirs[int(self._creator_community[k])]
            work = int(works[int(pick[k] * works.size)]) if works.size else NO_ONE
            # Who hits on a work of its own, or one it knows, learns nothing this time.
            if work != NO_ONE and creator[work] != k and work not in self.known(k):
                self._learnt[k, int(self._num_learnt[k]) % rules.repertoire_size] = work
                self._num_learnt[k] += 1

    def payable(self, catalogue: Catalogue, num_works: int) -> npt.NDArray[np.bool_]:
        """Return which of the first works can be paid a licence fee, shape ``(num_works,)``."""
        self._count_ancestors(catalogue, num_works)
        return self._num_ancestors[:num_works] <= self._most_ancestors

    def _count_ancestors(self, catalogue: Catalogue, num_works: int) -> None:
        """Count named ancestors of works not counted yet, one for each path to it, which is at least their number."""
        known = self._num_ancestors.size
        new = np.zeros(max(num_works - known, 0), dtype=np.int32)
        self._num_ancestors = np.concatenate([self._num_ancestors, new])
        for work in range(known, num_works):
            parents = catalogue.parents[work]
            named = parents[parents != NO_ONE]
            self._num_ancestors[work] = named.size + self._num_ancestors[named].sum()

    def snapshot(self) -> State:
        """Return lines and learnt works."""
        return {
            "root": self.root.copy(),
            "generation": self.generation.copy(),
            "learnt": self._learnt.copy(),
            "num_learnt": self._num_learnt.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.root = np.array(state["root"], dtype=np.int32)
        self.generation = np.array(state["generation"], dtype=np.int32)
        self._learnt = np.array(state["learnt"], dtype=np.int32)
        self._num_learnt = np.array(state["num_learnt"], dtype=np.int32)
        # What follows from the catalogue is counted anew.
        self._num_ancestors = np.zeros(self._num_archive, dtype=np.int32)
