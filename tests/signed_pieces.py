"""A few notes, a piece made from them, and its sound: what the tests of manifests sign."""

import numpy as np

from heritage_models.audio import wav_bytes
from heritage_sim.base import Fidelity, Notes, Origin, Piece, Receipt

SOURCE = "5c" * 32
TITLES = {SOURCE: "Synthetic balungan 7"}
FIDELITY = Fidelity(3, 0, 1, 0, 0.0, False, 0.0, 1.0, 1.0)


def some_notes(first: int = 0) -> Notes:
    degree = np.array([first, 1, 2, 3], np.int16)
    return Notes(
        degree=degree,
        period=np.zeros(4, np.int16),
        duration_ticks=np.ones(4, np.int32),
        ornament=np.zeros(4, np.int8),
        cents=degree * 240.0,
        ticks_per_cycle=4,
        tick_s=0.02,
    )


def some_piece(origin=Origin.GENERATED, checkpoint="7e" * 32, synthetic=True, sources=(SOURCE,), first=0) -> Piece:
    notes = some_notes(first)
    # A seed beyond 63 bits: half of all seeds are.
    receipt = Receipt("generate-0", 2**64 - 3, checkpoint, notes.sha256(), tuple(sources), "de" * 32)
    return Piece(notes, "gamelan", "Variation 1 (synthetic)", origin, synthetic, FIDELITY, receipt)


def sound_of(piece: Piece) -> bytes:
    return wav_bytes(piece.notes)
