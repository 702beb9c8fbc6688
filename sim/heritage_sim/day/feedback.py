"""Step 9, and what steps 1 and 2 see of it: income and audience as creators and communities are told them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import (
    NO_ONE,
    Catalogue,
    CommunityTerms,
    CommunityView,
    CreatorView,
    Origin,
    Rights,
    State,
    Statement,
)

Int64 = npt.NDArray[np.int64]
RECORDED, DERIVED = 0, 1


class Accounts:
    """What the last statements credited, and to whom; nothing is known before an epoch was settled.

    Parameters
    ----------
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    num_communities : int
        Number of communities.
    """

    def __init__(self, creator_community: npt.NDArray[np.int32], num_communities: int) -> None:
        self._creator_community = creator_community
        self._num_communities = num_communities
        self.credited_units: Int64 = np.zeros(num_communities + creator_community.size, dtype=np.int64)
        self._income: Int64 = np.zeros((2, num_communities), dtype=np.int64)
        self._plays: Int64 = np.zeros((2, num_communities), dtype=np.int64)
        self._expected = np.full((2, num_communities), np.nan)

    def credit(self, statement: Statement, rights: Rights, catalogue: Catalogue, plays: Int64) -> None:
        """Take in an epoch.

        Parameters
        ----------
        statement : Statement
            What the acting rule decided.
        rights : Rights
            Who belongs to which community.
        catalogue : Catalogue
            All works.
        plays : ndarray of int64, shape (num_works,)
            Plays of the epoch.
        """
        self.credited_units += statement.payee_units
        community = catalogue.community
        self._income = np.stack([self._income_of(statement, rights), self._income[0]])
        generated = catalogue.origin == Origin.GENERATED
        self._plays = np.stack([self._by_community(community, plays), self._by_community(community, plays * generated)])
        by_person = catalogue.creator != NO_ONE
        recorded = by_person & (catalogue.origin == Origin.HUMAN)
        for kind, of_kind in ((RECORDED, recorded), (DERIVED, by_person & ~recorded)):
            works = self._by_community(community, of_kind.astype(np.int64))
            earned = self._by_community(community, statement.work_units * of_kind)
            self._expected[kind] = np.divide(earned, works, out=np.full(works.size, np.nan), where=works > 0)

    def _income_of(self, statement: Statement, rights: Rights) -> Int64:
        return self._by_community(rights.payee_community, statement.payee_units)

    def _by_community(self, community: npt.NDArray[np.int32], amounts: Int64) -> Int64:
        total = np.zeros(self._num_communities, dtype=np.int64)
        np.add.at(total, community, amounts)
        return total

    def creator_views(self, day: int, terms: Sequence[CommunityTerms], epochs_left: float) -> list[CreatorView]:
        """Return what each creator knows this morning."""
        income: list[int] = self.credited_units[self._num_communities :].tolist()
        recorded: list[float] = self._expected[RECORDED].tolist()
        derived: list[float] = self._expected[DERIVED].tolist()
        community: list[int] = self._creator_community.tolist()
        return [
            CreatorView(day, terms[c], units, recorded[c], derived[c], epochs_left)
            for c, units in zip(community, income, strict=True)
        ]

    def community_views(self, epoch: int, terms: Sequence[CommunityTerms]) -> list[CommunityView]:
        """Return what each community knows as an epoch begins."""
        return [
            CommunityView(
                epoch=epoch,
                terms=terms[c],
                income_units=int(self._income[0, c]),
                previous_income_units=int(self._income[1, c]),
                plays=int(self._plays[0, c]),
                generated_plays=int(self._plays[1, c]),
            )
            for c in range(self._num_communities)
        ]

    def snapshot(self) -> State:
        """Return the accounts."""
        return {
            "credited_units": self.credited_units.copy(),
            "income": self._income.copy(),
            "plays": self._plays.copy(),
            "expected": self._expected.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.credited_units = np.array(state["credited_units"], dtype=np.int64)
        self._income = np.array(state["income"], dtype=np.int64)
        self._plays = np.array(state["plays"], dtype=np.int64)
        self._expected = np.array(state["expected"], dtype=np.float64)
