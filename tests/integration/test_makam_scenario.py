"""Real makam scores, from the import on the command line to an economy that runs on them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heritage_experiments.store import RunStore

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "symbtr"
SCENARIO = Path(__file__).resolve().parents[2] / "experiments" / "scenarios" / "makam.yaml"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the SymbTr scores are not on this machine"),
]
pytest.importorskip("torch")

SMALL = {
    "replications": 2,
    "listeners.num_listeners": 300,
    "economy.days": 7,
    "generator.steps": 3,
    "generator.width": 32,
    "generator.layers": 1,
    "generator.heads": 2,
    "runtime.executor": "local",
}
SETS = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]


def heritage(folder, *arguments, code=0):
    own = {"HERITAGE_CACHE": str(folder / "cache"), "HERITAGE_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "heritage_experiments", *map(str, arguments)],
        cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-3000:]
    return done


def test_an_economy_runs_on_imported_scores_and_says_what_is_missing_before(tmp_path):
    run = ("run", SCENARIO, *SETS, "--out", "run", "--json")
    refused = heritage(tmp_path, *run, code=2).stderr
    assert "no imported tradition 'makam'" in refused
    assert "heritage corpus import symbtr PATH --name makam" in refused
    assert not (tmp_path / "run").exists()

    summary = json.loads(heritage(tmp_path, "corpus", "import", "symbtr", DATA, "--name", "makam", "--json").stdout)
    assert (summary["num_read"], summary["left_out"]) == (402, [])
    record = json.loads(heritage(tmp_path, *run).stdout)
    works = RunStore.open(tmp_path / record["path"]).read_table("works")
    archive = works[(works["origin"] == "archive") & (works["tradition"] == "makam") & (works["replication"] == 0)]
    assert len(archive) == 300 * archive["cell"].nunique()
    assert not archive["synthetic"].any()
    made = works[(works["origin"] == "generated") & (works["tradition"] == "makam")]
    assert len(made)
    assert made["synthetic"].all()
    assert json.loads(heritage(tmp_path, "ledger", "verify", record["path"], "--json").stdout)["holds"] is True

    written = json.loads(
        heritage(
            tmp_path, "generate", "--scenario", SCENARIO, *SETS, "--tradition", "makam", "--num", 1, "--json"
        ).stdout
    )
    assert [piece["num_violations"] for piece in written] == [0]
