"""Traditions from a user's own files: imported once, then named in scenarios.

An imported tradition is a folder with ``tradition.json`` (what it is, credit, what was left out) and either
``scores.npz`` or the tunings themselves. The import keeps every note; a score that changes its usul becomes several,
one for each stretch. Only when a scenario loads the tradition are pieces cut to whole cycles and to the scenario's
length (`cut_to_cycles`).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heritage_models.config import TraditionConfig
from heritage_models.traditions.learning import Score, Source, learn_corpus
from heritage_models.traditions.scl import as_tuning, read_scl, scale_remarks
from heritage_models.traditions.score_file import load_scores, save_scores
from heritage_models.traditions.symbtr import (
    ORNAMENTS,
    REMEDY,
    TICK_S,
    TICKS_PER_WHOLE,
    UnreadableScoreError,
    comma_tuning,
    read_rows,
    scores_of,
)
from heritage_models.traditions.synthetic_corpora import tuning_only
from heritage_models.traditions.tradition import BUILT_IN, Corpus, Tuning
from heritage_sim.base import InputError, StorageError

FORMAT = 1
_GRIDS = (TICKS_PER_WHOLE // 16, TICKS_PER_WHOLE // 32)
_NO_ROOM = "Free some disk space, or set HERITAGE_DATA."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SYMBTR_CREDIT = (
    "Scores: SymbTr (M. K. Karaosmanoglu, ISMIR 2012), CC BY-NC-SA 4.0: not for commercial use. "
    "Source communities and composers stand in the titles."
)


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did.

    Parameters
    ----------
    name : str
        Name by which scenarios can use it (``kind: imported``).
    folder : Path
        Where it was written.
    num_read : int
        Files imported.
    num_pieces : int
        Pieces in them: a score that changes its usul is several. For tunings, ``num_read``.
    num_notes : int
        Notes and rests in the imported scores; 0 for tunings.
    left_out : tuple of (str, str)
        Files that could not be read, with the reason.
    remarks : tuple of (str, str)
        Tunings of which something had to be changed or assumed, with what it was.
    replaced : bool
        Whether an earlier import of the name was replaced.
    """

    name: str
    folder: Path
    num_read: int
    num_pieces: int
    num_notes: int
    left_out: tuple[tuple[str, str], ...]
    remarks: tuple[tuple[str, str], ...]
    replaced: bool


def data_folder() -> Path:
    """Return the user's data folder: ``HERITAGE_DATA``, else the platform's own."""
    given = os.environ.get("HERITAGE_DATA")
    if given:
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_data_dir("heritage"))


def import_symbtr(path: Path, name: str, data_dir: Path | None = None, *, replacing: bool = False) -> ImportSummary:
    """Import SymbTr scores (a .txt file, or a folder searched for them) as a tradition.

    A score that cannot be read is listed with the reason and does not stop the import.

    Parameters
    ----------
    path : Path
        File or folder.
    name : str
        Name of the tradition to be.
    data_dir : Path, optional
        Where imported traditions are kept; `data_folder` if not given.
    replacing : bool
        Whether an earlier import of that name may be replaced.

    Returns
    -------
    ImportSummary

    Raises
    ------
    InputError
        If the name cannot be used or is taken, the path is missing, or no score in it can be read.
    """
    folder, replaced = _folder(name, data_dir, replacing)
    scores: list[Score] = []
    left_out: list[tuple[str, str]] = []
    files = _files(path, ".txt")
    for file in files:
        try:
            scores.extend(_read_symbtr(file))
        except InputError as error:
            if len(files) == 1:
                raise
            left_out.append((file.name, f"{error.what} ({error.where.rsplit('/', 1)[-1]})"))
    if not scores:
        raise _nothing_read(path, "SymbTr score", left_out)
    about = {"format": FORMAT, "kind": "symbtr", "title": "Turkish makam music, notated", "credit": _SYMBTR_CREDIT}
    with _writing(folder):
        save_scores(folder / "scores.npz", scores, left_out, _NO_ROOM)
        _write_json(folder / "tradition.json", about)
    return ImportSummary(
        name=name,
        folder=folder,
        num_read=len(files) - len(left_out),
        num_pieces=len(scores),
        num_notes=sum(s.num_notes for s in scores),
        left_out=tuple(left_out),
        remarks=(),
        replaced=replaced,
    )


def _read_symbtr(file: Path) -> list[Score]:
    try:
        return scores_of(read_rows(file), _title(file))
    except UnreadableScoreError as error:
        where = f"{file}:{error.line}" if error.line else str(file)
        raise InputError(f"The score cannot be used: {error}.", where, REMEDY) from error


def import_tunings(path: Path, name: str, data_dir: Path | None = None, *, replacing: bool = False) -> ImportSummary:
    """Import Scala tunings (a .scl file, or a folder searched for them) as a tradition.

    The melodies of such a tradition are synthetic; scenarios choose among several tunings by ``tuning:``, else the
    first by name is used. A tuning that cannot be read is listed with the reason.

    Parameters
    ----------
    path : Path
        File or folder.
    name : str
        Name of the tradition to be.
    data_dir : Path, optional
        Where imported traditions are kept; `data_folder` if not given.
    replacing : bool
        Whether an earlier import of that name may be replaced.

    Returns
    -------
    ImportSummary

    Raises
    ------
    InputError
        If the name cannot be used or is taken, the path is missing, or no tuning in it can be read.
    """
    folder, replaced = _folder(name, data_dir, replacing)
    made: list[Tuning] = []
    left_out: list[tuple[str, str]] = []
    remarks: list[tuple[str, str]] = []
    files = _files(path, ".scl")
    for file in files:
        try:
            scale = read_scl(file)
            tuning = as_tuning(scale, str(file), measured=False)
            made.append(tuning)
            remarks += [(file.name, remark) for remark in scale_remarks(scale, tuning)]
        except InputError as error:
            if len(files) == 1:
                raise
            left_out.append((file.name, f"{error.what} ({error.where.rsplit('/', 1)[-1]})"))
    if not made:
        raise _nothing_read(path, "tuning", left_out)
    about = {
        "format": FORMAT,
        "kind": "tunings",
        "tunings": [
            {"name": t.name, "cents": t.cents.tolist(), "period_cents": t.period_cents, "source": t.source}
            for t in sorted(made, key=lambda t: t.name)
        ],
        "left_out": left_out,
    }
    with _writing(folder):
        _write_json(folder / "tradition.json", about)
        (folder / "scores.npz").unlink(missing_ok=True)  # of an import of scores that these tunings replace
    return ImportSummary(
        name=name,
        folder=folder,
        num_read=len(made),
        num_pieces=len(made),
        num_notes=0,
        left_out=tuple(left_out),
        remarks=tuple(remarks),
        replaced=replaced,
    )


def load_imported(config: TraditionConfig, root_seed: int) -> Corpus:
    """Return the corpus of an imported tradition.

    Parameters
    ----------
    config : TraditionConfig
        Its section.
    root_seed : int
        Seed of the scenario.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If it was not imported, its files are damaged, or the tuning asked for is not in it.
    """
    name = config.imported or config.name
    folder = Path(config.path) if config.path else data_folder() / "traditions" / name
    where = f"traditions: {config.name} ({folder})"
    remedy = f"Import it: heritage corpus import symbtr PATH --name {name}; what is there: heritage corpus list"
    try:
        about = json.loads((folder / "tradition.json").read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise InputError(f"The imported tradition has format {about['format']}, not {FORMAT}.", where, remedy)
        if about["kind"] == "tunings":
            return _of_tunings(config, about, root_seed, where)
        scores, left_out = load_scores(folder / "scores.npz")
    except FileNotFoundError as error:
        raise InputError(f"There is no imported tradition {name!r}.", where, remedy) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"The imported tradition {name!r} is damaged.", where, remedy) from error
    scores, ticks, finer = _coarsest(scores, config.num_works)
    source = Source(about["title"], comma_tuning(), ORNAMENTS, TICK_S * ticks, synthetic=False, credit=about["credit"])
    return learn_corpus(config, source, scores, root_seed, [*left_out, *finer])


def _of_tunings(config: TraditionConfig, about: dict, root_seed: int, where: str) -> Corpus:
    held = {t["name"]: t for t in about["tunings"]}
    wanted = config.tuning or next(iter(held), "")
    if wanted not in held:
        raise InputError(f"The import holds no tuning {wanted!r}.", where, f"It holds: {', '.join(list(held)[:12])}.")
    t = held[wanted]
    tuning = Tuning(t["name"], np.array(t["cents"], dtype=np.float64), t["period_cents"], t["source"], measured=False)
    return tuning_only(config, tuning, root_seed)


def _coarsest(scores: Sequence[Score], num_works: int) -> tuple[list[Score], int, list[tuple[str, str]]]:
    """Return scores on a coarser grid of ticks, how many old ticks a new one has, and those that do not fit it.

    Of the grids of a 16th, a 32nd and the import's own, the coarsest that keeps a tenth more scores than are wanted:
    positions in the cycle are then fewer and better known.
    """
    steps = np.array([int(np.gcd.reduce(np.append(s.duration_ticks, s.ticks_per_cycle))) for s in scores])
    grid = next((g for g in _GRIDS if (steps % g == 0).sum() >= 1.1 * num_works), 1)
    reason = f"a note length off the grid of 1/{TICKS_PER_WHOLE // grid} notes, which is fine enough for num_works"
    kept, finer = [], []
    for s, step in zip(scores, steps.tolist(), strict=True):
        if step % grid:
            finer.append((s.title, reason))
            continue
        kept.append(
            replace(
                s,
                duration_ticks=(s.duration_ticks // grid).astype(np.int32),
                ticks_per_cycle=s.ticks_per_cycle // grid,
                phrase_ends_ticks=tuple(end // grid for end in s.phrase_ends_ticks if end % grid == 0),
            )
        )
    return kept, grid, finer


def _folder(name: str, data_dir: Path | None, replacing: bool) -> tuple[Path, bool]:
    """Return where a tradition is to be written, and whether one of that name is there and to be replaced."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a tradition.",
            "--name",
            "Use letters, digits, - and _, at most 64 of them.",
        )
    if name in BUILT_IN:
        raise InputError(f"{name!r} is the name of a built-in tradition.", "--name", "Choose another name.")
    folder = (data_dir or data_folder()) / "traditions" / name
    taken = (folder / "tradition.json").exists()
    if taken and not replacing:
        raise InputError(
            f"There is an imported tradition {name!r}; it is left as it is.",
            str(folder),
            "Choose another --name, or add --replace.",
        )
    return folder, taken


def _files(path: Path, suffix: str) -> list[Path]:
    """Return the files to read, ascending by name; one file is itself."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError("There is no such file or folder.", str(path), f"Give a {suffix} file or a folder with some.")
    found = sorted(p for p in path.rglob(f"*{suffix}") if p.is_file())
    if not found:
        raise InputError(f"The corpus is empty: no {suffix} file.", str(path), f"Give a folder with {suffix} files.")
    return found


def _title(file: Path) -> str:
    """Return a title from a SymbTr file name: makam, form, usul, title, composer."""
    parts = [p.replace("_", " ") for p in file.stem.split("--")]
    if len(parts) < 4:
        return file.stem
    title, composer = parts[3], parts[4] if len(parts) > 4 and parts[4] else "anonymous"
    return f"{title or parts[1]} ({parts[0]}, {parts[1]}, {parts[2]}; {composer})"


def _nothing_read(path: Path, what: str, left_out: Sequence[tuple[str, str]]) -> InputError:
    first = f" The first reason: {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
    return InputError(f"The corpus is empty: no {what} could be read.{first}", str(path), "Check the files' format.")


def _write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False, indent=1)
    os.replace(temporary, path)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Make the folder, and turn a failure to write into a message for the user."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StorageError(f"The import could not be written: {error.strerror}.", str(folder), _NO_ROOM) from error
