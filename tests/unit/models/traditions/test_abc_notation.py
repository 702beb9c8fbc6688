"""ABC, checked on hand-written tunes and on the number of songs in the bundled collection."""

from __future__ import annotations

from fractions import Fraction

import pytest

from heritage_models.traditions.abc_notation import AbcTune, read_tunes
from heritage_models.traditions.chinese import FINALIS, clean_title, essen_files, read_essen
from heritage_sim.base import REST

TUNE = """X:1
T: Hand made
M: 2/4
L: 1/16
K: G
G4A2^c2 | z4 g,4- | g,8
d4 d4 |]
"""


def only(text: str) -> AbcTune:
    ((_, tune),) = read_tunes(text)
    assert isinstance(tune, AbcTune), tune
    return tune


def test_degrees_are_counted_from_the_tonic_and_octaves_by_seven() -> None:
    notes = [n for bar in only(TUNE).bars for n in bar]
    assert [n.step for n in notes] == [0, 1, 3, None, 0, 4, 4]
    assert [n.altered for n in notes] == [False, False, True, False, False, False, False]


def test_a_tie_makes_one_note_that_stays_in_its_first_bar() -> None:
    tune = only(TUNE)
    assert [n.length for n in tune.bars[1]] == [Fraction(1, 4), Fraction(3, 4)]
    assert tune.bars[2] == ()
    assert tune.bar_lengths == (Fraction(1, 2),) * 4


def test_line_ends_are_phrase_ends() -> None:
    assert only(TUNE).line_ends == (3, 4)


@pytest.mark.parametrize("bad", ["K: H\nG4|", "K: G\n(3GAB|", "K: G\n[GB]4|"])
def test_what_is_not_understood_is_reported(bad: str) -> None:
    ((_, reason),) = read_tunes(f"X:1\nT: t\nM: 2/4\nL: 1/16\n{bad}\n")
    assert isinstance(reason, str)
    assert "not understood" in reason


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Da nangoucha, Weggabelung)", "Da nangoucha (Weggabelung)"),
        (
            "Xiu hua deng]                   , Blumen auf d. Lampe sticken)",
            "Xiu hua deng (Blumen auf d. Lampe sticken)",
        ),
        ("Siji ge(Lied der Jahrezeiten)", "Siji ge (Lied der Jahrezeiten)"),
        ("Mai cai  vgl. Kopie)", "Mai cai vgl. Kopie"),
        ("Kua n\x81xu, prahlende Schwiegertochter", "Kua nüxu, prahlende Schwiegertochter"),
        ("Huaishu kaihua", "Huaishu kaihua"),
    ],
)
def test_what_the_conversion_did_to_titles_is_put_right(written: str, title: str) -> None:
    assert clean_title(written) == title


@pytest.mark.skipif(not essen_files(), reason="music21 is not installed")
def test_every_title_of_the_collection_is_printable_and_its_brackets_close() -> None:
    scores, left_out = read_essen(essen_files())
    titles = [s.title for s in scores] + [t for t, _ in left_out]
    assert all(t.isprintable() and t == t.strip() and "  " not in t for t in titles)
    assert all(t.count("(") == t.count(")") and "]" not in t for t in titles)


@pytest.mark.skipif(not essen_files(), reason="music21 is not installed")
def test_the_bundled_collection_has_1224_chinese_songs_and_each_is_used_or_has_a_reason() -> None:
    scores, left_out = read_essen(essen_files())
    assert len(scores) + len(left_out) == 1224
    assert len(scores) > 300
    assert all(reason for _, reason in left_out)
    assert FINALIS == 4  # zhi mode is the commonest: more tunes end on the fifth degree than on any other
    endings = [r for _, r in left_out if r.startswith("ends on degree")]
    assert max(endings.count(r) for r in set(endings)) < len(scores)


@pytest.mark.skipif(not essen_files(), reason="music21 is not installed")
def test_a_known_song_has_its_notated_degrees() -> None:
    scores, _ = read_essen(essen_files())
    song = next(s for s in scores if s.title == "Renmin gongshe shizai hao" or s.title == "Huaishu kaihua")
    # Huaishu kaihua, K: C, ends on G: c2A2G4 | c4d4 | e2edc2e2 ...: counted from G, c = 3, A = 1, G = 0
    assert song.title == "Huaishu kaihua"
    assert song.degree[:5].tolist() == [3, 1, 0, 3, 4]
    assert song.duration_ticks[:5].tolist() == [2, 2, 4, 4, 4]
    assert REST not in song.degree.tolist()
