"""Who is owed for which work: shares are fixed at publication, consent follows the community's terms of the day.

Payees ``0 .. C-1`` are the communities' funds, ``C + k`` is creator ``k``. An archive work belongs wholly to its
community's fund. A new work pays its community the share that stood in the terms on the day it was published, and its
creator the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_sim.base import BPS, NO_ONE, Catalogue, CommunityTerms, Consent, Rights, State, Stem


def permits(terms: Sequence[CommunityTerms], use: Consent) -> npt.NDArray[np.bool_]:
    """Return which communities consent to a use, shape ``(num_communities,)``."""
    return np.array([bool(t.consent & use) for t in terms])


class RightsBook:
    """The communities' shares of all works, kept as they were agreed.

    Parameters
    ----------
    payee_names : tuple of str
        Names of all payees.
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    num_communities : int
        Number of communities.
    """

    def __init__(
        self, payee_names: tuple[str, ...], creator_community: npt.NDArray[np.int32], num_communities: int
    ) -> None:
        self.payee_names = payee_names
        self.num_communities = num_communities
        funds = np.arange(num_communities, dtype=np.int32)
        self.payee_community = np.concatenate([funds, creator_community]).astype(np.int32)
        self._fund_bps = np.zeros(0, dtype=np.int64)

    def add(self, fund_bps: npt.ArrayLike) -> None:
        """Take down the communities' shares of works just published, in basis points."""
        self._fund_bps = np.concatenate([self._fund_bps, np.asarray(fund_bps, dtype=np.int64)])

    def rights(self, catalogue: Catalogue, terms: Sequence[CommunityTerms]) -> Rights:
        """Return the rights of every work in the catalogue under today's consent."""
        community, creator = catalogue.community, catalogue.creator
        has_creator = creator != NO_ONE
        fund_share = np.where(has_creator, self._fund_bps, BPS)
        # Each row holds the fund first and the creator second; a party with no share has no entry.
        payees = np.stack([community, self.num_communities + creator], axis=1).astype(np.int32)
        shares = np.stack([fund_share, BPS - fund_share], axis=1)
        owed = shares > 0
        indptr = np.zeros(catalogue.num_works + 1, dtype=np.int64)
        np.cumsum(owed.sum(axis=1), out=indptr[1:])
        consent = np.array([int(t.consent) for t in terms], dtype=np.int16)
        return Rights(
            payee_names=self.payee_names,
            payee_community=self.payee_community,
            work_community=community.copy(),
            indptr=indptr,
            payee_ids=payees[owed],
            share_bps=shares[owed],
            consent=consent[community],
        )

    def stems(self, work: int, catalogue: Catalogue) -> tuple[Stem, ...]:
        """Return who shares in a work: its community's fund and its creator, where they have a share."""
        community, creator = int(catalogue.community[work]), int(catalogue.creator[work])
        fund = BPS if creator == NO_ONE else int(self._fund_bps[work])
        shares = (Stem(community, fund), Stem(self.num_communities + creator, BPS - fund))
        return tuple(stem for stem in shares if stem.share_bps > 0)

    def snapshot(self) -> State:
        """Return the shares agreed so far."""
        return {"fund_bps": self._fund_bps.copy()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._fund_bps = np.array(state["fund_bps"], dtype=np.int64)
