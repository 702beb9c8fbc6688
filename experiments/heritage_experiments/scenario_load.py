"""From a scenario file to a checked `Scenario`: what is wrong is said once, with file, line and remedy.

Everything that can be known wrong before a run is found here: the scenario itself and every one of its cells are
checked by the same schema, so no run folder is made for a cell that could not run.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from heritage_experiments.registry import check_rule, load_class, rule_of, take_out
from heritage_experiments.scenario import (
    FIXED_FOR_ALL_CELLS,
    FIXED_OF_COMMUNITIES,
    SAME_IN_A_COMPARISON,
    Cell,
    Scenario,
    as_data,
)
from heritage_experiments.scenario_source import KeyPath, Source, anchor_paths, laid_over, put, read_source
from heritage_experiments.scenario_words import explained, key_text, origin_text
from heritage_sim.base import InputError
from heritage_sim.royalty import OWN_KIND, RuleConfig

QUICK = {"replications": 3, "listeners.num_listeners": 500, "economy.days": 21}
"""Upper bounds that ``--quick`` puts on a scenario."""

_Written = list[tuple[KeyPath, KeyPath]]
"""Paths of keys in a cell's scenario, each with the path under which the arm or the cell wrote it."""


def load_scenario(path: Path, sets: Sequence[str] = (), *, quick: bool = False) -> Scenario:
    """Return a scenario file with ``--set`` arguments applied, itself and all its cells checked.

    Parameters
    ----------
    path : Path
        YAML file.
    sets : sequence of str
        ``a.b=value`` arguments, applied in order over the file.
    quick : bool
        Bound replications, listeners and days by `QUICK`.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        If anything in it cannot be used; names file and line, or the argument.
    """
    source = read_source(path)
    for argument in sets:
        source.assign(argument)
    return check_source(source, quick=quick)


def check_source(source: Source, *, quick: bool = False) -> Scenario:
    """Return the scenario that a source describes, itself and all its cells checked."""
    anchor_paths(source)
    scenario = _validated(source.data, source, ())
    if quick:
        scenario = _bounded(scenario)
    resolved = [_checked_cell(scenario, cell, ("cells", i, "set"), source) for i, cell in enumerate(scenario.cells)]
    swept = [_checked_cell(scenario, cell, at, source) for cell, at in _swept(scenario)]
    _check_outcomes(scenario, source)
    _check_comparisons(scenario, {c.name: r for c, r in zip(scenario.cells, resolved, strict=True)}, source)
    _check_own_parts((scenario, *resolved, *swept))
    return scenario


def _check_own_parts(scenarios: Sequence[Scenario]) -> None:
    """Refuse parts of the user's own that cannot be made, and two rules of one name."""
    for section, kind in {part for s in scenarios for part in s.own_parts.items()}:
        load_class(section, kind)
    named: dict[str, str] = {}
    written: dict[str, RuleConfig] = {
        rule.model_dump_json(): rule for s in scenarios for rule in (s.royalty.rule, *s.royalty.shadow)
    }
    for text, rule in written.items():
        if OWN_KIND.match(rule.kind):
            check_rule(rule)
            name = rule_of(rule).name
            if named.setdefault(name, text) != text:
                raise InputError(
                    f"two rules of your own call themselves {name!r}; the report tells rules apart by name",
                    rule.kind,
                    "give each class its own `kind`, and let the name tell its parameters",
                )


def _check_outcomes(scenario: Scenario, source: Source) -> None:
    from heritage_sim.outcomes import outcome_names

    known = outcome_names(len(scenario.communities))
    for i, comparison in enumerate(scenario.comparisons):
        if comparison.outcome not in known:
            near = difflib.get_close_matches(comparison.outcome, known, n=1)
            raise InputError(
                f"comparison {comparison.name!r} asks for {comparison.outcome!r}, which no run records",
                origin_text(source.origin(("comparisons", i, "outcome")), ("comparisons", i, "outcome")),
                f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}",
            )


def resolve_cell(scenario: Scenario, cell: Cell) -> Scenario:
    """Return the scenario that a cell stands for; it holds no arm, cell or comparison and none of their names.

    Parameters
    ----------
    scenario : Scenario
        The scenario with the cell in it.
    cell : Cell
        One of its cells.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        If the overrides do not pass the scenario's schema.
    """
    data, _ = _cell_data(scenario, cell, f"cell {cell.name}")
    return _validated(data, Source(data=data, name=f"cell {cell.name} of scenario {scenario.name}"), ())


def _cell_data(scenario: Scenario, cell: Cell, where: str, arm_where: str = "") -> tuple[dict[str, Any], _Written]:
    """Return a cell's scenario as plain data, and the path of each key that its arm and the cell itself set."""
    data = json.loads(json.dumps(as_data(scenario, defaults=False)))
    for key in ("arms", "cells", "comparisons"):
        data.pop(key, None)
    written: _Written = []
    if cell.arm:
        data, from_arm = laid_over(data, json.loads(json.dumps(scenario.arms[cell.arm])), arm_where or where)
        written += [(path, ("arms", cell.arm, *keys)) for path, keys in from_arm]
    for dotted, value in json.loads(json.dumps(cell.set)).items():
        written.append((put(data, dotted.split("."), value, where), ("set", dotted)))
    return data, written


def _swept(scenario: Scenario) -> list[tuple[Cell, KeyPath]]:
    """Return the cells that sweeps make, each with the path of the sweep that made it first."""
    at: dict[str, KeyPath] = {}
    for i, comparison in enumerate(scenario.comparisons):
        for cell in comparison.cells_at():
            at.setdefault(cell, ("comparisons", i, "sweep", "key"))
    return [(cell, at[cell.name]) for cell in scenario.swept_cells]


def _checked_cell(scenario: Scenario, cell: Cell, written_at: KeyPath, source: Source) -> Scenario:
    """Return a cell's scenario; refuse one that cannot be run, or that is another world than the scenario's.

    ``written_at`` is the path of the keys that the cell sets beside its arm's.
    """
    arm = scenario.arms.get(cell.arm, {})
    for key in (*arm, *cell.set):
        section = key.split(".")[0]
        if section in FIXED_FOR_ALL_CELLS:
            at = source.origin(("arms", cell.arm, key) if key in arm else (*written_at, key))
            raise InputError(
                f"no arm or cell may change `{section}`: cells are compared on one world and one set of random numbers",
                str(at),
                f"set `{section}` once, for the whole scenario",
            )
    here, there = source.origin(written_at), source.origin(("arms", cell.arm))
    data, written = _cell_data(scenario, cell, str(here), str(there))
    layered = Source(data=data, name=source.name, folder=source.folder, origins=dict(source.origins))
    for path, at in written:
        layered.overlay(path, source.origin(at if at[0] == "arms" else (*written_at, *at[1:])))
    resolved = _validated(data, layered, ())
    _refuse_another_world(scenario, resolved, layered)
    return resolved


def _refuse_another_world(scenario: Scenario, resolved: Scenario, layered: Source) -> None:
    given, made = scenario.communities, resolved.communities
    fixed = ", ".join(f"`{key}`" for key in FIXED_OF_COMMUNITIES)
    path: KeyPath = ()
    if len(given) != len(made):
        path, changed = ("communities",), "the number of communities"
    for i, (before, after) in enumerate(zip(given, made, strict=False)):
        for key in FIXED_OF_COMMUNITIES:
            if not path and getattr(before, key) != getattr(after, key):
                path, changed = ("communities", i, key), f"`communities.{before.name}.{key}`"
    if path:
        raise InputError(
            f"no arm or cell may change {changed}: cells are compared on one world",
            str(layered.origin(path)),
            f"the terms and conduct of a community may differ between cells, but not {fixed} and their number",
        )
    for section, key in (("creators", "num_per_community"), ("adversaries", "sybils")):
        if getattr(getattr(scenario, section), key) != getattr(getattr(resolved, section), key):
            raise InputError(
                f"no arm or cell may change `{section}.{key}`: all cells pay the same people",
                str(layered.origin((section, key))),
                "set it once, for the whole scenario"
                + ("; with copies_per_sybil 0 they do nothing" if key == "sybils" else ""),
            )


def _check_comparisons(scenario: Scenario, resolved: Mapping[str, Scenario], source: Source) -> None:
    for i, comparison in enumerate(scenario.comparisons):
        sides = (comparison.treatment, comparison.control)
        for dotted in SAME_IN_A_COMPARISON:
            section, key = dotted.split(".")
            first, second = (getattr(getattr(resolved[name], section), key) for name in sides)
            if first != second:
                raise InputError(
                    f"comparison {comparison.name!r} compares two worlds: {dotted} is {first} in {sides[0]} and "
                    f"{second} in {sides[1]}",
                    str(source.origin(("comparisons", i))),
                    "give both cells the same, or compare each with a control of its own world",
                )


def cells_untouched(path: Path, sets: Sequence[str], *, quick: bool = False) -> dict[str, tuple[str, ...]]:
    """Return, for each ``--set`` argument that changes the scenario, the cells it changes nothing in.

    Parameters
    ----------
    path : Path
        YAML file.
    sets : sequence of str
        Arguments.
    quick : bool
        As `load_scenario` has it.

    Returns
    -------
    dict of str to tuple of str
        Arguments that reach every cell are left out.

    Raises
    ------
    InputError
        If an argument reaches no cell at all, as every one of them sets the key itself.
    """
    if not sets:
        return {}
    base, cells = _base_and_cells(load_scenario(path, sets, quick=quick))
    found: dict[str, tuple[str, ...]] = {}
    for i, argument in enumerate(sets):
        try:
            other_base, others = _base_and_cells(load_scenario(path, [*sets[:i], *sets[i + 1 :]], quick=quick))
        except InputError:
            continue  # the others need this one
        untouched = tuple(name for name, cell in cells.items() if others.get(name) == cell)
        if other_base == base or not untouched:
            continue
        if len(untouched) == len(cells):
            raise InputError(
                f"this changes nothing: every cell sets the key itself ({', '.join(untouched)})",
                f"--set {argument}",
                f"set it in a cell: --set cells.{untouched[0]}.set.{argument}",
            )
        found[argument] = untouched
    return found


def _base_and_cells(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Scenario]]:
    base = as_data(scenario)
    for key in ("arms", "cells", "comparisons"):
        del base[key]
    return base, {cell.name: resolve_cell(scenario, cell) for cell in scenario.cells_to_run}


def _validated(data: dict[str, Any], source: Source, prefix: KeyPath) -> Scenario:
    data = dict(data)
    given_parts = data.pop("own_parts", None)
    if given_parts:
        raise InputError(
            "`own_parts` is filled in on reading", str(source.origin(("own_parts",))), "write kind: file.py:Class"
        )
    data = json.loads(_as_json(data, source))
    own = take_out(data, source.folder)
    if own:
        data["own_parts"] = own
    try:
        return Scenario.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise explained(error, source, prefix) from None


def _as_json(data: Mapping[str, Any], source: Source) -> str:
    try:
        return json.dumps(data)
    except TypeError:
        path, value = next(_not_json(data, ()))
        raise InputError(
            f"`{key_text(path)}` is {value!r}, a {type(value).__name__} in YAML",
            str(source.origin(path)),
            "put quotes around it",
        ) from None


def _not_json(node: Any, path: KeyPath) -> Any:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if not isinstance(key, str | int | float | bool | None):
                yield path, key
            yield from _not_json(value, (*path, str(key)))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _not_json(value, (*path, i))
    elif not isinstance(node, str | int | float | bool | None):
        yield path, node


def _bounded(scenario: Scenario) -> Scenario:
    """Return a scenario within the bounds of `QUICK`, in all its arms and cells."""
    data = as_data(scenario, defaults=False)
    full = as_data(scenario)
    for dotted, bound in QUICK.items():
        path = dotted.split(".")
        put(data, path, min(_at(full, path), bound), "--quick")
        for own in (*data.get("arms", {}).values(), *(cell.get("set", {}) for cell in data.get("cells", ()))):
            for keys in ([dotted], path):
                value = _at(own, keys)
                if isinstance(value, int):
                    put(own, keys, min(value, bound), "--quick")
    return _validated(data, Source(data=data, name="--quick"), ())


def _at(data: Any, path: Sequence[str]) -> Any:
    """Return the value at the end of nested keys; None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data
