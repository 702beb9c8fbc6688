"""Scala tuning files (.scl): read what people publish, with its irregularities.

A file holds comment lines that begin with ``!``, a description line, the number of notes and one pitch a line: cents if
it has a dot (``222.974``, also ``222.974 cents``), else a ratio (``3/2``, ``2``). The first degree, 0 cents, is not
written. Cents without their dot would be ratios of many octaves, and are refused (`MAX_WHOLE_RATIO`). By Scala's
convention the last pitch is the interval of repetition; in measured sets it often is simply the highest key or pipe
(`as_tuning`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_models.traditions.tradition import Tuning
from heritage_sim.base import InputError

PERIOD_RANGE_CENTS = (1140.0, 1260.0)
"""A last pitch in this range is taken for the period of repetition. Stretched octaves of measured gamelans reach from
1169 to 1255 cents; a row of pipes that ends elsewhere does not repeat."""

MAX_CENTS = 24_000.0
"""Twenty octaves, twice what is heard: a pitch beyond is a slip of the pen."""

MAX_WHOLE_RATIO = 32
"""A whole number above it is five octaves or more as a ratio: cents whose writer forgot the dot. ``690/1`` is read."""

_NUMBER = re.compile(r"^[+-]?\d+(?:\.\d*)?|^[+-]?\.\d+")
_RATIO = re.compile(r"^(\d+)\s*(?:/\s*(\d+))?")
_REMEDY = (
    "Give a Scala .scl file: a description line, the number of notes, then a pitch a line, in cents or as a ratio."
)


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What a .scl file says.

    Parameters
    ----------
    name : str
        File name without ``.scl``.
    description : str
        The description line.
    pitches_cents : ndarray of float64, shape (num_notes,)
        As written, in cents above the unwritten first degree.
    comments : tuple of str
        Comment lines without their ``!``: source and licence often stand there.
    """

    name: str
    description: str
    pitches_cents: npt.NDArray[np.float64]
    comments: tuple[str, ...]


def read_scl(path: Path) -> Scale:
    """Return the scale in a .scl file.

    Parameters
    ----------
    path : Path
        The file, UTF-8 or Latin-1.

    Returns
    -------
    Scale

    Raises
    ------
    InputError
        If the file is missing, has no notes, has fewer than it announces, or holds a line that is no pitch.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"The tuning file cannot be read: {error.strerror}.", str(path), "Check the path.") from error
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        lines = text.decode("latin-1").splitlines()
    comments = tuple(line[1:].strip() for line in lines if line.startswith("!"))
    body = [(number, line.strip()) for number, line in enumerate(lines, 1) if not line.startswith("!")]
    if len(body) < 2:
        raise InputError("The tuning has no notes.", f"{path}:{len(lines)}", _REMEDY)
    (_, description), (count_line, count_text) = body[0], body[1]
    announced = _NUMBER.match(count_text)
    if announced is None or not float(announced.group()).is_integer():
        raise InputError(f"Expected the number of notes, found {count_text!r}.", f"{path}:{count_line}", _REMEDY)
    num_notes = int(float(announced.group()))
    if num_notes < 1:
        raise InputError("The tuning has no notes.", f"{path}:{count_line}", _REMEDY)
    written = [(number, line) for number, line in body[2:] if line][:num_notes]
    if len(written) < num_notes:
        raise InputError(
            f"The tuning announces {num_notes} notes and holds {len(written)}.", f"{path}:{count_line}", _REMEDY
        )
    pitches = [_pitch_cents(line, f"{path}:{number}") for number, line in written]
    return Scale(path.name.removesuffix(".scl"), description, np.array(pitches, dtype=np.float64), comments)


def _pitch_cents(text: str, where: str) -> float:
    """Return one pitch line in cents."""
    number = _NUMBER.match(text)
    in_cents = number is not None and "." in number.group()
    cents = float(number.group()) if number is not None and in_cents else _ratio_cents(text, where)
    if not abs(cents) <= MAX_CENTS:
        raise InputError(f"{text[:40]!r} is more than {MAX_CENTS:g} cents from the first degree.", where, _REMEDY)
    return cents


def _ratio_cents(text: str, where: str) -> float:
    ratio = _RATIO.match(text)
    if ratio is None:
        raise InputError(f"{text!r} is neither cents nor a ratio.", where, _REMEDY)
    above, below = float(ratio.group(1)), float(ratio.group(2) or 1)
    if ratio.group(2) is None and above > MAX_WHOLE_RATIO:
        whole = ratio.group(1)
        shown = whole if len(whole) <= 12 else f"{whole[:12]}..."
        raise InputError(
            f"{shown} has no decimal point, so Scala files mean the ratio {shown}/1, "
            f"{math.log2(above) if math.isfinite(above) else math.inf:.1f} octaves.",
            where,
            f"Write {shown}. with a point for cents, or {shown}/1 if the ratio is meant.",
        )
    if above <= 0 or below <= 0:
        raise InputError(f"The ratio {text!r} is not positive.", where, _REMEDY)
    return 1200.0 * (math.log2(above) - math.log2(below))


def as_tuning(scale: Scale, where: str, *, repeats: bool | None = None, measured: bool = True) -> Tuning:
    """Return a scale as a tuning: ascending degrees from 0 and, where it repeats, the period.

    Pitches are sorted and equal ones taken once; those at or below 0 cents are left out (the first degree is 0).

    Parameters
    ----------
    scale : Scale
        The scale.
    where : str
        Its file, for messages.
    repeats : bool, optional
        Whether the last pitch is the period; None decides by `PERIOD_RANGE_CENTS`.
    measured : bool
        Whether it was measured on an instrument or performance.

    Returns
    -------
    Tuning

    Raises
    ------
    InputError
        If no pitch lies above 0 cents.
    """
    above = np.unique(scale.pitches_cents[scale.pitches_cents > 1e-9])
    if above.size == 0:
        raise InputError("The tuning has no note above its first degree.", where, _REMEDY)
    last = float(above[-1])
    if repeats is None:
        repeats = PERIOD_RANGE_CENTS[0] <= last <= PERIOD_RANGE_CENTS[1]
    degrees = above[:-1] if repeats else above
    return Tuning(
        name=scale.name,
        cents=np.concatenate([[0.0], degrees]),
        period_cents=last if repeats else None,
        source=scale.description or scale.name,
        measured=measured,
    )


def scale_remarks(scale: Scale, tuning: Tuning) -> tuple[str, ...]:
    """Return what became of a scale when it was made a tuning, one sentence for each thing a reader might not expect.

    Parameters
    ----------
    scale : Scale
        What the file says.
    tuning : Tuning
        What `as_tuning` made of it.

    Returns
    -------
    tuple of str
    """
    pitches, remarks = scale.pitches_cents, []
    falls = np.flatnonzero(np.diff(pitches) < 0)
    if falls.size:
        k = int(falls[0])
        remarks.append(
            f"its pitches do not ascend ({pitches[k + 1]:.10g} cents stands after {pitches[k]:.10g}); they were sorted"
        )
    low = int((pitches <= 1e-9).sum())
    if low:
        remarks.append(f"pitches at or below the first degree (0 cents) were left out: {low}")
    equal = int(pitches.size) - low - int(np.unique(pitches[pitches > 1e-9]).size)
    if equal:
        remarks.append(f"pitches that stand there more than once were taken once: {equal} left out")
    if tuning.period_cents is None:
        low_end, high_end = PERIOD_RANGE_CENTS
        remarks.append(
            f"it does not repeat: its highest pitch, {tuning.cents[-1]:.10g} cents, is no octave "
            f"({low_end:g} to {high_end:g} cents)"
        )
    return tuple(remarks)
