"""A shard's books: independence of the division, snapshots, usage and fees."""

import functools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from heritage_agents.config import PlanConfig
from heritage_agents.kernel.engines import COMPILED
from heritage_agents.listeners.cohort import Cohort, make_shard, reshard
from heritage_agents.listeners.drawing import draw_listeners
from heritage_agents.listeners.resharding import BY_LISTENER
from heritage_sim.base import InputError, StorageError
from heritage_sim.sharding import shard_bounds


def make(kit, config, works, bounds):
    return [make_shard(config, kit.keys, first, stop, works, kit.communities) for first, stop in bounds]


def live(kit, shards, works, days, state):
    """Return the days' summed tallies as bytes."""
    made = []
    for day in days:
        tallies = [shard.run_day(kit.world(works, state, day)) for shard in shards]
        for part in ("counts", "plays_by_work", "exposures_by_work", "subscribers_by_community"):
            made.append(np.sum([getattr(tally, part) for tally in tallies], axis=0).tobytes())
    return made


def pairs(shards):
    """Return (listener, work) -> (plays, seconds) over shards, and their plays by day."""
    found, by_day = {}, 0
    for shard in shards:
        usage = shard.usage(0)
        rows = np.repeat(usage.listener_ids, np.diff(usage.indptr))
        for i, work, plays, seconds in zip(rows, usage.work_ids, usage.plays, usage.seconds, strict=True):
            found[int(i), int(work)] = (int(plays), int(seconds))
        by_day = by_day + usage.plays_by_day
    return found, by_day


@pytest.mark.parametrize("num_shards", [2, 3, 5, 7])
def test_any_division_into_shards_is_bit_identical(kit, num_shards):
    works, state, config = kit.works(), kit.RandomOffers(131, 40), kit.config()
    whole = make(kit, config, works, [(0, 240)])
    parts = make(kit, config, works, shard_bounds(240, num_shards))
    assert live(kit, whole, works, range(8), state) == live(kit, parts, works, range(8), state)
    (one, one_by_day), (many, many_by_day) = pairs(whole), pairs(parts)
    assert one == many
    np.testing.assert_array_equal(one_by_day, many_by_day)
    for name in BY_LISTENER:
        together = np.concatenate([shard.snapshot()[name] for shard in parts])
        assert together.tobytes() == whole[0].snapshot()[name].tobytes()


def test_blocks_within_a_shard_do_not_show(kit, monkeypatch):
    """Listeners are drawn, and offered works, so many at a time; here seven."""
    config, works, state = kit.config(), kit.works(), kit.RandomOffers(131, 40)
    (whole,) = make(kit, config, works, [(0, 240)])
    expected = live(kit, [whole], works, range(5), state)
    monkeypatch.setattr("heritage_agents.kernel.engines.COMPILED", COMPILED._replace(at_once=7))
    monkeypatch.setattr("heritage_agents.listeners.drawing._AT_ONCE", 7)
    (blocks,) = make(kit, config, works, [(0, 240)])
    assert live(kit, [blocks], works, range(5), state) == expected
    assert pairs([blocks])[0] == pairs([whole])[0]


def test_threads_do_not_show(kit):
    works, state, config = kit.works(), kit.RandomOffers(131, 40), kit.config()
    alone = make(kit, config, works, shard_bounds(240, 4))
    together = make(kit, config, works, shard_bounds(240, 4))
    with ThreadPoolExecutor(4) as pool:
        for day in range(5):
            expected = [shard.run_day(kit.world(works, state, day)).counts for shard in alone]
            got = pool.map(lambda shard, day=day: shard.run_day(kit.world(works, state, day)).counts, together)
            np.testing.assert_array_equal(expected, list(got))
    assert pairs(alone)[0] == pairs(together)[0]


def test_sixty_days_equal_thirty_restored_and_thirty(kit):
    works, state, config = kit.works(), kit.RandomOffers(131, 40), kit.config()
    (through,), (before,), (after,) = (make(kit, config, works, [(0, 240)]) for _ in range(3))
    live(kit, [through], works, range(28), state)
    through.close_epoch()
    whole = live(kit, [through], works, range(28, 60), state)
    live(kit, [before], works, range(28), state)
    before.close_epoch()
    first = live(kit, [before], works, range(28, 30), state)
    put_down = pickle.loads(pickle.dumps(before.snapshot()))
    live(kit, [before], works, range(30, 40), state)  # what the original does afterwards does not reach the copy
    after.restore(put_down)
    assert whole == first + live(kit, [after], works, range(30, 60), state)
    (expected, expected_by_day), (got, got_by_day) = pairs([through]), pairs([after])
    assert expected == got
    np.testing.assert_array_equal(expected_by_day, got_by_day)
    assert through.usage(0).fee_units.tolist() == after.usage(0).fee_units.tolist()
    mine, its = through.snapshot(), after.snapshot()
    for name in BY_LISTENER:
        assert mine[name].tobytes() == its[name].tobytes()


def test_reshard_carries_on_as_if_nothing_had_happened(kit):
    works, state, config = kit.works(), kit.RandomOffers(131, 40), kit.config()
    three = make(kit, config, works, shard_bounds(240, 3))
    live(kit, three, works, range(5), state)
    two = make(kit, config, works, shard_bounds(240, 2))
    divided = reshard([shard.snapshot() for shard in three], shard_bounds(240, 2))
    for shard, own in zip(two, divided, strict=True):
        shard.restore(own)
    assert live(kit, three, works, range(5, 9), state) == live(kit, two, works, range(5, 9), state)
    assert pairs(three)[0] == pairs(two)[0]


def test_states_that_do_not_fit_are_refused(kit):
    works, config = kit.works(), kit.config()
    shards = make(kit, config, works, shard_bounds(240, 3))
    states = [shard.snapshot() for shard in shards]
    with pytest.raises(StorageError, match="listeners 80"):
        shards[0].restore(states[1])
    with pytest.raises(StorageError):
        reshard([states[0], states[2]], [(0, 240)])
    with pytest.raises(StorageError):
        reshard(states, [(0, 100), (120, 240)])


def test_usage_holds_the_plays_that_count(kit):
    works, state, config = kit.works(), kit.RandomOffers(131, 40), kit.config()
    (cohort,) = make(kit, config, works, [(0, 240)])
    full = [cohort.run_day(kit.world(works, state, day)).counts[3] for day in range(7)]
    usage = cohort.usage(2)
    assert usage.plays_by_day.sum(axis=1).tolist() == full
    assert usage.plays.sum() == sum(full)
    np.testing.assert_array_equal(usage.plays_by_work(), usage.plays_by_day.sum(axis=0))
    assert (usage.seconds >= usage.plays * np.minimum(30, np.floor(works.duration_s[usage.work_ids]))).all()
    for row in range(240):
        mine = usage.work_ids[usage.indptr[row] : usage.indptr[row + 1]]
        assert (np.diff(mine) > 0).all()
    cohort.close_epoch()
    empty = cohort.usage(3)
    assert (empty.work_ids.size, empty.fee_units.sum(), empty.plays_by_day.sum()) == (0, 0, 0)


def test_fees_are_whole_days_of_each_plan(kit):
    works, state = kit.works(), kit.RandomOffers(131, 40)
    plans = (
        PlanConfig(name="a", fee_units_per_day=333_000, share=0.5),
        PlanConfig(name="b", fee_units_per_day=0, share=0.5),
    )
    config = kit.config(plans=plans, royalty_share_bps=7_000, churn_base=-1e3)
    people = draw_listeners(config, kit.communities, kit.keys, 0, 240, works)
    cohort = Cohort(config, kit.keys, people, works)
    live(kit, [cohort], works, range(4), state)
    assert cohort.get("is_subscribed").all()  # nobody's renewal went ill in these days
    expected = [4 * 333_000 * 7 // 10 if plan == 0 else 0 for plan in people.plan]
    assert cohort.usage(0).fee_units.tolist() == expected
    assert 60 < (people.plan == 0).sum() < 180


def test_catalogue_may_grow_and_the_recommender_lag_behind(kit):
    works = kit.works(200)
    small = kit.works(131)
    np.testing.assert_array_equal(works.vectors[:131], small.vectors)
    config = kit.config()
    (cohort,) = make(kit, config, small, [(0, 240)])
    cohort.run_day(kit.world(small, kit.RandomOffers(131, 40), 0))
    grown = kit.world(works, kit.RandomOffers(131, 40), 1, visible=np.arange(131))
    cohort.run_day(grown)
    tally = cohort.run_day(kit.world(works, kit.RandomOffers(200, 40), 2))
    assert tally.plays_by_work[131:].sum() > 0
    assert cohort.usage(0).num_works == 200
    assert cohort.usage(0).plays_by_day.shape == (3, 200)


def test_inputs_may_be_read_only_and_are_not_kept(kit):
    """Arrays that arrive through an object store cannot be written to."""
    works, config = kit.works(), kit.config()
    state = kit.RandomOffers(131, 40)
    for array in (works.vectors, works.consistency, works.duration_s, works.available, state.bias):
        array.flags.writeable = False
    visible = np.arange(131)
    visible.flags.writeable = False
    (frozen,) = make(kit, config, works, [(0, 240)])
    (free,) = make(kit, config, kit.works(), [(0, 240)])
    for day in range(3):
        got = frozen.run_day(kit.world(works, state, day, visible))
        expected = free.run_day(kit.world(kit.works(), kit.RandomOffers(131, 40), day))
        np.testing.assert_array_equal(got.plays_by_work, expected.plays_by_work)


def test_recommender_sees_history_and_not_taste(kit):
    works, config = kit.works(), kit.config()
    seen = []

    class Watching(kit.RandomOffers):
        def candidates(self, listener_ids, history, day):
            seen.append((listener_ids.copy(), history.copy()))
            return super().candidates(listener_ids, history, day)

    (cohort,) = make(kit, config, works, [(0, 240)])
    taste = cohort.snapshot()["taste"]
    cohort.run_day(kit.world(works, Watching(131, 40), 0))
    assert not seen[0][1].any()
    cohort.run_day(kit.world(works, Watching(131, 40), 1))
    assert not np.allclose(seen[1][1], taste[seen[1][0]])
    assert not any("taste" in name for name in dir(cohort) if not name.startswith("_"))


def test_factory_travels(kit):
    works, config = kit.works(), kit.config()
    factory = functools.partial(make_shard, config, kit.keys, 10, 20, works, kit.communities)
    assert len(pickle.loads(pickle.dumps(factory))()) == 10


def test_first_tastes_lean_to_the_home_archive(kit):
    works, config = kit.works(900, 24), kit.config(num_listeners=3_000, taste_anchor_weight=0.2, taste_noise=0.1)
    people = draw_listeners(config, kit.communities, kit.keys, 0, 3_000, works)
    np.testing.assert_allclose(np.linalg.norm(people.taste, axis=1), 1.0, atol=1e-6)
    for home in range(3):
        centroid = works.vectors[works.community == home].mean(axis=0)
        match = people.taste @ (centroid / np.linalg.norm(centroid))
        assert match[people.home == home].mean() > match[people.home != home].mean() + 0.5
    assert people.session_rate.mean() == pytest.approx(0.8, abs=4 * 0.8 * np.sqrt(np.expm1(0.64) / 3_000))
    assert people.consistency_taste.mean() == pytest.approx(0.0, abs=4 / np.sqrt(3_000))


def test_devices_familiarity_and_first_subscribers_follow_the_configuration(kit):
    devices = ({"name": "lute", "share": 0.75}, {"name": "drum", "share": 0.25})
    config = kit.config(
        num_listeners=8_000, devices=devices, familiarity_mean=1.0, familiarity_sd=2.0, subscribed_at_start=0.6
    )
    people = draw_listeners(config, kit.communities, kit.keys, 0, 8_000, kit.works())
    assert (people.device == 1).mean() == pytest.approx(0.25, abs=0.02)
    assert people.subscribed.mean() == pytest.approx(0.6, abs=0.02)
    logit = np.log(people.familiarity / (1 - people.familiarity))
    assert logit.mean() == pytest.approx(1.0, abs=0.1)
    assert logit.std() == pytest.approx(2.0, abs=0.1)
    assert abs(np.corrcoef(people.device, logit)[0, 1]) < 0.05


def test_listener_shares_and_activity_follow_the_communities(kit):
    works = kit.works()
    config = kit.config(num_listeners=6_000, sessions_per_day=0.2, activity_sd=0.0)
    weights = (1.0, 3.0, 0.0)
    communities = [
        c.model_copy(update={"listener_share": w, "activity": 1.0 + k})
        for k, (c, w) in enumerate(zip(kit.communities, weights, strict=True))
    ]
    people = draw_listeners(config, communities, kit.keys, 0, 6_000, works)
    assert np.bincount(people.home, minlength=3)[2] == 0
    assert (people.home == 1).mean() == pytest.approx(0.75, abs=0.025)
    assert set(people.session_rate[people.home == 1]) == {0.4}


def test_community_with_listeners_but_no_archive_is_refused(kit):
    works = kit.works()
    bare = kit.replace(works, community=np.zeros(131, np.int32))
    with pytest.raises(InputError, match="Quilluma"):
        draw_listeners(kit.config(), kit.communities, kit.keys, 0, 10, bare)
    nobody = [c.model_copy(update={"listener_share": 0.0}) for c in kit.communities]
    with pytest.raises(InputError, match="listeners"):
        draw_listeners(kit.config(), nobody, kit.keys, 0, 10, works)


def test_a_recommender_of_the_whole_catalogue_sees_what_was_played_last_and_is_shown_in_its_order(kit):
    works, asked = kit.works(), []

    class Watching(kit.RankedOffers):
        def queries(self, listener_ids, recent, day):
            asked.append((listener_ids.copy(), recent.copy()))
            return super().queries(listener_ids, recent, day)

    config = kit.once_a_day(max_slates=1, slate_size=3)
    cohort = Cohort(config, kit.keys, kit.alike(200, works.vectors[3]), works)
    state = Watching(131)
    for day in range(4):
        known = cohort.recent
        tally = cohort.run_day(kit.world(works, state, day))
        np.testing.assert_array_equal(asked[-1][1], known)
        score = state.queries(np.arange(200), known, day).astype(float) @ state.factors.T.astype(float) + state.bias
        best = np.argsort(-score, axis=1, kind="stable")[:, :3]
        np.testing.assert_array_equal(tally.exposures_by_work, np.bincount(best.ravel(), minlength=131))
        asked.pop()
    assert (known[:, :3] >= 0).any()


def test_every_shard_knows_all_communities_though_nobody_of_it_is_at_home_in_some(kit):
    config = kit.config(num_listeners=240)
    shards = make(kit, config, kit.works(), [(0, 1), (1, 240)])
    audience = [shard.audience() for shard in shards]
    assert [a["listeners"].size for a in audience] == [3, 3]
    assert sum(a["listeners"].sum() for a in audience) == 240
    tally = shards[0].run_day(kit.world(kit.works(), kit.RandomOffers(131, 40), 0))
    assert tally.subscribers_by_community.size == 3


def test_a_bias_that_is_not_finite_is_refused(kit):
    works, state = kit.works(), kit.RandomOffers(131, 40)
    state.bias[4] = np.nan
    (cohort,) = make(kit, kit.config(), works, [(0, 240)])
    with pytest.raises(ValueError, match="finite"):
        cohort.run_day(kit.world(works, state, 0))
