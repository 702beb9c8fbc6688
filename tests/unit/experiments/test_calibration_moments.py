"""Each aggregate against a count by hand."""

import math

import numpy as np
import pytest

from heritage_experiments.calibration.listening import Listened
from heritage_experiments.calibration.moments import moment
from heritage_sim.base import InputError

PLAYS = np.array([0, 0, 1, 2, 7])
HEARD = Listened(
    days=10,
    plays=PLAYS,
    works=np.array([0, 0, 1, 2, 3]),
    plays_by_work=np.array([1, 6, 0, 3]),
    sessions=np.array([1, 1, 1, 2, 5]),
    dwell_s=np.array([2.5, 10.0, 40.0, 100.0]),
    totals={"sessions": 10, "full_plays": 10, "seconds": 600, "abandonments": 4, "left_service": 3, "subscribers": 45},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plays_by_rank.1-1", 0.6),
        ("plays_by_rank.2-3", 0.4),
        ("plays_by_rank.2-", 0.4),
        ("plays_by_rank.top25%", 0.6),
        ("plays_by_rank.25%-50%", 0.3),
        ("plays_by_rank.top12.5%", 0.3),  # half of the first of four works
        ("plays_per_listener.mean", 2.0),
        ("plays_per_listener.zeros", 0.4),
        ("plays_per_listener.cv", PLAYS.std() / 2.0),
        ("plays_per_listener.top20%", 0.7),
        ("plays_per_active.mean", 10 / 3),
        ("works_per_listener.mean", 1.2),
        ("plays_by_work.gini", sum(abs(a - b) for a in (1, 6, 0, 3) for b in (1, 6, 0, 3)) / (2 * 16 * 2.5)),
        ("sessions_per_listener.mean", 2.0),
        ("dwell_s.mean", 38.125),
        ("dwell_s.q50", 25.0),
        ("per_session.plays", 1.0),
        ("per_session.seconds", 60.0),
        ("per_session.abandoned", 0.4),
        ("churn.per_30_days", 2.0),  # three of 45 subscriber-days, thirty times
    ],
)
def test_a_moment_is_what_counting_by_hand_gives(name, value):
    assert moment(name).of(HEARD) == pytest.approx(value, rel=1e-12)


def test_a_quantile_of_counts_is_that_of_counts_spread_over_their_unit():
    # Three fifths of the listeners come once: the median lies at 5/6 of the unit from 0.5 to 1.5.
    assert moment("sessions_per_listener.q50").of(HEARD) == pytest.approx(0.5 + 0.5 / 0.6)
    assert moment("sessions_per_listener.q90/q50").of(HEARD) == pytest.approx((4.5 + 0.5) / (0.5 + 0.5 / 0.6))
    counts = np.repeat(np.arange(6.0), [3, 9, 4, 2, 1, 1])
    spread = np.concatenate([c - 0.5 + (np.arange(4_000) + 0.5) / 4_000 for c in counts])
    of_counts = Listened(**{f: getattr(HEARD, f) for f in HEARD.__slots__ if f != "plays"}, plays=counts)
    for percent in (5, 33, 50, 66, 90):
        assert moment(f"plays_per_listener.q{percent}").of(of_counts) == pytest.approx(
            np.quantile(spread, percent / 100), abs=2e-3
        )


def test_what_cannot_be_computed_is_nan():
    silent = Listened(
        10, PLAYS * 0, PLAYS * 0, np.zeros(4, np.int64), PLAYS * 0, np.zeros(0), dict.fromkeys(HEARD.totals, 0)
    )
    for name in (
        "plays_by_rank.1-2",
        "plays_per_listener.gini",
        "plays_per_active.mean",
        "dwell_s.q50",
        "churn.per_30_days",
    ):
        assert math.isnan(moment(name).of(silent)), name


@pytest.mark.parametrize(
    "name",
    ["plays.mean", "plays_by_work.median", "plays_by_rank.5-2", "plays_by_rank.0-3", "plays_by_rank.top120%",
     "dwell_s", "per_session.mean", "churn.rate", "plays_per_listener.q100"],
)  # fmt: skip
def test_an_unknown_moment_is_refused_with_what_there_is(name):
    with pytest.raises(InputError) as refused:
        moment(name, "t.yaml, line 3")
    assert refused.value.where == "t.yaml, line 3"
    assert refused.value.remedy
