"""The encoder's figures, computed by hand on small pieces; what it can and cannot hear."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from heritage_models.encoder import (
    DIM,
    INTERVAL_CENTRES_CENTS,
    PITCH_CENTRES_CENTS,
    NoteEncoder,
    note_features,
)
from heritage_sim.base import REST, Notes

NUM_PITCH, NUM_INTERVAL = PITCH_CENTRES_CENTS.size, INTERVAL_CENTRES_CENTS.size


def some_notes(cents: list[float], ticks: list[int], cycle: int = 8, ornaments: list[int] | None = None) -> Notes:
    c = np.array(cents)
    degree = np.where(np.isnan(c), REST, 0).astype(np.int16)
    return Notes(
        degree=degree,
        period=np.zeros_like(degree),
        duration_ticks=np.array(ticks, dtype=np.int32),
        ornament=np.array(ornaments or [0] * len(cents), dtype=np.int8),
        cents=c,
        ticks_per_cycle=cycle,
        tick_s=0.5,
    )


def test_a_small_piece_has_the_figures_counted_by_hand() -> None:
    f = note_features(some_notes([0.0, 500.0, np.nan, 150.0], [2, 4, 1, 1], ornaments=[0, 1, 0, 0]))
    assert f.shape == (DIM,)
    # 0 at the centre 0 (2 of 7 ticks); 500 is a third of the way from 600 to 300 (4 of 7); 150 half way (1 of 7)
    pitch = dict(zip(PITCH_CENTRES_CENTS.tolist(), f[:NUM_PITCH].tolist(), strict=True))
    assert pitch[0.0] == pytest.approx((2 + 0.5) / 7)
    assert pitch[300.0] == pytest.approx((4 / 3 + 0.5) / 7)
    assert pitch[600.0] == pytest.approx((8 / 3) / 7)
    # steps of 500 up and 350 down; 350 lies 4/9 of the way from 310 to 400
    interval = dict(zip(INTERVAL_CENTRES_CENTS.tolist(), f[NUM_PITCH : NUM_PITCH + NUM_INTERVAL].tolist(), strict=True))
    assert interval[500.0] == pytest.approx(1 / 2)
    assert interval[310.0] == pytest.approx(5 / 9 / 2)
    rest = f[NUM_PITCH + NUM_INTERVAL :]
    assert rest[0] == pytest.approx(0.5)  # one of two steps goes up
    assert rest[1] == pytest.approx(0.0)
    assert rest[2] == pytest.approx(np.mean([0.0, 1.0, -1.0]))  # log2 of 1, 2 and half a second
    assert rest[4] == pytest.approx(3 / 4.0)
    assert rest[5] == pytest.approx(1 / 8)
    assert rest[6] == pytest.approx(1.0)
    assert rest[9] == pytest.approx(500 / 1200)
    assert rest[11] == pytest.approx(1.0)
    assert rest[12] == pytest.approx(1 / 3)
    assert rest[13] == pytest.approx(1.0)  # only the longest note is ornamented


def test_shares_sum_to_one() -> None:
    f = note_features(some_notes([-2000.0, 0.0, 5000.0, 210.0], [1, 2, 3, 2]))
    assert f[:NUM_PITCH].sum() == pytest.approx(1.0)
    assert f[NUM_PITCH : NUM_PITCH + NUM_INTERVAL].sum() == pytest.approx(1.0)


def test_tunings_that_differ_by_a_quarter_tone_are_told_apart_without_an_octave() -> None:
    slendro = note_features(some_notes([0, 240, 490, 725, 969, 1225], [1] * 6))
    sikura = note_features(some_notes([0, 225, 400, 540, 730, 940], [1] * 6))
    at = slice(NUM_PITCH, NUM_PITCH + NUM_INTERVAL)
    assert np.abs(slendro[at] - sikura[at]).sum() > 0.5


def test_a_rest_alone_has_figures_of_zero_and_a_piece_of_one_note_is_finite() -> None:
    assert not note_features(some_notes([np.nan], [8])).any()
    assert np.isfinite(note_features(some_notes([100.0], [8]))).all()


def test_names_degrees_and_origin_are_not_heard_only_what_sounds() -> None:
    a = some_notes([0.0, 240.0, 490.0], [2, 2, 4])
    b = dataclasses.replace(a, degree=np.array([3, 1, 2], dtype=np.int16), period=np.array([1, 2, 0], dtype=np.int16))
    np.testing.assert_array_equal(note_features(a), note_features(b))


def test_a_players_intonation_makes_no_step_of_a_repeated_note() -> None:
    exact = note_features(some_notes([0.0, 0.0, 240.0, 240.0, 0.0], [2] * 5))
    played = note_features(some_notes([4.0, -8.0, 251.0, 229.0, 0.0], [2] * 5))
    np.testing.assert_allclose(played[NUM_PITCH + NUM_INTERVAL :], exact[NUM_PITCH + NUM_INTERVAL :], atol=0.05)
    np.testing.assert_allclose(played[NUM_PITCH : NUM_PITCH + NUM_INTERVAL].argmax(), 2)  # 240 cents, no semitones
    assert played[NUM_PITCH] == 0.0


def test_without_an_archive_there_is_nothing_to_standardise_by() -> None:
    with pytest.raises(ValueError, match="no archive piece"):
        NoteEncoder({})
