"""From an economy's results to the rows that are stored: the cell's name comes on only here, when all is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from heritage_experiments.store import Task
    from heritage_sim.results import Results

Columns = dict[str, Any]


def tables_of(results: Results, task: Task, arm: str, rule: str) -> dict[str, Columns]:
    """Return a replication's tables with cell and replication in every row.

    Parameters
    ----------
    results : Results
        Of one economy.
    task : Task
        Cell and replication.
    arm : str
        Name of the cell's arm.
    rule : str
        Name of the rule in force.

    Returns
    -------
    dict of str to dict
        ``outcomes`` and all tables of the economy except ``payees``, which are the same for all replications.
    """
    tables: dict[str, Columns] = {
        name: {"cell": task.cell, "replication": task.replication, **columns}
        for name, columns in results.tables.items()
        if name != "payees"
    }
    outcomes = results.outcomes
    tables["outcomes"] = {
        "cell": task.cell,
        "arm": arm,
        "rule": rule,
        "replication": task.replication,
        "name": [o.name for o in outcomes],
        "value": np.array([o.value for o in outcomes], dtype=np.float64),
        "unit": [o.unit for o in outcomes],
        "n": np.array([o.n for o in outcomes], dtype=np.int64),
    }
    return tables
