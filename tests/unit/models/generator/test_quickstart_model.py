"""The model at the settings a first run trains it with: slow, and the only place where its quality is held to a bar."""

import time

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("music21")

from heritage_models.config import GeneratorConfig, TraditionConfig
from heritage_models.generator import make_generator, make_transformer, train
from heritage_models.generator.requests import Sources
from heritage_models.traditions import load_corpus
from heritage_sim.base import Commission

pytestmark = pytest.mark.slow
NAMES = ("gamelan", "chinese", "panpipes")
SEED = 20260101


@pytest.fixture(scope="module")
def corpora(quickstart_cache):
    return {k: load_corpus(TraditionConfig(name=k, kind=k), SEED, quickstart_cache) for k in NAMES}


@pytest.fixture(scope="module")
def asked(corpora):
    return [Commission(f"r{i}", *key) for i, key in enumerate(Sources(corpora, 1).keys())]


def pool(corpora, cache, **change):
    """Return an arm's pool; the quickstart's other slow tests have the same ones."""
    return make_generator(GeneratorConfig(kind="pool", **change), corpora, SEED, cache)


@pytest.fixture(scope="module")
def constrained(corpora, quickstart_cache, asked):
    return pool(corpora, quickstart_cache).compose(asked)


def in_process(corpora, cache, asked, **change):
    generator = make_transformer(GeneratorConfig(kind="transformer", **change), corpora, SEED, cache)
    return generator, generator.compose(asked)


def test_it_beats_counting_on_held_out_pieces_of_every_tradition(corpora, quickstart_cache):
    record = train(GeneratorConfig(), corpora, quickstart_cache)
    assert record.held_out_pieces > 30
    assert set(record.nll_by_tradition) == set(NAMES)
    for network, ngram in record.nll_by_tradition.values():
        assert network < ngram - 0.2
    assert record.nll_conditioned < record.nll_unconditioned < record.nll_ngram


def test_masks_leave_no_violation_and_cost_little_of_the_learnt_law(corpora, quickstart_cache, asked, constrained):
    assert sum(p.fidelity.num_violations for p in constrained) == 0
    assert len({p.receipt.piece_sha256 for p in constrained}) == len(constrained)
    some = asked[::3]
    bound, pieces = in_process(corpora, quickstart_cache, some)
    assert bound.engine.dead_ends == 0
    assert [p.receipt.piece_sha256 for p in pieces] == [p.receipt.piece_sha256 for p in constrained[::3]]
    free, loose = in_process(corpora, quickstart_cache, some, masks=False)
    assert np.mean([p.fidelity.num_violations for p in loose]) > 0.1
    keys = [(c.tradition, c.source, c.take) for c in some]
    shift = np.mean([bound.own_nll(k) - free.own_nll(k) for k in keys])
    assert abs(shift) < 0.15  # nats per event


def test_what_is_told_nothing_breaks_rules_in_every_tradition(corpora, quickstart_cache, asked):
    pieces = pool(corpora, quickstart_cache, masks=False, conditioning=False).compose(asked)
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
        made = [events(p) for p in constrained if p.tradition == name]
        copied = np.mean([np.mean([r in owners for r in runs(e, 8)]) for e in made if len(e) > 16])
        assert copied < between + 0.05


def events(piece):
    n = piece.notes
    return list(zip(n.degree.tolist(), n.period.tolist(), n.duration_ticks.tolist(), strict=True))


def runs(e, first):
    return [tuple(e[i : i + 8]) for i in range(first, len(e) - 7)]


def test_a_pool_is_read_in_under_a_second(corpora, quickstart_cache, asked, constrained):
    begin = time.process_time()
    generator = pool(corpora, quickstart_cache)
    pieces = generator.compose(asked)
    assert time.process_time() - begin < 1.0
    assert generator.num_pieces == len(asked) == 660
    assert [p.receipt for p in pieces] == [p.receipt for p in constrained]
