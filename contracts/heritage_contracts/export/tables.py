"""What an export is made from: plain rows, whoever has them (a run's tables, a ledger's folder, a chain)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import ConsentLabel, Currency, DirectPayment, InputError, ProvenanceRecord


@dataclass(frozen=True, slots=True)
class PayeeRow:
    """A payee; its number is its place in the table.

    Parameters
    ----------
    payee_id : bytes
        Salted id on the chain, 32 bytes.
    account : bytes
        Registered account, 20 bytes.
    name : str
        Name shown.
    community : int
        Community it belongs to, ``NO_ONE`` for none.
    """

    payee_id: bytes
    account: bytes
    name: str
    community: int


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch as the chain has it.

    Parameters
    ----------
    epoch : int
        Its number.
    root, data_hash, provenance_head : bytes
        What was posted, 32 bytes each.
    deposit_units, total_units : int
        What was paid in for it, and the sum of all cumulative amounts.
    posted_s, final_s : int
        Block timestamps of posting and finalising, seconds.
    gas : int
        Gas of both; 0 on the reference ledger.
    """

    epoch: int
    root: bytes
    data_hash: bytes
    provenance_head: bytes
    deposit_units: int
    total_units: int
    posted_s: int
    final_s: int
    gas: int


@dataclass(frozen=True, slots=True, eq=False)
class AmountTable:
    """Who was owed how much, in columns of equal length.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of money, such as ``streams`` and ``direct``.
    epoch, payee, kind, units : ndarray of int64, shape (num_rows,)
        Epoch number, payee number, index into ``kinds``, amount in the smallest unit (>= 0).
    """

    kinds: tuple[str, ...]
    epoch: npt.NDArray[np.int64]
    payee: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    units: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A provenance record and when it was registered, block timestamp in seconds."""

    registered_s: int
    record: ProvenanceRecord


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A consent label and from when on it held, block timestamp in seconds."""

    set_s: int
    label: ConsentLabel


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A direct payment, when it was paid, and who was credited.

    Parameters
    ----------
    paid_s : int
        Block timestamp, seconds.
    payment : DirectPayment
        Work and amount.
    credited : tuple of (int, int)
        Payee number and units of each part; the parts sum to the amount.
    """

    paid_s: int
    payment: DirectPayment
    credited: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim that was paid: block timestamp in seconds, payee number, units."""

    paid_s: int
    payee: int
    units: int


@dataclass(frozen=True, slots=True, eq=False)
class LedgerTables:
    """Everything an export may tell.

    Parameters
    ----------
    chain_id : int
        Chain of the contracts.
    distributor : bytes
        Address of the epoch distributor, 20 bytes.
    currency : Currency
        Unit of all amounts.
    payee_salt : str
        Salt of payee ids; goes into the auditor's form only.
    payees : sequence of PayeeRow
        By number.
    epochs : sequence of EpochRow
        In order.
    amounts : AmountTable
        What each payee was owed, by epoch and kind of money.
    works : sequence of WorkRow
        Provenance, in order of registration.
    labels : sequence of LabelRow
        History of consent, in order.
    payments : sequence of PaymentRow
        Direct payments, in order.
    claims : sequence of ClaimRow
        Claims paid, in order.

    Raises
    ------
    InputError
        If rows contradict each other, naming the table and the row.
    """

    chain_id: int
    distributor: bytes
    currency: Currency
    payee_salt: str
    payees: Sequence[PayeeRow]
    epochs: Sequence[EpochRow]
    amounts: AmountTable
    works: Sequence[WorkRow] = ()
    labels: Sequence[LabelRow] = ()
    payments: Sequence[PaymentRow] = ()
    claims: Sequence[ClaimRow] = ()

    def __post_init__(self) -> None:
        self._check_amounts()
        for name, values in (
            ("payees", [payee.payee_id for payee in self.payees]),
            ("epochs", [row.epoch for row in self.epochs]),
        ):
            if len(set(values)) != len(values):
                twice = next(i for i, v in enumerate(values) if v in values[:i])
                raise InputError("the row comes a second time", f"{name}, row {twice}", "Give each row once.")
        for name, numbers in (
            ("claims", [(i, claim.payee) for i, claim in enumerate(self.claims)]),
            ("payments", [(i, payee) for i, row in enumerate(self.payments) for payee, _ in row.credited]),
        ):
            for i, payee in numbers:
                if not 0 <= payee < len(self.payees):
                    self._refuse(f"payee {payee} is not among the {len(self.payees)} payees", name, i)
        for i, row in enumerate(self.payments):
            if sum(units for _, units in row.credited) != row.payment.amount_units:
                self._refuse("what was credited is not what was paid", "payments", i)

    def _check_amounts(self) -> None:
        table = self.amounts
        if not len(table.epoch) == len(table.payee) == len(table.kind) == len(table.units):
            raise InputError("columns differ in length", "amounts", "Give one value for each row in every column.")
        if len(set(table.kinds)) != len(table.kinds):
            raise InputError(f"kinds {table.kinds} name one twice", "amounts", "Name each kind of money once.")
        known = np.array([row.epoch for row in self.epochs], dtype=np.int64)
        for what, wrong in (
            ("its epoch is not among the epochs", ~np.isin(table.epoch, known)),
            ("its payee is not among the payees", (table.payee < 0) | (table.payee >= len(self.payees))),
            ("its kind is not among the kinds", (table.kind < 0) | (table.kind >= len(table.kinds))),
            ("its amount is negative", table.units < 0),
        ):
            if np.any(wrong):
                self._refuse(what, "amounts", int(np.flatnonzero(wrong)[0]))

    @staticmethod
    def _refuse(what: str, table: str, row: int) -> None:
        raise InputError(what, f"{table}, row {row}", "Export what the ledger holds, without changes.")
