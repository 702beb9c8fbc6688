"""The part of the description that no metadata holds: purpose, theory and the answers to the protocol's questions.

It stands in `text.md` under the protocol's numbers. What it says of the model it may not say by heart:
`{listeners.drift}` stands for the key of a parameter, `{=listeners.drift}` for the key with value and unit, and a key
that the scenario does not have is an error. So a text cannot outlive what it describes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from heritage_experiments.oddd.docstrings import blocks_of
from heritage_experiments.oddd.document import Block
from heritage_experiments.oddd.parameters import Parameter

_HEADING = re.compile(r"^## (?P<number>\S+) (?P<heading>.+)$", re.MULTILINE)
_NAMED = re.compile(r"\{(?P<shown>=?)(?P<key>[\w.\[\]]+(?: \(\w+\))?)\}")


@lru_cache(maxsize=1)
def sections() -> dict[str, tuple[str, str]]:
    """Return the sections of the text: number to (heading, text)."""
    text = (resources.files("heritage_experiments.oddd") / "text.md").read_text(encoding="utf-8")
    heads = list(_HEADING.finditer(text))
    stops = [head.start() for head in heads[1:]] + [len(text)]
    return {
        head["number"]: (head["heading"].strip(), text[head.end() : stop].strip())
        for head, stop in zip(heads, stops, strict=True)
    }


def keys_named() -> set[str]:
    """Return the keys of all parameters that the text names."""
    return {match["key"] for _, text in sections().values() for match in _NAMED.finditer(text)}


def said_of(number: str, parameters: Mapping[str, Parameter]) -> list[Block]:
    """Return a section's text as blocks, parameters filled in.

    Parameters
    ----------
    number : str
        The protocol's number.
    parameters : mapping of str to Parameter
        By key.

    Returns
    -------
    list of Block

    Raises
    ------
    KeyError
        If the text names a parameter that is not there.
    """

    def filled(match: re.Match[str]) -> str:
        parameter = parameters[match["key"]]
        if not match["shown"]:
            return f"`{parameter.key}`"
        return f"`{parameter.key}` = {_amount(parameter.value or parameter.default)}{_unit(parameter.unit)}"

    return blocks_of(_NAMED.sub(filled, sections()[number][1]))


def _amount(written: str) -> str:
    return f"{int(written):,}" if written.isdigit() else written


def _unit(unit: str) -> str:
    """Return a unit as it stands behind a figure in a sentence."""
    if unit in ("", "1"):
        return ""
    return f" per {unit[2:]}" if unit.startswith("1/") else f" {unit}"
