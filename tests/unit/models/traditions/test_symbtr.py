"""SymbTr, checked against the collection's published counts and hand-written rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heritage_models.config import TraditionConfig
from heritage_models.traditions import load_corpus
from heritage_models.traditions.archive_use import archive_use
from heritage_models.traditions.imported import import_symbtr, import_tunings, load_imported
from heritage_models.traditions.symbtr import TICKS_PER_WHOLE, comma_tuning, read_rows, scores_of
from heritage_sim.base import REST, InputError

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "symbtr" / "txt"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the SymbTr scores are not on this machine")
HEADER = "Sira\tKod\tNota53\tNotaAE\tKoma53\tKomaAE\tPay\tPayda\tMs\tLNS\tBas\tSoz1\tOffset"


def score_file(folder: Path, rows: list[tuple[int, int, int, int]], name: str = "a--b--c--d--e.txt") -> Path:
    lines = [
        f"{i}\t{kod}\tx\tx\t{koma}\t{koma}\t{pay}\t{payda}\t0\t0\t0\t\t0.0"
        for i, (kod, koma, pay, payda) in enumerate(rows, 1)
    ]
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


USUL = (51, 0, 4, 4)


def test_degrees_are_commas_above_the_last_sounding_note(tmp_path: Path) -> None:
    rows = [USUL, (9, 318, 1, 4), (9, 296, 1, 4), (9, -1, 1, 4), (9, 305, 1, 4), (9, -1, 4, 4)]
    (score,) = scores_of(read_rows(score_file(tmp_path, rows)), "t")
    assert score.degree.tolist() == [13, 44, REST, 0, REST]
    assert score.period.tolist() == [0, -1, 0, 0, 0]
    assert score.ticks_per_cycle == TICKS_PER_WHOLE
    np.testing.assert_allclose(comma_tuning().sounding([44], [-1]), [-9 * 1200 / 53])


def test_a_grace_note_ornaments_the_note_that_follows_and_takes_no_time(tmp_path: Path) -> None:
    rows = [USUL, (8, 310, 0, 0), (9, 305, 1, 2), (12, 305, 1, 4), (9, 305, 1, 4)]
    (score,) = scores_of(read_rows(score_file(tmp_path, rows)), "t")
    assert score.ornament.tolist() == [1, 4, 0]
    assert score.duration_ticks.sum() == TICKS_PER_WHOLE


def test_a_change_of_usul_begins_a_new_score_and_keeps_every_note(tmp_path: Path) -> None:
    rows = [USUL, (9, 305, 1, 1), (51, 0, 9, 8), (9, 314, 9, 8), (51, 0, 9, 8), (9, 305, 9, 8)]
    first, second = scores_of(read_rows(score_file(tmp_path, rows)), "t")
    assert (first.num_notes, second.num_notes) == (1, 2)
    assert (first.ticks_per_cycle, second.ticks_per_cycle) == (192, 216)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(9, 305, 1, 4)], "no usul"),
        ([USUL, (9, -1, 1, 4)], "no sounding notes"),
        ([USUL, (9, 305, 1, 7)], "off the grid"),
        ([USUL, (36, 305, 1, 4)], "Kod 36"),
        ([(51, 0, 0, 4), (9, 305, 1, 4)], "no length"),
    ],
)
def test_a_score_that_cannot_be_read_says_why(tmp_path: Path, rows: list, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        scores_of(read_rows(score_file(tmp_path, rows)), "t")


def test_a_corrupt_row_is_refused_with_its_line(tmp_path: Path) -> None:
    path = score_file(tmp_path, [USUL, (9, 305, 1, 4)])
    path.write_text(path.read_text(encoding="utf-8") + "3\t9\tcut off", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert caught.value.where == f"{path}:4"


def test_a_corrupt_score_is_listed_and_does_not_stop_the_import(tmp_path: Path) -> None:
    source = tmp_path / "scores"
    source.mkdir()
    score_file(source, [USUL, (9, 305, 1, 4), (9, 314, 3, 4)], "good.txt")
    (source / "bad.txt").write_bytes(b"\xff\xfe\x00nonsense")
    summary = import_symbtr(source, "mine", tmp_path / "data")
    assert summary.num_read == 1
    assert [name for name, _ in summary.left_out] == ["bad.txt"]


def test_an_import_without_a_readable_score_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "scores"
    source.mkdir()
    with pytest.raises(InputError, match="empty"):
        import_symbtr(source, "mine", tmp_path / "data")
    (source / "bad.txt").write_text("nonsense")
    (source / "worse.txt").write_text("nonsense")
    with pytest.raises(InputError, match="empty"):
        import_symbtr(source, "mine", tmp_path / "data")
    with pytest.raises(InputError, match="no such file"):
        import_symbtr(tmp_path / "nowhere", "mine", tmp_path / "data")
    with pytest.raises(InputError, match="name"):
        import_symbtr(source, "../mine", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_score_given_alone_is_refused_with_its_file_and_line(tmp_path: Path) -> None:
    path = score_file(tmp_path, [USUL, (9, 305, 1, 4), (99, 305, 1, 4)])
    unknown = path.read_bytes()
    cases = [
        (unknown, 4, "Kod 99"),
        (unknown.replace(b"2\t9\t", b"2\tx\t"), 3, "no number"),
        (unknown.replace(b"x\tx", b"\xfc\tx"), 2, "not UTF-8"),
        (unknown.decode().encode("utf-16"), 1, "not UTF-8"),
        (unknown[:-20], 4, "columns"),
    ]
    for content, line, reason in cases:
        path.write_bytes(content)
        with pytest.raises(InputError, match=reason) as caught:
            import_symbtr(path, "mine", tmp_path / "data")
        assert caught.value.where == f"{path}:{line}"
        assert caught.value.exit_code == 2
    assert not (tmp_path / "data").exists()


def test_a_tradition_that_was_not_imported_or_is_damaged_is_refused(tmp_path: Path) -> None:
    config = TraditionConfig(name="mine", kind="imported", path=str(tmp_path / "mine"))
    with pytest.raises(InputError, match="no imported tradition"):
        load_imported(config, 1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tradition.json").write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        load_imported(config, 1)


def test_imported_tunings_sound_synthetic_melodies_and_can_be_chosen(tmp_path: Path, monkeypatch) -> None:
    source = tmp_path / "tunings"
    source.mkdir()
    (source / "b.scl").write_text("b\n5\n240.\n490.\n725.\n969.\n1225.\n")
    (source / "a.scl").write_text("a\n3\n300.\n700.\n1500.\n")
    (source / "c.scl").write_text("without notes\n0\n")
    summary = import_tunings(source, "mine", tmp_path / "data")
    assert (summary.num_read, [n for n, _ in summary.left_out]) == (2, ["c.scl"])
    monkeypatch.setenv("HERITAGE_DATA", str(tmp_path / "data"))
    config = TraditionConfig(name="mine", kind="imported", num_works=20)
    first = load_corpus(config, 1, tmp_path)
    assert first.tradition.tuning.period_cents is None
    other = load_corpus(config.model_copy(update={"tuning": "b"}), 1, tmp_path)
    assert other.tradition.tuning.period_cents == 1225.0
    assert all(p.synthetic for p in other.pieces)
    with pytest.raises(InputError, match="no tuning"):
        load_corpus(config.model_copy(update={"tuning": "z"}), 1, tmp_path)


def test_an_import_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    score_file(tmp_path, [USUL, (9, 305, 1, 4), (9, 314, 3, 4)], "score.txt")
    (tmp_path / "a.scl").write_text("a\n2\n700.\n1200.\n")
    data = tmp_path / "data"
    assert not import_symbtr(tmp_path / "score.txt", "mine", data).replaced
    before = (data / "traditions" / "mine" / "tradition.json").read_bytes()
    with pytest.raises(InputError, match="left as it is") as caught:
        import_tunings(tmp_path / "a.scl", "mine", data)
    assert "--replace" in caught.value.remedy
    assert (data / "traditions" / "mine" / "tradition.json").read_bytes() == before
    assert import_tunings(tmp_path / "a.scl", "mine", data, replacing=True).replaced
    assert not (data / "traditions" / "mine" / "scores.npz").exists()
    with pytest.raises(InputError, match="built-in"):
        import_tunings(tmp_path / "a.scl", "gamelan", data)


@needs_data
def test_every_piece_of_an_import_is_used_or_has_a_reason(tmp_path: Path, monkeypatch) -> None:
    summary = import_symbtr(DATA, "makam", tmp_path)
    monkeypatch.setenv("HERITAGE_DATA", str(tmp_path))
    for num_works in (50, 220, 1000):
        use = archive_use(TraditionConfig(name="makam", kind="imported", num_works=num_works))
        assert use.num_used == min(num_works, use.num_most)
        assert use.num_used + sum(num for _, num in use.not_used) == summary.num_pieces > summary.num_read
    corpus = load_corpus(TraditionConfig(name="makam", kind="imported"), 3, tmp_path)
    assert len(corpus.pieces) + len(corpus.left_out) == summary.num_pieces


@needs_data
def test_all_402_pieces_are_read_with_their_published_counts() -> None:
    files = sorted(DATA.glob("*.txt"))
    rows = [read_rows(f) for f in files]
    kod = np.concatenate([r.kod for r in rows])
    koma = np.concatenate([r.koma53 for r in rows])
    assert len(files) == 402
    assert int((kod == 9).sum()) == 148_703
    assert kod.size == 157_347
    assert int(((koma >= 0) & ~np.isin(kod, [51, 53, 54, 55])).sum()) == 151_629


@needs_data
def test_time_adds_up_to_the_offsets_that_the_scores_state() -> None:
    for path in sorted(DATA.glob("*.txt"))[::8]:
        rows = read_rows(path)
        if len(set(zip(rows.pay[rows.kod == 51], rows.payda[rows.kod == 51], strict=True))) > 1:
            continue
        (score,) = scores_of(rows, path.stem)
        cycles = score.duration_ticks.sum() / score.ticks_per_cycle
        assert cycles == pytest.approx(rows.offset[rows.payda > 0][-1], abs=0.02), path.name


@needs_data
def test_an_imported_makam_tradition_keeps_every_note_and_loads_in_whole_cycles(tmp_path: Path, monkeypatch) -> None:
    summary = import_symbtr(DATA, "makam", tmp_path)
    # rows that last, by kind: 9, 10, 11, 1, 7, 12, 23, 24, 4, 32, 44
    assert summary.num_notes == 148_703 + 1_221 + 1_187 + 1_136 + 807 + 711 + 174 + 150 + 116 + 28 + 13
    assert (summary.num_read, summary.left_out) == (402, ())
    monkeypatch.setenv("HERITAGE_DATA", str(tmp_path))
    corpus = load_corpus(TraditionConfig(name="makam", kind="imported", num_works=200), 3, tmp_path)
    assert len(corpus.pieces) == 200
    assert not any(p.synthetic for p in corpus.pieces)
    for piece in corpus.pieces:
        assert piece.notes.duration_ticks.sum() % piece.notes.ticks_per_cycle == 0
        assert 16 <= piece.notes.num_notes <= 64
