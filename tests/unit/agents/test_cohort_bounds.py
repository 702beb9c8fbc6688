"""What a kernel that checks no bounds must be spared, and the least and most that it must bear. Costs about 3 s."""

from dataclasses import fields

import numpy as np
import pytest

from heritage_agents.listeners.cohort import Cohort
from heritage_sim.base import TALLY


def cut(works, num_works):
    """Return the first works."""
    return type(works)(**{field.name: getattr(works, field.name)[:num_works].copy() for field in fields(works)})


@pytest.mark.parametrize(
    ("bias", "affinity"), [(np.inf, 1.0), (-3.2e38, 1.0), (0.0, np.nan), (0.0, np.inf), (0.0, 1e31)]
)
def test_scores_that_no_slate_can_be_ranked_by_are_refused(kit, bias, affinity):
    works, state = kit.works(), kit.RandomOffers(131, 40, affinity)
    state.bias[4] = bias
    cohort = Cohort(kit.config(), kit.keys, kit.alike(20, works.vectors[3]), works)
    with pytest.raises(ValueError, match="finite"):
        cohort.run_day(kit.world(works, state, 0))


def test_a_candidate_that_is_no_work_is_refused(kit):
    """A kernel reads where an id points to, whatever lies there."""
    works = kit.works()
    cohort = Cohort(kit.once_a_day(), kit.keys, kit.alike(20, works.vectors[3]), works)
    with pytest.raises(ValueError, match="131"):
        cohort.run_day(kit.world(works, kit.FixedOffers([3, 131], 131), 0))


@pytest.mark.parametrize("scale", [1.1, np.nan])
def test_vectors_longer_than_one_are_refused_when_they_come_in(kit, scale):
    works = kit.works()
    cohort = Cohort(kit.config(), kit.keys, kit.alike(20, works.vectors[3]), works)
    vectors = works.vectors.copy()
    vectors[-1] *= np.float32(scale)
    longer = kit.replace(works, vectors=vectors)
    with pytest.raises(ValueError, match="length 1"):
        Cohort(kit.config(), kit.keys, kit.alike(20, works.vectors[3]), longer)
    cohort.restore(cohort.snapshot())
    with pytest.raises(ValueError, match="length 1"):
        cohort.run_day(kit.world(longer, kit.RandomOffers(131, 40), 0))


@pytest.mark.parametrize(("num_works", "shown", "slate_size"), [(1, 1, 1), (1, 1, 100), (3, 2, 100), (131, 16, 100)])
@pytest.mark.parametrize("ranked", [False, True])
def test_fewer_works_than_places_are_shown_once_each(kit, num_works, shown, slate_size, ranked):
    works, first = kit.works(), np.arange(131) < shown
    works = kit.replace(cut(works, num_works), available=first[:num_works])
    config = kit.once_a_day(max_slates=3, slate_size=slate_size, leave_base=-20.0)
    cohort = Cohort(config, kit.keys, kit.alike(50, works.vectors[0]), works)
    state = kit.RankedOffers(num_works) if ranked else kit.FixedOffers(np.arange(num_works), num_works)
    tally = cohort.run_day(kit.world(works, state, 36_499))
    sessions = tally.counts[TALLY.index("sessions")]
    assert sessions > 0
    expected = np.where(np.arange(num_works) < shown, sessions, 0)
    if slate_size >= shown:
        np.testing.assert_array_equal(tally.exposures_by_work, expected)
    assert tally.plays_by_work.sum() <= sessions * -(-shown // slate_size)


def test_a_catalogue_without_works_leaves_sessions_without_slates(kit):
    works = kit.works()
    none = cut(works, 0)
    cohort = Cohort(kit.once_a_day(), kit.keys, kit.alike(20, works.vectors[3]), works)
    for state in (kit.FixedOffers([-1, -1], 0), kit.FixedOffers([], 0), kit.RankedOffers(1)):
        if isinstance(state, kit.RankedOffers):
            state.factors, state.bias = state.factors[:0], state.bias[:0]
            state.queries = lambda ids, recent, day: np.zeros((ids.size, 5), np.float32)
        tally = cohort.run_day(kit.world(none, state, 0))
        assert tally.counts[TALLY.index("slates")] == 0
        assert tally.plays_by_work.size == 0


def test_ids_above_two_to_the_thirty_two_are_listeners_of_their_own(kit):
    """The upper half of an id is part of its address."""
    works = kit.works()
    config, state = kit.once_a_day(), kit.RandomOffers(131, 40)
    plays = []
    for first in (0, 2**32, 2**40):
        who = kit.alike(300, works.vectors[3])
        who = kit.replace(who, ids=who.ids + first)
        state.candidates = lambda ids, history, day: np.tile(np.arange(40, dtype=np.int32), (ids.size, 1))
        plays.append(Cohort(config, kit.keys, who, works).run_day(kit.world(works, state, 3)).plays_by_work)
    assert (plays[0] != plays[1]).any()
    assert (plays[1] != plays[2]).any()
