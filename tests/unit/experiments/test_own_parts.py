"""Parts of the user's own: named in a scenario, checked before a run, counted by their text."""

import pickle
import subprocess
import sys

import pytest

from heritage_experiments.registry import load_class, rule_of
from heritage_experiments.royalty_files.case import read_case
from heritage_experiments.royalty_files.settling import parse_rules, settle_case
from heritage_experiments.scenario import scenario_sha256
from heritage_experiments.scenario_load import load_scenario, resolve_cell
from heritage_experiments.wiring import practice_of
from heritage_sim.base import CommunityView, InputError
from heritage_sim.royalty import RuleConfig

SCENARIO = """\
name: small
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
generator: {kind: archive}
"""
SOLIDARITY = '''\
import numpy as np
from pydantic import Field

from heritage_sim.base import largest_remainder
from heritage_sim.royalty import Rule, state_without_plays, statement_of


class Solidarity(Rule):
    """A part of the pool is shared equally by all works played, the rest by plays."""

    floor_bps: int = Field(default=1000, ge=0, le=10_000)

    def statistics(self, usage, rights, totals):
        return {"plays": usage.plays_by_work()}

    def settle(self, statistics, rights, pool_units, epoch):
        plays = statistics["plays"]
        if not plays.any():
            return state_without_plays(self, rights, pool_units, epoch)
        floor = pool_units * self.floor_bps // 10_000
        units = largest_remainder(floor, (plays > 0).astype(np.int64)) + largest_remainder(pool_units - floor, plays)
        return statement_of(self, units, rights, pool_units, epoch, [f"{floor} units equally, the rest by plays"])
'''


HALVING = """\
class Halving:
    def __init__(self, config, start):
        self.start = start

    def after(self, share, advantage, years):
        return share / 2
"""


def test_a_form_of_transmission_of_ones_own_moves_the_bearers(tmp_path):
    (tmp_path / "halving.py").write_text(HALVING)
    (tmp_path / "s.yaml").write_text(SCENARIO + "transmission: {kind: halving.py:Halving, income_weight: 2.0}\n")
    scenario = load_scenario(tmp_path / "s.yaml")
    stock = practice_of(scenario)
    assert stock.bearers.tolist() == [200.0]
    stock.hand_on([CommunityView(0, None, 100, 0, 10, 0)], 7)
    assert stock.bearers.tolist() == [100.0]
    (tmp_path / "halving.py").write_text(HALVING.replace("after", "later"))
    with pytest.raises(InputError, match="lacks after"):
        load_class("transmission", scenario.own_parts["transmission"])


def test_a_rule_of_ones_own_takes_its_parameters_by_name_in_cells_and_among_shadows(tmp_path):
    (tmp_path / "solidarity.py").write_text(SOLIDARITY)
    (tmp_path / "s.yaml").write_text(
        SCENARIO + "royalty: {shadow: [pro_rata, solidarity.py:Solidarity(floor_bps=2000)]}\n"
        "cells:\n  - {name: a, set: {royalty.rule: {kind: 'solidarity.py:Solidarity', floor_bps: 3000}}}\n"
        "  - {name: b, set: {royalty.rule: 'solidarity.py:Solidarity'}}\n"
    )
    scenario = load_scenario(tmp_path / "s.yaml", ["royalty.rule=solidarity.py:Solidarity(floor_bps=4000)"])
    cells = [resolve_cell(scenario, c) for c in scenario.cells]
    assert [rule_of(s.royalty.rule).name for s in (scenario, *cells)] == [
        f"Solidarity(floor_bps={n})" for n in (4000, 3000, 1000)
    ]
    assert rule_of(scenario.royalty.shadow[1]).name == "Solidarity(floor_bps=2000)"


def test_a_part_named_in_a_cell_or_as_shadow_counts_by_its_text_and_not_by_its_folder(tmp_path):
    hashes = []
    for folder, text in (("one", SOLIDARITY), ("two", SOLIDARITY), ("three", SOLIDARITY + "# other\n")):
        for where in (
            "cells: [{name: a, set: {royalty.rule: mine.py:Solidarity}}]\n",
            "arms: {mine: {royalty: {rule: {kind: 'mine.py:Solidarity'}}}}\n",
            "royalty: {shadow: [mine.py:Solidarity(floor_bps=5)]}\n",
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / "mine.py").write_text(text)
            (tmp_path / folder / "s.yaml").write_text(SCENARIO + where)
            hashes.append(scenario_sha256(load_scenario(tmp_path / folder / "s.yaml")))
    assert hashes[:3] == hashes[3:6]
    assert not set(hashes[:3]) & set(hashes[6:])


@pytest.mark.parametrize(
    ("text", "rule", "what", "line"),
    [
        (SOLIDARITY, "{kind: 'mine.py:Solidarity', flor_bps: 3}", "no parameter 'flor_bps'", 0),
        (SOLIDARITY, "{kind: 'mine.py:Solidarity', floor_bps: -3}", "floor_bps: Input should be greater", 0),
        (SOLIDARITY, "mine.py:Solidarit", "has no class Solidarit", 0),
        (SOLIDARITY, "mine.py", "write file.py:Class", 0),
        (SOLIDARITY.replace("    def settle", "    def settel"), "mine.py:Solidarity", "abstract", 0),
        (SOLIDARITY.replace("pool_units - floor, plays", "pool_units, plays"), "mine.py:Solidarity", "shared out", 22),
        (SOLIDARITY.replace("if not plays.any()", "if False"), "mine.py:Solidarity", "nobody played", 21),
        (SOLIDARITY.replace("rights, totals)", "rights)"), "mine.py:Solidarity", "positional argument", 0),
        (SOLIDARITY.replace("    floor_bps", "    kind = 'pro_rata'\n    floor_bps"), "mine.py:Solidarity", "tells", 0),
        ("class Solidarity:\n    def settle(self): ...\n", "mine.py:Solidarity", "it lacks name", 0),
        (
            "class Solidarity:\n    name = 'x'\n    needs_listeners = num_rounds = statistics = settle = None\n"
            "    def __init__(self, config):\n        self.config = config\n",
            "mine.py:Solidarity",
            "cannot be made: TypeError",
            0,
        ),
    ],
)  # fmt: skip
def test_a_wrong_rule_of_ones_own_is_refused_at_load(tmp_path, text, rule, what, line):
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "s.yaml").write_text(SCENARIO + f"cells: [{{name: a, set: {{royalty.rule: {rule}}}}}]\n")
    with pytest.raises(InputError) as caught:
        load_scenario(tmp_path / "s.yaml")
    assert what in caught.value.what
    assert caught.value.remedy
    if line:
        assert f"mine.py, line {line}" in caught.value.where


def test_two_rules_of_one_name_are_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(SOLIDARITY.replace("1000", "77" if name == "one" else "78"))
    (tmp_path / "s.yaml").write_text(
        SCENARIO + "royalty: {rule: one.py:Solidarity(floor_bps=5), shadow: [two.py:Solidarity(floor_bps=5)]}\n"
    )
    with pytest.raises(InputError, match="two rules of your own"):
        load_scenario(tmp_path / "s.yaml")


def test_a_generator_of_ones_own_must_take_what_it_is_called_with(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class G:\n    checkpoint_sha256 = ''\n    def __init__(self, config): ...\n    def compose(self, c): ...\n"
    )
    with pytest.raises(InputError, match=r"cannot be called with \(config, corpora, root_seed\)"):
        load_class("generator", f"{tmp_path / 'mine.py'}:G")


def test_another_process_meets_the_same_class_by_its_pickle_and_refuses_another_text(tmp_path):
    (tmp_path / "mine.py").write_text(SOLIDARITY)
    rule = rule_of(RuleConfig(kind=f"{tmp_path / 'mine.py'}:Solidarity", floor_bps=7))
    told = [sys.executable, "-c", "import pickle, sys; print(pickle.load(sys.stdin.buffer).name)"]
    done = subprocess.run(told, input=pickle.dumps(rule), capture_output=True, check=True)
    assert done.stdout.decode().strip() == "Solidarity(floor_bps=7)"
    (tmp_path / "mine.py").write_text(SOLIDARITY + "# changed\n")
    done = subprocess.run(told, input=pickle.dumps(rule), capture_output=True, check=False)
    assert done.returncode
    assert b"has changed since" in done.stderr


def test_the_example_shares_out_what_it_says_in_a_usage_file_too(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SOLIDARITY)
    (tmp_path / "usage.csv").write_text("listener,work,plays\na,w1,3\na,w2,1\n")
    (tmp_path / "works.csv").write_text("work,payee\nw1,p1\nw2,p2\nw3,p3\n")
    monkeypatch.chdir(tmp_path)
    case = read_case(tmp_path / "usage.csv", tmp_path / "works.csv", None, None, "80")
    rules = parse_rules("mine.py:Solidarity(floor_bps=5000),pro_rata")
    mine, plain = settle_case(case, rules)
    assert mine.rule == "Solidarity(floor_bps=5000)"
    # Half of 80 equally by two works, half by plays 3 to 1.
    assert (mine.work_units * 80 // case.pool_units).tolist()[:2] == [50, 30]
    assert (plain.work_units * 80 // case.pool_units).tolist()[:2] == [60, 20]
    with pytest.raises(InputError, match="there is no such file"):
        parse_rules("nowhere.py:Solidarity")
