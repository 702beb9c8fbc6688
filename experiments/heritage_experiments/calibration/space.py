"""The parameters that are fitted, as points of a unit cube.

A coordinate of the cube goes from a parameter's lower bound to its upper bound, on a logarithmic scale where both are
above 0 and far apart. Bounds are those given, else those of the scenario's schema; a side that the schema leaves open
(or sets so far off that it bounds nothing) is closed at `REACH` times the scenario's own value.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from heritage_experiments.scenario import Scenario
from heritage_experiments.scenario_source import put
from heritage_sim.base import InputError

SECTIONS = ("listeners", "recommender", "communities")
"""Sections of the scenario that the listening-only economy lives by."""

REACH = 4.0
"""Where no bound is known, the search goes this many times the scenario's own value far."""
NO_BOUND = 25.0
"""A bound of the schema that is so many times the value away says what is possible, not where to look."""
LOG_FROM = 5.0
"""Ratio of the bounds from which a parameter is searched on a logarithmic scale."""

Point = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter to fit.

    Parameters
    ----------
    key : str
        Dotted key of the scenario.
    value : float
        The scenario's own value.
    low, high : float
        Bounds.
    is_assumed : bool
        Whether a bound is neither given nor the schema's.
    description : str
        As the schema has it.
    """

    key: str
    value: float
    low: float
    high: float
    is_assumed: bool
    description: str

    @property
    def is_log(self) -> bool:
        """Return whether it is searched on a logarithmic scale."""
        return self.low > 0.0 and self.high / self.low >= LOG_FROM

    def at(self, share: float) -> float:
        """Return the value at a coordinate of the cube, rounded to 12 digits so that it can be written down."""
        share = min(max(share, 0.0), 1.0)
        width = self.high - self.low
        made = self.low * (self.high / self.low) ** share if self.is_log else self.low + width * share
        return min(max(float(f"{made:.12g}"), self.low), self.high)

    def share(self, value: float) -> float:
        """Return the coordinate of a value, held within the cube."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Space:
    """All parameters to fit.

    Parameters
    ----------
    scenario : Scenario
        Where they stand.
    parameters : tuple of Parameter
        In the order of the coordinates.
    """

    scenario: Scenario
    parameters: tuple[Parameter, ...]

    @property
    def dim(self) -> int:
        """Return the number of parameters."""
        return len(self.parameters)

    @property
    def start(self) -> Point:
        """Return the scenario's own values as a point."""
        return np.array([p.share(p.value) for p in self.parameters])

    def values(self, point: Point) -> tuple[float, ...]:
        """Return the parameters' values at a point."""
        return tuple(p.at(float(x)) for p, x in zip(self.parameters, point, strict=True))

    def scenario_at(self, values: Sequence[float]) -> Scenario:
        """Return the scenario with these values.

        Parameters
        ----------
        values : sequence of float
            In the parameters' order.

        Returns
        -------
        Scenario

        Raises
        ------
        InputError
            If the schema does not admit them together.
        """
        changes: dict[str, Any] = {}
        for parameter, value in zip(self.parameters, values, strict=True):
            section, *rest = parameter.key.split(".")
            if section not in changes:
                held = getattr(self.scenario, section)
                changes[section] = (
                    [item.model_dump() for item in held] if isinstance(held, tuple) else held.model_dump()
                )
            put(changes, (section, *rest), value, parameter.key)
        try:
            made = {section: _validated(getattr(self.scenario, section), data) for section, data in changes.items()}
        except ValidationError as error:
            said = ", ".join(f"{p.key} = {v:.4g}" for p, v in zip(self.parameters, values, strict=True))
            problem = error.errors(include_url=False)[0]
            raise InputError(
                f"no scenario can have {said}: {problem['msg'].removeprefix('Value error, ')}",
                "--parameters",
                "narrow the bounds, such as listeners.kappa=1:8",
            ) from None
        return self.scenario.model_copy(update=made)


def _validated(held: Any, data: Any) -> Any:
    if isinstance(held, tuple):
        return tuple(type(item).model_validate(values) for item, values in zip(held, data, strict=True))
    return type(held).model_validate(data)


def read_parameters(text: str) -> dict[str, tuple[float, float] | None]:
    """Return the parameters of ``--parameters``: keys with commas between, each with ``=low:high`` if wanted.

    Parameters
    ----------
    text : str
        Such as ``listeners.kappa=1:8,listeners.activity_sd``.

    Returns
    -------
    dict of str to (float, float) or None

    Raises
    ------
    InputError
        If it is not of that form.
    """
    made: dict[str, tuple[float, float] | None] = {}
    for item in (part.strip() for part in text.split(",")):
        key, equals, bounds = item.partition("=")
        if not key:
            raise InputError("an empty key among the parameters", f"--parameters {text}", "put one comma between two")
        made[key] = None
        if equals:
            low, _, high = bounds.partition(":")
            try:
                made[key] = (float(low), float(high))
            except ValueError:
                raise InputError(
                    f"{bounds!r} are no bounds", f"--parameters {item}", f"write {key}=1:8, lowest:highest"
                ) from None
    return made


def space_of(scenario: Scenario, asked: Mapping[str, tuple[float, float] | None], where: str) -> Space:
    """Return the space of the asked parameters.

    Parameters
    ----------
    scenario : Scenario
        Where they stand.
    asked : mapping of str to (float, float) or None
        Keys and, where given, bounds.
    where : str
        What to name in an error.

    Returns
    -------
    Space

    Raises
    ------
    InputError
        If there is no such key, it holds no real number, or its bounds are impossible.
    """
    if not asked:
        keys = ", ".join(key for key, _, _ in _numbers(scenario))
        raise InputError("no parameter is named", where, f"--parameters with some of: {keys}")
    return Space(scenario, tuple(_parameter(scenario, key, bounds, where) for key, bounds in asked.items()))


def _parameter(scenario: Scenario, key: str, given: tuple[float, float] | None, where: str) -> Parameter:
    known = {name: (value, field) for name, value, field in _numbers(scenario)}
    if key not in known:
        if key in {name for name, _, _ in _numbers(scenario, int)}:
            raise InputError(
                f"`{key}` is a whole number, and a fit moves in small steps",
                where,
                "fit it for each of a few --set values",
            )
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        ends = [name for name in known if name.endswith(f".{key}")]
        remedy = f"did you mean `{(ends or near)[0]}`?" if ends or near else f"one of: {', '.join(known)}"
        raise InputError(f"`{key}` is no real-numbered key of the listening population", where, remedy)
    value, field = known[key]
    low, high, is_assumed = _bounds_of(field, value)
    least, most = _limits(field)
    if given is not None:
        low, high, is_assumed = *given, False
        if not low < high or low < least or high > most:
            said = " and ".join(
                f"{word} {x:g}" for word, x in (("at least", least), ("at most", most)) if math.isfinite(x)
            )
            raise InputError(
                f"the bounds of `{key}` are {low:g} and {high:g}",
                where,
                f"the lower first{f'; the schema wants {said}' if said else ''}",
            )
    return Parameter(key, value, low, high, is_assumed, field.description or "")


def _bounds_of(field: FieldInfo, value: float) -> tuple[float, float, bool]:
    """Return where to look, and whether a side had to be assumed."""
    least, most = _limits(field)
    size = max(abs(value), 0.25)
    low, high = least, most
    if not math.isfinite(least) or value - least > NO_BOUND * size:
        low = value - REACH * size
    if not math.isfinite(most) or most - value > NO_BOUND * size:
        high = value + REACH * size
    is_assumed = low != least or high != most
    if _is_open(field, least) and low == least:
        low = least + 0.02 * (high - least)
    return low, high, is_assumed


def _limits(field: FieldInfo) -> tuple[float, float]:
    """Return the least and the most that a field admits; infinite where it says nothing."""
    least, most = -math.inf, math.inf
    for rule in field.metadata:
        for name in ("ge", "gt"):
            least = max(least, float(getattr(rule, name, -math.inf)))
        for name in ("le", "lt"):
            most = min(most, float(getattr(rule, name, math.inf)))
    return least, most


def _is_open(field: FieldInfo, least: float) -> bool:
    return any(float(getattr(rule, "gt", -math.inf)) == least for rule in field.metadata)


def _numbers(scenario: Scenario, kind: type = float) -> Iterator[tuple[str, float, FieldInfo]]:
    """Yield every real-numbered key of the sections, with its value and field; or those of another type."""
    for section in SECTIONS:
        yield from _below(section, getattr(scenario, section), kind)


def _below(path: str, node: Any, kind: type) -> Iterator[tuple[str, float, FieldInfo]]:
    if isinstance(node, BaseModel):
        for name, field in type(node).model_fields.items():
            value = getattr(node, name)
            if type(value) is kind:
                yield f"{path}.{name}", value, field
            else:
                yield from _below(f"{path}.{name}", value, kind)
    elif isinstance(node, tuple) and all(isinstance(item, BaseModel) for item in node):
        for i, item in enumerate(node):
            yield from _below(f"{path}.{getattr(item, 'name', i)}", item, kind)
