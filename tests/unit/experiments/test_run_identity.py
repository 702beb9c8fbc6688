"""A run is there whole or not at all, and is taken up only with what it was begun with."""

import pytest

from heritage_experiments.display import SilentDisplay
from heritage_experiments.runner import open_run, prepare_again, start_run
from heritage_experiments.scenario_load import load_scenario
from heritage_experiments.store import RunStore
from heritage_sim.base import InputError

OWN_RULE = """\
from heritage_sim.royalty.rules.pro_rata import ProRata


class Rule(ProRata):
    kind = "mine"
"""


@pytest.mark.parametrize(
    "where",
    [
        "royalty: {rule: {kind: 'mine.py:Rule'}}",
        "cells: [{name: a, set: {royalty.rule: mine.py:Rule}}]",
        "arms: {mine: {royalty: {shadow: [mine.py:Rule]}}}\ncells: [{name: a, arm: mine}]",
    ],
)
def test_a_changed_library_or_part_of_ones_own_is_other_code(tmp_path, monkeypatch, where):
    (tmp_path / "mine.py").write_text(OWN_RULE)
    (tmp_path / "s.yaml").write_text(
        "name: small\ntraditions: [{name: gamelan, kind: gamelan, num_works: 20}]\n"
        "communities: [{name: Tirtanala, tradition: gamelan}]\ngenerator: {kind: archive}\n"
        f"{where}\n"
    )
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "cache"))
    scenario = load_scenario(tmp_path / "s.yaml")
    store = start_run(scenario, tmp_path / "results", None, SilentDisplay(), notes={})
    assert open_run(store.path, allow_mixed=False)[1] == scenario
    held = store.manifest()["versions"]
    store.update_manifest(versions=held | {"numpy": "1.0.0"})
    with pytest.raises(InputError, match=r"numpy 1\.0\.0 -> "):
        open_run(store.path, allow_mixed=False)
    store.update_manifest(versions=held)
    (tmp_path / "mine.py").write_text(OWN_RULE + "# another line\n")
    with pytest.raises(InputError, match="a part of your own"):
        open_run(store.path, allow_mixed=False)
    assert open_run(store.path, allow_mixed=True)[1] == scenario


def test_a_run_is_taken_up_with_the_archive_it_was_begun_with(tmp_path, monkeypatch):
    (tmp_path / "s.yaml").write_text(
        "name: small\ntraditions: [{name: gamelan, kind: gamelan, num_works: 20}]\n"
        "communities: [{name: Tirtanala, tradition: gamelan}]\ngenerator: {kind: archive}\n"
    )
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "cache"))
    scenario = load_scenario(tmp_path / "s.yaml")
    store = start_run(scenario, tmp_path / "results", None, SilentDisplay(), notes={})
    prepare_again(store, scenario, SilentDisplay(), allow_mixed=False)
    store.update_manifest(archive_sha256="0" * 64)
    with pytest.raises(InputError, match="archive_sha256"):
        prepare_again(store, scenario, SilentDisplay(), allow_mixed=False)
    prepare_again(store, scenario, SilentDisplay(), allow_mixed=True)


def test_a_run_that_fails_or_is_stopped_before_its_plan_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "s.yaml").write_text(
        "name: small\ntraditions: [{name: gamelan, kind: gamelan, num_works: 20}]\n"
        "communities: [{name: Tirtanala, tradition: gamelan}]\ngenerator: {kind: archive}\n"
    )
    monkeypatch.setenv("HERITAGE_CACHE", str(tmp_path / "cache"))
    scenario = load_scenario(tmp_path / "s.yaml")

    def stopped(self, tasks):
        raise KeyboardInterrupt

    monkeypatch.setattr(RunStore, "write_plan", stopped)
    with pytest.raises(KeyboardInterrupt):
        start_run(scenario, tmp_path / "results", None, SilentDisplay(), notes={})
    assert not list((tmp_path / "results").rglob("*.*"))
    assert not list((tmp_path / "results" / "small").iterdir())
