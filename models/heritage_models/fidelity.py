"""How far a piece keeps its tradition's rules, measured from notes alone.

The same tables that mask a generator's decoding count the violations here: legal steps, cycle boundaries, the range of
the ornament rate. The likelihood is that of an n-gram counted over the archive. It is called *consistency with the
archive* and is no statement about authenticity, which only people can make.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_models.ngram import WittenBell
from heritage_models.traditions.tradition import Corpus, Tradition
from heritage_sim.base import Fidelity, Notes

MODAL_SCALE_CENTS = 50.0
"""Mean distance to the tuning at which the consistency falls by the factor 1/e: a quarter tone. A choice, no finding;
squared, so that the few cents by which any player departs from an instrument weigh next to nothing."""

NUM_FOLDS = 5
"""Parts into which the archive is divided to see how unlikely its pieces look to a model that has not counted them."""

_RATE_SLACK = 1e-9


class LatticeIndex:
    """Fast position and event symbols of a tradition's notes.

    An event symbol is ``position * (num_durations + 1) + duration index``; a rest, a pitch outside the lattice and a
    length outside the set have codes of their own.

    Parameters
    ----------
    tradition : Tradition
        Its lattice and durations.
    """

    def __init__(self, tradition: Tradition) -> None:
        self._first_period = int(tradition.position_period.min())
        span = int(tradition.position_period.max()) - self._first_period + 1
        self._table = np.full((span, tradition.tuning.num_degrees), -1, dtype=np.int64)
        rows = tradition.position_period.astype(np.int64) - self._first_period
        self._table[rows, tradition.position_degree] = np.arange(tradition.num_positions)
        self._durations = np.asarray(tradition.durations_ticks, dtype=np.int64)
        self._num_positions = tradition.num_positions

    @property
    def num_symbols(self) -> int:
        """Return the size of the alphabet of event symbols."""
        return (self._num_positions + 2) * (self._durations.size + 1)

    def positions(self, notes: Notes) -> npt.NDArray[np.int64]:
        """Return the lattice position of each event; -1 for rests, -2 for pitches outside the lattice."""
        degree = notes.degree.astype(np.int64)
        row = notes.period.astype(np.int64) - self._first_period
        inside = (row >= 0) & (row < self._table.shape[0]) & (degree >= 0) & (degree < self._table.shape[1])
        at = self._table[np.where(inside, row, 0), np.where(inside, degree, 0)]
        return np.where(degree < 0, -1, np.where(inside & (at >= 0), at, -2))

    def symbols(self, notes: Notes) -> npt.NDArray[np.int64]:
        """Return the event symbol of each event, shape ``(num_notes,)``."""
        position = self.positions(notes)
        position = np.where(position < 0, self._num_positions - 1 - position, position)
        at = np.minimum(np.searchsorted(self._durations, notes.duration_ticks), self._durations.size - 1)
        known = self._durations[at] == notes.duration_ticks
        return position * (self._durations.size + 1) + np.where(known, at, self._durations.size)


class FidelityMeter:
    r"""Measures notes against a tradition.

    With s = illegal steps / steps, b = broken boundaries / (boundaries + 1), o = distance of the ornament rate from its
    range, e = modal error and l = mean negative log-likelihood per event,

        consistency = (1 - s) (1 - b) (1 - o) exp(-(e / 50 cents)^2) exp(-max(0, l - q95) / (q95 - q50))

    The n-gram is one of five, each counted on four fifths of the archive: the one that has not counted the piece, if it
    is of the archive, nor the archive work it was made from. Archive, performed and generated pieces are so measured
    alike; an n-gram that had counted the archive piece itself would flatter it, and most of all its copies. A piece
    without a source is measured by the n-gram of the whole archive. q50 and q95 are quantiles of the archive's own
    pieces, so one archive piece in twenty loses by its likelihood, as would one new piece in twenty that is just like
    them. The likelihood is one-sided: a piece more likely than most of the archive is not more consistent with it.

    Parameters
    ----------
    corpus : Corpus
        The tradition and its archive; the pieces' own fidelity is not read.
    order : int
        Order of the n-grams.
    """

    def __init__(self, corpus: Corpus, order: int = 5) -> None:
        self._fit(corpus.tradition, [p.notes for p in corpus.pieces], order)

    @classmethod
    def of_archive(cls, tradition: Tradition, archive: Sequence[Notes], order: int = 5) -> FidelityMeter:
        """Return the meter of a tradition whose pieces are not yet made."""
        meter = cls.__new__(cls)
        meter._fit(tradition, archive, order)
        return meter

    def _fit(self, tradition: Tradition, archive: Sequence[Notes], order: int) -> None:
        self.tradition = tradition
        self.lattice = LatticeIndex(tradition)
        symbols = [self.lattice.symbols(n) for n in archive]
        num_symbols = self.lattice.num_symbols
        self.ngram = WittenBell(symbols, num_symbols, order)
        num_folds = min(NUM_FOLDS, len(symbols))
        folds = [
            WittenBell([s for i, s in enumerate(symbols) if i % num_folds != fold], num_symbols, order)
            for fold in range(num_folds if num_folds > 1 else 0)
        ]
        hashes = [n.sha256() for n in archive]
        self._apart = {own: folds[i % num_folds] for i, own in enumerate(hashes) if folds}
        self.archive_nll = np.array([self._ngram(own).nll(s).mean() for own, s in zip(hashes, symbols, strict=True)])
        q50, q95 = np.quantile(self.archive_nll, [0.5, 0.95])
        self._nll_high = float(q95)
        self._nll_scale = max(float(q95 - q50), 1e-3)

    def _ngram(self, source: str) -> WittenBell:
        """Return the n-gram that has not counted an archive work; that of the whole archive for any other."""
        return self._apart.get(source, self.ngram)

    def measure(self, notes: Notes, source: str = "") -> Fidelity:
        """Return the fidelity of a piece.

        Parameters
        ----------
        notes : Notes
            The piece.
        source : str
            Content hash of the archive work it is or was made from; empty where there is none.

        Returns
        -------
        Fidelity
        """
        t = self.tradition
        sounding = notes.degree >= 0
        positions = self.lattice.positions(notes)[sounding]
        steps, illegal = count_illegal_steps(positions, t.legal_step)
        boundaries, held = count_boundaries(notes)
        ends_off = int(notes.duration_ticks.sum()) % notes.ticks_per_cycle != 0
        broken = (0 if t.may_hold_across_cycle else held) + int(ends_off)
        rate = ornament_rate(notes)
        low, high = t.ornament_rate_range
        outside = max(low - rate, rate - high, 0.0)
        modal = self.modal_error_cents(notes)
        nll = float(self._ngram(source).nll(self.lattice.symbols(notes)).mean()) if notes.num_notes else 0.0
        consistency = (
            (1.0 - illegal / max(steps, 1))
            * (1.0 - broken / (boundaries + 1))
            * (1.0 - min(outside, 1.0))
            * float(np.exp(-((modal / MODAL_SCALE_CENTS) ** 2) - max(0.0, nll - self._nll_high) / self._nll_scale))
        )
        return Fidelity(
            num_steps=steps,
            illegal_steps=illegal,
            num_cycles=boundaries,
            cycle_violations=broken,
            ornament_rate=rate,
            ornament_violation=outside > _RATE_SLACK,
            modal_error_cents=modal,
            nll_nats=nll,
            consistency=float(min(max(consistency, 0.0), 1.0)),
        )

    def modal_error_cents(self, notes: Notes) -> float:
        """Return the mean over sounding notes of ``min_k |cents - cents_k|`` against the item's own tuning."""
        cents = notes.cents[notes.degree >= 0]
        if cents.size == 0:
            return 0.0
        tuning = self.tradition.tuning
        if tuning.period_cents is None:
            grid = tuning.cents
        else:
            cents = np.mod(cents, tuning.period_cents)
            grid = np.append(tuning.cents, tuning.period_cents)
        above = np.clip(np.searchsorted(grid, cents), 1, grid.size - 1)
        return float(np.minimum(np.abs(cents - grid[above - 1]), np.abs(cents - grid[above])).mean())


def count_illegal_steps(positions: npt.NDArray[np.int64], legal_step: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return the number of melodic steps between sounding notes, and of those not allowed.

    A step from or to a pitch outside the lattice (negative position) is never allowed.
    """
    a, b = positions[:-1], positions[1:]
    known = (a >= 0) & (b >= 0)
    legal = known & legal_step[np.where(known, a, 0), np.where(known, b, 0)]
    return int(a.size), int(a.size - legal.sum())


def count_boundaries(notes: Notes) -> tuple[int, int]:
    """Return the number of cycle boundaries strictly inside the piece, and of those a sounding note is held across."""
    ends = np.cumsum(notes.duration_ticks.astype(np.int64))
    if ends.size == 0:
        return 0, 0
    boundaries = np.arange(notes.ticks_per_cycle, int(ends[-1]), notes.ticks_per_cycle, dtype=np.int64)
    holder = np.searchsorted(ends, boundaries)
    held = (ends[holder] != boundaries) & (notes.degree[holder] >= 0)
    return int(boundaries.size), int(held.sum())


def ornament_rate(notes: Notes) -> float:
    """Return the share of sounding notes that carry an ornament; 0 where nothing sounds."""
    sounding = notes.degree >= 0
    num_sounding = int(sounding.sum())
    return float((notes.ornament[sounding] > 0).sum() / num_sounding) if num_sounding else 0.0
