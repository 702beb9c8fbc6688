"""Law 1: arms differ by what their pieces are, so once the labels are shuffled over the pieces no effect is left.

Two arms whose generators differ in consistency, and listeners who on average value it. With the true labels the arms
differ. With shuffled ones each piece comes from either generator by the toss of a coin keyed by the request, and the
two arms are handed opposite sides of it: what is left may not exceed what chance gives.
"""

import hashlib

import numpy as np
import pytest
from small_world import LISTENERS, PlainComposer, shard_factories, small_economy

from heritage_experiments.statistics import paired_difference
from heritage_sim.base import Keys, Origin
from heritage_sim.executors import LocalExecutor

NUM_REPLICATIONS = 16
KEEN = LISTENERS.model_copy(update={"consistency_taste_mean": 4.0, "consistency_taste_sd": 0.0})


class Shuffled:
    """Answers each request with one of two generators, by a coin that the request alone decides."""

    checkpoint_sha256 = ""

    def __init__(self, replication, side):
        self.sides = (PlainComposer(Origin.GENERATED, 0.95), PlainComposer(Origin.GENERATED, 0.35))
        self.replication, self.side = replication, side

    def compose(self, commissions):
        return [self.sides[self.coin(c)].compose([c])[0] for c in commissions]

    def coin(self, commission):
        toss = hashlib.sha256(f"{self.replication}/{commission.request_id}".encode()).digest()[0] & 1
        return toss ^ self.side


def share_of_generated(replication, generator):
    keys = Keys(root_seed=11, replication=replication)
    economy = small_economy(
        days=14,
        replication=replication,
        shadow=(),
        generator=generator,
        make_executor=lambda: LocalExecutor(shard_factories(keys, 1, KEEN)),
    )
    economy.run()
    return next(o.value for o in economy.results().outcomes if o.name == "plays_share_generated")


@pytest.fixture(scope="module")
def replications():
    return range(NUM_REPLICATIONS)


def difference(one, other):
    return paired_difference(np.array(one), np.array(other))


def test_true_labels_show_an_effect(replications):
    faithful = [share_of_generated(r, PlainComposer(Origin.GENERATED, 0.95)) for r in replications]
    careless = [share_of_generated(r, PlainComposer(Origin.GENERATED, 0.35)) for r in replications]
    assert difference(faithful, careless).low > 0.0


def test_shuffled_labels_show_none_beyond_chance(replications):
    heads = [share_of_generated(r, Shuffled(r, 0)) for r in replications]
    tails = [share_of_generated(r, Shuffled(r, 1)) for r in replications]
    found = difference(heads, tails)
    assert found.low <= 0.0 <= found.high
    assert not found.identical, "the two sides must differ piece by piece, or this test cannot fail"
