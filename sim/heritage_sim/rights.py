"""Who is owed for which work, and what each work may be used for.

Shares are fixed at publication. Payees ``0 .. C-1`` are the communities' funds, ``C + k`` is creator ``k``. An archive
work belongs wholly to its community's fund. A new work pays its community the share that stood in the terms on the day
it was published, and its creator the rest.

Consent has two levels. A work carries its own, for good: an archive work of the restricted repertoire may never be
derived from, or never be performed publicly. What the community permits for all its works narrows it day by day. So
when a community withdraws a use, that use ends with the day for everything it holds, whenever published: works whose
performance it withdrew are shown and played no more (and earn no more), and nothing new derives from them, not even
through a derivative that another community's creators have learnt. What was published before stays in the catalogue and
in the provenance, what it earned stays paid, and derivatives under the name of another community stay as available as
that community has them. A derivative that was accepted before and waits for its release day still comes out, but is not
traceable: consent is looked for on the day it came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import BPS, NO_ONE, Catalogue, CommunityTerms, Consent, Rights, State, Stem

Uses = npt.NDArray[np.int16]
"""`Consent` flags of each work, shape ``(num_works,)``."""


@dataclass(frozen=True, slots=True)
class Refused:
    """How many uses were refused for want of consent.

    Parameters
    ----------
    by_terms : int
        Because the community does not permit the use at the time.
    by_repertoire : int
        Because the work itself belongs to the restricted repertoire.
    """

    by_terms: int = 0
    by_repertoire: int = 0

    def __add__(self, other: Refused) -> Refused:
        """Return both together."""
        return Refused(self.by_terms + other.by_terms, self.by_repertoire + other.by_repertoire)


class RightsBook:
    """The communities' shares and the own consent of all works, kept as they were agreed.

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
        self._own_uses: Uses = np.zeros(0, dtype=np.int16)

    def add(self, fund_bps: npt.ArrayLike, own_uses: npt.ArrayLike | None = None) -> None:
        """Take down works just published.

        Parameters
        ----------
        fund_bps : array_like of int, shape (n,)
            The communities' shares, in basis points.
        own_uses : array_like of int, shape (n,), optional
            `Consent` flags that each work itself carries; all uses where it is not given.
        """
        shares = np.asarray(fund_bps, dtype=np.int64)
        carried = np.full(shares.size, int(Consent.ALL)) if own_uses is None else np.asarray(own_uses)
        self._fund_bps = np.concatenate([self._fund_bps, shares])
        self._own_uses = np.concatenate([self._own_uses, carried.astype(np.int16)])

    @property
    def own_uses(self) -> Uses:
        """What each work itself may be used for, whatever its community's terms are, shape ``(num_works,)``."""
        return self._own_uses

    def uses(self, catalogue: Catalogue, terms: Sequence[CommunityTerms]) -> Uses:
        """Return what each work may be used for under the terms: its own consent, narrowed by its community's."""
        shared = np.array([int(t.consent) for t in terms], dtype=np.int16)
        return self._own_uses & shared[catalogue.community]

    def refusal(self, work: int, need: int) -> Refused:
        """Return why a use of a work that is not permitted today is refused: the work itself, or the terms."""
        by_itself = int(self._own_uses[work]) & need != need
        return Refused(int(not by_itself), int(by_itself))

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
        return Rights(
            payee_names=self.payee_names,
            payee_community=self.payee_community,
            work_community=community.copy(),
            indptr=indptr,
            payee_ids=payees[owed],
            share_bps=shares[owed],
            consent=self.uses(catalogue, terms),
        )

    def stems(self, work: int, catalogue: Catalogue) -> tuple[Stem, ...]:
        """Return who shares in a work: its community's fund and its creator, where they have a share."""
        community, creator = int(catalogue.community[work]), int(catalogue.creator[work])
        fund = BPS if creator == NO_ONE else int(self._fund_bps[work])
        shares = (Stem(community, fund), Stem(self.num_communities + creator, BPS - fund))
        return tuple(stem for stem in shares if stem.share_bps > 0)

    def snapshot(self) -> State:
        """Return the shares and uses agreed so far."""
        return {"fund_bps": self._fund_bps.copy(), "own_uses": self._own_uses.copy()}

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._fund_bps = np.array(state["fund_bps"], dtype=np.int64)
        self._own_uses = np.array(state["own_uses"], dtype=np.int16)
