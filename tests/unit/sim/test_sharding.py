"""Division into shards, sums over them, and usage between two readings, against brute force."""

import numpy as np
import pytest
from small_world import KEYS, shard_factories, world_of

from heritage_sim.base import Usage
from heritage_sim.executors import ShardHost
from heritage_sim.sharding import add_sums, shard_bounds, usage_since


@pytest.mark.parametrize(("listeners", "shards"), [(1, 1), (7, 3), (5_000, 5), (11, 11)])
def test_bounds_cover_every_listener_once_in_nearly_equal_parts(listeners, shards):
    bounds = shard_bounds(listeners, shards)
    assert [i for first, stop in bounds for i in range(first, stop)] == list(range(listeners))
    sizes = [stop - first for first, stop in bounds]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("shards", [0, 4])
def test_more_shards_than_listeners_or_none_are_refused(shards):
    with pytest.raises(ValueError, match="cannot be divided"):
        shard_bounds(3, shards)


def test_sums_refuse_shards_that_were_asked_about_different_catalogues():
    with pytest.raises(ValueError, match="shape of 'plays'"):
        add_sums([{"plays": np.zeros(3, np.int64)}, {"plays": np.zeros(4, np.int64)}])
    with pytest.raises(ValueError, match="differently"):
        add_sums([{"plays": np.zeros(3, np.int64)}, {"seconds": np.zeros(3, np.int64)}])


def usage_of(pairs, num_works, by_day, fee):
    """Build a usage of listeners 10, 11, 12 from {(row, work): (plays, seconds)}."""
    rows = sorted(pairs)
    indptr = np.searchsorted([r for r, _ in rows], np.arange(4)).astype(np.int64)
    return Usage(
        epoch=0,
        num_works=num_works,
        listener_ids=np.array([10, 11, 12]),
        fee_units=np.full(3, fee, dtype=np.int64),
        indptr=indptr,
        work_ids=np.array([w for _, w in rows], dtype=np.int32),
        plays=np.array([pairs[k][0] for k in rows], dtype=np.int64),
        seconds=np.array([pairs[k][1] for k in rows], dtype=np.int64),
        plays_by_day=np.array(by_day, dtype=np.int64),
    )


def test_usage_between_two_readings_is_their_difference_though_the_catalogue_grew():
    before = usage_of({(0, 1): (2, 90), (2, 0): (1, 40)}, 2, [[1, 2]], fee=5)
    now = usage_of({(0, 1): (2, 90), (0, 2): (1, 31), (2, 0): (4, 200)}, 3, [[1, 2, 0], [3, 0, 1]], fee=10)
    between = usage_since(now, before, 1)
    assert between.indptr.tolist() == [0, 1, 1, 2]
    assert between.work_ids.tolist() == [2, 0]
    assert between.plays.tolist() == [1, 3]
    assert between.seconds.tolist() == [31, 160]
    assert between.plays_by_day.tolist() == [[3, 0, 1]]
    assert between.fee_units.tolist() == [5, 5, 5]


def test_a_day_read_by_difference_equals_that_day_read_alone():
    factory = shard_factories(KEYS, 1)[0]
    running, fresh = ShardHost(factory()), ShardHost(factory())
    running.run_day(world_of(0))
    before = running.usage(0)
    running.run_day(world_of(1))
    fresh.run_day(world_of(0))
    fresh.close_epoch()
    fresh.run_day(world_of(1))
    between, alone = usage_since(running.usage(0), before, 1), fresh.usage(0)
    for name in ("indptr", "work_ids", "plays", "seconds", "plays_by_day", "fee_units"):
        np.testing.assert_array_equal(getattr(between, name), getattr(alone, name), err_msg=name)


def test_days_read_since_a_reading_before_the_first_day_keep_the_first() -> None:
    """The recommender asks once before anything was lived; with a longer period the next reading spans several days."""
    factory = shard_factories(KEYS, 1)[0]
    asked, plain = ShardHost(factory()), ShardHost(factory())
    before = asked.usage(0)
    for day in range(3):
        asked.run_day(world_of(day))
        plain.run_day(world_of(day))
    between, alone = usage_since(asked.usage(0), before, 0), plain.usage(0)
    for name in ("indptr", "work_ids", "plays", "seconds", "plays_by_day", "fee_units"):
        np.testing.assert_array_equal(getattr(between, name), getattr(alone, name), err_msg=name)
    assert between.plays_by_day.sum() == between.plays.sum() > 0


def test_a_first_day_without_plays_is_not_told_again():
    """Shards must agree on the days in between, whoever of them had plays on the first."""
    silent = usage_of({}, 2, [[0, 0]], fee=5)
    now = usage_of({(0, 1): (2, 90)}, 2, [[0, 0], [0, 2]], fee=10)
    assert usage_since(now, silent, 1).plays_by_day.tolist() == [[0, 2]]
    assert usage_since(now, silent, 0).plays_by_day.tolist() == [[0, 0], [0, 2]]
    assert usage_since(now, now, 2).plays_by_day.tolist() == [[0, 0]]
