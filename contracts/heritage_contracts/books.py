"""What every ledger does before it writes: check the intent, number it, build its tree, keep the journal.

A ledger is then left with three things to do: write provenance, write an epoch, pay claims. The journal holds the
intents, in order, as plain values; a fresh ledger that goes through them again is the same ledger, so `snapshot` is the
journal and `restore` is going through it. Every kind reads every kind's journal.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, Deployment
from heritage_contracts.epoch import Epoch, make_epoch
from heritage_contracts.provenance import RecordBook, records_from_state, records_to_state
from heritage_contracts.published import Commitment, rebuild
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_sim.base import (
    SHARE_BASIS,
    ConsentLabel,
    DirectPayment,
    InputError,
    LedgerError,
    Payments,
    PaymentSplit,
    Posting,
    ProvenanceRecord,
    Settlement,
    Statement,
    largest_remainder,
    sum_exactly,
)
from heritage_sim.base.protocols import State

JOURNAL_VERSION = 2
_MOST_UNITS = 1 << 62
_EMPTY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Audit:
    """The books of a ledger at one moment, in the smallest unit; ``deposited = claimed + unclaimed + pending``.

    Parameters
    ----------
    deposited, claimed, unclaimed, pending : int
        Sums over all epochs and payees; pending is what was paid in for epochs that are not final.
    token_balance : int
        What the distributor holds.
    num_epochs, num_works : int
        Epochs settled and works registered.
    last_s : int
        Timestamp of the last block.
    """

    deposited: int
    claimed: int
    unclaimed: int
    pending: int
    token_balance: int
    num_epochs: int
    num_works: int
    last_s: int


class JournaledLedger(ABC):
    """A ledger whose state is the fold of its journal. See `heritage_sim.base.Ledger` for the contract.

    Parameters
    ----------
    config : LedgerConfig
        Window, salt, currency.
    payee_names : sequence of str
        Names shown; a payee's id is its index. They never leave this process.
    genesis_s : int
        First second of the simulated time.

    Raises
    ------
    InputError
        If there is no payee, or the time leaves no hour before it to deploy in.
    """

    def __init__(self, config: LedgerConfig, payee_names: Sequence[str], genesis_s: int) -> None:
        if not payee_names:
            raise InputError("a ledger needs at least one payee", "payees", "Name at least one payee.")
        if genesis_s <= DEPLOY_LEAD_S:
            raise InputError(f"genesis_s = {genesis_s} is too early", "ledger", f"Begin after second {DEPLOY_LEAD_S}.")
        self.config = config
        self.payee_names = tuple(payee_names)
        self.genesis_s = int(genesis_s)
        self.deployment = Deployment(config, len(self.payee_names), self.genesis_s, self._chain_id())
        self._begin()

    def _begin(self) -> None:
        """Forget everything and deploy anew."""
        self._book = RecordBook()
        self._journal: list[State] = []
        self._epochs: list[Epoch] = []
        self._pending: list[Posting] = []
        self._labels: list[tuple[int, ConsentLabel]] = []
        self._direct_units = [0] * len(self.payee_names)
        self._deploy()

    # ---- what a kind of ledger provides -------------------------------------------------------------------------

    def _chain_id(self) -> int:
        """Return the id of the chain that the leaves are bound to."""
        return EMBEDDED_CHAIN_ID

    @abstractmethod
    def _deploy(self) -> None:
        """Put up empty contracts with all payees registered; the last block is at ``genesis_s - 1``."""

    @abstractmethod
    def _write_provenance(self, packed: Sequence[bytes], at_s: int) -> None:
        """Write packed records in one or more batches from ``at_s`` on."""

    @abstractmethod
    def _write_epoch(self, epoch: Epoch, at_s: int) -> tuple[int, int]:
        """Deposit and post in a block from ``at_s`` on; return its timestamp and the gas."""

    @abstractmethod
    def _write_final(self, epoch: int, at_s: int) -> tuple[int, int]:
        """Make the pending epoch final in a block from ``at_s`` on; return its timestamp and the gas."""

    @abstractmethod
    def _pay(self, payees: Sequence[int], amounts: Sequence[int], at_s: int) -> tuple[int, int]:
        """Pay what is due, from ``at_s`` on; return the last block's timestamp and the gas."""

    @abstractmethod
    def provenance_head(self) -> bytes:
        """Return the fold of all provenance batches so far."""

    @abstractmethod
    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted."""

    @abstractmethod
    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""

    @abstractmethod
    def claimed_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee has been paid so far, shape ``(num_payees,)``."""

    @abstractmethod
    def deposited_units(self) -> int:
        """Return the sum of all deposits, those of pending epochs included."""

    @abstractmethod
    def token_balance_units(self) -> int:
        """Return what the distributor holds."""

    # ---- intents ------------------------------------------------------------------------------------------------

    def register(self, records: Sequence[ProvenanceRecord], at_s: int) -> None:
        """Register works, parents before children; a record that is already there is passed over.

        Parameters
        ----------
        records : sequence of ProvenanceRecord
            In order.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        LedgerError
            If a parent is unknown, or a work is registered with another record. Nothing is written then.
        """
        fresh = self._book.new_records(records)
        if not fresh:
            return
        self._write_provenance(self._book.enter(fresh), int(at_s))
        self._journal.append({"intent": "register", "at_s": int(at_s)} | records_to_state(fresh))

    @property
    def max_pending(self) -> int:
        """Return how many epochs may wait for their windows at once."""
        return 1

    def set_consent(self, labels: Sequence[ConsentLabel], at_s: int) -> None:
        """Put down what communities permit from chain time ``at_s`` on; earlier labels stay on record.

        Parameters
        ----------
        labels : sequence of ConsentLabel
            In order.
        at_s : int
            Wished chain time, seconds.

        Raises
        ------
        LedgerError
            If a label names a work that is not registered. None is put down then.
        """
        for label in labels:
            if label.work_id >= 0 and self._book.record(label.work_id) is None:
                raise LedgerError(f"work {label.work_id} is not registered", "ProvenanceRegistry")
        if not labels:
            return
        self._labels += [(int(at_s), label) for label in labels]
        rows = [(v.community, v.uses, v.work_id, v.expires_s) for v in labels]
        self._journal.append({"intent": "consent", "at_s": int(at_s), "labels": np.array(rows, dtype=np.int64)})

    def pay(self, payments: Sequence[DirectPayment], at_s: int) -> PaymentSplit:
        """Pay works directly; each amount is split at once along the work's registered sources.

        Every ancestor is due its share of every descendant's payments, once for each path to it; the work's own stems
        share the rest. Units left over go to the largest remainders.

        Parameters
        ----------
        payments : sequence of DirectPayment
            In order.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        PaymentSplit

        Raises
        ------
        LedgerError
            If a work is not registered, shares nothing with anybody, or owes its sources more than the whole. Nobody is
            paid then.
        """
        credited = [0] * len(self.payee_names)
        for payment in payments:
            for payee, units in self._split(payment):
                credited[payee] += units
        if payments:
            self._direct_units = [a + b for a, b in zip(self._direct_units, credited, strict=True)]
            rows = [(p.work_id, p.amount_units) for p in payments]
            self._journal.append({"intent": "pay", "at_s": int(at_s), "payments": np.array(rows, dtype=np.int64)})
        return PaymentSplit(max(int(at_s), self.last_block_s()), np.array(credited, dtype=np.int64), gas=0)

    def _split(self, payment: DirectPayment) -> list[tuple[int, int]]:
        where = f"RoyaltyPool, work {payment.work_id}"
        own = self._book.record(payment.work_id)
        if own is None:
            raise LedgerError(f"work {payment.work_id} is not registered", where)
        if payment.amount_units <= 0:
            raise LedgerError(f"a payment of {payment.amount_units} units is none", where)
        shares: dict[int, int] = {}
        ways = list(own.parents)
        while ways:
            source = self._book.record(ways.pop())
            assert source is not None, "parents are registered before children"
            shares[source.work_id] = shares.get(source.work_id, 0) + source.derivative_share
            ways += source.parents
        rest = SHARE_BASIS - sum(shares.values())
        if rest < 0:
            raise LedgerError("its sources are due more than the whole", where)
        due = {work: share for work, share in sorted(shares.items()) if share} | {own.work_id: rest}
        parts = largest_remainder(payment.amount_units, list(due.values()))
        split: list[tuple[int, int]] = []
        for work, units in zip(due, parts.tolist(), strict=True):
            record = self._book.record(work)
            stems = record.stems if record is not None else ()
            if units and not stems:
                raise LedgerError(f"work {work} shares nothing with anybody", where)
            amounts = largest_remainder(units, [s.share_bps for s in stems])
            split += [(stem.payee_id, amount) for stem, amount in zip(stems, amounts.tolist(), strict=True)]
        return split

    def post(self, statement: Statement, at_s: int) -> Posting:
        """Deposit a statement's pool and post its root.

        Parameters
        ----------
        statement : Statement
            Of the next epoch.
        at_s : int
            Wished chain time, seconds; after the last block if that is later.

        Returns
        -------
        Posting

        Raises
        ------
        LedgerError
            If the epoch is not the next one, too many are pending, or the statement does not sum to its pool. Nothing
            is written then.
        """
        self._check_statement(statement)
        if len(self._pending) >= self.max_pending:
            raise LedgerError(
                f"epoch {statement.epoch} was posted while {len(self._pending)} wait for their windows",
                "EpochDistributor",
                f"At most {self.max_pending} may be pending; finalise epoch {self._pending[0].epoch} first.",
            )
        units = [int(u) for u in statement.payee_units]
        before: list[int] = self._epochs[-1].cumulative.tolist() if self._epochs else [0] * len(units)
        cumulative = [c + u for c, u in zip(before, units, strict=True)]
        epoch = make_epoch(self.deployment, statement, cumulative, self.provenance_head())
        posted_s, gas = self._write_epoch(epoch, int(at_s))
        self._epochs.append(epoch)
        final_from_s = posted_s + self.config.challenge_window_s
        posting = Posting(epoch.epoch, epoch.total - sum(before), posted_s, final_from_s, epoch.root, gas)
        self._pending.append(posting)
        self._journal.append(
            {
                "intent": "post",
                "at_s": int(at_s),
                "epoch": int(statement.epoch),
                "rule": statement.rule,
                "pool_units": int(statement.pool_units),
                "payee_units": np.array(units, dtype=np.int64),
            }
        )
        return posting

    def finalize(self, epoch: int, at_s: int) -> Settlement:
        """Make the oldest pending epoch final: its money is withdrawable from that block on.

        Parameters
        ----------
        epoch : int
            The oldest epoch that is pending.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Settlement

        Raises
        ------
        LedgerError
            If it is not pending, is not the oldest, or its challenge window is still open. Nothing is written then.
        """
        where = f"EpochDistributor, epoch {epoch}"
        if not self._pending or self._pending[0].epoch != epoch:
            oldest = self._pending[0].epoch if self._pending else "none"
            raise LedgerError(f"epoch {epoch} is not the oldest that is pending ({oldest})", where)
        posting = self._pending[0]
        if max(int(at_s), self.last_block_s() + 1) < posting.final_from_s:
            raise LedgerError(
                f"the challenge window is open until second {posting.final_from_s}", where, "Finalise it then."
            )
        final_s, gas = self._write_final(epoch, int(at_s))
        self._pending.pop(0)
        self._journal.append({"intent": "finalize", "at_s": int(at_s), "epoch": int(epoch)})
        return Settlement(epoch, posting.deposit_units, posting.posted_s, final_s, posting.root, posting.gas + gas)

    def claim(self, payee_ids: Sequence[int], at_s: int) -> Payments:
        """Pay all that is withdrawable to each payee, in as few transactions as gas allows.

        Parameters
        ----------
        payee_ids : sequence of int
            Who claims; naming a payee twice is once.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Payments
            In ascending order of payee; who has nothing due is left out. Without any payment no block is made.

        Raises
        ------
        LedgerError
            If a payee does not exist. Nobody is paid then.
        """
        wanted = sorted({int(p) for p in payee_ids})
        for payee in wanted:
            if not 0 <= payee < len(self.payee_names):
                raise LedgerError(
                    f"payee {payee} does not exist",
                    "EpochDistributor",
                    f"Payees are numbered 0 to {len(self.payee_names) - 1}.",
                )
        due = self.withdrawable_units()
        payees = [p for p in wanted if due[p] > 0]
        if not payees:
            return Payments(paid_s=max(int(at_s), self.last_block_s()), payee_ids=_EMPTY, amounts_units=_EMPTY, gas=0)
        amounts = [int(due[p]) for p in payees]
        paid_s, gas = self._pay(payees, amounts, int(at_s))
        self._journal.append({"intent": "claim", "at_s": int(at_s), "payees": np.array(wanted, dtype=np.int64)})
        return Payments(
            paid_s=paid_s,
            payee_ids=np.array(payees, dtype=np.int64),
            amounts_units=np.array(amounts, dtype=np.int64),
            gas=gas,
        )

    # ---- books --------------------------------------------------------------------------------------------------

    def withdrawable_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee could claim now, shape ``(num_payees,)``."""
        return self._withdrawable(self.claimed_units())

    def _withdrawable(self, claimed: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        num_final = len(self._epochs) - len(self._pending)
        if not num_final:
            return np.zeros(len(self.payee_names), dtype=np.int64)
        return np.array(self._epochs[num_final - 1].cumulative, dtype=np.int64) - claimed

    def audit(self) -> Audit:
        """Return the books after checking that they balance.

        Returns
        -------
        Audit

        Raises
        ------
        LedgerError
            If deposits are not claimed plus unclaimed plus pending, or the distributor does not hold the latter two.
        """
        claimed = self.claimed_units()
        audit = Audit(
            deposited=self.deposited_units(),
            claimed=sum_exactly(claimed),
            unclaimed=sum_exactly(self._withdrawable(claimed)),
            pending=sum(p.deposit_units for p in self._pending),
            token_balance=self.token_balance_units(),
            num_epochs=len(self._epochs),
            num_works=self._book.num_works,
            last_s=self.last_block_s(),
        )
        held = audit.unclaimed + audit.pending
        if audit.deposited != audit.claimed + held or audit.token_balance != held:
            raise LedgerError(f"the books do not balance: {audit}", type(self).__name__)
        return audit

    def published_epoch(self, epoch: int) -> bytes:
        """Return an epoch's published data: canonical JSON Lines from which anybody can rebuild its root."""
        if not 0 <= epoch < len(self._epochs):
            raise LedgerError(
                f"epoch {epoch} is not posted", "EpochDistributor", f"Posted: {len(self._epochs)} epochs."
            )
        return self._epochs[epoch].published

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
        self.published_epoch(rebuilt.epoch)
        recorded = self.commitment(rebuilt.epoch)
        differing = [f.name for f in fields(Commitment) if getattr(rebuilt, f.name) != getattr(recorded, f.name)]
        if differing:
            raise LedgerError(
                f"epoch {rebuilt.epoch} was posted with another {' and '.join(differing)}",
                where,
                "This is not the data the epoch was settled on.",
            )
        return recorded

    # ---- journal ------------------------------------------------------------------------------------------------

    def snapshot(self) -> State:
        """Return the journal of intents, with the state it must lead to."""
        return {"version": JOURNAL_VERSION, "journal": list(self._journal), "end": self._fingerprint()}

    def restore(self, state: State) -> None:
        """Deploy anew and go through a journal: same roots, balances and block timestamps, bit for bit.

        Parameters
        ----------
        state : dict
            What `snapshot` of any kind of ledger with the same payees, window, salt and genesis put down.

        Raises
        ------
        LedgerError
            If the journal is of another version or does not lead to the state it was taken at.
        """
        if state["version"] != JOURNAL_VERSION:
            raise LedgerError(f"the journal is of version {state['version']}, not {JOURNAL_VERSION}", "ledger journal")
        self._begin()
        for entry in state["journal"]:
            self._replay(entry)
        if self._fingerprint() != state["end"]:
            raise LedgerError(
                "the journal does not lead to the state it was taken at",
                "ledger journal",
                "Restore with the payees, window, salt and genesis of the ledger that wrote it.",
            )

    def _replay(self, entry: State) -> None:
        if entry["intent"] == "register":
            self.register(records_from_state(entry), entry["at_s"])
        elif entry["intent"] == "post":
            units = entry["payee_units"]
            self.post(
                Statement(entry["epoch"], entry["rule"], entry["pool_units"], units, _EMPTY, ()),
                entry["at_s"],
            )
        elif entry["intent"] == "finalize":
            self.finalize(entry["epoch"], entry["at_s"])
        elif entry["intent"] == "consent":
            self.set_consent([ConsentLabel(*row) for row in entry["labels"].tolist()], entry["at_s"])
        elif entry["intent"] == "pay":
            self.pay([DirectPayment(*row) for row in entry["payments"].tolist()], entry["at_s"])
        else:
            self.claim(entry["payees"].tolist(), entry["at_s"])

    def _fingerprint(self) -> str:
        """Return a hash over everything that two equal ledgers agree on."""
        h = hashlib.sha256()
        h.update(self.provenance_head())
        h.update(self.claimed_units().tobytes())
        for epoch in self._epochs:
            h.update(epoch.root + epoch.data_hash)
        h.update(repr((self.last_block_s(), self.deposited_units(), self._book.num_works)).encode())
        h.update(repr((len(self._pending), self._labels, self._direct_units)).encode())
        return h.hexdigest()

    # ---- checks and data ----------------------------------------------------------------------------------------

    def _check_statement(self, statement: Statement) -> None:
        expected = len(self._epochs)
        where = f"EpochDistributor, epoch {statement.epoch}"
        if statement.epoch != expected:
            raise LedgerError(
                f"epoch {statement.epoch} was posted where {expected} is next",
                where,
                "Post every epoch once, in order, starting with 0.",
            )
        units = np.asarray(statement.payee_units)
        if units.dtype.kind not in "iu" or units.shape != (len(self.payee_names),):
            raise LedgerError(
                f"the statement has {units.shape} amounts of type {units.dtype} for {len(self.payee_names)} payees",
                where,
                "Give one whole number for each payee of the ledger.",
            )
        if units.size and int(units.min()) < 0:
            raise LedgerError("the statement has a negative amount", where, "Royalties are not taken back.")
        for name, amounts in (("payees", units), ("works", np.asarray(statement.work_units))):
            total = sum_exactly(amounts)
            if total != int(statement.pool_units) and (name == "payees" or amounts.size):
                raise LedgerError(
                    f"amounts of {name} sum to {total}, the pool is {statement.pool_units}",
                    where,
                    "A statement shares out its pool to the unit.",
                )
        if (self._epochs[-1].total if self._epochs else 0) + int(statement.pool_units) >= _MOST_UNITS:
            raise LedgerError("the pools add up to more than 2^62 units", where, "Use a coarser unit.")
