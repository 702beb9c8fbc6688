"""The books of a ledger, folded from events, every step checked against what came before it.

Nothing is taken from the ledger's own journal. An epoch's leaves come from its published data and count only if they
lead to the root that was posted; a payout counts only if the leaf of the root that was final then allows exactly it; a
direct payment's parts are split anew from the records that stand in calldata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from heritage_contracts.chain_books.difference import DifferenceError, require, shown
from heritage_contracts.chain_books.events import Event
from heritage_contracts.chain_books.splitting import Splitter
from heritage_contracts.chain_books.works import Registrations
from heritage_contracts.deployment import Deployment

ALL_WORKS = b"\xff" * 32
ZERO = bytes(20)
Leaves = Mapping[bytes, int]
"""Cumulative units by payee id."""


@dataclass(slots=True)
class Posted:
    """An epoch as it was posted; a disputed one is replaced by the next posting of its number.

    Parameters
    ----------
    epoch : int
        Its number.
    root, provenance_head, data_hash : bytes
        What was posted, 32 bytes each.
    total_units, deposit_units : int
        Sum of all cumulative amounts, and what was pulled in for it.
    posted_s : int
        When.
    final_s : int
        When it became final; -1 while it is pending.
    gas : int
        Of posting, and of finalising once that is done.
    where : str
        Where the posting is written.
    """

    epoch: int
    root: bytes
    total_units: int
    deposit_units: int
    provenance_head: bytes
    data_hash: bytes
    posted_s: int
    final_s: int
    gas: int
    where: str


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that left the contracts for a payee.

    Parameters
    ----------
    kind : str
        ``claimed`` (streams), ``withdrawn`` (direct payments), ``expired`` (to the community's fund) or ``escaped``.
    payee_id : bytes
        Whose money it was.
    account : bytes
        Where it went, 20 bytes.
    units : int
        How much.
    paid_s : int
        When.
    gas : int
        Of the whole transaction it was part of.
    """

    kind: str
    payee_id: bytes
    account: bytes
    units: int
    paid_s: int
    gas: int


@dataclass(frozen=True, slots=True)
class Label:
    """A consent label: since when, who, for which work (`ALL_WORKS`), which uses, until when (0: for ever)."""

    set_s: int
    community: int
    key: bytes
    uses: int
    expires_s: int


@dataclass(slots=True)
class Direct:
    """A direct payment and the parts credited for it, as (payee id, units)."""

    paid_s: int
    key: bytes
    units: int
    where: str
    credited: list[tuple[bytes, int]] = field(default_factory=list[tuple[bytes, int]])


class ChainBooks:
    """Books that grow event by event.

    Parameters
    ----------
    at : Deployment
        Where the contracts stand, and under which rule the pool splits.
    leaves_of : callable, optional
        Takes an epoch as posted and returns its leaves, after checking that they lead to its root. Without it payouts
        of streams are recorded and not held against a leaf.
    """

    def __init__(self, at: Deployment, leaves_of: Callable[[Posted], Leaves] | None = None) -> None:
        config = at.config
        self._at = at
        self._leaves_of = leaves_of
        self.works = Registrations(at.chain_id, at.registry)
        rule = ("lap", "decay", "lrp").index(config.payment_rule)
        self._splitter = Splitter(self.works.by_key, rule, config.payment_every_path, config.payment_decay_parts)
        self.accounts: dict[bytes, bytes] = {}
        self.community_of: dict[bytes, int] = {}
        self.funds: dict[int, bytes] = {}
        self.labels: list[Label] = []
        self.epochs: list[Posted] = []
        self.num_final = 0
        self.num_disputed = 0
        self.leaves: Leaves = {}
        self.funded_units = 0
        self.claimed: dict[bytes, int] = {}
        self.credited: dict[bytes, int] = {}
        self.withdrawn: dict[bytes, int] = {}
        self.payouts: list[Payout] = []
        self.direct: list[Direct] = []
        self.failed_payouts = 0
        self.pot_units = -1
        self.escaped: dict[bytes, int] = {}
        self.taken_back_units = 0
        self.balances: dict[bytes, int] = {}
        self.last_s = 0
        self.num_events = 0
        self._notices: dict[bytes, int] = {}
        self._open_parts: list[tuple[bytes, bytes, int]] = []
        self._paid_out: dict[bytes, int] = {}
        self._steps: dict[tuple[bytes, str], Callable[[Event], None]] = self._table()

    def take(self, event: Event) -> None:
        """Enter one event.

        Parameters
        ----------
        event : Event
            As the chain gave it.

        Raises
        ------
        DifferenceError
            If it cannot follow from what came before it.
        """
        self.num_events += 1
        self.last_s = event.at_s
        step = self._steps.get((event.contract, event.name))
        if self._open_parts and event.contract == self._at.pool and event.name != "Credited":
            self._refuse_open_parts(event.where)
        if step is not None:
            step(event)

    def close(self) -> None:
        """Check what can only be checked when no event is left.

        Raises
        ------
        DifferenceError
            If a payment was not shared out whole, or tokens left the contracts otherwise than by a payout.
        """
        if self._open_parts:
            self._refuse_open_parts(self.direct[-1].where)
        paid: dict[bytes, int] = {}
        for payout in self.payouts:
            paid[payout.account] = paid.get(payout.account, 0) + payout.units
        for account in paid | self._paid_out:
            require(
                f"tokens that the contracts paid to account {shown(account)}",
                paid.get(account, 0),
                self._paid_out.get(account, 0),
                "transfers of the token",
            )

    # ---- sums ---------------------------------------------------------------------------------------------------

    @property
    def final_units(self) -> int:
        """Return the total of the last final epoch."""
        return self.epochs[self.num_final - 1].total_units if self.num_final else 0

    @property
    def posted_units(self) -> int:
        """Return the total of the last posted epoch."""
        return self.epochs[-1].total_units if self.epochs else 0

    @property
    def pending_units(self) -> int:
        """Return what waits for a window."""
        return 0 if self.pot_units >= 0 else self.posted_units - self.final_units

    @property
    def direct_units(self) -> int:
        """Return the sum of all direct payments."""
        return sum(payment.units for payment in self.direct)

    @property
    def paid_units(self) -> int:
        """Return what left the contracts for payees."""
        return sum(payout.units for payout in self.payouts)

    def due(self, payee_id: bytes) -> tuple[int, int]:
        """Return what a payee can claim now of streams, and withdraw of direct payments."""
        streams = self.leaves.get(payee_id, 0) - self.claimed.get(payee_id, 0)
        return streams, self.credited.get(payee_id, 0) - self.withdrawn.get(payee_id, 0)

    def permitted(self, key: bytes, at_s: int) -> int:
        """Return the uses permitted for a work at a moment: its own label or record, narrowed by its community's."""
        work = self.works.by_key[key]
        own = self._label_at(work.community, key, at_s)
        general = self._label_at(work.community, ALL_WORKS, at_s)
        return (work.uses if own is None else own) & (31 if general is None else general)

    def _label_at(self, community: int, key: bytes, at_s: int) -> int | None:
        for label in reversed(self.labels):
            if label.community == community and label.key == key and label.set_s <= at_s:
                return 0 if label.expires_s and at_s >= label.expires_s else label.uses
        return None

    # ---- payees and works ---------------------------------------------------------------------------------------

    def _table(self) -> dict[tuple[bytes, str], Callable[[Event], None]]:
        at = self._at
        by_contract: dict[bytes, dict[str, Callable[[Event], None]]] = {
            at.token: {"Transfer": self._transfer},
            at.payees: {
                "PayeeRegistered": self._payee,
                "CommunityCreated": self._community,
                "RotationCompleted": self._rotated,
            },
            at.registry: {
                "BatchRegistered": self.works.batch,
                "WorkRegistered": self.works.single,
                "ConsentSet": self._label,
            },
            at.distributor: {
                "Funded": self._fund,
                "Posted": self._post,
                "Finalized": self._final,
                "Disputed": self._dispute,
                "Claimed": self._claim,
                "ClaimFailed": self._failure,
                "NoticeGiven": self._notice,
                "Expired": self._expire,
                "WoundUp": self._wind_up,
                "Escaped": self._escape,
                "TakenBack": self._take_back,
            },
            at.pool: {
                "Paid": self._pay,
                "Credited": self._credit,
                "Withdrawn": self._withdraw,
                "WithdrawalFailed": self._failure,
            },
        }
        return {(contract, name): step for contract, steps in by_contract.items() for name, step in steps.items()}

    def _payee(self, event: Event) -> None:
        self.accounts[event.fields[0]] = event.address(1)
        self.community_of[event.fields[0]] = event.number(2)

    def _community(self, event: Event) -> None:
        # Heads of the data: members (an offset), threshold, fund.
        self.funds[event.number(0)] = event.data[64:96]

    def _rotated(self, event: Event) -> None:
        payee_id = event.fields[0]
        require("account that a rotation leaves", self.accounts.get(payee_id), event.address(1), event.where)
        self.accounts[payee_id] = event.address(2)

    def _label(self, event: Event) -> None:
        self.labels.append(Label(event.at_s, event.number(0), event.fields[1], event.number(2), event.number(3)))

    # ---- epochs -------------------------------------------------------------------------------------------------

    def _fund(self, event: Event) -> None:
        self.funded_units += event.number(1)

    def _post(self, event: Event) -> None:
        epoch = event.number(0)
        where = f"{event.where}, epoch {epoch}"
        total, deposit = event.number(2), event.number(3)
        require("number of the epoch that is posted", len(self.epochs), epoch, where)
        if total < self.posted_units:
            raise DifferenceError("total of an epoch", f"at least {self.posted_units:,}", total, where)
        require("deposit of an epoch", max(0, total - self.funded_units), deposit, where)
        require("provenance head of an epoch", self.works.head, event.fields[4], where)
        self.funded_units += deposit
        self.epochs.append(
            Posted(
                epoch=epoch,
                root=event.fields[1],
                total_units=total,
                deposit_units=deposit,
                provenance_head=event.fields[4],
                data_hash=event.fields[5],
                posted_s=event.at_s,
                final_s=-1,
                gas=event.gas,
                where=where,
            )
        )

    def _final(self, event: Event) -> None:
        where = f"{event.where}, epoch {event.number(0)}"
        require("number of the epoch that becomes final", self.num_final, event.number(0), where)
        if self.num_final == len(self.epochs):
            raise DifferenceError("epoch that becomes final", "one that is pending", "none pending", where)
        epoch = self.epochs[self.num_final]
        require("total of the epoch that becomes final", epoch.total_units, event.number(1), where)
        earliest = epoch.posted_s + self._at.config.challenge_window_s
        if event.at_s < earliest:
            raise DifferenceError("second of finalisation", f"{earliest} or later", str(event.at_s), where)
        epoch.final_s = event.at_s
        epoch.gas += event.gas
        self.num_final += 1
        if self._leaves_of is not None:
            leaves = self._leaves_of(epoch)
            self._check_leaves(leaves, epoch.epoch)
            self.leaves = leaves

    def _check_leaves(self, leaves: Leaves, epoch: int) -> None:
        for payee_id, units in leaves.items():
            where = f"epoch {epoch}, payee {shown(payee_id)}"
            if payee_id not in self.accounts:
                raise DifferenceError("payee of a leaf", "one that is registered", payee_id, where)
            if units < self.leaves.get(payee_id, 0):
                raise DifferenceError(
                    "cumulative units, which never fall", f"{self.leaves[payee_id]:,} or more", units, where
                )
        for payee_id, units in self.leaves.items():
            if units and payee_id not in leaves:
                raise DifferenceError("leaf of a payee", units, "none", f"epoch {epoch}, payee {shown(payee_id)}")

    def _dispute(self, event: Event) -> None:
        where = f"{event.where}, epoch {event.number(0)}"
        dropped = len(self.epochs) - event.number(0)
        require("number of epochs that a dispute drops", dropped, event.number(2), where)
        del self.epochs[event.number(0) :]
        self.num_disputed += dropped

    # ---- payouts ------------------------------------------------------------------------------------------------

    def _claim(self, event: Event) -> None:
        payee_id, units = event.fields[0], event.number(2)
        where = self._of_payee(event)
        if self._leaves_of is not None:
            due = self.leaves.get(payee_id, 0) - self.claimed.get(payee_id, 0)
            require("payout, which is what the leaf allows", due, units, where)
        self.claimed[payee_id] = self.claimed.get(payee_id, 0) + units
        self._pay_out("claimed", event, payee_id)

    def _notice(self, event: Event) -> None:
        if self._leaves_of is not None:
            leaf = self.leaves.get(event.fields[0], 0)
            require("units of a notice, which are those of the leaf", leaf, event.number(1), self._of_payee(event))
        self._notices[event.fields[0]] = event.number(1)

    def _expire(self, event: Event) -> None:
        payee_id, units = event.fields[0], event.number(2)
        due = self._notices.pop(payee_id, 0) - self.claimed.get(payee_id, 0)
        require("units that expire", due, units, self._of_payee(event))
        self.claimed[payee_id] = self.claimed.get(payee_id, 0) + units
        self._pay_out("expired", event, self.funds.get(self.community_of.get(payee_id, 0), b""))

    def _wind_up(self, event: Event) -> None:
        pot = self.funded_units - self.final_units
        require("pot of a winding up", pot, event.number(1), event.where)
        self.num_disputed += len(self.epochs) - self.num_final
        del self.epochs[self.num_final :]
        self.pot_units = pot

    def _escape(self, event: Event) -> None:
        payee_id, units = event.fields[0], event.number(2)
        if self._leaves_of is not None:
            share = self.pot_units * self.leaves.get(payee_id, 0) // max(self.final_units, 1)
            require("share of a winding up", share, units, self._of_payee(event))
        self.escaped[payee_id] = self.escaped.get(payee_id, 0) + units
        self._pay_out("escaped", event, payee_id)

    def _take_back(self, event: Event) -> None:
        self.taken_back_units += event.number(1)
        self._paid_out[event.address(0)] = self._paid_out.get(event.address(0), 0) - event.number(1)

    def _failure(self, event: Event) -> None:
        self.failed_payouts += 1

    def _pay_out(self, kind: str, event: Event, whose_account: bytes) -> None:
        where = self._of_payee(event)
        require("account that is paid", self.accounts.get(whose_account), event.address(1), where)
        self.payouts.append(Payout(kind, event.fields[0], event.address(1), event.number(2), event.at_s, event.gas))

    @staticmethod
    def _of_payee(event: Event) -> str:
        return f"{event.where}, payee {shown(event.fields[0])}"

    # ---- direct payments ----------------------------------------------------------------------------------------

    def _pay(self, event: Event) -> None:
        key, units = event.fields[0], event.number(2)
        if key not in self.works.by_key:
            raise DifferenceError("work that is paid", "one that is registered", key, event.where)
        self.direct.append(Direct(event.at_s, key, units, event.where))
        self._open_parts = self._splitter.parts(key, units)

    def _credit(self, event: Event) -> None:
        where = f"{event.where}, payee {shown(event.fields[1])}"
        if not self._open_parts:
            raise DifferenceError("part of a direct payment", "none left", event.number(2), where)
        work, payee_id, units = self._open_parts.pop(0)
        require("work whose stems share in a direct payment", work, event.fields[0], where)
        require("payee of a direct payment", payee_id, event.fields[1], where)
        require("part of a direct payment", units, event.number(2), where)
        self.credited[payee_id] = self.credited.get(payee_id, 0) + units
        self.direct[-1].credited.append((payee_id, units))

    def _refuse_open_parts(self, where: str) -> None:
        _, payee_id, units = self._open_parts[0]
        raise DifferenceError(f"part of a direct payment for payee {shown(payee_id)}", units, "none", where)

    def _withdraw(self, event: Event) -> None:
        payee_id, units = event.fields[0], event.number(2)
        due = self.credited.get(payee_id, 0) - self.withdrawn.get(payee_id, 0)
        require("withdrawal, which is the whole balance", due, units, self._of_payee(event))
        self.withdrawn[payee_id] = self.withdrawn.get(payee_id, 0) + units
        self._pay_out("withdrawn", event, payee_id)

    # ---- tokens -------------------------------------------------------------------------------------------------

    def _transfer(self, event: Event) -> None:
        sender, receiver, units = event.address(0), event.address(1), event.number(2)
        if sender != ZERO:
            self.balances[sender] = self.balances.get(sender, 0) - units
        self.balances[receiver] = self.balances.get(receiver, 0) + units
        if sender in (self._at.distributor, self._at.pool):
            self._paid_out[receiver] = self._paid_out.get(receiver, 0) + units
