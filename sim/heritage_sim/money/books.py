"""One line of books for each epoch, and the checks that hold after every event."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Ledger, LedgerError, State, Statement, sum_exactly

Int64 = npt.NDArray[np.int64]
NEVER = -1


@dataclass(slots=True, eq=False)
class EpochBooks:
    """What became of one epoch's money.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    pool_units : int
        What was to be shared out.
    payee_units : ndarray of int64, shape (num_payees,)
        What the statement gives each payee.
    ended_s, ready_s : int
        End of the epoch, and when its statement was ready to be settled: chain time.
    payee_withdrawable_s, payee_paid_s : ndarray of int64, shape (num_payees,)
        When each payee's money was withdrawable and was paid, or ``NEVER``.
    deposited_units : int
        What settlement took in; 0 until then.
    posted_s : int
        Block timestamp of the posting, or ``NEVER``.
    gas, claim_gas : int
        Gas of posting and finalising, and of the rounds of claims that paid it; where a round pays several epochs, it
        stands with the last of them.
    cost_units : int
        Costs of payments; where a payment run pays several epochs, they stand with the last of them.
    root : str
        Merkle root, hex; empty where there is none.
    """

    epoch: int
    pool_units: int
    payee_units: Int64
    ended_s: int
    ready_s: int
    payee_withdrawable_s: Int64
    payee_paid_s: Int64
    deposited_units: int = 0
    posted_s: int = NEVER
    gas: int = 0
    claim_gas: int = 0
    cost_units: int = 0
    root: str = ""

    @classmethod
    def of(cls, statement: Statement, ended_s: int, ready_s: int) -> EpochBooks:
        """Return the line of an epoch that has just ended."""
        units = np.array(statement.payee_units, dtype=np.int64)
        never = np.full(units.size, NEVER, dtype=np.int64)
        return cls(statement.epoch, int(statement.pool_units), units, ended_s, ready_s, never, never.copy())

    @property
    def statement_units(self) -> int:
        """Return what the statement gives to all payees."""
        return sum_exactly(self.payee_units)

    @property
    def withdrawable_s(self) -> int:
        """Return when the first of the money was withdrawable, or ``NEVER``."""
        known = self.payee_withdrawable_s[self.payee_withdrawable_s != NEVER]
        return int(known.min()) if known.size else NEVER

    @property
    def claimed_units(self) -> int:
        """Return how much of it was paid, costs of payment included."""
        return sum_exactly(self.payee_units[self.payee_paid_s != NEVER])

    @property
    def unclaimed_units(self) -> int:
        """Return what of the epoch's money was taken in and is not paid."""
        return self.deposited_units - self.claimed_units

    def snapshot(self) -> State:
        """Return the line's fields."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: v.copy() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    @classmethod
    def restored(cls, state: State) -> EpochBooks:
        """Return the line that `snapshot` put down."""
        line = cls(**state)
        line.payee_units = line.payee_units.copy()
        line.payee_withdrawable_s, line.payee_paid_s = line.payee_withdrawable_s.copy(), line.payee_paid_s.copy()
        return line


def check_deposit(line: EpochBooks) -> None:
    """Refuse a deposit that differs from pool or statement.

    Parameters
    ----------
    line : EpochBooks
        An epoch that has just been taken in.

    Raises
    ------
    LedgerError
        If it does.
    """
    if not line.pool_units == line.statement_units == line.deposited_units:
        raise LedgerError(
            f"pool {line.pool_units:,}, statement {line.statement_units:,} and deposit "
            f"{line.deposited_units:,} units differ",
            f"epoch {line.epoch}",
            "another amount was taken in than was shared out; report it with the run's folder",
        )


def check_ledger(ledger: Ledger, deposited_units: int, pending_units: int, where: str) -> None:
    """Refuse a ledger whose books do not balance to the unit, or that are not those of the treasury.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    deposited_units : int
        What was paid in, as the treasury has it.
    pending_units : int
        What of it waits for its window, as the treasury has it.
    where : str
        What has just happened, for the message.

    Raises
    ------
    LedgerError
        If claimed, withdrawable and pending units do not sum to what was deposited.
    """
    deposited = ledger.deposited_units()
    claimed = sum_exactly(ledger.claimed_units())
    withdrawable = sum_exactly(ledger.withdrawable_units())
    if deposited != deposited_units or claimed + withdrawable + pending_units != deposited:
        raise LedgerError(
            f"claimed {claimed:,}, withdrawable {withdrawable:,} and pending {pending_units:,} units do not sum to the "
            f"{deposited_units:,} paid in (the ledger says {deposited:,})",
            where,
            "the ledger's books do not balance; report it with the run's folder",
        )
