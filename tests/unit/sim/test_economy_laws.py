"""The laws: outcomes depend neither on shards, nor on names, nor on what another rule does."""

import numpy as np
import pytest
from small_world import lived, same_results, small_economy


@pytest.fixture(scope="module")
def one_shard():
    return lived(days=20)


@pytest.mark.parametrize("num_shards", [2, 5])
def test_outcomes_are_bit_identical_for_any_number_of_shards(one_shard, num_shards):
    same_results(one_shard, lived(days=20, num_shards=num_shards))


def test_two_runs_of_one_mechanism_are_equal(one_shard):
    same_results(one_shard, lived(days=20))


def test_another_replication_differs(one_shard):
    other = lived(days=20, replication=2)
    assert other.recorder.daily_table().tolist() != one_shard.recorder.daily_table().tolist()


def test_before_the_first_statement_nothing_depends_on_the_rule():
    daily = [lived(days=7, rule=rule, shadow=()).recorder.daily_table() for rule in ("pro_rata", "user_centric")]
    np.testing.assert_array_equal(daily[0], daily[1])


def test_shadow_rules_have_no_effect_and_equal_the_rule_in_force_on_its_own_usage(one_shard):
    alone = lived(days=20, shadow=())
    np.testing.assert_array_equal(alone.recorder.daily_table(), one_shard.recorder.daily_table())
    same = lived(days=20, shadow=("pro_rata",)).results()
    values = {o.name: o.value for o in same.outcomes}
    static = {n.removeprefix("static.pro_rata."): v for n, v in values.items() if n.startswith("static.")}
    assert static
    np.testing.assert_array_equal([values[name] for name in static], list(static.values()))


def test_nothing_is_drawn_from_mesas_generators():
    economy = small_economy(days=10)
    before = (economy.random.getstate(), economy.rng.bit_generator.state)
    economy.run()
    assert (economy.random.getstate(), economy.rng.bit_generator.state) == before
