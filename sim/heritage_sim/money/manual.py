"""Settlement by hand: balances wait for the next payment run; a payment costs something; small balances stay.

A run falls every ``batch_days``, the first on a stated day or on one that the replication draws. It pays out the whole
balance of every payee whose balance reaches the minimum (and is more than the cost of paying it); the money is the
payee's from the run on, and in hand after the cash-out lag. What comes in is at every moment the sum of what is held,
what is on its way, what was paid and what the payments cost.
"""

from __future__ import annotations

import numpy as np

from heritage_sim.base import Keys, LedgerError, State, Statement, sum_exactly
from heritage_sim.money.books import NEVER, EpochBooks, Int64, check_deposit
from heritage_sim.money.config import DAY_S, MoneyChainConfig, SettlementConfig

_READY, _RUN, _PAID = range(3)
"""Events in the order in which they happen at one and the same second."""


def first_run_days(settlement: SettlementConfig, keys: Keys) -> float:
    """Return when the first payment run falls, in days after day 0: as stated, or drawn evenly from one period.

    The draw is keyed by the replication alone, so that all cells of a pair have their runs on the same days.
    """
    if settlement.first_batch_days is not None:
        return settlement.first_batch_days
    return float(keys.stream("payment run", "first").uniform(np.zeros(1, dtype=np.int64), 0)[0]) * settlement.batch_days


class ManualSettlement:
    """A queue of payments in place of a ledger.

    Parameters
    ----------
    config : MoneyChainConfig
        Period, cost and minimum of payments; cash-out lag.
    num_payees : int
        Number of payees.
    first_run_s : int
        Chain time of the first payment run.
    """

    def __init__(self, config: MoneyChainConfig, num_payees: int, first_run_s: int) -> None:
        self.books: list[EpochBooks] = []
        self.held_units: Int64 = np.zeros(num_payees, dtype=np.int64)
        self.received_units: Int64 = np.zeros(num_payees, dtype=np.int64)
        self.sinks: dict[str, int] = {config.settlement.cost_sink: 0}
        self._config = config
        self._first_run_s = first_run_s
        self._ready: list[int] = []
        self._on_way: list[tuple[int, Int64]] = []
        self._run = 0

    @property
    def cost_units(self) -> int:
        """Return what all payments have cost."""
        return self.sinks[self._config.settlement.cost_sink]

    def _run_s(self, number: int) -> int:
        return self._first_run_s + round(number * self._config.settlement.batch_days * DAY_S)

    def add(self, statement: Statement, line: EpochBooks) -> None:
        """Take in a statement that will be ready at ``line.ready_s``, not before those taken in earlier."""
        self._ready.append(statement.epoch)
        self.books.append(line)

    def next_s(self) -> int | None:
        """Return when the next event falls due."""
        return self._next()[0]

    def _next(self) -> tuple[int, int]:
        due = [(self._run_s(self._run), _RUN)]
        if self._ready:
            due.append((self.books[self._ready[0]].ready_s, _READY))
        if self._on_way:
            due.append((self._on_way[0][0] + self._config.cash_out.lag_s, _PAID))
        return min(due)

    def step(self) -> None:
        """Do what falls due next.

        Raises
        ------
        LedgerError
            If the books do not balance after it.
        """
        at_s, kind = self._next()
        if kind == _READY:
            self._take_in(self.books[self._ready.pop(0)])
        elif kind == _RUN:
            self._run += 1
            self._pay_out(at_s)
        else:
            self._arrive(*self._on_way.pop(0), at_s)
        self._check(at_s)

    def _take_in(self, line: EpochBooks) -> None:
        line.deposited_units = line.statement_units
        self.held_units += line.payee_units
        check_deposit(line)

    def _pay_out(self, at_s: int) -> None:
        cost = self._config.settlement.cost_units
        paid = self.held_units >= max(self._config.settlement.minimum_units, cost + 1)
        if not paid.any():
            return
        lines = [b for b in self.books if b.deposited_units]
        for line in lines:
            line.payee_withdrawable_s[paid & (line.payee_units > 0) & (line.payee_withdrawable_s == NEVER)] = at_s
        costs = cost * int(np.count_nonzero(paid))
        lines[-1].cost_units += costs
        self.sinks[self._config.settlement.cost_sink] += costs
        self._on_way.append((at_s, np.where(paid, self.held_units - cost, 0)))
        self.held_units[paid] = 0

    def _arrive(self, run_s: int, net_units: Int64, at_s: int) -> None:
        self.received_units += net_units
        for line in self.books:
            line.payee_paid_s[line.payee_withdrawable_s == run_s] = at_s

    def _check(self, at_s: int) -> None:
        taken_in = sum(line.deposited_units for line in self.books)
        held, received = sum_exactly(self.held_units), sum_exactly(self.received_units)
        on_way = sum(sum_exactly(net) for _, net in self._on_way)
        if taken_in != held + on_way + received + self.cost_units:
            raise LedgerError(
                f"held {held:,}, on their way {on_way:,}, received {received:,} units and "
                f"{self._config.settlement.cost_sink} of {self.cost_units:,} do not sum to the {taken_in:,} taken in",
                f"payment queue at chain time {at_s}",
                "the queue's books do not balance; report it with the run's folder",
            )

    def passed_over(self, line: EpochBooks) -> Int64:
        """Return what of an epoch's money, by payee, a payment run has passed over and none has paid."""
        waits = (line.payee_withdrawable_s == NEVER) & (line.deposited_units > 0)
        has_come_by = self._run > 0 and line.ready_s <= self._run_s(self._run - 1)
        return np.where(waits & has_come_by, line.payee_units, 0)

    def snapshot(self) -> State:
        """Return the queue; the books are put down apart."""
        return {
            "held_units": self.held_units.copy(),
            "received_units": self.received_units.copy(),
            "cost_units": self.cost_units,
            "ready": list(self._ready),
            "on_way": [(run_s, net.copy()) for run_s, net in self._on_way],
            "run": self._run,
        }

    def restore(self, state: State, books: list[EpochBooks]) -> None:
        """Take up what `snapshot` put down."""
        self.books = books
        self.held_units = np.array(state["held_units"], dtype=np.int64)
        self.received_units = np.array(state["received_units"], dtype=np.int64)
        self.sinks[self._config.settlement.cost_sink] = int(state["cost_units"])
        self._ready = [int(epoch) for epoch in state["ready"]]
        self._on_way = [(int(run_s), np.array(net, dtype=np.int64)) for run_s, net in state["on_way"]]
        self._run = int(state["run"])
