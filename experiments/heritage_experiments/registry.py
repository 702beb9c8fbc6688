"""Parts of the user's own: ``kind: file.py:Class`` in a scenario, beside the registered names.

What the class is called with, by section:

==================  =======================================================  ==================
``royalty.rule``    ``Class(config: RuleConfig)``                            a `RoyaltyRule`
``generator``       ``Class(config: GeneratorConfig, corpora, root_seed)``   a `Generator`
``recommender``     ``Class(config: RecommenderConfig, keys)``               a `Recommender`
``ledger``          ``Class(config: LedgerConfig, payee_names, genesis_s)``  a `Ledger`
==================  =======================================================  ==================

The text of the file counts in the scenario's hash, so a run can only be taken up with the part it was begun with.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from heritage_sim.base import InputError

OWN_KIND = re.compile(r"^(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)$")
SECTIONS: dict[str, tuple[str, ...]] = {
    "royalty.rule": ("name", "needs_listeners", "num_rounds", "statistics", "settle"),
    "generator": ("checkpoint_sha256", "compose"),
    "recommender": ("statistics", "refresh", "snapshot", "restore"),
    "ledger": (
        "register",
        "post",
        "claim",
        "claimed_units",
        "withdrawable_units",
        "deposited_units",
        "snapshot",
        "restore",
    ),
}
"""Sections with a swappable part, and what its protocol asks of the class."""


def take_out(data: dict[str, Any], folder: Path) -> dict[str, str]:
    """Take own parts out of scenario data in place, and return section -> ``absolute file.py:Class``.

    The section's other keys stay; ``kind`` falls back to its default so that the section's own schema holds.
    """
    found: dict[str, str] = {}
    for section in SECTIONS:
        node: Any = data
        for key in section.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        kind = node.get("kind") if isinstance(node, dict) else None
        match = OWN_KIND.match(kind) if isinstance(kind, str) else None
        if match:
            file = Path(match["file"])
            found[section] = f"{file if file.is_absolute() else (folder / file).resolve()}:{match['name']}"
            del node["kind"]
    return found


def content_sha256(kind: str) -> str:
    """Return the hash of an own part: its file's text and the class' name."""
    file, name = _split(kind)
    return hashlib.sha256(file.read_bytes() + b"\x1f" + name.encode()).hexdigest()


@cache
def load_class(section: str, kind: str) -> type:
    """Return the class that ``file.py:Class`` names.

    Parameters
    ----------
    section : str
        A key of `SECTIONS`.
    kind : str
        ``file.py:Class``, the file absolute.

    Returns
    -------
    type

    Raises
    ------
    InputError
        If there is no such file or class, the file fails on import, or the class lacks what its protocol asks.
    """
    file, name = _split(kind)
    module_name = f"heritage_own_{content_sha256(kind)[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise InputError("this is not a Python file", str(file), "name a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = _line_in(file, error)
        raise InputError(
            f"{file.name} fails when imported: {type(error).__name__}: {error}", f"{file}{line}", "mend the file"
        ) from error
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = [n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module_name]
        raise InputError(
            f"{file.name} has no class {name}", str(file), f"it has: {', '.join(classes) or 'no class at all'}"
        )
    missing = [m for m in SECTIONS[section] if not hasattr(found, m) and m not in getattr(found, "__annotations__", {})]
    if missing:
        raise InputError(
            f"the class {name} is no {section} part: it lacks {', '.join(missing)}",
            str(file),
            "see the protocol in heritage_sim.base.protocols",
        )
    return found


def _split(kind: str) -> tuple[Path, str]:
    match = OWN_KIND.match(kind)
    if match is None:
        raise InputError(f"{kind!r} is not of the form file.py:Class", kind, "for example my_rule.py:MyRule")
    file = Path(match["file"])
    if not file.is_file():
        raise InputError("there is no such file", str(file), "the path is read from the scenario's folder")
    return file, match["name"]


def _line_in(file: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f", line {error.lineno}"
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f", line {line}" if line else ""
