"""The royalty section of a scenario: which rule pays, and which rules settle the same usage without effect."""

from __future__ import annotations

import re
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, cast

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from heritage_sim.base import InputError, Section, parameter
from heritage_sim.royalty.registry import RULES
from heritage_sim.royalty.rule import Rule

_DEFAULT = "pro_rata"
_WRITTEN = re.compile(r"^\s*(\w+|.+\.py:[A-Za-z_]\w*)\s*(?:\(([^()]*)\))?\s*$")

OWN_KIND = re.compile(r"^(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)$")
"""A part of the user's own as ``kind`` names it: ``file.py:Class``."""


def _with_every_parameter(schema: dict[str, Any]) -> None:
    # Editors complete from the schema: a parameter of any registered rule is a known key, and nothing else is.
    for kind, rule in RULES.items():
        for key, made in rule.model_json_schema().get("properties", {}).items():
            shown = {**made, "description": f"{kind}: {made.get('description', '')}"}
            schema["properties"].setdefault(key, shown)
    schema["properties"]["kind"]["enum"] = list(RULES)
    schema["additionalProperties"] = False


def _from_words(written: str) -> dict[str, Any]:
    parts = _WRITTEN.match(written)
    if parts is None and written.strip().endswith(".py"):
        raise ValueError(f"{written.strip()!r} names no class; write file.py:Class")
    if parts is None:
        raise ValueError(f"cannot read the rule {written!r}; write a name, or name(parameter=number)")
    parameters: dict[str, Any] = {"kind": parts[1]}
    for part in filter(None, (p.strip() for p in (parts[2] or "").split(","))):
        key, equals, value = (p.strip() for p in part.partition("="))
        if not equals or not value:
            raise ValueError(f"cannot read {part!r} in the rule {written!r}; write parameter=value")
        parameters[key] = _number(value) if OWN_KIND.match(parts[1]) else value
    return parameters


def _number(text: str) -> int | float | str:
    """Return the number that a text means, or the text: a class of the user's own need not read text."""
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return text


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as the rule understands them, text as the number it means: equal rules compare equal."""
    kind = given.get("kind", _DEFAULT)
    if not isinstance(kind, str) or kind not in RULES:
        return given  # the field's own validator says so
    rule = RULES[kind]
    extra = {key: value for key, value in given.items() if key != "kind"}
    for key in extra:
        if key not in rule.model_fields:
            known = ", ".join(rule.model_fields) or "none"
            raise ValueError(f"rule {kind} has no parameter {key!r} (its parameters: {known})")
    try:
        built = rule.model_validate(extra)
    except ValidationError as wrong:
        raise ValueError(first_words(wrong)) from None
    return {"kind": kind, **{key: getattr(built, key) for key in extra}}


class RuleConfig(Section):
    """A royalty rule by its registered name, with the rule's own parameters beside it.

    ``{kind: community_weighted, strength: 0.5}`` may also be written ``community_weighted(strength=0.5)``.
    A key that is no parameter of the named rule is an error. ``kind`` may also be ``file.py:Class``, a rule of the
    user's own, whose parameters are checked where the class is loaded (`heritage_experiments.registry`).
    """

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_with_every_parameter)

    kind: str = Field(default=_DEFAULT, description="registered name of a royalty rule")

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        parameters = _from_words(given) if isinstance(given, str) else given
        return _checked(cast(dict[str, Any], parameters)) if isinstance(parameters, dict) else parameters

    @field_validator("kind")
    @classmethod
    def _registered(cls, kind: str) -> str:
        if kind not in RULES and not OWN_KIND.match(kind):
            if kind.endswith(".py"):
                raise ValueError(f"{kind!r} names no class; write file.py:Class")
            near = get_close_matches(kind, RULES, n=1)
            meant = f"; did you mean {near[0]}?" if near else "."
            raise ValueError(f"no royalty rule is called {kind!r}{meant} There are: {', '.join(RULES)}")
        return kind


class RoyaltyConfig(Section):
    """Which rule pays, and which rules settle the same usage beside it."""

    rule: RuleConfig = parameter(
        None, "The rule that pays", unit="name", source="the scenario", default_factory=RuleConfig
    )
    shadow: tuple[RuleConfig, ...] = parameter(
        (),
        "Rules that settle the same usage without paying: the arithmetic effect, behaviour held fixed",
        unit="names",
        source="the scenario",
    )


def make_rule(config: RuleConfig | str) -> Rule:
    """Return the royalty rule that a configuration, or its written form, names.

    Parameters
    ----------
    config : RuleConfig or str
        Such as ``RuleConfig(kind="pro_rata")`` or ``"community_weighted(strength=0.5)"``.

    Returns
    -------
    Rule

    Raises
    ------
    InputError
        If a written rule cannot be read, no rule has that name, or a parameter does not fit; or if the rule is one of
        the user's own, which only `heritage_experiments.registry.rule_of` loads.
    """
    if isinstance(config, str):
        try:
            config = RuleConfig.model_validate(config)
        except ValueError as wrong:
            raise InputError(
                first_words(wrong), f"royalty rule {config!r}", f"choose from: {', '.join(RULES)}"
            ) from None
    if config.kind not in RULES:
        raise InputError(
            f"the rule {config.kind} stands in a file of its own, which is not loaded here",
            "royalty rule",
            f"choose from: {', '.join(RULES)}",
        )
    return RULES[config.kind].model_validate(config.model_extra or {})


def first_words(wrong: ValueError) -> str:
    """Return the first message of a (pydantic) validation error, in one line."""
    errors = getattr(wrong, "errors", None)
    if errors is None:
        return str(wrong)
    first = errors()[0]
    where = ".".join(str(p) for p in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where and where != "kind" else message
