"""A run's folder: what is in it, written so that nothing a killed run had finished is lost or done twice.

::

    results/<scenario>/<run id>/
        manifest.json   versions, code hash, seeds, checkpoint hashes, hardware, start and end
        plan.json       every (cell, replication) that is to be done, written before the first begins
        scenario.yaml   the scenario as it was resolved
        parts/<table>/<cell>--<replication>.parquet
        log.jsonl       what the driver did;  log-<worker>.jsonl the same of each worker
        figures/, report.html

Every file appears whole or not at all (written beside its place, then renamed). The part of the table ``outcomes`` is
written last of a replication's parts, and its being there is what marks the replication as done; there is no second
book of what is done that could disagree.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heritage_experiments.tables import DONE_MARK, TABLES, arrow_table
from heritage_sim.base import InputError, StorageError

if TYPE_CHECKING:
    import pandas as pd

ALL_REPLICATIONS = "all.parquet"
"""Part of a table that is the same for all replications."""

SAFETY = 1.5
"""Free disk asked for, as a multiple of what a run is expected to write."""


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """One replication of one cell."""

    replication: int
    cell: str

    @property
    def stem(self) -> str:
        """Return the name of its part files, without suffix."""
        return f"{self.cell}--{self.replication:04d}"


@dataclass(frozen=True, slots=True)
class RunStore:
    """A run's folder.

    Parameters
    ----------
    path : Path
        The folder.
    """

    path: Path

    @classmethod
    def create(cls, root: Path, scenario_name: str, run_hash: str, out: Path | None) -> RunStore:
        """Make the folder of a new run: ``out`` itself, or the next free ``root/<scenario>/<hash>-<serial>``.

        Parameters
        ----------
        root : Path
            Where runs are kept.
        scenario_name : str
            Folder below it.
        run_hash : str
            Hash of scenario and code; its first 8 digits name the run.
        out : Path or None
            Folder to use instead.

        Returns
        -------
        RunStore

        Raises
        ------
        InputError
            If ``out`` holds something, or the folder cannot be made.
        """
        check_folder(root, out)
        try:
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                return cls(out)
            parent = root / scenario_name
            parent.mkdir(parents=True, exist_ok=True)
            for serial in range(1, 10_000):
                path = parent / f"{run_hash[:8]}-{serial:03d}"
                with contextlib.suppress(FileExistsError):
                    path.mkdir()
                    return cls(path)
        except OSError as error:
            raise InputError(
                f"the results folder cannot be made: {error.strerror}",
                str(out or root),
                "use --out with a folder you may write",
            ) from error
        raise InputError("this scenario has 9,999 runs already", str(root / scenario_name), "move old runs away")

    @classmethod
    def open(cls, path: Path) -> RunStore:
        """Return an existing run.

        Parameters
        ----------
        path : Path
            The run's folder.

        Returns
        -------
        RunStore

        Raises
        ------
        InputError
            If the folder is no run.
        """
        if not (path / "plan.json").is_file() or not (path / "manifest.json").is_file():
            raise InputError(
                "this folder is not a run", str(path), "name a folder below results/ that has a manifest.json"
            )
        return cls(path)

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return str(self.manifest()["run_id"])

    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        return self._read_json("manifest.json")

    def update_manifest(self, **facts: Any) -> None:
        """Write facts into the manifest, over those of the same name."""
        held = self.manifest() if (self.path / "manifest.json").exists() else {}
        self.write_text("manifest.json", json.dumps(held | facts, indent=2, sort_keys=True) + "\n")

    def write_plan(self, tasks: Sequence[Task]) -> None:
        """Write down everything that is to be done."""
        rows = [{"cell": t.cell, "replication": t.replication, "status": "PENDING"} for t in tasks]
        self.write_text("plan.json", json.dumps({"tasks": rows}, indent=1) + "\n")

    def plan(self) -> list[Task]:
        """Return everything that was to be done, in order."""
        return [Task(int(row["replication"]), str(row["cell"])) for row in self._read_json("plan.json")["tasks"]]

    def is_done(self, task: Task) -> bool:
        """Return whether a replication was finished."""
        return self.part_path(DONE_MARK, task).exists()

    def pending(self) -> list[Task]:
        """Return the plan minus what is done."""
        return [t for t in self.plan() if not self.is_done(t)]

    def part_path(self, table: str, task: Task) -> Path:
        """Return where a replication's part of a table lies."""
        return self.path / "parts" / table / f"{task.stem}.parquet"

    def write_parts(self, task: Task, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Write a replication's tables, each a mapping of column to values, the done mark last.

        Parameters
        ----------
        task : Task
            The replication.
        tables : mapping of str to mapping
            Table name to its columns.

        Raises
        ------
        StorageError
            If the disk is full or cannot be written.
        """
        for name in sorted(tables, key=lambda t: (t == DONE_MARK, t)):
            self._write_parquet(self.part_path(name, task), arrow_table(name, tables[name]))

    def write_once(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write a table that is the same for all replications, unless it is there already."""
        path = self.path / "parts" / name / ALL_REPLICATIONS
        if not path.exists():
            self._write_parquet(path, arrow_table(name, columns))

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a table's parts of finished replications, by file name; empty with the right columns if none."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        # A replication killed before its done mark leaves whole parts that do not count yet.
        done = {p.name for p in (self.path / "parts" / DONE_MARK).glob("*.parquet")} | {ALL_REPLICATIONS}
        files = sorted(f for f in (self.path / "parts" / name).glob("*.parquet") if f.name in done)
        if not files:
            return pd.DataFrame({c: [] for c, _ in TABLES[name]})
        return pa.concat_tables([pq.read_table(f) for f in files], promote_options="default").to_pandas()

    def read_part(self, name: str, task: Task) -> pd.DataFrame:
        """Return one replication's part of a table."""
        import pyarrow.parquet as pq

        return pq.read_table(self.part_path(name, task)).to_pandas()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the run, whole or not at all."""
        with self._replacing(self.path / name) as beside:
            beside.write_text(text, encoding="utf-8")

    def remove_unfinished_files(self) -> None:
        """Remove what a killed writer left beside its place."""
        for leftover in (*self.path.glob(".part-*"), *self.path.glob("parts/*/.part-*")):
            leftover.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the lock goes with the process, however it ends.

        Raises
        ------
        InputError
            If another process is working on the run.
        """
        import fcntl

        with open(self.path / ".lock", "w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(
                    "another process is working on this run",
                    str(self.path),
                    "wait for it: heritage status shows how far it is",
                ) from error
            yield

    def is_locked(self) -> bool:
        """Return whether a process is working on the run; one that may only be read is not worked on from here."""
        try:
            with self.locked():
                return False
        except PermissionError:
            return False
        except InputError:
            return True

    def _write_parquet(self, path: Path, table: Any) -> None:
        import pyarrow.parquet as pq

        with self._replacing(path) as beside:
            pq.write_table(table, beside, compression="zstd")

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        beside = path.parent / f".part-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield beside
            os.replace(beside, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise _storage_error(error, path, self.path) from error

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{name} of this run cannot be read", str(self.path / name), "the run is damaged; run it anew"
            ) from error


def check_folder(root: Path, out: Path | None) -> None:
    """Refuse a folder that a run could not be written to; nothing is made.

    Parameters
    ----------
    root : Path
        Where runs are kept.
    out : Path or None
        Folder to use instead.

    Raises
    ------
    InputError
        If ``out`` is a file or holds something, or the folder could not be made or written to.
    """
    if out is not None and out.is_file():
        raise InputError("the output folder is a file", str(out), "name a new folder with --out")
    where = root if out is None else out
    existing = next(p for p in (where, *where.absolute().parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            "the results folder cannot be made here", str(existing), "use --out with a folder you may write"
        )
    if out is not None and out.exists() and any(out.iterdir()):
        raise InputError(
            "the output folder is not empty", str(out), "name a new folder; to go on with a run: heritage resume"
        )


def check_free_disk(where: Path, needed_bytes: int) -> None:
    """Refuse a run that the disk could not hold, before anything is made.

    Parameters
    ----------
    where : Path
        Folder to be written to; it need not exist yet.
    needed_bytes : int
        What the run is expected to write.

    Raises
    ------
    InputError
        If less than `SAFETY` times the expected size is free.
    """
    existing = next(p for p in (where, *where.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes * SAFETY:
        raise InputError(
            f"no disk space: about {show_bytes(needed_bytes)} will be written, {show_bytes(free)} are free",
            str(existing),
            "free some space, or use --out with a folder on another disk",
        )


def show_bytes(num_bytes: float) -> str:
    """Return a size for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if num_bytes < 1000 or unit == "GB":
            return f"{num_bytes:.0f} {unit}" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    raise AssertionError("unreachable")


def _storage_error(error: OSError, path: Path, run: Path) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            "the disk is full", str(path), f"free some space, then: heritage resume {run} (what was finished is kept)"
        )
    return StorageError(
        f"results cannot be written: {error.strerror or error}",
        str(path),
        f"then: heritage resume {run} (what was finished is kept)",
    )
