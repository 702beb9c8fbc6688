"""Settlement on the ledger: statements are posted, made final after their window, and claimed, in order of time.

Three queues, each in order of time by itself: statements that are ready, postings whose window runs, rounds of claims
that fall due. The next event is the earliest head. A statement waits only while as many epochs are pending as the
ledger allows. A claim pays all that is final when it falls due: cumulative roots know no other.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from heritage_sim.base import Ledger, LedgerError, State, Statement, sum_exactly
from heritage_sim.money.books import EpochBooks, Int64, check_deposit, check_ledger
from heritage_sim.money.config import MoneyChainConfig

_FINALIZE, _POST, _CLAIM = range(3)
"""Events in the order in which they happen at one and the same second."""


class OnChainSettlement:
    """Brings statements and claims to a ledger.

    Parameters
    ----------
    ledger : Ledger
        Empty.
    config : MoneyChainConfig
        When payees claim.
    num_payees : int
        All of them claim.
    last_epoch : int
        Number of the last epoch, after which what is left may be claimed.
    """

    def __init__(self, ledger: Ledger, config: MoneyChainConfig, num_payees: int, last_epoch: int) -> None:
        self.ledger = ledger
        self.books: list[EpochBooks] = []
        self._config = config
        self._last_epoch = last_epoch
        self._outstanding: Int64 = np.zeros(num_payees, dtype=np.int64)
        self._direct_units = 0
        self._ready: list[Statement] = []
        self._pending: list[tuple[int, int]] = []
        self._claims_s: list[int] = []
        self._unpaid: list[int] = []
        self._now_s = 0

    def add(self, statement: Statement, line: EpochBooks) -> None:
        """Take in a statement that will be ready at ``line.ready_s``, not before those taken in earlier."""
        self._ready.append(statement)
        self.books.append(line)

    def credit(self, payee_units: Int64) -> None:
        """Take in what direct payments credited: it is withdrawable at once, and claimed with the rest."""
        self._outstanding += payee_units
        self._direct_units += sum_exactly(payee_units)

    def next_s(self) -> int | None:
        """Return when the next event falls due; None where nothing is to come."""
        due = self._next()
        return due[0] if due else None

    def _next(self) -> tuple[int, int] | None:
        due: list[tuple[int, int]] = []
        if self._pending:
            due.append((self._pending[0][1], _FINALIZE))
        if self._ready and len(self._pending) < self.ledger.max_pending:
            due.append((self.books[self._ready[0].epoch].ready_s, _POST))
        if self._claims_s:
            due.append((self._claims_s[0], _CLAIM))
        # What had to wait for another event happens after it.
        return min(((max(at_s, self._now_s), kind) for at_s, kind in due), default=None)

    def step(self) -> None:
        """Do what falls due next.

        Raises
        ------
        LedgerError
            If deposits or payments differ from the statements, or the ledger's books do not balance.
        """
        due = self._next()
        if due is None:
            return
        self._now_s, kind = due
        if kind == _FINALIZE:
            self._finalize(self._pending.pop(0)[0])
        elif kind == _POST:
            self._post(self._ready.pop(0))
        else:
            self._claims_s.pop(0)
            self._claim()

    def _post(self, statement: Statement) -> None:
        line = self.books[statement.epoch]
        before = self.ledger.deposited_units()
        posting = self.ledger.post(statement, self._now_s)
        line.deposited_units = self.ledger.deposited_units() - before
        line.posted_s, line.root, line.gas = posting.posted_s, posting.root.hex(), posting.gas
        self._pending.append((statement.epoch, posting.final_from_s))
        check_deposit(line)
        self._check(f"epoch {line.epoch}, posted")

    def _finalize(self, epoch: int) -> None:
        line = self.books[epoch]
        final = self.ledger.finalize(epoch, self._now_s)
        line.payee_withdrawable_s[:] = final.withdrawable_s
        line.gas = final.gas
        self._outstanding += line.payee_units
        self._unpaid.append(epoch)
        self._check(f"epoch {epoch}, final")
        settlement = self._config.settlement
        every = settlement.claim_every_epochs
        is_last = epoch == self._last_epoch and settlement.claim_at_end
        if every and ((epoch + 1) % every == 0 or is_last):
            self._claims_s.append(final.withdrawable_s + self._config.cash_out.lag_s)

    def _claim(self) -> None:
        if not self._outstanding.any():
            return
        paid = self.ledger.claim(range(self._outstanding.size), self._now_s)
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
        for epoch in self._unpaid:
            self.books[epoch].payee_paid_s[:] = paid.paid_s
        if self._unpaid:
            self.books[self._unpaid[-1]].claim_gas = paid.gas
        self._unpaid = []
        self._check(f"claims at chain time {paid.paid_s}")

    def _check(self, where: str) -> None:
        deposited = sum(line.deposited_units for line in self.books) + self._direct_units
        check_ledger(self.ledger, deposited, sum(self.books[e].deposited_units for e, _ in self._pending), where)

    def passed_over(self, line: EpochBooks) -> Int64:
        """Return what of an epoch's money, by payee, a payment run has passed over: nothing, as a ledger has none."""
        return np.zeros(line.payee_units.size, dtype=np.int64)

    def snapshot(self) -> State:
        """Return the queues; the books and the ledger are put down apart."""
        return {
            "outstanding": self._outstanding.copy(),
            "direct_units": self._direct_units,
            "ready": [{field.name: getattr(s, field.name) for field in fields(Statement)} for s in self._ready],
            "pending": [list(item) for item in self._pending],
            "claims_s": list(self._claims_s),
            "unpaid": list(self._unpaid),
            "now_s": self._now_s,
        }

    def restore(self, state: State, books: list[EpochBooks]) -> None:
        """Take up what `snapshot` put down."""
        self.books = books
        self._outstanding = np.array(state["outstanding"], dtype=np.int64)
        self._direct_units = int(state["direct_units"])
        self._ready = [Statement(**waiting) for waiting in state["ready"]]
        self._pending = [(int(epoch), int(at_s)) for epoch, at_s in state["pending"]]
        self._claims_s = [int(at_s) for at_s in state["claims_s"]]
        self._unpaid = [int(epoch) for epoch in state["unpaid"]]
        self._now_s = int(state["now_s"])
