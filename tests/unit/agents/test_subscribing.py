"""Who leaves the service and comes back, against the stated hazards; what it does to fees. Costs about 2 s."""

import math

import numpy as np
import pytest
from scipy import stats

from heritage_agents.kernel.sheets import CAME_BACK, LEFT_SERVICE, SUBSCRIBERS
from heritage_agents.listeners.cohort import Cohort
from heritage_agents.listeners.subscribing import renew
from heritage_sim.base import TALLY, Keys

KEYS = Keys(root_seed=5, replication=0)
CHURN, RETURN = (np.array(KEYS.stream("listener", name).key, np.uint64) for name in ("churn", "return"))


def decide(subscribed, satisfaction=0.0, day=0, num=30_000, returning=0.0, base=-1.0, renewal_days=30):
    """Return who subscribes after a day, and the day's counts."""
    ids, held = np.arange(num, dtype=np.int64), np.full(num, subscribed)
    counts, by_home = np.zeros(len(TALLY), np.int64), np.array([held.sum()])
    renew(
        *(ids, np.zeros(num, np.int32), np.full(num, float(satisfaction)), held, base, 0.8, renewal_days),
        *(np.array([returning]), day, CHURN, RETURN, counts, by_home),
    )
    assert by_home[0] == held.sum()
    return held, counts


@pytest.mark.parametrize("satisfaction", [-2.0, 0.0, 2.5])
def test_subscribers_leave_at_their_renewal_with_the_stated_odds(satisfaction):
    """Over 30 days each decides once."""
    left, when = 0, []
    for day in range(30):
        held, counts = decide(True, satisfaction, day)
        due = (day + 1 + np.arange(30_000)) % 30 == 0
        assert held[~due].all()
        assert counts[LEFT_SERVICE] == (~held).sum()
        left += int((~held).sum())
        when.append(int((~held).sum()))
    hazard = 1 / (1 + math.exp(1.0 + 0.8 * satisfaction))
    assert stats.binomtest(left, 30_000, hazard).pvalue > 1e-3
    assert stats.chisquare(when).pvalue > 1e-3  # renewals are spread evenly over the days


def test_those_who_left_come_back_with_the_stated_odds():
    back = 0
    for day in range(10):
        held, counts = decide(False, day=day, returning=0.02, num=20_000)
        assert counts[CAME_BACK] == held.sum()
        back += int(held.sum())
    assert stats.binomtest(back, 200_000, 0.02).pvalue > 1e-3


def test_word_of_mouth_follows_the_share_of_the_home_community(kit):
    works = kit.works()
    num = 30_000
    home = (np.arange(num) % 3).astype(np.int32)
    people = kit.alike(num, works.vectors[0], home=home, subscribed=np.zeros(num, bool), session_rate=np.zeros(num))
    config = kit.config(return_rate=0.01, word_of_mouth=0.1)
    cohort = Cohort(config, kit.keys, people, works)
    share = np.array([0.0, 0.5, 1.0])
    tally = cohort.run_day(kit.world(works, kit.FixedOffers([1], 131), 0, shares=share))
    for got, hazard in zip(tally.subscribers_by_community, 0.01 + 0.1 * share, strict=True):
        assert stats.binomtest(int(got), num // 3, hazard).pvalue > 1e-3
    assert tally.counts[SUBSCRIBERS] == 0  # who comes back pays from the next day on
    assert tally.counts[CAME_BACK] == tally.subscribers_by_community.sum()
    assert cohort.usage(0).fee_units.sum() == 0


def test_fees_are_those_of_the_days_subscribed(kit):
    works, config = kit.works(), kit.config(renewal_days=2, churn_base=0.0, return_rate=0.3)
    cohort = Cohort(config, kit.keys, kit.alike(400, works.vectors[0], fee=7), works)
    days = np.zeros(400, int)
    for day in range(8):
        held = cohort.get("is_subscribed")
        days += held
        tally = cohort.run_day(kit.world(works, kit.FixedOffers([1, 2], 131), day))
        assert tally.counts[SUBSCRIBERS] == held.sum()
        after = cohort.get("is_subscribed")
        left, came = tally.counts[LEFT_SERVICE], tally.counts[CAME_BACK]
        assert ((held & ~after).sum(), (~held & after).sum()) == (left, came)
        assert tally.subscribers_by_community.tolist() == [after.sum(), 0, 0]
    assert 0 < days.min() < days.max() == 8
    assert cohort.usage(0).fee_units.tolist() == (7 * days).tolist()
    assert cohort.audience()["listeners"].tolist() == [400, 0, 0]
    cohort.close_epoch()
    assert cohort.usage(1).fee_units.sum() == 0


def test_satisfaction_moves_towards_the_mean_surplus_of_each_session(kit):
    """With one work on offer and no drift, surplus has a closed form: log(1 + exp(V - V0))."""
    works = kit.works()
    config = kit.once_a_day(
        max_slates=1, drift=0.0, kappa=2.0, popularity_weight=0.0, satisfaction_start=0.3, satisfaction_weight=0.25
    )
    taste = works.vectors[5]
    cohort = Cohort(config, kit.keys, kit.alike(50, taste), works)
    surplus = math.log1p(math.exp(2.0 - config.outside_utility))
    expected = 0.3
    for day in range(3):
        tally = cohort.run_day(kit.world(works, kit.FixedOffers([5], 131), day))
        assert tally.counts[TALLY.index("surplus_micro")] == pytest.approx(50e6 * surplus, rel=1e-5)
        expected += 0.25 * (surplus - expected)
    np.testing.assert_allclose(cohort.get("satisfaction"), expected, rtol=1e-5)
