"""A checked scenario and what it will be: its tasks, its cost, in words for ``--dry-run``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heritage_experiments.display import show_duration
from heritage_experiments.estimate import Estimate, estimate
from heritage_experiments.scenario import Scenario, scenario_sha256
from heritage_experiments.scenario_load import resolve_cell
from heritage_experiments.store import Task, show_bytes
from heritage_experiments.workers import place


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario that has been checked, and what it will be.

    Parameters
    ----------
    scenario : Scenario
        As given.
    resolved : dict of str to Scenario
        Each cell's scenario.
    estimate : Estimate
        Expected cost.
    """

    scenario: Scenario
    resolved: dict[str, Scenario] = field(default_factory=dict)
    estimate: Estimate = field(default_factory=lambda: Estimate(0, 0.0, 0.0, 0))

    @property
    def one_owner(self) -> bool:
        """Return whether replications write to a chain that others keep, all with one set of keys."""
        return any(cell.ledger.kind == "rpc" for cell in self.resolved.values())

    @property
    def tasks(self) -> list[Task]:
        """Return all replications of all cells; a replication's cells stand together, so early stops leave pairs."""
        return [
            Task(replication, cell.name)
            for replication in range(self.scenario.replications)
            for cell in self.scenario.cells_to_run
        ]


def plan_of(scenario: Scenario) -> Plan:
    """Return a scenario with its cells resolved and its cost estimated."""
    resolved = {cell.name: resolve_cell(scenario, cell) for cell in scenario.cells_to_run}
    return Plan(scenario, resolved, estimate(scenario, resolved))


def describe_plan(plan: Plan, results: Path, out: Path | None, cached: frozenset[str]) -> dict[str, Any]:
    """Return what a run would be: for ``--dry-run``.

    Parameters
    ----------
    plan : Plan
        Checked scenario.
    results : Path
        Where runs are kept, if ``out`` is not given.
    out : Path or None
        Folder of the run.
    cached : frozenset of str
        Cells whose network and pieces are in the cache.

    Returns
    -------
    dict
    """
    expected = estimate(plan.scenario, plan.resolved, cached)
    placement = place(
        plan.scenario.runtime, plan.estimate.num_replications, plan.estimate.cpu_s, one_owner=plan.one_owner
    )
    return {
        "scenario": plan.scenario.name,
        "scenario_sha256": scenario_sha256(plan.scenario),
        "cells": [c.name for c in plan.scenario.cells_to_run],
        "replications_per_cell": plan.scenario.replications,
        "runs": plan.estimate.num_replications,
        "executor": placement.executor,
        "workers": placement.workers,
        "why": placement.reason,
        "cpu_s": round(plan.estimate.cpu_s, 1),
        "to_train_or_compose": sorted(plan.resolved.keys() - cached),
        "first_time_cpu_s": round(expected.first_time_cpu_s, 1),
        "wall_s": round(expected.wall_s(placement.workers), 1),
        "disk_bytes": plan.estimate.disk_bytes,
        "rings": _rings(plan.resolved),
        "path": str(out or results / plan.scenario.name),
    }


def _rings(resolved: dict[str, Scenario]) -> dict[str, str]:
    """Return who cheats and how, by cell; cells where nobody does are left out."""
    from heritage_agents.adversaries.naming import ring_in_words

    return {
        cell: ring_in_words(scenario.adversaries, scenario.creators, scenario.communities)
        for cell, scenario in resolved.items()
        if scenario.adversaries.is_on
    }


def plan_in_words(described: dict[str, Any]) -> list[str]:
    """Return `describe_plan` as lines for people."""
    cells, first = described["cells"], described["first_time_cpu_s"]
    where = f"{described['workers']} Ray workers" if described["executor"] == "ray" else "this process"
    making = described["to_train_or_compose"]
    rings: dict[str, list[str]] = {}
    for cell, ring in described["rings"].items():
        rings.setdefault(ring, []).append(cell)
    return [
        f"{described['runs']} replications: {len(cells)} cells x {described['replications_per_cell']}",
        f"cells: {', '.join(cells)}",
        *(f"in {', '.join(where_on)}: {ring}" for ring, where_on in rings.items()),
        f"in {where}: {described['why']}",
        f"about {show_duration(described['wall_s'])} on idle cores, {described['cpu_s'] + first:.0f} CPU seconds",
        f"of these {show_duration(first)} to train and compose for: {', '.join(making)}"
        if making
        else "nothing to train or compose: the cache holds it",
        f"about {show_bytes(described['disk_bytes'])} of disk in {described['path']}",
    ]
