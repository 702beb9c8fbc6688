"""Traditions as data: a tuning, a cycle, the steps and ornaments seen in an archive.

A pitch is named by a *position* on the tradition's lattice, the list of all (degree, period) pairs in its range,
counted from the finalis. Tunings are objects: periods other than 1200 cents and lists that do not repeat are common in
measured ensembles, and nothing here assumes an octave.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Piece

BUILT_IN = ("gamelan", "chinese", "panpipes")
"""Traditions that are there without an import, each a kind of the same name."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A measured (or stated) tuning of one ensemble set.

    Parameters
    ----------
    name : str
        Name in its source.
    cents : ndarray of float64, shape (num_degrees,)
        Ascending cents of the degrees above the first, ``cents[0] == 0``; the period itself is not among them.
    period_cents : float or None
        Interval after which the list repeats; None where it does not repeat.
    source : str
        Where it was measured or stated, for credit.
    measured : bool
        True for an instrument or performance that was measured.
    """

    name: str
    cents: npt.NDArray[np.float64]
    period_cents: float | None
    source: str
    measured: bool

    @property
    def num_degrees(self) -> int:
        """Return the number of degrees in one period."""
        return int(self.cents.size)

    def sounding(self, degree: npt.ArrayLike, period: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return cents above the finalis of each (degree, period); NaN for rests."""
        d, p = np.asarray(degree), np.asarray(period)
        base = np.where(d >= 0, self.cents[np.maximum(d, 0)], np.nan)
        return base + p * (self.period_cents if self.period_cents is not None else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Tradition:
    """A tradition's rules, measured from its archive.

    Parameters
    ----------
    name, title : str
        Key in scenarios; name for people.
    tuning : Tuning
        The item's own tuning, against which pieces sound and are measured.
    position_degree, position_period : ndarray of int16, shape (num_positions,)
        The lattice, ascending in pitch.
    legal_step : ndarray of bool, shape (num_positions, num_positions)
        Whether a note at the first position may be followed by one at the second (rests between do not count).
    durations_ticks : tuple of int
        Allowed note lengths, ascending.
    ticks_per_cycle : int
        Usual length of the cycle; a piece may have its own.
    tick_s : float
        Usual length of a tick in seconds.
    may_hold_across_cycle : bool
        Whether a note may sound across a cycle boundary.
    ornaments : tuple of str
        Names of ornament classes; class 0 is ``plain``.
    ornament_rate_range : tuple of float
        Lowest and highest allowed share of ornamented notes, observed over archive pieces.
    synthetic : bool
        Whether the archive is synthetic.
    credit : str
        Sources and communities to be named with every use.
    """

    name: str
    title: str
    tuning: Tuning
    position_degree: npt.NDArray[np.int16]
    position_period: npt.NDArray[np.int16]
    legal_step: npt.NDArray[np.bool_]
    durations_ticks: tuple[int, ...]
    ticks_per_cycle: int
    tick_s: float
    may_hold_across_cycle: bool
    ornaments: tuple[str, ...]
    ornament_rate_range: tuple[float, float]
    synthetic: bool
    credit: str

    @property
    def num_positions(self) -> int:
        """Return the size of the pitch lattice."""
        return int(self.position_degree.size)

    def position_of(self, degree: npt.ArrayLike, period: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the lattice position of each (degree, period); -1 for rests and for pitches outside the range."""
        table = {
            (int(d), int(p)): i for i, (d, p) in enumerate(zip(self.position_degree, self.position_period, strict=True))
        }
        pairs = zip(np.asarray(degree).tolist(), np.asarray(period).tolist(), strict=True)
        return np.array([table.get((d, p), -1) for d, p in pairs], dtype=np.int64)

    def sha256(self) -> str:
        """Return the hash of everything that bears on generation and measurement."""
        h = hashlib.sha256()
        for a in (self.tuning.cents, self.position_degree, self.position_period, self.legal_step):
            h.update(np.ascontiguousarray(a).tobytes())
        rest = [
            self.name,
            self.tuning.period_cents,
            self.durations_ticks,
            self.ticks_per_cycle,
            self.tick_s,
            self.may_hold_across_cycle,
            self.ornaments,
            self.ornament_rate_range,
        ]
        h.update(json.dumps(rest).encode())
        return h.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """A tradition with its archive.

    Parameters
    ----------
    tradition : Tradition
        Rules measured from the pieces.
    pieces : tuple of Piece
        Archive pieces, origin ``ARCHIVE``; ``receipt.piece_sha256`` is the key by which commissions name a source.
    left_out : tuple of (str, str)
        What of the source is not among the pieces, with the reason.
    """

    tradition: Tradition
    pieces: tuple[Piece, ...]
    left_out: tuple[tuple[str, str], ...] = ()
