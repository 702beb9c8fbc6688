"""``runtime.listener_engine`` reaches the shards, changes no outcome, and names what is missing; 2 s beside torch."""

from __future__ import annotations

import numpy as np
import pytest

from heritage_experiments.scenario import RuntimeConfig, scenario_sha256
from heritage_experiments.scenario_load import load_scenario
from heritage_experiments.wiring import Surroundings, build_economy
from heritage_experiments.workers import place
from heritage_sim.base import MissingPartError

pytest.importorskip("torch")

from heritage_agents.kernel import torch_day

SCENARIO = """\
name: small
traditions: [{name: panpipes, kind: panpipes, num_works: 40}]
communities: [{name: Wayrapata, tradition: panpipes}]
generator: {kind: archive}
listeners: {num_listeners: 150}
economy: {days: 10, session_sample: 50}
"""


def test_a_run_in_torch_has_the_outcomes_of_the_compiled_one(tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(SCENARIO)
    days = []
    live_day = torch_day.live_day
    monkeypatch.setattr(torch_day, "live_day", lambda *args, **more: days.append(args[2]) or live_day(*args, **more))
    scenarios = [
        load_scenario(tmp_path / "small.yaml", (f"runtime.listener_engine={e}",)) for e in ("compiled", "torch")
    ]
    results = []
    for scenario in scenarios:
        assert not days
        economy = build_economy(scenario, 0, Surroundings(tmp_path, num_shards=2))
        economy.run()
        results.append(economy.results())
    compiled, other = results
    assert sorted(days) == sorted([*range(10)] * 2)  # two shards
    assert repr(compiled.outcomes) == repr(other.outcomes)
    assert compiled.tables.keys() == other.tables.keys()
    for name, table in compiled.tables.items():
        for column, values in table.items():
            np.testing.assert_array_equal(values, other.tables[name][column], err_msg=f"{name}: {column}")
    # so a run may be taken up with the other engine
    assert scenario_sha256(scenarios[0]) == scenario_sha256(scenarios[1])


def test_a_missing_gpu_is_told_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(torch_day, "has_gpu", lambda: False)
    runtime = RuntimeConfig(listener_engine="torch", listener_device="cuda")
    with pytest.raises(MissingPartError, match="listener_device"):
        place(runtime, num_tasks=1, expected_cpu_s=1.0)
    assert place(RuntimeConfig(listener_engine="torch"), num_tasks=1, expected_cpu_s=1.0).workers == 1
