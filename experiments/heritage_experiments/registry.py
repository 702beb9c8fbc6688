"""Parts of the user's own: ``kind: file.py:Class`` in a scenario, beside the registered names.

What the class is called with, by section:

==================  =======================================================  ==================
``royalty.rule``    ``Class(**parameters)``, those beside ``kind``           a `RoyaltyRule`
``generator``       ``Class(config: GeneratorConfig, corpora, root_seed)``   a `Generator`
``recommender``     ``Class(config: RecommenderConfig, keys)``               a `Recommender`
``ledger``          ``Class(config: LedgerConfig, payee_names, genesis_s)``  a `Ledger`
==================  =======================================================  ==================

A rule may stand among ``royalty.shadow`` too. The text of the file counts in the scenario's hash, so a run can only be
taken up with the part it was begun with.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from heritage_experiments.own_modules import import_own
from heritage_experiments.rule_trial import try_rule, try_silence
from heritage_sim.base import InputError, RoyaltyRule
from heritage_sim.royalty import OWN_KIND, RULES, Rule, RuleConfig, make_rule
from heritage_sim.royalty.config import first_words

OWN_WRITTEN = re.compile(r"^(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)(?P<parameters>\s*\(.*\))?\s*$")
"""An own part as text, a rule's parameters in brackets after it."""

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
    "transmission": ("after",),
}
"""Sections with a swappable part, and what its protocol asks of the class."""

CALLED_WITH = {
    "generator": ("config", "corpora", "root_seed"),
    "recommender": ("config", "keys"),
    "ledger": ("config", "payee_names", "genesis_s"),
    "transmission": ("config", "start"),
}
"""What the class of an own part is called with, in this order."""


def take_out(data: dict[str, Any], folder: Path) -> dict[str, str]:
    """Take own parts out of scenario data in place, and return section -> ``absolute file.py:Class``.

    The section's other keys stay; ``kind`` falls back to its default so that the section's own schema holds. A royalty
    rule is left where it is: `RuleConfig` knows rules of the user's own.
    """
    found: dict[str, str] = {}
    for section in CALLED_WITH:
        node = data.get(section)
        kind = node.get("kind") if isinstance(node, dict) else None
        match = OWN_KIND.match(kind) if isinstance(kind, str) else None
        if match and node is not None:
            file = Path(match["file"])
            found[section] = f"{file if file.is_absolute() else (folder / file).resolve()}:{match['name']}"
            del node["kind"]
    return found


def content_sha256(kind: str) -> str:
    """Return the hash of an own part: its file's text and the class' name."""
    file, name = _split(kind)
    return hashlib.sha256(file.read_bytes() + b"\x1f" + name.encode()).hexdigest()


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
        If there is no such file or class, the file fails on import, or the class lacks what its protocol asks or
        cannot be called as it will be.
    """
    file, name = _split(kind)
    try:
        module = import_own(file)
    except Exception as error:
        raise InputError(
            f"{file.name} fails when imported: {type(error).__name__}: {error}",
            f"{file}{_line_in(file, error)}",
            "mend the file",
        ) from error
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = [n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__]
        raise InputError(
            f"{file.name} has no class {name}", str(file), f"it has: {', '.join(classes) or 'no class at all'}"
        )
    missing = [m for m in SECTIONS[section] if not hasattr(found, m) and m not in getattr(found, "__annotations__", {})]
    if missing:
        raise InputError(
            f"the class {name} is no {section} part: it lacks {', '.join(missing)}",
            str(file),
            "derive it from heritage_sim.royalty.rule.Rule (README: a rule of your own)"
            if section == "royalty.rule"
            else "see the protocol in heritage_sim.base.protocols",
        )
    if section in CALLED_WITH:
        _refuse_other_arguments(found, file, CALLED_WITH[section])
    return found


def make_own(section: str, kind: str, *arguments: Any) -> Any:
    """Return a generator, recommender, ledger or form of transmission of the user's own.

    Parameters
    ----------
    section : str
        A key of `CALLED_WITH`.
    kind : str
        ``file.py:Class``, the file absolute.
    *arguments : object
        As `CALLED_WITH` names them.

    Returns
    -------
    object

    Raises
    ------
    InputError
        If it cannot be made.
    """
    return _called(load_class(section, kind), kind, lambda made: made(*arguments))


def rule_of(config: RuleConfig) -> RoyaltyRule:
    """Return a royalty rule, registered or of the user's own.

    Parameters
    ----------
    config : RuleConfig
        Its kind and parameters.

    Returns
    -------
    RoyaltyRule

    Raises
    ------
    InputError
        If a rule of the user's own cannot be loaded or made.
    """
    if not OWN_KIND.match(config.kind):
        return make_rule(config)
    found, parameters = load_class("royalty.rule", config.kind), dict(config.model_extra or {})
    if issubclass(found, Rule):
        for key in parameters:
            if key not in found.model_fields:
                known = ", ".join(found.model_fields) or "none"
                raise InputError(
                    f"rule {found.__name__} has no parameter {key!r}", config.kind, f"its parameters: {known}"
                )
    return _called(found, config.kind, lambda made: made(**parameters))


def check_rule(config: RuleConfig) -> None:
    """Refuse a rule of the user's own that could not settle an epoch; see `rule_trial`.

    Parameters
    ----------
    config : RuleConfig
        Its kind and parameters; a registered rule passes.

    Raises
    ------
    InputError
        Naming the file, and the line where one is known.
    """
    if not OWN_KIND.match(config.kind):
        return
    rule = rule_of(config)
    file, name = _split(config.kind)
    if not isinstance(rule.name, str) or not rule.name or rule.name.partition("(")[0] in RULES:
        raise InputError(
            f"the rule {name} calls itself {rule.name!r}; the report tells rules apart by name",
            str(file),
            "give the class a `kind` that no registered rule has",
        )
    for try_it, epoch, remedy in (
        (try_rule, "an epoch of three works and three listeners", "mend the class; rule_trial.py has the epoch"),
        (
            try_silence,
            "an epoch in which nobody played",
            "begin settle with: if not plays.any(): return state_without_plays(self, rights, pool_units, epoch)",
        ),
    ):
        try:
            try_it(rule)
        except Exception as error:
            raise InputError(
                f"the rule {name} fails when tried on {epoch}: {type(error).__name__}: {error}",
                f"{file}{_line_in(file, error)}",
                remedy,
            ) from error


def written_rule(written: str) -> Rule:
    """Return the rule that a user wrote on the command line; a file is looked for in the working folder.

    Parameters
    ----------
    written : str
        A name, or ``file.py:Class``, with parameters in brackets or without.

    Returns
    -------
    Rule

    Raises
    ------
    InputError
        If there is no such rule, or one of the user's own could not settle an epoch.
    """
    if not OWN_WRITTEN.match(written):
        return make_rule(written)
    try:
        config = RuleConfig.model_validate(written)
    except ValidationError as wrong:
        raise InputError(first_words(wrong), f"royalty rule {written!r}", "write file.py:Class(name=value)") from None
    check_rule(config)
    rule = rule_of(config)
    if not isinstance(rule, Rule):
        raise InputError(
            f"the class {type(rule).__name__} does not say what columns it needs",
            config.kind,
            "derive it from heritage_sim.royalty.Rule",
        )
    return rule


def _called(found: type, kind: str, call: Callable[[type], Any]) -> Any:
    file, name = _split(kind)
    try:
        return call(found)
    except InputError:
        raise
    except ValidationError as wrong:
        raise InputError(f"{name}: {first_words(wrong)}", kind, "correct the parameter, or the class") from None
    except Exception as error:
        raise InputError(
            f"the class {name} cannot be made: {type(error).__name__}: {error}",
            f"{file}{_line_in(file, error)}",
            "mend the class; its parameters are those that stand beside `kind`",
        ) from error


def _refuse_other_arguments(found: type, file: Path, arguments: tuple[str, ...]) -> None:
    try:
        inspect.signature(found).bind(*arguments)
    except TypeError as error:
        raise InputError(
            f"the class {found.__name__} cannot be called with ({', '.join(arguments)}): {error}",
            str(file),
            f"write def __init__(self, {', '.join(arguments)})",
        ) from None
    except ValueError:
        return  # a class that tells no signature


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
        if trace.tb_frame.f_code.co_filename == str(file.resolve()):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f", line {line}" if line else ""
