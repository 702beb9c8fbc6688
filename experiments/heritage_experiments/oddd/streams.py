"""The random streams of the model, found where the code asks for them: ``keys.stream(agent kind, decision)``.

Names that are not written out at the call are followed as far as a reader would: over a loop to the constant it runs
through, and from a function's argument to its calls in the module. What remains open, such as a tradition's name, is
shown in braces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from heritage_experiments.oddd.docstrings import Source, modules_in, source_of

PACKAGES = ("heritage_agents", "heritage_sim", "heritage_models", "heritage_contracts")
"""Packages whose streams belong to the model; benches and statistics have theirs outside."""


@dataclass(frozen=True, slots=True, order=True)
class DrawnStream:
    """A stream.

    Parameters
    ----------
    agent_kind, decision : str
        Its name, from which its key is hashed.
    module : str
        Where it is drawn from.
    """

    agent_kind: str
    decision: str
    module: str


def streams() -> list[DrawnStream]:
    """Return all streams of the model, by agent kind and decision."""
    return sorted({stream for package in PACKAGES for source in modules_in(package) for stream in streams_in(source)})


def streams_in(source: Source) -> Iterator[DrawnStream]:
    """Yield the streams that a module asks for."""
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    if any(isinstance(call.func, ast.Attribute) and call.func.attr == "stream" for call in calls):
        for kind, decision in _visited(source.tree, calls, _constants(source.tree)):
            yield DrawnStream(kind, decision, source.name)


Names = dict[str, list[str]]
"""What names stand for at a place in a module, where that is text."""


def _visited(node: ast.AST, calls: list[ast.Call], names: Names) -> Iterator[tuple[str, str]]:
    """Yield the streams that are asked for below a node, with the loops and functions around each in mind."""
    for loop in getattr(node, "generators", [node] if isinstance(node, ast.For) else []):
        names = names | _run_through(loop.target, loop.iter, names)
    match node:
        case ast.FunctionDef():
            names = names | _given(node, calls)
        case ast.Call(func=ast.Attribute(attr="stream"), args=[kind, decision]):
            for name in _texts(kind, names):
                yield from ((name, what) for what in _texts(decision, names))
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from _visited(child, calls, names)


def _run_through(target: ast.expr, over: ast.expr, names: Names) -> Names:
    """Return what a loop's names run through; one that runs through what cannot be read hides an outer one."""
    if isinstance(target, ast.Tuple):
        rows = over.elts if isinstance(over, ast.Tuple | ast.List) else []
        columns = [row.elts for row in rows if isinstance(row, ast.Tuple) and len(row.elts) == len(target.elts)]
        return {
            name.id: _all_texts([row[i] for row in columns])
            for i, name in enumerate(target.elts)
            if isinstance(name, ast.Name)
        }
    if isinstance(target, ast.Name):
        return {target.id: names.get(over.id, []) if isinstance(over, ast.Name) else _written_texts(over)}
    return {}


def _given(function: ast.FunctionDef, calls: list[ast.Call]) -> Names:
    """Return what a function's arguments are at its calls in the same module, where all of these are text."""
    arguments = [argument.arg for argument in function.args.args]
    own = [call for call in calls if _name_called(call) == function.name]
    if arguments[:1] == ["self"]:
        arguments = arguments[1:]
    return {name: _all_texts([c.args[i] for c in own if len(c.args) > i]) for i, name in enumerate(arguments)}


def _name_called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case _:
            return ""


def _texts(node: ast.expr, names: Names) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.Name):
        return names.get(node.id) or [f"{{{node.id}}}"]
    if isinstance(node, ast.JoinedStr):
        return ["".join(_part(part) for part in node.values)]
    return [f"{{{ast.unparse(node)}}}"]


def _part(node: ast.expr) -> str:
    return f"{{{ast.unparse(node.value)}}}" if isinstance(node, ast.FormattedValue) else str(ast.literal_eval(node))


def _constants(tree: ast.Module) -> Names:
    """Return names that are assigned text or tuples of it in the module, or in the modules it imports them from."""
    found: Names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
            wanted = {alias.name: alias.asname or alias.name for alias in node.names if alias.name.isupper()}
            if wanted:
                theirs = _assigned(source_of(node.module).tree)
                found |= {mine: theirs[name] for name, mine in wanted.items() if name in theirs}
    return found | _assigned(tree)


def _assigned(tree: ast.Module) -> Names:
    found: Names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            texts = _written_texts(node.value)
            if texts:
                found[node.targets[0].id] = texts
    return found


def _all_texts(nodes: list[ast.expr]) -> list[str]:
    """Return the texts that the nodes are; none where one of them is something else."""
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return list(dict.fromkeys(texts)) if len(texts) == len(nodes) else []


def _written_texts(node: ast.expr) -> list[str]:
    return _all_texts(node.elts if isinstance(node, ast.Tuple | ast.List) else [node])
