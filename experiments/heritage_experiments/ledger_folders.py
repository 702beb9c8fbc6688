"""The ledgers of a run: each replication on a chain leaves a folder, from which the chain can be made again.

``results/<scenario>/<run id>/ledger/<cell>--<replication>/``; a replication on the reference ledger leaves none, as its
books follow from the run's tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from heritage_experiments.store import RunStore, Task
from heritage_sim.base import InputError

if TYPE_CHECKING:
    import pandas as pd

    from heritage_sim.base import Ledger

LEDGERS = "ledger"


def ledger_path(store: RunStore, task: Task) -> Path:
    """Return where a replication's ledger lies, if it has one."""
    return store.path / LEDGERS / task.stem


def part_of(store: RunStore, name: str, task: Task) -> pd.DataFrame:
    """Return a finished replication's part of a table, for one who does not trust the folder.

    Parameters
    ----------
    store : RunStore
        The run.
    name : str
        Table.
    task : Task
        Replication.

    Returns
    -------
    DataFrame

    Raises
    ------
    InputError
        If it is not there, or is none.
    """
    try:
        return store.read_part(name, task)
    except (OSError, ValueError) as error:
        raise InputError(
            f"a table of a finished replication cannot be read ({str(error).splitlines()[0]})",
            str(store.part_path(name, task)),
            "Get the run's folder again from its source.",
        ) from None


def leave_ledger(ledger: Ledger, path: Path) -> None:
    """Put a replication's ledger down and let go of its chain; nothing where it has no chain.

    Parameters
    ----------
    ledger : Ledger
        As the economy has left it.
    path : Path
        Folder to write.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    from heritage_contracts.at_rest.folder import put_down
    from heritage_contracts.sending.ray_owner import OwnedLedger

    if isinstance(ledger, OwnedLedger):
        ledger.put_down(path)
        return
    if "chain" not in vars(ledger):
        # The reference ledger, or one of the user's own.
        return
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger

    if isinstance(ledger, Web3Ledger):
        put_down(ledger, path, ledger.chain.outbox)
        ledger.close()


def let_go(ledger: Ledger) -> None:
    """Stop what a ledger has started, where its replication failed; a ledger of the user's own need not offer it."""
    close: Any = getattr(ledger, "close", None)
    if close is not None:
        close()


def ledgers_of(store: RunStore) -> dict[Task, Path]:
    """Return the ledgers of finished replications, in the order of the plan."""
    found = {task: ledger_path(store, task) for task in store.plan() if store.is_done(task)}
    return {task: path for task, path in found.items() if path.is_dir()}
