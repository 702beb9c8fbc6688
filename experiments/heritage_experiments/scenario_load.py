"""From a scenario file to a checked `Scenario`: what is wrong is said once, with file, line and remedy.

Everything that can be known wrong before a run is found here: the scenario itself and every one of its cells are
checked by the same schema, so no run folder is made for a cell that could not run.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from heritage_experiments.registry import check_rule, load_class, rule_of, take_out
from heritage_experiments.scenario import FIXED_FOR_ALL_CELLS, Cell, Scenario, as_data, overridden
from heritage_experiments.scenario_source import KeyPath, Origin, Source, anchor_paths, put, read_source
from heritage_sim.base import InputError
from heritage_sim.royalty import OWN_KIND, RuleConfig

QUICK = {"replications": 3, "listeners.num_listeners": 500, "economy.days": 21}
"""Upper bounds that ``--quick`` puts on a scenario."""


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
    resolved = [_checked_cell(scenario, cell, i, source) for i, cell in enumerate(scenario.cells)]
    _check_outcomes(scenario, source)
    _check_own_parts((scenario, *resolved))
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
                _where(source.origin(("comparisons", i, "outcome")), ("comparisons", i, "outcome")),
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
    data = _cell_data(scenario, cell, f"cell {cell.name}")
    return _validated(data, Source(data=data, name=f"cell {cell.name} of scenario {scenario.name}"), ())


def _cell_data(scenario: Scenario, cell: Cell, where: str) -> dict[str, Any]:
    data = json.loads(json.dumps(as_data(scenario, defaults=False)))
    for key in ("arms", "cells", "comparisons"):
        data.pop(key, None)
    if cell.arm:
        data = overridden(data, scenario.arms[cell.arm])
    data = json.loads(json.dumps(data))
    for dotted, value in cell.set.items():
        put(data, dotted.split("."), value, where)
    return data


def _checked_cell(scenario: Scenario, cell: Cell, index: int, source: Source) -> Scenario:
    arm = scenario.arms.get(cell.arm, {})
    here = source.origin(("cells", index, "set"))
    for key in (*arm, *cell.set):
        section = key.split(".")[0]
        if section in FIXED_FOR_ALL_CELLS:
            at = source.origin(("arms", cell.arm, key)) if key in arm else source.origin(("cells", index, "set", key))
            raise InputError(
                f"no arm or cell may change `{section}`: cells are compared on one world and one set of random numbers",
                str(at),
                f"set `{section}` once, for the whole scenario",
            )
    data = _cell_data(scenario, cell, str(here))
    layered = Source(data=data, name=source.name, folder=source.folder, origins=dict(source.origins))
    for path, origin in source.origins.items():
        if path[:2] == ("arms", cell.arm) and len(path) > 2:
            layered.origins[path[2:]] = origin
    for dotted in cell.set:
        layered.origins[tuple(dotted.split("."))] = source.origin(("cells", index, "set", dotted))
    return _validated(data, layered, ())


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
        raise _explained(error, source, prefix) from None


def _as_json(data: Mapping[str, Any], source: Source) -> str:
    try:
        return json.dumps(data)
    except TypeError:
        path, value = next(_not_json(data, ()))
        raise InputError(
            f"`{_dotted(path)}` is {value!r}, a {type(value).__name__} in YAML",
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


def _explained(error: ValidationError, source: Source, prefix: KeyPath) -> InputError:
    problems = error.errors(include_url=False)
    # An unknown key explains a missing one (a typo is both): it goes first.
    problems.sort(key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    path: KeyPath = (*prefix, *first["loc"], *first.get("ctx", {}).get("path", ()))
    origin = source.origin(path)
    what, remedy = _words(first, path)
    if len(problems) > 1:
        others = "; ".join(sorted({str(source.origin((*prefix, *p["loc"]))) for p in problems[1:]} - {str(origin)}))
        count = f"{len(problems) - 1} more problem{'s' if len(problems) > 2 else ''}"
        remedy += f" (and {count}{': ' + others if others else ''})"
    return InputError(what, _where(origin, path), remedy)


def _where(origin: Origin, path: KeyPath) -> str:
    key = _dotted(path)
    return f"{origin}, key `{key}`" if key and origin.line else str(origin)


def _words(problem: Any, path: KeyPath) -> tuple[str, str]:
    kind, context, value = problem["type"], problem.get("ctx", {}), problem.get("input")
    key = _dotted(path)
    if kind == "extra_forbidden":
        known = _keys_at(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        remedy = f"did you mean `{near[0]}`?" if near else f"known keys here: {', '.join(sorted(known))}"
        return f"unknown key `{key}`", remedy
    if kind == "missing":
        return f"the key `{key}` is missing", "add it; the scenario's schema says what it takes (heritage run --schema)"
    if kind == "value_error" and isinstance(context.get("error"), ValidationError):
        inner = context["error"].errors(include_url=False)[0]
        return _words(inner, (*path, *inner["loc"]))
    if kind == "scenario":
        return problem["msg"], "correct the name, or add what it names"
    if kind == "value_error":
        return re.sub(r"^Value error, ", "", problem["msg"]), "see the values in experiments/scenarios/quickstart.yaml"
    description = _description_at(path)
    shown = "a section" if isinstance(value, dict) else "a list" if isinstance(value, list) else json.dumps(value)
    remedy = f"{key}: {description}" if description else "correct the value"
    if kind in ("literal_error", "enum"):
        near = difflib.get_close_matches(str(value), re.findall(r"'([^']*)'", str(context.get("expected", ""))), n=1)
        suggestion = f"did you mean {near[0]!r}? " if near else ""
        return f"`{key}` is {shown}, which is none of {context.get('expected', 'the known names')}", suggestion + remedy
    return f"`{key}` is {shown}: {problem['msg'][0].lower()}{problem['msg'][1:]}", remedy


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(p) for p in path)


def _model_at(path: Sequence[str | int]) -> tuple[type[BaseModel] | None, Any]:
    """Return the section a key path leads to (None where it leads to a value), and the last field on the way."""
    model: type[BaseModel] | None = Scenario
    field = None
    for key in path:
        if isinstance(key, int) or str(key).isdigit():
            continue
        if model is None or key not in model.model_fields:
            return None, None
        field = model.model_fields[key]
        model = _section_in(field.annotation)
    return model, field


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for a in get_args(annotation) if (found := _section_in(a)) is not None), None)


def _keys_at(path: Sequence[str | int]) -> list[str]:
    model, _ = _model_at(path)
    keys = list(model.model_fields) if model is not None else []
    return [*(k for k in keys if k != "own_parts"), "extends"] if model is Scenario else keys


def _description_at(path: Sequence[str | int]) -> str:
    _, field = _model_at(path)
    return (field.description or "") if field is not None else ""
