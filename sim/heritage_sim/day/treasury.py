"""Step 8: statements go to the ledger, payees claim, and the books are checked to the unit.

The calendar decides when things are asked of the ledger; block timestamps decide when they happened. A statement goes
to the ledger when its epoch ends; the ledger posts it after its own lag, and the money is withdrawable when the
challenge window is over. Payees claim ``claim_lag_hours`` after that. Claims that fall due before the next posting come
before it, so the chain's clock never runs backwards; where one posting is not over when the next is due, it waits.

A ledger posts and waits out the window in one step, so a claim that falls due inside a window is made when it is over,
and pays the new epoch's money with the old. Where the window and ``claim_lag_hours`` together reach beyond the next
posting (a window of a week beside weekly epochs), payment therefore comes later for one epoch and sooner for the next
than the lag says; when money becomes withdrawable is not touched by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heritage_sim.base import Ledger, LedgerError, ProvenanceRecord, State, Statement, sum_exactly
from heritage_sim.config import EconomyConfig

HOUR_S = 3_600
UNPAID = -1


@dataclass(slots=True)
class EpochBooks:
    """What the ledger says of one epoch's money.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    pool_units, statement_units, deposited_units : int
        What was to be shared out, what the statement gives, what the ledger took in: equal, or the run stops.
    posted_s, withdrawable_s : int
        Block timestamps.
    paid_s : int
        Block timestamp of the claim that paid it, or ``UNPAID``.
    claimed_units : int
        How much of it was paid.
    gas : int
        Gas of posting and finalising; registering works is not in it.
    claim_gas : int
        Gas of the round of claims that paid it; where a round pays several epochs, it stands with the last of them.
    root : str
        Merkle root, hex.
    """

    epoch: int
    pool_units: int
    statement_units: int
    deposited_units: int
    posted_s: int
    withdrawable_s: int
    paid_s: int
    claimed_units: int
    gas: int
    claim_gas: int
    root: str

    @property
    def unclaimed_units(self) -> int:
        """Return what of the epoch's money still lies with the ledger."""
        return self.deposited_units - self.claimed_units


class Treasury:
    """Brings statements and claims to a ledger in calendar order, and keeps one line of books an epoch.

    Parameters
    ----------
    ledger : Ledger
        Empty.
    config : EconomyConfig
        When and how often payees claim.
    num_payees : int
        All of them claim.
    """

    def __init__(self, ledger: Ledger, config: EconomyConfig, num_payees: int) -> None:
        self.ledger = ledger
        self.books: list[EpochBooks] = []
        self._config = config
        self._outstanding = np.zeros(num_payees, dtype=np.int64)
        self._due_s: list[int] = []
        self._clock_s = config.genesis_s

    def open(self, records: Sequence[ProvenanceRecord]) -> None:
        """Register the archive at the first instant of day 0."""
        self.ledger.register(records, self._clock_s)

    def settle(self, statement: Statement, records: Sequence[ProvenanceRecord], stop_day: int) -> None:
        """Register an epoch's new works and post its statement.

        Parameters
        ----------
        statement : Statement
            What the acting rule decided.
        records : sequence of ProvenanceRecord
            Works published in the epoch, parents before children.
        stop_day : int
            First day after the epoch.

        Raises
        ------
        LedgerError
            If the deposit differs from the pool, or the ledger's books do not balance.
        """
        ended_s = self._config.calendar.start_of(stop_day)
        self._claim_what_is_due(until_s=ended_s)
        if records:
            self.ledger.register(records, max(ended_s, self._clock_s))
        before = self.ledger.deposited_units()
        made = self.ledger.finalize(statement.epoch, self.ledger.post(statement, ended_s).final_from_s)
        self._clock_s = made.withdrawable_s
        self._outstanding += statement.payee_units
        line = EpochBooks(
            epoch=statement.epoch,
            pool_units=statement.pool_units,
            statement_units=sum_exactly(statement.payee_units),
            deposited_units=self.ledger.deposited_units() - before,
            posted_s=made.posted_s,
            withdrawable_s=made.withdrawable_s,
            paid_s=UNPAID,
            claimed_units=0,
            gas=made.gas,
            claim_gas=0,
            root=made.root.hex(),
        )
        self.books.append(line)
        self._check(line)
        every = self._config.claim_every_epochs
        if every and (statement.epoch + 1) % every == 0:
            self._due_s.append(made.withdrawable_s + round(self._config.claim_lag_hours * HOUR_S))

    def close(self) -> None:
        """Make the claims still due after the last epoch and, where it is configured, a last one."""
        config = self._config
        left_over = config.claim_at_end and config.claim_every_epochs > 0
        if left_over and not self._due_s and self._outstanding.any():
            self._due_s.append(self._clock_s + round(config.claim_lag_hours * HOUR_S))
        for due_s in self._due_s:
            self._claim(due_s)
        self._due_s = []

    def _claim_what_is_due(self, until_s: int) -> None:
        while self._due_s and self._due_s[0] <= until_s:
            self._claim(self._due_s.pop(0))

    def _claim(self, due_s: int) -> None:
        if not self._outstanding.any():
            return
        paid = self.ledger.claim(range(self._outstanding.size), max(due_s, self._clock_s))
        self._clock_s = max(self._clock_s, paid.paid_s)
        got = np.zeros_like(self._outstanding)
        got[paid.payee_ids] = paid.amounts_units
        if not np.array_equal(got, self._outstanding):
            payee = int(np.flatnonzero(got != self._outstanding)[0])
            raise LedgerError(
                f"payee {payee} was paid {int(got[payee]):,} units and was owed {int(self._outstanding[payee]):,}",
                f"claims at chain time {paid.paid_s}",
                "the ledger and the statements disagree; report it with the run's folder",
            )
        self._outstanding[:] = 0
        paid_for = [line for line in self.books if line.paid_s == UNPAID]
        for line in paid_for:
            line.paid_s, line.claimed_units = paid.paid_s, line.deposited_units
        paid_for[-1].claim_gas = paid.gas
        self._check(self.books[-1])

    def _check(self, line: EpochBooks) -> None:
        deposited = self.ledger.deposited_units()
        claimed = sum_exactly(self.ledger.claimed_units())
        unclaimed = sum_exactly(self.ledger.withdrawable_units())
        if not line.pool_units == line.statement_units == line.deposited_units:
            raise LedgerError(
                f"pool {line.pool_units:,}, statement {line.statement_units:,} and deposit "
                f"{line.deposited_units:,} units differ",
                f"epoch {line.epoch}",
                "the ledger took in another amount than was shared out; report it with the run's folder",
            )
        if claimed + unclaimed != deposited:
            raise LedgerError(
                f"claimed {claimed:,} and unclaimed {unclaimed:,} units do not sum to the {deposited:,} deposited",
                f"epoch {line.epoch}",
                "the ledger's books do not balance; report it with the run's folder",
            )

    def snapshot(self) -> State:
        """Return the books, what is due, and the ledger's journal."""
        names = EpochBooks.__slots__
        return {
            "ledger": self.ledger.snapshot(),
            "books": [{name: getattr(line, name) for name in names} for line in self.books],
            "outstanding": self._outstanding.copy(),
            "due_s": list(self._due_s),
            "clock_s": self._clock_s,
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down; the ledger must be empty."""
        self.ledger.restore(state["ledger"])
        self.books = [EpochBooks(**line) for line in state["books"]]
        self._outstanding = np.array(state["outstanding"], dtype=np.int64)
        self._due_s = [int(due) for due in state["due_s"]]
        self._clock_s = int(state["clock_s"])
