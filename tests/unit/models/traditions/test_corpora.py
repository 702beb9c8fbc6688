"""Built-in traditions: what is measured from the archive is checked by counting again, note by note."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from heritage_models.config import TraditionConfig
from heritage_models.traditions import Corpus, load_corpus
from heritage_models.traditions.chinese import essen_files
from heritage_models.traditions.learning import Score, cut_to_cycles, legal_steps
from heritage_sim.base import REST, InputError, Origin

KINDS = ("gamelan", "chinese", "panpipes")


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=KINDS)
def corpus(request, cache) -> Corpus:
    return load_corpus(TraditionConfig(name=request.param, kind=request.param), 11, cache)


def test_there_are_220_different_works_in_whole_cycles(corpus: Corpus) -> None:
    assert len({p.receipt.piece_sha256 for p in corpus.pieces}) == 220
    for p in corpus.pieces:
        assert p.receipt.piece_sha256 == p.notes.sha256()
        assert p.origin == Origin.ARCHIVE
        assert p.notes.duration_ticks.sum() % p.notes.ticks_per_cycle == 0
        assert 16 <= p.notes.num_notes <= 64


def test_a_work_is_called_synthetic_unless_it_is_a_transcription(corpus: Corpus) -> None:
    real = corpus.tradition.name == "chinese" and bool(essen_files())
    assert corpus.tradition.synthetic is not real
    assert all(p.synthetic is not real for p in corpus.pieces)
    if not real:
        assert all("synthetic" in p.title.lower() for p in corpus.pieces)
        assert "synthetic" in corpus.tradition.credit.lower()


def test_notes_sound_on_the_measured_tuning(corpus: Corpus) -> None:
    tuning = corpus.tradition.tuning
    assert tuning.measured
    for p in corpus.pieces[:20]:
        for degree, period, cents in zip(p.notes.degree, p.notes.period, p.notes.cents, strict=True):
            expected = np.nan if degree == REST else tuning.cents[degree] + period * (tuning.period_cents or 0.0)
            np.testing.assert_equal(cents, expected)


def test_a_step_is_legal_if_and_only_if_the_archive_shows_it_twice_and_it_leads_on(corpus: Corpus) -> None:
    t = corpus.tradition
    counts: dict[tuple[int, int], int] = {}
    for p in corpus.pieces:
        at = [x for x in t.position_of(p.notes.degree, p.notes.period).tolist() if x >= 0]
        for a, b in pairwise(at):
            counts[a, b] = counts.get((a, b), 0) + 1
    for a in range(t.num_positions):
        for b in range(t.num_positions):
            if t.legal_step[a, b]:
                assert counts.get((a, b), 0) >= 2
                assert t.legal_step[b].any()
            elif counts.get((a, b), 0) >= 2:
                assert not t.legal_step[b].any()


def test_the_rules_admit_nearly_all_of_the_archive_and_forbid_much_else(corpus: Corpus) -> None:
    steps = sum(p.fidelity.num_steps for p in corpus.pieces)
    illegal = sum(p.fidelity.illegal_steps for p in corpus.pieces)
    assert illegal / steps < 0.02
    assert corpus.tradition.legal_step.mean() < 0.85
    assert np.mean([p.fidelity.num_violations == 0 for p in corpus.pieces]) > 0.75


def test_traditions_do_not_all_repeat_at_1200_cents(cache: Path) -> None:
    periods = {
        k: load_corpus(TraditionConfig(name=k, kind=k, num_works=20), 1, cache).tradition.tuning.period_cents
        for k in KINDS
    }
    assert periods == {"gamelan": 1225.0, "chinese": 1196.0, "panpipes": None}


def test_a_corpus_depends_on_the_seed_and_not_on_the_cache(cache: Path, tmp_path: Path) -> None:
    for kind in KINDS:
        config = TraditionConfig(name=kind, kind=kind, num_works=40)
        warm, cold = load_corpus(config, 5, cache), load_corpus(config, 5, tmp_path)
        other = load_corpus(config, 6, cache)
        hashes = [p.receipt.piece_sha256 for p in warm.pieces]
        assert hashes == [p.receipt.piece_sha256 for p in cold.pieces]
        assert warm.tradition.sha256() == cold.tradition.sha256()
        assert hashes != [p.receipt.piece_sha256 for p in other.pieces]


@pytest.mark.skipif(not essen_files(), reason="music21 is not installed")
def test_a_damaged_cache_file_is_read_anew(tmp_path: Path) -> None:
    config = TraditionConfig(name="chinese", kind="chinese", num_works=40)
    first = load_corpus(config, 5, tmp_path)
    (kept,) = tmp_path.glob("essen-*.npz")
    kept.write_bytes(b"cut off")
    again = load_corpus(config, 5, tmp_path)
    assert [p.title for p in first.pieces] == [p.title for p in again.pieces]


def test_without_music21_the_chinese_pieces_are_synthetic_and_say_so(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("heritage_models.traditions.chinese.essen_files", list)
    corpus = load_corpus(TraditionConfig(name="chinese", kind="chinese", num_works=30), 1, tmp_path)
    assert corpus.tradition.synthetic
    assert all(p.synthetic for p in corpus.pieces)
    assert ("Essen folk songs", "music21 is not installed") in corpus.left_out


def test_loading_does_not_import_music21_or_torch(cache: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from heritage_models.traditions import load_corpus\n"
        "from heritage_models.config import TraditionConfig\n"
        f"load_corpus(TraditionConfig(name='c', kind='chinese', num_works=20), 1, Path({str(cache)!r}))\n"
        "print(sorted({'music21', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_tuning_with_another_number_of_degrees_is_refused_for_the_notation(tmp_path: Path) -> None:
    config = TraditionConfig(name="chinese", kind="chinese", tuning="China_Bells")
    with pytest.raises(InputError, match="needs 7"):
        load_corpus(config, 1, tmp_path)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    config = TraditionConfig(name="g", kind="gamelan", min_notes=64, max_notes=64, num_works=3)
    with pytest.raises(InputError, match="empty"):
        load_corpus(config, 1, tmp_path)


def a_score(ticks: list[int], cycle: int, phrases: tuple[int, ...] = ()) -> Score:
    n = len(ticks)
    zero = np.zeros(n, dtype=np.int16)
    return Score("s", zero, zero, np.array(ticks, dtype=np.int32), np.zeros(n, dtype=np.int8), cycle, phrases)


def test_a_long_piece_is_cut_at_the_last_whole_cycle_that_fits() -> None:
    assert cut_to_cycles(a_score([2, 2, 4, 3, 1, 4, 4], 4), 6).num_notes == 6
    assert cut_to_cycles(a_score([2, 2, 4, 3, 1, 4, 4], 4), 4).num_notes == 3
    assert cut_to_cycles(a_score([2, 4, 4, 4], 4), 4).num_notes == 0


def test_a_cut_prefers_the_end_of_a_phrase_that_keeps_at_least_half() -> None:
    score = a_score([4] * 10, 4, phrases=(12, 24, 40))
    assert cut_to_cycles(score, 8).num_notes == 6
    assert cut_to_cycles(dataclasses.replace(score, phrase_ends_ticks=(8, 40)), 8).num_notes == 8


def test_steps_into_dead_ends_are_not_legal() -> None:
    counts = np.array([[0, 5, 5, 0], [5, 0, 0, 0], [0, 0, 0, 5], [0, 0, 0, 0]])
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, 1] = expected[1, 0] = True
    assert (legal_steps(counts, 2) == expected).all()


def test_a_scala_file_is_a_tradition_with_synthetic_melodies(tmp_path: Path) -> None:
    path = tmp_path / "mine.scl"
    path.write_text("mine\n5\n240.\n490.\n725.\n969.\n1225.\n")
    corpus = load_corpus(TraditionConfig(name="mine", kind="scl", path=str(path), num_works=25), 1, tmp_path)
    assert corpus.tradition.tuning.cents.tolist() == [0.0, 240.0, 490.0, 725.0, 969.0]
    assert corpus.tradition.synthetic
    assert len(corpus.pieces) == 25
    path.write_text("mine\n0\n")
    with pytest.raises(InputError, match="no notes") as caught:
        load_corpus(TraditionConfig(name="mine", kind="scl", path=str(path)), 1, tmp_path)
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "scl"},
        {"kind": "gamelan", "min_notes": 80, "max_notes": 64},
        {"kind": "gamelan", "ornament_quantiles": (0.9, 0.1)},
        {"kind": "gamelan", "num_wroks": 3},
    ],
)
def test_an_impossible_section_is_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        TraditionConfig(name="t", **fields)
