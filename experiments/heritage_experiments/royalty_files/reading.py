"""Tables of text with the line each row stands on, so that every complaint can name file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path

from heritage_experiments.royalty_files.columns import ColumnMap
from heritage_sim.base import Currency, InputError

MAX_UNITS = 1 << 62
"""Amounts and plays beyond it would not fit the signed 64-bit integers of the statement."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows by our column names.

    Parameters
    ----------
    path : Path
        The file.
    columns : dict of str to list of str
        Present columns by our names, stripped of outer blanks.
    lines : list of int
        Line each row stands on, from 1.
    names : dict of str to str
        What the file itself calls each column.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]
    names: dict[str, str]

    def at(self, row: int) -> str:
        """Return ``file:line`` of a row."""
        return f"{self.path}:{self.lines[row]}"

    def get(self, name: str) -> list[str] | None:
        """Return a column, or None where the file does not have it."""
        return self.columns.get(name)


def read_table(
    path: Path, what: str, ours: Mapping[str, str], required: tuple[str, ...], mapped: Mapping[str, str], how: ColumnMap
) -> Table:
    """Return a file's rows by our column names.

    Parameters
    ----------
    path : Path
        Comma-, semicolon- or tab-separated text with one header line.
    what : str
        What the file is called in messages: usage, works, payees.
    ours : mapping of str to str
        Our column names with their meaning.
    required : tuple of str
        Those that must be there.
    mapped : mapping of str to str
        Our names -> the file's, where they differ.
    how : ColumnMap
        Delimiter, quote, comment, encoding.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file is missing, empty, not text in that encoding, ragged, or lacks a column; with file and line.
    """
    text = _text(path, what, how.encoding)
    lines = text.split("\n")
    kept = [i for i, line in enumerate(lines) if line.strip() and not (how.comment and line.startswith(how.comment))]
    if not kept:
        raise InputError(f"the {what} file is empty", str(path), "see `heritage royalty template` for an example")
    delimiter = how.delimiter or _delimiter(path, lines[kept[0]])
    quote = how.quote if how.quote is not None else ("" if delimiter == "\t" else '"')
    # Skipped lines are kept as blank ones, so that the reader's line numbers are the file's.
    skipped = set(range(len(lines))).difference(kept)
    stream = io.StringIO("\n".join("" if i in skipped else line for i, line in enumerate(lines)))
    if quote:
        reader = csv.reader(stream, delimiter=delimiter, quotechar=quote)
    else:
        reader = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    rows: list[list[str]] = []
    at: list[int] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                at.append(reader.line_num)
    except csv.Error as wrong:
        raise InputError(f"cannot read the {what} file: {wrong}", f"{path}:{reader.line_num}", "correct it") from None
    header = [h.strip() for h in rows[0]]
    for row, line in zip(rows, at, strict=True):
        if len(row) != len(header):
            raise InputError(
                f"the row has {len(row)} fields and the header {len(header)}",
                f"{path}:{line}",
                f"fields are separated by {delimiter!r}; quote fields that contain it, or set `delimiter` in --map",
            )
    if len(rows) == 1:
        raise InputError(f"the {what} file has a header and no rows", f"{path}:{at[0]}", "add rows")
    return _named(path, what, ours, required, mapped, header, rows, at)


def _named(
    path: Path,
    what: str,
    ours: Mapping[str, str],
    required: tuple[str, ...],
    mapped: Mapping[str, str],
    header: list[str],
    rows: list[list[str]],
    at: list[int],
) -> Table:
    doubled = sorted({h for h in header if header.count(h) > 1})
    if doubled:
        raise InputError(f"column {doubled[0]!r} stands twice in the header", f"{path}:{at[0]}", "rename one of them")
    columns: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name in ours:
        theirs = mapped.get(name, name)
        if theirs in header:
            k = header.index(theirs)
            columns[name] = [row[k].strip() for row in rows[1:]]
            names[name] = theirs
        elif name in mapped or name in required:
            near = get_close_matches(theirs, header, n=1, cutoff=0.6)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(
                f"the {what} file has no column {theirs!r} ({ours[name]})",
                f"{path}:{at[0]}",
                f"{meant}it has: {', '.join(header)}; name yours in a file for --map, such as "
                f"`{what}: {{{name}: {header[0]}}}`",
            )
    return Table(path, columns, at[1:], names)


def _text(path: Path, what: str, encoding: str) -> str:
    try:
        data = path.read_bytes()
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise InputError(f"cannot open the {what} file: {reason}", str(path), "check the path") from None
    try:
        text = data.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise InputError(
            f"byte {data[wrong.start]:#04x} is not {encoding} text",
            f"{path}:{line}",
            "save the file as UTF-8, or name its encoding in --map, such as `encoding: latin-1`",
        ) from None
    except LookupError:
        raise InputError(f"there is no encoding {encoding!r}", "--map, encoding", "try utf-8 or latin-1") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError("the file is not text (it holds a zero byte)", f"{path}:{line}", "save it as UTF-8 CSV")
    return text


def _delimiter(path: Path, header: str) -> str:
    if path.suffix.lower() in {".tsv", ".tab", ".dat"} or "\t" in header:
        return "\t"
    return ";" if header.count(";") > header.count(",") else ","


def whole_number(text: str, name: str, where: str) -> int:
    """Return a whole number >= 0.

    Parameters
    ----------
    text : str
        As it stands in the file.
    name : str
        What it is, for messages.
    where : str
        File and line.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If the text is negative, fractional, not a number, or too large.
    """
    if text.isascii() and text.isdigit():
        if len(text) < 19:
            return int(text)
        raise InputError(f"{name} is beyond 10^18: {text}", where, "correct the value")
    try:
        value = Decimal(text)
    except InvalidOperation:
        wrong = f"{name} is not a number: {text!r}" if text else f"{name} is missing"
        raise InputError(wrong, where, "write a whole number, without thousands separators") from None
    if not value.is_finite():
        raise InputError(f"{name} is not a finite number: {text}", where, "write a whole number")
    if value < 0:
        raise InputError(f"{name} is negative: {text}", where, "correct the value; corrections are not plays")
    raise InputError(
        f"{name} is not written as a whole number: {text}", where, "give whole numbers; parts of a play do not exist"
    )


def amount_units(text: str, name: str, currency: Currency, where: str, decimal: str = ".") -> int:
    """Return an amount of money >= 0, written in the currency, in its smallest unit.

    Parameters
    ----------
    text : str
        As it stands in the file or option.
    name : str
        What it is, for messages.
    currency : Currency
        How many digits its smallest unit has.
    where : str
        File and line, or option.
    decimal : str
        Decimal sign, a point or a comma.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If the text is no number, is negative, is finer than the smallest unit, or too large.
    """
    other = "." if decimal == "," else ","
    if other in text:
        raise InputError(
            f"{name} is not an amount with a decimal {'comma' if decimal == ',' else 'point'}: {text!r}",
            where,
            f'write such as 9{decimal}99, without thousands separators, or set `decimal: "{other}"` in --map',
        )
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise InputError(f"{name} is not an amount: {text!r}", where, f"write such as 9{decimal}99") from None
    if not value.is_finite() or value < 0:
        raise InputError(f"{name} must be an amount of at least 0, not {text}", where, "correct it")
    # Compared before it is scaled: an absurd exponent would overflow the decimal arithmetic itself.
    if value >= Decimal(MAX_UNITS).scaleb(-currency.decimals):
        raise InputError(f"{name} is too large: {text}", where, f"amounts stay below {currency.show(MAX_UNITS)}")
    units = value.scaleb(currency.decimals)
    if units != units.to_integral_value():
        raise InputError(
            f"{name} is finer than the smallest unit of {currency.code}: {text}",
            where,
            f"give at most {currency.decimals} digits after the decimal {'comma' if decimal == ',' else 'point'}",
        )
    return int(units)
