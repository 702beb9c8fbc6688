"""Pieces and commissions survive the journey as plain data, through JSON, bit for bit."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from heritage_serving.codec import (
    commission_from_plain,
    commission_to_plain,
    notes_from_plain,
    notes_to_plain,
    piece_from_plain,
    piece_to_plain,
)
from heritage_sim.base import REST, Commission, Fidelity, InputError, Intent, Notes, Origin, Piece, Receipt


def piece() -> Piece:
    notes = Notes(
        degree=np.array([0, REST, 2], np.int16),
        period=np.array([0, 0, -1], np.int16),
        duration_ticks=np.array([2, 1, 5], np.int32),
        ornament=np.array([0, 0, 1], np.int8),
        cents=np.array([0.1 + 0.2, np.nan, -713.000001], np.float64),
        ticks_per_cycle=8,
        tick_s=1.0 / 3.0,
    )
    fidelity = Fidelity(1, np.int64(0), 1, 0, 0.5, np.bool_(False), 1.25, float("nan"), 0.9)  # type: ignore[arg-type]
    receipt = Receipt("r-1", 2**53 - 1, "ab", notes.sha256(), ("cd", "ef"))
    return Piece(notes, "gamelan", "Synthetic 1", Origin.GENERATED, True, fidelity, receipt)


def test_a_piece_keeps_its_content_hash_through_json():
    there = piece()
    back = piece_from_plain(json.loads(json.dumps(piece_to_plain(there), allow_nan=False)))
    assert back.notes.sha256() == there.notes.sha256()
    assert back.notes.cents[0] == there.notes.cents[0]
    assert (back.receipt, back.origin, back.title, back.synthetic) == (
        there.receipt, there.origin, there.title, there.synthetic,
    )  # fmt: skip


def test_what_was_not_measured_stays_not_measured():
    back = piece_from_plain(json.loads(json.dumps(piece_to_plain(piece()), allow_nan=False)))
    assert math.isnan(back.fidelity.nll_nats)
    assert back.fidelity.consistency == 0.9


def test_notes_keep_their_types():
    there = piece().notes
    back = notes_from_plain(notes_to_plain(there))
    for name in ("degree", "period", "duration_ticks", "ornament", "cents"):
        assert getattr(back, name).dtype == getattr(there, name).dtype


def test_a_commission_comes_back_as_it_went():
    there = Commission("r-1", "gamelan", "ab", 3, Intent.RECORD)
    assert commission_from_plain(json.loads(json.dumps(commission_to_plain(there)))) == there


@pytest.mark.parametrize(
    "change",
    [
        {"take": -1},
        {"take": 1.5},
        {"take": True},
        {"source": None},
        {"intent": "SING"},
        {"prompt": "x"},
    ],
)
def test_a_wrong_commission_is_refused_by_key(change: dict):
    plain = {**commission_to_plain(Commission("r-1", "gamelan", "ab", 3)), **change}
    with pytest.raises(InputError, match=next(iter(change))) as caught:
        commission_from_plain(plain, "commissions[4]")
    assert caught.value.where == "commissions[4]"
    assert caught.value.remedy
