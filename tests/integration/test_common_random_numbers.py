"""What common random numbers are worth where people respond to the rule: two rules, 30 pairs. About 15 CPU seconds.

The reference is the same two rules with independent seeds: of a difference of independent figures the variance is the
sum of theirs. Everything that answers to money is on, and steep: creators decide by what statements told them, enter
and leave, learn from one another; communities guard their terms; listeners leave the service, and come back.
"""

import numpy as np
import pytest
import small_world
from small_world import COMMUNITIES, CREATORS, LISTENERS, shard_factories, small_parts

from heritage_sim.base import Keys
from heritage_sim.config import EconomyConfig
from heritage_sim.economy import Economy
from heritage_sim.executors import LocalExecutor

pytestmark = [pytest.mark.slow, pytest.mark.integration]

NUM_PAIRS = 30
AT_LEAST = 5.0
"""Times that the variance has to be smaller with common random numbers."""
STEEP = CREATORS.model_copy(update={"num_per_community": 8, "decision_scale_units": 5_000_000})
MANY = LISTENERS.model_copy(update={"num_listeners": 400})
PRIMARY = "payout_gini_creators"
DOINGS = ("works_recorded", "works_generated")


@pytest.fixture(scope="module")
def pairs():
    """Outcomes by rule, replications in order."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_world, "CREATORS", STEEP)
        for rule in ("user_centric", "pro_rata"):
            made[rule] = [outcomes(rule, Keys(11, replication)) for replication in range(NUM_PAIRS)]
    return made


def outcomes(rule, keys):
    shards = shard_factories(keys, 1, MANY, COMMUNITIES)
    parts = small_parts(keys, rule=rule, shadow=(), make_executor=lambda: LocalExecutor(shards))
    economy = Economy(EconomyConfig(days=28, epoch_days=7), parts, keys)
    economy.run()
    return {outcome.name: outcome.value for outcome in economy.results().outcomes}


def of(pairs, name):
    return (np.array([figures[name] for figures in pairs[rule]]) for rule in ("user_centric", "pro_rata"))


def test_people_respond_to_the_rule_in_many_of_the_pairs(pairs):
    """Else the worlds would be paired because nothing happened in them."""
    for_doing = [np.not_equal(*of(pairs, name)) for name in DOINGS]
    assert np.logical_or(*for_doing).sum() >= NUM_PAIRS // 3


def test_the_difference_of_two_rules_varies_five_times_less_than_with_independent_seeds(pairs):
    treatment, control = of(pairs, PRIMARY)
    paired = (treatment - control).var(ddof=1)
    independent = treatment.var(ddof=1) + control.var(ddof=1)
    print(f"{PRIMARY}: variance {independent / paired:.1f} times smaller over {NUM_PAIRS} pairs")
    assert paired > 0.0
    assert independent / paired >= AT_LEAST


def test_independent_seeds_are_as_noisy_as_the_sum_of_their_variances(pairs):
    """The reference, measured: replication r of one rule against r + k of the other, over all k."""
    treatment, control = of(pairs, PRIMARY)
    shifted = [(treatment - np.roll(control, k)).var(ddof=1) for k in range(1, NUM_PAIRS)]
    independent = treatment.var(ddof=1) + control.var(ddof=1)
    assert np.mean(shifted) == pytest.approx(independent, rel=0.15)
