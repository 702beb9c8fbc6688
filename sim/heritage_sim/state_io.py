"""A `State` on disk: one ``.npz`` file with the arrays and, beside them, the rest as JSON. Nothing is pickled.

The file is written under another name and then renamed, so a reader finds a whole file or none.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from heritage_sim.base import State, StorageError

_TREE = "tree"
_ARRAY, _BYTES, _TUPLE = "$array", "$bytes", "$tuple"


def write_state(state: State, path: Path) -> None:
    """Write a state to one file, whole or not at all.

    Parameters
    ----------
    state : State
        Dicts (with text keys), lists, tuples, text, bytes, numbers, None and arrays.
    path : Path
        Where to; its folder is made.

    Raises
    ------
    StorageError
        If it cannot be written, for want of space or of permission.
    TypeError
        If it holds anything else.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    tree = json.dumps(_put_down(state, arrays))
    arrays[_TREE] = np.frombuffer(tree.encode(), dtype=np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as wrong:
        raise _cannot("written", path, wrong) from None
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as wrong:
        raise _cannot("written", path, wrong) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_state(path: Path) -> State:
    """Return the state that `write_state` put down.

    Parameters
    ----------
    path : Path
        File that `write_state` wrote.

    Returns
    -------
    dict
        Equal to what was written; arrays keep their type and shape.

    Raises
    ------
    StorageError
        If the file is missing, cut short or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _taken_up(json.loads(arrays[_TREE].tobytes()), arrays)
    # A file of one plain array is no context manager (TypeError); zipfile knows not all a flipped bit may ask for.
    except (OSError, ValueError, KeyError, EOFError, TypeError, NotImplementedError, zipfile.BadZipFile) as wrong:
        raise _cannot("read", path, wrong) from None


def _cannot(what: str, path: Path, wrong: Exception) -> StorageError:
    return StorageError(
        f"a snapshot could not be {what}: {type(wrong).__name__}: {wrong}",
        str(path),
        "check that the file is whole, and that its disk has space and may be written",
    )


def _put_down(value: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """Return a value as JSON can hold it; arrays are set aside under running names."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            _refuse_other_keys(value)  # pyright: ignore[reportUnknownArgumentType]
            return {k: _put_down(v, arrays) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [_put_down(v, arrays) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case tuple():
            return {_TUPLE: [_put_down(v, arrays) for v in value]}  # pyright: ignore[reportUnknownVariableType]
        case bytes():
            return {_BYTES: value.hex()}
        case np.ndarray() | np.generic():
            array = cast("npt.NDArray[Any]", np.asarray(value))  # pyright: ignore[reportUnknownArgumentType]
            if array.dtype.hasobject:
                raise TypeError("an array of objects has no place in a state")
            name = f"a{len(arrays)}"
            arrays[name] = array
            return {_ARRAY: name}
        case _:
            raise TypeError(f"a state holds plain numbers, text and arrays, not {type(value).__name__}")


def _refuse_other_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str) or key.startswith("$"):
            raise TypeError(f"a state's keys are text that does not begin with $, not {key!r}")


def _taken_up(value: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_taken_up(v, arrays) for v in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return value
    held: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    if held.keys() == {_ARRAY}:
        return arrays[held[_ARRAY]]
    if held.keys() == {_BYTES}:
        return bytes.fromhex(held[_BYTES])
    if held.keys() == {_TUPLE}:
        return tuple(_taken_up(v, arrays) for v in held[_TUPLE])
    return {key: _taken_up(v, arrays) for key, v in held.items()}
