"""Cells, hashes and the schema of scenarios."""

from pathlib import Path

import yaml

from heritage_experiments.runner import scenario_yaml
from heritage_experiments.scenario import as_data, json_schema, scenario_sha256
from heritage_experiments.scenario_load import check_source, load_scenario, resolve_cell
from heritage_experiments.scenario_source import parse_source

SCENARIOS = Path(__file__).parents[3] / "experiments" / "scenarios"


def test_every_scenario_that_ships_is_accepted():
    for file in SCENARIOS.glob("*.yaml"):
        assert load_scenario(file).cells_to_run


def test_the_quickstart_asks_the_question_it_should():
    scenario = load_scenario(SCENARIOS / "quickstart.yaml")
    resolved = {c.name: resolve_cell(scenario, c) for c in scenario.cells}
    assert (len(resolved), scenario.replications, scenario.listeners.num_listeners) == (5, 20, 5000)
    assert (scenario.economy.days, scenario.economy.epoch_days, len(scenario.communities)) == (60, 7, 3)
    assert scenario.creators.num_per_community * 3 >= 60
    assert sum(t.num_works for t in scenario.traditions) >= 600
    kinds = {name: (s.generator.kind, s.generator.masks, s.royalty.rule.kind) for name, s in resolved.items()}
    assert kinds == {
        "constrained-pro_rata": ("pool", True, "pro_rata"),
        "constrained-user_centric": ("pool", True, "user_centric"),
        "constrained-community_weighted": ("pool", True, "community_weighted"),
        "archive-pro_rata": ("archive", True, "pro_rata"),
        "unconditioned-pro_rata": ("pool", False, "pro_rata"),
    }


def test_a_cell_is_what_its_overrides_say_and_not_what_it_is_called():
    scenario = load_scenario(SCENARIOS / "placebo_aa.yaml")
    first, second = (resolve_cell(scenario, c) for c in scenario.cells)
    assert first == second
    assert scenario_sha256(first) == scenario_sha256(second)


def test_runtime_keys_leave_the_hash_alone_and_all_others_change_it():
    file = SCENARIOS / "quickstart.yaml"
    plain = scenario_sha256(load_scenario(file))
    assert scenario_sha256(load_scenario(file, ["runtime.shards=5", "runtime.executor=local"])) == plain
    for change in ("seed=2", "economy.days=61", "listeners.kappa=4.5", "royalty.rule.kind=user_centric"):
        assert scenario_sha256(load_scenario(file, [change])) != plain


def test_the_saved_scenario_reads_back_as_itself(tmp_path):
    scenario = load_scenario(SCENARIOS / "quickstart.yaml", ["economy.days=30"])
    again = check_source(parse_source(scenario_yaml(scenario), "scenario.yaml", tmp_path))
    assert as_data(again) == as_data(scenario)
    assert scenario_sha256(again) == scenario_sha256(scenario)


def test_quick_only_ever_bounds(tmp_path):
    (tmp_path / "s.yaml").write_text(f"extends: {SCENARIOS / 'quickstart.yaml'}\neconomy: {{days: 7}}\n")
    quick = load_scenario(tmp_path / "s.yaml", quick=True)
    assert (quick.replications, quick.listeners.num_listeners, quick.economy.days) == (3, 500, 7)


def test_a_part_of_ones_own_counts_by_its_text(tmp_path):
    rule = "from heritage_sim.royalty.rules.pro_rata import ProRata\nclass Rule(ProRata): pass\n"
    (tmp_path / "s.yaml").write_text(
        f"extends: {SCENARIOS / 'quickstart.yaml'}\ncells: []\ncomparisons: []\n"
        "royalty: {rule: {kind: 'mine.py:Rule'}}\n"
    )
    (tmp_path / "mine.py").write_text(rule)
    scenario = load_scenario(tmp_path / "s.yaml")
    assert scenario.royalty.rule.kind == f"{tmp_path / 'mine.py'}:Rule"
    assert yaml.safe_load(scenario_yaml(scenario))["royalty"]["rule"]["kind"].endswith("mine.py:Rule")
    before = scenario_sha256(scenario)
    (tmp_path / "mine.py").write_text(rule + "# changed\n")
    assert scenario_sha256(scenario) != before


def test_the_schema_forbids_unknown_keys_and_tells_units():
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "own_parts" not in schema["properties"]
    days = schema["$defs"]["EconomyConfig"]["properties"]["days"]
    assert (days["minimum"], "[days]" in days["description"]) == (1, True)
