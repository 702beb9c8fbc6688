"""Where checkpoints, piece pools and imported corpora are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

from heritage_sim.base import InputError


def cache_dir() -> Path:
    """Return the cache folder, made if need be: ``HERITAGE_CACHE``, or the user's cache folder.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If it cannot be made or written.
    """
    named = os.environ.get("HERITAGE_CACHE")
    if named:
        path = Path(named).expanduser()
    else:
        import platformdirs

        path = Path(platformdirs.user_cache_dir("heritage"))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache folder cannot be made: {error.strerror}",
            str(path),
            "set HERITAGE_CACHE to a folder you may write",
        ) from error
    if not os.access(path, os.W_OK):
        raise InputError(
            "the cache folder cannot be written", str(path), "set HERITAGE_CACHE to a folder you may write"
        )
    return path


def c2pa_dir() -> Path:
    """Return the folder of the self-made signing identity, in the cache; it is not made here."""
    return cache_dir() / "c2pa"
