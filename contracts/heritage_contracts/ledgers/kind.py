"""What the kinds of ledger provide: the rules themselves, or the chain that has them.

Everything here is in the contracts' own terms (keys, packed records, gas-bounded parts) or in payee numbers. A kind
refuses by `RefusalError` before anything is written, and makes no block then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from heritage_contracts.deployment import Deployment
from heritage_contracts.provenance import Work
from heritage_contracts.schedule import Part
from heritage_contracts.trees.epoch import Epoch
from heritage_contracts.trees.published import Commitment

Plan = Sequence[Sequence[Part]]
"""The transactions of each block of a long intent."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an intent.

    Parameters
    ----------
    at_s : int
        Timestamp of its last block.
    gas : int
        Gas it used; 0 on the reference ledger.
    """

    at_s: int
    gas: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a claim.

    Parameters
    ----------
    done : Done
        Its blocks.
    units : list of int, length num_payees
        What each payee was paid.
    unpaid_streams, unpaid_balances : frozenset of int
        Payees who were passed over though something was due, by distributor and pool: the account cannot receive, or
        the community asked to rotate without our knowing.
    """

    done: Done
    units: list[int]
    unpaid_streams: frozenset[int] = frozenset()
    unpaid_balances: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Label:
    """A consent label in the contract's terms.

    Parameters
    ----------
    community : int
        Index of the community.
    key : bytes
        Of the work, or `ALL_WORKS_KEY`.
    uses : int
        Flags.
    expires_s : int
        First second at which nothing is permitted any more; 0 for never.
    """

    community: int
    key: bytes
    uses: int
    expires_s: int


@dataclass(frozen=True, slots=True)
class RotationRequest:
    """Who asks that a payee's money go where.

    Parameters
    ----------
    payee : int
        Whose.
    wallet : int
        Number of the payee's wallet it is to go to.
    signers : tuple of int or None
        Members of the payee's community who sign; None where the holder asks.
    """

    payee: int
    wallet: int
    signers: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Payment:
    """Works that are paid in one way.

    Parameters
    ----------
    works : sequence of Work
        In order.
    units : sequence of int
        What each is paid.
    plan : Plan
        Their transactions.
    """

    works: Sequence[Work]
    units: Sequence[int]
    plan: Plan


class LedgerKind(ABC):
    """The rules of the contracts, wherever they are carried out."""

    deployment: Deployment

    @abstractmethod
    def _deploy(self) -> None:
        """Put up empty contracts with payees and communities registered; the last block is at ``genesis_s - 1``."""

    # ---- works and consent --------------------------------------------------------------------------------------

    @abstractmethod
    def _register(self, works: Sequence[Work], gas: int, at_s: int) -> Done:
        """Enter a batch."""

    @abstractmethod
    def _commit(self, work: Work, at_s: int) -> Done:
        """Announce a single registration by the author, who is not of the registrar's circle."""

    @abstractmethod
    def _reveal(self, work: Work, at_s: int) -> Done:
        """Register the work that was announced."""

    @abstractmethod
    def _register_signed(self, work: Work, owner: int, at_s: int) -> Done:
        """Register a single work that a payee's first wallet signed for."""

    @abstractmethod
    def _open(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        """Store works of batches, so that single works can name them and payments can reach them."""

    @abstractmethod
    def _make_payable(self, works: Sequence[Work], plan: Plan, at_s: int) -> Done:
        """Let works be paid along their sources, which can be paid already."""

    @abstractmethod
    def _set_labels(self, labels: Sequence[Label], signers: Sequence[int], at_s: int) -> Done:
        """Put labels down, signed by these members of each community, in one block."""

    # ---- money --------------------------------------------------------------------------------------------------

    @abstractmethod
    def _pay(self, along: Payment, recorded: Payment, at_s: int) -> tuple[Done, list[int]]:
        """Pay works made payable, and works of batches without sources; return what each payee is credited."""

    @abstractmethod
    def _fund(self, units: int, at_s: int) -> Done:
        """Pay in ahead of a posting."""

    @abstractmethod
    def _post(self, epoch: Epoch, at_s: int) -> Done:
        """Post an epoch and pay in what its total lacks."""

    @abstractmethod
    def _finalize(self, epoch: int, at_s: int) -> Done:
        """Make a pending epoch final."""

    @abstractmethod
    def _dispute(self, epoch: int, at_s: int) -> Done:
        """Drop a pending epoch and those after it."""

    @abstractmethod
    def _claim(self, payees: Sequence[int], plan: Plan, pooled: Sequence[int], pool_plan: Plan, at_s: int) -> Claimed:
        """Pay streams to some payees and balances of direct payments to some."""

    @abstractmethod
    def _give_notice(self, payee: int, at_s: int) -> Done:
        """Put on record that a payee's money lies unclaimed."""

    @abstractmethod
    def _expire(self, payee: int, at_s: int) -> Done:
        """Pay what notice was given for to the fund of the payee's community."""

    @abstractmethod
    def _wind_up(self, at_s: int) -> Done:
        """End posting for good."""

    @abstractmethod
    def _claim_escape(self, payee: int, at_s: int) -> Done:
        """Pay a payee's share of what was paid in beyond the last final epoch."""

    # ---- payees -------------------------------------------------------------------------------------------------

    @abstractmethod
    def _request_rotation(self, request: RotationRequest, at_s: int) -> Done:
        """Ask that a payee's money go to another wallet."""

    @abstractmethod
    def _cancel_rotation(self, payee: int, at_s: int) -> Done:
        """Withdraw a pending rotation, as the holder."""

    @abstractmethod
    def _complete_rotation(self, payee: int, at_s: int) -> Done:
        """Let a rotation take effect."""

    # ---- what stands there --------------------------------------------------------------------------------------

    @abstractmethod
    def provenance_head(self) -> bytes:
        """Return the fold of all registrations so far."""

    @abstractmethod
    def permitted(self, work_id: int, at_s: int) -> int:
        """Return the uses permitted for a registered work at a moment, as `Consent` flags."""

    @abstractmethod
    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted."""

    @abstractmethod
    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""

    @abstractmethod
    def stream_claimed(self) -> list[int]:
        """Return what the distributor has paid for each payee, expired amounts included."""

    @abstractmethod
    def pool_balances(self) -> list[int]:
        """Return what each payee may withdraw of direct payments."""

    @abstractmethod
    def funded_units(self) -> int:
        """Return the sum of all payments into the distributor."""

    @abstractmethod
    def escaped_units(self) -> int:
        """Return what was paid out of the pot of a winding up."""

    @abstractmethod
    def token_balance_units(self) -> int:
        """Return what distributor and pool hold."""

    @abstractmethod
    def account_of(self, payee: int) -> bytes:
        """Return the account that a payee's money goes to, 20 bytes."""

    @abstractmethod
    def balance_of(self, account: bytes) -> int:
        """Return the tokens that an account holds."""
