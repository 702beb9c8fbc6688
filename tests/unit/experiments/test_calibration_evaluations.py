"""What was simulated is kept and found again; another calibration's log is refused."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from heritage_experiments.calibration import evaluations
from heritage_experiments.calibration.evaluations import Evaluations
from heritage_experiments.calibration.listening import Window
from heritage_experiments.calibration.moments import Moment
from heritage_experiments.calibration.space import read_parameters, space_of
from heritage_experiments.scenario import Scenario
from heritage_sim.base import InputError

SCENARIO = Scenario.model_validate(
    {
        "name": "small",
        "traditions": [{"name": "gamelan", "kind": "gamelan", "num_works": 20}],
        "communities": [{"name": "Tirtanala", "tradition": "gamelan"}],
    }
)
SPACE = space_of(SCENARIO, read_parameters("listeners.kappa=1:2,listeners.churn_base=-4:1"), "--parameters")
MOMENTS = (Moment("a.b", False, lambda heard: heard.value), Moment("a.c", False, lambda heard: float("nan")))
POINT = np.array([0.123456789, 0.3])


@pytest.fixture
def simulated(monkeypatch):
    """Replace the simulation by one that counts its calls."""
    calls = []

    def simulate(scenario, draw, window, cache_dir):
        calls.append((scenario.listeners.kappa, draw))
        return SimpleNamespace(value=scenario.listeners.kappa * 0.1 + draw)

    monkeypatch.setattr(evaluations, "simulate", simulate)
    return calls


def opened(tmp_path, moments=MOMENTS, window=Window(5)):  # noqa: B008
    return Evaluations(SPACE, moments, window, tmp_path, tmp_path / "out" / "log.jsonl")


def test_a_point_is_simulated_once_and_found_again_by_the_next_process(tmp_path, simulated):
    first = opened(tmp_path)
    rows = first(POINT, range(3))
    first(POINT, range(2))
    assert len(simulated) == 3
    second = opened(tmp_path)
    np.testing.assert_array_equal(second(POINT, range(3)), rows)
    assert len(simulated) == 3
    assert (second.num_simulated, second.num_reused) == (0, 3)
    assert np.isnan(rows[:, 1]).all()


def test_a_line_that_was_cut_short_is_simulated_again_and_the_log_stays_readable(tmp_path, simulated):
    rows = opened(tmp_path)(POINT, range(3))
    log = tmp_path / "out" / "log.jsonl"
    log.write_text(log.read_text()[:-20])
    np.testing.assert_array_equal(opened(tmp_path)(POINT, range(3)), rows)
    assert len(simulated) == 4
    np.testing.assert_array_equal(opened(tmp_path)(POINT, range(3)), rows)
    assert len(simulated) == 4


@pytest.mark.parametrize(("change", "said"), [({"window": Window(6)}, "days"), ({"moments": MOMENTS[:1]}, "moments")])
def test_the_log_of_another_calibration_is_refused(tmp_path, simulated, change, said):
    opened(tmp_path)(POINT, range(1))
    with pytest.raises(InputError, match=said):
        opened(tmp_path, **change)


def test_a_file_that_is_no_log_is_not_written_over(tmp_path):
    log = tmp_path / "out" / "log.jsonl"
    log.parent.mkdir()
    log.write_text(json.dumps({"mine": 1}) + "\n")
    with pytest.raises(InputError):
        opened(tmp_path)
    assert log.read_text() == '{"mine": 1}\n'
