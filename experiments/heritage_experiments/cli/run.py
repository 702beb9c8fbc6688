"""``heritage run`` and ``heritage resume``."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.options import Json, Out, RunFolder, Sets, console_for, newest_run, print_json

if TYPE_CHECKING:
    from heritage_experiments.display import Display
    from heritage_experiments.resources import ResourceMeter
    from heritage_experiments.runner import RunRecord
    from heritage_experiments.scenario import Scenario
    from heritage_experiments.store import RunStore

RESULTS = Path("results")
_AGAIN = "give the same command again; networks and pools that were finished are in the cache"


def run(
    scenario: Annotated[Path | None, typer.Argument(help="Scenario file (YAML).", show_default=False)] = None,
    sets: Sets = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Bound the run: 3 replications, 500 listeners, 21 days at most.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, how long, how much disk; run nothing.")
    ] = False,
    out: Out = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of scenario files and leave.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a scenario: every cell, every replication, then the answer in words and an HTML report."""
    from heritage_sim.base import InputError

    if schema:
        from heritage_experiments.scenario import json_schema

        print_json(json_schema(), indent=2)
        return
    if scenario is None:
        raise InputError(
            "no scenario was named", "heritage run", "for example: heritage run experiments/scenarios/quickstart.yaml"
        )
    from rich.markup import escape

    from heritage_experiments.resources import ResourceMeter
    from heritage_experiments.scenario_load import QUICK, cells_untouched, load_scenario

    if dry_run:
        planned = load_scenario(scenario, sets or (), quick=quick)
        notes = _reach_in_words(cells_untouched(scenario, sets or (), quick=quick))
        _show_plan(planned, out, as_json, notes)
        return
    with ResourceMeter() as meter, console_for(as_json) as console:
        checked = load_scenario(scenario, sets or (), quick=quick)
        console.print(f"[bold]{checked.name}[/bold]  {escape(checked.question)}")
        if quick:
            bounds = ", ".join(f"{key} <= {bound}" for key, bound in QUICK.items())
            console.print(f"quick: {bounds}; enough to see how it goes, not to answer the question")
        for note in _reach_in_words(cells_untouched(scenario, sets or (), quick=quick)):
            console.print(note, markup=False, highlight=False)
        from heritage_experiments.display import RunDisplay
        from heritage_experiments.runner import start_run

        cells = {c.name: checked.replications for c in checked.cells_to_run}
        with RunDisplay(console, cells, {}) as display:
            facts: dict[str, Any] = {"arguments": sys.argv[1:], "quick": quick, "source": str(scenario)}
            if quick:
                facts["whole"] = _whole(load_scenario(scenario, sets or ()), scenario, sets or [])
            with _stoppable("stopped while preparing; no run was begun", str(scenario), _AGAIN):
                store = start_run(checked, RESULTS, out, display, notes=facts)
            record = _go_on(store, checked, display, meter)
    _tell(store, record, as_json)


def resume(
    path: RunFolder = RESULTS,
    allow_mixed: Annotated[
        bool, typer.Option("--allow-mixed", help="Go on although code or data changed since it was begun.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go on with a run that was stopped or killed: what its plan holds minus what is done."""
    from heritage_experiments.display import RunDisplay
    from heritage_experiments.resources import ResourceMeter
    from heritage_experiments.runner import done_by_cell, open_run, planned_by_cell, prepare_again

    with ResourceMeter() as meter, console_for(as_json) as console:
        store, scenario = open_run(newest_run(path), allow_mixed=allow_mixed)
        done, planned = done_by_cell(store), planned_by_cell(store)
        console.print(
            f"[bold]{scenario.name}[/bold]  {sum(done.values())} of {sum(planned.values())} replications are done"
        )
        with RunDisplay(console, planned, done) as display:
            with _stoppable("stopped while preparing; the run is as it was", str(store.path), _AGAIN):
                prepare_again(store, scenario, display, allow_mixed=allow_mixed)
            record = _go_on(store, scenario, display, meter)
    _tell(store, record, as_json)


def _whole(scenario: Scenario, path: Path, sets: list[str]) -> dict[str, Any]:
    """Return how large the scenario of a quick run is without its bounds, and the command that runs it whole."""
    arguments = [str(path), *(word for one in sets for word in ("--set", one))]
    return {
        "days": scenario.economy.days,
        "listeners": scenario.listeners.num_listeners,
        "replications": scenario.replications,
        "command": f"heritage run {shlex.join(arguments)}",
    }


def _go_on(store: RunStore, scenario: Scenario, display: Display, meter: ResourceMeter) -> RunRecord:
    from heritage_experiments.runner import finish, work_off

    work_off(store, scenario, display, meter)
    with _stoppable("stopped while the report was written", str(store.path), f"heritage report {store.path}"):
        return finish(store, display, meter)


@contextlib.contextmanager
def _stoppable(what: str, where: str, remedy: str) -> Iterator[None]:
    from heritage_sim.base import StoppedError

    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(what, where, remedy) from None


def _reach_in_words(untouched: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        f"--set {argument} changes nothing in {', '.join(cells)}: what these set themselves holds there"
        for argument, cells in untouched.items()
    ]


def _show_plan(scenario: Scenario, out: Path | None, as_json: bool, notes: list[str]) -> None:
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.planning import describe_plan, plan_in_words, plan_of
    from heritage_experiments.preparing import cached_cells

    plan = plan_of(scenario)
    described = describe_plan(plan, RESULTS, out, cached_cells(plan, cache_dir()))
    if as_json:
        print_json({**described, "notes": notes})
    else:
        lines = [*plan_in_words(described), *notes]
        print("\n".join([f"{scenario.name} would run:", *(f"  {line}" for line in lines)]))


def _tell(store: RunStore, record: RunRecord, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json(asdict(record))
        return
    from rich.console import Console

    from heritage_experiments.display import show_answer, show_duration
    from heritage_experiments.report import answer_lines

    console = Console()
    show_answer(console, answer_lines(store.path))
    console.print(f"report   {record.report}", highlight=False, soft_wrap=True)
    console.print(f"run      {record.path}", highlight=False, soft_wrap=True)
    console.print(
        f"took     {show_duration(record.wall_s)}, {record.cpu_s:.0f} CPU seconds, "
        f"{record.peak_rss_bytes / 1e9:.1f} GB of memory; outcomes {record.outcomes_hash[:16]}",
        highlight=False,
    )
