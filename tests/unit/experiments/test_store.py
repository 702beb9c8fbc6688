"""What a run's folder keeps: whole files, a plan, and what is done."""

import errno
import shutil

import numpy as np
import pytest

from heritage_experiments.store import RunStore, Task, check_folder, check_free_disk
from heritage_experiments.tables import arrow_table
from heritage_sim.base import TALLY, InputError, StorageError

TASKS = [Task(r, c) for r in range(3) for c in ("a", "b")]


def outcomes(task, value=1.5):
    return {
        "cell": task.cell,
        "arm": "",
        "rule": "pro_rata",
        "replication": task.replication,
        "name": ["x", "y"],
        "value": np.array([value, np.nan]),
        "unit": ["1", "days"],
        "n": [3, 4],
    }


def new_store(tmp_path, out=None):
    store = RunStore.create(tmp_path / "results", "small", "ab12" * 16, out)
    store.write_plan(TASKS)
    store.update_manifest(run_id="r")
    return store


def test_pending_is_the_plan_minus_what_is_done(tmp_path):
    store = new_store(tmp_path)
    assert store.pending() == TASKS
    for task in (TASKS[1], TASKS[4]):
        store.write_parts(task, {"outcomes": outcomes(task)})
    assert RunStore.open(store.path).pending() == [TASKS[0], TASKS[2], TASKS[3], TASKS[5]]


def test_two_runs_of_one_scenario_never_share_a_folder(tmp_path):
    first, second = new_store(tmp_path), new_store(tmp_path)
    assert [s.path.name for s in (first, second)] == ["ab12ab12-001", "ab12ab12-002"]


def test_a_given_folder_that_holds_something_is_refused(tmp_path):
    out = tmp_path / "mine"
    new_store(tmp_path, out)
    with pytest.raises(InputError, match="not empty"):
        new_store(tmp_path, out)


def test_the_part_that_marks_a_replication_as_done_is_written_last(tmp_path, monkeypatch):
    store, task = new_store(tmp_path), TASKS[0]
    written = []
    real = RunStore._write_parquet

    def spy(self, path, table):
        written.append(path.parent.name)
        real(self, path, table)

    monkeypatch.setattr(RunStore, "_write_parquet", spy)
    counted = (*TALLY, "plays_archive", "plays_human")
    daily = {name: [1] for name in counted}
    daily |= {"cell": "a", "replication": 0, "day": [0], "plays_generated": [0], "plays_community_0": [1]}
    store.write_parts(task, {"outcomes": outcomes(task), "daily": daily})
    assert written == ["daily", "outcomes"]


def test_a_full_disk_is_one_message_and_leaves_no_half_file(tmp_path, monkeypatch):
    store, task = new_store(tmp_path), TASKS[0]

    def full(table, path, **_):
        path.write_bytes(b"half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(StorageError, match="the disk is full") as caught:
        store.write_parts(task, {"outcomes": outcomes(task)})
    assert "heritage resume" in caught.value.remedy
    assert not store.is_done(task)
    assert not [p for p in store.path.rglob("*") if p.name.startswith(".part-")]


def test_a_run_that_the_disk_cannot_hold_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1_000_000))
    check_free_disk(tmp_path / "not" / "there", 600_000)
    with pytest.raises(InputError, match="no disk space") as caught:
        check_free_disk(tmp_path / "not" / "there", 700_000)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_removed_and_finished_parts_are_not(tmp_path):
    store = new_store(tmp_path)
    store.write_parts(TASKS[0], {"outcomes": outcomes(TASKS[0])})
    leftover = store.path / "parts" / "outcomes" / ".part-1-abc"
    leftover.write_bytes(b"half")
    store.remove_unfinished_files()
    assert not leftover.exists()
    assert store.is_done(TASKS[0])


def test_parts_of_a_replication_that_was_killed_before_its_mark_are_not_read(tmp_path):
    store = new_store(tmp_path)
    store.write_parts(TASKS[0], {"outcomes": outcomes(TASKS[0]), "payouts": payouts(TASKS[0])})
    store.write_parts(TASKS[1], {"payouts": payouts(TASKS[1])})
    assert len(store.read_table("payouts")) == 1
    store.write_parts(TASKS[1], {"outcomes": outcomes(TASKS[1])})
    assert len(store.read_table("payouts")) == 2


def test_only_one_process_works_on_a_run(tmp_path):
    store = new_store(tmp_path)
    assert not store.is_locked()
    with store.locked():
        assert store.is_locked()
        with pytest.raises(InputError, match="another process"), store.locked():
            pass
    assert not store.is_locked()


def payouts(task):
    own = {"cell": task.cell, "replication": task.replication}
    return own | {"epoch": [0], "rule": "pro_rata", "shadow": False, "payee_id": [0], "units": [1]}


def test_tables_come_back_exactly_and_parts_are_one_table(tmp_path):
    store = new_store(tmp_path)
    for task in TASKS[:2]:
        store.write_parts(task, {"outcomes": outcomes(task, value=0.1 + 0.2)})
    table = store.read_table("outcomes")
    assert len(table) == 4
    assert table["value"].tolist()[0].hex() == (0.1 + 0.2).hex()
    assert np.isnan(table["value"].tolist()[1])
    assert store.read_table("works").columns.tolist()[:2] == ["cell", "replication"]


def test_a_table_with_a_missing_or_unknown_column_is_refused():
    columns = outcomes(TASKS[0])
    with pytest.raises(ValueError, match="unit"):
        arrow_table("outcomes", {k: v for k, v in columns.items() if k != "unit"})
    with pytest.raises(ValueError, match="more"):
        arrow_table("outcomes", columns | {"more": 1})


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a run"):
        RunStore.open(tmp_path)


def test_a_folder_that_could_not_take_a_run_is_refused_and_nothing_is_made(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        check_folder(tmp_path / "results", tmp_path / "full")
    with pytest.raises(InputError, match="is a file"):
        check_folder(tmp_path / "results", tmp_path / "file")
    with pytest.raises(InputError, match="cannot be made here"):
        check_folder(tmp_path / "results", tmp_path / "file" / "below")
    with pytest.raises(InputError, match="cannot be made here"):
        check_folder(tmp_path / "file", None)
    check_folder(tmp_path / "results", tmp_path / "new" / "run")
    check_folder(tmp_path / "results", None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "full"]
