"""What every `Population` promises, run on every implementation."""

from __future__ import annotations

import pickle
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from heritage_agents.adversaries.config import AdversariesConfig
from heritage_agents.adversaries.shard import make_shard_with_bots
from heritage_agents.config import CommunityConfig, ListenersConfig
from heritage_agents.listeners.cohort import make_shard
from heritage_sim.base import TALLY, Keys, Population, WorkFeatures, World
from heritage_sim.executors import LocalExecutor
from heritage_sim.sharding import add_tallies

NUM_LISTENERS, NUM_WORKS, DIM = 90, 60, 20
KEYS = Keys(root_seed=41, replication=2)


def works(num_works=NUM_WORKS):
    raw = KEYS.stream("test", "vectors").normals(np.arange(num_works), 0, DIM)
    of = (np.arange(num_works) % 2).astype(np.int32)
    return WorkFeatures(
        vectors=(raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32),
        tradition=of,
        community=of,
        day=np.zeros(num_works, np.int32),
        consistency=np.full(num_works, 0.8, np.float32),
        duration_s=np.full(num_works, 90.0, np.float32),
        available=np.arange(num_works) % 7 != 0,
    )


class Offers:
    affinity = 1.5

    def __init__(self, num_works):
        self.bias = np.linspace(-0.5, 0.5, num_works).astype(np.float32)

    def candidates(self, listener_ids, history, day):
        start = KEYS.stream("test", "start").integer(listener_ids, day, self.bias.size)
        offered = (start[:, None] + 7 * np.arange(25)) % self.bias.size
        offered[:, -1] = -1
        return offered.astype(np.int32)


def world(day, num_works=NUM_WORKS):
    shown = np.arange(num_works, dtype=np.int64)
    bought = np.array([1, 2, 4, 5], dtype=np.int32)
    shares = np.array([0.3, 0.9])
    return World(day, works(num_works), Offers(num_works), shown, subscribed_share=shares, bought_works=bought)


CONFIG = ListenersConfig(
    num_listeners=NUM_LISTENERS, sessions_per_day=0.7, renewal_days=4, churn_base=0.0, word_of_mouth=0.3
)
BOTS = AdversariesConfig(bots=11, bot_plays_per_day=9)


def cohort(first, stop):
    communities = [CommunityConfig(name=name, tradition=name) for name in ("Tirtanala", "Quilluma")]
    return partial(make_shard, CONFIG, KEYS, first, stop, works(), communities)


def bots_of(first, stop):
    """Return the bots that go with listeners, such that any division of these divides all of those."""
    return BOTS.bots * first // NUM_LISTENERS, BOTS.bots * stop // NUM_LISTENERS


def with_bots(first, stop):
    return partial(make_shard_with_bots, cohort(first, stop), BOTS, CONFIG, KEYS, *bots_of(first, stop))


@pytest.fixture(params=[cohort, with_bots], ids=["cohort", "with_bots"])
def factory(request):
    """``factory(first, stop)`` returns a picklable callable that builds the shard of these listeners.

    A shard may hold further accounts, with ids above all listeners': they play and pay, and no tally tells of them.
    """
    return request.param


def further(factory, first, stop):
    """Return the further accounts of a shard, and what they play on a day."""
    if factory is cohort:
        return [], 0
    accounts = [NUM_LISTENERS + bot for bot in range(*bots_of(first, stop))]
    return accounts, BOTS.bot_plays_per_day * len(accounts)


def by_account(usages):
    """Return what each account paid and played, over all shards."""
    told = {}
    for usage in usages:
        for row, account in enumerate(usage.listener_ids.tolist()):
            part = slice(usage.indptr[row], usage.indptr[row + 1])
            played = (getattr(usage, name)[part].tolist() for name in ("work_ids", "plays", "seconds"))
            assert account not in told
            told[account] = (int(usage.fee_units[row]), *played)
    return told


def arrays_of(state):
    """Yield all that a state holds, however deep."""
    for name, value in state.items():
        yield from arrays_of(value) if isinstance(value, dict) else ((name, value),)


def test_is_a_population_whose_factory_travels(factory):
    made = pickle.loads(pickle.dumps(factory(0, NUM_LISTENERS)))()
    assert isinstance(made, Population)


def test_tallies_add_up(factory):
    shard = factory(0, NUM_LISTENERS)()
    for day in range(5):
        tally = shard.run_day(world(day))
        counts = dict(zip(TALLY, tally.counts.tolist(), strict=True))
        assert tally.plays_by_work.dtype == tally.exposures_by_work.dtype == np.int64
        assert counts["plays"] == tally.plays_by_work.sum()
        assert counts["full_plays"] <= counts["plays"] <= counts["slates"]
        assert counts["abandonments"] <= counts["sessions"]
        subscribers = counts["subscribers"] + counts["came_back"] - counts["left_service"]
        assert tally.subscribers_by_community.sum() == subscribers <= NUM_LISTENERS
        assert shard.audience()["subscribers"].tolist() == tally.subscribers_by_community.tolist()
        assert (tally.plays_by_work <= tally.exposures_by_work).all()
        assert tally.exposures_by_work[::7].sum() == 0  # not available


def test_usage_is_well_formed_and_grows_until_the_epoch_closes(factory):
    shard = factory(20, 70)()
    accounts, played = further(factory, 20, 70)
    ids = [*range(20, 70), *accounts]
    full, last = [], None
    for day in range(4):
        full.append(shard.run_day(world(day)).counts[TALLY.index("full_plays")] + played)
        usage = shard.usage(5)
        assert usage.epoch == 5
        assert usage.listener_ids.tolist() == ids
        assert (usage.indptr[0], usage.indptr[-1], usage.indptr.size) == (0, usage.work_ids.size, len(ids) + 1)
        assert (np.diff(usage.indptr) >= 0).all()
        assert usage.plays_by_day.shape == (day + 1, NUM_WORKS)
        assert usage.plays_by_day.sum(axis=1).tolist() == full
        np.testing.assert_array_equal(usage.plays_by_work(), usage.plays_by_day.sum(axis=0))
        assert (usage.plays > 0).all()
        assert last is None or (usage.fee_units >= last.fee_units).all()
        last = usage
    np.testing.assert_array_equal(last.fee_units % 4, 0)
    shard.close_epoch()
    assert shard.usage(6).plays.size == 0
    assert shard.usage(6).fee_units.sum() == 0


@pytest.mark.parametrize("bounds", [[0, 45, 90], [0, 30, 60, 90], [0, 13, 26, 39, 51, 64, 77, 90], [0, 1, 89, 90]])
def test_any_division_into_shards_gives_the_same(factory, bounds):
    whole = factory(0, NUM_LISTENERS)()
    parts = [factory(a, b)() for a, b in pairwise(bounds)]
    for day in range(6):
        expected = whole.run_day(world(day))
        got = [part.run_day(world(day)) for part in parts]
        for name in ("counts", "plays_by_work", "exposures_by_work", "subscribers_by_community"):
            np.testing.assert_array_equal(getattr(expected, name), sum(getattr(tally, name) for tally in got))
    one, many = whole.usage(0), [part.usage(0) for part in parts]
    assert by_account([one]) == by_account(many)
    np.testing.assert_array_equal(one.plays_by_day, sum(usage.plays_by_day for usage in many))
    for name, of_all in whole.audience().items():
        np.testing.assert_array_equal(of_all, sum(part.audience()[name] for part in parts))


@pytest.mark.parametrize("num_shards", [1, 2, 3, 7])
@pytest.mark.parametrize("num_threads", [1, 2])
def test_shards_in_threads_give_the_same(factory, num_shards, num_threads):
    alone = factory(0, NUM_LISTENERS)()
    edges = [NUM_LISTENERS * i // num_shards for i in range(num_shards + 1)]
    executor = LocalExecutor([factory(a, b) for a, b in pairwise(edges)], num_threads)
    for first, num_days in ((0, 1), (1, 3), (4, 2)):
        by_shard = executor.call("run_days", world(first), num_days)
        for day, tallies in enumerate(zip(*by_shard, strict=True), start=first):
            assert add_tallies(tallies).counts.tolist() == alone.run_day(world(day)).counts.tolist()
    assert by_account(executor.call("usage", 0)) == by_account([alone.usage(0)])
    executor.close()


def test_a_restored_shard_goes_on_bit_for_bit(factory):
    through, restored = factory(0, 40)(), factory(0, 40)()
    for day in range(3):
        through.run_day(world(day))
    restored.restore(pickle.loads(pickle.dumps(through.snapshot())))
    for day in range(3, 6):
        grown = NUM_WORKS + 10 * (day - 2)  # works are published meanwhile
        one, other = through.run_day(world(day, grown)), restored.run_day(world(day, grown))
        assert one.counts.tobytes() == other.counts.tobytes()
        assert one.plays_by_work.tobytes() == other.plays_by_work.tobytes()
    one, other = through.usage(0), restored.usage(0)
    for name in ("fee_units", "indptr", "work_ids", "plays", "seconds", "plays_by_day"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for (name, mine), (its_name, its) in zip(
        arrays_of(through.snapshot()), arrays_of(restored.snapshot()), strict=True
    ):
        assert name == its_name
        np.testing.assert_array_equal(mine, its)


def test_the_world_is_not_changed(factory):
    today = world(0)
    arrays = {name: getattr(today.works, name).copy() for name in ("vectors", "consistency", "available")}
    shard = factory(0, NUM_LISTENERS)()
    shard.run_day(today)
    for name, before in arrays.items():
        np.testing.assert_array_equal(getattr(today.works, name), before)
