"""The order of a day's steps, read from `heritage_sim.economy.Economy.step`: the code is the schedule.

A step is a call of ``self._...()`` in ``step``. What it does is said by the method's docstring, or else by the modules
of the functions it calls; these are named, in the order of the calls.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from heritage_experiments.oddd.docstrings import source_of, summary_of

ECONOMY, CONFIG = "heritage_sim.economy", "heritage_sim.config"
_NUMBERED = re.compile(r"^(?:Steps? \d+(?: (?:and|to) \d+)?|Beside step \d+)(?:, [^:]*)?: ")
DOING = ("heritage_sim.day.", "heritage_sim.money.", "heritage_sim.transmission", "heritage_sim.evaluation")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a day.

    Parameters
    ----------
    name : str
        In words, from the name of the method.
    when : str
        Under which condition it happens; empty for every day.
    does : str
        What it does, in the code's own words.
    calls : tuple of str
        Functions that carry it out, with their modules, in the order of the calls.
    """

    name: str
    when: str
    does: str
    calls: tuple[str, ...]


def steps_of_a_day() -> list[Step]:
    """Return the steps of a day in the order in which they are lived."""
    tree = source_of(ECONOMY).tree
    economy = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Economy")
    methods = {n.name: n for n in economy.body if isinstance(n, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(DOING)
        for alias in node.names
    }
    return [
        _step(name, when, methods, imported)
        for name, when in _called(methods["step"].body, "")
        if name in methods and name != "_open"
    ]


def _called(body: list[ast.stmt], when: str) -> list[tuple[str, str]]:
    """Return the own methods that statements call, in order, each with the condition it stands under."""
    found: list[tuple[str, str]] = []
    for statement in body:
        if isinstance(statement, ast.If):
            found += _called(statement.body, _condition(statement.test))
            continue
        found += [(name, when) for call in _calls(statement) if (name := _own_method(call))]
    return found


def _condition(test: ast.expr) -> str:
    """Return a condition in words: those of the configuration's method that answers it, or else as it is written."""
    match test:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="config"), attr=name)):
            config = source_of(CONFIG).tree
            docstrings = {
                n.name: ast.get_docstring(n) or "" for n in ast.walk(config) if isinstance(n, ast.FunctionDef)
            }
            return summary_of(docstrings[name]).removeprefix("Return whether ").rstrip(".")
        case _:
            return ast.unparse(test)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in a statement in the order in which they are made: arguments before the call they are for."""
    for child in ast.iter_child_nodes(node):
        yield from _calls(child)
    if isinstance(node, ast.Call):
        yield node


def _own_method(call: ast.Call) -> str:
    own = (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "self"
    )
    return call.func.attr if own and isinstance(call.func, ast.Attribute) else ""


def _step(name: str, when: str, methods: dict[str, ast.FunctionDef], imported: dict[str, str]) -> Step:
    calls = [f for f in _functions_used(name, methods, imported, set()) if not f[0].isupper()]
    own = ast.get_docstring(methods[name])
    modules = dict.fromkeys(imported[function] for function in calls)
    said = [own] if own else [source_of(module).docstring for module in modules]
    does = " ".join(_sentence(_NUMBERED.sub("", summary_of(docstring))) for docstring in said)
    words = _sentence(name.strip("_").replace("_", " ")).rstrip(".")
    return Step(words, when, does, tuple(f"{imported[function]}.{function}" for function in calls))


def _functions_used(
    name: str, methods: dict[str, ast.FunctionDef], imported: dict[str, str], seen: set[str]
) -> list[str]:
    """Return the imported functions that a method calls, itself or through methods of its own, in order."""
    seen.add(name)
    found: list[str] = []
    for node in _calls(methods[name]):
        inner = _own_method(node)
        if inner in methods and inner not in seen:
            found += [f for f in _functions_used(inner, methods, imported, seen) if f not in found]
        if isinstance(node.func, ast.Name) and node.func.id in imported and node.func.id not in found:
            found.append(node.func.id)
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
