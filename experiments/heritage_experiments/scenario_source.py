"""Scenario files as text: YAML whose every key remembers its file and line, so that an error can point at it.

A scenario may name a base with ``extends:`` (a path beside its own file). Mappings are merged key by key, everything
else is replaced; a key's origin is the file that had the last word.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from heritage_experiments.registry import OWN_WRITTEN, SECTIONS
from heritage_sim.base import InputError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a key was written.

    Parameters
    ----------
    source : str
        File, or the argument (``--set royalty.rule.kind=...``).
    line : int
        Line in the file, from 1; 0 for an argument.
    """

    source: str
    line: int = 0

    def __str__(self) -> str:
        """Return ``file, line n``, or the argument as it was given."""
        return f"{self.source}, line {self.line}" if self.line else self.source


@dataclass(slots=True)
class Source:
    """Unchecked scenario data with the origin of every key.

    Parameters
    ----------
    data : dict
        Plain mappings, lists and scalars.
    origins : dict of tuple to Origin
        Origin of each key path.
    name : str
        What the whole is called in messages.
    folder : Path
        Folder against which relative paths in it are read.
    """

    data: dict[str, Any]
    name: str
    folder: Path = field(default_factory=Path)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)

    def origin(self, path: Sequence[str | int]) -> Origin:
        """Return the origin of a key, or of the nearest key above it that has one."""
        key = tuple(path)
        while key:
            if key in self.origins:
                return self.origins[key]
            key = key[:-1]
        return Origin(self.name)

    def merge(self, other: Source) -> None:
        """Lay another source over this one."""
        _merge(self.data, other.data)
        self.origins.update(other.origins)

    def assign(self, argument: str) -> None:
        """Apply one ``a.b=value`` argument of ``--set``; the value is read as YAML.

        Parameters
        ----------
        argument : str
            As it was given, without ``--set``.

        Raises
        ------
        InputError
            If the argument has no ``=``, an empty key, or walks through something that is not a section.
        """
        dotted, equals, text = argument.partition("=")
        where = f"--set {argument}"
        if not equals or not all(dotted.strip().split(".")):
            raise InputError(
                f"the argument {argument!r} is not of the form key.key=value",
                where,
                "for example --set economy.days=30",
            )
        try:
            value = yaml.safe_load(text) if text else ""
        except yaml.YAMLError as error:
            raise InputError("the value cannot be read as YAML", where, "put quotes around it") from error
        path = tuple(dotted.strip().split("."))
        if path[0] == "cells" and path[2:3] == ("set",) and len(path) > 4:
            path = (*path[:3], ".".join(path[3:]))  # what a cell sets is one dotted key
        self.overlay(put(self.data, path, value, where), Origin(where))

    def overlay(self, path: KeyPath, origin: Origin) -> None:
        """Say that a key, and all that was below it, was written anew.

        Parameters
        ----------
        path : tuple
            The key.
        origin : Origin
            Where it was written.
        """
        self.origins = {k: v for k, v in self.origins.items() if k[: len(path)] != path}
        self.origins[path] = origin


def item_in(items: Sequence[Any], key: str) -> int | None:
    """Return the index of the item that a key names, by number or by its ``name``; None where there is none."""
    if key.isdigit():
        return int(key) if int(key) < len(items) else None
    return next((i for i, item in enumerate(items) if isinstance(item, Mapping) and item.get("name") == key), None)


def put(data: dict[str, Any], path: Sequence[str], value: Any, where: str) -> KeyPath:
    """Set a dotted key in nested mappings and lists, making sections on the way; return its path, items as numbers.

    Parameters
    ----------
    data : dict
        Changed in place.
    path : sequence of str
        Keys from the top; an item of a list is named by its number or by its ``name``.
    value : object
        What the last key is set to.
    where : str
        What to name in an error.

    Returns
    -------
    tuple of str or int

    Raises
    ------
    InputError
        If the way leads through a value, or to an item that a list does not have.
    """
    node: Any = data
    found: list[str | int] = []
    for i, key in enumerate(path):
        last = i == len(path) - 1
        if isinstance(node, list):
            index: Any = item_in(node, key)
            if index is None:
                names = [str(item["name"]) for item in node if isinstance(item, Mapping) and "name" in item]
                raise InputError(
                    f"{'.'.join(path[:i])} is a list of {len(node)} items; {key!r} is none of them",
                    where,
                    f"use a number from 0 to {len(node) - 1}" + (f", or a name: {', '.join(names)}" if names else ""),
                )
        elif isinstance(node, dict):
            index = key
        else:
            raise InputError(f"{'.'.join(path[:i])} is a value, not a section", where, "leave off the keys after it")
        found.append(index)
        if last:
            node[index] = value
        else:
            if isinstance(node, dict) and node.get(index) is None:
                node[index] = {}
            node = node[index]
    return tuple(found)


def read_source(path: Path, _seen: tuple[Path, ...] = ()) -> Source:
    """Return a scenario file, with what it extends below it.

    Parameters
    ----------
    path : Path
        Scenario file.
    _seen : tuple of Path
        Files that led here, to find circles.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If the file is missing, is no YAML mapping, names a key twice, or extends itself.
    """
    full = path.resolve()
    if full in _seen:
        raise InputError(f"the scenario {path} extends itself", str(_seen[-1]), "take the circle out of `extends:`")
    source = parse_source(_read_text(path), str(path), path.parent)
    anchor_paths(source)
    base = source.data.pop("extends", None)
    if base is None:
        return source
    if not isinstance(base, str):
        raise InputError(
            "`extends` must be the path of a scenario file", str(source.origin(("extends",))), "name one file"
        )
    below_path = path.parent / base
    if not below_path.is_file():
        raise InputError(
            f"the scenario extends {base}, which does not exist",
            str(source.origin(("extends",))),
            f"correct the path; it is read from {path.parent}",
        )
    below = read_source(below_path, (*_seen, full))
    below.merge(source)
    below.name, below.folder = source.name, source.folder
    return below


def parse_source(text: str, name: str, folder: Path) -> Source:
    """Return YAML text as plain data with the line of every key.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        File name for messages.
    folder : Path
        Folder against which paths in it are read.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If the text is no YAML, no mapping, empty, or names a key twice.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                raise InputError("the scenario is empty", name, "start from experiments/scenarios/quickstart.yaml")
            if not isinstance(root, yaml.MappingNode):
                raise InputError(
                    "a scenario is a mapping of keys to values",
                    f"{name}, line {root.start_mark.line + 1}",
                    "start from experiments/scenarios/quickstart.yaml",
                )
            _refuse_circles(root, name, ())
            origins = dict(_origins(root, (), name))
            data: Any = loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(
            f"this is not YAML: {error.problem or error.context}",
            f"{name}{line}",
            "check indentation, quotes and colons",
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"this is not YAML: {error}", name, "save the file as UTF-8 text") from error
    return Source(data=data, name=name, folder=folder, origins=origins)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        near = sorted(p.name for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        hint = f"this folder has {', '.join(near)}" if near else "see experiments/scenarios for those that come with it"
        raise InputError("there is no such scenario file", str(path), hint) from error
    except UnicodeDecodeError as error:
        raise InputError("the scenario is not UTF-8 text", str(path), "save it as UTF-8") from error
    except OSError as error:
        raise InputError(
            f"the scenario cannot be read: {error.strerror}", str(path), "name a file that you may read"
        ) from error


def _origins(node: yaml.Node, path: KeyPath, name: str) -> Iterator[tuple[KeyPath, Origin]]:
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            word = str(key.value)
            if word in lines:
                raise InputError(
                    f"the key `{word}` stands twice",
                    f"{name}, line {line}",
                    f"keep one of the two (the first is on line {lines[word]})",
                )
            lines[word] = line
            yield (*path, word), Origin(name, line)
            yield from _origins(value, (*path, word), name)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield (*path, i), Origin(name, item.start_mark.line + 1)
            yield from _origins(item, (*path, i), name)


def _refuse_circles(node: yaml.Node, name: str, above: tuple[yaml.Node, ...]) -> None:
    if any(node is a for a in above):
        raise InputError(
            "an alias leads back to itself", f"{name}, line {node.start_mark.line + 1}", "write the section out"
        )
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode):
        for item in node.value:
            for child in item if isinstance(item, tuple) else (item,):
                _refuse_circles(child, name, (*above, node))


def anchor_paths(source: Source) -> None:
    """Make the file names in a source absolute, read from its own folder."""
    traditions = source.data.get("traditions")
    for tradition in traditions if isinstance(traditions, list) else ():
        path = tradition.get("path") if isinstance(tradition, dict) else None
        if isinstance(path, str) and path and (source.folder / path).exists():
            tradition["path"] = str((source.folder / path).resolve())
    for part in ("arms", "cells", *{section.split(".")[0] for section in SECTIONS}):
        _anchor_kinds(source.data.get(part), source.folder)


def _anchor_kinds(node: Any, folder: Path) -> None:
    if isinstance(node, list):
        for item in node:
            _anchor_kinds(item, folder)
    elif isinstance(node, dict):
        for key, value in node.items():
            last = str(key).split(".")[-1]
            if last in ("kind", "rule"):
                node[key] = _anchored(value, folder)
            elif last == "shadow" and isinstance(value, list):
                node[key] = [_anchored(item, folder) for item in value]
            _anchor_kinds(node[key], folder)


def _anchored(value: Any, folder: Path) -> Any:
    match = OWN_WRITTEN.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    return f"{(folder / match['file']).resolve()}:{match['name']}{match['parameters'] or ''}"


def laid_over(
    data: Mapping[str, Any], overrides: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], list[tuple[KeyPath, KeyPath]]]:
    """Return plain data with an arm's overrides laid over it, and the paths of the keys that were set.

    Sections are merged key by key, and so are items of a list that are named by number or ``name``; all else replaces.

    Parameters
    ----------
    data : mapping
        Left as it is.
    overrides : mapping
        Nested, or dotted at the top as cells write them.
    where : str
        What to name in an error.

    Returns
    -------
    dict
        The merged data.
    list of tuple
        Path of each value that was set, items of lists as numbers, and its path in the overrides.
    """
    merged = copy.deepcopy(dict(data))
    written: list[tuple[KeyPath, KeyPath]] = [
        (put(merged, [*keys[0].split("."), *keys[1:]], value, where), keys) for keys, value in _leaves((), overrides)
    ]
    return merged, written


def _leaves(keys: tuple[str, ...], node: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves((*keys, str(key)), value)
    else:
        yield keys, node


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        held = below.get(key)
        if isinstance(held, dict) and isinstance(value, Mapping):
            _merge(held, value)
        else:
            below[key] = value
