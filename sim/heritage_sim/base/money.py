"""Who is owed, what was decided, and when it could be withdrawn. All amounts are integers in the smallest unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from heritage_sim.base.catalogue import NO_ONE

BPS = 10_000
SHARE_BASIS = 100_000_000
"""Parts in which shares of sources are counted: 10^8 are the whole."""


class Consent(IntFlag):
    """Uses that a community permits for a work; ``OUTSIDE``: also by those outside its tradition."""

    NONE = 0
    TRAIN = 1
    DERIVE = 2
    PERFORM = 4
    SELL = 8
    OUTSIDE = 16
    ALL = 31


@dataclass(frozen=True, slots=True)
class Currency:
    """The unit beside every amount shown.

    Parameters
    ----------
    code : str
        Name shown, such as ``hUSD (test token)``.
    decimals : int
        Smallest units per one: ``10 ** decimals``.
    """

    code: str = "hUSD"
    decimals: int = 6

    def show(self, amount_units: int) -> str:
        """Return an amount for people, to the smallest unit if need be: ``12.500000 hUSD`` -> ``12.50 hUSD``."""
        sign = "-" if amount_units < 0 else ""
        whole, part = divmod(abs(int(amount_units)), 10**self.decimals)
        digits = f"{part:0{self.decimals}d}".rstrip("0").ljust(2, "0") if self.decimals else ""
        return f"{sign}{whole:,}{'.' + digits if digits else ''} {self.code}"


@dataclass(frozen=True, slots=True, eq=False)
class Rights:
    """Who is owed for which work, as compressed sparse rows.

    Parameters
    ----------
    payee_names : tuple of str, length num_payees
        Names shown; a payee's id is its index.
    payee_community : ndarray of int32, shape (num_payees,)
        Community each payee belongs to.
    work_community : ndarray of int32, shape (num_works,)
        Community of each work.
    indptr : ndarray of int64, shape (num_works + 1,)
        Row starts.
    payee_ids : ndarray of int32, shape (num_shares,)
        Payees of each work.
    share_bps : ndarray of int64, shape (num_shares,)
        Their shares; each row sums to 10,000.
    consent : ndarray of int16, shape (num_works,)
        `Consent` flags of each work.
    """

    payee_names: tuple[str, ...]
    payee_community: npt.NDArray[np.int32]
    work_community: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    payee_ids: npt.NDArray[np.int32]
    share_bps: npt.NDArray[np.int64]
    consent: npt.NDArray[np.int16]

    @property
    def num_payees(self) -> int:
        """Return the number of payees."""
        return len(self.payee_names)

    @property
    def num_works(self) -> int:
        """Return the number of works."""
        return int(self.work_community.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """What a rule decided for an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    rule : str
        Registered name and parameters of the rule.
    pool_units : int
        Amount shared out; ``payee_units`` and ``work_units`` both sum to it exactly.
    payee_units : ndarray of int64, shape (num_payees,)
        Amount of each payee.
    work_units : ndarray of int64, shape (num_works,)
        Amount earned by each work.
    reasons : tuple of str
        In words, how each part of the pool was shared, one line a step.
    """

    epoch: int
    rule: str
    pool_units: int
    payee_units: npt.NDArray[np.int64]
    work_units: npt.NDArray[np.int64]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """An epoch whose root stands on the ledger and may still be disputed.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    deposit_units : int
        What was paid in for it.
    posted_s : int
        Block timestamp, seconds.
    final_from_s : int
        First second at which it may be made final: the end of its challenge window.
    root : bytes
        Merkle root of cumulative amounts.
    gas : int
        Gas of posting; 0 on the reference ledger.
    """

    epoch: int
    deposit_units: int
    posted_s: int
    final_from_s: int
    root: bytes
    gas: int


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """When an epoch's money became withdrawable, and was paid, by block timestamps.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    pool_units : int
        Amount deposited.
    posted_s, withdrawable_s : int
        Block timestamps of the posting and of the end of the challenge window (finalisation), seconds.
    root : bytes
        Merkle root of cumulative amounts.
    gas : int
        Gas of posting and finalising; 0 on the reference ledger.
    """

    epoch: int
    pool_units: int
    posted_s: int
    withdrawable_s: int
    root: bytes
    gas: int


@dataclass(frozen=True, slots=True, eq=False)
class Payments:
    """One round of claims.

    Parameters
    ----------
    paid_s : int
        Block timestamp, seconds.
    payee_ids : ndarray of int64, shape (n,)
        Who was paid.
    amounts_units : ndarray of int64, shape (n,)
        How much, > 0.
    gas : int
        Gas used; 0 on the reference ledger.
    """

    paid_s: int
    payee_ids: npt.NDArray[np.int64]
    amounts_units: npt.NDArray[np.int64]
    gas: int


@dataclass(frozen=True, slots=True)
class Stem:
    """A payee's share of a work.

    Parameters
    ----------
    payee_id : int
        Who.
    share_bps : int
        Of what the work itself keeps, after its sources; a work's stems sum to 10,000.
    """

    payee_id: int
    share_bps: int


@dataclass(frozen=True, slots=True)
class ProvenanceRecord:
    """A work as it goes to the ledger: what it is, what it derives from, and who shares in it.

    Parameters
    ----------
    work_id : int
        Row in the catalogue.
    content_sha256 : bytes
        32 bytes, hash of the notes.
    community : int
        Community whose tradition it belongs to.
    consent : int
        `Consent` flags that the work itself carries; what its community permits at a moment narrows them further.
    parents : tuple of int
        Work ids it derives from, registered before.
    derivative_share : int
        Share that every derivative of this work owes it, in parts of `SHARE_BASIS`.
    stems : tuple of Stem
        Who shares in it; empty where nobody does.
    manifest_sha256 : bytes
        32 bytes, hash of its C2PA manifest; zeros where it has none.
    """

    work_id: int
    content_sha256: bytes
    community: int
    consent: int
    parents: tuple[int, ...]
    derivative_share: int = 0
    stems: tuple[Stem, ...] = ()
    manifest_sha256: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class ConsentLabel:
    """What a community permits from a moment on, for all its works or for one of them.

    Parameters
    ----------
    community : int
        Who permits.
    uses : int
        `Consent` flags.
    work_id : int
        The work, or ``NO_ONE`` for all works of the community.
    expires_s : int
        First second at which nothing is permitted any more; 0 for never.
    """

    community: int
    uses: int
    work_id: int = NO_ONE
    expires_s: int = 0


@dataclass(frozen=True, slots=True)
class DirectPayment:
    """A licence fee, a commission or a tip, paid to one work and split at once along its sources.

    Parameters
    ----------
    work_id : int
        Registered work that is paid for.
    amount_units : int
        What is paid, > 0.
    """

    work_id: int
    amount_units: int


@dataclass(frozen=True, slots=True, eq=False)
class PaymentSplit:
    """What became of direct payments.

    Parameters
    ----------
    paid_s : int
        Block timestamp of the last of them, seconds.
    payee_units : ndarray of int64, shape (num_payees,)
        What each payee was credited; sums to what was paid.
    gas : int
        Gas used; 0 on the reference ledger.
    """

    paid_s: int
    payee_units: npt.NDArray[np.int64]
    gas: int
