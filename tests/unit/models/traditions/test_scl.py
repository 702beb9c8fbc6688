"""Scala files, checked against published values and hand-written irregular ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heritage_models.traditions.scl import as_tuning, read_scl, scale_remarks
from heritage_models.traditions.tunings import from_degree, library_folder, measured_tuning
from heritage_sim.base import InputError


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "test.scl"
    path.write_bytes(text.encode(encoding))
    return path


def test_harjawinangun_has_its_published_cents_and_its_stretched_period() -> None:
    tuning = measured_tuning("Indonesia_Harjawinangun", "tuning")
    assert tuning.cents.tolist() == [0.0, 240.0, 490.0, 725.0, 969.0]
    assert tuning.period_cents == 1225.0
    assert tuning.measured


def test_nasca_pipes_do_not_repeat() -> None:
    tuning = measured_tuning("Peru_Panpipes_26", "tuning")
    assert tuning.cents.tolist() == [0.0, 305.0, 513.0, 691.0, 976.0, 1149.0, 1303.0]
    assert tuning.period_cents is None
    assert tuning.sounding([6], [0]).tolist() == [1303.0]


def test_sikura_has_sixteen_written_notes_up_to_2710_cents() -> None:
    scale = read_scl(library_folder() / "Bolivia_Sikura_01.scl")
    assert scale.pitches_cents.size == 16
    assert scale.pitches_cents[-1] == 2710.0


def test_every_measured_tuning_of_the_library_is_read() -> None:
    paths = sorted(library_folder().glob("*.scl"))
    tunings = [as_tuning(read_scl(p), str(p)) for p in paths]
    assert len(tunings) == 424
    assert all(t.cents[0] == 0.0 and (np.diff(t.cents) > 0).all() for t in tunings)


def test_ratios_cents_with_a_unit_comments_and_latin_1_are_read(tmp_path: Path) -> None:
    text = "! test.scl\n!\nGamme de José\n 5 notes\n!\n 9/8 a tone\n222.974 cents\n! a comment\n 3/2\n 900.\n 2\n"
    scale = read_scl(written(tmp_path, text, "latin-1"))
    assert scale.description == "Gamme de José"
    np.testing.assert_allclose(scale.pitches_cents, [203.910, 222.974, 701.955, 900.0, 1200.0], atol=5e-4)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    scale = read_scl(written(tmp_path, "! comment\nfifth\n2\n 3/2\n 2/1\n", "utf-8-sig"))
    assert (scale.description, scale.comments) == ("fifth", ("comment",))


def test_pitches_are_put_in_order_and_taken_once(tmp_path: Path) -> None:
    path = written(tmp_path, "unordered\n4\n700.\n200.\n200.\n1200.\n")
    assert as_tuning(read_scl(path), str(path)).cents.tolist() == [0.0, 200.0, 700.0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("only a description\n", 1),
        ("no notes\n0\n", 2),
        ("! c\nmissing\n3\n100.\n200.\n", 3),
        ("no count\nmany\n100.\n", 2),
        ("not a pitch\n2\n100.\nabc\n", 4),
        ("zero\n1\n3/0\n", 3),
        (f"as many notes as no number holds\n1{'0' * 400}\n", 2),
        (f"far too high\n2\n100.\n1{'0' * 5000}/3\n", 4),
        ("far too low\n1\n-24001.0\n", 3),
        ("cents without their point\n3\n240\n690\n1225\n", 3),
    ],
)
def test_a_bad_tuning_is_refused_with_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_scl(path)
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.remedy


def test_a_whole_number_is_a_ratio_up_to_five_octaves_and_beyond_only_with_a_slash(tmp_path: Path) -> None:
    read = read_scl(written(tmp_path, "harmonics\n4\n3\n32\n33/1\n690.\n")).pitches_cents
    np.testing.assert_allclose(read, [1901.955, 6000.0, 6053.273, 690.0], atol=5e-4)
    with pytest.raises(InputError, match="690/1") as caught:
        read_scl(written(tmp_path, "cents without their point\n2\n2\n690\n"))
    assert caught.value.where.endswith("test.scl:4")
    assert "690. with a point" in caught.value.remedy


@pytest.mark.parametrize(
    ("pitches", "said"),
    [
        ("240. 490. 725. 969. 1225.", []),
        ("240. 725. 490. 969. 1225.", ["490 cents stands after 725"]),
        ("0. 240. 240. 1225.", ["at or below the first degree (0 cents) were left out: 1", "more than once"]),
        ("300. 700. 1500.", ["does not repeat: its highest pitch, 1500 cents"]),
    ],
)
def test_what_was_changed_or_assumed_of_a_scale_is_said(tmp_path: Path, pitches: str, said: list[str]) -> None:
    lines = pitches.split()
    scale = read_scl(written(tmp_path, "\n".join(["scale", str(len(lines)), *lines]) + "\n"))
    remarks = scale_remarks(scale, as_tuning(scale, "here"))
    assert len(remarks) == len(said)
    assert all(part in remark for part, remark in zip(said, remarks, strict=True))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_scl(tmp_path / "nothing.scl")


def test_an_unknown_tuning_suggests_near_names() -> None:
    with pytest.raises(InputError) as caught:
        measured_tuning("Indonesia_Harjawinagun", "traditions: g: tuning")
    assert "Indonesia_Harjawinangun" in caught.value.remedy


def test_another_finalis_keeps_every_interval_between_neighbours() -> None:
    tuning = measured_tuning("China_Ti-tsu", "tuning")
    turned = from_degree(tuning, 4)
    around = np.diff(np.append(tuning.cents, tuning.period_cents))
    np.testing.assert_allclose(np.diff(np.append(turned.cents, turned.period_cents)), np.roll(around, -4))
    assert turned.cents[0] == 0.0
