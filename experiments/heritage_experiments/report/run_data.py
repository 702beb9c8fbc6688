"""A finished (or interrupted) run as the report reads it: scenario, manifest and tables, each read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import yaml

from heritage_contracts.config import LedgerConfig
from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_load import resolve_cell
from heritage_experiments.store import RunStore
from heritage_sim.base import Currency, InputError

if TYPE_CHECKING:
    import pandas as pd


_SMALLEST = "smallest unit"


@dataclass(frozen=True, slots=True)
class CellFacts:
    """A cell that has results.

    Parameters
    ----------
    name, arm, rule : str
        As the outcomes name them.
    num_replications : int
        Finished replications.
    """

    name: str
    arm: str
    rule: str
    num_replications: int


@dataclass(frozen=True, slots=True)
class ComparisonFacts:
    """A comparison whose two cells have results."""

    name: str
    treatment: CellFacts
    control: CellFacts
    question: str
    outcome: str


class RunData:
    """Everything the report reads.

    Parameters
    ----------
    run_dir : Path
        Folder of the run.

    Raises
    ------
    InputError
        If the folder is no run, or nothing has finished.
    """

    def __init__(self, run_dir: Path) -> None:
        self.store = RunStore.open(run_dir)
        self.manifest: dict[str, Any] = self.store.manifest()
        try:
            self.scenario_yaml = (run_dir / "scenario.yaml").read_text(encoding="utf-8")
            self.scenario: dict[str, Any] = yaml.safe_load(self.scenario_yaml)
        except (OSError, yaml.YAMLError) as error:
            raise InputError(
                "the scenario of this run cannot be read",
                str(run_dir / "scenario.yaml"),
                "the run is damaged; run it anew",
            ) from error
        if self.outcomes.empty:
            raise InputError(
                "this run has no finished replication", str(run_dir), f"let it finish: heritage resume {run_dir}"
            )

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Return the outcomes of all finished replications, money in the currency."""
        table = self.store.read_table("outcomes")
        if table.empty:
            return table
        in_units = table["unit"].str.startswith(_SMALLEST)
        if in_units.any():
            table.loc[in_units, "value"] /= 10**self.currency.decimals
            table.loc[in_units, "unit"] = table.loc[in_units, "unit"].str.replace(_SMALLEST, self.currency.code)
        return table

    @cached_property
    def payouts(self) -> pd.DataFrame:
        """Return what each payee was owed, by epoch and rule, shadow rules included."""
        return self.store.read_table("payouts")

    @cached_property
    def payees(self) -> pd.DataFrame:
        """Return the payees, by id."""
        return self.store.read_table("payees").drop_duplicates("payee_id").sort_values("payee_id")

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """Return the settled epochs."""
        return self.store.read_table("epochs")

    @cached_property
    def settlement(self) -> pd.DataFrame:
        """Return money by day of play, with the days it took."""
        return self.store.read_table("settlement")

    @cached_property
    def daily(self) -> pd.DataFrame:
        """Return the daily tallies."""
        return self.store.read_table("daily")

    @cached_property
    def cells(self) -> tuple[CellFacts, ...]:
        """Return the cells with results, in the scenario's order."""
        facts = {}
        for name, rows in self.outcomes.groupby("cell", sort=False):
            first = rows.iloc[0]
            facts[name] = CellFacts(
                str(name), str(first["arm"]), str(first["rule"]), int(rows["replication"].nunique())
            )
        order = [c["name"] for c in self.scenario.get("cells") or []]
        return tuple(sorted(facts.values(), key=lambda c: order.index(c.name) if c.name in order else len(order)))

    def cell(self, name: str) -> CellFacts | None:
        """Return a cell by name, None if it has no results."""
        return next((c for c in self.cells if c.name == name), None)

    @cached_property
    def resolved(self) -> dict[str, Scenario]:
        """Return the scenario that each cell with results stands for; InputError if another version made it."""
        from pydantic import ValidationError

        try:
            scenario = Scenario.model_validate(self.scenario)
        except ValidationError as error:
            raise InputError(
                f"this version does not know the scenario of this run: {error.errors()[0]['msg']}",
                str(self.store.path / "scenario.yaml"),
                "report it with the version that made it, or run it anew",
            ) from error
        return {c.name: resolve_cell(scenario, c) for c in scenario.cells_to_run if self.cell(c.name)}

    @cached_property
    def named_cells(self) -> tuple[CellFacts, ...]:
        """Return the cells with results that the scenario names: those that a sweep adds are left out."""
        named = {c["name"] for c in self.scenario.get("cells") or []}
        return tuple(c for c in self.cells if c.name in named) or self.cells

    @cached_property
    def ring(self) -> npt.NDArray[np.bool_]:
        """Return which payees are of a ring of adversaries, in the payees' order; none where no cell has one."""
        from heritage_agents.adversaries.sybils import sybil_names

        sections = [s.adversaries for s in self.resolved.values() if s.adversaries.is_on]
        names = [name for section in sections for name in sybil_names(section.sybils)]
        colluders = [len(self.communities) + section.colluder for section in sections]
        payees = self.payees
        return (payees["name"].isin(names) | payees["payee_id"].isin(colluders)).to_numpy(np.bool_)

    @cached_property
    def comparisons(self) -> tuple[ComparisonFacts, ...]:
        """Return the comparisons that can be made."""
        found = []
        for c in self.scenario.get("comparisons") or []:
            treatment, control = self.cell(c["treatment"]), self.cell(c["control"])
            if treatment and control:
                found.append(ComparisonFacts(c["name"], treatment, control, c.get("question") or "", c["outcome"]))
        return tuple(found)

    @cached_property
    def communities(self) -> tuple[str, ...]:
        """Return the communities' names, by index."""
        return tuple(str(c["name"]) for c in self.scenario["communities"])

    @cached_property
    def days(self) -> dict[str, int]:
        """Return the simulated days of each cell's replications: its own, which an arm may have set."""
        last = self.daily.groupby("cell")["day"].max()
        return {cell.name: int(last.loc[cell.name]) + 1 for cell in self.cells}

    @property
    def currency(self) -> Currency:
        """Return the unit of all amounts."""
        return LedgerConfig.model_validate(self.scenario.get("ledger") or {}).currency

    @property
    def is_quick(self) -> bool:
        """Return whether the run was bounded by ``--quick``, which shows how it goes and answers nothing."""
        return bool(self.manifest.get("quick", False))

    @property
    def whole(self) -> dict[str, Any]:
        """Return days, listeners, replications and command of the run that a quick one stands for; empty if unknown."""
        return self.manifest.get("whole") or {}

    @property
    def num_planned(self) -> int:
        """Return the replications that were planned, over all cells."""
        return len(self.store.plan())

    @property
    def num_finished(self) -> int:
        """Return the replications that are finished, over all cells."""
        return sum(c.num_replications for c in self.cells)

    def values(self, cell: str, outcome: str) -> pd.Series:
        """Return an outcome of a cell, by replication."""
        rows = self.outcomes[(self.outcomes["cell"] == cell) & (self.outcomes["name"] == outcome)]
        return rows.set_index("replication").loc[:, "value"].sort_index()
