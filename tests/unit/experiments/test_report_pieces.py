"""Pieces kept by a run come back as they went, are drawn where they sound, and are heard at their length."""

from __future__ import annotations

import base64
import io
import re
import wave
from pathlib import Path

import numpy as np
import pytest

from heritage_experiments.report import load_pieces, save_pieces
from heritage_experiments.report.music import excerpt, exhibit, piano_roll
from heritage_models.traditions.tradition import Corpus, Tradition, Tuning
from heritage_sim.base import REST, Fidelity, Notes, Origin, Piece, Receipt


def notes() -> Notes:
    return Notes(
        degree=np.array([0, 2, REST, 1], np.int16),
        period=np.array([0, 0, 0, 1], np.int16),
        duration_ticks=np.array([2, 2, 1, 3], np.int32),
        ornament=np.array([0, 1, 0, 0], np.int8),
        cents=np.array([0.0, 480.5, np.nan, 1440.25], np.float64),
        ticks_per_cycle=4,
        tick_s=0.5,
    )


def piece() -> Piece:
    n = notes()
    receipt = Receipt("report-walk", 77, "c0" * 32, n.sha256(), ("ab" * 32,))
    fidelity = Fidelity(2, 0, 2, 0, 0.3, False, 0.0, 1.5, 0.9)
    return Piece(n, "walk", "Synthetic <1>", Origin.GENERATED, True, fidelity, receipt)


def corpus() -> Corpus:
    tuning = Tuning("slendro-like", np.array([0.0, 240.25, 480.5]), 1200.0, "made up for a test", False)
    degree, period = np.array([0, 1, 2, 0, 1, 2], np.int16), np.array([0, 0, 0, 1, 1, 1], np.int16)
    tradition = Tradition(
        "walk", "A made-up tradition", tuning, degree, period, np.ones((6, 6), np.bool_), (1, 2, 3), 4, 0.5, True,
        ("plain", "turn"), (0.0, 0.5), True, "Nobody",
    )  # fmt: skip
    return Corpus(tradition, ())


@pytest.fixture
def kept(tmp_path: Path):
    save_pieces(tmp_path, [piece()], {"walk": corpus()})
    (one,) = load_pieces(tmp_path)
    return one


def test_a_kept_piece_has_the_hash_receipt_and_tuning_it_had(kept):
    assert kept.piece.notes.sha256() == notes().sha256()
    assert kept.piece.receipt == piece().receipt
    assert [round(c, 2) for c, _ in kept.lines] == [0.0, 240.25, 480.5, 1200.0, 1440.25, 1680.5]
    assert (kept.tuning_measured, kept.synthetic_archive) == (False, True)


def test_no_pieces_is_an_empty_list(tmp_path: Path):
    assert load_pieces(tmp_path) == []


def test_sounding_notes_are_drawn_on_the_lines_of_their_pitch(kept):
    svg = piano_roll(kept, kept.piece.notes)
    lines = {float(y) for y in re.findall(r'class="pitch[^"]*"[^>]*y1="([\d.]+)"', svg)}
    middles = [float(y) + 4 for y in re.findall(r'class="note"[^>]* y="([\d.]+)"', svg)]
    assert len(middles) == 3
    assert all(min(abs(m - line) for line in lines) <= 0.11 for m in middles)
    assert svg.count('class="ornament"') == 1
    assert svg.count('class="pitch finalis"') == 2


def test_time_runs_from_left_to_right_in_proportion(kept):
    svg = piano_roll(kept, kept.piece.notes)
    first, second, third = (float(x) for x in re.findall(r'class="note" x="([\d.]+)"', svg))
    # Onsets at 0, 1 and 2.5 s: the gaps are as 1 to 1.5.
    assert (third - second) / (second - first) == pytest.approx(1.5, rel=0.01)


def test_the_sound_lasts_as_long_as_the_notes(kept):
    shown = exhibit(kept, "gamelan")
    with wave.open(io.BytesIO(base64.b64decode(shown.wav_base64))) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(4.0, abs=0.01)
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 22_050)


def test_an_excerpt_ends_with_a_whole_note_and_is_never_empty():
    assert excerpt(notes(), 2.6).num_notes == 3
    assert excerpt(notes(), 99.0).num_notes == 4
    assert excerpt(notes(), 0.1).num_notes == 1
