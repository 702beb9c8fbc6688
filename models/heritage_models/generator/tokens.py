"""Degree tokens: one vocabulary for all traditions of a scenario, counted from the finalis.

An event is factored in (pitch, duration, ornament). A pitch token names a *position* on the tradition's lattice as its
distance from the finalis, never a frequency: the tuning turns it into cents, so quantisation costs nothing and a
tradition with another tuning needs no new tokens. Beside the event the network is fed where it stands: tradition,
length of the cycle, position in the cycle, cycles left. Those four are the *context*; code 0 in each means "not told".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_models.traditions.tradition import Corpus, Tradition
from heritage_sim.base import REST, InputError, Notes

REST_TOKEN = 0
NUM_CONTEXT = 4
NUM_TOKENS = 3
MAX_CYCLES_LEFT = 8

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """A piece as tokens.

    Parameters
    ----------
    tokens : ndarray of int32, shape (num_events, 3)
        Pitch, duration and ornament token of each event.
    context : ndarray of int32, shape (num_events, 4)
        Context codes at the event's onset: tradition, cycle length, position in the cycle, cycles left.
    """

    tokens: Int32
    context: Int32

    @property
    def num_events(self) -> int:
        """Return the number of events."""
        return int(self.tokens.shape[0])


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens and context codes of a set of traditions.

    Parameters
    ----------
    traditions : tuple of str
        Names, ascending; a tradition's context code is its index plus 1.
    lowest_offset : int
        Lowest lattice position relative to the finalis; it has pitch token 1 (token 0 is the rest).
    num_pitches : int
        Number of pitch tokens, the rest included.
    durations : tuple of int
        Lengths in ticks, ascending; a duration token is an index into them.
    num_ornaments : int
        Largest number of ornament classes of a tradition; an ornament token is the class.
    cycles : tuple of int
        Cycle lengths in ticks that occur, ascending; the context code is the index plus 1.
    """

    traditions: tuple[str, ...]
    lowest_offset: int
    num_pitches: int
    durations: tuple[int, ...]
    num_ornaments: int
    cycles: tuple[int, ...]

    @property
    def token_sizes(self) -> tuple[int, int, int]:
        """Return the number of pitch, duration and ornament tokens."""
        return self.num_pitches, len(self.durations), self.num_ornaments

    @property
    def context_sizes(self) -> tuple[int, int, int, int]:
        """Return the number of context codes: tradition, cycle length, position in the cycle, cycles left."""
        return len(self.traditions) + 1, len(self.cycles) + 1, max(self.cycles) + 1, MAX_CYCLES_LEFT + 1

    def pitch_tokens(self, tradition: Tradition) -> Int64:
        """Return the pitch token of each lattice position, shape ``(num_positions,)``."""
        return np.arange(tradition.num_positions) - finalis_position(tradition) - self.lowest_offset + 1

    def context(self, tradition: str, ticks_per_cycle: int, onset_ticks: npt.ArrayLike, total_ticks: int) -> Int32:
        """Return the context codes at each onset, shape ``(num_onsets, 4)``; an unseen cycle length is not told."""
        onset = np.asarray(onset_ticks, dtype=np.int64)
        codes = np.empty((onset.size, NUM_CONTEXT), dtype=np.int32)
        codes[:, 0] = self.traditions.index(tradition) + 1
        codes[:, 1] = self.cycles.index(ticks_per_cycle) + 1 if ticks_per_cycle in self.cycles else 0
        codes[:, 2] = np.minimum(onset % ticks_per_cycle + 1, self.context_sizes[2] - 1)
        codes[:, 3] = np.clip(-((onset - total_ticks) // ticks_per_cycle), 1, MAX_CYCLES_LEFT)
        return codes

    def encode(self, notes: Notes, tradition: Tradition) -> Events | None:
        """Return the tokens of a piece; None if one of its notes or lengths is outside the vocabulary."""
        rest = notes.degree == REST
        position = tradition.position_of(notes.degree, notes.period)
        if (position[~rest] < 0).any() or not set(notes.duration_ticks.tolist()) <= set(self.durations):
            return None
        tokens = np.zeros((notes.num_notes, NUM_TOKENS), dtype=np.int32)
        tokens[:, 0] = np.where(rest, REST_TOKEN, self.pitch_tokens(tradition)[np.maximum(position, 0)])
        tokens[:, 1] = np.searchsorted(self.durations, notes.duration_ticks)
        tokens[:, 2] = np.where(rest, 0, notes.ornament)
        if (tokens[:, 2] >= self.num_ornaments).any():
            return None
        onset = np.cumsum(notes.duration_ticks) - notes.duration_ticks
        total = int(notes.duration_ticks.sum())
        return Events(tokens, self.context(tradition.name, notes.ticks_per_cycle, onset, total))

    def decode(self, tokens: Int32, tradition: Tradition, ticks_per_cycle: int, tick_s: float) -> Notes:
        """Return the notes of pitch, duration and ornament tokens, shape ``(num_events, 3)``, in the set's tuning."""
        rest = tokens[:, 0] == REST_TOKEN
        position = np.where(rest, 0, tokens[:, 0] - 1 + self.lowest_offset + finalis_position(tradition))
        degree = np.where(rest, REST, tradition.position_degree[position]).astype(np.int16)
        period = np.where(rest, 0, tradition.position_period[position]).astype(np.int16)
        return Notes(
            degree=degree,
            period=period,
            duration_ticks=np.asarray(self.durations, dtype=np.int32)[tokens[:, 1]],
            ornament=np.where(rest, 0, tokens[:, 2]).astype(np.int8),
            cents=tradition.tuning.sounding(degree, period),
            ticks_per_cycle=ticks_per_cycle,
            tick_s=tick_s,
        )


def finalis_position(tradition: Tradition) -> int:
    """Return the lattice position of the finalis.

    Parameters
    ----------
    tradition : Tradition
        Its lattice is searched for degree 0 of period 0.

    Returns
    -------
    int
        Index into the lattice, in ``[0, num_positions)``.

    Raises
    ------
    InputError
        If the lattice does not hold degree 0 of period 0.
    """
    at = np.flatnonzero((tradition.position_degree == 0) & (tradition.position_period == 0))
    if not at.size:
        raise InputError(
            "the pitch lattice does not contain the finalis",
            f"tradition {tradition.name!r}",
            "import the tradition again: degree 0 of period 0 must be among its positions",
        )
    return int(at[0])


def make_vocabulary(corpora: Mapping[str, Corpus]) -> Vocabulary:
    """Return the vocabulary of a set of traditions and their archives; independent of the order they are given in."""
    named = [corpora[name].tradition for name in sorted(corpora)]
    pieces = [p for c in corpora.values() for p in c.pieces]
    finalis = [finalis_position(t) for t in named]
    lowest = min(-f for f in finalis)
    highest = max(t.num_positions - 1 - f for t, f in zip(named, finalis, strict=True))
    durations = _distinct([d for t in named for d in t.durations_ticks], (p.notes.duration_ticks for p in pieces))
    cycles = _distinct([t.ticks_per_cycle for t in named], (np.array([p.notes.ticks_per_cycle]) for p in pieces))
    return Vocabulary(
        traditions=tuple(t.name for t in named),
        lowest_offset=lowest,
        num_pitches=highest - lowest + 2,
        durations=durations,
        num_ornaments=max(len(t.ornaments) for t in named),
        cycles=cycles,
    )


def _distinct(stated: list[int], seen: Iterable[npt.NDArray[np.int32]]) -> tuple[int, ...]:
    values = set(stated)
    for array in seen:
        values.update(int(v) for v in np.unique(array))
    return tuple(sorted(values))
