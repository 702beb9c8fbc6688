"""An independent look at a run's books: sums and Merkle roots computed anew from the stored tables.

Nothing that the run computed is believed: cumulative amounts come from the payouts table, leaves and roots are hashed
again, and every balance is added up in Python integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heritage_contracts.deployment import Deployment
from heritage_contracts.merkle import root_of
from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_load import resolve_cell
from heritage_experiments.store import RunStore, Task
from heritage_experiments.wiring import payee_communities_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What the look found.

    Parameters
    ----------
    num_replications, num_epochs : int
        How much was looked at.
    pool_units, claimed_units, unclaimed_units : int
        Sums over all of it.
    faults : tuple of str
        What does not hold, in words; empty where all does.
    """

    num_replications: int
    num_epochs: int
    pool_units: int
    claimed_units: int
    unclaimed_units: int
    faults: tuple[str, ...]


def verify_ledgers(store: RunStore, scenario: Scenario) -> LedgerCheck:
    """Return what holds of the books of every finished replication."""
    faults: list[str] = []
    epochs = pool = claimed = unclaimed = 0
    done = [t for t in store.plan() if store.is_done(t)]
    resolved = {c.name: resolve_cell(scenario, c) for c in scenario.cells_to_run}
    for task in done:
        books = store.read_part("epochs", task).sort_values("epoch")
        payouts = store.read_part("payouts", task)
        faults += _faults(task, books, payouts.loc[~payouts["shadow"]], resolved[task.cell])
        epochs += len(books)
        pool += sum(int(x) for x in books["pool_units"])
        claimed += sum(int(x) for x in books["claimed_units"])
        unclaimed += sum(int(x) for x in books["unclaimed_units"])
    return LedgerCheck(len(done), epochs, pool, claimed, unclaimed, tuple(faults))


def _faults(task: Task, books: pd.DataFrame, paid: pd.DataFrame, scenario: Scenario) -> list[str]:
    found: list[str] = []
    communities = payee_communities_of(scenario)
    at = Deployment(scenario.ledger, len(communities), scenario.economy.genesis_s, payee_communities=communities)
    cumulative = [0] * len(communities)
    own = "ledger" in scenario.own_parts
    for book in books.to_dict("records"):
        where = f"{task.cell}, replication {task.replication}, epoch {book['epoch']}"
        rows = paid.loc[paid["epoch"] == book["epoch"]]
        for payee, units in zip(rows["payee_id"].tolist(), rows["units"].tolist(), strict=True):
            cumulative[payee] += units
        paid_out = sum(rows["units"].tolist())
        pool, stated, deposit = book["pool_units"], book["statement_units"], book["deposited_units"]
        claimed, left = book["claimed_units"], book["unclaimed_units"]
        if not pool == stated == paid_out or deposit not in (pool, 0):
            found.append(f"{where}: pool {pool}, statement {stated}, deposit {deposit} and payouts {paid_out} differ")
        if claimed + left != deposit:
            found.append(f"{where}: claimed {claimed} + unclaimed {left} is not the deposit {deposit}")
        if book["posted_s"] < 0:
            # Paid by hand, or observation ended before it was posted: the ledger has nothing of this epoch.
            continue
        if 0 <= book["withdrawable_s"] < book["posted_s"] + scenario.ledger.challenge_window_s:
            found.append(f"{where}: withdrawable before the challenge window was over")
        # A ledger of the user's own has leaves of its own.
        if not own and root_of(at.tree(cumulative)).hex() != str(book["root"]).removeprefix("0x"):
            found.append(f"{where}: the root of the payouts is not the root that was posted")
    return found
