"""How a user's columns are called: a YAML map from our names to theirs, and constants for what their files lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from heritage_sim.base import InputError, Section

USAGE_COLUMNS = {
    "listener": "who listened (optional; user_centric needs it)",
    "work": "what was played",
    "plays": "whole number of plays that count",
    "seconds": "whole seconds listened (optional)",
    "fee": "what the listener paid, in the currency (optional; one figure per listener)",
}
WORKS_COLUMNS = {
    "work": "id of the work",
    "title": "title (optional)",
    "community": "community it belongs to (optional; community_weighted needs it)",
    "payees": "who is owed, with per cent: wayan:70;fund:30 (optional; without it each work is its own payee)",
    "consent": "train, derive, perform, sell joined by +, or all, or none (optional; all)",
}
PAYEES_COLUMNS = {
    "payee": "id of the payee",
    "name": "name (optional)",
    "community": "community the payee belongs to (optional)",
}


class Constants(Section):
    """Values for what the files do not say, each the same for all rows."""

    fee: str | float | int | None = Field(default=None, description="what each listener paid, in the currency")
    pool: str | float | int | None = Field(default=None, description="amount to share out, in the currency")
    plays: int | None = Field(default=None, ge=1, description="plays of a row, for logs with one row per play")
    community: str | None = Field(default=None, description="community of all works")


class ColumnMap(Section):
    """How to read a user's files. Every key is optional; a name that is not mapped stands for itself."""

    usage: dict[str, str] = Field(default_factory=dict, description=f"our names -> yours; ours: {list(USAGE_COLUMNS)}")
    works: dict[str, str] = Field(default_factory=dict, description=f"our names -> yours; ours: {list(WORKS_COLUMNS)}")
    payees: dict[str, str] = Field(
        default_factory=dict, description=f"our names -> yours; ours: {list(PAYEES_COLUMNS)}"
    )
    constants: Constants = Field(default=Constants(), description="values for columns that the files lack")
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="field separator; else by file name"
    )
    quote: str | None = Field(
        default=None, max_length=1, description='quote character, empty for none; tabs: none, else a "'
    )
    comment: str = Field(default="#", max_length=1, description="lines that begin with it are skipped; empty for none")
    decimal: Literal[".", ","] = Field(default=".", description="decimal sign of amounts and shares in the files")
    encoding: str = Field(default="utf-8", description="text encoding of the files")


def load_map(path: Path | None) -> ColumnMap:
    """Return the column map of a YAML file, or the map in which every name stands for itself.

    Parameters
    ----------
    path : Path or None
        YAML file.

    Returns
    -------
    ColumnMap

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or has a key or value that does not fit; with file and line.
    """
    if path is None:
        return ColumnMap()
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        given: Any = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"cannot read the column map: {wrong}", str(path), "give a YAML file to --map") from None
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(wrong, "problem", None) or "not YAML"
        raise InputError(f"cannot read the column map: {problem}", where, "see `heritage royalty template`") from None
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise InputError("a column map is a list of `key: value` lines", str(path), "see `heritage royalty template`")
    try:
        made = ColumnMap.model_validate(given)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        key = ".".join(str(p) for p in first["loc"])
        known = ", ".join(ColumnMap.model_fields)
        message = f"no such key; there are: {known}" if first["type"] == "extra_forbidden" else str(first["msg"])
        raise InputError(f"column map, {key}: {message}", _line_of(path, text, first["loc"]), "correct it") from None
    for section, ours in (("usage", USAGE_COLUMNS), ("works", WORKS_COLUMNS), ("payees", PAYEES_COLUMNS)):
        for name in getattr(made, section):
            if name not in ours:
                raise InputError(
                    f"column map, {section}: there is no column {name!r} to map",
                    _line_of(path, text, (section, name)),
                    f"our names stand on the left: {', '.join(ours)}",
                )
    return made


def _line_of(path: Path, text: str, keys: tuple[int | str, ...]) -> str:
    """Return ``file:line`` of the innermost key that is found, reading downwards key by key."""
    lines, at, found = text.splitlines(), 0, 0
    for key in keys:
        for i in range(at, len(lines)):
            if f"{key}:" in lines[i].replace("'", "").replace('"', "").replace(" :", ":"):
                at, found = i, i + 1
                break
    return f"{path}:{found}" if found else str(path)
