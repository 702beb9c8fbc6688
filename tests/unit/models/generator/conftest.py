"""Small traditions whose rules can be checked by hand or by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from heritage_models.config import GeneratorConfig
from heritage_models.traditions.tradition import Corpus, Tradition, Tuning
from heritage_sim.base import REST, Fidelity, Notes, Origin, Piece, Receipt, Stream

UNMEASURED = Fidelity(0, 0, 0, 0, 0.0, False, 0.0, 0.0, 0.0)


def make_tradition(name="small", legal=None, durations=(1, 2), cycle=4, may_hold=False, rates=(0.0, 1.0), num=5):
    legal = np.ones((num, num), dtype=bool) if legal is None else np.asarray(legal, dtype=bool)
    return Tradition(
        name=name,
        title=name,
        tuning=Tuning("uneven five", np.array([0.0, 231.0, 474.0, 717.0, 955.0]), 1208.0, "made for tests", False),
        position_degree=(np.arange(num) % 5).astype(np.int16),
        position_period=(np.arange(num) // 5).astype(np.int16),
        legal_step=legal,
        durations_ticks=durations,
        ticks_per_cycle=cycle,
        tick_s=0.25,
        may_hold_across_cycle=may_hold,
        ornaments=("plain", "turn"),
        ornament_rate_range=rates,
        synthetic=True,
        credit="made for tests",
    )


def make_piece(tradition, degrees, durations, ornaments=None, title="piece"):
    degree = np.asarray(degrees, dtype=np.int16)
    period = np.zeros(degree.size, dtype=np.int16)
    notes = Notes(
        degree=degree,
        period=period,
        duration_ticks=np.asarray(durations, dtype=np.int32),
        ornament=np.asarray(ornaments if ornaments is not None else np.zeros(degree.size), dtype=np.int8),
        cents=tradition.tuning.sounding(degree, period),
        ticks_per_cycle=tradition.ticks_per_cycle,
        tick_s=tradition.tick_s,
    )
    receipt = Receipt("", 0, "", notes.sha256(), ())
    return Piece(notes, tradition.name, title, Origin.ARCHIVE, True, UNMEASURED, receipt)


def make_corpus(tradition, num_pieces=12, num_cycles=3, rests=False):
    """Walks over the legal steps, filled with notes up to each boundary: every rule but the ornament rate is kept."""
    stream = Stream((7, 11))
    pieces = []
    for i in range(num_pieces):
        u = stream.uniforms(i, 0, 400)[0].tolist()
        at, degrees, durations, ornaments = int(u.pop() * tradition.tuning.num_degrees), [], [], []
        for _ in range(num_cycles):
            left = tradition.ticks_per_cycle
            while left:
                choice = [d for d in tradition.durations_ticks if d <= left]
                d = choice[int(u.pop() * len(choice))]
                silent = rests and u.pop() < 0.15
                if not silent:
                    options = np.flatnonzero(tradition.legal_step[at][: tradition.tuning.num_degrees])
                    at = int(options[int(u.pop() * options.size)])
                degrees.append(REST if silent else at)
                durations.append(d)
                ornaments.append(int(not silent and u.pop() < 0.25))
                left -= d
        pieces.append(make_piece(tradition, degrees, durations, ornaments, f"Piece {i}"))
    return Corpus(tradition, tuple(pieces))


@pytest.fixture(scope="session")
def corpora():
    step = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) <= 2
    first = make_tradition("first", legal=step, rates=(0.1, 0.5))
    second = make_tradition("second", durations=(1, 2, 3), cycle=6, rates=(0.0, 0.4))
    return {"first": make_corpus(first), "second": make_corpus(second, rests=True)}


@pytest.fixture(scope="session")
def tiny():
    return GeneratorConfig(
        kind="transformer", steps=6, batch=4, context=24, width=32, layers=2, heads=2, max_notes=24, slots=8, takes=3
    )


@pytest.fixture(scope="session")
def build():
    """The makers above, for tests that need a tradition of their own."""

    class Build:
        tradition = staticmethod(make_tradition)
        piece = staticmethod(make_piece)
        corpus = staticmethod(make_corpus)

    return Build
