"""``heritage doctor`` and ``heritage bench``: what this machine has, and what it does."""

from __future__ import annotations

from typing import Annotated

import typer

from heritage_experiments.cli.options import Json, print_json

BENCHES = ("startup", "population", "engagement", "ledger", "ledger-year")


def doctor(as_json: Json = False) -> None:
    """Say what is there (cores, memory, GPU, Ray, torch, node, Anvil, caches) and what a missing part costs."""
    from heritage_experiments.doctor import examine

    findings = examine()
    if as_json:
        print_json([{"part": f.part, "found": f.found, "ok": f.ok, "without_it": f.without_it} for f in findings])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=False)
    table.add_column("part")
    table.add_column("")
    table.add_column("found", overflow="fold")
    table.add_column("without it", overflow="fold")
    for f in findings:
        table.add_row(
            f.part, "[green]yes[/green]" if f.ok else "[yellow]no[/yellow]", f.found, "" if f.ok else f.without_it
        )
    Console().print(table)


def bench(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(BENCHES)}.", show_default=False)],
    quick: Annotated[bool, typer.Option("--quick", help="A smaller measurement.")] = False,
    as_json: Json = False,
) -> None:
    """Measure something beside its baseline, on the same work in the same run."""
    from heritage_experiments.code_version import hardware, versions
    from heritage_sim.base import InputError

    if name == "startup":
        from heritage_experiments.bench.startup import run as measure
    elif name == "population":
        from heritage_experiments.bench.population import run as measure
    elif name == "engagement":
        from heritage_experiments.bench.engagement import run as measure
    elif name == "ledger":
        from heritage_experiments.bench.ledger import run as measure
    elif name == "ledger-year":
        from heritage_experiments.bench.ledger_year import run as measure
    else:
        raise InputError(f"there is no bench {name!r}", "heritage bench", f"one of: {', '.join(BENCHES)}")
    from heritage_experiments.cli.options import console_for

    with console_for(as_json):
        records = list(measure(quick))
    machine = hardware() | {"versions": versions()}
    if as_json:
        print_json(
            [
                *records,
                {
                    "bench": name,
                    "name": "machine",
                    "value": None,
                    "unit": "",
                    "baseline": None,
                    "ratio": None,
                    "n": 1,
                    "note": "facts of the machine",
                    "machine": machine,
                },
            ]
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{name}, on {machine['processor']} ({machine['cores']} cores)", title_justify="left")
    for head in ("name", "value", "unit", "baseline", "ratio", "n"):
        table.add_column(
            head, justify="right" if head in ("value", "baseline", "ratio", "n") else "left", overflow="fold"
        )
    for r in records:
        table.add_row(
            r["name"], _short(r["value"]), r["unit"], _short(r["baseline"]), _short(r["ratio"]), f"{r['n']:,}"
        )
    console = Console()
    console.print(table)
    for r in records:
        console.print(f"{r['name']}: {r['note']}", style="dim", highlight=False)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
