"""Bench ``ledger-year``: a year of daily epochs and monthly claims on Anvil, through kills of node and client.

At keyed days the node is killed with SIGKILL, and twice the client forgets everything and starts again from its journal
and outbox. At the end `heritage ledger verify` must hold: every root, payout and balance recomputed from the published
epochs and the signed transactions, carried out once more on another fresh Anvil, and every payee paid to the unit.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from heritage_experiments.bench.ledger import anvil_ledger, statement_of
from heritage_sim.base import DAY_S, Calendar, Keys, LedgerError

if TYPE_CHECKING:
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger

_KEYS = Keys(root_seed=20_260_101, replication=0)
MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What is lived through.

    Parameters
    ----------
    num_payees, num_days : int
        Size.
    node_kills, client_restarts : int
        Faults, at days drawn by key.
    """

    num_payees: int = 10_000
    num_days: int = 365
    node_kills: int = 12
    client_restarts: int = 2

    def fault_days(self) -> tuple[list[int], list[int]]:
        """Return the days on which the node is killed, and those on which the client starts again."""
        drawn = _KEYS.stream("ledger", "bench_fault_day").uniform(np.arange(self.num_days - 1, dtype=np.int64), 0)
        days = (1 + np.argsort(drawn, kind="stable")).tolist()
        return sorted(days[: self.node_kills]), sorted(days[self.node_kills :][: self.client_restarts])


@dataclass(frozen=True, slots=True)
class Year:
    """What became of it.

    Parameters
    ----------
    wall_s, verify_s : float
        Wall time of living it, and of checking it.
    gas : int
        All gas of posting, finalising and claiming.
    paid_units : int
        What payees were paid: all that was deposited.
    num_transactions : int
        Signed transactions with a receipt.
    lost : int
        Receipts that a kill took away; their bytes were sent again.
    restarts : int
        Starts of the node after the first.
    """

    wall_s: float
    verify_s: float
    gas: int
    paid_units: int
    num_transactions: int
    lost: int
    restarts: int


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the records; ``quick`` lives 70 days with 300 payees.

    Parameters
    ----------
    quick : bool
        Shrink the year.

    Returns
    -------
    list of dict
        ``bench, name, value, unit, baseline, ratio, n, note``.

    Raises
    ------
    MissingPartError
        If no Anvil is found.
    LedgerError
        If a payee was paid another amount than the statements say.
    """
    plan = YearPlan(300, 70, 5, 1) if quick else YearPlan()
    with TemporaryDirectory(prefix="heritage-bench-") as folder:
        found = live(plan, Path(folder))
    shape = f"{plan.num_payees:,} payees, {plan.num_days} daily epochs, claims by all every {MONTH_DAYS} days"
    faults = f"{plan.node_kills} kills of the node, {plan.client_restarts} of the client; {found.restarts} restarts"
    values = (
        ("verified", 1, "1", f"{shape}; {faults}; verify holds on a fresh Anvil (it raises otherwise)"),
        ("paid_units", found.paid_units, "smallest unit", "equal to the sum of all statements, payee by payee"),
        ("lost_receipts", found.lost, "transactions", "taken away by kills; the same bytes were sent again"),
        ("transactions", found.num_transactions, "1", "signed once each"),
        ("gas_per_payee", found.gas / plan.num_payees, "gas", "posting, finalising and claims of the whole time"),
        ("wall_s", found.wall_s, "s", "living it, recovery included"),
        ("verify_s", found.verify_s, "s", "checking it"),
    )
    return [
        {
            "bench": "ledger-year",
            "name": name,
            "value": value if isinstance(value, int) else round(value, 3),
            "unit": unit,
            "baseline": None,
            "ratio": None,
            "n": plan.num_days,
            "note": note,
        }
        for name, value, unit, note in values
    ]


def live(plan: YearPlan, folder: Path) -> Year:
    """Live a plan on a managed Anvil and check the whole afterwards.

    Parameters
    ----------
    plan : YearPlan
        What to live through.
    folder : Path
        Where the ledger is kept.

    Returns
    -------
    Year

    Raises
    ------
    LedgerError
        If a payee was paid another amount than the statements say.
    DifferenceError
        If the check finds a difference.
    """
    from heritage_contracts.at_rest.folder import open_folder, put_down
    from heritage_contracts.verification import verify_folder

    kills, restarts = plan.fault_days()
    began = time.perf_counter()
    ledger = anvil_ledger(plan.num_payees, folder)
    owed = np.zeros(plan.num_payees, dtype=np.int64)
    lost = num_starts = gas = 0
    everybody = range(plan.num_payees)
    try:
        for day in range(plan.num_days):
            statement = statement_of(day, plan.num_payees)
            owed += statement.payee_units
            at_s = Calendar().start_of(day + 1)
            ledger.post(statement, at_s)
            if day in kills:
                # Between posting and finalising: the window is open, and the money not yet withdrawable.
                os.kill(_node(ledger).pid, signal.SIGKILL)
            if day in restarts:
                lost, num_starts = lost + _lost(ledger), num_starts + _node(ledger).num_starts
                ledger = _started_again(ledger, plan.num_payees, folder)
            gas += ledger.finalize(day, at_s + ledger.config.challenge_window_s).gas
            if (day + 1) % MONTH_DAYS == 0 or day + 1 == plan.num_days:
                gas += ledger.claim(everybody, ledger.last_block_s() + DAY_S // 4).gas
        paid = ledger.claimed_units()
        if not np.array_equal(paid, owed):
            payee = int(np.flatnonzero(paid != owed)[0])
            raise LedgerError(f"payee {payee} was paid {int(paid[payee])} and was owed {int(owed[payee])}", "the year")
        wall_s = time.perf_counter() - began
        lost, num_starts = lost + _lost(ledger), num_starts + _node(ledger).num_starts
        put_down(ledger, folder)
    finally:
        ledger.close()
    began = time.perf_counter()
    verified = verify_folder(open_folder(folder), anvil=True)
    verify_s = time.perf_counter() - began
    return Year(
        wall_s=wall_s,
        verify_s=verify_s,
        gas=gas,
        paid_units=int(paid.sum()),
        num_transactions=verified.num_transactions,
        lost=lost,
        restarts=num_starts - 1 - len(restarts),
    )


def _node(ledger: Web3Ledger) -> Any:
    chain: Any = ledger.chain
    return chain.node


def _lost(ledger: Web3Ledger) -> int:
    return ledger.chain.submissions.failures.get("lost", 0)


def _started_again(ledger: Web3Ledger, num_payees: int, folder: Path) -> Web3Ledger:
    """Return the ledger that a new process would make of what lies on disk: intents, signed bytes and receipts."""
    from heritage_contracts.at_rest.folder import put_down, read_intents

    put_down(ledger, folder)
    ledger.close()
    again = anvil_ledger(num_payees, folder)
    for entry in read_intents(folder):
        again.replay(entry)
    return again
