"""The books that every ledger shows: who was paid what, what is due, and whether it all adds up.

Money comes in by two streams. Royalties of epochs go through the distributor: funded, posted, final, claimed. Direct
payments go through the pool: paid, credited, withdrawn. A claim pays a payee from both, so the two are added up here:

    deposited = claimed + unclaimed + pending + unallocated + escaped

in units, where *claimed* is what was paid for a payee (what expired went to the fund of the payee's community),
*unclaimed* could be claimed now, *pending* waits for a challenge window, *unallocated* was paid into the distributor
ahead of a posting or for one that was dropped, and *escaped* was shared out after a winding up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, Deployment
from heritage_contracts.ledgers.kind import LedgerKind
from heritage_contracts.provenance import WorkBook
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_contracts.trees.epoch import Epoch
from heritage_contracts.trees.published import Commitment, rebuild
from heritage_sim.base import InputError, LedgerError, Posting, sum_exactly


@dataclass(frozen=True, slots=True)
class Audit:
    """The books of a ledger at one moment, in the smallest unit.

    Parameters
    ----------
    deposited, claimed, unclaimed, pending, unallocated, escaped : int
        Sums over all epochs, payments and payees; the first is the sum of the others.
    token_balance : int
        What distributor and pool hold: ``deposited - claimed - escaped``.
    num_epochs, num_works : int
        Epochs posted and works registered.
    last_s : int
        Timestamp of the last block.
    """

    deposited: int
    claimed: int
    unclaimed: int
    pending: int
    unallocated: int
    escaped: int
    token_balance: int
    num_epochs: int
    num_works: int
    last_s: int


class Books(LedgerKind):
    """A ledger's state as its owner sees it.

    Parameters
    ----------
    config : LedgerConfig
        Window, salt, currency.
    payee_names : sequence of str
        Names shown; a payee's id is its index. They never leave this process.
    genesis_s : int
        First second of the simulated time.
    payee_communities : sequence of int, length num_payees, optional
        Community of each payee, -1 for none; the first payees are the communities' funds.

    Raises
    ------
    InputError
        If there is no payee, the communities do not fit, or the time leaves no hour before it to deploy in.
    """

    def __init__(
        self,
        config: LedgerConfig,
        payee_names: Sequence[str],
        genesis_s: int,
        payee_communities: Sequence[int] | None = None,
    ) -> None:
        if not payee_names:
            raise InputError("a ledger needs at least one payee", "payees", "Name at least one payee.")
        if genesis_s <= DEPLOY_LEAD_S:
            raise InputError(f"genesis_s = {genesis_s} is too early", "ledger", f"Begin after second {DEPLOY_LEAD_S}.")
        self.config = config
        self.payee_names = tuple(payee_names)
        self.genesis_s = int(genesis_s)
        communities = () if payee_communities is None else tuple(int(c) for c in payee_communities)
        self.deployment = Deployment(config, len(self.payee_names), self.genesis_s, self._chain_id(), communities)
        self._begin()

    def _begin(self) -> None:
        """Forget everything and deploy anew."""
        self._works = WorkBook(self.deployment)
        self._epochs: list[Epoch] = []
        self._postings: dict[int, Posting] = {}
        self._num_final: int = 0
        self._is_wound_up: bool = False
        self._credited = [0] * len(self.payee_names)
        # What claims are planned by: it follows from the journal alone, whoever else has claimed meanwhile.
        self._streamed = [0] * len(self.payee_names)
        self._withdrawn = [0] * len(self.payee_names)
        self._noticed: dict[int, int] = {}
        self._opened: set[int] = set()
        self._payable: set[int] = set()
        self._wallets = [0] * len(self.payee_names)
        self._pending_wallets: dict[int, int] = {}
        self._held: set[int] = set()
        self._deploy()

    def _chain_id(self) -> int:
        """Return the id of the chain that the leaves are bound to."""
        return EMBEDDED_CHAIN_ID

    # ---- amounts ------------------------------------------------------------------------------------------------

    def _final_cumulative(self) -> npt.NDArray[np.int64]:
        """Return what the last final epoch says each payee has earned, shape ``(num_payees,)``."""
        if not self._num_final:
            return np.zeros(len(self.payee_names), dtype=np.int64)
        return self._epochs[self._num_final - 1].cumulative

    def claimed_units(self) -> npt.NDArray[np.int64]:
        """Return what was paid for each payee so far, from both streams, shape ``(num_payees,)``.

        What expired is in it, though it went to the fund of the payee's community.
        """
        return self._claimed(self.stream_claimed(), self.pool_balances())

    def withdrawable_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee could claim now, from both streams, shape ``(num_payees,)``.

        What is held back while a community asks to rotate is in it: it is the payee's, and is paid when that ends.
        """
        return self._withdrawable(self.stream_claimed(), self.pool_balances())

    def deposited_units(self) -> int:
        """Return the sum of all payments into distributor and pool, those for pending epochs included."""
        return self.funded_units() + sum(self._credited)

    def _claimed(self, streams: Sequence[int], balances: Sequence[int]) -> npt.NDArray[np.int64]:
        parts = zip(streams, self._credited, balances, strict=True)
        return np.array([s + credited - balance for s, credited, balance in parts], dtype=np.int64)

    def _withdrawable(self, streams: Sequence[int], balances: Sequence[int]) -> npt.NDArray[np.int64]:
        parts = zip(self._final_cumulative().tolist(), streams, balances, strict=True)
        return np.array([final - claimed + balance for final, claimed, balance in parts], dtype=np.int64)

    def audit(self) -> Audit:
        """Return the books after checking that they balance.

        Returns
        -------
        Audit

        Raises
        ------
        LedgerError
            If they do not, or the contracts do not hold what is not paid out.
        """
        streams, balances = self.stream_claimed(), self.pool_balances()
        final_total = sum_exactly(self._final_cumulative())
        posted_total = self._epochs[-1].total if self._epochs else 0
        escaped = self.escaped_units()
        audit = Audit(
            deposited=self.deposited_units(),
            claimed=sum_exactly(self._claimed(streams, balances)),
            unclaimed=sum_exactly(self._withdrawable(streams, balances)),
            pending=posted_total - final_total,
            unallocated=self.funded_units() - posted_total - escaped,
            escaped=escaped,
            token_balance=self.token_balance_units(),
            num_epochs=len(self._epochs),
            num_works=self._works.num_works,
            last_s=self.last_block_s(),
        )
        held = audit.unclaimed + audit.pending + audit.unallocated
        if audit.deposited != audit.claimed + audit.escaped + held or audit.token_balance != held:
            raise LedgerError(f"the books do not balance: {audit}", type(self).__name__)
        return audit

    # ---- epochs -------------------------------------------------------------------------------------------------

    @property
    def max_pending(self) -> int:
        """Return how many epochs may wait for their windows at once."""
        return 7

    @property
    def num_epochs(self) -> int:
        """Return how many epochs are posted, pending ones included."""
        return len(self._epochs)

    @property
    def num_final(self) -> int:
        """Return how many epochs are final."""
        return self._num_final

    def epoch(self, epoch: int) -> Epoch:
        """Return a posted epoch with its tree.

        Parameters
        ----------
        epoch : int
            Its number.

        Returns
        -------
        Epoch

        Raises
        ------
        LedgerError
            If it is not posted.
        """
        if not 0 <= epoch < len(self._epochs):
            raise LedgerError(
                f"epoch {epoch} is not posted", "EpochDistributor", f"Posted: {len(self._epochs)} epochs."
            )
        return self._epochs[epoch]

    def published_epoch(self, epoch: int) -> bytes:
        """Return an epoch's published data: canonical text from which anybody can rebuild its root."""
        return self.epoch(epoch).published

    def verify_epoch(self, published: bytes, where: str = "published epoch") -> Commitment:
        """Rebuild an epoch from its published data and compare it with what the ledger recorded at posting.

        Parameters
        ----------
        published : bytes
            The data, from wherever it was published.
        where : str
            File it came from, for the message.

        Returns
        -------
        Commitment
            On which data and ledger agree.

        Raises
        ------
        LedgerError
            If they do not, naming every field in which they differ.
        """
        rebuilt = rebuild(published, where)
        self.epoch(rebuilt.epoch)
        recorded = self.commitment(rebuilt.epoch)
        differing = [f.name for f in fields(Commitment) if getattr(rebuilt, f.name) != getattr(recorded, f.name)]
        if differing:
            raise LedgerError(
                f"epoch {rebuilt.epoch} was posted with another {' and '.join(differing)}",
                where,
                "This is not the data the epoch was settled on.",
            )
        return recorded
