"""What every `Recommender` promises, run on every registered kind: those whose state offers candidates itself
(`RecommenderState`) and those whose state ranks the whole catalogue (`CatalogueState`), done here by brute force."""

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
from heritage_sim.base import CatalogueState, HistoryVectors, Keys, Recommender, RecommenderState, Usage, WorkFeatures

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


def recents(num: int, num_works: int) -> np.ndarray:
    """Return the 16 works each listener played last; as in `histories`, every tenth has played nothing."""
    work = Keys(1, 0).stream("test", "recents").uniforms(np.arange(num), 0, 16) * num_works
    played = np.where(np.arange(16) < np.arange(num)[:, None] % 18, work.astype(np.int32), -1).astype(np.int32)
    played[::10] = -1
    return played


def usage(num_works: int, plays: dict[int, dict[int, int]]) -> Usage:
    """Build a usage from {listener: {work: plays}}."""
    pairs = [(i, w, n) for i in sorted(plays) for w, n in sorted(plays[i].items())]
    counts = np.array([n for _, _, n in pairs], dtype=np.int64)
    return Usage(
        epoch=0,
        num_works=num_works,
        listener_ids=np.array(sorted(plays), dtype=np.int64),
        fee_units=np.zeros(len(plays), dtype=np.int64),
        indptr=np.concatenate([[0], np.cumsum([len(plays[i]) for i in sorted(plays)])]).astype(np.int64),
        work_ids=np.array([w for _, w, _ in pairs], dtype=np.int32),
        plays=counts,
        seconds=counts,
        plays_by_day=np.zeros((1, num_works), dtype=np.int64),
    )


def lived(num_works: int, num_listeners: int = 60) -> Usage:
    """Return a usage in which every listener has played some works."""
    u = Keys(1, 0).stream("test", "lived").uniforms(np.arange(num_listeners), 0, 8)
    return usage(num_works, {i: {int(w * w * num_works): 1 + k for k, w in enumerate(u[i])} for i in range(len(u))})


def taught(recommender: Recommender, features: WorkFeatures):
    """Return the state after a first refresh before anything was played, and one after some plays."""
    n = features.num_works
    recommender.refresh(recommender.statistics(usage(n, {i: {} for i in range(60)})), features, 0)
    return recommender.refresh(recommender.statistics(lived(n)), features, 1)


def offers(state, features: WorkFeatures, ids: np.ndarray, rows: np.ndarray, day: int) -> np.ndarray:
    """Return what the listeners in some rows of `histories` and `recents` are offered."""
    if isinstance(state, RecommenderState):
        return state.candidates(ids, HistoryVectors(histories(int(rows.max(initial=0)) + 1)[rows]), day)
    queries = state.queries(ids, recents(int(rows.max(initial=0)) + 1, features.num_works)[rows], day)
    score = np.array([(state.factors * q).sum(axis=1) for q in queries]).reshape(len(ids), -1) + state.bias
    score[:, ~features.available] = -np.inf
    best = np.argsort(-score, axis=1, kind="stable")[:, : state.num_candidates].astype(np.int32)
    offered = np.full((len(ids), state.num_candidates), -1, dtype=np.int32)
    offered[:, : best.shape[1]] = np.where(features.available[best], best, -1)
    return offered


@pytest.fixture(params=sorted(RECOMMENDERS))
def make(request):
    small = {"ials_factors": 8, "ials_sample": 50} if request.param == "ials" else {}
    return lambda **fields: make_recommender(RecommenderConfig(kind=request.param, **small, **fields), KEYS)


def test_it_is_a_recommender_and_its_state_one_of_two_kinds(make) -> None:
    recommender = make()
    assert isinstance(recommender, Recommender)
    state = recommender.refresh({}, works(100), 0)
    assert isinstance(state, RecommenderState) != isinstance(state, CatalogueState)


@pytest.mark.parametrize("num_works", [1, 7, 39, 40, 41, 60, 150, 900])
def test_candidates_are_distinct_available_works_and_as_many_as_wanted_or_had(make, num_works: int) -> None:
    features = works(num_works, unavailable=slice(0, num_works // 5))
    state = taught(make(), features)
    offered = offers(state, features, np.arange(300), np.arange(300), 2)
    assert offered.dtype == np.int32
    assert offered.shape == (300, 40)
    assert state.bias.shape == (num_works,)
    assert np.isfinite(state.bias).all()
    for row in offered:
        real = row[row >= 0].tolist()
        assert len(set(real)) == len(real)
        assert features.available[real].all()
    had = min(40, int(features.available.sum()))
    smallest = (offered >= 0).sum(axis=1).min()
    assert smallest == had if num_works <= 50 or num_works >= 150 else smallest >= had // 2


def test_where_nothing_is_available_nothing_is_offered(make) -> None:
    features = works(30, unavailable=slice(0, 30))
    assert (offers(make().refresh({}, features, 0), features, np.arange(9), np.arange(9), 0) == -1).all()


def test_what_is_broadcast_for_the_whole_catalogue_is_finite_and_of_one_width() -> None:
    features = works(120, unavailable=slice(0, 5))
    makers = [lambda kind=kind: make_recommender(RecommenderConfig(kind=kind), KEYS) for kind in RECOMMENDERS]
    states = [state for make in makers for state in (make().refresh({}, features, 0), taught(make(), features))]
    ranking = [state for state in states if isinstance(state, CatalogueState)]
    assert len(ranking) == 2
    for state in ranking:
        queries = state.queries(np.arange(30), recents(30, 120), 4)
        assert state.num_candidates == 40
        assert state.factors.shape == (120, queries.shape[1])
        assert state.factors.dtype == queries.dtype == state.bias.dtype == np.float32
        assert np.isfinite(queries).all()
        assert np.isfinite(state.factors).all()


def test_no_listener_depends_on_who_else_is_in_the_call(make) -> None:
    features = works(400)
    state = taught(make(), features)
    ids, rows = np.arange(0, 3000, 3, dtype=np.int64), np.arange(1000)

    def told(which) -> np.ndarray:
        if isinstance(state, RecommenderState):
            return offers(state, features, ids[which], rows[which], 5)
        return state.queries(ids[which], recents(1000, 400)[which], 5).view(np.uint32)  # bit for bit

    whole = told(slice(None))
    for part in (slice(0, 1), slice(17, 600), slice(999, 1000), slice(0, 0), np.argsort(ids % 7, kind="stable")):
        np.testing.assert_array_equal(told(part), whole[part])


def test_a_state_survives_pickling_and_is_not_changed_by_use(make) -> None:
    features = works(300)
    state = taught(make(), features)
    before = pickle.dumps(state)
    first = offers(state, features, np.arange(50), np.arange(50), 1)
    assert pickle.dumps(state) == before
    np.testing.assert_array_equal(offers(pickle.loads(before), features, np.arange(50), np.arange(50), 1), first)


def test_statistics_are_whole_numbers_that_add_up_over_shards(make) -> None:
    recommender = make()
    shards = [{0: {1: 3, 4: 1}, 1: {}}, {2: {1: 2, 5: 9}}]
    for heard in ([{0: {}, 1: {}}, {2: {}}], shards):  # before and after the first refresh
        together = recommender.statistics(usage(6, heard[0] | heard[1]))
        sums = [recommender.statistics(usage(6, part)) for part in heard]
        for name, values in together.items():
            assert values.dtype == np.int64
            np.testing.assert_array_equal(sums[0][name] + sums[1][name], values)
        recommender.refresh(together, works(6), 0)


def test_after_restore_it_goes_on_as_if_never_put_down(make) -> None:
    recommender = make()
    taught(recommender, works(200))
    recommender.refresh(recommender.statistics(lived(200)), works(200), 3)
    other = make()
    other.restore(pickle.loads(pickle.dumps(recommender.snapshot())))
    features, heard = works(260), lived(260)
    a = recommender.refresh(recommender.statistics(heard), features, 5)
    b = other.refresh(other.statistics(heard), features, 5)
    np.testing.assert_array_equal(a.bias, b.bias)
    np.testing.assert_array_equal(*(offers(s, features, np.arange(99), np.arange(99), 6) for s in (a, b)))


def test_a_later_refresh_does_not_change_an_earlier_state(make) -> None:
    recommender, features = make(), works(200)
    state = taught(recommender, features)
    first, bias = offers(state, features, np.arange(20), np.arange(20), 1), state.bias.copy()
    recommender.refresh(recommender.statistics(lived(200, 30)), features, 2)
    np.testing.assert_array_equal(offers(state, features, np.arange(20), np.arange(20), 1), first)
    np.testing.assert_array_equal(state.bias, bias)


@pytest.mark.parametrize("kind", ["content", "ials", "random"])
def test_another_replication_draws_other_candidates(kind: str) -> None:
    features = works(500)
    states = [
        make_recommender(RecommenderConfig(kind=kind, num_candidates=10), Keys(8, r)).refresh({}, features, 0)
        for r in (0, 1)
    ]
    a, b = (offers(state, features, np.arange(30), np.arange(30), 0) for state in states)
    assert (a != b).mean() > 0.5


SNIPPET = """
import numpy as np
from heritage_models.config import RecommenderConfig
from heritage_models.recommenders import make_recommender
from heritage_sim.base import HistoryVectors, Keys, Recommender, RecommenderState, TasteVectors, WorkFeatures

recommender: Recommender = make_recommender(RecommenderConfig(), Keys(1, 1))
raw = np.zeros((2, 32), dtype=np.float32)
taste, history = TasteVectors(raw), HistoryVectors(raw)
ids = np.arange(2, dtype=np.int64)


def offer(works: WorkFeatures) -> None:
    state = recommender.refresh({}, works, 0)
    if not isinstance(state, RecommenderState):
        state.queries(ids, raw.astype(np.int32), 0)
        state.queries(ids, taste, 0)  # TASTE
        return
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
