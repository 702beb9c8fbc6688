"""What a path given to ``heritage ledger`` is: a ledger's folder, a run that left one, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heritage_experiments.cli.options import newest_run

if TYPE_CHECKING:
    from heritage_contracts.at_rest.folder import LedgerFolder
    from heritage_experiments.store import RunStore

PATH_HELP = "Folder of a ledger, of a run, or of a scenario's runs (then the newest)."


def ledger_at(path: Path) -> LedgerFolder:
    """Return the ledger at a path: a ledger's folder, or a run (or folder of runs) that left exactly one.

    Parameters
    ----------
    path : Path
        Folder.

    Returns
    -------
    LedgerFolder

    Raises
    ------
    InputError
        If there is none, or a run left several.
    """
    from heritage_contracts.at_rest.folder import is_ledger, open_folder
    from heritage_experiments.ledger_folders import LEDGERS, ledgers_of
    from heritage_sim.base import InputError

    store = None if is_ledger(path) else run_at(path)
    if store is None:
        return open_folder(path)
    found = list(ledgers_of(store).values())
    if not found:
        raise InputError(
            "no replication of this run was on a chain",
            str(store.path),
            "Run with ledger.kind=evm; the tables of a run without a chain are checked by heritage ledger verify.",
        )
    if len(found) > 1:
        raise InputError(
            f"this run left {len(found)} ledgers", str(store.path / LEDGERS), f"Name one of them, such as {found[0]}"
        )
    return open_folder(found[0])


def run_at(path: Path) -> RunStore | None:
    """Return the run at or below a folder, the newest of several; None if there is none."""
    from heritage_experiments.store import RunStore
    from heritage_sim.base import InputError

    try:
        return RunStore.open(newest_run(path))
    except InputError:
        return None


def names_of_run(ledger: Path) -> tuple[str, ...]:
    """Return the names of payees, where a ledger lies in its run's folder; empty elsewhere."""
    store = run_at(ledger.parent.parent) if ledger.parent.name == "ledger" else None
    if store is None or store.path != ledger.parent.parent:
        return ()
    table = store.read_table("payees").sort_values("payee_id")
    return tuple(str(name) for name in table["name"])
