"""What a listener does, against analytic values and a plain implementation."""

import math

import numpy as np
import pytest
from scipy import stats

from heritage_agents.kernel.lanes import padded
from heritage_agents.kernel.turning import turn_towards
from heritage_agents.listeners.cohort import Cohort, make_shard
from heritage_sim.base import TALLY

ALWAYS_STAY = {"leave_base": -60.0, "leave_idle": 0.0, "leave_skipped": 0.0, "leave_fatigue": 0.0}


def counts_of(tally):
    return dict(zip(TALLY, tally.counts.tolist(), strict=True))


@pytest.mark.parametrize("shown", [tuple(range(10)), (0, 3, 4, 9)])
def test_choice_frequencies_are_softmax(kit, shown):
    """Chi-square over 40,000 keyed choices; the same odds hold in a smaller slate (irrelevant alternatives)."""
    works = kit.works()
    taste = works.vectors[3] + works.vectors[7]
    taste /= np.linalg.norm(taste)
    config = kit.once_a_day(max_slates=1, drift=0.0, kappa=2.5, outside_utility=0.8, popularity_weight=0.2)
    cohort = Cohort(config, kit.keys, kit.alike(8_000, taste, theta=0.7), works)
    state = kit.FixedOffers(shown, 131)
    played, slates = np.zeros(131, int), 0
    for day in range(5):
        tally = cohort.run_day(kit.world(works, state, day))
        played += tally.plays_by_work
        slates += counts_of(tally)["slates"]
    ids = np.array(shown)
    utility = 2.5 * works.vectors[ids].astype(float) @ taste + 0.7 * works.consistency[ids] + 0.2 * np.log1p(ids)
    weights = np.exp(np.append(utility, 0.8))
    observed = np.append(played[ids], slates - played.sum())
    assert slates == 40_000
    assert stats.chisquare(observed, slates * weights / weights.sum()).pvalue > 1e-3
    flat = np.full(ids.size + 1, slates / (ids.size + 1))
    assert stats.chisquare(observed, flat).pvalue < 1e-6


def test_taking_away_what_was_not_chosen_changes_no_choice(kit):
    """Noise belongs to a work, not to its place on the slate."""
    works = kit.works()
    config = kit.once_a_day(max_slates=1, counted_play_s=0.0)
    taste = works.vectors[3]

    def chosen(shown):
        cohort = Cohort(config, kit.keys, kit.alike(500, taste), works)
        cohort.run_day(kit.world(works, kit.FixedOffers(shown, 131)))
        usage = cohort.usage(0)
        picks = np.full(500, -1)
        picks[np.repeat(usage.listener_ids, np.diff(usage.indptr))] = usage.work_ids
        return picks

    whole, less = chosen([1, 2, 3, 4, 5, 6]), chosen([6, 2, 3, 1])
    kept = np.isin(whole, [-1, 1, 2, 3, 6])
    assert (~kept).any()
    assert (whole[kept] == less[kept]).all()


def test_slates_show_the_best_by_score_then_the_next(kit):
    works = kit.works()
    state = kit.FixedOffers(range(131), 131)
    state.bias = (np.arange(131) * 37 % 131 - 60).astype(np.float32)
    config = kit.once_a_day(max_slates=3, outside_utility=1e6, **ALWAYS_STAY)
    tally = Cohort(config, kit.keys, kit.alike(1, works.vectors[0]), works).run_day(kit.world(works, state))
    best = np.argsort(-state.bias)[:30]
    assert set(np.flatnonzero(tally.exposures_by_work)) == set(best)
    counts = counts_of(tally)
    assert (counts["sessions"], counts["slates"], counts["plays"], counts["abandonments"]) == (1, 3, 0, 0)


def test_equal_scores_go_to_the_earlier_candidate(kit):
    works = kit.works()
    state = kit.FixedOffers(np.arange(131)[::-1], 131)
    config = kit.once_a_day(max_slates=1, slate_size=4)
    tally = Cohort(config, kit.keys, kit.alike(1, works.vectors[0]), works).run_day(kit.world(works, state))
    assert np.flatnonzero(tally.exposures_by_work).tolist() == [127, 128, 129, 130]


def test_dwell_is_exponential_cut_at_the_duration(kit):
    works = kit.works()
    config = kit.once_a_day(
        max_slates=1, drift=0.0, outside_utility=-1e6, skip_rate_per_minute=0.9, skip_appeal=0.25, skip_novelty=0.3
    )
    cohort = Cohort(config, kit.keys, kit.alike(20_000, works.vectors[5]), works)
    duration = float(works.duration_s[5])
    tally = counts_of(cohort.run_day(kit.world(works, kit.FixedOffers([5], 131))))
    rate = 0.9 / 60 * math.exp(-0.25 * config.kappa + 0.3)
    counted = math.exp(-rate * min(30.0, duration))
    deviation = math.sqrt(counted * (1 - counted) / 20_000)
    assert tally["plays"] == 20_000
    assert tally["full_plays"] / 20_000 == pytest.approx(counted, abs=4 * deviation)
    whole_seconds = sum(math.exp(-rate * k) for k in range(1, int(duration) + 1))
    assert tally["seconds"] / 20_000 == pytest.approx(whole_seconds, abs=4 * duration / math.sqrt(20_000))


def test_short_works_count_when_heard_to_the_end(kit):
    works = kit.replace(kit.works(), duration_s=np.full(131, 12.0, np.float32))
    config = kit.once_a_day(max_slates=1, outside_utility=-1e6, skip_rate_per_minute=1e-9)
    tally = counts_of(
        Cohort(config, kit.keys, kit.alike(50, works.vectors[5]), works).run_day(
            kit.world(works, kit.FixedOffers([5], 131))
        )
    )
    assert (tally["full_plays"], tally["seconds"]) == (50, 50 * 12)


@pytest.mark.parametrize(("skip_appeal", "heard_s"), [(500.0, 300), (-500.0, 0)])
def test_extreme_hazards_are_no_fault(kit, skip_appeal, heard_s):
    works = kit.replace(kit.works(), duration_s=np.full(131, 300.0, np.float32))
    config = kit.once_a_day(max_slates=1, outside_utility=-1e6, skip_appeal=skip_appeal)
    cohort = Cohort(config, kit.keys, kit.alike(10, works.vectors[5]), works)
    assert counts_of(cohort.run_day(kit.world(works, kit.FixedOffers([5], 131))))["seconds"] == 10 * heard_s


def test_leaving_has_the_stated_odds(kit):
    works = kit.works()
    config = kit.once_a_day(max_slates=2, outside_utility=1e6, leave_base=-0.7, leave_idle=0.3)
    tally = counts_of(
        Cohort(config, kit.keys, kit.alike(20_000, works.vectors[0]), works).run_day(
            kit.world(works, kit.FixedOffers(range(20), 131))
        )
    )
    expected = 1 / (1 + math.exp(0.4))
    assert tally["abandonments"] / 20_000 == pytest.approx(expected, abs=4 * math.sqrt(0.24 / 20_000))
    assert tally["slates"] == 40_000 - tally["abandonments"]


@pytest.mark.parametrize("drift", [0.0, 0.05, 0.5, 1.0])
def test_drift_closes_its_share_of_the_angle_and_never_overshoots(kit, drift):
    works = kit.works()
    taste = works.vectors[8]
    config = kit.once_a_day(max_slates=1, drift=drift, outside_utility=-1e6, counted_play_s=0.0)
    cohort = Cohort(config, kit.keys, kit.alike(3, taste), works)
    first = math.acos(float(taste.astype(float) @ works.vectors[5]))
    for day in range(6):
        cohort.run_day(kit.world(works, kit.FixedOffers([5], 131), day))
    now = cohort.snapshot()["taste"].astype(float)
    np.testing.assert_allclose(np.linalg.norm(now, axis=1), 1.0, atol=1e-6)
    angle = np.arccos(np.clip(now @ works.vectors[5].astype(float), -1, 1))
    np.testing.assert_allclose(angle, (1 - drift) ** 6 * first, atol=2e-3)
    if 0.0 < drift < 1.0:  # it stays in the plane of where it began and what it heard
        plane = np.linalg.qr(np.stack([taste, works.vectors[5]], axis=1).astype(float))[0]
        np.testing.assert_allclose(np.linalg.norm(now @ plane, axis=1), 1.0, atol=1e-5)


def test_opposite_taste_stays_put():
    taste = padded(np.array([[1.0, 0.0]], np.float32))
    turn_towards(taste, 0, padded(np.array([[-1.0, 0.0]], np.float32)), 0, 0.5)
    assert taste[0, :2].tolist() == [1.0, 0.0]


def test_works_that_are_not_available_are_never_shown(kit):
    works = kit.works()
    closed = kit.replace(works, available=works.community != 1)
    cohort = make_shard(kit.once_a_day(), kit.keys, 0, 240, works, kit.communities)
    shown = np.zeros(131, int)
    for day in range(5):
        shown += cohort.run_day(kit.world(closed, kit.RandomOffers(131, 40), day)).exposures_by_work
    assert shown[works.community == 1].sum() == 0
    assert shown[works.community != 1].sum() > 1_000


def test_nothing_on_offer_is_a_session_without_a_slate(kit):
    works = kit.works()
    cohort = Cohort(kit.once_a_day(), kit.keys, kit.alike(5, works.vectors[0]), works)
    tally = cohort.run_day(kit.world(works, kit.FixedOffers([-1, -1], 131)))
    assert tally.counts[:6].tolist() == [5, 0, 0, 0, 0, 0]


def test_consistency_matters_only_to_those_who_care(kit):
    works = kit.works()
    other = kit.replace(works, consistency=(1.0 - works.consistency).astype(np.float32))

    def played(features, theta):
        config = kit.once_a_day(consistency_taste_mean=theta, consistency_taste_sd=0.0)
        cohort = make_shard(config, kit.keys, 0, 240, works, kit.communities)
        return np.sum(
            [cohort.run_day(kit.world(features, kit.RandomOffers(131, 40), d)).plays_by_work for d in range(4)], 0
        )

    np.testing.assert_array_equal(played(works, 0.0), played(other, 0.0))
    liked, disliked = played(works, 2.0), played(works, -2.0)
    mean = [np.average(works.consistency, weights=plays) for plays in (disliked, liked)]
    assert mean[0] < mean[1] - 0.05
