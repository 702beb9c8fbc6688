"""An independent look at a run's books: from its tables alone, and, where it had a chain, from that chain made again.

Nothing that the run computed is believed. Of every replication cumulative amounts come from the payouts table, leaves
and roots are hashed again, and every balance is added up in Python integers. Of a replication on a chain the signed
transactions are carried out once more, and tables and published epochs are held against what the contracts then say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from heritage_contracts.chain_books import DifferenceError
from heritage_contracts.deployment import Deployment
from heritage_contracts.trees.merkle import root_of
from heritage_experiments.ledger_folders import ledger_path, part_of
from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_load import resolve_cell
from heritage_experiments.store import RunStore, Task
from heritage_experiments.wiring import payee_communities_of
from heritage_sim.base import InputError

if TYPE_CHECKING:
    import pandas as pd


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What the look found.

    Parameters
    ----------
    num_replications, num_epochs : int
        How much was looked at.
    num_planned : int
        Replications of the run's plan; those that are not finished were not looked at.
    num_on_chain : int
        Replications whose chain was made again; the others have no chain, and their tables were looked at.
    num_transactions : int
        Transactions on those chains.
    num_derived, num_permitted : int
        On those chains: works that derive from others, and how many of them all their sources' communities permitted
        when they were made.
    pool_units, claimed_units, unclaimed_units : int
        Sums over all of it.
    faults : tuple of str
        What does not hold, in words; empty where all does.
    first_difference : dict or None
        The first of them that names two values: ``what``, ``expected``, ``found``, ``where``.
    """

    num_replications: int
    num_planned: int
    num_epochs: int
    num_on_chain: int
    num_transactions: int
    num_derived: int
    num_permitted: int
    pool_units: int
    claimed_units: int
    unclaimed_units: int
    faults: tuple[str, ...]
    first_difference: dict[str, str] | None = None


def verify_ledgers(
    store: RunStore, scenario: Scenario, *, anvil: bool = False, progress: Progress | None = None
) -> LedgerCheck:
    """Return what holds of the books of every finished replication.

    Parameters
    ----------
    store : RunStore
        The run.
    scenario : Scenario
        Its scenario.
    anvil : bool
        Make chains again on an Anvil instead of the embedded EVM.
    progress : callable, optional
        Told how far it is.

    Returns
    -------
    LedgerCheck
        It stops at the first difference between a chain and what is said of it.

    Raises
    ------
    InputError
        If no replication is finished, so that nothing could be said.
    """
    faults: list[str] = []
    sums = dict.fromkeys(("epochs", "pool", "claimed", "unclaimed", "on_chain", "sent", "derived", "permitted"), 0)
    done = [t for t in store.plan() if store.is_done(t)]
    if not done:
        raise InputError(
            "no replication of this run is finished", str(store.path), f"heritage resume {store.path} finishes it."
        )
    resolved = {c.name: resolve_cell(scenario, c) for c in scenario.cells_to_run}
    first: dict[str, str] | None = None
    for task in done:
        books = part_of(store, "epochs", task).sort_values("epoch")
        payouts = part_of(store, "payouts", task)
        faults += _faults(task, books, payouts.loc[~payouts["shadow"]], resolved[task.cell])
        sums["epochs"] += len(books)
        sums["pool"] += sum(int(x) for x in books["pool_units"])
        sums["claimed"] += sum(int(x) for x in books["claimed_units"])
        sums["unclaimed"] += sum(int(x) for x in books["unclaimed_units"])
    of_tables = faults[0] if faults else ""
    for task in done:
        if first is not None or not _is_on_chain(store, task, resolved[task.cell]):
            continue
        told = partial(progress, task.stem) if progress else None
        try:
            found = _verify_chain(store, task, resolved[task.cell], anvil, told)
        except DifferenceError as error:
            first = {"what": error.compared, "expected": error.expected, "found": error.found, "where": error.where}
            faults.append(f"{task.cell}, replication {task.replication}: {error.what}; {error.where}")
            continue
        except InputError as error:
            first = {"what": error.what, "expected": "", "found": "", "where": error.where}
            faults.append(f"{task.cell}, replication {task.replication}: {error.what}; {error.where}")
            continue
        sums["on_chain"] += 1
        for name, value in zip(("sent", "derived", "permitted"), found, strict=True):
            sums[name] += value
    if first is None and of_tables:
        first = {"what": of_tables, "expected": "", "found": "", "where": of_tables.partition(": ")[0]}
    return LedgerCheck(
        num_replications=len(done),
        num_planned=len(store.plan()),
        num_epochs=sums["epochs"],
        num_on_chain=sums["on_chain"],
        num_transactions=sums["sent"],
        num_derived=sums["derived"],
        num_permitted=sums["permitted"],
        pool_units=sums["pool"],
        claimed_units=sums["claimed"],
        unclaimed_units=sums["unclaimed"],
        faults=tuple(faults),
        first_difference=first,
    )


def _is_on_chain(store: RunStore, task: Task, scenario: Scenario) -> bool:
    """Return whether a replication's ledger had a chain; a folder that should be there and is not is then missed."""
    config = scenario.ledger.of_replication(task.replication)
    own = "ledger" in scenario.own_parts
    return ledger_path(store, task).exists() or (config.kind != "reference" and not own)


def _verify_chain(
    store: RunStore, task: Task, scenario: Scenario, anvil: bool, progress: Callable[[int, int], None] | None
) -> tuple[int, int, int]:
    """Make a replication's chain again; return its transactions, derived works, and those that were permitted."""
    from heritage_contracts.at_rest.folder import open_folder
    from heritage_contracts.verification import verify_folder
    from heritage_experiments.ledger_on_chain import compare_with_run, derivations_permitted, made_in_run

    def told(_: str, at: int, of: int) -> None:
        if progress is not None:
            progress(at, of)

    folder = open_folder(ledger_path(store, task))
    verified = verify_folder(folder, anvil=anvil, progress=told)
    compare_with_run(store, task, scenario, folder, verified.books)
    made = made_in_run(part_of(store, "works", task), scenario)
    return verified.num_transactions, *derivations_permitted(verified.books, made)


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
