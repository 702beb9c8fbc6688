import numpy as np
import pytest

torch = pytest.importorskip("torch")

from heritage_models.config import GeneratorConfig  # noqa: E402
from heritage_models.generator.network import Shape, make_network  # noqa: E402
from heritage_models.generator.tokens import make_vocabulary  # noqa: E402
from heritage_models.generator.training import (  # noqa: E402
    is_held_out,
    one_thread,
    split_corpora,
    stack,
    training_rows,
    training_steps,
    visible_places,
)


@pytest.fixture(scope="module")
def network():
    return make_network(Shape(32, 2, 2, (7, 4, 2), (3, 3, 7, 9)), seed=3).eval()


def random_rows(batch, length, sizes):
    place = np.arange(batch * length).reshape(batch, length)
    return torch.from_numpy(np.stack([(place * (7 + i) + place // 3) % n for i, n in enumerate(sizes)], axis=-1))


def test_cached_decoding_equals_whole_rows(network):
    before, context = random_rows(5, 12, (8, 5, 3)), random_rows(5, 12, (3, 3, 7, 9))
    with torch.inference_mode(), one_thread():
        whole = network(before, context, visible_places(torch.arange(12)[None].expand(5, 12)))
        cache = network.empty_cache(5, 16)
        for t in range(12):
            step = network.step(before[:, t], context[:, t], torch.full((5,), t), cache)
            torch.testing.assert_close(step, whole[:, t], rtol=0, atol=1e-5)


def test_a_place_sees_neither_the_future_nor_another_piece(network):
    before, context = random_rows(1, 12, (8, 5, 3)), random_rows(1, 12, (3, 3, 7, 9))
    place = torch.tensor([[4, 5, 6, 0, 1, 2, 3, 4, 0, 1, 2, 3]])
    changed = before.clone()
    changed[0, :3] = (changed[0, :3] + 1) % 3  # another piece
    changed[0, 7:] = (changed[0, 7:] + 1) % 3  # the future and what follows
    with torch.inference_mode(), one_thread():
        a = network(before, context, visible_places(place))
        b = network(changed, context, visible_places(place))
    torch.testing.assert_close(a[0, 3:7], b[0, 3:7], rtol=0, atol=1e-6)
    assert (a[0, 8:] - b[0, 8:]).abs().max() > 1e-3


def test_loss_of_each_part_sums_to_a_law_over_whole_events(network):
    hidden = torch.linspace(-1, 1, 32)[None]
    events = torch.tensor([[p, d, o] for p in range(7) for d in range(4) for o in range(2)])
    with torch.inference_mode():
        nll = network.nll(hidden.expand(len(events), 32), events).sum(-1)
    assert float(torch.exp(-nll).sum()) == pytest.approx(1.0, abs=1e-5)


def test_initial_weights_are_keyed_and_leave_the_global_generator_alone():
    state = torch.get_rng_state()
    shape = Shape(32, 1, 2, (7, 4, 2), (3, 3, 7, 9))
    a, b, other = (make_network(shape, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not torch.equal(a["pitch_head.weight"], other["pitch_head.weight"])
    assert float(a["blocks.0.qkv.weight"].std()) == pytest.approx(32**-0.5, rel=0.1)


def test_split_is_decided_by_content_and_near_its_share(corpora):
    vocabulary = make_vocabulary(corpora)
    split = split_corpora(vocabulary, corpora, 0.5)
    expected = sum(is_held_out(p.receipt.piece_sha256, 0.5) for c in corpora.values() for p in c.pieces)
    assert len(split.held_out) == expected
    assert len(split.train) + len(split.held_out) == 24
    assert not split_corpora(vocabulary, corpora, 0.0).held_out


def test_rows_hold_every_piece_once_an_epoch(corpora):
    vocabulary = make_vocabulary(corpora)
    stacked = stack(split_corpora(vocabulary, corpora, 0.0).train, vocabulary.token_sizes)
    size = stacked.tokens.shape[0]
    rows = training_rows(stacked, num_rows=3 * size // 8 + 1, length=8, seed=5).ravel()
    for epoch in range(3):
        assert sorted(rows[epoch * size : (epoch + 1) * size]) == list(range(size))
    assert not np.array_equal(rows[:size], rows[size : 2 * size])


def test_tokens_give_back_the_notes(corpora):
    vocabulary = make_vocabulary(corpora)
    for corpus in corpora.values():
        for piece in corpus.pieces:
            events = vocabulary.encode(piece.notes, corpus.tradition)
            notes = vocabulary.decode(events.tokens, corpus.tradition, piece.notes.ticks_per_cycle, piece.notes.tick_s)
            assert notes.sha256() == piece.receipt.piece_sha256


def test_context_tells_position_and_cycles_left(corpora):
    vocabulary = make_vocabulary(corpora)
    codes = vocabulary.context("second", 6, [0, 2, 5, 6, 11, 12], 18)
    assert codes[:, 0].tolist() == [2] * 6
    assert (codes[:, 2] - 1).tolist() == [0, 2, 5, 0, 5, 0]
    assert codes[:, 3].tolist() == [3, 3, 3, 2, 2, 1]


def test_a_small_archive_is_not_gone_through_more_often_than_is_good():
    config = GeneratorConfig(steps=250, batch=16, context=96, max_passes=18)
    assert training_steps(config, 24_000) == 250
    assert training_steps(config, 8_000) == 94
    assert 93 * 16 * 96 < 18 * 8_000 <= 94 * 16 * 96
