import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")

from heritage_models.generator import make_transformer
from heritage_models.generator.requests import Sources
from heritage_sim.base import REST, Commission, GenerationError


def commissions(corpora, takes=3):
    return [Commission(f"r{i}", *key) for i, key in enumerate(Sources(corpora, takes).keys())]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize(("masks", "conditioning"), [(True, True), (False, False)])
@pytest.mark.parametrize("width", [32, 128])
def test_the_same_request_gives_the_same_bits_in_any_batch(corpora, tiny, cache, masks, conditioning, width):
    heads = width // 16
    config = tiny.model_copy(
        update={"masks": masks, "conditioning": conditioning, "width": width, "heads": heads, "slots": 32}
    )
    asked = commissions(corpora)

    def answers(batches):
        generator = make_transformer(config, corpora, 5, cache)
        pieces, own = {}, {}
        for batch in batches:
            for c, piece in zip(batch, generator.compose(batch), strict=True):
                key = (c.tradition, c.source, c.take)
                pieces[key], own[key] = piece.receipt, generator.own_nll(key)
        return pieces, own

    reference = answers([asked])
    assert len({r.piece_sha256 for r in reference[0].values()}) > 60
    for size in (1, 3, 7, 32):
        assert answers([asked[i : i + size] for i in range(0, len(asked), size)]) == reference
    mixed = [asked[(i * 29 + 11) % len(asked)] for i in range(len(asked))]
    assert answers([mixed]) == reference
    assert answers([mixed[::-1][i : i + 7] for i in range(0, len(asked), 7)]) == reference


def test_another_seed_and_another_take_give_other_pieces(corpora, tiny, cache):
    asked = commissions(corpora)
    a, b = (make_transformer(tiny, corpora, seed, cache).compose(asked) for seed in (1, 2))
    same = [x.receipt.piece_sha256 == y.receipt.piece_sha256 for x, y in zip(a, b, strict=True)]
    assert np.mean(same) < 0.1
    assert len({p.receipt.piece_sha256 for p in a}) > 0.9 * len(a)


def test_masked_pieces_keep_every_rule_and_unmasked_ones_do_not(corpora, tiny, cache):
    asked = commissions(corpora)
    masked = make_transformer(tiny, corpora, 3, cache)
    assert sum(p.fidelity.num_violations for p in masked.compose(asked)) == 0
    assert masked.engine.dead_ends == 0
    free = make_transformer(tiny.model_copy(update={"masks": False, "conditioning": False}), corpora, 3, cache)
    assert np.mean([p.fidelity.num_violations for p in free.compose(asked)]) > 1


def broken_rules(piece, tradition):
    """Count, event by event and from the notes alone, what a piece breaks."""
    n, onset, broken, last, sounding, ornamented = piece.notes, 0, 0, None, 0, 0
    lattice = zip(tradition.position_degree.tolist(), tradition.position_period.tolist(), strict=True)
    places = {pair: i for i, pair in enumerate(lattice)}
    for degree, period, ticks, ornament in zip(
        n.degree.tolist(), n.period.tolist(), n.duration_ticks.tolist(), n.ornament.tolist(), strict=True
    ):
        if degree != REST:
            at = places[degree, period]
            broken += last is not None and not tradition.legal_step[last, at]
            crossed = [b for b in range(onset + 1, onset + ticks) if b % n.ticks_per_cycle == 0]
            broken += 0 if tradition.may_hold_across_cycle else len(crossed)
            last, sounding, ornamented = at, sounding + 1, ornamented + (ornament > 0)
        onset += ticks
    low, high = tradition.ornament_rate_range
    rate = ornamented / sounding if sounding else 0.0
    return broken + (onset % n.ticks_per_cycle != 0) + (not low - 1e-9 <= rate <= high + 1e-9)


@pytest.mark.parametrize("masks", [True, False])
def test_the_meters_violations_are_those_counted_event_by_event(corpora, tiny, cache, masks):
    config = tiny.model_copy(update={"masks": masks, "conditioning": masks})
    pieces = make_transformer(config, corpora, 3, cache).compose(commissions(corpora))
    counted = [broken_rules(p, corpora[p.tradition].tradition) for p in pieces]
    assert [p.fidelity.num_violations for p in pieces] == counted
    assert (sum(counted) == 0) == masks


def test_a_piece_takes_length_cycle_and_opening_from_its_source(corpora, tiny, cache):
    generator = make_transformer(tiny.model_copy(update={"prompt_notes": 3}), corpora, 3, cache)
    asked = commissions(corpora, 1)
    sources = {p.receipt.piece_sha256: p.notes for c in corpora.values() for p in c.pieces}
    kept = 0
    for commission, piece in zip(asked, generator.compose(asked), strict=True):
        source, notes = sources[commission.source], piece.notes
        assert notes.duration_ticks.sum() == source.duration_ticks.sum()
        assert (notes.ticks_per_cycle, notes.tick_s) == (source.ticks_per_cycle, source.tick_s)
        kept += np.array_equal(notes.degree[:2], source.degree[:2])
        assert piece.receipt.sources == (commission.source,)
        assert piece.synthetic
    assert kept == len(asked)  # sources keep the step and boundary rules, so their openings stand


def test_num_cycles_and_max_notes_bound_the_length(corpora, tiny, cache):
    asked = commissions(corpora, 1)
    two = make_transformer(tiny.model_copy(update={"num_cycles": 2}), corpora, 3, cache).compose(asked)
    assert {p.notes.duration_ticks.sum() // p.notes.ticks_per_cycle for p in two} == {2}
    short = make_transformer(tiny.model_copy(update={"max_notes": 8}), corpora, 3, cache).compose(asked)
    assert max(p.notes.num_notes for p in short) <= 8
    assert sum(p.fidelity.num_violations for p in short) == 0


def test_a_request_that_no_piece_can_answer_is_refused_by_name(corpora, tiny, cache):
    impossible = dict(corpora)
    second = corpora["second"]
    tradition = dataclasses.replace(second.tradition, durations_ticks=(4,))  # a cycle of 6 cannot be filled with fours
    impossible["second"] = dataclasses.replace(second, tradition=tradition)
    generator = make_transformer(tiny, impossible, 3, cache)
    with pytest.raises(GenerationError, match="keeps every rule"):
        generator.compose([c for c in commissions(impossible, 1) if c.tradition == "second"][:1])


def test_a_batch_that_fails_half_way_leaves_no_trace(corpora, tiny, cache):
    impossible = dict(corpora)
    second = corpora["second"]
    tradition = dataclasses.replace(second.tradition, durations_ticks=(4,))
    impossible["second"] = dataclasses.replace(second, tradition=tradition)
    asked = commissions(impossible)
    good, bad = ([c for c in asked if c.tradition == name] for name in ("first", "second"))
    reference = [p.receipt for p in make_transformer(tiny, impossible, 3, cache).compose(good)]
    generator = make_transformer(tiny, impossible, 3, cache)
    with pytest.raises(GenerationError):
        generator.compose([*good[:5], bad[0], *good[5:]])
    assert generator.engine.num_free == tiny.slots
    assert [p.receipt for p in generator.compose(good)] == reference
