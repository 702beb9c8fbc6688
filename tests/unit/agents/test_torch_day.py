"""The listener-step in torch against the compiled one: everything equal bit for bit, on the CPU and on a GPU if any.

Costs about ten seconds, half of them for importing torch.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numba import njit

torch = pytest.importorskip("torch")

from heritage_agents.kernel import arithmetic, catalogue, torch_arithmetic, torch_catalogue, torch_day  # noqa: E402
from heritage_agents.kernel import turning as compiled_turning  # noqa: E402
from heritage_agents.kernel.engines import engine_named  # noqa: E402
from heritage_agents.listeners.cohort import Cohort, make_shard  # noqa: E402
from heritage_sim.base import Keys, MissingPartError, Stream  # noqa: E402

KEYS = Keys(root_seed=11, replication=0)
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
OFFERS = {
    "candidates": lambda kit: kit.RandomOffers(131, 45),
    "whole catalogue": lambda kit: kit.RankedOffers(131),
    "one slate and a bit": lambda kit: kit.RandomOffers(131, 13),
    "less than a slate": lambda kit: kit.RandomOffers(131, 4),
}

pytestmark = pytest.mark.parametrize("device", DEVICES)


def shard(kit, engine, num_listeners=500, **changes):
    config = kit.config(**{"num_listeners": num_listeners, "sessions_per_day": 1.5} | changes)
    return make_shard(config, kit.keys, 0, num_listeners, kit.works(), kit.communities, num_listeners // 3, engine)


def live(kit, cohort, offers, days):
    """Return the days' tallies; some works are closed, others are the day's new ones."""
    works = kit.works()
    works = kit.replace(works, available=np.arange(works.num_works) % 11 != 3)
    return [cohort.run_day(kit.world(works, offers, day)) for day in days]


def assert_same(one, other):
    """Assert that two snapshots are the same, bit for bit."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def assert_same_tallies(ones, others):
    for one, other in zip(ones, others, strict=True):
        for name in ("counts", "plays_by_work", "exposures_by_work", "subscribers_by_community"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_uniforms_are_those_of_the_base_at_every_address(device):
    stream = KEYS.stream("listener", "choice")
    ids = np.concatenate([np.arange(500), 2**31 + np.arange(20), 2**60 + np.arange(20)])
    for step in (0, 17, 2**32 - 1):
        agents, draws = torch.tensor(ids, device=device)[:, None], torch.arange(41, device=device)[None, :]
        got = torch_arithmetic.uniforms_at(agents, step, draws, stream.key)
        np.testing.assert_array_equal(got.cpu().numpy(), stream.uniforms(ids, step, 41))


def test_exponential_logarithm_and_root_round_as_compiled(device):
    @njit
    def compiled(x, exponentials, logarithms):
        for i in range(x.size):
            exponentials[i] = arithmetic.exponential(x[i])
            logarithms[i] = arithmetic.logarithm(abs(x[i]) + 1e-300)

    x = np.concatenate(
        [np.sinh(np.linspace(-8.0, 8.0, 40_001)), Stream((1, 2)).normals(np.arange(200), 0, 200).ravel()]
    )
    exponentials, logarithms = np.empty_like(x), np.empty_like(x)
    compiled(x, exponentials, logarithms)
    there = torch.tensor(x, device=device)
    np.testing.assert_array_equal(torch_arithmetic.exponential(there).cpu(), exponentials)
    np.testing.assert_array_equal(torch_arithmetic.logarithm(there.abs() + 1e-300).cpu(), logarithms)
    np.testing.assert_array_equal(torch_arithmetic.square_root(there.abs()).cpu(), np.sqrt(np.abs(x)))


@pytest.mark.parametrize("share", [0.0, 0.003, 0.4, 1.0])
def test_a_turn_closes_its_share_of_the_angle_and_rounds_as_compiled(device, share):
    """Truth: arc cosine and sine of NumPy; then the same rows turned by both engines."""
    cosine = np.concatenate([np.linspace(-1.0, 1.0, 4001), 1 - np.geomspace(1e-12, 1, 200)])
    weights = [compiled_turning._weights(c, share) for c in cosine]
    angle = np.arccos(cosine)
    truth = np.stack([np.sin(angle), np.sin((1 - share) * angle), np.sin(share * angle)], axis=1)
    np.testing.assert_allclose(weights, truth, rtol=0, atol=1e-10)

    def rows(step):
        raw = KEYS.stream("test", "rows").normals(np.arange(300), step, 32)
        return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)

    taste, vectors = rows(0), rows(1)
    vectors[:40] = taste[:40] + np.linspace(-0.02, 0.02, 40, dtype=np.float32)[:, None] * vectors[:40]
    vectors[40] = -taste[40]
    got = torch_arithmetic.turned_towards(
        torch.tensor(taste, device=device), torch.tensor(vectors, device=device), share
    )
    for row in range(taste.shape[0]):
        compiled_turning.turn_towards(taste, row, vectors, row, share)
    np.testing.assert_array_equal(got.cpu().numpy(), taste)


@pytest.mark.parametrize("offers", OFFERS)
def test_five_days_are_lived_as_compiled(device, kit, offers):
    """Choices, dwell, departures, tastes, histories, the log, and the noted sessions and plays in their order."""
    state = OFFERS[offers](kit)
    compiled, other = (shard(kit, engine, drift=0.05) for engine in (("compiled", "auto"), ("torch", device)))
    start = compiled.snapshot()["taste"]
    assert_same_tallies(live(kit, compiled, state, range(5)), live(kit, other, state, range(5)))
    assert_same(compiled.snapshot(), other.snapshot())
    for rows in ("session_rows", "play_rows"):
        assert_same(getattr(compiled, rows)(), getattr(other, rows)())
    assert np.abs(compiled.snapshot()["taste"] - start).max() > 0.01
    assert other.play_rows()["work"].size > 200


def test_what_is_written_down_adds_up(device, kit):
    """A check that needs no other engine: tallies against the rows of listeners who are all noted."""
    cohort = make_shard(
        kit.config(num_listeners=300, max_slates=3),
        kit.keys,
        0,
        300,
        kit.works(),
        kit.communities,
        300,
        ("torch", device),
    )
    (tally,) = live(kit, cohort, kit.RandomOffers(131, 45), [0])
    sessions, slates, plays, full, left, seconds = tally.counts[:6].tolist()
    rows, played = cohort.session_rows(), cohort.play_rows()
    assert (rows["listener"].size, rows["slates"].sum(), rows["plays"].sum()) == (sessions, slates, plays)
    assert (rows["abandoned"].sum(), played["work"].size) == (left, plays)
    assert played["dwell_s"].astype(np.int64).sum() == seconds
    np.testing.assert_array_equal(np.bincount(played["work"], minlength=131), tally.plays_by_work)
    assert tally.exposures_by_work.sum() == 10 * slates
    assert cohort.usage(0).plays.sum() == full
    assert cohort.snapshot()["num_plays"].sum() == plays


@pytest.mark.parametrize("before", ["compiled", "torch"])
def test_a_snapshot_of_one_engine_goes_on_in_the_other(device, kit, before):
    engines = {"compiled": ("compiled", "auto"), "torch": ("torch", device)}
    after = "torch" if before == "compiled" else "compiled"
    state = kit.RandomOffers(131, 45)
    whole, first, second = (shard(kit, engines[name], 200) for name in ("compiled", before, after))
    live(kit, whole, state, range(4))
    live(kit, first, state, range(2))
    second.restore(first.snapshot())
    live(kit, second, state, range(2, 4))
    assert_same(whole.snapshot(), second.snapshot())


def test_blocks_do_not_show(device, kit, monkeypatch):
    state = kit.RandomOffers(131, 45)
    whole, parts = (shard(kit, ("torch", device), 200) for _ in range(2))
    live(kit, whole, state, range(2))
    monkeypatch.setattr(torch_day, "_AT_ONCE", dict.fromkeys(DEVICES, 45 * 32 * 17))  # 17 listeners a block
    live(kit, parts, state, range(2))
    assert_same(whole.snapshot(), parts.snapshot())


@pytest.mark.parametrize("shown", [[], [-1, -1], [3, -1, 14]])
def test_offers_of_nothing_are_sessions_without_a_slate(device, kit, shown):
    """Works 3 and 14 are closed in `live`."""
    cohort = Cohort(
        kit.once_a_day(),
        kit.keys,
        kit.alike(5, kit.works().vectors[0]),
        kit.works(),
        None,
        engine_named("torch", device),
    )
    (tally,) = live(kit, cohort, kit.FixedOffers(shown, 131), [0])
    assert tally.counts[:6].tolist() == [5, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("k", [1, 20, 400])
def test_the_whole_catalogue_is_ranked_as_compiled(device, k, monkeypatch):
    """With real numbers, where sums round; with ties by the hundred; and for queries of zeros and of huge numbers."""
    num_listeners, num_works, f = 60, 900, 33
    draw = KEYS.stream("test", "catalogue").normals
    queries, factors = (
        draw(np.arange(n), step, f).astype(np.float32) for step, n in enumerate((num_listeners, num_works))
    )
    bias = (0.1 * draw(np.arange(num_works), 2, 1)[:, 0]).astype(np.float32)
    factors[::3], bias[::3] = factors[3], bias[3]  # more ties than are proposed beyond k
    queries[5], queries[6], queries[7] = 0.0, factors[3], 1e6 * queries[7]
    available = KEYS.stream("test", "available").uniform(np.arange(num_works), 0) < 0.8
    expected = catalogue.top_works(queries, factors, bias, available, k)
    np.testing.assert_array_equal(torch_catalogue.top_works(queries, factors, bias, available, k, device), expected)
    monkeypatch.setattr(torch_catalogue, "_AT_ONCE", dict.fromkeys(DEVICES, 7 * num_works))  # 7 listeners a block
    np.testing.assert_array_equal(torch_catalogue.top_works(queries, factors, bias, available, k, device), expected)


def test_a_gpu_that_is_not_there_is_named_with_the_remedy(device, monkeypatch):
    monkeypatch.setattr(torch_day, "has_gpu", lambda: False)
    with pytest.raises(MissingPartError, match=r"runtime\.listener_device=auto"):
        engine_named("torch", "cuda")
    assert engine_named("torch", "auto").live_day.keywords == {"device": "cpu"}


def test_without_torch_the_compiled_engine_stays_and_the_other_names_the_remedy(device):
    """In a process of its own where torch cannot be imported."""
    code = """
import sys
sys.modules["torch"] = None
from heritage_agents.kernel.engines import COMPILED, engine_named
import heritage_agents.listeners.cohort
from heritage_sim.base import MissingPartError
assert engine_named() is COMPILED
try:
    engine_named("torch")
except MissingPartError as error:
    print(error.remedy)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "heritage-economy[models]" in done.stdout, done.stdout + done.stderr
