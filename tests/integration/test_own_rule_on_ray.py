"""A royalty rule in a file of the user's own, in Ray workers and in shards that are Ray actors."""

import pytest

from heritage_experiments.runner import run_scenario
from heritage_experiments.scenario_load import load_scenario

pytestmark = pytest.mark.integration
RULE = """\
from dataclasses import dataclass

import numpy as np

from heritage_sim.base import largest_remainder
from heritage_sim.royalty import Rule, state_without_plays, statement_of


@dataclass
class Weights:
    by_work: object


class Evenly(Rule):
    most_plays: int = 3

    def statistics(self, usage, rights, totals):
        return {"plays": Weights(usage.plays_by_work()).by_work}

    def settle(self, statistics, rights, pool_units, epoch):
        plays = np.minimum(statistics["plays"], self.most_plays)
        if not plays.any():
            return state_without_plays(self, rights, pool_units, epoch)
        return statement_of(self, largest_remainder(pool_units, plays), rights, pool_units, epoch, ["capped plays"])
"""
SCENARIO = """\
name: small
replications: 2
traditions: [{name: gamelan, kind: gamelan, num_works: 20}]
communities: [{name: Tirtanala, tradition: gamelan}]
listeners: {num_listeners: 60}
creators: {num_per_community: 2}
economy: {days: 4, epoch_days: 2}
generator: {kind: archive}
ledger: {kind: reference}
royalty: {shadow: [mine.py:Evenly(most_plays=1)]}
cells:
  - {name: mine, set: {royalty.rule: {kind: 'mine.py:Evenly', most_plays: 2}}}
  - {name: plain, set: {royalty.rule: pro_rata}}
"""


def test_a_rule_of_ones_own_settles_alike_here_in_workers_and_over_shards(tmp_path, monkeypatch):
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.py").write_text(RULE)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    hashes = {}
    for executor, shards in (("local", 1), ("ray", 1), ("ray", 2)):
        sets = [f"runtime.executor={executor}", f"runtime.shards={shards}", "runtime.workers=2"]
        scenario = load_scenario(tmp_path / "s.yaml", sets)
        hashes[executor, shards] = run_scenario(scenario, results=tmp_path / "results").outcomes_hash
    assert len(set(hashes.values())) == 1
