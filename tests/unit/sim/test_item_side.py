"""The item side on its way to shards elsewhere: whole on arrival, and nothing sent twice."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from small_world import world_of

from heritage_sim.base import WorkFeatures
from heritage_sim.executors.item_side import MAX_BLOCKS, ROWS, Receiver, Sender


class Store:
    """An object store: what is put in is pickled, and its bytes are counted."""

    def __init__(self):
        self.objects, self.num_read = [], 0

    def put(self, thing):
        self.objects.append(pickle.dumps(thing))
        return len(self.objects) - 1

    def get(self, addresses):
        self.num_read += len(addresses)
        return [pickle.loads(self.objects[at]) for at in addresses]

    @property
    def num_bytes(self):
        return sum(map(len, self.objects))


@pytest.fixture
def store():
    return Store()


def first_works(world, num):
    """Return the world with its first works alone."""
    works = WorkFeatures(**{field.name: getattr(world.works, field.name)[:num] for field in fields(WorkFeatures)})
    return replace(world, works=works, visible_plays=world.visible_plays[:num])


def assert_same(one, other):
    for field in fields(WorkFeatures):
        mine, its = getattr(one.works, field.name), getattr(other.works, field.name)
        assert mine.dtype == its.dtype
        np.testing.assert_array_equal(mine, its, err_msg=field.name)
    np.testing.assert_array_equal(one.visible_plays, other.visible_plays)
    np.testing.assert_array_equal(one.recommender_state.bias, other.recommender_state.bias)
    assert one.day == other.day


def test_worlds_arrive_whole_while_works_come_out(store):
    sender, receiver = Sender(store.put), Receiver(store.get)
    for day, num in enumerate((15, 15, 17, 17, 24)):
        world = first_works(world_of(day), num)
        assert_same(receiver.world(pickle.loads(pickle.dumps(sender.sheet(world)))), world)


def test_a_works_rows_are_put_in_the_store_and_fetched_once(store):
    sender, receiver = Sender(store.put), Receiver(store.get)
    world = world_of(0)
    for day, num in enumerate((15, 15, 17, 17, 24)):
        receiver.world(sender.sheet(replace(first_works(world, num), day=day)))
    blocks = [thing for thing in map(pickle.loads, store.objects) if isinstance(thing, dict)]
    assert [block["vectors"].shape[0] for block in blocks] == [15, 2, 7]
    assert store.num_read == len(store.objects) == len(blocks) + 1  # and the one recommender state


def test_a_day_on_which_nothing_came_out_sends_no_rows_and_no_state(store):
    sender, world = Sender(store.put), world_of(0)
    sender.sheet(world)
    before = store.num_bytes
    sheet = sender.sheet(replace(world, day=1))
    assert store.num_bytes == before
    rows = sum(getattr(world.works, name).nbytes for name in ROWS)
    assert len(pickle.dumps(sheet)) < rows


def test_another_recommender_state_is_sent_even_if_it_says_the_same(store):
    sender, receiver, world = Sender(store.put), Receiver(store.get), world_of(0)
    receiver.world(sender.sheet(world))
    biased = replace(world.recommender_state, bias=world.recommender_state.bias + 1)
    got = receiver.world(sender.sheet(replace(world, recommender_state=biased)))
    np.testing.assert_array_equal(got.recommender_state.bias, biased.bias)


def test_one_that_was_built_again_makes_the_world_of_any_sheet(store):
    sender, world = Sender(store.put), world_of(0)
    sheets = [sender.sheet(first_works(world, num)) for num in (5, 9, 24)]
    for sheet, num in zip(sheets, (5, 9, 24), strict=True):
        assert_same(Receiver(store.get).world(sheet), first_works(world, num))
    repeating = Receiver(store.get)
    for sheet, num in zip(sheets, (5, 9, 24), strict=True):
        assert_same(repeating.world(sheet), first_works(world, num))


def test_another_catalogue_of_the_same_length_replaces_the_first_one(store):
    sender, receiver, world = Sender(store.put), Receiver(store.get), world_of(0)
    receiver.world(sender.sheet(world))
    other = replace(world, works=replace(world.works, vectors=world.works.vectors[::-1].copy()))
    assert_same(receiver.world(sender.sheet(other)), other)
    shorter = first_works(world, 7)
    assert_same(receiver.world(sender.sheet(shorter)), shorter)


def test_a_sheet_stays_short_in_a_long_run(store):
    sender, receiver, world = Sender(store.put), Receiver(store.get), world_of(0)
    repeated = replace(
        world.works,
        **{
            f.name: np.resize(getattr(world.works, f.name), (200, *getattr(world.works, f.name).shape[1:]))
            for f in fields(WorkFeatures)
        },
    )
    long = replace(world, works=repeated, visible_plays=np.zeros(200, dtype=np.int64))
    for num in range(1, 200):
        sheet = sender.sheet(first_works(long, num))
        assert len(sheet.blocks) <= MAX_BLOCKS
        assert_same(receiver.world(sheet), first_works(long, num))
