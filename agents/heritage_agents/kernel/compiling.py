"""Compiled functions whose cache on disk knows every file they are made of.

numba keeps what it has compiled beside the source, and takes it up again as long as the file in which the function
stands is the same. A function of the kernel holds code of many files: after an update that changes one of the others,
the old kernel would run on, with other results than the source says. So here the stamp of the cache covers all source
of the room, and what it takes from outside.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

from heritage_sim.base import rng

_OWN_CODE = Path(__file__).parent
_OTHER_CODE = (Path(rng.__file__),)
"""Outside of the room: the constants of Philox."""


def compiled(function: Any = None, **options: Any) -> Any:
    """Return a function compiled by numba that lets other threads run, kept on disk until any of its files changes.

    Parameters
    ----------
    function : callable, optional
        What is compiled; without it a decorator is returned.
    **options : Any
        Further options of `numba.njit`.

    Returns
    -------
    callable
    """
    if function is None:
        return lambda later: compiled(later, **options)
    made: Any = njit(cache=True, nogil=True, **options)(function)
    if hasattr(made, "_cache"):  # not where numba is told to compile nothing
        made._cache = _CacheOfManyFiles(function)
    return made


class _CacheOfManyFiles(FunctionCache):
    """numba's cache of a function, with a stamp of the room's files beside that of the function's own."""

    def __init__(self, py_func: Any) -> None:
        super().__init__(py_func)
        stamp = (self._impl.locator.get_source_stamp(), stamp_of(_OWN_CODE, _OTHER_CODE))
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)


@cache
def stamp_of(folder: Path, others: tuple[Path, ...] = ()) -> str:
    """Return the hash of the Python files of a folder and of some others.

    Parameters
    ----------
    folder : Path
        Each ``*.py`` in it counts, by name and content; torch's, which compile nothing, do not.
    others : tuple of Path
        Further files; one that lies in an archive and cannot be read counts by its name.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    told = hashlib.sha256()
    own = sorted(path for path in folder.glob("*.py") if not path.name.startswith("torch_"))
    for path in (*own, *others):
        content = path.read_bytes() if path.is_file() else b""
        told.update(f"{path.name} {len(content)} ".encode() + content)
    return told.hexdigest()
