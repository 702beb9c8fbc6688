"""The bench compares like with like: the compiled step, plain Mesa and blocked NumPy live the same step."""

import numpy as np
import pytest

from heritage_experiments.bench import full_step, stripped_step
from heritage_sim.metrics import gini


def test_three_implementations_of_the_full_step_play_the_same_works():
    work = full_step.workload(300, 2_000, 3)
    lives = (full_step.live_kernel, full_step.live_mesa, full_step.live_numpy_blocked)
    kernel, plain_mesa, blocked = (live(work)[1] for live in lives)
    assert kernel.sum() > 500
    # float sums run in another order, so a near tie may turn; one in a thousand would be a fault
    assert np.abs(kernel - plain_mesa).sum() <= kernel.sum() / 1_000
    assert np.abs(kernel - blocked).sum() <= kernel.sum() / 1_000


def test_three_implementations_of_the_stripped_step_agree_in_distribution():
    """Their numbers differ, so their markets are compared: how unequal plays are, and how far tastes have turned."""
    found = {}
    for live in (stripped_step.live_kernel, stripped_step.live_numpy_blocked, stripped_step.live_mesa):
        market = stripped_step.market(2_000, 500)
        live(market, 3)
        assert market.plays.sum() == market.streams.sum() == 6_000
        assert np.linalg.norm(market.taste, axis=1) == pytest.approx(1.0, abs=1e-5)
        found[live.__name__] = (gini(market.plays), float((market.taste @ market.works.T).max(axis=1).mean()))
    inequality, match = np.array(list(found.values())).T
    assert np.ptp(inequality) < 0.03  # its standard error at this size is about .005
    assert np.ptp(match) < 0.003


def test_nobody_is_moved_but_towards_what_was_chosen():
    market = stripped_step.market(50, 40)
    before = market.taste.copy()
    stripped_step.live_kernel(market, 1)
    moved = market.taste - (market.taste * before).sum(axis=1, keepdims=True) * before
    towards = (moved / np.linalg.norm(moved, axis=1, keepdims=True)) @ market.works.T
    # the direction of the move lies in the plane of the old taste and one work
    plane = np.sqrt(np.maximum(1.0 - (before @ market.works.T) ** 2, 0.0))
    assert np.abs((towards / plane).max(axis=1) - 1.0).max() < 1e-2
