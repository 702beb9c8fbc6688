"""Every parameter of a scenario with what a reader must know of it: key, meaning, unit, range, default, value, source.

All of it is metadata of the configuration sections themselves (`heritage_sim.base.parameter`), so that a parameter
cannot be there without standing in the table. Sections in a list (communities, plans) are one row a key, and their
values are told apart by name where they differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from heritage_experiments.scenario import Scenario
from heritage_sim.royalty import RULES, RuleConfig

OF_THE_MODEL = ("traditions", "communities", "listeners", "creators", "economy", "generator", "recommender", "royalty")
"""Sections that come first in the table, in this order; what else the scenario has follows."""

NOT_PARAMETERS = ("name", "question", "arms", "cells", "comparisons", "own_parts", "extends")
"""Keys of a scenario that say what is asked and compared, not how the model is."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Parameters
    ----------
    key : str
        Dotted key; ``communities[].activity`` where a section stands in a list.
    meaning, unit, source : str
        What it is; unit and source are empty where a section does not say them.
    default, value : str
        As written; the value is the scenario's, empty where no scenario was named.
    limits : str
        What values are possible.
    """

    key: str
    meaning: str
    unit: str
    source: str
    default: str
    value: str
    limits: str

    @property
    def section(self) -> str:
        """Return the scenario's section it stands in."""
        return self.key.split(".")[0].removesuffix("[]")


def parameters_of(scenario: Scenario | None = None) -> list[Parameter]:
    """Return all parameters, with the values of a scenario if one is given."""
    names = [n for n in Scenario.model_fields if n not in NOT_PARAMETERS]
    names.sort(key=lambda n: OF_THE_MODEL.index(n) if n in OF_THE_MODEL else len(OF_THE_MODEL))
    found: list[Parameter] = []
    for name in names:
        nodes = [("", scenario)] if scenario is not None else []
        found += _of_field(name, Scenario.model_fields[name], nodes, name)
    return found


def without_metadata(parameters: Sequence[Parameter]) -> list[str]:
    """Return the keys of which something is not said, each with what: unit, range or source."""
    return [
        f"{p.key}: no {' and no '.join(missing)}"
        for p in parameters
        if (
            missing := [
                what for what, said in (("unit", p.unit), ("range", p.limits), ("source", p.source)) if not said
            ]
        )
    ]


def section_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the configuration section that an annotation holds, if any, and whether it holds many of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        section, many = section_in(inner)
        if section is not None:
            return section, many or get_origin(annotation) in (tuple, list, dict)
    return None, False


_Nodes = list[tuple[str, Any]]
"""Sections of the scenario that a key stands in, each with its name, or without one where there is but one."""


def _of_field(name: str, field: FieldInfo, nodes: _Nodes, key: str) -> Iterator[Parameter]:
    section, many = section_in(field.annotation)
    if section is None or issubclass(section, RuleConfig):
        yield _row(key, field, [(of, getattr(node, name)) for of, node in nodes])
        if section is not None and not many:
            yield from _of_rules(key, nodes, name)
        return
    inner: _Nodes = []
    for of, node in nodes:
        held = getattr(node, name)
        if many:
            inner += [(_name_of(item, f"{of} {i + 1}"), item) for i, item in enumerate(held)]
        elif held is not None:
            inner.append((of, held))
    for child, child_field in section.model_fields.items():
        yield from _of_field(child, child_field, inner, f"{key}{'[]' if many else ''}.{child}")


def _of_rules(key: str, nodes: _Nodes, name: str) -> Iterator[Parameter]:
    """Yield the parameters of every registered royalty rule, which stand beside ``kind``."""
    for kind, rule in sorted(RULES.items()):
        for parameter, field in rule.model_fields.items():
            held = [(of, getattr(node, name)) for of, node in nodes]
            values = [
                (of, config.model_extra[parameter])
                for of, config in held
                if config.kind == kind and parameter in (config.model_extra or {})
            ]
            yield _row(f"{key}.{parameter} ({kind})", field, values)


def _row(key: str, field: FieldInfo, values: _Nodes) -> Parameter:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit, source = str(extra.get("unit", "")), str(extra.get("source", ""))
    said = field.description or ""
    # `parameter` appends unit and source to the description; here they have columns of their own.
    meaning = said.partition(f" [{unit}]. ")[0] if unit else said
    return Parameter(
        key=key,
        meaning=meaning.rstrip("."),
        unit=unit,
        source=source,
        default=_written(field.get_default(call_default_factory=True)),  # pyright: ignore[reportArgumentType]
        value=_together([(of, _written(value)) for of, value in values]),
        limits=limits_of(field),
    )


def limits_of(field: FieldInfo) -> str:
    """Return the possible values of a field in words; those of its type where nothing else bounds it."""
    choices = _choices(field.annotation)
    if choices and not {int, float, str} & set(get_args(field.annotation)):
        return ", ".join(choices)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "least", "max_length": "most"}
    bounds = {
        sign: getattr(limit, name)
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    }
    if not bounds.keys() & {"≥", ">", "≤", "<"}:
        return _of_its_type(field.annotation, bounds.get("least"), bounds.get("most"))
    if "≥" in bounds and "≤" in bounds:
        return f"{_written(bounds['≥'])} to {_written(bounds['≤'])}"
    return ", ".join(f"{sign} {_written(bounds[sign])}" for sign in ("≥", ">", "≤", "<") if sign in bounds)


def _of_its_type(annotation: Any, least: int | None, most: int | None) -> str:
    """Return what values a type has, of a length between two bounds if they are given."""
    if annotation is str:
        return "any text" if not least else "text, not empty"
    if annotation in (int, float):
        return "any number"
    if annotation is RuleConfig:
        return f"{', '.join(sorted(RULES))}, or a rule of one's own"
    if get_origin(annotation) is Literal:
        return ", ".join(_choices(annotation))
    inner = [arg for arg in get_args(annotation) if arg is not Ellipsis]
    if get_origin(annotation) is tuple:
        held = _of_its_type(inner[0], None, None)
        size = len(inner) if Ellipsis not in get_args(annotation) else least if least == most else None
        return f"{size} values: {held}" if size else f"a list of {held}"
    if get_origin(annotation) is dict:
        return f"by name: {_of_its_type(inner[1], None, None)}"
    if inner:
        return " or ".join("null" if arg is type(None) else _of_its_type(arg, least, most) for arg in inner)
    return "as described" if annotation is not type(None) else "null"


def _choices(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["true", "false"]
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [choice for inner in get_args(annotation) for choice in _choices(inner)]


def _written(value: Any) -> str:
    """Return a value as a scenario file has it."""
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, RuleConfig):
        extra = ", ".join(f"{k}={v}" for k, v in (value.model_extra or {}).items())
        return f"{value.kind}({extra})" if extra else value.kind
    if isinstance(value, tuple | list):
        return ", ".join(_written(item) for item in value) or "none"
    if isinstance(value, BaseModel):
        return json.dumps(value.model_dump(mode="json"))
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, int):
        return str(value)
    return str(value) or "none"


def _together(values: Sequence[tuple[str, str]]) -> str:
    """Return values as one text: once where they agree, by name where they differ."""
    if len({text for _, text in values}) <= 1:
        return values[0][1] if values else ""
    return "; ".join(f"{of}: {text}" for of, text in values)


def _name_of(item: Any, otherwise: str) -> str:
    return str(getattr(item, "name", "") or otherwise).strip()
