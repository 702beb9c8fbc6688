"""Bench ``population``: listener-steps per core-second at three sizes, memory, shards, and the whole catalogue.

Two kinds of step are measured, each beside blocked NumPy and one Mesa object per listener, on the same work in the same
run: the full one as `heritage run` lives it (`full_step`), and a stripped one (`stripped_step`). The clock is the CPU
time of the one thread that works; runs of the three alternate, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import mesa
import numba
import numpy as np
import numpy.typing as npt

from heritage_experiments.bench import ceilings, full_step, stripped_step
from heritage_experiments.bench.million_listeners import measure_in_fresh_process

_UNIT = "listener-steps per CPU-s of one core"
_NUM_WORKS = 10_000
_SIZES = ((10_000, 5, 3), (100_000, 2, 2), (1_000_000, 1, 1))
"""Listeners, days and repeats of each size."""
_WAYS = ("kernel", "numpy_blocked", "mesa")
_QUICK = ((1_000, 2, 1),)

Lives = dict[str, Callable[[], tuple[float, npt.NDArray[np.int64]]]]


def run(quick: bool) -> Iterator[dict[str, Any]]:
    """Yield the bench's records.

    Parameters
    ----------
    quick : bool
        One small size, once; figures are rough.

    Yields
    ------
    dict[str, Any]
        Records ``{bench, name, value, unit, baseline, ratio, n, note}``.
    """
    started = time.thread_time()
    full_step.live_kernel(full_step.workload(10, 200, 1))
    stripped_step.live_kernel(stripped_step.market(16, 200), 1)
    first_call_s = time.thread_time() - started
    sizes = _QUICK if quick else _SIZES
    rates: dict[str, float] = {}
    for num_listeners, num_days, repeats in sizes:
        size = _written(num_listeners)
        work = full_step.workload(num_listeners, _NUM_WORKS, num_days)
        lives: Lives = {name: partial(getattr(full_step, f"live_{name}"), work) for name in _WAYS}
        rates["full"] = yield from _beside("", size, work.num_steps, num_days, repeats, lives)
        markets: Lives = {
            name: _on_a_market(getattr(stripped_step, f"live_{name}"), num_listeners, num_days) for name in _WAYS
        }
        rates["stripped"] = yield from _beside(
            "stripped_", size, num_listeners * num_days, num_days, repeats, markets, same_choices=False
        )
        yield _record(
            f"full_beside_stripped_{size}", rates["full"], _UNIT, rates["stripped"], num_listeners,
            "the full step beside the stripped one; sessions of one slate, so that each slate ranks all candidates",
        )  # fmt: skip
        yield _record(
            f"default_sessions_beside_stripped_{size}", full_step.slates_of_default_sessions_per_s(work), _UNIT,
            rates["stripped"], num_listeners,
            "slates of sessions of default length, which rank their candidates once a session, beside stripped steps",
        )  # fmt: skip
    smallest = sizes[0][0]
    ceiling = statistics.median(ceilings.random_dots_per_s(smallest, _NUM_WORKS) for _ in range(5))
    yield _record(
        "ceiling_random_row_dots", ceiling, _UNIT, None, smallest,
        f"a step of nothing but {stripped_step.CANDIDATES} dot products with scattered rows of {stripped_step.DIM}",
    )  # fmt: skip
    yield _record(
        "share_of_ceiling_stripped", rates["stripped"], _UNIT, ceiling, smallest, f"at {_written(sizes[-1][0])}"
    )
    yield from _whole_catalogue(quick)
    yield from _many(quick)
    yield _record(
        "kernel_first_call_cpu_s", first_call_s, "CPU-s", None, 1,
        f"a first small day: compiles with numba {numba.__version__}, or loads from its cache",
    )  # fmt: skip


def _whole_catalogue(quick: bool) -> Iterator[dict[str, Any]]:
    num_listeners = 512 if quick else 4_096
    for k in (10, 100):
        ours, torch, agree = ceilings.whole_catalogue_per_s(num_listeners, _NUM_WORKS, k, 1 if quick else 5)
        yield _record(
            "full_catalogue_ratio_torch" if k == 10 else f"full_catalogue_ratio_torch_top{k}",
            *(ours, "listeners per CPU-s of one core", torch, num_listeners),
            f"best {k} of {_NUM_WORKS} works, width {stripped_step.DIM}; baseline: torch matmul and topk on one "
            f"thread; {100 * agree:.3f} % of works agree",
        )


def _many(quick: bool) -> Iterator[dict[str, Any]]:
    num_listeners = 20_000 if quick else 1_000_000
    size = _written(num_listeners)
    day = measure_in_fresh_process(num_listeners)
    yield _record(
        f"peak_bytes_{size}", float(day.peak_bytes), "bytes", None, num_listeners,
        f"one day with all defaults beyond the interpreter, {day.num_slates} slates; {day.cpu_s:.2f} CPU-s with the "
        "drawing of listeners and the recommender",
    )  # fmt: skip
    half = measure_in_fresh_process(num_listeners // 2)
    yield _record(
        f"peak_bytes_{size}_beside_half", float(day.peak_bytes), "bytes", float(half.peak_bytes), num_listeners,
        "baseline: half as many listeners; 2 where memory is linear in listeners",
    )  # fmt: skip
    num_days = 2 if quick else 4
    taken: dict[int, list[float]] = {1: [], 2: []}
    for shards in (1, 2) * (1 if quick else 3):  # in turn, so that what else the machine does falls on both
        taken[shards].append(ceilings.day_by_shards_s(num_listeners, _NUM_WORKS, shards, num_days))
    one, two = (min(seconds) for seconds in taken.values())
    yield _record(
        "shard_speedup_2", 1.0 / two, "days per wall second", 1.0 / one, num_listeners,
        f"two shards in two threads beside one; the fastest day of {num_days} in each of {len(taken[1])} runs",
    )  # fmt: skip


def _beside(
    prefix: str, size: str, num_steps: int, num_days: int, repeats: int, lives: Lives, same_choices: bool = True
) -> Any:
    """Yield the records of one kind of step at one size; return the kernel's rate."""
    measured: dict[str, list[tuple[float, npt.NDArray[np.int64]]]] = {name: [] for name in lives}
    for _ in range(repeats):
        for name, live in lives.items():
            measured[name].append(live())
    rate = {name: num_steps / statistics.median(s for s, _ in runs) for name, runs in measured.items()}
    plays = {name: runs[0][1] for name, runs in measured.items()}
    what = f"{num_days} days, {_NUM_WORKS} works, 100 candidates, slate 10, width 32; median of {repeats}"
    said = {
        "numpy_blocked": f"NumPy {np.__version__} in blocks of {stripped_step.BLOCK}",
        "mesa": f"plain Mesa {mesa.__version__}, one object per listener",
    }
    for name, suffix in (("numpy_blocked", ""), ("mesa", "_beside_mesa")):
        yield _record(
            f"{prefix}listener_steps_per_core_s_{size}{suffix}", rate["kernel"], _UNIT, rate[name], num_steps,
            f"{what}; baseline: {said[name]}",
        )  # fmt: skip
    if same_choices:
        agree = min(_overlap(plays["kernel"], plays[name]) for name in said)
        yield _record(
            f"{prefix}plays_that_agree_{size}", agree, "1", None, int(plays["kernel"].sum()),
            "share of plays on the same works in all three; float sums in another order may turn a near tie",
        )  # fmt: skip
    return rate["kernel"]


def _on_a_market(
    live: Callable[[stripped_step.Market, int], float], num_listeners: int, num_days: int
) -> Callable[[], tuple[float, npt.NDArray[np.int64]]]:
    def lived() -> tuple[float, npt.NDArray[np.int64]]:
        market = stripped_step.market(num_listeners, _NUM_WORKS)
        return live(market, num_days), market.plays

    return lived


def _record(name: str, value: float, unit: str, baseline: float | None, n: int, note: str) -> dict[str, Any]:
    ratio = None if baseline is None else value / baseline
    return {
        "bench": "population", "name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio, "n": n,
        "note": note,
    }  # fmt: skip


def _overlap(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Return the share of plays that two histograms have in common."""
    return float(np.minimum(one, other).sum() / max(1, one.sum(), other.sum()))


def _written(num: int) -> str:
    """Return a power of ten as ``1e4``, another number as it is."""
    text = f"{num:.0e}".replace("e+0", "e")
    return text if float(text) == num else str(num)
