"""Where a difference changes sign along a sweep: against lines whose crossing is known. Under 3 s."""

import numpy as np
import pytest

from heritage_experiments.statistics import Crossing, sign_flip
from heritage_experiments.statistics.sign_flip import crossings
from heritage_sim.base import Keys

X = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def noise(num_replications, scale, replication=0):
    rows = Keys(3, replication).stream("test", "noise").normals(np.arange(X.size), 0, num_replications)
    return scale * rows


def flip(curve, spread=None, n=8):
    """Return the flip of a treatment whose difference from the control is `curve`, plus a spread by replication."""
    control = 5.0 + noise(n, 1.0, replication=9)
    return sign_flip(X, control + np.asarray(curve)[:, None] + (0.0 if spread is None else spread), control)


def test_a_straight_line_crosses_where_it_does():
    # d = 0.4 (x - 0.3), the same in every replication
    found = flip(0.4 * (X - 0.3))
    assert found.crossing is Crossing.ONE
    assert found.points == pytest.approx((0.3,))
    assert (found.low, found.high) == pytest.approx((0.3, 0.3))
    assert found.support == 1.0
    assert found.shown
    assert found.n == 8


def test_a_line_that_falls_crosses_as_one_that_rises():
    assert flip(-0.4 * (X - 0.3)).points == pytest.approx((0.3,))


def test_a_shift_of_each_replication_moves_the_point_as_the_arithmetic_says():
    """d_r = x - s_r crosses at s_r; the mean curve crosses at the mean of s, and its bootstrap is that of a mean."""
    shift = Keys(5, 0).stream("test", "shift").normals(np.arange(200), 0, 1)[:, 0] * 0.5
    control = np.zeros((X.size, shift.size))
    found = sign_flip(X, X[:, None] - shift[None, :], control)
    assert found.points == pytest.approx((shift.mean(),))
    half = 1.96 * shift.std(ddof=1) / np.sqrt(shift.size)
    assert found.low == pytest.approx(shift.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(shift.mean() + half, abs=0.15 * half)


def test_the_interval_covers_the_true_point_about_as_often_as_it_says():
    truth, covered, of = 0.25, 0, 100
    for r in range(of):
        found = flip(X - truth, noise(20, 0.8, replication=r), n=20)
        covered += found.crossing is Crossing.ONE and found.low <= truth <= found.high
    assert covered / of > 0.88


def test_a_difference_of_one_sign_has_no_point():
    found = flip(np.array([0.1, 0.3, 0.2, 0.4, 0.1]))
    assert found.crossing is Crossing.NEVER
    assert found.points == ()
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert not found.shown


def test_no_difference_anywhere_is_said_to_be_none():
    found = flip(np.zeros(5))
    assert found.crossing is Crossing.NONE
    assert found.points == ()


def test_several_crossings_are_all_named_and_no_interval_is_given():
    found = flip(np.array([-1.0, 1.0, 0.5, -0.5, 1.0]))
    assert found.crossing is Crossing.SEVERAL
    assert found.points == pytest.approx((-1.5, 0.5, 1.0 + 1.0 / 3.0))
    assert np.isnan(found.low)


def test_a_crossing_that_noise_alone_may_have_made_is_not_shown_and_its_interval_is_open():
    found = flip(0.05 * (X + 1.9), noise(10, 0.3), n=10)
    assert not found.shown
    if found.crossing is Crossing.ONE:
        assert found.support < 1.0
        assert np.isinf(found.low) or np.isinf(found.high)


def test_the_open_end_is_on_the_side_where_the_crossing_would_lie():
    """At -1.9 the crossing is next to the first value: resamples without one have it before the range."""
    spread = np.tile(noise(12, 0.4)[0], (X.size, 1))
    found = flip(X + 1.9, spread - spread.mean(), n=12)
    assert found.crossing is Crossing.ONE
    assert found.low == -np.inf
    assert np.isfinite(found.high)


@pytest.mark.parametrize(
    ("y", "points"),
    [
        ((-1.0, 0.0, 1.0), (0.0,)),
        ((-1.0, 0.0, -1.0), ()),
        ((0.0, 1.0, 1.0), ()),
        ((-1.0, -1.0, 0.0), ()),
        ((1.0, -3.0, -1.0), (-0.75,)),
    ],
)
def test_a_touch_of_zero_is_no_change_of_sign(y, points):
    assert crossings(np.array([-1.0, 0.0, 1.0]), np.array(y)) == pytest.approx(points)


def test_zeros_between_two_signs_count_once():
    assert crossings(X, np.array([-1.0, 0.0, 0.0, 0.0, 2.0])) == (0.0,)


def test_a_replication_that_lacks_a_value_is_left_out():
    treatment = (X - 0.5)[:, None] * np.ones(6)
    treatment[2, 3] = np.nan
    found = sign_flip(X, treatment, np.zeros_like(treatment))
    assert found.n == 5
    assert found.points == pytest.approx((0.5,))
    assert [at.n for at in found.at_values] == [6, 6, 5, 6, 6]


def test_one_replication_has_a_point_and_no_interval():
    found = sign_flip(X, (X - 0.5)[:, None], np.zeros((5, 1)))
    assert found.points == pytest.approx((0.5,))
    assert np.isnan(found.low)
    assert not found.shown


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 0.0], [1.0]])
def test_values_that_do_not_ascend_are_refused(values):
    grid = np.zeros((len(values), 3))
    with pytest.raises(ValueError, match="ascending"):
        sign_flip(values, grid, grid)
