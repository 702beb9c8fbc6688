"""An export on disk: the lines, and beside them their hash with a mark of every line.

``NAME.sha256`` begins as `sha256sum` writes it, so that ``sha256sum --check`` reads it. Comment lines follow, each with
the first four bytes of the hashes of twelve lines: the hash says whether a file is the one that was written, the marks
say which line is not.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, NoReturn

from heritage_contracts.export.reading import Reader
from heritage_sim.base import InputError, StorageError

_MARKS_A_LINE = 12
_MARK_DIGITS = 8
_FIRST = re.compile(r"([0-9a-f]{64})  (.+)")
_COMMENT = re.compile(rf"# (\d+) ((?:[0-9a-f]{{{_MARK_DIGITS}}})+)")


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What a verified export is.

    Parameters
    ----------
    form : str
        ``public`` or ``auditor``.
    sha256 : str
        Hash of the file.
    num_lines : int
        Header included.
    counts : dict of str to int
        Lines of each kind.
    """

    form: str
    sha256: str
    num_lines: int
    counts: dict[str, int]


def write_export(lines: Iterable[bytes], path: Path) -> str:
    """Write an export and, beside it, ``NAME.sha256``; an earlier one of the same name is replaced whole.

    Parameters
    ----------
    lines : iterable of bytes
        As `public_lines` or `auditor_lines` give them.
    path : Path
        File to write.

    Returns
    -------
    str
        SHA-256 of the file, in hexadecimal digits.

    Raises
    ------
    StorageError
        If it cannot be written; nothing of it is left then.
    """
    beside = path.with_name(path.name + ".sha256")
    drafts = [p.with_name(p.name + ".draft") for p in (path, beside)]
    whole, marks = hashlib.sha256(), list[str]()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafts[0].open("wb") as file:
            for line in lines:
                file.write(line)
                whole.update(line)
                marks.append(_mark(line))
        digest = whole.hexdigest()
        rows = [f"{digest}  {path.name}\n"]
        for start in range(0, len(marks), _MARKS_A_LINE):
            rows.append(f"# {start + 1} {''.join(marks[start : start + _MARKS_A_LINE])}\n")
        drafts[1].write_text("".join(rows), encoding="utf-8", newline="\n")
        for draft, target in zip(drafts, (path, beside), strict=True):
            os.replace(draft, target)
    except OSError as error:
        raise StorageError(
            f"the export could not be written ({error})", str(path), "Free space or choose another folder."
        ) from None
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    return digest


def verify_export(path: Path, expected: Iterable[bytes] | None = None) -> ExportSummary:
    """Check that an export is the file that was written, that it is well formed, and what the ledger gives.

    Parameters
    ----------
    path : Path
        The export; its ``.sha256`` lies beside it.
    expected : iterable of bytes, optional
        The lines as they follow from the ledger now; without them the ledger is not asked.

    Returns
    -------
    ExportSummary

    Raises
    ------
    InputError
        At the first line that is not as it should be, naming file and line.
    """
    digest, marks = _read_hash_file(path)
    whole, reader = hashlib.sha256(), Reader()
    number = 0
    for number, (line, mark, other) in enumerate(_side_by_side(path, marks, expected), start=1):
        if line is None:
            _refuse("the file ends before this line", path, number)
        whole.update(line)
        if mark is not None and mark != _mark(line):
            _refuse("this is not the line that was exported", path, number)
        if fault := reader.read(line):
            _refuse(fault, path, number)
        if expected is not None and line != other:
            gives = "no such line" if other is None else other.decode().rstrip("\n")[:200]
            _refuse(f"the ledger gives another line: {gives}", path, number)
    if fault := reader.end():
        _refuse(fault, path, max(number, 1))
    if whole.hexdigest() != digest:
        _refuse(f"the file's hash is {whole.hexdigest()}", path.with_name(path.name + ".sha256"), 1)
    return ExportSummary(reader.form, digest, number, reader.counts)


def _side_by_side(
    path: Path, marks: list[str], expected: Iterable[bytes] | None
) -> Iterator[tuple[bytes | None, str | None, bytes | None]]:
    """Yield each line of the file with its mark and the line expected; None where one of the three has ended."""
    with _opened(path) as file:
        yield from zip_longest(file, marks, expected or ())


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"the export cannot be read ({error.strerror})", str(path), "Name an export's file.") from None


def _read_hash_file(path: Path) -> tuple[str, list[str]]:
    """Return the whole hash and the marks of the lines; no marks where somebody's own `sha256sum` wrote the file."""
    beside = path.with_name(path.name + ".sha256")
    try:
        rows = beside.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the export's hash cannot be read ({error})", str(beside), "Keep both files together, as exported."
        ) from None
    first = _FIRST.fullmatch(rows[0]) if rows else None
    if first is None or first[2] != path.name:
        _refuse(f"this is not the hash of {path.name}, as sha256sum writes it", beside, 1)
    marks: list[str] = []
    for number, row in enumerate(rows[1:], start=2):
        comment = _COMMENT.fullmatch(row)
        if comment is None or int(comment[1]) != len(marks) + 1:
            _refuse("this is not a row of marks", beside, number)
        digits = comment[2]
        marks += [digits[i : i + _MARK_DIGITS] for i in range(0, len(digits), _MARK_DIGITS)]
    return first[1], marks


def _mark(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:_MARK_DIGITS]


def _refuse(what: str, path: Path, line: int) -> NoReturn:
    raise InputError(
        f"the export does not hold: {what}", f"{path}, line {line}", "Get the export again from its source."
    )
