"""What it costs to begin: importing, asking for help, a first run and a second one.

The runs are small scenarios of the whole economy in a cache folder of their own, so a first run trains and fills its
pools whatever the user's own cache holds. Their baseline is the same interpreter doing nothing.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).parents[2] / "scenarios" / "quickstart.yaml"
NOTHING = [sys.executable, "-c", "pass"]
HERITAGE = [sys.executable, "-m", "heritage_experiments"]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the records; ``quick`` measures the runs on one replication of two small cells.

    Parameters
    ----------
    quick : bool
        Shrink the runs; without it they are the quickstart itself.

    Returns
    -------
    list of dict
        ``bench, name, value, unit, baseline, ratio, n, note``.
    """
    repeats = 3 if quick else 7
    nothing = _median_wall_s(NOTHING, repeats)
    imports = _median_wall_s([sys.executable, "-c", "import heritage_experiments.runner"], repeats)
    helps = _median_wall_s([*HERITAGE, "--help"], repeats)
    records = [
        _record("import_s", imports, "s", nothing, repeats, "import of everything a run needs; median wall time"),
        _record("cli_help_s", helps, "s", nothing, repeats, "heritage --help; median wall time"),
    ]
    bare_cpu = _cpu_s(NOTHING, None)
    size = ["--quick"] if quick else []
    what = "quickstart --quick" if quick else "quickstart"
    with tempfile.TemporaryDirectory(prefix="heritage-bench-") as folder:
        for name in ("first_run_cpu_s", "second_run_cpu_s"):
            out = Path(folder) / name
            command = [*HERITAGE, "run", str(SCENARIO), "--json", "--out", str(out), *size]
            note = (
                f"{what}, {'empty' if name.startswith('first') else 'filled'} cache; CPU time of the whole process tree"
            )
            records.append(_record(name, _cpu_s(command, Path(folder) / "cache"), "s", bare_cpu, 1, note))
    return records


def _record(name: str, value: float, unit: str, baseline: float, n: int, note: str) -> dict[str, Any]:
    ratio = value / baseline if baseline > 0 else None
    note = f"{note}; baseline: python -c pass"
    return {
        "bench": "startup",
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "baseline": round(baseline, 4),
        "ratio": None if ratio is None else round(ratio, 2),
        "n": n,
        "note": note,
    }


def _median_wall_s(command: list[str], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _cpu_s(command: list[str], cache: Path | None) -> float:
    """Return CPU seconds: those that a run reports of its tree (Ray's included), or those of the child process."""
    import json

    environment = dict(os.environ) | ({"HERITAGE_CACHE": str(cache)} if cache else {})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    waited = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    reported = json.loads(done.stdout)["cpu_s"] if done.stdout.strip() else 0.0
    return max(waited, reported)
