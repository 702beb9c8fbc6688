"""Target files, parameters and their bounds; and what is said where they cannot be used."""

from pathlib import Path

import pytest

from heritage_experiments.calibration.space import read_parameters, space_of
from heritage_experiments.calibration.targets import read_targets
from heritage_experiments.scenario import Scenario
from heritage_sim.base import InputError

SCENARIO = Scenario.model_validate(
    {
        "name": "small",
        "traditions": [{"name": "gamelan", "kind": "gamelan", "num_works": 20}],
        "communities": [{"name": "Tirtanala", "tradition": "gamelan"}],
    }
)
GOOD = """\
days: 30
sample_listeners: 900
targets:
  plays_by_rank: {1-10: 0.25, 11-50: 0.2}
  sessions_per_listener: {mean: 9.5, q90: {value: 22, error: 1.5}}
  dwell_s: {q50: 40}
held_out: [plays_by_rank.11-50]
parameters: {listeners.kappa: [1, 8], listeners.activity_sd: }
"""


def written(tmp_path: Path, text: str, name: str = "t.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_target_file_is_read_with_its_errors_and_what_is_held_out(tmp_path):
    read = read_targets(written(tmp_path, GOOD), seed=1)
    assert [t.name for t in read.targets] == [
        "plays_by_rank.1-10", "plays_by_rank.11-50", "sessions_per_listener.mean", "sessions_per_listener.q90",
        "dwell_s.q50",
    ]  # fmt: skip
    assert [t.error for t in read.targets] == [None, None, None, 1.5, None]
    assert read.held_out == [1]
    assert (read.days, read.sample_listeners) == (30, 900)
    assert read.bounds == {"listeners.kappa": (1.0, 8.0), "listeners.activity_sd": None}
    # Only a quantile of counts that is stated as a whole number has been rounded.
    assert [t.rounding > 0.0 for t in read.targets] == [False, False, False, True, False]


def test_csv_says_the_same(tmp_path):
    text = "target,value,error,held_out\nplays_by_rank.1-10,0.25,,\ndwell_s.q50,40,2,yes\n"
    read = read_targets(written(tmp_path, text, "t.csv"), seed=1)
    assert [(t.name, t.value, t.error, t.is_held_out) for t in read.targets] == [
        ("plays_by_rank.1-10", 0.25, None, False),
        ("dwell_s.q50", 40.0, 2.0, True),
    ]


def test_a_share_of_targets_is_held_out_by_key_and_not_by_place(tmp_path):
    path = written(tmp_path, GOOD.replace("[plays_by_rank.11-50]", "0.4"))
    chosen = {seed: tuple(read_targets(path, seed).held_out) for seed in range(8)}
    assert all(len(places) == 2 for places in chosen.values())
    assert len(set(chosen.values())) > 1
    assert tuple(read_targets(path, 3).held_out) == chosen[3]


@pytest.mark.parametrize(
    ("old", "new", "line", "remedy"),
    [
        ("plays_by_rank:", "plays_by_place:", "line 4", "plays_by_rank"),
        ("mean: 9.5", "median: 9.5", "line 5", "q90"),
        ("mean: 9.5", "mean: many", "line 5", "number"),
        ("mean: 9.5", "mean: -9.5", "line 5", "never below 0"),
        ("1-10: 0.25", "1-10: -0.25", "line 4", "between 0 and 1"),
        ("1-10: 0.25", "1-10: 25", "line 4", "25 % is 0.25"),
        ("error: 1.5", "error: 0", "line 5", "leave it out"),
        ("error: 1.5", "sd: 1.5", "line 5", "error"),
        ("days: 30", "days: 0", "line 1", "at least 1"),
        ("sample_listeners", "listeners", "line 2", "sample_listeners"),
        ("[plays_by_rank.11-50]", "[plays_by_rank.51-]", "line 7", "one of the targets"),
        ("[1, 8]", "[1]", "line 8", "lowest"),
        ("targets:", "targets:\n  x: {", "line", "calibration_examples"),
    ],
)
def test_a_bad_target_file_is_refused_by_line_and_with_a_remedy(tmp_path, old, new, line, remedy):
    with pytest.raises(InputError) as refused:
        read_targets(written(tmp_path, GOOD.replace(old, new)), seed=1)
    assert "t.yaml" in refused.value.where
    assert line in refused.value.where
    assert remedy in refused.value.remedy


def test_bounds_come_from_what_is_given_then_from_the_schema_then_from_the_value():
    asked = read_parameters(
        "listeners.kappa=1:8, listeners.activity_sd, listeners.churn_base,communities.Tirtanala.activity"
    )
    given, schema, assumed, community = space_of(SCENARIO, asked, "--parameters").parameters
    assert (given.low, given.high, given.is_assumed) == (1.0, 8.0, False)
    assert (schema.low, schema.high, schema.is_assumed) == (0.0, 4.0, False)
    assert assumed.is_assumed
    assert assumed.low < assumed.value < assumed.high
    assert (community.low, community.value) == (0.0, 1.0)


def test_a_point_and_its_values_are_two_ways_to_say_one_thing():
    space = space_of(SCENARIO, read_parameters("listeners.kappa=0.5:8,listeners.churn_base=-4:1"), "--parameters")
    assert space.parameters[0].is_log
    assert space.parameters[0].at(0.5) == pytest.approx(2.0)
    for x in (0.0, 0.31, 1.0):
        assert [p.share(p.at(x)) for p in space.parameters] == pytest.approx([x, x], abs=1e-9)
    made = space.scenario_at((2.0, -1.5))
    assert (made.listeners.kappa, made.listeners.churn_base) == (2.0, -1.5)
    assert made.listeners.activity_sd == SCENARIO.listeners.activity_sd


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("kappa", "listeners.kappa"),
        ("listeners.kapa", "listeners.kappa"),
        ("listeners.slate_size", "--set"),
        ("creators.cost", "one of"),
        ("listeners.kappa=8:1", "the lower first"),
        ("listeners.kappa=-1:8", "at least 0"),
        ("listeners.kappa=1-8", "listeners.kappa=1:8"),
        ("listeners.kappa,,", "comma"),
    ],
)
def test_parameters_that_cannot_be_fitted_are_refused(text, remedy):
    with pytest.raises(InputError) as refused:
        space_of(SCENARIO, read_parameters(text), "--parameters")
    assert remedy in refused.value.remedy or remedy in f"{refused.value}"


def test_values_that_the_schema_does_not_admit_together_are_an_input_error():
    space = space_of(SCENARIO, {"recommender.near_share": None, "recommender.popular_share": None}, "--parameters")
    with pytest.raises(InputError, match="no scenario can have"):
        space.scenario_at((0.9, 0.9))


def test_targets_without_a_value_are_counted_from_a_table_of_plays(tmp_path):
    written(tmp_path, "user\titem\tplays\n7\t1\t3\n7\t2\t1\n9\t1\t4\n7\t1\t2\n", "plays.tsv")
    text = """\
plays_table: plays.tsv
targets:
  plays_per_listener: {mean: , gini: }
  works_per_listener: {mean: }
  plays_by_rank: {1-1: , 2-2: 0.15}
"""
    read = read_targets(written(tmp_path, text), seed=1)
    # Listener 7 played 6 times, 9 four times; work 1 nine times, work 2 once.
    assert [t.value for t in read.targets] == pytest.approx([5.0, 0.1, 1.5, 0.9, 0.15])
    assert read.sample_listeners == 2


@pytest.mark.parametrize(
    ("table", "target", "remedy"),
    [
        ("1 2 3\n", "dwell_s: {mean: }", "leave it out"),
        ("1 2\n", "plays_per_listener: {mean: }", "listener, item and plays"),
        ("1 2 many\n", "plays_per_listener: {mean: }", "listener, item and plays"),
        (None, "plays_per_listener: {mean: }", "correct the path"),
    ],
)
def test_a_table_of_plays_that_cannot_be_used_is_refused(tmp_path, table, target, remedy):
    if table is not None:
        written(tmp_path, table, "plays.tsv")
    with pytest.raises(InputError) as refused:
        read_targets(written(tmp_path, f"plays_table: plays.tsv\ntargets:\n  {target}\n"), seed=1)
    assert remedy in refused.value.remedy
    assert "t.yaml, line" in refused.value.where
