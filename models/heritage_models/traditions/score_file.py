"""Scores on disk: one NumPy archive of plain arrays, written whole or not at all. No pickles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heritage_models.storage import CACHE_REMEDY, write_arrays
from heritage_models.traditions.learning import Score

LeftOut = list[tuple[str, str]]


def save_scores(
    path: Path, scores: Sequence[Score], left_out: Sequence[tuple[str, str]], remedy: str = CACHE_REMEDY
) -> None:
    """Write scores, and what was left out, to ``path``; another reader sees the old file or the whole new one."""
    columns = {
        "num_notes": np.array([s.num_notes for s in scores], dtype=np.int64),
        "num_phrases": np.array([len(s.phrase_ends_ticks) for s in scores], dtype=np.int64),
        "ticks_per_cycle": np.array([s.ticks_per_cycle for s in scores], dtype=np.int64),
        "titles": np.array([s.title for s in scores], dtype=np.str_),
        "phrase_ends_ticks": np.array([t for s in scores for t in s.phrase_ends_ticks], dtype=np.int64),
        "left_out": np.array([list(pair) for pair in left_out], dtype=np.str_).reshape(-1, 2),
        "degree": _joined([s.degree for s in scores], np.int16),
        "period": _joined([s.period for s in scores], np.int16),
        "duration_ticks": _joined([s.duration_ticks for s in scores], np.int32),
        "ornament": _joined([s.ornament for s in scores], np.int8),
    }
    write_arrays(path, columns, remedy)


def load_scores(path: Path) -> tuple[list[Score], LeftOut]:
    """Return what `save_scores` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of (list of Score, list of (str, str))
        Scores, and what was left out with the reason.

    Raises
    ------
    OSError, ValueError, KeyError, zipfile.BadZipFile
        If the file is missing or damaged.
    """
    with np.load(path, allow_pickle=False) as held:
        columns = {name: held[name] for name in held.files}
    stops = np.cumsum(columns["num_notes"])
    phrase_stops = np.cumsum(columns["num_phrases"])
    scores: list[Score] = []
    for i, title in enumerate(columns["titles"].tolist()):
        notes = slice(int(stops[i] - columns["num_notes"][i]), int(stops[i]))
        phrases = slice(int(phrase_stops[i] - columns["num_phrases"][i]), int(phrase_stops[i]))
        scores.append(
            Score(
                title=title,
                degree=columns["degree"][notes],
                period=columns["period"][notes],
                duration_ticks=columns["duration_ticks"][notes],
                ornament=columns["ornament"][notes],
                ticks_per_cycle=int(columns["ticks_per_cycle"][i]),
                phrase_ends_ticks=tuple(columns["phrase_ends_ticks"][phrases].tolist()),
            )
        )
    return scores, [(a, b) for a, b in columns["left_out"].tolist()]


def _joined(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(arrays).astype(dtype) if arrays else np.zeros(0, dtype=dtype)
