"""The calibrated scenario: a few lines that build on the scenario which was calibrated."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from heritage_experiments.calibration.calibrating import Calibration
from heritage_experiments.scenario_source import item_in, put, read_source
from heritage_sim.base import StorageError

NAME = "calibrated.yaml"


def write_scenario(folder: Path, base: Path, result: Calibration, sets: Sequence[str] = ()) -> Path:
    """Write a scenario that extends the calibrated one with the fitted values, and return its path.

    A list (communities) has to be written whole where one of its items changes: ``extends`` replaces lists.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    base : Path
        The scenario that was calibrated.
    result : Calibration
        What came out.
    sets : sequence of str
        ``--set`` arguments under which it was calibrated.

    Returns
    -------
    Path

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    source = read_source(base)
    for argument in sets:
        source.assign(argument)
    data: dict[str, Any] = {
        "extends": Path(os.path.relpath(base.resolve(), folder.resolve())).as_posix(),
        "name": f"{source.data['name']}-calibrated",
    }
    written = [argument.partition("=")[0].strip().split(".") for argument in sets]
    for path in [*written, *(estimate.key.split(".") for estimate in result.estimates)]:
        if path[0] not in data and isinstance(source.data.get(path[0]), list):
            data[path[0]] = source.data[path[0]]
    for path in written:
        value: Any = source.data
        for key in path:
            at: Any = item_in(value, key) if isinstance(value, list) else key
            value = value[at]
        put(data, path, value, NAME)
    for estimate in result.estimates:
        put(data, estimate.key.split("."), estimate.value, NAME)
    lines = [
        "# Fitted to aggregates of listening by heritage calibrate; the report beside it says how far to trust it.",
        *(f"# {e.key}: {e.value:.4g}, between {e.low:.4g} and {e.high:.4g} (90 %), was {e.before:.4g}"
          for e in result.estimates),
    ]  # fmt: skip
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
        path.write_text("\n".join(lines) + "\n" + text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write: {error.strerror}", str(folder), "name a folder that can be written to"
        ) from error
    return path
