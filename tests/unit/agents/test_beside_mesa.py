"""A shard of arrays lives as the same listeners in plain Mesa do, choice for choice. Costs about 25 s."""

import numpy as np
import pytest

from heritage_agents.config import ListenersConfig
from heritage_agents.listeners.cohort import Cohort
from heritage_agents.listeners.drawing import draw_listeners
from heritage_agents.listeners.noting import sample_of
from heritage_sim.base import TALLY

NUM_WORKS, NUM_ARCHIVE = 131, 120
NUMBERS = ("listener", "day", "session", "slate", "place", "work", "first_time")
WHOLE = ("listener", "day", "session", "start_s", "prior_sessions", "slates", "plays", "abandoned")


@pytest.mark.parametrize(
    ("offers", "num_listeners", "num_days"), [("RandomOffers", 1_000, 6), ("RankedOffers", 300, 4)]
)
def test_agrees_with_plain_mesa_choice_for_choice(kit, plain, offers, num_listeners, num_days):
    """All rules at once, each strong enough to show: releases, devices, familiarity, churn, return, word of mouth."""
    config = ListenersConfig(
        num_listeners=num_listeners,
        sessions_per_day=0.5,
        drift=0.2,
        release_pull=0.5,
        leave_prior=0.5,
        renewal_days=5,
        subscribed_at_start=0.8,
        return_rate=0.1,
        word_of_mouth=0.3,
    )
    works = kit.works(NUM_WORKS)
    works = kit.replace(
        works,
        available=np.arange(NUM_WORKS) % 5 != 0,
        day=np.where(np.arange(NUM_WORKS) < NUM_ARCHIVE, 0, np.arange(NUM_WORKS) % 3).astype(np.int32),
    )
    archive = kit.works(NUM_ARCHIVE)
    people = draw_listeners(config, kit.communities, kit.keys, 0, num_listeners, archive)
    fast = Cohort(config, kit.keys, people, archive, sample_of(kit.keys, num_listeners, num_listeners))
    slow = plain.PlainCohort(config, kit.keys, people)
    state = getattr(kit, offers)(NUM_WORKS, 37)
    total, exposures = np.zeros(len(TALLY), int), np.zeros(NUM_WORKS, int)
    for day in range(num_days):
        world = kit.world(works, state, day, shares=np.array([0.2, 0.9, 0.5]))
        tally = fast.run_day(world)
        slow.run_day(world, NUM_ARCHIVE)
        total += tally.counts
        exposures += tally.exposures_by_work
        subscribed = slow.column("subscribed")
        by_home = [int(subscribed[people.home == home].sum()) for home in range(3)]
        assert tally.subscribers_by_community.tolist() == by_home

    sessions = sorted(slow.sessions, key=lambda row: (row.listener, row.day, row.session))
    plays = sorted(slow.plays, key=lambda row: (row.listener, row.day, row.session, row.slate))
    assert len(plays) > 500
    assert max(row.session for row in sessions) >= 2
    assert slow.left_service > 5
    assert slow.came_back > 5
    got = fast.play_rows()
    for name in NUMBERS:
        assert got[name].tolist() == [getattr(row, name) for row in plays], name
    for name in ("score", "dwell_s", "duration_s"):
        np.testing.assert_allclose(got[name], [getattr(row, name) for row in plays], rtol=1e-5, atol=1e-5)
    noted = fast.session_rows()
    for name in WHOLE:
        assert noted[name].tolist() == [getattr(row, name) for row in sessions], name
    for name in ("prior_mean_s", "seconds"):
        np.testing.assert_allclose(noted[name], [getattr(row, name) for row in sessions], rtol=1e-6)

    counts = dict(zip(TALLY, total.tolist(), strict=True))
    surplus = [value for row in sessions for value in row.surplus]
    assert abs(counts.pop("surplus_micro") - 1e6 * sum(surplus)) <= 2 * len(surplus)
    assert counts == {
        "sessions": len(sessions),
        "slates": sum(row.slates for row in sessions),
        "plays": len(plays),
        "full_plays": sum(row.counted for row in plays),
        "abandonments": sum(row.abandoned for row in sessions),
        "seconds": sum(int(row.dwell_s) for row in plays),
        "left_service": slow.left_service,
        "came_back": slow.came_back,
        "subscribers": slow.paid_days,
    }
    assert exposures.tolist() == [slow.exposures.get(w, 0) for w in range(NUM_WORKS)]
    np.testing.assert_allclose(fast.get("taste"), slow.column("taste"), atol=2e-6)
    np.testing.assert_allclose(fast.history, slow.column("history"), atol=2e-6)
    np.testing.assert_allclose(fast.get("satisfaction"), slow.column("satisfaction"), rtol=1e-6)
    recent = [(listener.played[::-1] + [-1] * 16)[:16] for listener in slow.agents]
    np.testing.assert_array_equal(fast.recent, recent)
