"""Docstrings as blocks of a document, read from the sources without importing them.

Sources are read, not imported, so that describing the model starts no compiler, no torch and no chain.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from heritage_experiments.oddd.document import Block, Bullets, Formula, Paragraph

_UNDERLINE = re.compile(r"^-{3,}\s*$")
_BULLET = re.compile(r"^[-*] (?P<text>.*)$")
_FIELD = re.compile(r"^(?P<names>\w+(?:, \w+)*) : (?P<type>.+)$")


@dataclass(frozen=True, slots=True)
class Source:
    """A module as text.

    Parameters
    ----------
    name : str
        Dotted name.
    tree : ast.Module
        Parsed.
    """

    name: str
    tree: ast.Module

    @property
    def docstring(self) -> str:
        """Return the module's docstring; empty where there is none."""
        return ast.get_docstring(self.tree) or ""

    def classes(self) -> Iterator[tuple[str, str]]:
        """Yield the public classes with their docstrings, in order."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, ast.get_docstring(node) or ""


@lru_cache(maxsize=512)
def source_of(module: str) -> Source:
    """Return a module's source; ModuleNotFoundError where there is none."""
    # Of the parents only the top package is looked up: finding a sub-module would import what stands above it.
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(module)
    path = Path(spec.submodule_search_locations[0]).joinpath(*rest)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        raise ModuleNotFoundError(module)
    return Source(module, ast.parse(file.read_text(encoding="utf-8"), str(file)))


def modules_in(package: str) -> list[Source]:
    """Return a module, or a package's modules at all depths but ``__init__`` and configuration; none if not there."""
    top, *rest = package.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(spec.submodule_search_locations[0])
    folder = root.joinpath(*rest)
    if folder.with_suffix(".py").is_file():
        return [source_of(package)]
    found = []
    for file in sorted(folder.rglob("*.py")):
        if file.stem not in ("__init__", "config"):
            dotted = ".".join((top, *file.relative_to(root).with_suffix("").parts))
            found.append(source_of(dotted))
    return found


def class_in(package: str, name: str) -> tuple[str, str]:
    """Return the module of a public class, and its docstring.

    Parameters
    ----------
    package : str
        Package or module to look in, at all depths.
    name : str
        Name of the class.

    Returns
    -------
    module, docstring : str

    Raises
    ------
    KeyError
        If there is no such class.
    """
    for source in modules_in(package):
        for found, docstring in source.classes():
            if found == name:
                return source.name, docstring
    raise KeyError(f"{package} has no class {name}")


def summary_of(docstring: str) -> str:
    """Return the first paragraph on one line."""
    return _plain(" ".join(docstring.split("\n\n", 1)[0].split()))


def blocks_of(docstring: str, *, whole: bool = True) -> list[Block]:
    """Return a docstring as blocks.

    Parameters
    ----------
    docstring : str
        As ``ast.get_docstring`` cleans it.
    whole : bool
        Whether ``Parameters`` and the like are kept as text; References always are.

    Returns
    -------
    list of Block
    """
    blocks: list[Block] = []
    for heading, text in _sections(docstring):
        if heading and heading != "References" and not whole:
            continue
        made = _body_blocks(text)
        if heading == "References":
            blocks += [Paragraph(f"Reference: {_join(b)}") for b in made]
        else:
            blocks += made
    return blocks


def fields_of(docstring: str) -> list[tuple[str, str, str]]:
    """Return a class' state as (names, type with shape, meaning).

    It is what stands under ``Attributes``; where there are none, as in a dataclass, what stands under ``Parameters``.
    """
    sections = dict(_sections(docstring))
    found: list[tuple[str, str, str]] = []
    for line in sections.get("Attributes", sections.get("Parameters", "")).splitlines():
        match = _FIELD.match(line)
        if match:
            found.append((match["names"], match["type"], ""))
        elif found and line.strip():
            names, kind, said = found[-1]
            found[-1] = (names, kind, f"{said} {line.strip()}".strip())
    return [(names, _plain(kind), _plain(said)) for names, kind, said in found]


def _sections(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield (heading, text) of a NumPy-style docstring; the first has no heading."""
    lines = docstring.splitlines()
    heads = [i for i in range(len(lines) - 1) if _UNDERLINE.match(lines[i + 1]) and lines[i].strip()]
    starts = [(0, 0, ""), *((i, i + 2, lines[i].strip()) for i in heads)]
    for (_, first, heading), after in zip(starts, [*heads, len(lines)], strict=True):
        yield heading, "\n".join(lines[first:after]).strip("\n")


def _body_blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", text):
        lines = [line for line in chunk.splitlines() if line.strip()]
        while lines:
            taken, block = _first_block(lines)
            blocks.append(block)
            lines = lines[taken:]
    return _merged(blocks)


def _first_block(lines: list[str]) -> tuple[int, Block]:
    """Return the block that the lines begin with, and how many of them it takes."""
    if lines[0].startswith(("    ", "===")):
        drawn = lines[0].startswith("===")
        n = next((i for i, line in enumerate(lines) if not drawn and not line.startswith(" ")), len(lines))
        return n, Formula("\n".join(line[4:] if not drawn else line for line in lines[:n]))
    if _BULLET.match(lines[0]):
        items: list[str] = []
        for line in lines:
            match = _BULLET.match(line)
            if match:
                items.append(match["text"])
            else:
                items[-1] += f" {line.strip()}"
        return len(lines), Bullets(tuple(_plain(item) for item in items))
    stop = next(
        (i for i, line in enumerate(lines) if i and (line.startswith("    ") or _BULLET.match(line))), len(lines)
    )
    return stop, Paragraph(_plain(" ".join(line.strip() for line in lines[:stop])))


def _merged(blocks: list[Block]) -> list[Block]:
    """Return the blocks with formulas that follow one another as one."""
    merged: list[Block] = []
    for block in blocks:
        last = merged[-1] if merged else None
        if isinstance(block, Formula) and isinstance(last, Formula):
            merged[-1] = Formula(f"{last.text}\n\n{block.text}")
        else:
            merged.append(block)
    return merged


def _join(block: Block) -> str:
    match block:
        case Paragraph(text) | Formula(text):
            return text
        case Bullets(items):
            return " ".join(items)
        case _:
            return ""


def _plain(text: str) -> str:
    return text.replace("``", "`")
