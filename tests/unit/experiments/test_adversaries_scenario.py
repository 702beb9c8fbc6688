"""The scenario of adversaries: what stands in the file is wired, and cells differ by what the ring does. Costs 1 s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heritage_experiments.scenario_load import load_scenario, resolve_cell
from heritage_experiments.wiring import Surroundings, build_parts, payee_communities_of
from heritage_sim.base import InputError, Keys

SCENARIO = Path(__file__).parents[3] / "experiments" / "scenarios" / "adversaries.yaml"
SMALL = (
    *("economy.days=14", "listeners.num_listeners=60", "creators.num_per_community=2", "adversaries.start_day=1"),
    *("generator.kind=archive", "traditions=[{name: panpipes, kind: panpipes, num_works: 12}]"),
    "communities=[{name: Wayrapata, tradition: panpipes}]",
)


@pytest.fixture(scope="module")
def whole():
    return load_scenario(SCENARIO, SMALL)


def parts_of(whole, cell, cache):
    scenario = resolve_cell(whole, whole.cell(cell))
    return scenario, build_parts(scenario, 0, Keys(scenario.seed, 0), Surroundings(cache))


def test_every_rule_meets_the_ring_and_an_honest_world(whole):
    rules = {}
    for cell in whole.cells:
        scenario = resolve_cell(whole, cell)
        rules.setdefault(scenario.royalty.rule.kind, set()).add(scenario.adversaries.is_on)
    assert rules == {kind: {True, False} for kind in ("pro_rata", "user_centric", "threshold")}


def test_only_the_cells_with_a_ring_have_one_and_all_pay_the_same_payees(whole, tmp_path):
    with_ring, honest = (parts_of(whole, f"{arm}-pro_rata", tmp_path) for arm in ("ring", "honest"))
    assert with_ring[1].make_ring is not None
    assert honest[1].make_ring is None
    assert with_ring[1].payee_names == honest[1].payee_names
    assert len(payee_communities_of(with_ring[0])) == len(with_ring[1].payee_names)


def test_a_run_of_it_ends_with_the_rings_figures(whole, tmp_path):
    from heritage_experiments.wiring import build_economy

    scenario = resolve_cell(whole, whole.cell("ring-pro_rata"))
    economy = build_economy(scenario, 0, Surroundings(tmp_path, num_shards=2))
    economy.run()
    results = economy.results()
    found = {o.name: o for o in results.outcomes}
    assert found["adversary_profit_units_bots"].n == 50
    assert found["adversary_profit_units_bots"].value > 0
    assert found["adversary_profit_units_sybils"].n > 0
    np.testing.assert_array_equal(results.tables["epochs"]["pool_units"], results.tables["epochs"]["statement_units"])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("arms.ring.adversaries.sybils=3", "all cells pay the same people"),
        ("adversaries.bot_plays_per_day=80000", "cannot play"),
        ("adversaries.bot=3", "bot"),
        ("adversaries.colluder=2", "no creator 2 to collude"),
        ("adversaries.bot_plan=gold", "no plan 'gold'"),
        ("demand.tradition_weights={flute: 1.0}", "the tradition 'flute'"),
    ],
)
def test_what_cannot_be_is_refused(setting, words):
    with pytest.raises(InputError, match=words):
        load_scenario(SCENARIO, [*SMALL, setting])
