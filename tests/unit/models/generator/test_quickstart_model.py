"""The model at the settings a first run trains it with: slow, and the only place where its quality is held to a bar."""

import time

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("music21")

from heritage_models.config import GeneratorConfig, TraditionConfig
from heritage_models.generator import make_generator, make_transformer
from heritage_models.generator.requests import Sources
from heritage_models.traditions import load_corpus
from heritage_sim.base import Commission

pytestmark = pytest.mark.slow
NAMES = ("gamelan", "chinese", "panpipes")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def corpora(cache):
    return {k: load_corpus(TraditionConfig(name=k, kind=k), 20260101, cache) for k in NAMES}


@pytest.fixture(scope="module")
def asked(corpora):
    return [Commission(f"r{i}", *key) for i, key in enumerate(Sources(corpora, 1).keys())]


def arm(corpora, cache, asked, **change):
    generator = make_transformer(GeneratorConfig(kind="transformer", **change), corpora, 7, cache)
    return generator, generator.compose(asked)


@pytest.fixture(scope="module")
def constrained(corpora, cache, asked):
    return arm(corpora, cache, asked)


def test_it_beats_counting_on_held_out_pieces_of_every_tradition(constrained):
    record = constrained[0].checkpoint.record
    assert record.held_out_pieces > 30
    assert set(record.nll_by_tradition) == set(NAMES)
    for network, ngram in record.nll_by_tradition.values():
        assert network < ngram - 0.2
    assert record.nll_conditioned < record.nll_unconditioned < record.nll_ngram


def test_masks_leave_no_violation_and_cost_little_of_the_learnt_law(corpora, cache, asked, constrained):
    generator, pieces = constrained
    assert sum(p.fidelity.num_violations for p in pieces) == 0
    assert generator.engine.dead_ends == 0
    assert len({p.receipt.piece_sha256 for p in pieces}) == len(pieces)
    free, loose = arm(corpora, cache, asked, masks=False)
    assert np.mean([p.fidelity.num_violations for p in loose]) > 0.1
    keys = [(c.tradition, c.source, c.take) for c in asked]
    shift = np.mean([generator.own_nll(k) - free.own_nll(k) for k in keys])
    assert abs(shift) < 0.15  # nats per event


def test_what_is_told_nothing_breaks_rules_in_every_tradition(corpora, cache, asked):
    _, pieces = arm(corpora, cache, asked, masks=False, conditioning=False)
    for name in NAMES:
        assert np.mean([p.fidelity.num_violations for p in pieces if p.tradition == name]) > 0.5


def test_pieces_are_not_copies_of_the_archive(corpora, constrained):
    """Past the quoted opening, runs of eight events are as rare in the archive as between its own works."""
    for name in NAMES:
        archive = [events(p) for p in corpora[name].pieces]
        owners = {}
        for i, e in enumerate(archive):
            for run in runs(e, 0):
                owners.setdefault(run, set()).add(i)
        between = np.mean([np.mean([len(owners[r]) > 1 for r in runs(e, 8)]) for e in archive if len(e) > 16])
        made = [events(p) for p in constrained[1] if p.tradition == name]
        copied = np.mean([np.mean([r in owners for r in runs(e, 8)]) for e in made if len(e) > 16])
        assert copied < between + 0.05


def events(piece):
    n = piece.notes
    return list(zip(n.degree.tolist(), n.period.tolist(), n.duration_ticks.tolist(), strict=True))


def runs(e, first):
    return [tuple(e[i : i + 8]) for i in range(first, len(e) - 7)]


def test_a_pool_is_read_in_under_a_second(corpora, cache, asked):
    config = GeneratorConfig(kind="pool", takes=2)
    make_generator(config, corpora, 7, cache)
    begin = time.process_time()
    pool = make_generator(config, corpora, 7, cache)
    pieces = pool.compose(asked)
    assert time.process_time() - begin < 1.0
    assert pool.num_pieces == 1320
    assert sum(p.fidelity.num_violations for p in pieces) == 0
