"""Files of arrays that are whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_sim.base import StorageError

CACHE_REMEDY = "free some disk space, or set HERITAGE_CACHE"

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file can raise; a cache then makes it anew."""


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[np.generic]], remedy: str = CACHE_REMEDY) -> None:
    """Write arrays to an ``.npz`` so that no reader ever sees half of it.

    Parameters
    ----------
    path : Path
        The file to write or replace; its folder is made.
    arrays : mapping of str to ndarray
        Arrays of any shape and type, by their name in the file.
    remedy : str
        What a user can do if it fails.

    Raises
    ------
    StorageError
        If the folder cannot be written or the disk is full; nothing is left behind.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = file.name
            np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(f"a file could not be written: {error.strerror or error}", str(path), remedy) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
