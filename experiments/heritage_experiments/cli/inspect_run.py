"""``heritage status`` and ``heritage report``."""

from __future__ import annotations

from pathlib import Path

from heritage_experiments.cli.options import Json, RunFolder, newest_run, print_json

RESULTS = Path("results")


def status(path: RunFolder = RESULTS, as_json: Json = False) -> None:
    """Say how far a run is, and what it took so far."""
    from heritage_experiments.display import show_duration
    from heritage_experiments.runner import done_by_cell, planned_by_cell
    from heritage_experiments.store import RunStore

    store = RunStore.open(newest_run(path))
    manifest, done, planned = store.manifest(), done_by_cell(store), planned_by_cell(store)
    working = store.is_locked()
    state = "running" if working else "finished" if sum(done.values()) == sum(planned.values()) else "stopped"
    facts = {
        "run_id": manifest["run_id"],
        "path": str(store.path),
        "scenario": manifest["scenario"],
        "state": state,
        "done": sum(done.values()),
        "planned": sum(planned.values()),
        "cells": {cell: {"done": done.get(cell, 0), "planned": n} for cell, n in planned.items()},
        "sessions": manifest.get("sessions", []),
        "outcomes_hash": manifest.get("outcomes_hash"),
        "report": str(store.path / "report.html") if (store.path / "report.html").is_file() else None,
    }
    if as_json:
        print_json(facts)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"{manifest['scenario']} / {manifest['run_id']}: {state}", title_justify="left")
    table.add_column("cell")
    table.add_column("done", justify="right")
    table.add_column("planned", justify="right")
    for cell, count in facts["cells"].items():
        table.add_row(cell, str(count["done"]), str(count["planned"]))
    console.print(table)
    for session in facts["sessions"]:
        console.print(
            f"session: {session['replications']} replications on {session['workers']} x {session['executor']}, "
            f"{show_duration(session['wall_s'])}, {session['cpu_s']:.0f} CPU seconds, {session['status']}",
            highlight=False,
        )
    if state == "stopped":
        console.print(f"go on with: heritage resume {store.path}", highlight=False, soft_wrap=True)
    elif facts["report"]:
        console.print(f"report: {facts['report']}", highlight=False, soft_wrap=True)


def report(path: RunFolder = RESULTS, as_json: Json = False) -> None:
    """Write a run's HTML report anew, and print its answer."""
    from heritage_experiments.report import answer_lines, write_report

    run = newest_run(path)
    written = write_report(run)
    lines = answer_lines(run)
    if as_json:
        print_json({"report": str(written), "answer": lines})
        return
    from rich.console import Console

    from heritage_experiments.display import show_answer

    console = Console()
    show_answer(console, lines)
    console.print(f"report: {written}", highlight=False, soft_wrap=True)
