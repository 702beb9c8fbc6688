"""Bad input: one clear message, exit code 2, and no half-made run. And what the command line promises besides."""

import json
import os
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.integration
HERITAGE = [sys.executable, "-m", "heritage_experiments"]
GOOD = """\
name: small
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 50}
economy: {days: 2, epoch_days: 2}
generator: {kind: archive}
ledger: {kind: reference}
"""


@pytest.fixture
def heritage(tmp_path):
    environment = {**os.environ, "HERITAGE_CACHE": str(tmp_path / "cache"), "HERITAGE_DATA": str(tmp_path / "data")}

    def call(*arguments):
        return subprocess.run(
            [*HERITAGE, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


@pytest.mark.parametrize(
    ("text", "where", "remedy"),
    [
        (GOOD.replace("listeners: {num", "listeners: {nun"), "s.yaml, line 4", "did you mean `num_listeners`?"),
        (GOOD.replace("days: 2,", "days: two,"), "s.yaml, line 5", "days"),
        (GOOD.replace("num_listeners: 50", "num_listeners: 0"), "s.yaml, line 4", "listeners"),
        (GOOD.replace("kind: gamelan,", "kind: imported,"), "gamelan", "heritage corpus import"),
        (GOOD.replace("kind: gamelan,", "kind: scl, path: nowhere.scl,"), "nowhere.scl", ""),
        (GOOD.replace("kind: gamelan,", "kind: scl, path: empty.scl,"), "empty.scl", ""),
        (GOOD.replace("traditions: [{", "traditions: [{]"), "s.yaml, line 2", "check"),
    ],
)
def test_a_bad_scenario_exits_with_2_says_where_and_leaves_no_run(heritage, tmp_path, text, where, remedy):
    (tmp_path / "s.yaml").write_text(text)
    (tmp_path / "empty.scl").write_text("! empty.scl\nNo notes\n 0\n")
    done = heritage("run", "s.yaml")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert where in done.stderr
    assert remedy in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "where", "remedy"),
    [
        (("--out", "taken"), "taken", "heritage resume"),
        (("--out", "s.yaml"), "s.yaml", "--out"),
        (("--out", "s.yaml/below"), "", "s.yaml\n  remedy: use --out"),
        (
            ("--set", "replications=100000", "--set", "economy.days=3650", "--set", "creators.num_per_community=10000"),
            "",
            "free some space",
        ),
    ],
)
def test_a_run_that_has_no_room_is_refused_before_anything_is_trained(heritage, tmp_path, arguments, where, remedy):
    (tmp_path / "s.yaml").write_text(GOOD.replace("generator: {kind: archive}", "generator: {kind: pool}"))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    done = heritage("run", "s.yaml", *arguments)
    assert done.returncode == 2, done.stderr
    assert f"where:  {where}" in done.stderr
    assert remedy in done.stderr
    assert not list((tmp_path / "cache").rglob("*.npz"))
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == ["s.yaml", "taken"]
    assert [p.name for p in (tmp_path / "taken").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("usage", "works", "where"),
    [
        ("listener,work,plays\na,w1,-3\n", "work\nw1\n", "usage.csv:2"),
        ("listener,work,plays\na,w1,3\na,w2,1.5\n", "work\nw1\n", "usage.csv:3"),
        ("listener,work,plays\na,w1,3\n", "work\nw1\nw1\n", "works.csv:3"),
        ("listener,work,plays\n", "work\nw1\n", "usage.csv:1"),
    ],
)
def test_a_bad_usage_file_exits_with_2_says_the_line_and_writes_nothing(heritage, tmp_path, usage, works, where):
    (tmp_path / "usage.csv").write_text(usage)
    (tmp_path / "works.csv").write_text(works)
    done = heritage("royalty", "--usage", "usage.csv", "--works", "works.csv", "--out", "made")
    assert done.returncode == 2, done.stderr
    assert where in done.stderr
    assert "remedy:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_folder_of_corrupt_scores_exits_with_2_and_imports_nothing(heritage, tmp_path):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "torn.txt").write_bytes(b"Sira\tKod\n1\t\xff\xfe")
    done = heritage("corpus", "import", "symbtr", "scores", "--name", "torn")
    assert done.returncode == 2, done.stderr
    assert "torn.txt" in done.stderr
    assert "remedy:" in done.stderr
    assert json.loads(heritage("corpus", "list", "--json").stdout) == []


def test_words_of_a_scenario_are_not_markup(heritage, tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD + 'question: "Is [/x] [bold] shown?"\n')
    done = heritage("run", "s.yaml")
    assert done.returncode == 0, done.stderr
    assert "Is [/x] [bold] shown?" in done.stdout


def test_with_json_the_error_is_json_too(heritage):
    done = heritage("run", "nowhere.yaml", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["exit_code"], error["where"]) == (2, "nowhere.yaml")
    assert error["remedy"]


def test_an_unknown_option_exits_with_2(heritage):
    assert heritage("run", "--no-such-option").returncode == 2


def test_a_dry_run_says_what_would_run_and_makes_nothing(heritage, tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD)
    done = heritage("run", "s.yaml", "--dry-run", "--json", "--set", "replications=7")
    assert done.returncode == 0
    plan = json.loads(done.stdout)
    assert (plan["runs"], plan["cells"]) == (7, ["scenario"])
    assert plan["disk_bytes"] > 0
    assert plan["wall_s"] > 0
    assert (plan["to_train_or_compose"], plan["first_time_cpu_s"]) == ([], 0)
    assert not (tmp_path / "results").exists()


def test_a_dry_run_says_what_the_cache_does_not_hold_yet(heritage, tmp_path):
    small = ("generator.kind=pool", "generator.steps=2", "generator.width=32", "generator.layers=1")
    sets = [word for key in small for word in ("--set", key)]
    (tmp_path / "s.yaml").write_text(GOOD)
    before = json.loads(heritage("run", "s.yaml", "--dry-run", "--json", *sets).stdout)
    assert before["to_train_or_compose"] == ["scenario"]
    assert before["first_time_cpu_s"] > 0
    assert heritage("run", "s.yaml", *sets).returncode == 0
    after = json.loads(heritage("run", "s.yaml", "--dry-run", "--json", *sets).stdout)
    assert (after["to_train_or_compose"], after["first_time_cpu_s"]) == ([], 0)


def test_help_answers_at_once(heritage):
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert heritage("--help").returncode == 0
        times.append(time.perf_counter() - began)
    assert min(times) < 0.5


def test_the_doctor_names_every_part_and_what_a_missing_one_costs(heritage):
    findings = json.loads(heritage("doctor", "--json").stdout)
    assert {"cores", "memory", "disk", "GPU", "anvil", "node", "ray", "torch", "music21", "cache"} <= {
        f["part"] for f in findings
    }
    assert all(f["without_it"] for f in findings)


def test_the_schema_is_json_schema(heritage):
    schema = json.loads(heritage("run", "--schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org")
    assert "economy" in schema["properties"]


def test_generate_writes_sound_and_notes_with_a_receipt(heritage, tmp_path):
    done = heritage(
        "generate", "--tradition", "gamelan", "--num", 2, "--out", "pieces", "--json", "--set", "generator.steps=2",
        "--set", "generator.width=32", "--set", "generator.layers=1", "--set", "traditions.0.num_works=20",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert len({p["receipt"]["piece_sha256"] for p in made}) == 2
    for piece in made:
        assert (tmp_path / piece["wav"]).read_bytes()[:4] == b"RIFF"
        assert (
            json.loads((tmp_path / piece["notes"]).read_text())["receipt"]["piece_sha256"]
            == piece["receipt"]["piece_sha256"]
        )
        assert piece["synthetic"] is True
