"""`heritage run` as a user calls it: a small scenario, from the command line to the outcomes and back."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest

from heritage_experiments.runlog import read_events
from heritage_experiments.store import RunStore

pytestmark = pytest.mark.integration

HERITAGE = [sys.executable, "-m", "heritage_experiments"]
SMALL = """\
name: small
question: Does user-centric payout narrow the gap?
seed: 11
replications: 3
traditions:
  - {name: gamelan, kind: gamelan, num_works: 20}
  - {name: panpipes, kind: panpipes, num_works: 20}
communities:
  - {name: Tirtanala, tradition: gamelan, listener_share: 0.7}
  - {name: Wayrapata, tradition: panpipes, listener_share: 0.3}
listeners: {num_listeners: 200}
creators: {num_per_community: 4, base_log_odds: -2.5}
economy: {days: 10, epoch_days: 5}
generator: {steps: 3, width: 32, layers: 1, heads: 2}
royalty: {rule: {kind: pro_rata}, shadow: [pro_rata, user_centric]}
ledger: {kind: evm, evm_replications: 0}
arms:
  archive: {generator: {kind: archive}}
  constrained: {}
cells:
  - {name: pro_rata, arm: constrained, set: {royalty.rule.kind: pro_rata}}
  - {name: user_centric, arm: constrained, set: {royalty.rule.kind: user_centric}}
  - {name: archive, arm: archive}
comparisons:
  - {name: user_centric_vs_pro_rata, treatment: user_centric, control: pro_rata}
runtime: {executor: local}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the scenario, and an environment with a cache and a data folder of its own."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "small.yaml").write_text(SMALL)
    own = {"HERITAGE_CACHE": str(folder / "cache"), "HERITAGE_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    return folder, {**os.environ, **own, "RAY_AUTH_MODE": "disabled"}


def heritage(desk, *arguments, code=0):
    folder, environment = desk
    done = subprocess.run(
        [*HERITAGE, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def undisturbed(desk):
    return json.loads(heritage(desk, "run", "small.yaml", "--json", "--out", "undisturbed").stdout)


def test_the_json_record_is_all_there_is_on_standard_output(undisturbed, desk):
    assert set(undisturbed) == {"run_id", "path", "report", "outcomes_hash", "wall_s", "cpu_s", "peak_rss_bytes"}
    assert len(undisturbed["outcomes_hash"]) == 64
    assert undisturbed["cpu_s"] > 0
    assert undisturbed["peak_rss_bytes"] > 50e6
    assert (desk[0] / undisturbed["report"]).read_text().lstrip().lower().startswith("<!doctype html>")


def test_the_run_keeps_manifest_plan_scenario_and_parts(undisturbed, desk):
    store = RunStore.open(desk[0] / undisturbed["path"])
    manifest = store.manifest()
    assert manifest["status"] == "finished"
    assert manifest["outcomes_hash"] == undisturbed["outcomes_hash"]
    assert manifest["checkpoints"]["pro_rata"] == manifest["checkpoints"]["user_centric"] != ""
    assert {"versions", "code_sha256", "seed", "hardware", "started_s", "ended_s"} <= set(manifest)
    assert len(store.plan()) == 9
    assert not store.pending()
    for table in ("payouts", "payees", "epochs", "settlement", "daily", "works"):
        assert len(store.read_table(table))
    assert (store.path / "scenario.yaml").is_file()


def test_every_epoch_shares_out_its_pool_and_the_books_balance(undisturbed, desk):
    verified = json.loads(heritage(desk, "ledger", "verify", undisturbed["path"], "--json").stdout)
    assert verified["holds"] is True
    assert verified["num_epochs"] == 9 * 2
    assert verified["pool_units"] == verified["claimed_units"] + verified["unclaimed_units"] > 0


def test_a_root_or_an_amount_that_was_tampered_with_is_found(undisturbed, desk, tmp_path):
    import shutil

    import pyarrow as pa
    import pyarrow.parquet as pq

    copy = tmp_path / "copy"
    shutil.copytree(desk[0] / undisturbed["path"], copy)
    part = next((copy / "parts" / "payouts").glob("pro_rata--*.parquet"))
    table = pq.read_table(part)
    units = table["units"].to_pylist()
    acting = [i for i, shadow in enumerate(table["shadow"].to_pylist()) if not shadow and units[i] > 0]
    units[acting[0]] -= 1
    units[acting[1]] += 1
    pq.write_table(table.set_column(table.schema.get_field_index("units"), "units", pa.array(units, pa.int64())), part)
    found = json.loads(heritage(desk, "ledger", "verify", copy, "--json", code=1).stdout)
    assert found["faults"]
    assert all("root" in fault for fault in found["faults"])


def test_paired_replications_meet_the_same_listeners(undisturbed, desk):
    outcomes = RunStore.open(desk[0] / undisturbed["path"]).read_table("outcomes")
    sessions = outcomes[outcomes["name"] == "sessions"].pivot(index="replication", columns="cell", values="value")
    assert sessions["pro_rata"].nunique() > 1
    daily = RunStore.open(desk[0] / undisturbed["path"]).read_table("daily")
    first = daily[daily["day"] == 0].pivot(index="replication", columns="cell", values="sessions")
    assert (first["pro_rata"] == first["user_centric"]).all()


def test_shards_do_not_change_an_outcome(undisturbed, desk):
    for shards in (2, 5):
        again = heritage(
            desk, "run", "small.yaml", "--json", "--out", f"s{shards}", "--set", f"runtime.shards={shards}"
        )
        assert json.loads(again.stdout)["outcomes_hash"] == undisturbed["outcomes_hash"]


def test_renaming_and_permuting_arms_and_cells_changes_nothing(undisturbed, desk):
    text = SMALL.replace("archive: {generator", "zebra: {generator").replace("arm: archive", "arm: zebra")
    text = text.replace("name: archive,", "name: quagga,")
    lines = text.splitlines()
    at = [i for i, line in enumerate(lines) if (line.startswith("  - {name: ") and "set:" in line) or "quagga" in line]
    lines[at[0]], lines[at[2]] = lines[at[2]], lines[at[0]]
    (desk[0] / "renamed.yaml").write_text("\n".join(lines))
    again = heritage(desk, "run", "renamed.yaml", "--json", "--out", "renamed")
    assert json.loads(again.stdout)["outcomes_hash"] == undisturbed["outcomes_hash"]


def test_two_arms_with_one_mechanism_give_equal_outcomes(desk):
    text = SMALL[: SMALL.index("arms:")] + (
        "arms:\n  first: {generator: {masks: true}}\n  second: {generator: {masks: true}}\n"
        "cells:\n  - {name: a, arm: first}\n  - {name: b, arm: second}\n"
        "comparisons:\n  - {name: b_vs_a, treatment: b, control: a}\nruntime: {executor: local}\n"
    )
    (desk[0] / "placebo.yaml").write_text(text)
    record = json.loads(heritage(desk, "run", "placebo.yaml", "--json", "--out", "placebo").stdout)
    outcomes = RunStore.open(desk[0] / record["path"]).read_table("outcomes")
    a, b = (outcomes[outcomes["cell"] == c].set_index(["replication", "name"])["value"] for c in "ab")
    assert len(a) == len(b) > 100
    assert all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(a, b.reindex(a.index), strict=True))


def test_a_killed_run_is_taken_up_without_repeating_a_finished_replication(undisturbed, desk):
    folder, environment = desk
    driver = subprocess.Popen(
        [*HERITAGE, "run", "small.yaml", "--json", "--out", "killed"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    outcomes = folder / "killed" / "parts" / "outcomes"
    _wait_for(lambda: len(list(outcomes.glob("[!.]*.parquet"))) >= 2, driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait(timeout=30)
    store = RunStore.open(folder / "killed")
    done = {t: store.part_path("outcomes", t).stat().st_mtime_ns for t in store.plan() if store.is_done(t)}
    assert 2 <= len(done) < 9
    status = json.loads(heritage(desk, "status", "killed", "--json").stdout)
    assert (status["state"], status["done"]) == ("stopped", len(done))
    record = json.loads(heritage(desk, "resume", "killed", "--json").stdout)
    assert record["outcomes_hash"] == undisturbed["outcomes_hash"]
    assert {t: store.part_path("outcomes", t).stat().st_mtime_ns for t in done} == done
    ended = [e for e in read_events(folder / "killed") if e["event"] == "replication finished"]
    finished = [(e["cell"], e["replication"]) for e in ended]
    assert sorted(finished) == sorted(set(finished))


def test_a_finished_run_is_resumed_by_doing_nothing(undisturbed, desk):
    record = json.loads(heritage(desk, "resume", undisturbed["path"], "--json").stdout)
    assert record["outcomes_hash"] == undisturbed["outcomes_hash"]
    events = read_events(desk[0] / undisturbed["path"])
    assert sum(e["event"] == "replication began" for e in events) == 9


def test_other_code_is_refused_unless_it_is_allowed(undisturbed, desk, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(desk[0] / undisturbed["path"], copy)
    RunStore.open(copy).update_manifest(code_sha256="0" * 64)
    refused = heritage(desk, "resume", copy, code=2)
    assert "other code" in refused.stderr
    assert "--allow-mixed" in refused.stderr
    heritage(desk, "resume", copy, "--allow-mixed", "--json")


def test_ray_workers_give_the_outcomes_of_this_process(undisturbed, desk):
    again = heritage(desk, "run", "small.yaml", "--json", "--out", "ray", "--set", "runtime.executor=ray")
    assert json.loads(again.stdout)["outcomes_hash"] == undisturbed["outcomes_hash"]
    assert RunStore.open(desk[0] / "ray").manifest()["sessions"][0]["executor"] == "ray"


def test_a_model_in_process_gives_the_outcomes_of_the_pool(undisturbed, desk):
    again = heritage(desk, "run", "small.yaml", "--json", "--out", "model", "--set", "generator.kind=transformer")
    assert json.loads(again.stdout)["outcomes_hash"] == undisturbed["outcomes_hash"]


def _wait_for(holds, process, limit_s=240.0):
    stop = time.monotonic() + limit_s
    while not holds():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < stop
        time.sleep(0.02)
