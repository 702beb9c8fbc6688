"""Days that wait and are lived several at a call, days of release, and what is made known of subscribers."""

import numpy as np
import pytest
from small_world import COMMUNITIES, KEYS, LISTENERS, lived, same_results, shard_factories, small_economy

from heritage_sim.day.listening import Audience, Listening
from heritage_sim.executors import LocalExecutor

FICKLE = LISTENERS.model_copy(update={"renewal_days": 2, "churn_base": 0.5, "return_rate": 0.05, "word_of_mouth": 0.2})


class Counting(LocalExecutor):
    """Remembers how many days it was asked for in each call."""

    def __init__(self, factories):
        super().__init__(factories)
        self.asked = []

    def call(self, method, *args):
        if method == "run_days":
            self.asked.append(args[1])
        return super().call(method, *args)


def test_days_between_refreshes_are_lived_in_one_call_where_no_work_comes_out():
    economy = lived(days=14, refresh_days=7, release_days=7, executor=Counting)
    # rankings are frozen on the split day, from all that was heard before it
    assert economy.executor.asked == np.diff([0, 7, economy.evaluation.split_day, 14]).tolist()
    every_day = lived(days=14, executor=Counting)
    assert every_day.executor.asked == [1] * 14


def test_a_work_that_comes_out_ends_the_days_that_wait():
    economy = lived(days=7, refresh_days=7, executor=Counting)
    new = np.unique(economy.catalogue.column("day")[economy.parts.archive.num_works :])
    starts = sorted({0, economy.evaluation.split_day} | set(new.tolist()))
    assert len(starts) > 2
    assert economy.executor.asked == np.diff([*starts, 7]).tolist()


@pytest.mark.parametrize("release_days", [1, 3])
def test_waiting_changes_no_outcome(release_days):
    """Somebody who looks every day makes every day be lived on its own."""
    waiting = lived(days=14, refresh_days=7, release_days=release_days)
    watched = small_economy(days=14, refresh_days=7, release_days=release_days)
    while watched.day < 14:
        watched.step()
        watched.results()
    same_results(waiting, watched)


@pytest.mark.parametrize("day", [2, 9])
def test_a_snapshot_among_waiting_days_goes_on_as_the_undisturbed_run(day):
    arguments = {"days": 14, "refresh_days": 7, "release_days": 7}
    first, second = small_economy(**arguments), small_economy(**arguments)
    first.run(until=day)
    second.restore(first.snapshot())
    second.run()
    same_results(lived(**arguments), second)


def test_works_made_between_release_days_are_heard_from_the_next_one_on():
    economy = small_economy(days=12, release_days=5)
    num_archive = economy.parts.archive.num_works
    while economy.day < 12:
        economy.step()
        daily = economy.results().tables["works"]
        out = economy.catalogue.column("day")
        assert set(out[num_archive:].tolist()) <= {0, 5, 10, 15}
        assert daily["plays"][out >= economy.day].sum() == 0
    assert (out[num_archive:] == 15).any()
    assert daily["plays"][num_archive:].sum() > 0


def test_shares_of_subscribers_are_those_of_the_whole_population_and_stay_until_the_next_refresh():
    shown = []

    class Watching(LocalExecutor):
        def call(self, method, *args):
            if method == "run_days":
                shown.append(args[0].subscribed_share)
            return super().call(method, *args)

    economy = lived(
        days=9, epoch_days=3, refresh_days=3, make_executor=lambda: Watching(shard_factories(KEYS, 3, FICKLE))
    )
    whole = shard_factories(KEYS, 1, FICKLE)[0]()
    everybody = whole.audience()["listeners"]
    daily = economy.results().tables["daily"]
    after = (daily["subscribers"] + daily["came_back"] - daily["left_service"])[[2, 5]]
    by_refresh = [share for i, share in enumerate(shown) if i == 0 or (share != shown[i - 1]).any()]
    np.testing.assert_array_equal(by_refresh[0], np.ones(len(COMMUNITIES)))
    assert [round(float(share @ everybody)) for share in by_refresh[1:]] == after.tolist()
    assert after[0] < everybody.sum()


def test_outcomes_under_churn_do_not_depend_on_shards_or_threads():
    def run(num_shards, num_threads):
        factories = shard_factories(KEYS, num_shards, FICKLE)
        return lived(days=12, epoch_days=4, make_executor=lambda: LocalExecutor(factories, num_threads))

    alone = run(1, 1)
    for num_shards, num_threads in ((2, 1), (3, 2), (7, 2)):
        same_results(alone, run(num_shards, num_threads))


def test_nothing_waits_at_the_start_and_an_empty_community_has_no_share():
    executor = LocalExecutor(shard_factories(KEYS, 1))
    assert Listening(executor).live() == []
    audience = Audience()
    audience.restore(
        {"listeners": np.array([4, 0]), "subscribers": np.array([1, 0]), "subscribed_share": np.array([1.0, 0.0])}
    )
    audience.show()
    assert audience.subscribed_share.tolist() == [0.25, 0.0]
