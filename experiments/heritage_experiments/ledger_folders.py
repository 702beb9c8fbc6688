"""The ledgers of a run: each replication on a chain leaves a folder, from which the chain can be made again.

``results/<scenario>/<run id>/ledger/<cell>--<replication>/``; a replication on the reference ledger leaves none, as its
books follow from the run's tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from heritage_experiments.store import RunStore, Task

if TYPE_CHECKING:
    from heritage_sim.base import Ledger

LEDGERS = "ledger"


def ledger_path(store: RunStore, task: Task) -> Path:
    """Return where a replication's ledger lies, if it has one."""
    return store.path / LEDGERS / task.stem


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
