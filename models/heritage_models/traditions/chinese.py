"""Chinese folk melodies, notated: the Han part of the Essen collection, as bundled with music21.

They are transcriptions in equal-tempered staff notation, not recordings, and not chant. Each is a diatonic melody; its
degrees sound here in a measured Chinese tuning of seven degrees. One mode is one tradition: the melodies ending on the
fifth degree of their key signature (zhi mode), by far the commonest. Left out, with the reason, are tunes in other
modes or metres, with accidentals, or off the grid of sixteenths.

Only where the notation is installed: music21 is found, never imported (its import takes seconds).
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from heritage_models.config import TraditionConfig
from heritage_models.traditions.abc_notation import AbcTune, read_tunes
from heritage_models.traditions.learning import Score, Source, learn_corpus
from heritage_models.traditions.score_file import load_scores, save_scores
from heritage_models.traditions.synthetic import phrase_melodies
from heritage_models.traditions.tradition import Corpus
from heritage_models.traditions.tunings import from_degree, measured_tuning
from heritage_sim.base import REST, InputError

DEFAULT_TUNING = "China_Ti-tsu"
FILES = ("han1.abc", "han2.abc")
FINALIS = 4
"""Diatonic degree of the key signature on which a melody of the zhi mode ends (counted from 0)."""
METRE = Fraction(2, 4)
TICKS_PER_WHOLE = 16
TICK_S = 0.25
"""A sixteenth in seconds. The collection notates no tempo: 60 quarter notes a minute are assumed."""

_READER_CODE = ("chinese.py", "abc_notation.py", "score_file.py")
"""Whatever in these changes what is read gives the cached melodies another name."""

_UMLAUTS = {code: bytes([code]).decode("cp437") for code in range(0x80, 0xA0)}
"""The files went through a code page of DOS: its ``ü`` (0x81) was taken for a control character, and so on."""


def essen_files() -> list[Path]:
    """Return the Chinese files of the collection, or nothing where music21 is not installed."""
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(next(iter(spec.submodule_search_locations))) / "corpus" / "essenFolksong"
    files = [folder / name for name in FILES]
    return files if all(f.is_file() for f in files) else []


def load_chinese(config: TraditionConfig, root_seed: int, cache_dir: Path) -> Corpus:
    """Return the corpus; synthetic pieces, and called so, where the notation is not installed.

    Parameters
    ----------
    config : TraditionConfig
        Its section.
    root_seed : int
        Seed of the scenario.
    cache_dir : Path
        Where the melodies are kept once read.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If the tuning asked for does not repeat after seven degrees.
    """
    tuning = measured_tuning(config.tuning or DEFAULT_TUNING, f"traditions: {config.name}: tuning")
    if tuning.num_degrees != 7 or tuning.period_cents is None:
        raise InputError(
            f"The tuning {tuning.name!r} has {tuning.num_degrees} degrees; the notation needs 7 that repeat.",
            f"traditions: {config.name}: tuning",
            f"Use {DEFAULT_TUNING}, China_Flute_04 or China_So-na.",
        )
    tuning = from_degree(tuning, FINALIS)
    files = essen_files()
    if not files:
        source = Source(
            "Synthetic melodies in a measured Chinese tuning",
            tuning,
            ("plain",),
            TICK_S,
            synthetic=True,
            credit=f"Synthetic melodies. Tuning: {tuning.source}",
        )
        scores = phrase_melodies(tuning, config.num_works, root_seed, config.name, ornamented=False)
        return learn_corpus(config, source, scores, root_seed, (("Essen folk songs", "music21 is not installed"),))
    scores, left_out = _scores(files, cache_dir)
    credit = (
        "Melodies: Essen Folksong Collection, Han songs (H. Schaffrath; E. Dahlig-Turek), for non-commercial use, as "
        f"bundled with music21. Tuning: {tuning.source}"
    )
    source = Source("Chinese folk melodies, notated", tuning, ("plain",), TICK_S, synthetic=False, credit=credit)
    return learn_corpus(config, source, scores, root_seed, left_out)


def read_essen(files: list[Path]) -> tuple[list[Score], list[tuple[str, str]]]:
    """Return the usable tunes of the files as scores, and the others with the reason."""
    scores: list[Score] = []
    left_out: list[tuple[str, str]] = []
    for path in files:
        for written, tune in read_tunes(path.read_text(encoding="utf-8", errors="replace")):
            title = clean_title(written)
            made = tune if isinstance(tune, str) else _score(title, tune)
            if isinstance(made, str):
                left_out.append((title, made))
            else:
                scores.append(made)
    return scores, left_out


def clean_title(written: str) -> str:
    """Return a title as it was before the files were converted: umlauts, brackets and spaces put right.

    The conversion wrote the bracket that opens a gloss as a comma, left one that closes a field, and doubled spaces:
    ``Da nangoucha, Weggabelung)`` is ``Da nangoucha (Weggabelung)``, as the same song's title stands elsewhere.
    """
    title = written.translate(_UMLAUTS).replace("]", " ")
    if title.endswith(")") and "(" not in title:
        song, comma, gloss = title[:-1].partition(",")
        title = f"{song} ({gloss.strip()})" if comma else song
    return re.sub(r"\s+", " ", re.sub(r"(?<=\S)\(", " (", title)).strip()


def _score(title: str, tune: AbcTune) -> Score | str:
    """Return the tune's leading bars of regular length as a score, or why it is left out."""
    if tune.headers.get("M") != "2/4":
        return f"its metre is not 2/4 but {tune.headers.get('M', 'not stated')}"
    pitched = [n.step for bar in tune.bars for n in bar if n.step is not None]
    if not pitched:
        return "no notes"
    final = pitched[-1]
    if final % 7 != FINALIS:
        return f"ends on degree {final % 7 + 1} of its key signature, not on {FINALIS + 1}"
    regular = next((i for i, length in enumerate(tune.bar_lengths) if length != METRE), len(tune.bars))
    notes = [n for bar in tune.bars[:regular] for n in bar]
    if any(n.altered for n in notes):
        return "has accidentals"
    if any((n.length * TICKS_PER_WHOLE).denominator != 1 for n in notes):
        return "off the grid of sixteenths"
    if sum((n.length for n in notes), Fraction(0)) != METRE * regular:
        return "a note is tied out of the bars of regular length"
    steps = [None if n.step is None else n.step - final for n in notes]
    bar_ticks = int(METRE * TICKS_PER_WHOLE)
    return Score(
        title=title,
        degree=np.array([REST if s is None else s % 7 for s in steps], dtype=np.int16),
        period=np.array([0 if s is None else s // 7 for s in steps], dtype=np.int16),
        duration_ticks=np.array([int(n.length * TICKS_PER_WHOLE) for n in notes], dtype=np.int32),
        ornament=np.zeros(len(notes), dtype=np.int8),
        ticks_per_cycle=bar_ticks,
        phrase_ends_ticks=tuple(bar_ticks * end for end in tune.line_ends if end <= regular),
    )


def _scores(files: list[Path], cache_dir: Path) -> tuple[list[Score], list[tuple[str, str]]]:
    """Return what `read_essen` returns, kept in the cache under the hash of the files and of the reader's code."""
    digest = hashlib.sha256()
    for path in (*(Path(__file__).with_name(name) for name in _READER_CODE), *files):
        digest.update(path.read_bytes())
    cached = cache_dir / f"essen-{digest.hexdigest()[:32]}.npz"
    if cached.is_file():
        try:
            return load_scores(cached)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            cached.unlink(missing_ok=True)
    scores, left_out = read_essen(files)
    save_scores(cached, scores, left_out)
    return scores, left_out
