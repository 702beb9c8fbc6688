"""What every `ArrivalSource` promises, run on every implementation. Costs about 1 s."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from heritage_agents.demand.buyers import BuyerArrivals
from heritage_agents.demand.commissions import CommissionsMade, CreatorArrivals
from heritage_agents.demand.config import DemandConfig
from heritage_agents.demand.merging import MergedArrivals
from heritage_agents.demand.shelves import Shelf, Shelves
from heritage_sim.base import DAY_S, ArrivalSource, Keys

KEYS = Keys(5, 1)
DAYS = 4
CONFIG = DemandConfig(buyers_per_day=120.0, release_every_days=2)
SOURCES = tuple(f"{i:064x}" for i in range(9))
SHELVES = Shelves([Shelf("slendro", SOURCES, np.arange(20, 29))], takes=2, max_events=25)


def buyers():
    return BuyerArrivals(CONFIG, SHELVES, KEYS)


def creators():
    num = 60
    who, day = np.arange(num) % 20, np.arange(num) // 20
    take = np.arange(num) % 2
    made = CommissionsMade(day, who, take, ("slendro",) * num, tuple(SOURCES[i % 9] for i in range(num)))
    return CreatorArrivals(CONFIG, SHELVES, KEYS, made)


def both():
    return MergedArrivals([buyers(), creators()])


@pytest.fixture(params=[buyers, creators, both], ids=lambda made: made.__name__)
def source(request):
    return request.param()


def whole(source):
    return list(source.arrivals(0.0, float(DAYS * DAY_S)))


def test_it_is_an_arrival_source_and_has_requests(source):
    assert isinstance(source, ArrivalSource)
    assert len(whole(source)) >= 30


def test_requests_come_in_order_of_time_each_under_a_name_of_its_own(source):
    asked = whole(source)
    assert all(a.at_s <= b.at_s for a, b in pairwise(asked))
    assert len({a.request_id for a in asked}) == len(asked)


def test_every_request_can_be_made(source):
    for a in whole(source):
        assert a.who in ("buyer", "creator")
        assert a.tradition == "slendro"
        assert a.source_sha256 in SOURCES
        assert 0 <= a.take < 2
        assert a.prompt_events == 20 + SOURCES.index(a.source_sha256)
        assert 1 <= a.length_events <= 25
        assert a.patience_s > 0.0


@pytest.mark.parametrize("cuts", [(7,), (3_601.5, 90_000.25), tuple(range(0, DAYS * DAY_S, 9_237))])
def test_pieces_of_time_show_what_the_whole_shows(source, cuts):
    edges = [0.0, *(float(c) for c in cuts if c), float(DAYS * DAY_S)]
    pieces = [a for start, stop in pairwise(edges) for a in source.arrivals(start, stop)]
    assert pieces == whole(source)


def test_it_answers_the_same_however_often_and_in_whatever_order_it_is_asked(source):
    late = list(source.arrivals(2.0 * DAY_S, 3.0 * DAY_S))
    early = list(source.arrivals(0.0, 1.0 * DAY_S))
    assert list(source.arrivals(2.0 * DAY_S, 3.0 * DAY_S)) == late
    assert [a for a in whole(source) if a.at_s < DAY_S] == early


def test_a_window_holds_its_first_moment_and_not_its_last(source):
    asked = whole(source)
    one = asked[len(asked) // 2]
    assert one in list(source.arrivals(one.at_s, one.at_s + 1.0))
    assert one not in list(source.arrivals(one.at_s - 1.0, one.at_s))
    assert list(source.arrivals(one.at_s, one.at_s)) == []
