"""Sessions and plays of a sample, row by row: who is in it, what agrees with the tallies, what a row may know."""

import numpy as np
import pytest
from scipy import stats

from heritage_agents.listeners.cohort import make_shard, reshard
from heritage_agents.listeners.noting import sample_of
from heritage_sim.base import TALLY, Keys
from heritage_sim.sharding import shard_bounds


def shards_of(kit, config, bounds, sample):
    return [make_shard(config, kit.keys, a, b, kit.works(), kit.communities, sample) for a, b in bounds]


def live(kit, shards, days, state=None):
    works = kit.works()
    state = state or kit.RandomOffers(131, 40)
    return sum(shard.run_day(kit.world(works, state, day)).counts for day in days for shard in shards)


def joined(shards, rows):
    return {
        name: np.concatenate([getattr(shard, rows)()[name] for shard in shards]) for name in getattr(shards[0], rows)()
    }


@pytest.mark.parametrize("size", [0, 1, 30, 60, 99, 100, 1_000])
def test_sample_has_the_size_asked_for(kit, size):
    ids = sample_of(kit.keys, 100, size)
    assert ids.size == min(size, 100)
    assert (np.diff(ids) > 0).all()
    assert ids.size == 0 or (ids.min() >= 0 and ids.max() < 100)


@pytest.mark.parametrize("size", [3, 9])
def test_every_listener_is_as_likely_to_be_in_the_sample(size):
    times = np.zeros(12, int)
    for replication in range(600):
        times[sample_of(Keys(1, replication), 12, size)] += 1
    assert stats.chisquare(times).pvalue > 1e-3


@pytest.mark.parametrize("offers", ["RandomOffers", "RankedOffers"])
def test_rows_of_everybody_add_up_to_the_tallies(kit, offers):
    (shard,) = shards_of(kit, kit.config(), [(0, 240)], 240)
    counts = dict(zip(TALLY, live(kit, [shard], range(6), getattr(kit, offers)(131, 30)).tolist(), strict=True))
    sessions, plays = shard.session_rows(), shard.play_rows()
    assert sessions["day"].size == counts["sessions"] > 500
    assert plays["day"].size == sessions["plays"].sum() == counts["plays"] > 500
    assert sessions["slates"].sum() == counts["slates"]
    assert sessions["abandoned"].sum() == counts["abandonments"]
    assert np.floor(plays["dwell_s"]).sum() == counts["seconds"]
    # a session lasts as long as its slates are looked at and its plays are heard
    key = {
        name: (rows["listener"] * 100 + rows["day"]) * 16 + rows["session"]
        for name, rows in (("sessions", sessions), ("plays", plays))
    }
    assert (np.diff(key["sessions"]) > 0).all()
    heard = np.bincount(np.searchsorted(key["sessions"], key["plays"]), plays["dwell_s"], key["sessions"].size)
    np.testing.assert_allclose(sessions["seconds"], 15.0 * sessions["slates"] + heard)
    assert (plays["dwell_s"] <= plays["duration_s"]).all()
    assert 0 <= plays["place"].min() < plays["place"].max() <= 9
    first = {}
    for row in range(plays["day"].size):
        pair = (plays["listener"][row], plays["work"][row])
        assert plays["first_time"][row] == (pair not in first)
        first[pair] = True


def test_prior_history_never_contains_the_current_session(kit):
    """Recomputed from the lengths of the rows before; of the current row nothing enters."""
    (shard,) = shards_of(kit, kit.config(sessions_per_day=1.5), [(0, 240)], 240)
    live(kit, [shard], range(8))
    rows = shard.session_rows()
    lengths: dict[int, list[float]] = {}
    leaks = 0
    for listener, length, number, mean in zip(
        *(rows[name] for name in ("listener", "seconds", "prior_sessions", "prior_mean_s")), strict=True
    ):
        before = lengths.setdefault(int(listener), [])
        assert number == len(before)
        assert mean == pytest.approx(np.mean(before) if before else 0.0)
        before.append(float(length))
        leaks += mean == pytest.approx(np.mean(before))
    assert leaks < 0.05 * rows["day"].size  # the mean with the current session would be another number
    np.testing.assert_allclose(shard.get("session_s"), [sum(lengths.get(i, [0.0])) for i in range(240)])


def test_noting_a_sample_changes_nothing_and_notes_these_listeners_alone(kit):
    (some,), (nobody,), (everybody,) = (shards_of(kit, kit.config(), [(0, 240)], n) for n in (40, 0, 240))
    counts = [live(kit, [shard], range(5)) for shard in (some, nobody, everybody)]
    np.testing.assert_array_equal(counts[0], counts[1])
    np.testing.assert_array_equal(counts[0], counts[2])
    assert nobody.session_rows()["day"].size == nobody.play_rows()["day"].size == 0
    ids = sample_of(kit.keys, 240, 40)
    for rows in ("session_rows", "play_rows"):
        mine, all_ = getattr(some, rows)(), getattr(everybody, rows)()
        inside = np.isin(all_["listener"], ids)
        for name, column in all_.items():
            np.testing.assert_array_equal(mine[name], column[inside], err_msg=name)
    assert 20 < np.unique(some.session_rows()["listener"]).size <= 40


@pytest.mark.parametrize("num_shards", [1, 2, 3, 7])
def test_rows_do_not_depend_on_shards_and_survive_a_new_division(kit, num_shards):
    (whole,) = shards_of(kit, kit.config(), [(0, 240)], 100)
    parts = shards_of(kit, kit.config(), shard_bounds(240, num_shards), 100)
    live(kit, [whole], range(6))
    live(kit, parts, range(3))
    again = shards_of(kit, kit.config(), shard_bounds(240, 2), 100)
    for shard, state in zip(again, reshard([shard.snapshot() for shard in parts], shard_bounds(240, 2)), strict=True):
        shard.restore(state)
    for shards in (parts, again):
        live(kit, shards, range(3, 6))
        for rows in ("session_rows", "play_rows"):
            got = joined(shards, rows)
            for name, column in getattr(whole, rows)().items():
                assert got[name].dtype == column.dtype
                np.testing.assert_array_equal(got[name], column, err_msg=name)
