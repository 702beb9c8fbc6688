"""Targets: a user's aggregates of real listening, read from YAML or CSV.

A YAML file says how they were observed, and may say what is to be fitted::

    days: 30                       # days that the figures stand for; the scenario's own if left out
    sample_listeners: 947          # listeners behind the figures
    targets:
      plays_by_rank: {1-10: 0.11, 11-50: 0.22}
      sessions_per_listener: {mean: 9.4, q90: {value: 22, error: 1.5}}
    held_out: [plays_by_rank.11-50]     # or a share, such as 0.25: chosen by keyed draws
    parameters: {listeners.kappa: [1, 8]}

With ``plays_table: plays.tsv`` (listener, item, plays on each line), a target without a value is counted from that
table, and its listeners are those behind the figures.

A CSV file has the columns ``target,value`` and, if wanted, ``error`` and ``held_out`` (yes or no).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from heritage_experiments.calibration.counting import count_plays
from heritage_experiments.calibration.listening import Listened
from heritage_experiments.calibration.moments import Moment, moment
from heritage_experiments.scenario_source import Source, parse_source
from heritage_sim.base import InputError, Keys

EXAMPLE = "see experiments/calibration_examples/listening.yaml"
_KEYS = ("days", "warm_up_days", "sample_listeners", "targets", "held_out", "parameters", "plays_table")


@dataclass(frozen=True, slots=True)
class Target:
    """One aggregate to be met.

    Parameters
    ----------
    moment : Moment
        What it is.
    value : float
        What was observed.
    error : float or None
        Standard error of the value, as the user states it; None: that of a sample of ``sample_listeners``.
    is_held_out : bool
        Whether it is kept from the fit, to check it.
    where : str
        File and line.
    """

    moment: Moment
    value: float
    error: float | None = None
    is_held_out: bool = False
    where: str = ""

    @property
    def name(self) -> str:
        """Return the moment's name."""
        return self.moment.name

    @property
    def rounding(self) -> float:
        """Return the standard error that rounding to whole numbers adds: of a step of 1, ``1 / sqrt(12)``."""
        return math.sqrt(1.0 / 12.0) if self.moment.is_count_quantile and self.value == round(self.value) else 0.0


@dataclass(frozen=True, slots=True)
class Targets:
    """What a target file says.

    Parameters
    ----------
    targets : tuple of Target
        In the file's order.
    days : int or None
        Days that the figures stand for.
    warm_up_days : int
        Days lived before they are observed.
    sample_listeners : int or None
        Listeners behind the figures.
    bounds : mapping of str to (float, float) or None
        Parameters to fit with their bounds, or None for the schema's.
    """

    targets: tuple[Target, ...]
    days: int | None = None
    warm_up_days: int = 0
    sample_listeners: int | None = None
    bounds: Mapping[str, tuple[float, float] | None] | None = None

    @property
    def fitted(self) -> list[int]:
        """Return the places of the targets that the fit may see."""
        return [i for i, target in enumerate(self.targets) if not target.is_held_out]

    @property
    def held_out(self) -> list[int]:
        """Return the places of the targets that are kept from it."""
        return [i for i, target in enumerate(self.targets) if target.is_held_out]


def read_targets(path: Path, seed: int) -> Targets:
    """Return the targets of a YAML or CSV file.

    Parameters
    ----------
    path : Path
        ``.csv``, or else YAML.
    seed : int
        Root seed, by which a share of held-out targets is drawn.

    Returns
    -------
    Targets

    Raises
    ------
    InputError
        If the file cannot be read or says something impossible; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError("there is no such target file", str(path), EXAMPLE) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the target file cannot be read: {error}", str(path), "give a UTF-8 text file") from error
    made = _from_csv(text, path) if path.suffix.lower() == ".csv" else _from_yaml(text, path, seed)
    if not made.fitted:
        raise InputError("no target is left to fit", str(path), "give targets, and hold only a part of them out")
    seen: dict[str, str] = {}
    for target in made.targets:
        if target.name in seen:
            raise InputError(f"the target {target.name} stands twice", target.where, f"keep one ({seen[target.name]})")
        seen[target.name] = target.where
    return made


def _from_yaml(text: str, path: Path, seed: int) -> Targets:
    try:
        source = parse_source(text, str(path), path.parent)
    except InputError as error:
        raise InputError(error.what.replace("scenario", "target file"), error.where, EXAMPLE) from None
    data = source.data
    for key in data:
        if key not in _KEYS:
            raise InputError(f"unknown key `{key}`", str(source.origin((key,))), f"known keys: {', '.join(_KEYS)}")
    groups = data.get("targets")
    if not isinstance(groups, dict) or not groups:
        raise InputError("`targets` must hold at least one target", str(source.origin(("targets",))), EXAMPLE)
    table = _table(data.get("plays_table"), source)
    targets = [target for thing, group in groups.items() for target in _group(str(thing), group, source, table)]
    return Targets(
        targets=tuple(_held_out(targets, data.get("held_out"), source, seed)),
        days=_whole(data, "days", source, 1),
        warm_up_days=_whole(data, "warm_up_days", source, 0) or 0,
        sample_listeners=_whole(data, "sample_listeners", source, 2) or (table.plays.size if table else None),
        bounds=_bounds(data.get("parameters"), source),
    )


def _table(given: Any, source: Source) -> Listened | None:
    """Return the table of plays that the file names, if it names one."""
    if given is None:
        return None
    where = str(source.origin(("plays_table",)))
    if not isinstance(given, str):
        raise InputError("`plays_table` must be a file's path", where, "such as plays_table: plays.tsv")
    return count_plays(source.folder / given, where)


def _group(thing: str, group: Any, source: Source, table: Listened | None) -> Iterator[Target]:
    if not isinstance(group, dict) or not group:
        where = str(source.origin(("targets", thing)))
        raise InputError(f"`{thing}` must hold statistics and their values", where, f"such as {thing}: {{mean: 3.2}}")
    for key, given in group.items():
        where = str(source.origin(("targets", thing, str(key))))
        fields = dict(given) if isinstance(given, dict) else {"value": given}
        if table is not None and fields.get("value") is None:
            fields["value"] = _counted(f"{thing}.{key}", table, where)
        unknown = [k for k in fields if k not in ("value", "error", "held_out")]
        if unknown or "value" not in fields:
            raise InputError(
                f"`{thing}.{key}` is not a target: {unknown[0] if unknown else 'its value is missing'}",
                where,
                "write a number, or {value: 22, error: 1.5, held_out: true}",
            )
        yield _target(f"{thing}.{key}", fields["value"], fields.get("error"), fields.get("held_out", False), where)


def _counted(name: str, table: Listened, where: str) -> float:
    value = moment(name, where).of(table)
    if math.isnan(value):
        raise InputError(f"a table of plays does not tell {name}", where, "write its value, or leave it out")
    return value


def _from_csv(text: str, path: Path) -> Targets:
    rows = csv.DictReader(text.splitlines())
    columns = [name.strip() for name in rows.fieldnames or ()]
    if "target" not in columns or "value" not in columns:
        raise InputError(
            f"the columns `target` and `value` are needed; the file has {', '.join(columns) or 'none'}",
            f"{path}, line 1",
            "begin it with target,value",
        )
    targets: list[Target] = []
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        cell = {str(k).strip(): str(v or "").strip() for k, v in row.items()}
        held = cell.get("held_out", "").lower()
        if held not in ("", "yes", "no", "true", "false", "1", "0"):
            raise InputError(f"held_out is {held!r}", where, "write yes or no")
        numbers = [_number(cell[k], where) if cell.get(k) else None for k in ("value", "error")]
        targets.append(_target(cell["target"], numbers[0], numbers[1], held in ("yes", "true", "1"), where))
    return Targets(tuple(targets))


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text!r} is not a number", where, "write it with a decimal point") from None


def _target(name: str, value: Any, error: Any, is_held_out: Any, where: str) -> Target:
    for what, given in (("value", value), ("error", error)):
        is_number = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
        if not is_number and not (what == "error" and given is None):
            raise InputError(f"the {what} of {name} is {given!r}, not a number", where, "write a finite number")
    if error is not None and error <= 0.0:
        raise InputError(f"the error of {name} must be above 0", where, "leave it out where it is not known")
    if not isinstance(is_held_out, bool):
        raise InputError(f"held_out of {name} is {is_held_out!r}", where, "write true or false")
    what = moment(name, where)
    least, most = what.limits
    if not least <= value <= most:
        percent = f"; {value:g} % is {value / 100.0:g}" if 1.0 < value <= 100.0 else ""
        remedy = f"a share lies between 0 and 1{percent}" if most == 1.0 else "correct the value: it is never below 0"
        raise InputError(f"the value of {name} is {value:g}, which it cannot be", where, remedy)
    return Target(what, float(value), None if error is None else float(error), is_held_out, where)


def _held_out(targets: list[Target], asked: Any, source: Source, seed: int) -> list[Target]:
    """Return the targets with those that ``held_out`` names, or a keyed share of them, marked."""
    if asked is None:
        return targets
    where = str(source.origin(("held_out",)))
    if isinstance(asked, float | int) and not isinstance(asked, bool) and 0.0 <= asked < 1.0:
        order = Keys(seed, 0).stream("calibration", "held_out").uniform(np.arange(len(targets)), 0)
        chosen = set(np.argsort(order, kind="stable")[: round(asked * len(targets))].tolist())
        return [replace(t, is_held_out=t.is_held_out or i in chosen) for i, t in enumerate(targets)]
    if not isinstance(asked, list):
        raise InputError("`held_out` must be a list of targets, or a share below 1", where, "such as 0.25")
    for name in asked:
        if not any(name in (t.name, t.name.partition(".")[0]) for t in targets):
            raise InputError(f"`held_out` names {name}, which is no target here", where, "name one of the targets")
    return [replace(t, is_held_out=t.is_held_out or bool({t.name, t.name.partition(".")[0]} & {*asked}))
            for t in targets]  # fmt: skip


def _whole(data: Mapping[str, Any], key: str, source: Source, least: int) -> int | None:
    given = data.get(key)
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < least:
        raise InputError(
            f"`{key}` is {given!r}", str(source.origin((key,))), f"write a whole number of at least {least}"
        )
    return given


def _bounds(given: Any, source: Source) -> dict[str, tuple[float, float] | None] | None:
    if given is None:
        return None
    if isinstance(given, list):
        given = dict.fromkeys(given)
    where = str(source.origin(("parameters",)))
    if not isinstance(given, dict):
        raise InputError("`parameters` must name parameters", where, "such as parameters: {listeners.kappa: [1, 8]}")
    made: dict[str, tuple[float, float] | None] = {}
    for key, pair in given.items():
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, int | float) for x in pair)
        if pair is not None and not is_pair:
            at = str(source.origin(("parameters", str(key))))
            raise InputError(f"the bounds of {key} are {pair!r}", at, "write [lowest, highest]")
        made[str(key)] = None if pair is None else (float(pair[0]), float(pair[1]))
    return made
