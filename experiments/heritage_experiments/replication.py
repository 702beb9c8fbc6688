"""One replication of one cell, from the scenario to its Parquet parts: the unit of work of every worker."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from heritage_experiments.collecting import tables_of
from heritage_experiments.ledger_folders import leave_ledger, ledger_path, let_go
from heritage_experiments.runlog import RunLog
from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_load import resolve_cell
from heritage_experiments.store import RunStore, Task
from heritage_experiments.wiring import Surroundings, build_economy


@dataclass(frozen=True, slots=True)
class Finished:
    """What the driver hears of a finished replication; the rest is in its parts.

    Parameters
    ----------
    outcomes : dict
        Outcome name to value.
    wall_s, cpu_s : float
        Time it took in its worker, in seconds.
    """

    outcomes: dict[str, float]
    wall_s: float
    cpu_s: float


@dataclass(eq=False)
class ReplicationWork:
    """Runs replications of a scenario and writes their parts; picklable, kept by each worker.

    Parameters
    ----------
    scenario : Scenario
        The whole scenario, cells and all.
    store : RunStore
        The run's folder.
    surroundings : Surroundings
        Where it runs.
    """

    scenario: Scenario
    store: RunStore
    surroundings: Surroundings
    driver_pid: int = field(default_factory=os.getpid)

    @cached_property
    def _resolved(self) -> dict[str, Scenario]:
        return {cell.name: resolve_cell(self.scenario, cell) for cell in self.scenario.cells_to_run}

    @cached_property
    def log(self) -> RunLog:
        """Return the log of this worker."""
        mine = os.getpid()
        name = "log.jsonl" if mine == self.driver_pid else f"log-worker-{mine}.jsonl"
        return RunLog(self.store.path / name)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what each worker makes for itself."""
        return {k: v for k, v in vars(self).items() if k not in ("_resolved", "log")}

    def __call__(self, task: Task) -> Finished:
        """Run one replication, write its parts, and return its outcomes."""
        began, cpu_before = time.perf_counter(), time.process_time()
        self.log.event("replication began", cell=task.cell, replication=task.replication, pid=os.getpid())
        cell = self.scenario.cell(task.cell)
        economy = build_economy(self._resolved[task.cell], task.replication, self.surroundings)
        try:
            economy.run()
            results = economy.results()
        except BaseException:
            let_go(economy.treasury.ledger)
            raise
        finally:
            economy.close()
        # Before the tables, whose last part says that the replication is done.
        leave_ledger(economy.treasury.ledger, ledger_path(self.store, task))
        self.store.write_once("payees", results.tables["payees"])
        self.store.write_parts(task, tables_of(results, task, cell.arm, economy.parts.rule.name))
        finished = Finished(
            outcomes={o.name: o.value for o in results.outcomes},
            wall_s=time.perf_counter() - began,
            cpu_s=time.process_time() - cpu_before,
        )
        self.log.event(
            "replication finished",
            cell=task.cell,
            replication=task.replication,
            wall_s=round(finished.wall_s, 3),
            cpu_s=round(finished.cpu_s, 3),
        )
        return finished
