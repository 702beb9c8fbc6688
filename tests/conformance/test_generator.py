"""What every generator promises, whatever answers behind it."""

import pytest

from heritage_models.config import GeneratorConfig, TraditionConfig
from heritage_models.fidelity import FidelityMeter
from heritage_models.generator import make_generator
from heritage_models.traditions import load_corpus
from heritage_sim.base import Commission, GenerationError, Generator, Origin

KINDS = ("transformer", "pool", "archive")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    cache = tmp_path_factory.mktemp("corpora")
    return {k: load_corpus(TraditionConfig(name=k, kind=k, num_works=12), 3, cache) for k in ("gamelan", "panpipes")}


@pytest.fixture(scope="module")
def made(corpora, tmp_path_factory):
    pytest.importorskip("torch")
    cache = tmp_path_factory.mktemp("cache")
    small = {"steps": 4, "batch": 4, "width": 32, "heads": 2, "layers": 2, "slots": 8, "takes": 2}
    return {k: make_generator(GeneratorConfig(kind=k, **small), corpora, 3, cache) for k in KINDS}


@pytest.fixture(params=KINDS)
def generator(request, made):
    return made[request.param]


@pytest.fixture(scope="module")
def asked(corpora):
    works = [(name, p.receipt.piece_sha256) for name, c in corpora.items() for p in c.pieces]
    return [Commission(f"r{i}-{take}", *work, take) for i, work in enumerate(works) for take in (0, 1)]


def test_it_is_a_generator(generator):
    assert isinstance(generator, Generator)


def test_answers_come_in_order_and_carry_the_request(generator, asked):
    pieces = generator.compose(asked)
    assert [p.receipt.request_id for p in pieces] == [c.request_id for c in asked]
    assert [p.tradition for p in pieces] == [c.tradition for c in asked]
    assert generator.compose([]) == []


def test_the_answer_depends_on_the_request_alone(generator, asked):
    together = {p.receipt.request_id: p for p in generator.compose(asked)}
    for commission in asked[::-7]:
        (alone,) = generator.compose([commission])
        assert alone.receipt == together[commission.request_id].receipt
        assert alone.notes.sha256() == together[commission.request_id].notes.sha256()


def test_the_request_id_is_no_part_of_the_piece(generator, asked):
    first = asked[0]
    again = Commission("another id", first.tradition, first.source, first.take)
    a, b = generator.compose([first, again])
    assert a.receipt.piece_sha256 == b.receipt.piece_sha256
    assert b.receipt.request_id == "another id"


def test_receipts_state_what_was_made_of_what(generator, asked):
    for commission, piece in zip(asked, generator.compose(asked), strict=True):
        assert piece.receipt.piece_sha256 == piece.notes.sha256()
        assert piece.receipt.sources == (commission.source,)
        assert piece.receipt.checkpoint_sha256 == generator.checkpoint_sha256
        generated = piece.origin == Origin.GENERATED
        assert generated == bool(generator.checkpoint_sha256) == bool(piece.receipt.decoding_sha256)
        assert piece.synthetic or not generated


def test_fidelity_is_the_meters_own(generator, asked, corpora):
    meters = {name: FidelityMeter(c) for name, c in corpora.items()}
    for commission, piece in zip(asked, generator.compose(asked), strict=True):
        source = commission.source if piece.origin == Origin.GENERATED else piece.receipt.piece_sha256
        assert piece.fidelity == meters[piece.tradition].measure(piece.notes, source)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"tradition": "nowhere"}, "tradition"), ({"source": "0" * 64}, "archive"), ({"take": 2}, "take")],
)
def test_a_wrong_request_is_refused_and_spoils_nothing(generator, asked, change, message):
    c = asked[0]
    fields = {"request_id": "wrong", "tradition": c.tradition, "source": c.source, "take": c.take, **change}
    before = generator.compose(asked[:3])
    with pytest.raises(GenerationError, match=message):
        generator.compose([asked[4], Commission(**fields), asked[5]])
    after = generator.compose(asked[:6])
    assert [p.receipt for p in after[:3]] == [p.receipt for p in before]
    assert after[4].receipt == generator.compose([asked[4]])[0].receipt


def test_transformer_and_pool_give_the_same_pieces(made, asked):
    a, b = (made[k].compose(asked) for k in ("transformer", "pool"))
    assert [p.receipt for p in a] == [p.receipt for p in b]
    assert [p.fidelity for p in a] == [p.fidelity for p in b]
