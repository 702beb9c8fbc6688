"""When sessions begin, against the Poisson process they are to be. Costs about 3 s."""

import math

import numpy as np
import pytest
from scipy import stats

from heritage_agents.kernel.sheets import SESSIONS
from heritage_agents.listeners.arrivals import day_factors, sessions_today, start_seconds
from heritage_agents.listeners.cohort import Cohort
from heritage_sim.base import Keys

KEYS = Keys(root_seed=5, replication=0)
KEY = np.array(KEYS.stream("listener", "session").key, dtype=np.uint64)


def counts(day, rate, num=20_000, max_sessions=16, factor=1.0, subscribed=True):
    """Return how many sessions each of so many alike listeners has on a day."""
    ids, paid = np.arange(num, dtype=np.int64), np.zeros(num, dtype=np.int32)
    home, here = np.zeros(num, np.int32), np.full(num, subscribed)
    rows, nums = sessions_today(ids, np.full(num, rate), home, here, np.array([factor]), max_sessions, day, KEY, paid)
    assert (np.diff(rows) > 0).all()
    assert (paid == int(subscribed)).all()
    held = np.zeros(num, int)
    held[rows] = nums
    return held


@pytest.mark.parametrize("rate", [0.02, 0.35, 2.5])
def test_sessions_of_a_day_are_poisson(rate):
    held = counts(3, rate)
    largest = int(stats.poisson.isf(5 / held.size, rate))
    expected = stats.poisson.pmf(np.arange(largest), rate)
    expected = np.append(expected, 1.0 - expected.sum()) * held.size
    observed = np.bincount(np.minimum(held, largest), minlength=largest + 1)
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_sessions_past_the_cap_do_not_take_place():
    free, capped = counts(0, 2.5), counts(0, 2.5, max_sessions=3)
    np.testing.assert_array_equal(capped, np.minimum(free, 3))
    assert (free > 3).any()
    assert (counts(0, 1e4, max_sessions=8) == 8).all()


def test_those_who_do_not_subscribe_have_no_sessions_and_pay_nothing():
    assert counts(0, 5.0, subscribed=False).sum() == 0


def test_days_of_the_week_have_their_share(kit):
    config = kit.config(weekly_profile=(1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0))
    works = kit.works()
    by_weekday = np.zeros(7, int)
    for day in range(28):
        factor = day_factors(config, works, works.num_works, 3, day)
        by_weekday[day % 7] += counts(day, 0.3, factor=float(factor[0])).sum()
    expected = 0.3 * 20_000 * 4 * 7 * np.array(config.weekly_profile) / 8.5  # the profile has mean 8.5 / 7
    assert by_weekday[4] == 0
    deviations = (by_weekday - expected)[expected > 0] / np.sqrt(expected[expected > 0])
    assert stats.chi2.sf((deviations**2).sum(), 6) > 1e-3


def test_works_that_come_out_draw_their_own_community_on_that_day_alone(kit):
    config = kit.config(release_pull=0.5, weekly_profile=(1.0,) * 7)
    works = kit.works()
    late = np.arange(131) >= 100
    works = kit.replace(works, day=np.where(late, 4, 0).astype(np.int32), available=np.arange(131) != 104)
    new = [int((late & works.available & (works.community == c)).sum()) for c in range(3)]
    assert 0 < min(new) < max(new)
    np.testing.assert_allclose(day_factors(config, works, 100, 3, 4), [1 + 0.5 * math.log1p(n) for n in new])
    for day in (0, 3, 5):  # archive works have day 0 and never come out
        np.testing.assert_array_equal(day_factors(config, works, 100, 3, day), np.ones(3))


def test_a_shard_draws_its_sessions_by_these_rules(kit):
    """The tally of a shard is the sum of what each listener's rate, home and the day make of the same key."""
    works = kit.works()
    rate = np.linspace(0.1, 3.0, 3_000)
    people = kit.alike(3_000, works.vectors[0], session_rate=rate)
    config = kit.config(max_slates=1, weekly_profile=(2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5))
    cohort = Cohort(config, kit.keys, people, works)
    tally = cohort.run_day(kit.world(works, kit.FixedOffers([1, 2], 131), 0))
    u = kit.keys.stream("listener", "session").uniform(people.ids, 0)
    assert tally.counts[SESSIONS] == np.minimum(stats.poisson.ppf(u, 2.0 * rate), 8).sum()


def test_hours_have_their_share_and_sessions_come_in_order():
    profile = (*(float(1 + hour % 5) for hour in range(23)), 0.0)
    listener = np.repeat(np.arange(8_000), 3)
    session = np.tile(np.arange(3), 8_000)
    day = np.full(listener.size, 2)
    shuffled = np.argsort(KEYS.stream("test", "order").uniform(np.arange(listener.size), 0))
    starts = np.empty(listener.size, np.int32)
    starts[shuffled] = start_seconds(
        KEYS.stream("listener", "start"), profile, listener[shuffled], day[shuffled], session[shuffled]
    )
    assert (np.diff(starts.reshape(-1, 3), axis=1) >= 0).all()
    expected = starts.size * np.array(profile) / sum(profile)
    observed = np.bincount(starts // 3_600, minlength=24)
    assert observed[23] == 0
    assert stats.chisquare(observed[:23], expected[:23]).pvalue > 1e-3
    assert stats.kstest(starts % 3_600, stats.uniform(0, 3_600).cdf).pvalue > 1e-3  # even within an hour


def test_starts_of_a_day_do_not_depend_on_other_days_and_listeners():
    stream, profile = KEYS.stream("listener", "start"), (1.0,) * 24
    both = start_seconds(stream, profile, np.array([4, 4, 9]), np.array([1, 2, 1]), np.zeros(3, int))
    alone = start_seconds(stream, profile, np.array([4]), np.array([2]), np.zeros(1, int))
    assert both[1] == alone[0]
    assert len(set(both.tolist())) == 3
