"""heritage calibrate as a user meets it: it recovers what made the targets, goes on where it was stopped, says what
it cannot tell."""

import html
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from heritage_experiments.calibration.calibrating import calibrate, space_to_simulate
from heritage_experiments.calibration.fitting import Effort
from heritage_experiments.calibration.listening import Window, simulate
from heritage_experiments.calibration.moments import moment
from heritage_experiments.calibration.sentences import warnings
from heritage_experiments.calibration.showing import as_data
from heritage_experiments.calibration.space import read_parameters, space_of
from heritage_experiments.calibration.targets import Target, Targets, read_targets
from heritage_experiments.scenario_load import load_scenario

pytestmark = pytest.mark.integration
SMALL = """\
name: small
seed: 3
traditions: [{name: gamelan, kind: gamelan, num_works: 60}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 200, renewal_days: 10}
economy: {days: 10, epoch_days: 5}
generator: {kind: archive}
ledger: {kind: reference}
"""
TARGETS = """\
targets:
  sessions_per_listener: {mean: 5, cv: 1.1}
  per_session: {plays: 1.6}
  plays_by_rank: {1-5: 0.2}
held_out: [plays_by_rank]
parameters: {listeners.sessions_per_day: [0.1, 1.5], listeners.activity_sd: [0.1, 2]}
"""


@pytest.fixture
def heritage(tmp_path):
    (tmp_path / "s.yaml").write_text(SMALL)
    (tmp_path / "t.yaml").write_text(TARGETS)

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "heritage_experiments", "calibrate", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "HERITAGE_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return call


def test_what_it_writes_is_a_scenario_that_builds_on_the_other_and_a_page_that_says_all(heritage, tmp_path):
    done = heritage("s.yaml", "--targets", "t.yaml", "--starts", 1, "--draws", 2, "--out", "fit", "--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    # The fitted values and nothing else changed.
    fitted = load_scenario(tmp_path / "fit" / "calibrated.yaml")
    assert yaml.safe_load((tmp_path / "fit" / "calibrated.yaml").read_text())["extends"] == "../s.yaml"
    for estimate in first["parameters"]:
        assert getattr(fitted.listeners, estimate["key"].partition(".")[2]) == estimate["value"]
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert fitted.listeners.kappa == load_scenario(tmp_path / "s.yaml").listeners.kappa
    page = html.unescape((tmp_path / "fit" / "calibration.html").read_text())
    for said in (*first["warnings"], "plays_by_rank.1-5 (held out)", "<svg"):
        assert said in page
    reached = {target["name"]: target for target in first["targets"]}
    assert abs(reached["sessions_per_listener.mean"]["gap_sd"]) < 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("s.yaml", "--targets", "none.yaml"), "there is no such target file"),
        (("s.yaml", "--targets", "t.yaml", "--parameters", "listeners.kapa"), "did you mean `listeners.kappa`?"),
        (("s.yaml", "--targets", "t.yaml", "--parameters", "listeners.max_slates"), "whole number"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(heritage, tmp_path, arguments, said):
    done = heritage(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_stopped_calibration_goes_on_and_ends_the_same(tmp_path):
    (tmp_path / "s.yaml").write_text(SMALL)
    (tmp_path / "t.yaml").write_text(TARGETS)
    wanted = read_targets(tmp_path / "t.yaml", 3)
    space = space_to_simulate(space_of(load_scenario(tmp_path / "s.yaml"), wanted.bounds or {}, ""), 80)
    job = (space, wanted, Window(6), Effort(1, 2, 10), tmp_path, tmp_path / "fit")
    first = calibrate(*job)
    log = tmp_path / "fit" / "evaluations.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[: len(lines) // 2]) + lines[-1][:15])  # as if it had been killed half-way
    second = calibrate(*job)
    assert as_data(second) | {"simulations": None} == as_data(first) | {"simulations": None}
    assert 0 < second.num_reused < first.num_simulated
    assert second.num_simulated + second.num_reused == first.num_simulated


def calibrated(
    tmp_path: Path, parameters: str, true: dict[str, float], names: str, held_out=(), num_listeners=300, **effort
):
    """Fit parameters to what a simulation with known values and another draw gives."""
    (tmp_path / "s.yaml").write_text(SMALL)
    scenario, window = load_scenario(tmp_path / "s.yaml"), Window(15)
    space = space_to_simulate(space_of(scenario, read_parameters(parameters), "--parameters"), num_listeners)
    made = simulate(space.scenario_at([true[p.key] for p in space.parameters]), 500_000, window, tmp_path)
    wanted = tuple(Target(moment(n), moment(n).of(made), is_held_out=n in held_out) for n in names.split())
    return calibrate(space, Targets(wanted), window, Effort(**effort), tmp_path)


@pytest.mark.slow
def test_known_parameters_are_recovered_within_the_stated_spread(tmp_path):
    true = {
        "listeners.kappa": 2.5,
        "listeners.sessions_per_day": 0.6,
        "listeners.skip_rate_per_minute": 1.0,
        "listeners.churn_base": -1.0,
    }
    bounds = ("=1:8", "=0.1:1.5", "=0.1:3", "=-4:1")
    result = calibrated(
        tmp_path,
        ",".join(key + bound for key, bound in zip(true, bounds, strict=True)),
        true,
        "plays_by_rank.1-5 sessions_per_listener.mean sessions_per_listener.q50 dwell_s.q25 dwell_s.q50 "
        "churn.per_30_days per_session.plays plays_per_listener.gini per_session.abandoned dwell_s.mean",
        held_out={"dwell_s.mean", "per_session.abandoned"},
        starts=1,
        draws=4,
        fresh_draws=60,
    )
    for estimate in result.estimates:
        assert estimate.low <= true[estimate.key] <= estimate.high, estimate
        # Not by saying nothing: the interval is much narrower than the bounds.
        share = next(p for p in result.space.parameters if p.key == estimate.key).share
        assert share(estimate.high) - share(estimate.low) < 0.5, estimate
    assert result.p_value > 0.001
    assert all(abs(match.gap) < 3.5 for match in result.matches if match.target.is_held_out)


def test_two_parameters_that_enter_as_a_product_are_said_to_be_one(tmp_path):
    # With one community, a listener's rate is sessions_per_day x activity: no aggregate can tell them apart.
    true = {"listeners.sessions_per_day": 0.5, "communities.Tirtanala.activity": 1.0, "listeners.activity_sd": 0.8}
    result = calibrated(
        tmp_path,
        "listeners.sessions_per_day=0.1:1.5,communities.Tirtanala.activity=0.3:4,listeners.activity_sd=0.1:2",
        true,
        "sessions_per_listener.mean sessions_per_listener.cv plays_per_listener.mean per_session.plays "
        "sessions_per_listener.zeros",
        num_listeners=150,
        starts=1,
        draws=2,
        fresh_draws=12,
    )
    said = [w for w in warnings(result) if "told apart" in w]
    assert len(said) == 1
    assert "listeners.sessions_per_day and communities.Tirtanala.activity cannot be told apart" in said[0]
    rate, activity, spread = result.estimates
    assert rate.value * activity.value == pytest.approx(0.5, rel=0.25)
    assert spread.low <= 0.8 <= spread.high
    for estimate in (rate, activity):
        parameter = next(p for p in result.space.parameters if p.key == estimate.key)
        assert parameter.share(estimate.high) - parameter.share(estimate.low) > 0.5
    assert np.log10(result.identified.singular[0] / result.identified.singular[-1]) > 1
