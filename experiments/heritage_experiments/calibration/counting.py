"""Aggregates of a table of plays (listener, item, plays), by the same functions that read them off a simulation.

Such a table knows neither sessions nor dwell nor who left; and everybody and everything in it was played at least once,
so that ``zeros`` and shares of *all* works mean something else there than in a simulated catalogue.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from heritage_experiments.calibration.listening import Listened
from heritage_sim.base import TALLY, InputError


def count_plays(path: Path, where: str) -> Listened:
    """Return a table of plays as if it had been listened to in one window.

    Parameters
    ----------
    path : Path
        Three columns of whole numbers, listener, item and plays, with tabs, commas or spaces between; a first line of
        names is left out. Pairs may stand several times.
    where : str
        What to name in an error.

    Returns
    -------
    Listened
        Without sessions and dwell.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the table of plays cannot be read: {path}", where, "correct the path; it is read from the target file"
        ) from error
    lines = text.replace(",", " ").splitlines()
    first = 0 if lines and lines[0].split()[:1] and lines[0].split()[0].lstrip("-").isdigit() else 1
    try:
        table = np.loadtxt(lines[first:], dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise InputError(
            f"{path.name} is no table of whole numbers: {error}", where, "write listener, item and plays on each line"
        ) from error
    if table.shape[0] == 0 or table.shape[1] != 3 or (table[:, 2] < 0).any():
        raise InputError(
            f"{path.name} has {table.shape[0]} lines of {table.shape[1]} columns, or plays below 0",
            where,
            "write listener, item and plays on each line",
        )
    table = table[table[:, 2] > 0]
    of_listener = np.unique(table[:, 0], return_inverse=True)[1]
    of_work, plays = np.unique(table[:, 1], return_inverse=True)[1], table[:, 2]
    pairs = np.unique(np.stack([of_listener, of_work]), axis=1)
    return Listened(
        days=1,
        plays=_summed(of_listener, plays),
        works=np.bincount(pairs[0]).astype(np.int64),
        plays_by_work=_summed(of_work, plays),
        sessions=np.zeros(0, dtype=np.int64),
        dwell_s=np.zeros(0),
        totals=dict.fromkeys(TALLY, 0),
    )


def _summed(group: np.ndarray, plays: np.ndarray) -> np.ndarray:
    total = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(total, group, plays)
    return total
