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
    CreatorViews,
    Origin,
    Rights,
    State,
    Statement,
)

Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
RECORDED, DERIVED = 0, 1


class Accounts:
    """What the last epochs credited, and to whom; nothing is known before an epoch was settled.

    Creators go by statements, which tell them what their works earned by being listened to. A community goes by all
    that reaches its members and its fund: licence fees for what derives from its works are income too.

    Parameters
    ----------
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    community_tradition : ndarray of int32, shape (num_communities,)
        Tradition of each community.
    """

    def __init__(self, creator_community: npt.NDArray[np.int32], community_tradition: npt.NDArray[np.int32]) -> None:
        num_communities = community_tradition.size
        self._creator_community = creator_community
        self._community_tradition = community_tradition
        self._num_communities = num_communities
        self.credited_units: Int64 = np.zeros(num_communities + creator_community.size, dtype=np.int64)
        self._income: Int64 = np.zeros((2, num_communities), dtype=np.int64)
        self._plays: Int64 = np.zeros((2, num_communities), dtype=np.int64)
        # What creators are told: their own and their community's means, by kind of work; and incomes.
        self._own_units: Floats = np.full((2, creator_community.size), np.nan)
        self._community_units: Floats = np.full((2, num_communities), np.nan)
        self._epoch_income: Floats = np.full(creator_community.size, np.nan)
        self._community_income: Floats = np.full(num_communities, np.nan)

    def credit(
        self, statement: Statement, licence_units: Int64, rights: Rights, catalogue: Catalogue, plays: Int64, day: int
    ) -> None:
        """Take in an epoch; works that have not come out by its end are no part of any mean.

        Parameters
        ----------
        statement : Statement
            What the acting rule decided.
        licence_units : ndarray of int64, shape (num_payees,)
            What the epoch's licence fees credited to each payee.
        rights : Rights
            Who belongs to which community.
        catalogue : Catalogue
            All works.
        plays : ndarray of int64, shape (num_works,)
            Plays of the epoch.
        day : int
            Its last day.
        """
        self.credited_units += statement.payee_units
        community = catalogue.community
        income = self._by_community(rights.payee_community, statement.payee_units + licence_units)
        self._income = np.stack([income, self._income[0]])
        generated = catalogue.origin == Origin.GENERATED
        self._plays = np.stack([self._by_community(community, plays), self._by_community(community, plays * generated)])
        by_person = (catalogue.creator != NO_ONE) & (catalogue.column("day") <= day)
        recorded = by_person & (catalogue.origin == Origin.HUMAN)
        creators = self._creator_community.size
        for kind, of_kind in ((RECORDED, recorded), (DERIVED, by_person & ~recorded)):
            creator, earned = catalogue.creator[of_kind], statement.work_units[of_kind]
            self._own_units[kind] = _means(creator, earned, creators)
            self._community_units[kind] = _means(community[of_kind], earned, self._num_communities)
        self._epoch_income = statement.payee_units[self._num_communities :].astype(np.float64)
        published = np.unique(catalogue.creator[by_person])
        home, income = self._creator_community[published], statement.payee_units[self._num_communities + published]
        self._community_income = _means(home, income, self._num_communities)

    def _by_community(self, community: npt.NDArray[np.int32], amounts: Int64) -> Int64:
        total = np.zeros(self._num_communities, dtype=np.int64)
        np.add.at(total, community, amounts)
        return total

    def creator_views(
        self, day: int, terms: Sequence[CommunityTerms], epochs_left: float, bearers_share: Floats | None = None
    ) -> CreatorViews:
        """Return what creators know this morning.

        Parameters
        ----------
        day : int
            The day.
        terms : sequence of CommunityTerms
            Terms in force, one per community.
        epochs_left : float
            Epochs until the end of the simulated time.
        bearers_share : ndarray of float64, shape (num_communities,), optional
            Practising bearers of each community relative to the start of the run; 1 where it is not given.

        Returns
        -------
        CreatorViews
        """
        home = self._creator_community
        return CreatorViews(
            day=day,
            terms=tuple(terms),
            tradition=self._community_tradition,
            community=home,
            income_units=self.credited_units[self._num_communities :],
            epoch_income_units=self._epoch_income,
            community_income_units=self._community_income[home],
            own_units=self._own_units,
            community_units=self._community_units[:, home],
            epochs_left=epochs_left,
            bearers_share=np.ones(home.size) if bearers_share is None else bearers_share[home],
        )

    def community_views(self, epoch: int, terms: Sequence[CommunityTerms], day: int = 0) -> list[CommunityView]:
        """Return what each community knows as an epoch begins on a day."""
        return [
            CommunityView(
                epoch=epoch,
                terms=terms[c],
                income_units=int(self._income[0, c]),
                previous_income_units=int(self._income[1, c]),
                plays=int(self._plays[0, c]),
                generated_plays=int(self._plays[1, c]),
                day=day,
            )
            for c in range(self._num_communities)
        ]

    def snapshot(self) -> State:
        """Return the accounts."""
        return {
            "credited_units": self.credited_units.copy(),
            "income": self._income.copy(),
            "plays": self._plays.copy(),
            "own_units": self._own_units.copy(),
            "community_units": self._community_units.copy(),
            "epoch_income": self._epoch_income.copy(),
            "community_income": self._community_income.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self.credited_units = np.array(state["credited_units"], dtype=np.int64)
        self._income = np.array(state["income"], dtype=np.int64)
        self._plays = np.array(state["plays"], dtype=np.int64)
        self._own_units = np.array(state["own_units"], dtype=np.float64)
        self._community_units = np.array(state["community_units"], dtype=np.float64)
        self._epoch_income = np.array(state["epoch_income"], dtype=np.float64)
        self._community_income = np.array(state["community_income"], dtype=np.float64)


def _means(group: npt.NDArray[np.integer], amounts: Int64, num_groups: int) -> Floats:
    """Return the mean amount of each group, shape ``(num_groups,)``; NaN where it has no member."""
    total, count = np.zeros(num_groups, dtype=np.int64), np.zeros(num_groups, dtype=np.int64)
    np.add.at(total, group, amounts)
    np.add.at(count, group, 1)
    return np.divide(total, count, out=np.full(num_groups, np.nan), where=count > 0)
