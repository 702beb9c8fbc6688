"""The base of every configuration section: frozen, and unknown keys are errors; and how a parameter is declared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

ASSUMED = "assumed"
"""Source of a parameter that no source gives: an assumption of the scenario, to be swept, not a finding."""


class Section(BaseModel):
    """A frozen configuration section. Each package owns its own; `Scenario` composes them.

    Every field carries ``Field(description=...)`` with its unit, and bounds where values can be impossible.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


def parameter(default: Any, description: str, *, unit: str, source: str = ASSUMED, **limits: Any) -> Any:
    """Return the field of a model parameter, with what a reader must know of it: unit, bounds, and where it is from.

    Parameters
    ----------
    default : Any
        Default value; ``...`` where there is none.
    description : str
        What it is, one sentence.
    unit : str
        Unit of the value; ``1`` where it has none.
    source : str
        Publication, standard or data set that the default is from, or `ASSUMED`.
    **limits
        Bounds as pydantic's ``Field`` takes them (``ge``, ``le``, ``min_length``, ...), or ``default_factory``.

    Returns
    -------
    FieldInfo
        The unit and the source stand in its JSON Schema as ``unit`` and ``source``.
    """
    said = description.rstrip(".")
    origin = "Assumed" if source == ASSUMED else f"Source: {source}"
    given = limits if "default_factory" in limits else {"default": default, **limits}
    return Field(description=f"{said} [{unit}]. {origin}.", json_schema_extra={"unit": unit, "source": source}, **given)
