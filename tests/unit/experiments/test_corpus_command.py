"""``heritage corpus`` and ``heritage generate`` on a user's own tuning: what a person is told, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from heritage_experiments.cli import corpus, music
from heritage_sim.base import InputError

SCORE_HEADER = "Sira\tKod\tNota53\tNotaAE\tKoma53\tKomaAE\tPay\tPayda\tMs\tLNS\tBas\tSoz1\tOffset\n"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERITAGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "cache"))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(corpus.app, list(map(str, arguments)), catch_exceptions=False)


def tuning_file(folder: Path, pitches: str) -> Path:
    lines = pitches.split()
    path = folder / "own.scl"
    path.write_text("\n".join(["own", str(len(lines)), *lines]) + "\n")
    return path


def score_file(path: Path, commas: range, usul: int) -> None:
    rows = [(51, -1, usul, 4), *((9, 305 + comma, 1, 4) for comma in commas)]
    lines = [f"{i}\t{kod}\tx\tx\t{koma}\t{koma}\t{a}\t{b}\t0\t0\t0\t\t0" for i, (kod, koma, a, b) in enumerate(rows)]
    path.write_text(SCORE_HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def test_an_import_of_scores_says_how_many_a_run_uses_and_why_not_the_others(tmp_path: Path) -> None:
    scores = tmp_path / "scores"
    scores.mkdir()
    for i in range(3):
        score_file(scores / f"s{i}.txt", range(0, 16 * (i + 1), i + 1), 4)
    score_file(scores / "short.txt", range(4), 4)
    told = call("import", "symbtr", scores, "--name", "mine").stdout
    assert "imported 4 scores with 52 notes and rests" in told
    assert "a run uses 3 of 4 pieces by default (num_works: 220)" in told
    assert "     1  no 16 to 64 notes and rests in whole cycles (min_notes, max_notes)" in told
    again = json.loads(call("import", "symbtr", scores, "--name", "mine", "--replace", "--json").stdout)
    assert again["replaced"] is True
    assert again["default_run"]["num_used"] == 3
    assert again["default_run"]["not_used"][0]["num"] == 1


def test_an_import_that_no_run_can_use_says_so(tmp_path: Path) -> None:
    score_file(tmp_path / "short.txt", range(4), 4)
    told = call("import", "symbtr", tmp_path / "short.txt", "--name", "mine").stdout
    assert "imported 1 score with 4 notes" in told
    assert "a run cannot use it as it is" in told


def test_an_import_of_a_tuning_out_of_order_says_so(tmp_path: Path) -> None:
    told = call("import", "tunings", tuning_file(tmp_path, "240. 725. 490. 1225."), "--name", "mine").stdout
    assert "imported 1 tuning to" in told
    assert "own.scl: its pitches do not ascend" in told


def test_a_tradition_is_shown_with_units_and_with_what_is_not_used_of_it(tmp_path: Path) -> None:
    call("import", "tunings", tuning_file(tmp_path, "300. 700. 1500."), "--name", "mine")
    shown = " ".join(call("show", "mine", "--num-works", 20).stdout.split())
    assert "degrees [cents] 0.0, 300.0, 700.0, 1500.0 period [cents] none: the tuning does not repeat" in shown
    assert "tuning was measured no" in shown
    assert "works, synthetic 20" in shown
    scores = tmp_path / "scores"
    scores.mkdir()
    for i in range(4):
        score_file(scores / f"s{i}.txt", range(0, 16 * (i + 1), i + 1), 4)
    call("import", "symbtr", scores, "--name", "notated")
    shown = call("show", "notated", "--num-works", 3).stdout
    assert "1  usable, but num_works is 3: not drawn; the first: s" in shown


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = tuning_file(tmp_path, "240. 490. 1225.")
    call("import", "tunings", path, "--name", "mine")
    with pytest.raises(InputError, match="left as it is"):
        call("import", "tunings", path, "--name", "mine")
    assert "replaced" in call("import", "tunings", path, "--name", "mine", "--replace").stdout


def test_a_tuning_too_high_to_sound_is_refused_by_its_name(tmp_path: Path) -> None:
    call("import", "tunings", tuning_file(tmp_path, "690/1 700/1 725/1"), "--name", "high")
    out = tmp_path / "pieces"
    with pytest.raises(InputError, match="too high") as caught:
        music.generate("high", num=1, out=out, sets=["generator.kind=archive"])
    assert caught.value.where == "tradition 'high', tuning 'own'"
    assert "heritage corpus show high" in caught.value.remedy
    assert not out.exists()
