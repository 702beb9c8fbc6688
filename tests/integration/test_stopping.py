"""Ctrl-C says what is kept and how to go on, whenever it comes; exit code 130."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.integration
SCENARIO = """\
name: small
replications: 300
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 200}
economy: {days: 20, epoch_days: 5}
ledger: {kind: reference}
runtime: {executor: local}
"""


def heeding():
    # Whoever runs the tests in the background has Ctrl-C ignored, and would pass that on.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stopped(tmp_path, generator, is_time, *options):
    (tmp_path / "s.yaml").write_text(SCENARIO + f"generator: {generator}\n")
    environment = {**os.environ, "HERITAGE_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-u", "-m", "heritage_experiments", "run", "s.yaml", *options]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=out, stderr=subprocess.PIPE, text=True, preexec_fn=heeding
        )
        deadline = time.monotonic() + 90
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    return said


def test_while_training_no_run_is_left_and_that_is_said(tmp_path):
    generator = "{kind: pool, steps: 100000, width: 32, layers: 1, heads: 2}"
    said = stopped(tmp_path, generator, lambda: "Training" in (tmp_path / "out").read_text())
    assert "stopped while preparing; no run was begun" in said
    assert "remedy:" in said
    assert not list(tmp_path.glob("results/*/*"))


def test_while_replications_run_what_is_finished_is_kept_and_the_way_on_is_said(tmp_path):
    said = stopped(
        tmp_path,
        "{kind: archive}",
        lambda: len(list((tmp_path / "results").glob("small/*/parts/outcomes/*.parquet"))) > 2,
        "--json",
    )
    assert "stopped; what was finished is kept" in said
    run = next((tmp_path / "results" / "small").iterdir())
    assert f"heritage resume {run.relative_to(tmp_path)}" in said
    error = json.loads((tmp_path / "out").read_text())["error"]
    assert error["exit_code"] == 130
    assert json.loads((run / "manifest.json").read_text())["status"] == "stopped"
