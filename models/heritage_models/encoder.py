"""Work vectors from notes alone: what listeners and recommenders know of a piece.

Thirty-two figures of tuning, intervals, rhythm, contour and ornaments, standardised by the archives' mean and deviation
and scaled to unit length. Nothing assumes an octave: pitches are taken as cents above the finalis and as cents between
neighbouring notes, never folded. Archive, human and generated pieces go through the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import Notes, Piece

PITCH_CENTRES_CENTS = np.arange(-600.0, 2101.0, 300.0)
"""Centres of the pitch histogram above the finalis; the outer two gather all beyond them."""
INTERVAL_CENTRES_CENTS = np.array([100.0, 175.0, 240.0, 310.0, 400.0, 500.0, 700.0, 1000.0])
"""Centres of the histogram of interval sizes, close together where tunings differ."""
DIM = PITCH_CENTRES_CENTS.size + INTERVAL_CENTRES_CENTS.size + 14

STEP_CENTS = 50.0
"""Two notes nearer than this are one pitch repeated. Even in makam scores one step in two thousand is smaller, and a
player's intonation, off by up to a dozen cents, would else turn each repeated note into a step and tell who plays."""

_CLIP = 4.0
_NEVER_LEFT = 8192


class NoteEncoder:
    """The encoder of a scenario's traditions.

    A row depends on its own piece and on the archives' statistics, so it is the same in any batch. Traditions weigh
    equally in the statistics, whatever the size of their archives.

    Parameters
    ----------
    corpora : mapping of str to Corpus
        The traditions by name.

    Raises
    ------
    ValueError
        If there is no piece.
    """

    def __init__(self, corpora: Mapping[str, Corpus]) -> None:
        tables = [
            np.stack([note_features(p.notes) for p in corpora[name].pieces])
            for name in sorted(corpora)
            if corpora[name].pieces
        ]
        if not tables:
            raise ValueError("no archive piece to standardise by")
        self._mean = np.mean([t.mean(axis=0) for t in tables], axis=0)
        deviation = np.sqrt(np.mean([((t - self._mean) ** 2).mean(axis=0) for t in tables], axis=0))
        self._deviation = np.where(deviation > 1e-9, deviation, 1.0)
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return DIM

    def encode(self, pieces: Sequence[Piece]) -> npt.NDArray[np.float32]:
        """Return vectors of unit length, shape ``(num_pieces, dim)``."""
        rows = np.empty((len(pieces), DIM), dtype=np.float32)
        for i, piece in enumerate(pieces):
            rows[i] = self._row(piece.notes)
        return rows

    def _row(self, notes: Notes) -> npt.NDArray[np.float32]:
        key = notes.sha256()  # pieces come back in every replication; what is kept is a pure function of the notes
        row = self._known.get(key)
        if row is None:
            z = np.clip((note_features(notes) - self._mean) / self._deviation, -_CLIP, _CLIP)
            norm = float(np.sqrt((z * z).sum()))
            row = (z / norm if norm > 0 else np.eye(1, DIM)[0]).astype(np.float32)
            if len(self._known) < _NEVER_LEFT:
                self._known[key] = row
        return row


def note_features(notes: Notes) -> npt.NDArray[np.float64]:
    """Return the figures of a piece before standardisation, shape ``(32,)``.

    Ten shares of sounding time by pitch, eight shares of steps by size; then share of steps up and of repeated notes;
    mean and deviation of log2 length, notes a second, share of time at rest, share of cycle starts with an onset, share
    of onsets on the first half of a beat (an eighth of the cycle); mean pitch, range, slope and share of turns;
    ornament rate, and how much more often long notes are ornamented.
    """
    sounding = notes.degree >= 0
    features = np.zeros(DIM)
    num_sounding = int(sounding.sum())
    if num_sounding == 0:
        return features
    ticks = notes.duration_ticks.astype(np.float64)
    cents, lengths = notes.cents[sounding], ticks[sounding]
    steps = np.diff(cents)
    moving = np.abs(steps) > STEP_CENTS
    at = PITCH_CENTRES_CENTS.size
    features[:at] = _shares(cents, PITCH_CENTRES_CENTS, lengths)
    features[at : at + INTERVAL_CENTRES_CENTS.size] = _shares(
        np.abs(steps[moving]), INTERVAL_CENTRES_CENTS, np.ones(int(moving.sum()))
    )
    rest = features[at + INTERVAL_CENTRES_CENTS.size :]
    num_steps = max(steps.size, 1)
    rest[0] = (steps > STEP_CENTS).sum() / num_steps
    rest[1] = 1.0 - moving.sum() / num_steps
    seconds = lengths * notes.tick_s
    rest[2] = np.log2(seconds).mean()
    rest[3] = np.log2(seconds).std()
    rest[4] = num_sounding / max(notes.duration_s, 1e-9)
    rest[5] = ticks[~sounding].sum() / ticks.sum()
    onsets = (np.cumsum(ticks) - ticks)[sounding]
    in_cycle = np.mod(onsets, notes.ticks_per_cycle)
    rest[6] = (in_cycle == 0).sum() / max(ticks.sum() / notes.ticks_per_cycle, 1.0)
    rest[7] = (np.mod(in_cycle * 8.0, notes.ticks_per_cycle) * 2.0 < notes.ticks_per_cycle).mean()
    rest[8] = np.average(cents, weights=lengths) / 1200.0
    rest[9] = (cents.max() - cents.min()) / 1200.0
    time = (onsets - onsets.mean()) / max(ticks.sum(), 1.0)
    rest[10] = (time * (cents - cents.mean())).sum() / max((time * time).sum(), 1e-9) / 1200.0
    turning = np.sign(steps[moving])
    rest[11] = (turning[1:] != turning[:-1]).mean() if turning.size > 1 else 0.0
    ornamented = notes.ornament[sounding] > 0
    rest[12] = ornamented.mean()
    long = lengths > np.median(lengths)
    rest[13] = ornamented[long].mean() - ornamented[~long].mean() if long.any() and not long.all() else 0.0
    return features


def _shares(
    values: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return weight shares by centre; a value between two centres is divided between them in proportion."""
    shares = np.zeros(centres.size)
    total = weights.sum()
    if total <= 0:
        return shares
    clipped = np.clip(values, centres[0], centres[-1])
    above = np.clip(np.searchsorted(centres, clipped), 1, centres.size - 1)
    part = (clipped - centres[above - 1]) / (centres[above] - centres[above - 1])
    shares += np.bincount(above, weights * part, centres.size)
    shares += np.bincount(above - 1, weights * (1.0 - part), centres.size)
    return shares / total
