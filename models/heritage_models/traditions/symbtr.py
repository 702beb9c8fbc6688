"""SymbTr: Turkish makam scores as tables of 13 tab-separated columns, on a lattice of 53 commas.

Columns: Sira (row), Kod (what the row is), Nota53, NotaAE (pitch names), Koma53, KomaAE (commas, A4 = 305, rest -1),
Pay and Payda (length as a fraction of a whole note), Ms, LNS, Bas, Soz1 (label), Offset (end of the note in cycles of
the usul). Koma53 is read, the pitch as practised; where KomaAE differs, theory differs from practice.

What the numbers in Kod mean here: 9 a note or rest; 51 an usul begins (Pay / Payda is its length); 53, 54, 55 phrase
and modulation marks; 8 a grace note without length, which ornaments the note that follows; 1, 4, 7, 10, 11, 12, 23, 24,
28, 32, 43, 44 sounding notes with an ornament. The finalis is the last sounding note.

References
----------
Karaosmanoglu, "A Turkish makam music symbolic database for music information retrieval: SymbTr", ISMIR 2012.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_models.traditions.learning import Score
from heritage_models.traditions.tradition import Tuning
from heritage_sim.base import REST, InputError

COMMAS_PER_OCTAVE = 53
NUM_COLUMNS = 13
TICKS_PER_WHOLE = 192
"""Ticks of a whole note: 64ths and triplets of 32nds are both whole numbers of them."""
TICK_S = 2.4 / TICKS_PER_WHOLE
"""A tick in seconds: 100 quarter notes a minute. The column Ms differs from piece to piece; one tempo is assumed."""

NOTE, USUL, PHRASE, GRACE = 9, 51, 53, 8
ORNAMENTS = ("plain", "grace note", "little note", "tremolo", "trill", "mordent", "glissando", "grupetto")
ORNAMENT_OF_KOD = {9: 0, 10: 1, 11: 1, 1: 2, 7: 3, 12: 4, 32: 4, 23: 5, 24: 5, 43: 5, 44: 5, 4: 6, 28: 7}
_MARKS = {51, 53, 54, 55}


REMEDY = "Give a SymbTr .txt file: a header and 13 tab-separated columns, UTF-8."


class UnreadableScoreError(ValueError):
    """Why a score cannot be used, and the line where it shows; 0 where it is the whole score."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True, eq=False)
class SymbTrRows:
    """The rows of one score; every array has shape ``(num_rows,)``.

    Parameters
    ----------
    kod, koma53, pay, payda : ndarray of int64
        As in the file; empty fields are 0 (and -1 for Koma53).
    offset : ndarray of float64
        End of the row in cycles of the usul.
    line : ndarray of int64
        Line of the file on which the row stands, from 1.
    """

    kod: npt.NDArray[np.int64]
    koma53: npt.NDArray[np.int64]
    pay: npt.NDArray[np.int64]
    payda: npt.NDArray[np.int64]
    offset: npt.NDArray[np.float64]
    line: npt.NDArray[np.int64]


def comma_tuning() -> Tuning:
    """Return the lattice of 53 commas to the octave, in which the scores are written."""
    cents = np.arange(COMMAS_PER_OCTAVE, dtype=np.float64) * (1200.0 / COMMAS_PER_OCTAVE)
    return Tuning("53 commas to the octave", cents, 1200.0, "Holdrian commas, as notated in SymbTr", measured=False)


def read_rows(path: Path) -> SymbTrRows:
    """Return the rows of a SymbTr text file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    SymbTrRows

    Raises
    ------
    InputError
        If the file cannot be read or a row does not have 13 columns of the expected kind.
    """
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"The score cannot be read: {error.strerror}.", str(path), REMEDY) from error
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise InputError("The score is not UTF-8 text.", f"{path}:{number}", REMEDY) from error
    if not lines or lines[0].split("\t")[:2] != ["Sira", "Kod"]:
        raise InputError("The score does not begin with the SymbTr header.", f"{path}:1", REMEDY)
    table: list[tuple[int, int, int, int, float, int]] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != NUM_COLUMNS:
            raise InputError(f"The row has {len(cells)} columns, not {NUM_COLUMNS}.", f"{path}:{number}", REMEDY)
        try:
            kod, koma, pay, payda = (int(cells[i] or empty) for i, empty in ((1, ""), (4, -1), (6, 0), (7, 0)))
            row = (kod, koma, pay, payda, float(cells[12] or 0), number)
        except ValueError as error:
            raise InputError(f"A column holds no number: {error}.", f"{path}:{number}", REMEDY) from error
        if row[2] < 0 or row[3] < 0:
            raise InputError("A note has a negative length.", f"{path}:{number}", REMEDY)
        table.append(row)
    if not table:
        raise InputError("The score has no rows.", str(path), REMEDY)
    kod, koma53, pay, payda, offset, line = (np.array(column) for column in zip(*table, strict=True))
    return SymbTrRows(kod, koma53, pay, payda, offset.astype(np.float64), line)


def scores_of(rows: SymbTrRows, title: str) -> list[Score]:
    """Return the score on the lattice above its finalis, one `Score` for each stretch in one usul; nothing is dropped.

    The finalis is the last sounding note of the whole score.

    Parameters
    ----------
    rows : SymbTrRows
        What was read.
    title : str
        Name for people; the stretches of one score are numbered.

    Returns
    -------
    list of Score

    Raises
    ------
    UnreadableScoreError
        With the reason, if there is no usul, no note, an unknown kind of row, or a length off the grid.
    """
    parts: list[_Part] = []
    grace = False
    columns = (rows.kod, rows.koma53, rows.pay, rows.payda, rows.line)
    for kod, koma, pay, payda, line in zip(*(column.tolist() for column in columns), strict=True):
        if kod == USUL:
            cycle = _ticks(pay, payda, "an usul", line)
            if not parts or (parts[-1].cycle != cycle and parts[-1].events):
                parts.append(_Part(cycle))
            parts[-1].cycle = cycle
        elif kod == GRACE:
            grace = True
        elif kod in ORNAMENT_OF_KOD or kod in _MARKS:
            if not parts:
                raise UnreadableScoreError("no usul is stated before the first note", line)
            if kod == PHRASE:
                parts[-1].phrase_ends.append(sum(ticks for _, ticks, _ in parts[-1].events))
            if kod in _MARKS or pay == 0 or payda == 0:
                continue
            kind = ORNAMENT_OF_KOD[kod]
            parts[-1].events.append((koma, _ticks(pay, payda, "a note", line), 1 if grace and kind == 0 else kind))
            grace = False
        else:
            raise UnreadableScoreError(f"rows of kind Kod {kod} are not understood", line)
    parts = [part for part in parts if part.events]
    sounding = [koma for part in parts for koma, _, _ in part.events if koma >= 0]
    if not sounding:
        raise UnreadableScoreError("no sounding notes")
    many = len(parts) > 1
    return [_score(part, sounding[-1], f"{title}, part {i + 1}" if many else title) for i, part in enumerate(parts)]


@dataclass(slots=True)
class _Part:
    """Events (comma, ticks, ornament) in one usul."""

    cycle: int
    events: list[tuple[int, int, int]] = field(default_factory=list)
    phrase_ends: list[int] = field(default_factory=list)


def _ticks(pay: int, payda: int, what: str, line: int) -> int:
    if pay == 0 or payda == 0:
        raise UnreadableScoreError(f"{what} has no length", line)
    ticks = Fraction(pay, payda) * TICKS_PER_WHOLE
    if ticks.denominator != 1:
        raise UnreadableScoreError(f"{what} of {pay}/{payda} is off the grid of 1/{TICKS_PER_WHOLE}", line)
    return int(ticks)


def _score(part: _Part, finalis: int, title: str) -> Score:
    commas, ticks, ornaments = (np.array(column) for column in zip(*part.events, strict=True))
    rest = commas < 0
    steps = commas - finalis
    return Score(
        title=title,
        degree=np.where(rest, REST, steps % COMMAS_PER_OCTAVE).astype(np.int16),
        period=np.where(rest, 0, steps // COMMAS_PER_OCTAVE).astype(np.int16),
        duration_ticks=ticks.astype(np.int32),
        ornament=np.where(rest, 0, ornaments).astype(np.int8),
        ticks_per_cycle=part.cycle,
        phrase_ends_ticks=tuple(part.phrase_ends),
    )
