"""Looking at single listeners, and selecting them as in Mesa's AgentSet."""

import inspect

import mesa
import numpy as np
import pytest

from heritage_agents.listeners.cohort import Cohort, make_shard
from heritage_agents.listeners.view import ListenerView, Selection


@pytest.fixture
def cohort(kit):
    shard = make_shard(kit.config(), kit.keys, 100, 160, kit.works(), kit.communities)
    for day in range(4):
        shard.run_day(kit.world(kit.works(), kit.RandomOffers(131, 40), day))
    return shard


def test_a_view_shows_one_row(cohort):
    view, state = cohort[7], cohort.snapshot()
    assert view.unique_id == 107
    assert cohort[-1].unique_id == 159
    np.testing.assert_array_equal(view.taste, state["taste"][7])
    np.testing.assert_array_equal(view.recent, cohort.recent[7])
    assert (view.num_plays, view.num_sessions) == (state["num_plays"][7], state["num_sessions"][7])
    assert (view.is_subscribed, view.satisfaction) == (state["subscribed"][7], state["satisfaction"][7])
    with pytest.raises(IndexError):
        cohort[60]


def test_nothing_done_to_a_view_reaches_the_shard(cohort):
    before = cohort.snapshot()
    cohort[3].taste[:] = 0.0
    cohort.get("satisfaction")[:] = 9.0
    cohort.select().get("taste")[:] = 0.0
    after = cohort.snapshot()
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])


class _Twin(mesa.Agent):
    def __init__(self, model, view):
        super().__init__(model)
        self.listener, self.device, self.num_plays = view.unique_id, view.device, view.num_plays


@pytest.mark.parametrize("at_most", [float("inf"), 5, 0.5, 0, 0.0, 1, 1.0, 2.5, 1_000, -1])
def test_select_and_agg_agree_with_mesas_agent_set(cohort, at_most):
    model = mesa.Model(rng=1)
    for view in cohort:
        _Twin(model, view)
    twins = model.agents.select(lambda a: a.device == 0, at_most=at_most)
    mine = cohort.select(lambda view: view.device == 0, at_most=at_most)
    assert mine.get("unique_id").tolist() == twins.get("listener")
    assert mine.agg("num_plays", sum) == twins.agg("num_plays", sum)
    assert mine.agg("num_plays", [len, sum]) == list(twins.agg("num_plays", [len, sum]))
    assert mine.map(lambda view: view.num_plays) == twins.map(lambda a: a.num_plays)


@pytest.mark.parametrize("method", ["select", "agg"])
def test_arguments_have_mesas_names_order_and_defaults(method):
    mesas, *ours = (
        [(p.name, p.default) for p in list(inspect.signature(getattr(of, method)).parameters.values())[1:]]
        for of in (mesa.agent.AgentSet, Selection, Cohort)
    )
    assert ours == [mesas, mesas]


def test_what_mesa_refuses_is_refused_alike(cohort):
    model = mesa.Model(rng=1)
    _Twin(model, cohort[0])
    for listeners in (model.agents, cohort, cohort.select()):
        with pytest.raises(AttributeError, match="no_such"):
            listeners.agg("no_such", sum)


def test_a_selection_is_narrowed_in_place_or_left_as_it_is(cohort):
    model = mesa.Model(rng=1)
    for view in cohort:
        _Twin(model, view)
    for listeners, name in ((model.agents.select(), "listener"), (cohort.select(), "unique_id")):
        few = listeners.select(lambda one: one.device == 0, at_most=4)
        assert (len(few), len(listeners)) == (4, 60)
        assert listeners.select(lambda one: one.device == 0, at_most=4, inplace=True) is listeners
        assert list(listeners.get(name)) == list(few.get(name))
    assert len(cohort) == 60
    with pytest.raises(ValueError, match="keeps its listeners"):
        cohort.select(at_most=4, inplace=True)


def test_a_type_selects_all_or_nobody(cohort):
    model = mesa.Model(rng=1)
    for view in cohort:
        _Twin(model, view)
    assert len(model.agents.select(agent_type=_Twin)) == len(cohort.select(agent_type=ListenerView)) == 60
    other = model.agents.select(agent_type=int)
    assert len(other) == len(cohort.select().select(agent_type=int)) == 0


def test_selections_are_selected_from_by_mask_and_slice(cohort):
    weary = cohort.select(cohort.get("num_plays") > 2)
    assert len(weary) == (cohort.get("num_plays") > 2).sum() > 5
    some = weary.select(weary.get("home") == 0)[:3]
    assert [view.home for view in some] == [0] * len(some)
    assert cohort[10:12].get("unique_id").tolist() == [110, 111]
    with pytest.raises(ValueError, match="60 listeners"):
        cohort.select(np.ones(3, bool))
