"""Where replications run is decided by the work, the cores and what is installed."""

import pytest

from heritage_experiments import workers
from heritage_experiments.scenario import RuntimeConfig
from heritage_sim.base import InputError, MissingPartError


def placed(monkeypatch, *, ray=True, cores=2, tasks=100, cpu_s=200.0, **runtime):
    monkeypatch.setattr(workers, "has_ray", lambda: ray)
    found = workers.place(RuntimeConfig(**runtime), tasks, cpu_s, cores)
    return found.executor, found.workers


def test_auto_takes_ray_only_where_it_pays(monkeypatch):
    assert placed(monkeypatch) == ("ray", 2)
    assert placed(monkeypatch, cpu_s=5.0) == ("local", 1)
    assert placed(monkeypatch, cores=1) == ("local", 1)
    assert placed(monkeypatch, tasks=1) == ("local", 1)
    assert placed(monkeypatch, ray=False) == ("local", 1)
    assert placed(monkeypatch, cores=64, tasks=10) == ("ray", 10)


def test_what_is_asked_for_is_done(monkeypatch):
    assert placed(monkeypatch, executor="local", cores=8) == ("local", 1)
    assert placed(monkeypatch, executor="ray", cpu_s=1.0) == ("ray", 2)
    assert placed(monkeypatch, executor="ray", workers=3, cores=1) == ("ray", 3)
    assert placed(monkeypatch, executor="ray", shards=4) == ("ray", 1)


def test_ray_that_is_not_there_is_refused_with_a_remedy(monkeypatch):
    with pytest.raises(MissingPartError) as caught:
        placed(monkeypatch, ray=False, executor="ray")
    assert caught.value.exit_code == 2
    assert "runtime.executor=local" in caught.value.remedy


def test_replications_on_one_chain_with_one_set_of_keys_run_one_after_the_other(monkeypatch):
    monkeypatch.setattr(workers, "has_ray", lambda: True)
    found = workers.place(RuntimeConfig(), 8, 10_000.0, 4, one_owner=True)
    assert (found.executor, found.workers) == ("local", 1)
    for asked in (RuntimeConfig(workers=2), RuntimeConfig(executor="ray")):
        with pytest.raises(InputError, match="share its keys"):
            workers.place(asked, 8, 10_000.0, 4, one_owner=True)
