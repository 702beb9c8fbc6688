"""What it costs to begin: importing, asking for help, a first run and a second one.

The runs are the quickstart in a cache folder of their own, so the first trains and fills its pools whatever the user's
own cache holds. Importing and help are measured beside the same interpreter doing nothing, each run beside the other:
they are the same work but for what the cache holds.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from heritage_sim.base import HeritageError, InputError

SCENARIO = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"
NOTHING = [sys.executable, "-c", "pass"]
HERITAGE = [sys.executable, "-m", "heritage_experiments"]
USED_BY_A_RUN = (
    "heritage_experiments.replication",
    "heritage_experiments.report",
    "heritage_sim.economy",
    "heritage_agents.listeners.cohort",
    "heritage_agents.people",
    "heritage_models.encoder",
    "heritage_models.generator",
    "heritage_models.recommenders",
    "heritage_contracts.nodes.embedded",
)
"""What a run with a filled cache loads one after the other; torch and Ray it loads only where it needs them."""


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the records; ``quick`` measures the runs on a quickstart bounded as by ``heritage run --quick``.

    Parameters
    ----------
    quick : bool
        Shrink the runs; without it they are the quickstart itself.

    Returns
    -------
    list of dict
        ``bench, name, value, unit, baseline, ratio, n, note``.

    Raises
    ------
    InputError
        If the scenario is not there: it comes with the repository, not with the installed package.
    HeritageError
        If a command that is measured fails.
    """
    if not SCENARIO.is_file():
        raise InputError("the quickstart scenario is not there", str(SCENARIO), "run this bench from the repository")
    repeats = 3 if quick else 7
    nothing_s = _median_wall_s(NOTHING, repeats)
    imports_s = _median_wall_s([sys.executable, "-c", f"import {', '.join(USED_BY_A_RUN)}"], repeats)
    helps_s = _median_wall_s([*HERITAGE, "--help"], repeats)
    size, what = (["--quick"], "quickstart --quick") if quick else ([], "quickstart")
    with tempfile.TemporaryDirectory(prefix="heritage-bench-") as folder:
        first_s, second_s = (
            _run_cpu_s([*HERITAGE, "run", str(SCENARIO), "--json", "--out", str(Path(folder) / out), *size], folder)
            for out in ("first", "second")
        )
    tree = "CPU time of the whole process tree"
    idle = "median wall time; baseline: python -c pass"
    return [
        _record("import_s", imports_s, "s", nothing_s, repeats, f"import of what a run uses; {idle}"),
        _record("cli_help_s", helps_s, "s", nothing_s, repeats, f"heritage --help; {idle}"),
        _record(
            "first_run_cpu_s", first_s, "CPU-s", second_s, 1, f"{what}, empty cache; {tree}; baseline: the second run"
        ),
        _record(
            "second_run_cpu_s", second_s, "CPU-s", first_s, 1, f"{what}, filled cache; {tree}; baseline: the first run"
        ),
    ]


def _record(name: str, value: float, unit: str, baseline: float, n: int, note: str) -> dict[str, Any]:
    return {
        "bench": "startup",
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "baseline": round(baseline, 4),
        "ratio": round(value / baseline, 2),
        "n": n,
        "note": note,
    }


def _median_wall_s(command: list[str], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        _output(command, dict(os.environ))
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _run_cpu_s(command: list[str], folder: str) -> float:
    """Return CPU seconds: those that a run reports of its tree (Ray's included), or those of the child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    record = json.loads(_output(command, dict(os.environ) | {"HERITAGE_CACHE": str(Path(folder) / "cache")}))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    waited_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(waited_s, record["cpu_s"])


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        told = (done.stderr.strip() or "nothing was said").splitlines()[-1]
        raise HeritageError(
            f"what was to be measured failed: {told}", " ".join(command), "run that command by itself to see why"
        )
    return done.stdout
