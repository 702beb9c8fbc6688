"""Whatever is wrong with a scenario is said once, with file, line and remedy."""

from pathlib import Path

import pytest

from heritage_experiments.scenario_load import cells_untouched, load_scenario, resolve_cell
from heritage_sim.base import InputError

GOOD = """\
name: small
seed: 3
traditions:
  - {name: gamelan, kind: gamelan, num_works: 24}
communities:
  - name: Tirtanala
    tradition: gamelan
listeners:
  num_listeners: 50
economy:
  days: 5
  epoch_days: 5
arms:
  archive: {generator: {kind: archive}}
cells:
  - {name: a, arm: archive, set: {royalty.rule.kind: pro_rata}}
  - {name: b, arm: archive, set: {royalty.rule.kind: user_centric}}
comparisons:
  - {name: b_vs_a, treatment: b, control: a}
"""


def told(tmp_path: Path, text: str, *sets: str) -> InputError:
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(file, sets)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value


def line_of(text: str, part: str) -> int:
    return 1 + next(i for i, line in enumerate(text.splitlines()) if part in line)


def test_the_good_scenario_is_accepted(tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD)
    assert [c.name for c in load_scenario(tmp_path / "s.yaml").cells] == ["a", "b"]


@pytest.mark.parametrize(
    ("before", "after", "what", "remedy"),
    [
        ("  days: 5", "  dayz: 5", "unknown key `economy.dayz`", "did you mean `days`?"),
        ("  days: 5", "  days: many", "`economy.days`", "[days]"),
        ("  days: 5", "  days: '5'", "`economy.days`", "[days]"),
        ("  days: 5", "  days: yes", "`economy.days`", "[days]"),
        ("seed: 3", "recommender: popularity", "a section with keys of its own", "`recommender.kind`"),
        ("  days: 5", "  days: 0", "greater than or equal to 1", "[days]"),
        ("  days: 5", "  days: 2.5", "`economy.days`", "[days]"),
        ("kind: gamelan", "kind: gamelon", "none of", "did you mean 'gamelan'?"),
        ("kind: user_centric", "kind: user_centrik", "user_centric", "quickstart.yaml"),
        ("    tradition: gamelan", "    tradition: gamelon", "names the tradition 'gamelon'", "correct the name"),
        (
            "arm: archive, set: {royalty.rule.kind: pro_rata}",
            "arm: archives",
            "names the arm 'archives'",
            "correct the name",
        ),
        ("treatment: b", "treatment: z", "names the cell 'z'", "correct the name"),
        ("{name: b, arm", "{name: a, arm: archive, arm", "the key `arm` stands twice", "keep one of the two"),
        ("name: b, arm: archive, set", "name: a, set", "the cell name 'a' stands twice", "correct the name"),
        (
            "archive: {generator: {kind",
            "archive: {generator: {kin",
            "unknown key `generator.kin`",
            "did you mean `kind`?",
        ),
        ("seed: 3", "name: again", "stands twice", "keep one of the two"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line_and_remedy(tmp_path, before, after, what, remedy):
    assert before in GOOD
    text = GOOD.replace(before, after)
    error = told(tmp_path, text)
    assert what in error.what
    assert f"s.yaml, line {line_of(text, after)}" in error.where
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ("[low, 1]", '`comparisons.0.sweep.values.0` is "low": input should be a number'),
        ("['-1', 1]", '`comparisons.0.sweep.values.0` is "-1": input should be a number'),
        ("[1]", "`comparisons.0.sweep.values` has 1 item, and takes at least 2"),
        ("low to high", '`comparisons.0.sweep.values` is "low to high": input should be a list, such as [1, 2]'),
    ],
)
def test_a_value_of_a_sweep_is_one_problem_whatever_kinds_it_could_have_been_of(tmp_path, values, what):
    text = GOOD.replace("control: a}", f"control: a, sweep: {{key: listeners.kappa, values: {values}}}}}")
    error = told(tmp_path, text)
    assert error.what == what
    assert "more problem" not in error.remedy
    assert "own unit" in error.remedy


def test_an_arm_may_not_change_what_makes_cells_comparable(tmp_path):
    text = GOOD.replace("archive: {generator: {kind: archive}}", "archive: {seed: 9}")
    error = told(tmp_path, text)
    assert "no arm or cell may change `seed`" in error.what
    assert f"line {line_of(text, 'archive: {seed')}" in error.where


def test_broken_yaml_is_named_with_its_line(tmp_path):
    text = GOOD + "broken: [1, 2\nmore: 3\n"
    error = told(tmp_path, text)
    assert "not YAML" in error.what
    assert "line 21" in error.where


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- list\n"])
def test_a_file_without_a_mapping_is_refused(tmp_path, text):
    assert "s.yaml" in told(tmp_path, text).where


def test_a_missing_file_is_refused_and_its_neighbours_named(tmp_path):
    (tmp_path / "other.yaml").write_text(GOOD)
    with pytest.raises(InputError) as caught:
        load_scenario(tmp_path / "s.yaml")
    assert "other.yaml" in caught.value.remedy


def test_an_argument_is_checked_by_the_same_schema_and_named_in_the_error(tmp_path):
    error = told(tmp_path, GOOD, "economy.dayz=3")
    assert error.where == "--set economy.dayz=3"
    assert "did you mean `days`?" in error.remedy
    assert told(tmp_path, GOOD, "economy.days=none").where == "--set economy.days=none"
    assert told(tmp_path, GOOD, "traditions.4.kind=scl").where == "--set traditions.4.kind=scl"
    assert "key=value" in told(tmp_path, GOOD, "economy.days").what


def test_a_later_argument_wins_over_file_and_earlier_ones(tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD)
    scenario = load_scenario(tmp_path / "s.yaml", ["economy.days=10", "traditions.0.num_works=30", "economy.days=15"])
    assert (scenario.economy.days, scenario.traditions[0].num_works) == (15, 30)


def test_extends_merges_sections_and_points_at_the_file_that_had_the_last_word(tmp_path):
    (tmp_path / "base.yaml").write_text(GOOD)
    (tmp_path / "s.yaml").write_text("extends: base.yaml\neconomy: {days: 10}\n")
    scenario = load_scenario(tmp_path / "s.yaml")
    assert (scenario.economy.days, scenario.economy.epoch_days) == (10, 5)
    error = told(tmp_path, "extends: base.yaml\neconomy:\n  days: -1\n")
    assert "s.yaml, line 3" in error.where
    (tmp_path / "base.yaml").write_text(GOOD.replace("  days: 5", "  days: -1"))
    error = told(tmp_path, "extends: base.yaml\nseed: 4\n")
    assert "base.yaml, line 11" in error.where


def test_a_circle_of_extends_and_a_missing_base_are_refused(tmp_path):
    assert "extends itself" in told(tmp_path, "extends: s.yaml\n").what
    assert "does not exist" in told(tmp_path, "extends: nowhere.yaml\n").what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("class Rule:\n    pass\n", "lacks"),
        ("x = 1\n", "has no class Rule"),
        ("import no_such_module\n", "fails when imported"),
    ],
)
def test_a_part_of_ones_own_that_does_not_fit_is_refused_before_a_run(tmp_path, text, what):
    (tmp_path / "mine.py").write_text(text)
    assert what in told(tmp_path, GOOD + "royalty: {rule: {kind: 'mine.py:Rule'}}\n").what


def test_a_missing_file_of_ones_own_is_refused(tmp_path):
    assert "no such file" in told(tmp_path, GOOD + "generator: {kind: 'nowhere.py:G'}\n").what


def test_an_outcome_that_no_run_records_is_refused_before_a_run(tmp_path):
    text = GOOD.replace("control: a}", "control: a, outcome: payout_gap_comunities}")
    error = told(tmp_path, text)
    assert "payout_gap_comunities" in error.what
    assert f"s.yaml, line {line_of(text, 'payout_gap_comunities')}" in error.where
    assert "did you mean 'payout_gap_communities'?" in error.remedy


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_a_number_that_is_none_is_an_impossible_value(tmp_path, value):
    text = GOOD.replace("num_listeners: 50", f"num_listeners: 50\n  consistency_taste_mean: {value}")
    error = told(tmp_path, text)
    assert "consistency_taste_mean" in error.what
    assert f"line {line_of(text, 'consistency_taste_mean')}" in error.where


def test_an_alias_that_leads_back_to_itself_is_refused(tmp_path):
    text = GOOD.replace("arms:\n", "arms: &arms\n  again: *arms\n")
    assert "leads back to itself" in told(tmp_path, text).what


def test_an_arm_may_not_bring_arms_or_cells_of_its_own(tmp_path):
    text = GOOD.replace("archive: {generator: {kind: archive}}", "archive: {cells: []}")
    assert "no arm or cell may change `cells`" in told(tmp_path, text).what


def test_quick_bounds_what_arms_and_cells_set_too(tmp_path):
    text = GOOD.replace("archive: {generator", "archive: {economy: {days: 400}, generator")
    text = text.replace("royalty.rule.kind: pro_rata", "listeners.num_listeners: 90000, economy.epoch_days: 7")
    text = text[: text.index("comparisons:")]
    (tmp_path / "s.yaml").write_text(text)
    scenario = load_scenario(tmp_path / "s.yaml", quick=True)
    cells = [resolve_cell(scenario, cell) for cell in scenario.cells]
    assert [(c.economy.days, c.listeners.num_listeners) for c in cells] == [(21, 500), (21, 50)]


def test_a_base_reads_its_paths_from_its_own_folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "mine.py").write_text("class Rule:\n    pass\n")
    (tmp_path / "below" / "base.yaml").write_text(GOOD + "royalty: {rule: {kind: 'mine.py:Rule'}}\n")
    error = told(tmp_path, "extends: below/base.yaml\nseed: 4\n")
    assert "lacks" in error.what
    assert error.where == str(tmp_path / "below" / "mine.py")


def test_a_rule_misspelt_in_a_cell_is_found_there_and_not_in_the_base(tmp_path):
    (tmp_path / "base.yaml").write_text(GOOD + "royalty: {rule: {kind: pro_rata}}\n")
    text = "extends: base.yaml\ncomparisons: []\ncells:\n  - {name: a, set: {royalty.rule: user_centrc}}\n"
    error = told(tmp_path, text)
    assert "user_centrc" in error.what
    assert error.where.startswith(f"{tmp_path / 's.yaml'}, line 4")
    text = "extends: base.yaml\narms:\n  archive:\n    royalty: {rule: {kind: user_centrc}}\n"
    text += "comparisons: []\ncells: [{name: a, arm: archive}]\n"
    assert told(tmp_path, text).where.startswith(f"{tmp_path / 's.yaml'}, line 4")


@pytest.mark.parametrize(
    ("before", "after", "what", "remedy"),
    [
        ("seed: 3", "seed: 3\ndays: 30", "unknown key `days`", "did you mean `economy.days`?"),
        ("  days: 5", "  num_listeners: 5", "`economy.num_listeners`", "did you mean `listeners.num_listeners`?"),
        ("name: small", "name: My Question", "small letters, digits, - and _", "for example my-question"),
        ("    tradition", "    share_bps: 60%\n    tradition", 'share_bps` is "60%"', "write 6000 (basis points)"),
        ("    tradition", "    strictness: 35 %\n    tradition", "strictness", "write 0.35, a number without %"),
        ("    tradition", "    share_bps: 7000\n    tradition", "above its own share_max_bps 6000", "raise share_max"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(tmp_path, before, after, what, remedy):
    error = told(tmp_path, GOOD.replace(before, after, 1))
    assert what in error.what
    assert remedy in error.remedy


def test_an_argument_that_names_a_key_without_its_section_is_answered_with_the_whole_key(tmp_path):
    assert "did you mean `economy.days`?" in told(tmp_path, GOOD, "days=30").remedy


def test_a_comparison_of_cells_that_are_gone_is_said_to_be_inherited(tmp_path):
    (tmp_path / "base.yaml").write_text(GOOD)
    error = told(tmp_path, "extends: base.yaml\ncells: [{name: z}]\n")
    assert "base.yaml" in error.where
    assert "`comparisons` is inherited from" in error.remedy
    assert "write it anew in" in error.remedy


@pytest.mark.parametrize("change", ["economy.days: 9", "economy.epoch_days: 1", "listeners.num_listeners: 51"])
def test_cells_of_two_worlds_may_run_beside_each_other_but_not_be_compared(tmp_path, change):
    text = GOOD.replace("royalty.rule.kind: pro_rata", change)
    error = told(tmp_path, text)
    assert "compares two worlds" in error.what
    assert change.split(":")[0] in error.what
    assert f"s.yaml, line {line_of(text, 'treatment: b')}" in error.where
    (tmp_path / "s.yaml").write_text(text[: text.index("comparisons:")])
    assert len(load_scenario(tmp_path / "s.yaml").cells) == 2


TERMS = """\
cells:
  - {name: a}
  - {name: b, set: {communities.Tirtanala.share_bps: 6000, communities.0.consent: [train, perform, sell]}}
  - {name: c, arm: strict}
  - {name: d, arm: dotted}
arms:
  strict: {communities: {Tirtanala: {strictness: 0.8, displacement_share: 0.3}}}
  dotted: {communities.Tirtanala.share_step_bps: 0}
"""


def test_cells_and_arms_change_the_terms_of_a_community_by_its_name_or_number(tmp_path):
    text = GOOD[: GOOD.index("arms:")] + TERMS
    (tmp_path / "s.yaml").write_text(text)
    scenario = load_scenario(tmp_path / "s.yaml", ["communities.Tirtanala.income_tolerance=0.5"])
    a, b, c, d = (resolve_cell(scenario, cell).communities[0] for cell in scenario.cells)
    assert (b.share_bps, b.consent) == (6000, ("train", "perform", "sell"))
    assert (c.strictness, c.displacement_share, d.share_step_bps) == (0.8, 0.3, 0)
    assert {x.income_tolerance for x in (a, b, c, d)} == {0.5}
    assert (a.share_bps, c.share_bps) == (3000, 3000)
    error = told(tmp_path, text.replace("strictness: 0.8", "strictness: 8"))
    assert f"line {line_of(text, 'strict: {comm')}" in error.where
    error = told(tmp_path, text.replace("Tirtanala.share_bps", "Tirtanal.share_bps"))
    assert "or a name: Tirtanala" in error.remedy


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("communities.Tirtanala.listener_share: 3", "`communities.Tirtanala.listener_share`"),
        ("communities.0.name: Other", "`communities.Tirtanala.name`"),
        ("communities.0.activity: 2", "`communities.Tirtanala.activity`"),
        (
            "communities: [{name: Tirtanala, tradition: gamelan}, {name: Other, tradition: gamelan}]",
            "the number of communities",
        ),
        ("creators.num_per_community: 3", "`creators.num_per_community`"),
    ],
)
def test_what_of_a_community_makes_the_world_is_the_same_in_all_cells(tmp_path, change, what):
    text = GOOD.replace("royalty.rule.kind: pro_rata", change)
    error = told(tmp_path, text)
    assert f"no arm or cell may change {what}" in error.what
    assert f"s.yaml, line {line_of(text, 'name: a')}" in error.where


def test_an_argument_that_every_cell_sets_itself_is_refused_and_one_that_some_set_is_told(tmp_path):
    text = GOOD.replace(", set: {royalty.rule.kind: user_centric}", ", set: {economy.days: 5}")
    (tmp_path / "s.yaml").write_text(text)
    file = tmp_path / "s.yaml"
    assert cells_untouched(file, ["royalty.rule.kind=threshold"]) == {"royalty.rule.kind=threshold": ("a",)}
    assert cells_untouched(file, ["economy.epoch_days=1", "seed=9", "replications=3"]) == {}
    file.write_text(GOOD)
    with pytest.raises(InputError, match="every cell sets the key itself") as caught:
        cells_untouched(file, ["seed=9", "royalty.rule.kind=threshold"])
    assert caught.value.where == "--set royalty.rule.kind=threshold"
    assert "--set cells.a.set.royalty.rule.kind=threshold" in caught.value.remedy
    scenario = load_scenario(file, ["cells.a.set.royalty.rule.kind=threshold"])
    assert [resolve_cell(scenario, c).royalty.rule.kind for c in scenario.cells] == ["threshold", "user_centric"]
