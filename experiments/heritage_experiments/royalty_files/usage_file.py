"""Reads a usage file: who played what how often, and what each listener paid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heritage_experiments.royalty_files.columns import USAGE_COLUMNS, ColumnMap
from heritage_experiments.royalty_files.reading import MAX_UNITS, Table, amount_units, read_table, whole_number
from heritage_sim.base import Currency, InputError


@dataclass(frozen=True, slots=True)
class UsageRows:
    """Usage as a file states it, pairs of (listener, work) added up.

    Parameters
    ----------
    path : Path
        The file.
    listeners : tuple of str or None
        Ids in natural order, those without plays too; None where the file has no listener column.
    listener_column : str
        What the file's listener column is, or would be, called.
    pairs : dict of (int, str) to (int, int)
        (listener index, work id) -> (plays, seconds). Where there are no listeners, the index is 0.
    fees_units : dict of int to int
        Fee of each listener who has one in the file.
    first_line : dict of str to int
        Line on which each work stands first.
    num_rows, num_repeated : int
        Rows read, and rows of a pair that stood there before.
    """

    path: Path
    listeners: tuple[str, ...] | None
    listener_column: str
    pairs: dict[tuple[int, str], tuple[int, int]]
    fees_units: dict[int, int]
    first_line: dict[str, int]
    num_rows: int
    num_repeated: int


def natural_order(name: str) -> tuple[int, int, str]:
    """Return a sorting key in which whole numbers come first, by size: the order of rows in a file never matters."""
    return (0, int(name), name) if name.isascii() and name.isdigit() else (1, 0, name)


def read_usage(path: Path, how: ColumnMap, currency: Currency) -> UsageRows:
    """Return the usage of a file.

    A row without a work declares a listener who played nothing; rows of one pair are added up.

    Parameters
    ----------
    path : Path
        The usage file.
    how : ColumnMap
        Names of its columns, and constants.
    currency : Currency
        Currency of the fees.

    Returns
    -------
    UsageRows

    Raises
    ------
    InputError
        If the file cannot be used; with file and line.
    """
    required = ("work",) if how.constants.plays else ("work", "plays")
    table = read_table(path, "usage", USAGE_COLUMNS, required, how.usage, how)
    listener_of_row, listeners = _listeners(table)
    works = table.columns["work"]
    plays_text, seconds_text = table.get("plays"), table.get("seconds")
    pairs: dict[tuple[int, str], tuple[int, int]] = {}
    first_line: dict[str, int] = {}
    repeated, total = 0, 0
    for row, work in enumerate(works):
        if plays_text is None:
            plays = how.constants.plays or 0
        else:
            plays = whole_number(plays_text[row], f"plays (column {table.names['plays']!r})", table.at(row))
        if not work:
            if plays or listeners is None:
                raise InputError(
                    f"a row with {plays} plays names no work", table.at(row), "fill the work, or delete the row"
                )
            continue
        seconds = 0
        if seconds_text is not None and seconds_text[row]:
            seconds = whole_number(seconds_text[row], "seconds", table.at(row))
        total += plays
        if total >= MAX_UNITS or seconds >= MAX_UNITS >> 20:
            raise InputError("plays or seconds are too large to add up", table.at(row), "correct the value")
        pair = (listener_of_row[row], work)
        first_line.setdefault(work, table.lines[row])
        before = pairs.get(pair)
        if before is not None:
            repeated += 1
            plays, seconds = plays + before[0], seconds + before[1]
        pairs[pair] = (plays, seconds)
    return UsageRows(
        path=path,
        listeners=listeners,
        listener_column=how.usage.get("listener", "listener"),
        pairs=pairs,
        fees_units=_fees(table, listener_of_row, currency, how.decimal) if listeners is not None else {},
        first_line=first_line,
        num_rows=len(works),
        num_repeated=repeated,
    )


def _listeners(table: Table) -> tuple[list[int], tuple[str, ...] | None]:
    named = table.get("listener")
    if named is None:
        return [0] * len(table.lines), None
    for row, name in enumerate(named):
        if not name:
            raise InputError("the row names no listener", table.at(row), "fill it, or drop the whole listener column")
    listeners = tuple(sorted(set(named), key=natural_order))
    index = {name: i for i, name in enumerate(listeners)}
    return [index[name] for name in named], listeners


def _fees(table: Table, listener_of_row: list[int], currency: Currency, decimal: str) -> dict[int, int]:
    column = table.get("fee")
    fees: dict[int, int] = {}
    stated_at: dict[int, int] = {}
    for row, text in enumerate(column or ()):
        if not text:
            continue
        fee = amount_units(text, "the fee", currency, table.at(row), decimal)
        who = listener_of_row[row]
        if fees.setdefault(who, fee) != fee:
            raise InputError(
                f"one listener has two fees, here {text} and another on line {stated_at[who]}",
                table.at(row),
                "state each listener's fee for the period once, or the same on every row",
            )
        stated_at.setdefault(who, table.lines[row])
    return fees
