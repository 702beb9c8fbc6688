"""State can be put down, written, taken up and forked, bit for bit."""

import numpy as np
import pytest
from small_world import LISTENERS, lived, same_results, small_economy

from heritage_agents.listeners import cohort
from heritage_sim.base import InputError, StorageError
from heritage_sim.executors import reshard
from heritage_sim.sharding import shard_bounds
from heritage_sim.state_io import read_state, write_state


@pytest.fixture(scope="module")
def whole():
    return lived(days=20)


@pytest.mark.parametrize("day", [0, 3, 7, 13, 19])
def test_days_before_and_after_a_snapshot_equal_the_undisturbed_run(whole, day, tmp_path):
    first = small_economy(days=20)
    first.run(until=day)
    write_state(first.snapshot(), tmp_path / "state.npz")
    second = small_economy(days=20)
    second.restore(read_state(tmp_path / "state.npz"))
    second.run()
    same_results(whole, second)


def test_taking_a_snapshot_changes_nothing(whole):
    economy = small_economy(days=20)
    while economy.day < 20:
        economy.snapshot()
        economy.step()
    same_results(whole, economy)


@pytest.mark.parametrize("day", [4, 14])
def test_two_forks_with_one_rule_are_equal_to_each_other_and_to_the_trunk(whole, day):
    trunk = small_economy(days=20)
    trunk.run(until=day)
    one, two = trunk.fork(), trunk.fork()
    for economy in (one, two, trunk):
        economy.run()
        same_results(whole, economy)


def test_a_fork_under_another_rule_shares_the_past_and_pays_otherwise_from_then_on():
    trunk = small_economy(days=21)
    trunk.run(until=7)
    other = small_economy(days=21, rule="user_centric", shadow=("pro_rata",)).parts
    fork = trunk.fork(other)
    trunk.run()
    fork.run()
    a, b = trunk.results().tables["payouts"], fork.results().tables["payouts"]
    first = a["epoch"] == 0
    np.testing.assert_array_equal(a["units"][first], b["units"][first])
    np.testing.assert_array_equal(a["rule"][first], b["rule"][first])
    in_force = b["rule"][~b["shadow"] & ~first]
    assert set(in_force.tolist()) == {"user_centric"}


def test_a_snapshot_is_refused_by_an_economy_that_has_begun():
    economy = small_economy(days=3)
    state = economy.snapshot()
    economy.step()
    with pytest.raises(ValueError, match="not lived a day"):
        economy.restore(state)


def test_a_snapshot_of_another_number_of_shards_is_refused():
    state = lived(days=3, num_shards=2).snapshot()
    with pytest.raises(InputError, match="2 shards cannot be taken up by 1"):
        small_economy(days=3).restore(state)


@pytest.mark.parametrize("day", [4, 7])
def test_a_snapshot_of_two_shards_goes_on_in_three_with_the_same_outcomes(whole, day):
    first = small_economy(days=20, num_shards=2)
    first.run(until=day)
    state = first.snapshot()
    bounds = shard_bounds(LISTENERS.num_listeners, 3)
    second = small_economy(days=20, num_shards=3)
    second.restore(state | {"shards": reshard(state["shards"], bounds, cohort.reshard)})
    second.run()
    same_results(whole, second)


def test_a_state_comes_back_from_disk_with_types_and_values(tmp_path):
    state = {
        "big": 2**80,
        "nan": float("nan"),
        "none": None,
        "flag": True,
        "pair": (1, "x"),
        "raw": b"\x00\xff",
        "deep": [{"a": np.arange(3, dtype=np.int32)}, {"b": np.array(["ü", "x"])}],
        "empty": np.zeros((0, 3), dtype=np.float32),
    }
    write_state(state, tmp_path / "deep" / "s.npz")
    back = read_state(tmp_path / "deep" / "s.npz")
    assert back["big"] == 2**80
    assert np.isnan(back["nan"])
    assert back["none"] is None
    assert back["flag"] is True
    assert back["pair"] == (1, "x")
    assert back["raw"] == b"\x00\xff"
    assert back["deep"][0]["a"].dtype == np.int32
    assert back["deep"][1]["b"].tolist() == ["ü", "x"]
    assert back["empty"].shape == (0, 3)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["s.npz"]


@pytest.mark.parametrize("value", [{1: 2}, {"$x": 1}, object(), np.array([object()])])
def test_what_has_no_place_in_a_state_is_refused_and_leaves_no_file(value, tmp_path):
    with pytest.raises(TypeError):
        write_state({"value": value}, tmp_path / "s.npz")
    assert not list(tmp_path.iterdir())


def test_a_snapshot_cut_short_or_missing_is_reported_with_its_path(tmp_path):
    path = tmp_path / "s.npz"
    write_state({"a": np.arange(100)}, path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StorageError, match="could not be read") as cut:
        read_state(path)
    assert str(path) in cut.value.where
    with pytest.raises(StorageError, match="could not be read"):
        read_state(tmp_path / "missing.npz")


def test_a_file_of_another_kind_or_with_flipped_bits_is_reported_and_never_a_traceback(tmp_path):
    path = tmp_path / "s.npz"
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(StorageError, match="could not be read"):
        read_state(path)
    write_state({"a": np.arange(100)}, path)
    whole = path.read_bytes()
    central = whole.index(b"PK\x01\x02")
    for flag in (8, 10):  # flags and method of compression in the archive's list of files
        path.write_bytes(whole[: central + flag] + b"\x63" + whole[central + flag + 1 :])
        with pytest.raises(StorageError, match="could not be read"):
            read_state(path)
