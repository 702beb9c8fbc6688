"""A performance keeps every rule, keeps the melody, and is the same whenever it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from heritage_models.config import TraditionConfig
from heritage_models.performance import MAX_DEVIATION_CENTS, Performer
from heritage_models.traditions import load_corpus
from heritage_models.traditions.imported import import_symbtr
from heritage_sim.base import Commission, GenerationError, Generator, Intent, Origin

SYMBTR = Path(__file__).resolve().parents[4] / "shared" / "data" / "symbtr" / "txt"
SEED = 21


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    configs = [TraditionConfig(name=k, kind=k, num_works=80) for k in ("gamelan", "chinese", "panpipes")]
    if SYMBTR.is_dir():
        import_symbtr(SYMBTR, "makam", folder)
        where = os.fspath(folder / "traditions" / "makam")
        configs.append(TraditionConfig(name="makam", kind="imported", path=where, num_works=80))
    return {c.name: load_corpus(c, SEED, folder) for c in configs}


@pytest.fixture(scope="module")
def commissions(corpora) -> list[Commission]:
    return [
        Commission(f"{i}-{take}", name, p.receipt.piece_sha256, take, Intent.RECORD)
        for name, corpus in corpora.items()
        for i, p in enumerate(corpus.pieces)
        for take in (0, 1)
    ]


@pytest.fixture(scope="module")
def played(corpora, commissions):
    return Performer(corpora, SEED).compose(commissions)


def test_it_is_a_generator_without_a_model(corpora) -> None:
    performer = Performer(corpora, SEED)
    assert isinstance(performer, Generator)
    assert performer.checkpoint_sha256 == ""


def test_every_performance_keeps_every_rule_even_where_its_source_does_not(corpora, played) -> None:
    broken = [p for c in corpora.values() for p in c.pieces if p.fidelity.illegal_steps or p.fidelity.cycle_violations]
    assert broken  # so that the test can fail
    assert [p.title for p in played if p.fidelity.num_violations] == []
    for p in played:
        tradition = corpora[p.tradition].tradition
        assert set(p.notes.duration_ticks.tolist()) <= set(tradition.durations_ticks)


def test_pitch_departs_from_the_instrument_by_a_bounded_amount(corpora, played) -> None:
    departures = []
    for p in played:
        exact = corpora[p.tradition].tradition.tuning.sounding(p.notes.degree, p.notes.period)
        departures.append((p.notes.cents - exact)[p.notes.degree >= 0])
        assert np.isnan(p.notes.cents[p.notes.degree < 0]).all()
    together = np.concatenate(departures)
    assert np.abs(together).max() <= MAX_DEVIATION_CENTS + 1e-9
    assert 3.0 < together.std() < 4.5


def test_the_melody_and_the_time_are_those_of_the_source(corpora, commissions, played) -> None:
    sources = {p.receipt.piece_sha256: p for c in corpora.values() for p in c.pieces}
    for commission, p in zip(commissions, played, strict=True):
        source = sources[commission.source]
        assert p.notes.duration_ticks.sum() == source.notes.duration_ticks.sum()
        if not source.fidelity.illegal_steps and not source.fidelity.cycle_violations:
            np.testing.assert_array_equal(p.notes.degree, source.notes.degree)
            np.testing.assert_array_equal(p.notes.period, source.notes.period)
        else:
            kept = p.notes.degree[p.notes.degree >= 0] == source.notes.degree[source.notes.degree >= 0]
            assert kept.mean() > 0.7


def test_takes_differ_and_receipts_name_what_was_played(commissions, played) -> None:
    for i in range(0, len(played), 2):
        assert played[i].receipt.piece_sha256 != played[i + 1].receipt.piece_sha256
    for commission, p in zip(commissions, played, strict=True):
        assert p.receipt.request_id == commission.request_id
        assert p.receipt.sources == (commission.source,)
        assert p.receipt.piece_sha256 == p.notes.sha256()
        assert (p.origin, p.synthetic) == (Origin.HUMAN, True)


def test_the_same_request_is_the_same_performance_in_any_batch_and_another_for_another_seed(
    corpora, commissions, played
) -> None:
    again = Performer(corpora, SEED)
    backwards = again.compose(commissions[::-1])[::-1]
    assert [p.receipt.piece_sha256 for p in backwards] == [p.receipt.piece_sha256 for p in played]
    other = Performer(corpora, SEED + 1).compose(commissions[:1])[0]
    assert other.receipt.piece_sha256 != played[0].receipt.piece_sha256


def test_an_unknown_source_or_tradition_is_refused(corpora) -> None:
    performer = Performer(corpora, SEED)
    with pytest.raises(GenerationError, match="no work"):
        performer.compose([Commission("r", "gamelan", "0" * 64, 0, Intent.RECORD)])
    with pytest.raises(GenerationError, match="no tradition"):
        performer.compose([Commission("r", "opera", "0" * 64, 0, Intent.RECORD)])
