"""Measured tunings from the scale library's collection of measured instruments (DaMuSc).

The library is a dependency and nothing of it is copied. Its folder ``damusc`` holds measured scales from ethnographic
sources, each with its source and country in its comments.

References
----------
McBride, Passmore, Tlusty, "Convergent evolution in a large cross-cultural database of musical scales", PLOS ONE 18(12),
2023.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np

from heritage_models.traditions.scl import as_tuning, read_scl
from heritage_models.traditions.tradition import Tuning
from heritage_sim.base import InputError, MissingPartError


def library_folder() -> Path:
    """Return the folder of measured .scl files.

    Returns
    -------
    Path

    Raises
    ------
    MissingPartError
        If the scale library is not installed.
    """
    try:
        import scale_library
    except ImportError as error:
        raise MissingPartError(
            "The measured tunings are not installed.", "package scale-library", "pip install scale-library"
        ) from error
    return Path(scale_library.scale_dir()) / "damusc"


def measured_tuning(name: str, key: str, *, repeats: bool | None = None) -> Tuning:
    """Return a measured tuning by its file name without ``.scl``.

    Parameters
    ----------
    name : str
        Such as ``Indonesia_Harjawinangun``.
    key : str
        Scenario key that asked for it, for messages.
    repeats : bool, optional
        Whether the last pitch is the period; None decides by its size.

    Returns
    -------
    Tuning

    Raises
    ------
    InputError
        If the library holds no such tuning.
    """
    folder = library_folder()
    path = folder / f"{name}.scl"
    if not path.is_file():
        near = difflib.get_close_matches(name, [p.stem for p in folder.glob("*.scl")], n=3, cutoff=0.5)
        hint = f"Nearest names: {', '.join(near)}." if near else "Choose a file of the scale library's folder damusc."
        raise InputError(f"There is no measured tuning {name!r}.", key, hint)
    scale = read_scl(path)
    made = as_tuning(scale, str(path), repeats=repeats)
    credit = " ".join(line for line in scale.comments[1:] if line and "[info]" not in line and " = " not in line)
    return Tuning(made.name, made.cents, made.period_cents, f"{scale.description}. {credit}", measured=True)


def from_degree(tuning: Tuning, finalis: int) -> Tuning:
    """Return the same instrument with another degree as finalis.

    Parameters
    ----------
    tuning : Tuning
        A tuning that repeats.
    finalis : int
        Degree that becomes degree 0.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If the tuning does not repeat.
    """
    if tuning.period_cents is None:
        raise ValueError("a list that does not repeat cannot be turned")
    turned = np.roll(tuning.cents, -finalis) - tuning.cents[finalis]
    turned = np.where(turned < 0, turned + tuning.period_cents, turned)
    return Tuning(tuning.name, turned, tuning.period_cents, tuning.source, tuning.measured)
