"""`heritage ledger` as a user runs it: a run verified and tampered with; its ledger up, paid, killed, up again."""

import json
import os
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HERITAGE = [sys.executable, "-m", "heritage_experiments"]
TINY = """\
name: tiny
seed: 11
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}, {name: Sekarwangi, tradition: gamelan}]
listeners: {num_listeners: 60}
creators: {num_per_community: 4, base_log_odds: -1.0}
economy: {days: 6, epoch_days: 3}
generator: {kind: archive}
ledger: {kind: evm}
money_chain: {settlement: {claim_every_epochs: 0, claim_at_end: false}}
cells: [{name: only, arm: archive}]
arms: {archive: {generator: {kind: archive}}}
runtime: {executor: local}
replications: 2
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory, anvil_binary):
    """A folder with a run of two replications, the first of them on a chain, and nobody paid yet."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "tiny.yaml").write_text(TINY)
    own = {"HERITAGE_CACHE": str(folder / "cache"), "HERITAGE_ANVIL": str(anvil_binary), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **own}
    heritage((folder, environment), "run", "tiny.yaml", "--out", "run")
    return folder, environment


def heritage(desk, *arguments, code=0):
    folder, environment = desk
    command = [*HERITAGE, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr


def changed(desk, table, column, by, row):
    """Add to a row of a table of the run's first replication."""
    path = desk[0] / "run" / "parts" / table / "only--0000.parquet"
    raw = path.read_bytes()
    held = pq.read_table(path)
    values = held[column].to_pylist()
    values[row] += by
    at = held.column_names.index(column)
    pq.write_table(held.set_column(at, held.schema.field(at), [values]), path)
    return path, raw


def test_a_run_on_a_chain_is_verified_and_a_change_of_each_table_is_named(desk):
    found = heritage(desk, "ledger", "verify", "run", "--json")
    assert (found["holds"], found["num_on_chain"], found["num_replications"]) == (True, 1, 2)
    assert found["num_transactions"] > 10
    assert found["num_derived"] == found["num_permitted"]
    for table, column, by, row in (
        ("epochs", "gas", 1, -1),
        ("settlement", "days_to_withdrawable", 0.5, -1),
        ("payouts", "units", 1, 0),
    ):
        path, raw = changed(desk, table, column, by, row)
        broken = heritage(desk, "ledger", "verify", "run", "--json", code=1)
        path.write_bytes(raw)
        assert not broken["holds"]
        assert str(path).endswith(broken["first_difference"]["where"].split(",")[0])
        assert broken["first_difference"]["expected"] != broken["first_difference"]["found"]


def started(desk, *arguments):
    folder, environment = desk
    command = [*HERITAGE, "ledger", "up", *arguments, "--json"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    said = process.stdout.readline()
    assert said, process.wait(timeout=30)
    return process, json.loads(said)


def test_a_ledger_is_up_pays_dies_and_goes_on(desk):
    folder = desk[0]
    refused = heritage(desk, "ledger", "up", "run/ledger/only--0000", code=2)
    assert "embedded" in refused
    assert "--from" in refused
    first, said = started(desk, "live", "--from", "run")
    try:
        assert said["url"].startswith("http://127.0.0.1:")
        before = heritage(desk, "ledger", "status", "live", "--json")
        assert before["up_at"] == said["url"]
        assert before["units"]["unclaimed"] > 0
        payee = before["largest_dues"][0]
        paid = heritage(desk, "ledger", "claim", "live", "--payee", payee["payee"], "--json")
        assert paid["paid"] == [payee]
        assert paid["gas"] > 0
    finally:
        first.kill()
        first.wait(timeout=30)
    assert (folder / "live" / "endpoint.json").exists()
    assert "not up" in heritage(desk, "ledger", "claim", "live", "--payee", "all", code=2)
    second, again = started(desk, "live")
    try:
        assert again["contracts"] == said["contracts"]
        rest = heritage(desk, "ledger", "claim", "live", "--payee", "all", "--json")
        assert rest["units"] == before["units"]["unclaimed"] - payee["units"]
        assert payee["payee"] not in [each["payee"] for each in rest["paid"]]
        asked = heritage(desk, "ledger", "verify", "live", "--rpc", again["url"], "--json")
        assert asked["holds"]
    finally:
        second.send_signal(signal.SIGINT)
        code = second.wait(timeout=30)
    assert code == 130
    assert not (folder / "live" / "endpoint.json").exists()
    found = heritage(desk, "ledger", "verify", "live", "--anvil", "--json")
    assert found["holds"]
    assert found["way"].endswith("to the block hash")
    after = heritage(desk, "ledger", "status", "live", "--json")
    assert (after["units"]["unclaimed"], after["up_at"]) == (0, None)
    assert after["units"]["paid"] == found["paid_out_units"]


def test_exports_hold_and_a_payee_can_show_its_own_amount(desk):
    heritage(desk, "ledger", "export", "run", "--form", "auditor", "--out", "told")
    heritage(desk, "ledger", "export", "run", "--out", "told")
    heritage(desk, "ledger", "export", "run", "--proof-for", "2", "--out", "told")
    found = heritage(desk, "ledger", "verify", "told", "--ledger", "run", "--json")
    assert {row["form"] for row in found["files"]} == {"auditor", "public", "proof"}
    public, auditor = ((desk[0] / "told" / f"{form}.jsonl").read_text() for form in ("public", "auditor"))
    assert "Tirtanala fund" in auditor
    assert "Tirtanala" not in public
    path = desk[0] / "told" / "auditor.jsonl"
    path.write_text(auditor.replace("Tirtanala fund", "Tirtanala Fund", 1))
    assert "auditor.jsonl, line" in heritage(desk, "ledger", "verify", "told", code=2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("status", "nowhere"), "no run here"),
        (("claim", "nowhere", "--payee", "1"), "not a ledger's"),
        (("up", "new"), "--payees N"),
        (("up", "run"), "something else than a ledger"),
        (("export", "run", "--proof-for", "999"), "does not exist"),
    ],
)
def test_bad_input_is_told_in_words(desk, arguments, named):
    assert named in heritage(desk, "ledger", *arguments, code=2)


def test_without_anvil_the_ways_to_get_one_are_told(desk):
    folder, environment = desk
    lost = {**environment, "HERITAGE_ANVIL": str(folder / "no-anvil")}
    said = heritage((folder, lost), "ledger", "up", "new", "--payees", "3", code=2)
    assert "no Anvil program" in said
    assert "foundryup" in said
