"""``heritage calibrate``: a scenario's parameters fitted to aggregates of real listening."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from heritage_experiments.cli.options import Json, Out, ScenarioFile, Sets, console_for, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


def calibrate(
    scenario: ScenarioFile,
    targets: Annotated[
        Path, typer.Option("--targets", help="Aggregates to be met (YAML, or CSV).", show_default=False)
    ],
    parameters: Annotated[
        str,
        typer.Option(
            "--parameters",
            help="Keys to fit, with commas between, each with =LOWEST:HIGHEST if wanted, such as "
            "listeners.kappa=1:8,listeners.activity_sd. Without it: those that the target file names.",
        ),
    ] = "",
    starts: Annotated[int, typer.Option("--starts", min=1, max=64, help="Starts of the search.")] = 4,
    draws: Annotated[int, typer.Option("--draws", min=2, max=1_000, help="Simulations of each point.")] = 4,
    listeners: Annotated[
        int, typer.Option("--listeners", min=20, help="Listeners simulated; fewer if the scenario has fewer.")
    ] = 1_000,
    out: Out = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Fit parameters of a scenario's listeners to your aggregates, and say how far the result can be trusted."""
    from heritage_experiments.cache import cache_dir
    from heritage_experiments.calibration.calibrating import calibrate as fit_all
    from heritage_experiments.calibration.calibrating import space_to_simulate
    from heritage_experiments.calibration.fitting import Effort
    from heritage_experiments.calibration.listening import Window
    from heritage_experiments.calibration.page import write_page
    from heritage_experiments.calibration.showing import as_data, show
    from heritage_experiments.calibration.space import read_parameters, space_of
    from heritage_experiments.calibration.targets import read_targets
    from heritage_experiments.calibration.writing import write_scenario
    from heritage_experiments.scenario_load import load_scenario

    checked = load_scenario(scenario, sets or ())
    wanted = read_targets(targets, checked.seed)
    asked = read_parameters(parameters) if parameters else dict(wanted.bounds or {})
    space = space_of(checked, asked, "--parameters" if parameters else str(targets))
    space = space_to_simulate(space, min(listeners, checked.listeners.num_listeners))
    window = Window(wanted.days or checked.economy.days, wanted.warm_up_days)
    folder = out or Path("results") / checked.name / "calibration"
    with console_for(as_json) as console:
        with _progress(console) as (say, told):
            result = fit_all(space, wanted, window, Effort(starts, draws), cache_dir(), folder, say, told)
        written = write_scenario(folder, scenario, result, sets or ())
        page = write_page(folder, result, checked.name)
        if not as_json:
            show(console, result)
            console.print(
                f"scenario {written}\nreport   {page}\nnext     heritage run {written}", soft_wrap=True, highlight=False
            )
    if as_json:
        print_json(as_data(result) | {"scenario": str(written), "page": str(page)})


@contextmanager
def _progress(console: Console) -> Iterator[tuple[Callable[[str], None], Callable[[int], None]]]:
    """Yield what is told of the stage and of the simulations made; shows both while it goes on."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Calibrating", total=None)
        stage, simulations, began = ["begin"], [0], monotonic()

        def say(name: str) -> None:
            stage[0] = name
            if not console.is_terminal:
                so_far = f" ({simulations[0]:,} simulations in {monotonic() - began:.0f} s)" if simulations[0] else ""
                console.print(f"{name} ...{so_far}", highlight=False)

        def told(count: int) -> None:
            simulations[0] = count
            progress.update(task, description=f"{stage[0]}: {count:,} simulations")

        yield say, told
