"""What every `Recommender` promises, run on every registered kind."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import RECOMMENDERS, make_recommender
from heritage_sim.base import HistoryVectors, Keys, Recommender, RecommenderState, Usage, WorkFeatures

KEYS = Keys(8, 3)
DIM = 16
ROOT = Path(__file__).resolve().parents[2]


def works(num: int, unavailable: slice = slice(0, 0)) -> WorkFeatures:
    vectors = Keys(1, 0).stream("test", "works").normals(np.arange(num), 0, DIM)
    available = np.ones(num, dtype=np.bool_)
    available[unavailable] = False
    zero = np.zeros(num, dtype=np.int32)
    one = np.ones(num, dtype=np.float32)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return WorkFeatures(unit, zero, zero, zero, one, one, available)


def histories(num: int) -> HistoryVectors:
    h = Keys(1, 0).stream("test", "histories").normals(np.arange(num), 0, DIM).astype(np.float32)
    h[::10] = 0.0  # listeners without history
    return HistoryVectors(h)


def usage(num_works: int, plays: dict[int, int]) -> Usage:
    ids = np.array(sorted(plays), dtype=np.int32)
    counts = np.array([plays[int(w)] for w in ids], dtype=np.int64)
    return Usage(
        epoch=0,
        num_works=num_works,
        listener_ids=np.array([0], dtype=np.int64),
        fee_units=np.array([0], dtype=np.int64),
        indptr=np.array([0, ids.size], dtype=np.int64),
        work_ids=ids,
        plays=counts,
        seconds=counts,
        plays_by_day=np.zeros((1, num_works), dtype=np.int64),
    )


@pytest.fixture(params=sorted(RECOMMENDERS))
def make(request):
    return lambda **fields: make_recommender(RecommenderConfig(kind=request.param, **fields), KEYS)


def test_it_is_a_recommender_and_its_state_a_state(make) -> None:
    recommender = make()
    assert isinstance(recommender, Recommender)
    assert isinstance(recommender.refresh({}, works(100), 0), RecommenderState)


@pytest.mark.parametrize("num_works", [1, 7, 39, 40, 41, 60, 150, 900])
def test_candidates_are_distinct_available_works_and_as_many_as_wanted_or_had(make, num_works: int) -> None:
    features = works(num_works, unavailable=slice(0, num_works // 5))
    state = make().refresh({}, features, 0)
    offered = state.candidates(np.arange(300), histories(300), 2)
    assert offered.dtype == np.int32
    assert offered.shape == (300, 40)
    assert state.bias.shape == (num_works,)
    for row in offered:
        real = row[row >= 0].tolist()
        assert len(set(real)) == len(real)
        assert features.available[real].all()
    had = min(40, int(features.available.sum()))
    smallest = (offered >= 0).sum(axis=1).min()
    assert smallest == had if num_works <= 50 or num_works >= 150 else smallest >= had // 2


def test_where_nothing_is_available_nothing_is_offered(make) -> None:
    state = make().refresh({}, works(30, unavailable=slice(0, 30)), 0)
    assert (state.candidates(np.arange(9), histories(9), 0) == -1).all()


def test_no_listener_depends_on_who_else_is_in_the_call(make) -> None:
    state = make().refresh({"plays": np.arange(400)}, works(400), 0)
    ids, history = np.arange(0, 3000, 3, dtype=np.int64), histories(1000)
    whole = state.candidates(ids, history, 5)
    for rows in (slice(0, 1), slice(17, 600), slice(999, 1000)):
        part = state.candidates(ids[rows], HistoryVectors(history[rows]), 5)
        np.testing.assert_array_equal(part, whole[rows])
    order = np.argsort(ids % 7, kind="stable")
    np.testing.assert_array_equal(state.candidates(ids[order], HistoryVectors(history[order]), 5), whole[order])
    assert state.candidates(ids[:0], HistoryVectors(history[:0]), 5).shape == (0, 40)


def test_a_state_survives_pickling_and_is_not_changed_by_use(make) -> None:
    state = make().refresh({}, works(300), 0)
    before = pickle.dumps(state)
    first = state.candidates(np.arange(50), histories(50), 1)
    assert pickle.dumps(state) == before
    np.testing.assert_array_equal(pickle.loads(before).candidates(np.arange(50), histories(50), 1), first)


def test_statistics_are_whole_numbers_that_add_up_over_shards(make) -> None:
    recommender = make()
    parts = [usage(6, {1: 3, 4: 1}), usage(6, {1: 2, 5: 9})]
    together = recommender.statistics(usage(6, {1: 5, 4: 1, 5: 9}))
    sums = [recommender.statistics(u) for u in parts]
    for name, values in together.items():
        assert values.dtype == np.int64
        np.testing.assert_array_equal(sums[0][name] + sums[1][name], values)


def test_after_restore_it_goes_on_as_if_never_put_down(make) -> None:
    recommender = make()
    recommender.refresh({"plays": np.arange(200)}, works(200), 0)
    recommender.refresh({"plays": np.arange(200)[::-1]}, works(200), 3)
    other = make()
    other.restore(pickle.loads(pickle.dumps(recommender.snapshot())))
    a = recommender.refresh({"plays": np.full(260, 2)}, works(260), 5)
    b = other.refresh({"plays": np.full(260, 2)}, works(260), 5)
    np.testing.assert_array_equal(a.bias, b.bias)
    np.testing.assert_array_equal(
        a.candidates(np.arange(99), histories(99), 6), b.candidates(np.arange(99), histories(99), 6)
    )


def test_a_later_refresh_does_not_change_an_earlier_state(make) -> None:
    recommender = make()
    state = recommender.refresh({"plays": np.arange(200)}, works(200), 0)
    first, bias = state.candidates(np.arange(20), histories(20), 1), state.bias.copy()
    recommender.refresh({"plays": np.arange(200)[::-1]}, works(200), 1)
    np.testing.assert_array_equal(state.candidates(np.arange(20), histories(20), 1), first)
    np.testing.assert_array_equal(state.bias, bias)


def test_another_replication_draws_other_candidates() -> None:
    for kind in ("content", "random"):
        a, b = (make_recommender(RecommenderConfig(kind=kind), Keys(8, r)).refresh({}, works(500), 0) for r in (0, 1))
        assert (
            a.candidates(np.arange(30), histories(30), 0) != b.candidates(np.arange(30), histories(30), 0)
        ).mean() > 0.5


SNIPPET = """
import numpy as np
from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_sim.base import HistoryVectors, Keys, Recommender, TasteVectors, WorkFeatures

recommender: Recommender = make_recommender(RecommenderConfig(), Keys(1, 1))
raw = np.zeros((2, 32), dtype=np.float32)
taste, history = TasteVectors(raw), HistoryVectors(raw)
ids = np.arange(2, dtype=np.int64)


def offer(works: WorkFeatures) -> None:
    state = recommender.refresh({}, works, 0)
    state.candidates(ids, history, 0)
    state.candidates(ids, taste, 0)  # TASTE
    state.candidates(ids, raw, 0)  # BARE ARRAY
    recommender.refresh({"taste": taste}, works, 0)  # IN STATISTICS
    recommender.refresh(taste, works, 0)  # AS STATISTICS
    recommender.statistics(taste)  # AS USAGE
"""


def test_a_recommender_given_the_taste_vectors_does_not_type_check(tmp_path: Path) -> None:
    checker = Path(sys.executable).with_name("pyright")
    if not checker.exists() and shutil.which("pyright") is None:
        pytest.skip("pyright is not installed")
    file = tmp_path / "oracle.py"
    file.write_text(SNIPPET)
    packages = [str(ROOT / p) for p in ("sim", "models")]
    settings = {"include": [str(file)], "extraPaths": packages, "typeCheckingMode": "basic", "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [
            str(checker if checker.exists() else "pyright"),
            "-p",
            str(tmp_path),
            "--pythonpath",
            sys.executable,
            "--outputjson",
        ],
        capture_output=True,
        text=True,
    )
    errors = [d for d in json.loads(done.stdout)["generalDiagnostics"] if d["severity"] == "error"]
    lines = {d["range"]["start"]["line"] for d in errors}
    wrong = {i for i, line in enumerate(SNIPPET.splitlines()) if "# " in line}
    assert lines == wrong, errors
