"""The listening-only economy beside the whole one: the same listeners hear the same."""

import numpy as np
import pytest

from heritage_experiments.calibration.listening import FIRST_DRAW, Window, listening_only, simulate
from heritage_experiments.scenario import Scenario
from heritage_experiments.wiring import Surroundings, build_economy

SCENARIO = Scenario.model_validate(
    {
        "name": "small",
        "seed": 4,
        "traditions": [{"name": "gamelan", "kind": "gamelan", "num_works": 30}],
        "communities": [
            {"name": "Tirtanala", "tradition": "gamelan", "listener_share": 2.0},
            {"name": "Qingshui", "tradition": "gamelan", "consent": ["derive"]},
        ],
        "listeners": {"num_listeners": 120, "sessions_per_day": 1.0, "renewal_days": 5},
        "economy": {"days": 12, "epoch_days": 4, "refresh_days": 2},
        "generator": {"kind": "archive"},
        "ledger": {"kind": "reference"},
    }
)


def without_creators(economy):
    """Make everybody rest: then nothing new is there to be heard."""
    decide = economy.people.decide_all

    def rest(views):
        decisions = decide(views)
        decisions.action[:] = 0
        return decisions

    economy.people.decide_all = rest
    return economy


def test_listeners_hear_what_they_hear_in_the_economy_when_nobody_makes_anything(tmp_path):
    heard = simulate(listening_only(SCENARIO, 120), 3, Window(12), tmp_path)
    economy = without_creators(build_economy(SCENARIO, FIRST_DRAW + 3, Surroundings(tmp_path)))
    economy.run()
    values = {outcome.name: outcome.value for outcome in economy.results().outcomes}
    assert economy.catalogue.num_works == heard.plays_by_work.size
    assert values["sessions"] == heard.totals["sessions"] == heard.sessions.sum()
    assert values["plays"] == heard.totals["plays"] == heard.dwell_s.size
    assert heard.plays.sum() == heard.plays_by_work.sum() == heard.totals["full_plays"]
    assert heard.totals["left_service"] > 0
    np.testing.assert_array_equal(economy.catalogue.community[heard.plays_by_work > 0], 0)


def test_days_before_the_observed_ones_are_lived_and_left_out(tmp_path):
    scenario = listening_only(SCENARIO, 120)
    whole, first, rest = (simulate(scenario, 0, w, tmp_path) for w in (Window(11), Window(5), Window(6, 5)))
    for name in ("plays", "sessions", "plays_by_work"):
        np.testing.assert_array_equal(getattr(first, name) + getattr(rest, name), getattr(whole, name), err_msg=name)
    assert first.dwell_s.size + rest.dwell_s.size == whole.dwell_s.size
    assert {k: first.totals[k] + v for k, v in rest.totals.items()} == whole.totals
    assert (rest.works <= whole.works).all()


def test_draws_differ_and_are_no_replication_of_a_run(tmp_path):
    scenario = listening_only(SCENARIO, 60)
    one, same, other = (simulate(scenario, draw, Window(4), tmp_path) for draw in (0, 0, 1))
    np.testing.assert_array_equal(one.plays_by_work, same.plays_by_work)
    assert (one.plays_by_work != other.plays_by_work).any()
    most = Scenario.model_json_schema()["properties"]["replications"]["maximum"]
    assert most <= FIRST_DRAW


@pytest.mark.parametrize("section", ["generator", "own_parts"])
def test_no_generator_is_trained_for_it(section):
    scenario = SCENARIO.model_copy(update={"own_parts": {"generator": "mine.py:Mine"}})
    made = listening_only(scenario, 10)
    assert made.generator.kind == "archive"
    assert made.own_parts == {}
