"""A swept comparison: the cells it makes, what is refused, and what is said of it. Under 3 s."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from heritage_experiments.report.sweeps import sentence, sweep_view
from heritage_experiments.scenario import Comparison, scenario_sha256
from heritage_experiments.scenario_load import load_scenario, resolve_cell
from heritage_experiments.sweeps.answers import sweep_answers
from heritage_experiments.sweeps.config import SweepConfig
from heritage_sim.base import InputError

SWEPT = """\
name: swept
traditions: [{name: gamelan, kind: gamelan, num_works: 24}]
communities: [{name: Tirtanala, tradition: gamelan}]
arms:
  bound: {}
  free: {generator: {masks: false}}
cells:
  - {name: bound, arm: bound, set: {listeners.drift: 0.0}}
  - {name: free, arm: free}
  - {name: other, arm: free, set: {royalty.rule.kind: user_centric}}
comparisons:
  - name: bound_vs_free
    treatment: bound
    control: free
    sweep: {key: listeners.consistency_taste_mean, values: [-1.5, 0, 2]}
  - name: other_vs_free
    treatment: other
    control: free
    sweep: {key: listeners.consistency_taste_mean, values: [0, 3]}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text=SWEPT):
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return load_scenario(tmp_path / "s.yaml")

    return loaded


def test_both_cells_are_run_again_at_every_value_and_shared_ones_once(load):
    scenario = load()
    made = [c.name.removeprefix("listeners-") for c in scenario.cells_to_run]
    of = "listeners-consistency_taste_mean"
    assert made == [
        *("bound", "free", "other"),
        *(f"{cell}-{of}-{value}" for value in ("minus1_5", "0", "2") for cell in ("bound", "free")),
        *(f"other-{of}-0", f"other-{of}-3", f"free-{of}-3"),
    ]


def test_a_cell_at_a_value_differs_from_its_cell_in_that_key_alone(load):
    scenario = load()
    base = resolve_cell(scenario, scenario.cell("bound"))
    at = resolve_cell(scenario, scenario.cell("bound-listeners-consistency_taste_mean-minus1_5"))
    assert at.listeners.consistency_taste_mean == -1.5
    assert at.listeners.model_copy(update={"consistency_taste_mean": 0.0}) == base.listeners
    assert at.model_copy(update={"listeners": base.listeners}) == base


def test_names_of_different_values_cells_and_keys_never_meet():
    keys = ("listeners.drift", "listeners.fatigue", "communities.Tirtanala.strictness", "communities.Wayra.strictness")
    values = (-10, -1.5, -1, 0, 0.15, 1, 1.5, 15, 1e-7, 1e7, 10_000_000_000)
    names = [
        SweepConfig(key=key, values=(0, 1)).cell_name(cell, value)
        for key in keys
        for value in values
        for cell in ("a", "a-b")
    ]
    assert len(set(names)) == len(names)


def test_a_sweep_is_part_of_the_scenarios_identity(load):
    assert scenario_sha256(load()) != scenario_sha256(load(SWEPT.replace("[0, 3]", "[0, 2]")))


@pytest.mark.parametrize(
    ("wrong", "by", "what"),
    [
        ("key: listeners.consistency_taste_mean, values: [-1.5", "key: listeners.drift, values: [-1.5", "drift"),
        ("key: listeners.consistency_taste_mean, values: [-1.5", "key: listeners.mood, values: [-1.5", "unknown key"),
        ("key: listeners.consistency_taste_mean, values: [-1.5", "key: traditions.0.num_works, values: [-2", "`tradi"),
        ("[-1.5, 0, 2]", "[0, -1.5, 2]", "ascend"),
        ("[-1.5, 0, 2]", "[0]", "at least 2"),
        ("{name: other,", "{name: bound-listeners-consistency_taste_mean-0,", "which is there already"),
    ],
)
def test_what_cannot_be_swept_is_refused_with_file_and_line(load, wrong, by, what):
    text = SWEPT.replace(wrong, by, 1).replace(
        "treatment: other", "treatment: free" if "bound-l" in by else "treatment: other"
    )
    with pytest.raises(InputError, match=what) as caught:
        load(text)
    assert "s.yaml, line " in caught.value.where
    assert caught.value.remedy


COMPARISON = Comparison(
    name="bound_vs_free",
    treatment="bound",
    control="free",
    outcome="plays_share_generated",
    sweep=SweepConfig(key="listeners.consistency_taste_mean", values=(-2, -1, 0, 1, 2)),
)


def run_of(slope, cross, missing=()):
    """Return a run in which the difference is a known line, alike in all of six replications but for a small noise."""
    tables = {}
    for value in COMPARISON.sweep.values:
        control = 20.0 + np.arange(6.0)
        line = slope * (value - cross) + 0.01 * np.cos(np.arange(6.0) * 3.0)
        for side, values in (("bound", control + line), ("free", control)):
            if value not in missing:
                tables[COMPARISON.sweep.cell_name(side, value)] = pd.Series(values, index=range(6))
    outcomes = pd.DataFrame({"name": ["plays_share_generated"], "unit": ["%"]})
    return SimpleNamespace(
        outcomes=outcomes,
        scenario={"seed": 3},
        communities=("Tirtanala",),
        values=lambda cell, outcome: tables.get(cell, pd.Series(dtype=float)),
    )


def answered(run):
    (answer,) = sweep_answers((COMPARISON,), run.values)
    return answer


def test_a_known_crossing_is_said_with_its_interval_and_kept_as_data():
    run = run_of(3.0, 0.25)
    said = sentence(answered(run), run)
    assert "changes as the mean utility of consistency with the archive over listeners goes from −2 to 2, at" in said
    assert "at 0.25" in said
    assert "95 % interval 0.24" in said
    assert "): below zero before that, above it after. Taken as straight" in said
    assert "That it changes is shown" in said
    assert "above zero before that, below it after" in sentence(answered(run_of(-3.0, 0.25)), run)
    kept = json.loads(json.dumps(answered(run).as_outcome(), allow_nan=False))
    assert kept["name"] == "sign_flip_bound_vs_free_consistency_taste_mean"
    assert kept["points"] == [pytest.approx(0.25, abs=0.01)]
    assert kept["low"] < kept["points"][0] < kept["high"]
    assert kept["n"] == 6


def test_no_crossing_is_said_plainly():
    run = run_of(3.0, -9.0)
    said = sentence(answered(run), run)
    assert "no change of sign in the range" in said
    assert "above zero" in said
    assert "interval" not in said


def test_a_sweep_that_is_not_finished_says_so():
    run = run_of(3.0, 0.25, missing=(2,))
    assert "Results at 1 of 5 values are not in yet" in sentence(answered(run), run)
    assert sweep_answers((COMPARISON,), run_of(1.0, 0.0, missing=(-2, -1, 0, 1)).values) == []


def test_every_value_has_its_row_and_the_picture_its_words():
    run = run_of(3.0, 0.25)
    view = sweep_view(answered(run), run)
    assert [row["value"] for row in view["rows"]] == ["−2", "−1", "0", "1", "2"]
    assert [row["verdict"] for row in view["rows"]] == ["lower", "lower", "lower", "higher", "higher"]
    assert view["drawing"].svg.startswith("<svg")
    assert "aria-label" in view["drawing"].svg
    assert "n = 6" in view["drawing"].caption
