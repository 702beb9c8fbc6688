"""Demand: how often buyers ask, for what, and that any window of time shows the same requests. Costs about 2 s."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate, stats

from heritage_agents.demand.buyers import BuyerArrivals, poisson_counts
from heritage_agents.demand.commissions import CommissionsMade, CreatorArrivals
from heritage_agents.demand.config import DemandConfig
from heritage_agents.demand.rates import expected_requests, rate_per_s, second_of_day
from heritage_agents.demand.shelves import Shelf, Shelves
from heritage_sim.base import DAY_S, InputError, Keys

KEYS = Keys(71, 4)
HOUR_S = 3_600
WEEKS = 8
TAIL = 1e-4


def shelves(sizes=(30, 12), max_events=64):
    made = []
    for t, size in enumerate(sizes):
        lengths = 20 + 5 * (np.arange(size) % 14)
        made.append(Shelf(f"t{t}", tuple(f"{t:02d}{i:062d}" for i in range(size)), lengths.astype(np.int64)))
    return Shelves(made, takes=3, max_events=max_events)


def buyers(keys=KEYS, **fields):
    return BuyerArrivals(DemandConfig(**fields), shelves(), keys)


def times(source, start_s, stop_s):
    return np.array([a.at_s for a in source.arrivals(start_s, stop_s)])


def moments(source, days):
    """Return the moments alone, without what is asked for: many more are had in the same time."""
    return np.concatenate([source.moments(24 * day, 24 * day + 24)[1] for day in range(days)])


def expected_by_hand(config, start_s, stop_s):
    """Integrate the rate as the module's docstring states it, second by second where it is smooth."""

    def rate(t):
        hour, day = int(t // HOUR_S), int(t // DAY_S)
        shape = config.hourly[hour % 24] / np.mean(config.hourly) * config.weekly[day % 7] / np.mean(config.weekly)
        released = hour - config.release_hour
        burst = 0.0
        if released >= 24 * config.release_every_days:
            age = released % (24 * config.release_every_days)
            burst = config.release_burst * np.exp(-age / config.release_decay_h)
        return config.buyers_per_day / DAY_S * shape * (1.0 + burst)

    edges = np.unique([start_s, *np.arange(-(-start_s // HOUR_S) * HOUR_S, stop_s, HOUR_S), stop_s])
    return sum(integrate.quad(rate, a, b - 1e-9)[0] for a, b in pairwise(edges))


def test_the_expected_number_is_the_integral_of_the_stated_rate():
    config = DemandConfig(buyers_per_day=300.0, release_every_days=3)
    for start, stop in ((0.0, 9 * DAY_S), (12_345.0, 12_999.0), (5 * HOUR_S + 10.0, 4 * DAY_S + 77.0)):
        assert expected_requests(config, start, stop) == pytest.approx(expected_by_hand(config, start, stop), rel=1e-6)


def test_requests_by_hour_of_the_week_fit_the_integral_of_the_rate():
    config = DemandConfig(buyers_per_day=400.0)
    at = moments(BuyerArrivals(config, shelves(), KEYS), WEEKS * 7)
    week_hour = (at // HOUR_S).astype(int) % 168
    counts = np.bincount(week_hour, minlength=168)
    expected = rate_per_s(config, np.arange(WEEKS * 168)).reshape(WEEKS, 168).sum(axis=0) * HOUR_S
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert stats.chi2.ppf(TAIL, 168) < chi_square < stats.chi2.isf(TAIL, 168)


def test_windows_are_independent_and_poisson():
    flat = {"hourly": (1.0,) * 24, "weekly": (1.0,) * 7, "release_burst": 0.0}
    at = moments(buyers(buyers_per_day=600.0, **flat), 100)
    counts = np.bincount((at // HOUR_S).astype(int), minlength=2_400)
    # Of a Poisson process the index of dispersion is 1, and counts of neighbouring windows are uncorrelated.
    dispersion = counts.var(ddof=1) / counts.mean() * (counts.size - 1)
    assert stats.chi2.ppf(TAIL, counts.size - 1) < dispersion < stats.chi2.isf(TAIL, counts.size - 1)
    correlation = np.corrcoef(counts[:-1], counts[1:])[0, 1]
    assert abs(correlation) < stats.norm.isf(TAIL / 2) / np.sqrt(counts.size)


def test_moments_are_spread_evenly_over_a_slot():
    flat = {"hourly": (1.0,) * 24, "weekly": (1.0,) * 7, "release_burst": 0.0}
    at = moments(buyers(buyers_per_day=3_000.0, **flat), 4)
    assert stats.kstest(at % 60.0 / 60.0, "uniform").pvalue > TAIL


@pytest.mark.parametrize("mean", [0.003, 0.7, 12.0, 900.0])
def test_poisson_numbers_are_the_inverse_of_the_distribution(mean):
    u = (np.arange(1, 2_000) - 0.5) / 2_000
    np.testing.assert_array_equal(poisson_counts(mean, u), stats.poisson.ppf(u, mean))
    assert poisson_counts(0.0, u).sum() == 0


def test_a_release_raises_the_rate_from_its_hour_on_and_day_0_has_none():
    config = DemandConfig(release_every_days=7, release_hour=9, release_burst=2.0, release_decay_h=6.0)
    plain = config.model_copy(update={"release_burst": 0.0})
    hours = np.array([9, 7 * 24 + 8, 7 * 24 + 9, 7 * 24 + 15])
    lift = rate_per_s(config, hours) / rate_per_s(plain, hours) - 1.0
    np.testing.assert_allclose(lift, [0.0, 0.0, 2.0, 2.0 * np.exp(-1.0)], atol=1e-12)


def test_a_new_mix_moves_no_moment():
    one, other = (buyers(tradition_weights=w, source_skew=s) for w, s in (({}, 0.0), ({"t0": 5.0}, 2.0)))
    a, b = list(one.arrivals(0.0, 2.0 * DAY_S)), list(other.arrivals(0.0, 2.0 * DAY_S))
    assert [(x.at_s, x.request_id, x.take, x.patience_s) for x in a] == [
        (x.at_s, x.request_id, x.take, x.patience_s) for x in b
    ]
    assert [x.tradition for x in a] != [x.tradition for x in b]


def test_what_is_asked_for_follows_the_weights_and_zipfs_law():
    config = DemandConfig(buyers_per_day=4_000.0, tradition_weights={"t0": 3.0}, source_skew=1.0)
    asked = list(BuyerArrivals(config, shelves(), KEYS).arrivals(0.0, 2.0 * DAY_S))
    of_t0 = [a.source_sha256 for a in asked if a.tradition == "t0"]
    assert stats.binomtest(len(of_t0), len(asked), 0.75).pvalue > TAIL
    _, counts = np.unique(of_t0, return_counts=True)
    zipf = 1.0 / np.arange(1, 31)
    expected = len(of_t0) * zipf / zipf.sum()
    # The order of favourites is drawn, so the largest counts meet the first ranks.
    assert counts.size == 30
    observed = np.sort(counts)[::-1]
    assert abs(observed[0] - expected[0]) < 4.5 * np.sqrt(expected[0])
    assert stats.chisquare(observed, expected).pvalue > TAIL
    takes = np.bincount([a.take for a in asked], minlength=3)
    assert stats.chisquare(takes).pvalue > TAIL


def test_lengths_are_those_of_the_archive_up_to_the_longest_piece_that_is_made():
    asked = list(buyers(buyers_per_day=2_000.0).arrivals(0.0, 1.0 * DAY_S))
    known = {source: n for s in shelves().shelves for source, n in zip(s.sources, s.num_events.tolist(), strict=True)}
    assert all(a.prompt_events == known[a.source_sha256] for a in asked)
    assert {a.length_events for a in asked} == {min(n, 64) for n in known.values()}


def test_patience_is_log_normal_with_the_stated_median():
    asked = list(buyers(buyers_per_day=5_000.0, buyer_patience_median_s=30.0, patience_sd=0.5).arrivals(0.0, DAY_S))
    logs = np.log([a.patience_s for a in asked])
    assert stats.kstest((logs - np.log(30.0)) / 0.5, "norm").pvalue > TAIL


def test_replications_differ_and_a_replication_repeats():
    one, again, other = (times(buyers(keys), 0.0, DAY_S) for keys in (KEYS, KEYS, Keys(71, 5)))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other[: one.size])


def test_the_second_of_day_inverts_the_hourly_profile():
    config = DemandConfig()
    seconds = second_of_day(config, np.linspace(0.0, 1.0, 101))
    flat = config.model_copy(update={"weekly": (1.0,) * 7, "release_burst": 0.0, "buyers_per_day": 1.0})
    np.testing.assert_allclose(
        [expected_requests(flat, 0.0, s) for s in seconds], np.linspace(0.0, 1.0, 101), atol=1e-9
    )


def test_creators_commissions_keep_their_day_source_and_take():
    work = shelves().shelves[1]
    made = CommissionsMade(
        day=np.array([3, 0, 3]),
        creator=np.array([5, 5, 2]),
        take=np.array([0, 2, 1]),
        tradition=("t1", "t1", "t1"),
        source=(work.sources[0], work.sources[3], work.sources[1]),
    )
    asked = list(CreatorArrivals(DemandConfig(), shelves(), KEYS, made).arrivals(0.0, 10.0 * DAY_S))
    assert sorted((a.at_s // DAY_S, a.request_id, a.take, a.source_sha256) for a in asked) == [
        (0, "creator-5-0", 2, work.sources[3]),
        (3, "creator-2-3", 1, work.sources[1]),
        (3, "creator-5-3", 0, work.sources[0]),
    ]
    # Who else commissions moves nobody's moment.
    alone = CommissionsMade(made.day[:1], made.creator[:1], made.take[:1], made.tradition[:1], made.source[:1])
    (own,) = CreatorArrivals(DemandConfig(), shelves(), KEYS, alone).arrivals(0.0, 10.0 * DAY_S)
    assert own in asked


def test_what_cannot_be_asked_for_is_refused_by_name():
    with pytest.raises(InputError, match="no tradition 'flute'"):
        buyers(tradition_weights={"flute": 1.0})
    with pytest.raises(InputError, match="nobody asks"):
        buyers(tradition_weights={"t0": 0.0, "t1": 0.0})
    with pytest.raises(InputError, match="no archive work to build on"):
        Shelves([Shelf("empty", (), np.zeros(0, dtype=np.int64))], takes=1, max_events=8)
    with pytest.raises(InputError, match="content hash"):
        shelves().length_of("ff")
    for wrong in ({"hourly": (0.0,) * 24}, {"hourly": (1.0,) * 23}, {"weekly": (-1.0, *(1.0,) * 6)}):
        with pytest.raises(ValidationError):
            DemandConfig(**wrong)
    with pytest.raises(ValidationError, match="must not be negative"):
        DemandConfig(tradition_weights={"t0": -1.0})
