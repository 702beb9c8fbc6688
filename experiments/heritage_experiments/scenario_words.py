"""What is wrong with a scenario, in words: pydantic's findings as one error with file, line and remedy."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_source import KeyPath, Origin, Source
from heritage_sim.base import InputError

_BRANCHES = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
"""How pydantic calls the kinds of value that a key may have one of, at the end of a path."""
_KINDS = {"a valid array": "a list, such as [1, 2]", "an object": "a section with keys of its own"}
"""Kinds of value, as pydantic calls them and as a YAML file has them."""


def explained(error: ValidationError, source: Source, prefix: KeyPath) -> InputError:
    """Return pydantic's first finding as an error for people, the others by their lines.

    Parameters
    ----------
    error : ValidationError
        Of `Scenario`.
    source : Source
        Where the data came from.
    prefix : tuple
        Key path of the data in the source.

    Returns
    -------
    InputError
    """
    problems = _one_a_value(error.errors(include_url=False))
    # An unknown key explains a missing one (a typo is both): it goes first.
    problems.sort(key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    path: KeyPath = (*prefix, *first["loc"], *first.get("ctx", {}).get("path", ()))
    origin = source.origin(path)
    what, remedy = _words(first, path)
    if origin.line and origin.source != source.name and first["type"] == "scenario":
        remedy += f"; `{path[0]}` is inherited from {origin.source} through `extends`: write it anew in {source.name}"
    if len(problems) > 1:
        others = "; ".join(sorted({str(source.origin((*prefix, *p["loc"]))) for p in problems[1:]} - {str(origin)}))
        count = f"{len(problems) - 1} more problem{'s' if len(problems) > 2 else ''}"
        remedy += f" (and {count}{': ' + others if others else ''})"
    return InputError(what, origin_text(origin, path), remedy)


def _one_a_value(problems: Sequence[Any]) -> list[Any]:
    """Return the problems, one for each value: of a key that takes several kinds of value pydantic finds one a kind."""
    kinds: dict[KeyPath, list[str]] = {}
    made: list[Any] = []
    for problem in problems:
        *path, last = problem["loc"] or ("",)
        choice = re.fullmatch(r"literal\[(.*)\]", str(last))
        kind = choice[1] if choice else _BRANCHES.get(str(last))
        if kind is None:
            made.append(problem)
            continue
        if tuple(path) not in kinds:
            made.append({**problem, "type": "kinds", "loc": tuple(path)})
        kinds.setdefault(tuple(path), []).append(kind)
    for problem in made:
        if problem["type"] == "kinds":
            named = kinds[problem["loc"]]
            named = [k for k in named if k != _BRANCHES["int"] or _BRANCHES["float"] not in named]
            problem["msg"] = f"input should be {' or '.join(named)}"
    # A list is too short for pydantic too when its items are no good.
    paths = [p["loc"] for p in made]
    return [
        p
        for p in made
        if p["type"] != "too_short" or not any(at != p["loc"] and at[: len(p["loc"])] == p["loc"] for at in paths)
    ]


def origin_text(origin: Origin, path: KeyPath) -> str:
    """Return a key's origin and its dotted path."""
    key = key_text(path)
    return f"{origin}, key `{key}`" if key and origin.line else str(origin)


def _words(problem: Any, path: KeyPath) -> tuple[str, str]:
    kind, context, value = problem["type"], problem.get("ctx", {}), problem.get("input")
    key = key_text(path)
    if kind == "extra_forbidden":
        known = _keys_at(path[:-1])
        elsewhere = _keys_called(str(path[-1]))
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        remedy = f"did you mean `{near[0]}`?" if near else f"known keys here: {', '.join(sorted(known))}"
        if elsewhere:
            remedy = f"did you mean {' or '.join(f'`{name}`' for name in elsewhere)}?"
        return f"unknown key `{key}`", remedy
    if kind == "missing":
        return f"the key `{key}` is missing", "add it; the scenario's schema says what it takes (heritage run --schema)"
    if kind == "value_error" and isinstance(context.get("error"), ValidationError):
        inner = context["error"].errors(include_url=False)[0]
        return _words(inner, (*path, *inner["loc"]))
    if kind == "scenario":
        return problem["msg"], context["remedy"]
    if kind == "value_error":
        return re.sub(r"^Value error, ", "", problem["msg"]), "see the values in experiments/scenarios/quickstart.yaml"
    if kind == "string_pattern_mismatch" and path[-1] == "name":
        spelt = re.sub(r"[^a-z0-9_]+", "-", str(value).lower()).strip("-_")
        return (
            f"`{key}` is {json.dumps(value, ensure_ascii=False)}; "
            "a name has small letters, digits, - and _ only, and begins with a letter or digit",
            f"for example {spelt or 'my-question'}; any words may stand in `question`",
        )
    percent = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    if percent and str(path[-1]).endswith("_bps"):
        return f"`{key}` is {json.dumps(value)}", f"write {float(percent[1]) * 100:.0f} (basis points)"
    if percent:
        return f"`{key}` is {json.dumps(value)}", f"write {float(percent[1]) / 100:g}, a number without %"
    description = _description_at(path)
    shown = "a section" if isinstance(value, dict) else "a list" if isinstance(value, list) else json.dumps(value)
    remedy = f"{key}: {description}" if description else "correct the value"
    if kind in ("literal_error", "enum"):
        near = difflib.get_close_matches(str(value), re.findall(r"'([^']*)'", str(context.get("expected", ""))), n=1)
        suggestion = f"did you mean {near[0]!r}? " if near else ""
        return f"`{key}` is {shown}, which is none of {context.get('expected', 'the known names')}", suggestion + remedy
    message = f"{problem['msg'][0].lower()}{problem['msg'][1:]}"
    if kind in ("too_short", "too_long") and "actual_length" in context:
        few, count = kind == "too_short", context["actual_length"]
        bound = f"at least {context['min_length']}" if few else f"at most {context['max_length']}"
        return f"`{key}` has {count} item{'' if count == 1 else 's'}, and takes {bound}", remedy
    section = _model_at(path)[0] if kind == "model_type" else None
    if section is not None and "kind" in section.model_fields:
        remedy = f"write the key `{key}.kind`"
    for said, plain in _KINDS.items():
        message = re.sub(f"{said}$", plain, message)
    return f"`{key}` is {shown}: {message}", remedy


def key_text(path: Sequence[str | int]) -> str:
    """Return a key path as it is written."""
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


def _keys_called(name: str) -> list[str]:
    """Return the dotted keys of a scenario's sections whose last part is a name."""
    found = [name] if name in Scenario.model_fields and name != "own_parts" else []
    for section, field in Scenario.model_fields.items():
        model = _section_in(field.annotation)
        if model is not None and name in model.model_fields and section not in ("cells", "comparisons"):
            item = {"communities": ".<name>", "traditions": ".<name>"}.get(section, "")
            found.append(f"{section}{item}.{name}")
    return found


def _description_at(path: Sequence[str | int]) -> str:
    _, field = _model_at(path)
    return (field.description or "") if field is not None else ""
