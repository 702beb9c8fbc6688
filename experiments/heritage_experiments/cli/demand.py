"""``heritage demand``: the requests that creators and buyers make, as a trace for a load tester."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heritage_experiments.cli.options import Json, ScenarioFile, Sets, print_json

if TYPE_CHECKING:
    from heritage_experiments.demand_sources import Asked

app = typer.Typer(help="What creators and buyers ask a generation service for, and when.", no_args_is_help=True)


class WhoAsks(StrEnum):
    """Whose requests."""

    both = "both"
    buyers = "buyers"
    creators = "creators"


class TraceLayout(StrEnum):
    """How a trace is laid out."""

    heritage = "heritage"
    mooncake = "mooncake"
    azure = "azure"


Days = Annotated[
    int | None,
    typer.Option("--days", help="Days of demand, from day 0 on. Without it: the economy's.", min=1, show_default=False),
]
WhoOption = Annotated[WhoAsks, typer.Option("--who", help="Whose requests.")]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        help="Take the creators' commissions from this finished run; without it the economy is lived for them.",
        show_default=False,
    ),
]
CellOption = Annotated[
    str | None, typer.Option("--cell", help="Cell of the scenario. Without it: the first.", show_default=False)
]
Replication = Annotated[int, typer.Option("--replication", help="Number of the replication.", min=0)]


@app.command("export")
def export(
    scenario: ScenarioFile,
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv, .jsonl or .parquet.", show_default=False)],
    days: Days = None,
    who: WhoOption = WhoAsks.both,
    layout: Annotated[
        TraceLayout, typer.Option("--layout", help="Columns: our own, or those that replayers of public traces read.")
    ] = TraceLayout.heritage,
    run: RunOption = None,
    cell: CellOption = None,
    replication: Replication = 0,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Write the demand as a trace: timestamp, input_length, output_length, then what else is known of a request."""
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.cli.options import console_for
    from heritage_experiments.demand_sources import demand_of
    from heritage_experiments.demand_trace import COLUMNS, check_target, write_trace
    from heritage_sim.base import DAY_S

    check_target(out, layout.value)
    asked = _asked(scenario, days, who, run, cell, replication, sets)
    with console_for(as_json):
        arrivals = demand_of(asked, cache_dir()).arrivals(0.0, float(asked.days * DAY_S))
        num_requests = write_trace(arrivals, out, layout.value, asked.scenario.economy.genesis_s)
    about = {
        "file": str(out),
        "layout": layout.value,
        "columns": list(COLUMNS[layout.value]),
        "requests": num_requests,
        "days": asked.days,
        "cell": asked.cell,
        "replication": replication,
        "seed": asked.scenario.seed,
    }
    if as_json:
        print_json(about)
        return
    print(f"{out}: {num_requests:,} requests of {asked.days} days, lengths in note events")


@app.command("describe")
def describe(
    scenario: ScenarioFile,
    days: Days = None,
    who: WhoOption = WhoAsks.buyers,
    run: RunOption = None,
    cell: CellOption = None,
    replication: Replication = 0,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Show the demand: how many requests by hour and weekday, for what, how long, and how patient."""
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.cli.options import console_for
    from heritage_experiments.demand_shape import shape_of, shape_text
    from heritage_experiments.demand_sources import demand_of
    from heritage_sim.base import DAY_S

    asked = _asked(scenario, days, who, run, cell, replication, sets)
    with console_for(as_json):
        arrivals = demand_of(asked, cache_dir()).arrivals(0.0, float(asked.days * DAY_S))
        shape = shape_of(arrivals, asked.scenario.demand, asked.days)
    if who is WhoAsks.creators:
        shape["buyers_expected"] = 0.0
        for name in ("by_hour_buyers_expected", "by_weekday_buyers_expected"):
            shape[name] = [0.0] * len(shape[name])
    if as_json:
        print_json(shape)
        return
    print(shape_text(shape))


def _asked(
    path: Path,
    days: int | None,
    who: WhoAsks,
    run: Path | None,
    cell: str | None,
    replication: int,
    sets: list[str] | None,
) -> Asked:
    from heritage_experiments.cli.options import newest_run
    from heritage_experiments.demand_sources import Asked
    from heritage_experiments.scenario_load import load_scenario, resolve_cell
    from heritage_sim.base import InputError

    whole = load_scenario(path, sets or ())
    names = [c.name for c in whole.cells_to_run]
    name = names[0] if cell is None else cell
    if name not in names:
        raise InputError(f"the scenario has no cell {name!r}", f"--cell {name}", f"one of: {', '.join(names)}")
    scenario = resolve_cell(whole, whole.cell(name))
    folder = None if run is None else newest_run(run)
    return Asked(scenario, name, replication, days or scenario.economy.days, who.value, folder)
