"""Options that several commands share, said once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else there.")]
ScenarioFile = Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the scenario, such as economy.days=30. Repeatable."),
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to.", show_default=False)]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run, or of a scenario's runs (then the newest).")]


def print_json(value: Any, indent: int | None = None) -> None:
    """Print a value as one line of JSON, or indented; numbers that are not finite become null."""
    import json

    sys.stdout.write(json.dumps(_finite(value), ensure_ascii=False, default=str, indent=indent) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def console_for(as_json: bool) -> Iterator[Console]:
    """Yield the console to talk on; with ``--json`` it is silent, and what libraries print goes to standard error."""
    from rich.console import Console

    if not as_json:
        yield Console()
        return
    kept = os.dup(1)
    sys.stdout.flush()
    os.dup2(2, 1)
    try:
        yield Console(quiet=True)
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def newest_run(path: Path) -> Path:
    """Return a run's folder: the path itself, or the newest run below it.

    Parameters
    ----------
    path : Path
        A run's folder, or one above it.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there is no run.
    """
    from heritage_sim.base import InputError

    if (path / "manifest.json").is_file():
        return path
    runs = [m for depth in ("*", "*/*") for m in path.glob(f"{depth}/manifest.json")] if path.is_dir() else []
    if not runs:
        raise InputError("there is no run here", str(path), "name a folder such as results/quickstart/1a2b3c4d-001")
    return max(runs, key=lambda m: m.stat().st_mtime).parent


def _finite(value: Any) -> Any:
    import math

    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value
