"""Benches: records of one shape, the machine's facts beside them, a baseline that was measured."""

import json
import subprocess
import sys

import pytest

from heritage_experiments.bench import startup
from heritage_sim.base import HeritageError

RECORD = ["bench", "name", "value", "unit", "baseline", "ratio", "n", "note"]
TRAINS_ONCE = """\
import json, os, sys
from pathlib import Path
cache = Path(os.environ["HERITAGE_CACHE"])
print(json.dumps({"cpu_s": 1e3 if cache.exists() else 2e3}) if "run" in sys.argv else "usage")
cache.mkdir(exist_ok=True)
"""


@pytest.mark.slow  # some 15 CPU-s: two ways of stepping, memory of fresh processes, torch
def test_a_bench_prints_its_records_and_the_machine_as_one_json_list():
    command = [sys.executable, "-m", "heritage_experiments", "bench", "population", "--quick", "--json"]
    *records, machine = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert all(list(record) == RECORD and record["bench"] == "population" for record in records)
    steps = next(r for r in records if r["name"] == "listener_steps_per_core_s_1e3")
    assert steps["ratio"] == pytest.approx(steps["value"] / steps["baseline"])
    assert steps["ratio"] > 1
    assert (machine["name"], machine["bench"]) == ("machine", "population")
    assert {"processor", "cores", "memory_bytes", "versions"} <= set(machine["machine"])


@pytest.fixture
def plain_command(tmp_path, monkeypatch):
    """A command in the place of `heritage`, whose first run in an empty cache costs twice the second."""
    script = tmp_path / "plain.py"
    script.write_text(TRAINS_ONCE)
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "of-the-user"))
    monkeypatch.setattr(startup, "USED_BY_A_RUN", ("pandas",))
    monkeypatch.setattr(startup, "HERITAGE", [sys.executable, str(script)])
    return script


def test_the_first_run_meets_an_empty_cache_and_the_second_what_the_first_left(plain_command):
    records = {r["name"]: r for r in startup.run(quick=True)}
    assert list(records) == ["import_s", "cli_help_s", "first_run_cpu_s", "second_run_cpu_s"]
    assert all(list(record) == RECORD for record in records.values())
    first, second = records["first_run_cpu_s"], records["second_run_cpu_s"]
    assert (first["value"], first["baseline"], first["ratio"]) == (2e3, 1e3, 2.0)
    assert (second["value"], second["baseline"], second["ratio"]) == (1e3, 2e3, 0.5)
    assert records["import_s"]["value"] > records["import_s"]["baseline"] > 0


def test_a_measured_command_that_fails_is_named_with_what_it_said(plain_command):
    plain_command.write_text("raise SystemExit('no such thing')")
    with pytest.raises(HeritageError, match="no such thing") as caught:
        startup.run(quick=True)
    assert "plain.py --help" in caught.value.where
