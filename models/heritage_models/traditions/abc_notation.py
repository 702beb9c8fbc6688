"""A small reader of ABC notation: one voice, headers, notes, rests, accidentals, ties and bars.

It reads the Essen folk songs as they are bundled with music21 without importing music21, whose own parser takes
minutes. Tuplets, chords, grace notes and repeats do not occur in those files; a tune that holds one is reported, not
guessed at. Pitch is kept as a diatonic degree of the key and an alteration, because that is what the notation says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_TOKEN = re.compile(
    r"(?P<bar>\|\]|\|+)|(?P<acc>\^|_|=)?(?P<name>[A-Ga-gz])(?P<octave>[,']*)(?P<num>\d*)(?P<den>/\d*)?|(?P<tie>-)"
)
_TONIC = {"C": 0, "D": 1, "E": 2, "F": 3, "G": 4, "A": 5, "B": 6}
_ALTERATION = {None: 0, "=": 0, "^": 1, "_": -1}


@dataclass(frozen=True, slots=True)
class AbcNote:
    """One note or rest.

    Parameters
    ----------
    step : int or None
        Diatonic steps above the key's tonic in the octave that begins at middle C's letter; None for a rest.
    altered : bool
        Whether an accidental other than the key signature's stands before it.
    length : Fraction
        In whole notes.
    """

    step: int | None
    altered: bool
    length: Fraction


@dataclass(frozen=True, slots=True)
class AbcTune:
    """One tune.

    Parameters
    ----------
    headers : dict
        First value of every header field by its letter.
    bars : tuple of tuple of AbcNote
        Notes by the bar they begin in; a tied note stands in the bar of its beginning with its whole length.
    bar_lengths : tuple of Fraction
        Written length of each bar, in whole notes.
    line_ends : tuple of int
        Numbers of bars after which a line of the notation ends: in these files, a phrase.
    """

    headers: dict[str, str]
    bars: tuple[tuple[AbcNote, ...], ...]
    bar_lengths: tuple[Fraction, ...]
    line_ends: tuple[int, ...]


def read_tunes(text: str) -> Iterator[tuple[str, AbcTune | str]]:
    """Yield (title, tune) for each ``X:`` section, or (title, reason) where a tune cannot be read."""
    for section in re.split(r"^X:", text, flags=re.MULTILINE)[1:]:
        lines = ("X:" + section).splitlines()
        headers: dict[str, str] = {}
        music: list[str] = []
        for line in lines:
            if re.match(r"^[A-Z]:", line):
                headers.setdefault(line[0], line[2:].strip())
            elif line.strip():
                music.append(line.strip())
        title = headers.get("T", "") or f"X:{headers['X']}"
        try:
            yield title, _tune(headers, music)
        except ValueError as reason:
            yield title, str(reason)


def _tune(headers: dict[str, str], music: list[str]) -> AbcTune:
    tonic = _TONIC.get(headers.get("K", "?")[:1])
    if tonic is None:
        raise ValueError(f"key {headers.get('K', '')!r} is not understood")
    unit = Fraction(headers.get("L", "1/8"))
    bars: list[list[AbcNote]] = [[]]
    lengths = [Fraction(0)]
    line_ends: list[int] = []
    tied = False
    last: tuple[int, int] | None = None
    for line in music:
        at = 0
        while at < len(line):
            if line[at].isspace():
                at += 1
                continue
            token = _TOKEN.match(line, at)
            if token is None:
                raise ValueError(f"sign {line[at]!r} is not understood")
            at = token.end()
            if token["bar"]:
                bars.append([])
                lengths.append(Fraction(0))
            elif token["tie"]:
                tied = True
            else:
                note = _note(token, tonic, unit)
                lengths[-1] += note.length
                if tied and last is not None and bars[last[0]][last[1]].step == note.step:
                    held = bars[last[0]][last[1]]
                    bars[last[0]][last[1]] = AbcNote(held.step, held.altered, held.length + note.length)
                else:
                    bars[-1].append(note)
                    last = (len(bars) - 1, len(bars[-1]) - 1)
                tied = False
        if lengths[-1]:
            bars.append([])
            lengths.append(Fraction(0))
        line_ends.append(sum(1 for length in lengths if length))
    kept = [i for i, length in enumerate(lengths) if length]
    return AbcTune(headers, tuple(tuple(bars[i]) for i in kept), tuple(lengths[i] for i in kept), tuple(line_ends))


def _note(token: re.Match[str], tonic: int, unit: Fraction) -> AbcNote:
    length = unit * int(token["num"] or 1)
    if token["den"]:
        length /= int(token["den"][1:] or 2)
    if length <= 0:
        raise ValueError("a note has no length")
    name = token["name"]
    if name == "z":
        return AbcNote(None, False, length)
    octave = (1 if name.islower() else 0) + token["octave"].count("'") - token["octave"].count(",")
    return AbcNote(_TONIC[name.upper()] - tonic + 7 * octave, token["acc"] is not None, length)
