"""Processes that a run has started are killed in its middle: it goes on, with the outcomes of an undisturbed run.

The undisturbed run is in one process and takes its pieces from a pool, so this also holds shards on Ray and the
generation service to the outcomes of the plainest run.
"""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from heritage_experiments.runlog import read_events
from heritage_experiments.store import RunStore

pytestmark = [pytest.mark.integration, pytest.mark.slow]
pytest.importorskip("ray.serve")

HERITAGE = [sys.executable, "-m", "heritage_experiments"]
SHARDED = ("--set", "runtime.executor=ray", "--set", "runtime.shards=2")
SERVED = ("--set", "generator.kind=serve")
TINY = """\
name: tiny
question: Does a run survive the death of what it started?
seed: 12
replications: 2
traditions:
  - {name: gamelan, kind: gamelan, num_works: 20}
  - {name: panpipes, kind: panpipes, num_works: 20}
communities:
  - {name: Tirtanala, tradition: gamelan}
  - {name: Wayrapata, tradition: panpipes}
listeners: {num_listeners: 200}
creators: {num_per_community: 4, base_log_odds: -2.0}
economy: {days: 12, epoch_days: 5}
generator: {steps: 3, width: 32, layers: 1, heads: 2}
royalty: {rule: {kind: pro_rata}}
ledger: {kind: reference}
arms:
  archive: {generator: {kind: archive}}
  made: {}
cells:
  - {name: made, arm: made}
  - {name: archive, arm: archive}
comparisons:
  - {name: made_vs_archive, treatment: made, control: archive}
runtime: {executor: local}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the scenario, and an environment with a cache and a data folder of its own."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "tiny.yaml").write_text(TINY)
    own = {"HERITAGE_CACHE": str(folder / "cache"), "HERITAGE_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    return folder, {**os.environ, **own, "RAY_AUTH_MODE": "disabled"}


def begun(desk, out, *arguments):
    folder, environment = desk
    command = [*HERITAGE, "run", "tiny.yaml", "--json", "--out", out, *arguments]
    with (folder / f"{out}.stderr").open("w") as told:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=told, text=True)


def ended(desk, out, driver):
    """Return the record of a run that ends well."""
    record, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, (desk[0] / f"{out}.stderr").read_text()[-3000:]
    return json.loads(record)


@pytest.fixture(scope="module")
def undisturbed(desk):
    return ended(desk, "undisturbed", begun(desk, "undisturbed"))


def processes(driver, title):
    """Return the living processes below a run whose title begins so; Ray names its workers by what they do."""
    found = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            if (process.cmdline() or [""])[0].startswith(title) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def events(desk, out, name):
    return [e for e in read_events(desk[0] / out) if e["event"] == name]


def wait_for(found, driver, limit_s=240.0):
    """Return what ``found()`` returns as soon as that is something; the run must still be going on."""
    stop = time.monotonic() + limit_s
    while not (value := found()):
        assert driver.poll() is None, "the run ended too early"
        assert time.monotonic() < stop
        time.sleep(0.01)
    return value


def each_replication_was_begun_once(desk, out):
    tasks = [(e["cell"], e["replication"]) for e in events(desk, out, "replication began")]
    return sorted(tasks) == [(cell, r) for cell in ("archive", "made") for r in range(2)]


def test_a_run_goes_on_when_a_shard_is_killed(undisturbed, desk):
    driver = begun(desk, "sharded", *SHARDED)
    # Its title has a dot while it answers a call: here on the first days of the first replication.
    at_work = wait_for(lambda: processes(driver, "ray::ShardActor."), driver)
    os.kill(at_work[0].pid, signal.SIGKILL)
    record = ended(desk, "sharded", driver)
    assert record["outcomes_hash"] == undisturbed["outcomes_hash"]
    assert len(events(desk, "sharded", "shard lost")) == 1
    assert each_replication_was_begun_once(desk, "sharded")
    assert RunStore.open(desk[0] / "sharded").manifest()["sessions"][0]["executor"] == "ray"


def test_a_run_goes_on_when_a_replica_of_the_generation_service_is_killed(undisturbed, desk):
    driver = begun(desk, "served", *SERVED)
    wait_for(lambda: events(desk, "served", "replication finished"), driver)
    (replica,) = processes(driver, "ray::ServeReplica")
    os.kill(replica.pid, signal.SIGKILL)
    killed_s = time.time()
    wait_for(lambda: [p for p in processes(driver, "ray::ServeReplica") if p.pid != replica.pid], driver)
    record = ended(desk, "served", driver)
    assert record["outcomes_hash"] == undisturbed["outcomes_hash"]
    assert each_replication_was_begun_once(desk, "served")
    # A replication that began after the kill published derived pieces: another replica composed them.
    last = [e for e in events(desk, "served", "replication began") if e["cell"] == "made"][-1]
    assert last["time_s"] > killed_s
    works = RunStore.open(desk[0] / "served").read_table("works")
    assert ((works["replication"] == last["replication"]) & (works["origin"] == "generated")).any()
