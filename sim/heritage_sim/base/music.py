"""What a piece of music is to the rest of the house: notes, where they came from, and how far they keep the rules."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

REST = -1


class Origin(IntEnum):
    """Where a work came from."""

    ARCHIVE = 0
    HUMAN = 1
    GENERATED = 2


class Intent(IntEnum):
    """What a commission asks for."""

    RECORD = 0
    DERIVE = 1


@dataclass(frozen=True, slots=True, eq=False)
class Notes:
    """One voice as an event stream; every array has shape ``(num_notes,)``.

    Parameters
    ----------
    degree : ndarray of int16
        Degree of the tuning, counted from the finalis (0); ``REST`` (-1) for a rest.
    period : ndarray of int16
        How many periods of the tuning (not always 1200 cents) above the finalis' own; 0 for a rest.
    duration_ticks : ndarray of int32
        Length in ticks, > 0.
    ornament : ndarray of int8
        Ornament class, 0 for a plain note.
    cents : ndarray of float64
        Sounding pitch in cents above the finalis; NaN for a rest.
    ticks_per_cycle : int
        Length of the rhythmic cycle (gongan, usul, measure) in ticks.
    tick_s : float
        Length of a tick in seconds.
    """

    degree: npt.NDArray[np.int16]
    period: npt.NDArray[np.int16]
    duration_ticks: npt.NDArray[np.int32]
    ornament: npt.NDArray[np.int8]
    cents: npt.NDArray[np.float64]
    ticks_per_cycle: int
    tick_s: float

    @property
    def num_notes(self) -> int:
        """Return the number of events, rests included."""
        return int(self.degree.size)

    @property
    def duration_s(self) -> float:
        """Return the length of the piece in seconds."""
        return float(self.duration_ticks.sum()) * self.tick_s

    def sha256(self) -> str:
        """Return the content hash: cents are taken to 1/1000 cent, rests as a fixed code."""
        h = hashlib.sha256()
        h.update(np.asarray(self.degree, "<i2").tobytes())
        h.update(np.asarray(self.period, "<i2").tobytes())
        h.update(np.asarray(self.duration_ticks, "<i4").tobytes())
        h.update(np.asarray(self.ornament, "<i1").tobytes())
        milli = np.where(np.isnan(self.cents), -(2**40), np.round(np.nan_to_num(self.cents) * 1000.0))
        h.update(milli.astype("<i8").tobytes())
        h.update(f"{self.ticks_per_cycle}|{self.tick_s:.9g}".encode())
        return h.hexdigest()


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How far a piece keeps its tradition's measured rules; consistency with the archive, not authenticity.

    Parameters
    ----------
    num_steps, illegal_steps : int
        Melodic steps, and those that the constraint table does not allow.
    num_cycles, cycle_violations : int
        Cycle boundaries inside the piece, and those that a note is held across where the tradition forbids it, plus one
        if the piece does not end on a boundary.
    ornament_rate : float
        Share of sounding notes that carry an ornament.
    ornament_violation : bool
        Whether the rate lies outside the tradition's allowed range.
    modal_error_cents : float
        Mean distance of sounding pitches to the nearest degree of the item's own tuning, in cents.
    nll_nats : float
        Mean negative log-likelihood per event in nats, under an n-gram of the tradition's archive that has counted
        neither the piece nor its source.
    consistency : float
        One figure in [0, 1] made of the above: 1 keeps every rule at a likelihood typical of the archive.
    """

    num_steps: int
    illegal_steps: int
    num_cycles: int
    cycle_violations: int
    ornament_rate: float
    ornament_violation: bool
    modal_error_cents: float
    nll_nats: float
    consistency: float

    @property
    def num_violations(self) -> int:
        """Return the number of broken constraints."""
        return self.illegal_steps + self.cycle_violations + int(self.ornament_violation)


@dataclass(frozen=True, slots=True)
class Commission:
    """A request for a piece.

    Parameters
    ----------
    request_id : str
        Idempotency key; retries carry the same one.
    tradition : str
        Name of the tradition.
    source : str
        Content hash (SHA-256, hex) of the archive work it builds on.
    take : int
        Which of the possible pieces on that source, in ``[0, takes)``. The answer depends on (tradition, source, take)
        and the generator's own configuration alone: same request, same piece, in any batch and through any front.
    intent : Intent
        Record (a performance by a person) or derive (generate).
    """

    request_id: str
    tradition: str
    source: str
    take: int
    intent: Intent = Intent.DERIVE


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of how a piece came about.

    Parameters
    ----------
    request_id : str
        The commission it answers.
    seed : int
        Seed of the piece's keyed stream.
    checkpoint_sha256 : str
        Hash of the model's weights and of how it was trained; empty where no model was used. Arms that decode one model
        differently (with and without constraints, say) share it.
    piece_sha256 : str
        Content hash of the notes.
    sources : tuple of str
        Content hashes of the works it was conditioned on.
    decoding_sha256 : str
        Hash of all that decides what the model makes of a commission (masks, conditioning, temperature, seed, archives,
        code): it tells such arms apart. Empty where no model was used.
    """

    request_id: str
    seed: int
    checkpoint_sha256: str
    piece_sha256: str
    sources: tuple[str, ...]
    decoding_sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A piece of music with its measured fidelity and receipt.

    Parameters
    ----------
    notes : Notes
        What is played.
    tradition : str
        Name of the tradition it belongs to.
    title : str
        Name for people; synthetic pieces say so.
    origin : Origin
        Archive, human or generated.
    synthetic : bool
        True unless the notes are a transcription of real music.
    fidelity : Fidelity
        Measured against the tradition.
    receipt : Receipt
        How it came about.
    """

    notes: Notes
    tradition: str
    title: str
    origin: Origin
    synthetic: bool
    fidelity: Fidelity
    receipt: Receipt
