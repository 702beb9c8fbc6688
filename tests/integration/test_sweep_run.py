"""A swept comparison from the file to the report; its cells equal runs at these values. About 10 CPU seconds."""

import json
import os
import subprocess
import sys

import pytest

from heritage_experiments.store import RunStore

pytestmark = pytest.mark.integration

SWEPT = """\
name: swept
seed: 5
replications: 3
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 60}
creators: {num_per_community: 4}
economy: {days: 7, epoch_days: 7}
generator: {kind: archive}
royalty: {rule: {kind: pro_rata}, shadow: []}
cells:
  - {name: people, set: {royalty.rule.kind: user_centric}}
  - {name: plays, set: {royalty.rule.kind: pro_rata}}
comparisons:
  - name: people_vs_plays
    treatment: people
    control: plays
    outcome: payout_gini_creators
    sweep: {key: listeners.activity_sd, values: [0, 1.5]}
runtime: {executor: local}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept")
    (folder / "swept.yaml").write_text(SWEPT)
    own = {"HERITAGE_CACHE": str(folder / "cache"), "HERITAGE_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    return folder, {**os.environ, **own}


def outcomes(desk, out, *sets):
    folder, environment = desk
    command = [sys.executable, "-m", "heritage_experiments", "run", "swept.yaml", "--json", "--out", out]
    command += [part for text in sets for part in ("--set", text)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    table = RunStore.open(folder / out).read_table("outcomes")
    return {cell: rows.set_index(["replication", "name"])["value"] for cell, rows in table.groupby("cell")}


def test_cells_of_a_sweep_equal_runs_at_its_values_and_the_report_says_where_it_turns(desk):
    swept = outcomes(desk, "swept")
    alone = outcomes(desk, "alone", "listeners.activity_sd=1.5")
    for cell in ("people", "plays"):
        assert swept[f"{cell}-listeners-activity_sd-1_5"].equals(alone[cell])
        assert not swept[cell].equals(alone[cell])
    page = (desk[0] / "swept" / "report.html").read_text(encoding="utf-8")
    assert 'id="sweeps"' in page
    assert "eople compared with plays, by the " in page
    assert "listeners.activity_sd" in page
    (kept,) = json.loads((desk[0] / "swept" / "sweeps.json").read_text(encoding="utf-8"))
    assert [d["value"] for d in kept["differences"]] == [0.0, 1.5]
    assert (desk[0] / "swept" / "figures" / "sweep-people_vs_plays-listeners-activity_sd.svg").is_file()
