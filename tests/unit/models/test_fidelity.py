"""Fidelity, counted by hand on small pieces and note by note on real ones."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from heritage_models.config import TraditionConfig
from heritage_models.fidelity import FidelityMeter, count_boundaries, count_illegal_steps, ornament_rate
from heritage_models.traditions import Corpus, load_corpus
from heritage_sim.base import REST, Keys, Notes


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("cache")
    return load_corpus(TraditionConfig(name="g", kind="gamelan", num_works=120), 2, folder)


@pytest.fixture(scope="module")
def meter(corpus: Corpus) -> FidelityMeter:
    return FidelityMeter(corpus)


def some_notes(degrees: list[int], ticks: list[int], cycle: int, ornaments: list[int] | None = None) -> Notes:
    degree = np.array(degrees, dtype=np.int16)
    return Notes(
        degree=degree,
        period=np.zeros_like(degree),
        duration_ticks=np.array(ticks, dtype=np.int32),
        ornament=np.array(ornaments or [0] * len(degrees), dtype=np.int8),
        cents=np.where(degree < 0, np.nan, 240.0 * degree),
        ticks_per_cycle=cycle,
        tick_s=0.25,
    )


def test_boundaries_count_notes_held_across_them_and_not_rests() -> None:
    assert count_boundaries(some_notes([0, 1, 0], [4, 4, 4], 4)) == (2, 0)
    assert count_boundaries(some_notes([0, 1, 0], [3, 6, 3], 4)) == (2, 2)
    assert count_boundaries(some_notes([0, REST, 0], [3, 6, 3], 4)) == (2, 0)
    assert count_boundaries(some_notes([0], [12], 4)) == (2, 2)


def test_rests_between_two_notes_do_not_make_a_step() -> None:
    legal = np.array([[False, True], [False, False]])
    assert count_illegal_steps(np.array([0, 1]), legal) == (1, 0)
    assert count_illegal_steps(np.array([0, 1, 0]), legal) == (2, 1)
    assert count_illegal_steps(np.array([0, -2, 1]), legal) == (2, 2)


def test_the_ornament_rate_is_a_share_of_sounding_notes() -> None:
    assert ornament_rate(some_notes([0, REST, 1, 2], [1, 1, 1, 1], 4, [1, 0, 0, 3])) == pytest.approx(2 / 3)
    assert ornament_rate(some_notes([REST], [4], 4)) == 0.0


def test_violations_agree_with_a_count_note_by_note(corpus: Corpus, meter: FidelityMeter) -> None:
    t = corpus.tradition
    for piece in corpus.pieces[:40]:
        at = [x for x in t.position_of(piece.notes.degree, piece.notes.period).tolist() if x >= 0]
        illegal = sum(not t.legal_step[a, b] for a, b in pairwise(at))
        measured = meter.measure(piece.notes, piece.receipt.piece_sha256)
        assert (measured.num_steps, measured.illegal_steps) == (len(at) - 1, illegal)
        assert measured.cycle_violations == 0
        assert measured == piece.fidelity


def test_a_piece_that_does_not_end_on_a_boundary_breaks_the_cycle(corpus: Corpus, meter: FidelityMeter) -> None:
    n = corpus.pieces[0].notes
    cut = slice(0, n.num_notes - 1)
    short = dataclasses.replace(
        n, **{k: getattr(n, k)[cut] for k in ("degree", "period", "duration_ticks", "ornament", "cents")}
    )
    assert meter.measure(short).cycle_violations == 1


def test_modal_error_is_the_distance_to_the_nearest_degree_around_the_period(
    corpus: Corpus, meter: FidelityMeter
) -> None:
    n = corpus.pieces[0].notes
    for shift in (7.0, -7.0, 25.0):
        moved = dataclasses.replace(n, cents=n.cents + shift)
        assert meter.modal_error_cents(moved) == pytest.approx(abs(shift))
    u = Keys(1, 0).stream("test", "cents").uniform(np.arange(n.num_notes), 0)
    cents = np.where(n.degree < 0, np.nan, -3000.0 + 6000.0 * u)
    tuning = corpus.tradition.tuning
    grid = [c + k * 1225.0 for k in range(-5, 6) for c in tuning.cents.tolist()]
    expected = np.mean([min(abs(c - g) for g in grid) for c in cents[n.degree >= 0]])
    assert meter.modal_error_cents(dataclasses.replace(n, cents=cents)) == pytest.approx(expected)


def test_consistency_falls_as_notes_are_replaced_at_random_and_stays_in_the_unit_interval(
    corpus: Corpus, meter: FidelityMeter
) -> None:
    t = corpus.tradition
    stream = Keys(1, 0).stream("test", "noise")
    means = []
    for share in (0.0, 0.1, 0.3, 1.0):
        values = []
        for i, piece in enumerate(corpus.pieces[:60]):
            n = piece.notes
            u = stream.uniforms(np.arange(n.num_notes), i, 2)
            at = np.where(u[:, 0] < share, (u[:, 1] * t.num_positions).astype(int), t.position_of(n.degree, n.period))
            degree = np.where(n.degree < 0, REST, t.position_degree[at]).astype(np.int16)
            period = np.where(n.degree < 0, 0, t.position_period[at]).astype(np.int16)
            noisy = dataclasses.replace(n, degree=degree, period=period, cents=t.tuning.sounding(degree, period))
            values.append(meter.measure(noisy).consistency)
        assert 0.0 <= min(values) <= max(values) <= 1.0
        means.append(np.mean(values))
    assert means[0] > means[1] > means[2] > means[3]
    assert means[0] > 0.95
    assert means[3] < 0.2


def test_pieces_the_ngram_has_not_counted_are_less_likely_than_those_it_has(
    meter: FidelityMeter, corpus: Corpus
) -> None:
    counted = [meter.measure(p.notes).nll_nats for p in corpus.pieces]
    assert meter.archive_nll.mean() > np.mean(counted) + 0.3


def test_the_archive_is_measured_as_strictly_as_pieces_that_are_not_in_it(corpus: Corpus) -> None:
    """Drawn by one process, pieces inside and outside the archive are equally consistent with it on average."""
    notes = [p.notes for p in corpus.pieces]
    inside, outside = notes[:90], notes[90:]
    meter = FidelityMeter.of_archive(corpus.tradition, inside)
    own = [meter.measure(n, n.sha256()).consistency for n in inside]
    new = [meter.measure(n).consistency for n in outside]
    flattered = [meter.measure(n).consistency for n in inside]
    assert np.mean(own) == pytest.approx(np.mean(new), abs=0.02)
    assert np.mean(own) < np.mean(flattered)
    assert np.mean(np.array([meter.measure(n, n.sha256()).nll_nats for n in inside]) > meter.archive_nll + 1e-9) == 0


def test_a_piece_without_events_or_with_rests_only_is_measured() -> None:
    quiet = some_notes([REST, REST], [4, 4], 4)
    assert count_boundaries(some_notes([], [], 4)) == (0, 0)
    assert count_boundaries(quiet) == (1, 0)
