from itertools import pairwise

import numpy as np
import pytest

from heritage_models.fidelity import FidelityMeter
from heritage_models.generator.constraints import (
    ConstraintTables,
    SlotRules,
    events_needed,
    live_positions,
    most_events,
)
from heritage_models.generator.tokens import make_vocabulary
from heritage_sim.base import GenerationError, Stream


def can_complete(durations, cycle, may_hold, rates, left, events, n, k):
    """Brute force: does any way of going on end within every rule? Rests are open at every event."""
    if left == 0:
        return n > 0 and rates[0] <= k / n <= rates[1]
    if events == 0:
        return False
    longest = left if may_hold else (left - 1) % cycle + 1
    return any(
        can_complete(durations, cycle, may_hold, rates, left - d, events - 1, n + more, k + ornamented)
        for d in durations
        if d <= longest
        for more, ornamented in ((0, 0), (1, 0), (1, 1))
    )


@pytest.mark.parametrize("may_hold", [False, True])
@pytest.mark.parametrize("durations", [(1, 2), (2, 3), (3,)])
def test_most_events_equals_brute_force(durations, may_hold):
    table = most_events(9, 5, durations, 4, may_hold)

    def fillings(left):
        if left == 0:
            return {0}
        longest = left if may_hold else (left - 1) % 4 + 1
        return {1 + e for d in durations if d <= longest for e in fillings(left - d)}

    for left in range(10):
        for most in range(6):
            assert table[left, most] == max((e for e in fillings(left) if e <= most), default=-1)


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.2, 0.25), (0.34, 0.6), (1.0, 1.0)])
def test_events_needed_equals_brute_force(rates):
    need = events_needed(12, rates, can_ornament=True)

    def reachable(n, k, events):
        if n and rates[0] <= k / n <= rates[1]:
            return True
        return events > 0 and n < 12 and (reachable(n + 1, k, events - 1) or reachable(n + 1, k + 1, events - 1))

    for n in range(6):
        for k in range(n + 1):
            expected = next((e for e in range(13 - n) if reachable(n, k, e)), None)
            assert (need[n, k] if need[n, k] <= 12 else None) == expected


def test_live_positions_are_those_with_an_endless_path():
    legal = np.zeros((5, 5), dtype=bool)
    legal[0, 1] = legal[1, 0] = legal[1, 2] = legal[2, 3] = True  # 2 -> 3 -> nowhere; 4 stands alone
    assert live_positions(legal).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("durations", "cycle", "may_hold", "rates"),
    [((1, 2), 3, False, (0.3, 0.4)), ((2, 3), 4, True, (0.5, 0.5)), ((1, 3), 4, False, (0.0, 0.2))],
)
def test_every_choice_is_allowed_exactly_where_the_piece_can_still_end_well(build, durations, cycle, may_hold, rates):
    tradition = build.tradition(durations=durations, cycle=cycle, may_hold=may_hold, rates=rates)
    corpora = {"small": build.corpus(build.tradition(durations=(1, 2), cycle=4), rests=True)}
    corpora = {"small": type(corpora["small"])(tradition, corpora["small"].pieces)}
    max_events, total = 6, 2 * cycle
    vocabulary = make_vocabulary(corpora)
    tables = ConstraintTables(vocabulary, corpora, max_events)
    rules = SlotRules(tables, 1)
    seen = 0

    def visit(left, events, n, k, last):
        nonlocal seen
        rules.start(0, 0, cycle, total)
        rules.ticks_left[0], rules.events_left[0], rules.last_pitch[0] = left, events, last
        rules.num_sounding[0], rules.num_ornamented[0] = n, k
        if not can_complete(durations, cycle, may_hold, rates, left, events, n, k) or left == 0:
            return
        seen += 1
        longest = left if may_hold else (left - 1) % cycle + 1

        def good(d, more, o):
            if d not in durations or d > longest:
                return False
            return can_complete(durations, cycle, may_hold, rates, left - d, events - 1, n + more, k + o)

        lengths = vocabulary.durations
        pitches = rules.pitches()[0]
        assert pitches[0] == any(good(d, 0, 0) for d in lengths)
        assert pitches[1:].all() == pitches[1:].any() == any(good(d, 1, o) for d in lengths for o in (0, 1))
        for pitch in (p for p in (0, 1) if pitches[p]):
            sounding = int(pitch > 0)
            allowed = rules.durations(np.array([pitch]))[0]
            options = (0, 1) if sounding else (0,)
            assert allowed.tolist() == [any(good(d, sounding, o) for o in options) for d in lengths]
            for token in np.flatnonzero(allowed):
                ornaments = rules.ornaments(np.array([pitch]), np.array([token]))[0]
                assert ornaments.tolist() == [o in options and good(lengths[token], sounding, o) for o in (0, 1)]

    for left in range(1, total + 1):
        for events in range(1, max_events + 1):
            for n in range(max_events - events + 1):
                for k in range(n + 1):
                    visit(left, events, n, k, 1)
    assert seen > 20


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.15, 0.2), (0.5, 0.5), (0.9, 1.0)])
@pytest.mark.parametrize(
    ("durations", "cycle", "may_hold"), [((1, 2), 4, False), ((2, 3), 7, False), ((3, 5), 8, True)]
)
def test_random_walks_meet_no_dead_end_and_no_violation(build, rates, durations, cycle, may_hold):
    legal = np.zeros((5, 5), dtype=bool)
    for a, b in pairwise([0, 1, 2, 0, 2, 1, 0]):
        legal[a, b] = True
    legal[1, 3] = legal[3, 4] = True  # a way out that ends nowhere
    plain = build.corpus(build.tradition())
    tradition = build.tradition(legal=legal, durations=durations, cycle=cycle, may_hold=may_hold, rates=rates)
    corpora = {"small": type(plain)(tradition, plain.pieces)}
    vocabulary = make_vocabulary(corpora)
    tables = ConstraintTables(vocabulary, corpora, 40)
    num = 64
    rules = SlotRules(tables, num)
    total = 40 if may_hold else 4 * cycle
    total = total // cycle * cycle
    assert tables.can_start(0, cycle, total)
    for s in range(num):
        rules.start(s, 0, cycle, total)
    stream = Stream((1, 2))
    tokens = np.zeros((num, 40, 3), dtype=np.int32)
    lengths = np.zeros(num, dtype=int)

    def pick(allowed, active, step, part):
        assert allowed[active].any(axis=1).all(), "dead end"
        u = stream.uniform(np.arange(num), step, part)
        return np.array(
            [np.flatnonzero(row)[int(v * row.sum())] if row.any() else 0 for row, v in zip(allowed, u, strict=True)]
        )

    for step in range(40):
        active = rules.ticks_left > 0
        if not active.any():
            break
        pitch = pick(rules.pitches(), active, step, 0)
        duration = pick(rules.durations(pitch), active, step, 1)
        ornament = pick(rules.ornaments(pitch, duration), active, step, 2)
        tokens[active, step] = np.stack([pitch, duration, ornament], axis=1)[active]
        lengths += active
        rules.advance(pitch, duration, ornament, active)
    assert (rules.ticks_left == 0).all()
    meter = FidelityMeter.of_archive(tradition, [p.notes for p in plain.pieces])
    for s in range(num):
        notes = vocabulary.decode(tokens[s, : lengths[s]], tradition, cycle, 0.25)
        assert meter.measure(notes).num_violations == 0
        assert notes.duration_ticks.sum() == total


def test_a_step_table_without_an_endless_path_is_refused(build):
    legal = np.triu(np.ones((5, 5), dtype=bool), 1)
    plain = build.corpus(build.tradition())
    corpora = {"small": type(plain)(build.tradition(legal=legal), plain.pieces)}
    with pytest.raises(GenerationError, match="no endless path"):
        ConstraintTables(make_vocabulary(corpora), corpora, 16)
