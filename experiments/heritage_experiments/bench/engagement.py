"""Bench ``engagement``: what measuring costs, beside the libraries that the same figures are checked against.

Every record names the same figure twice, computed from the same keyed rows in this run: by `heritage_sim.metrics` and
by its baseline. How far the two figures differ is in the note, so that speed is not bought with another answer. The
clock is the CPU time of the process, with one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Keys
from heritage_sim.metrics import Relevant, concordance, cox, hits, ndcg, relevant_pairs

Made = TypeVar("Made")
Floats = npt.NDArray[np.float64]

NAMES = ("arm", "prior", "device", "familiarity")
_KEYS = Keys(root_seed=20_260_101, replication=0)
_BETA = np.array([-0.3, 0.2, -0.1, 0.05])
_UNIT = "CPU-s"


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the bench's records.

    Parameters
    ----------
    quick : bool
        A tenth of the rows: figures are rough.

    Returns
    -------
    list of dict
        Records ``{bench, name, value, unit, baseline, ratio, n, note}``; the baseline is None where it is not asked
        for (it would take minutes) or not installed.
    """
    few, many, most = (1_000, 10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    listeners = 2_000 if quick else 20_000
    _ranking(200)
    return [
        _cox("cox_tied_cpu_s", many, tied=True, beside_lifelines=True),
        _cox("cox_continuous_cpu_s", many, tied=False, beside_lifelines=True),
        _cox("cox_clustered_cpu_s", few, tied=True, beside_lifelines=True, sessions_each=5),
        _cox("cox_clustered_many_cpu_s", most, tied=True, beside_lifelines=False, sessions_each=5),
        _concordance(many),
        _ranking(listeners),
    ]


def sessions(n: int, tied: bool) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return durations [s], whether each was abandoned, and four covariates, of so many keyed sessions.

    Parameters
    ----------
    n : int
        Sessions.
    tied : bool
        Durations in whole units, some 200 of them.

    Returns
    -------
    tuple of ndarray
        Shapes ``(n,)``, ``(n,)`` and ``(n, 4)``.
    """
    rows = np.arange(n)
    x = _KEYS.stream("bench", "covariates").normals(rows, 0, len(NAMES))
    u = _KEYS.stream("bench", "durations").uniforms(rows, 0, 2)
    left, censored = -np.log(u[:, 0]) / np.exp(x @ _BETA), -1.8 * np.log(u[:, 1])
    durations = np.minimum(left, censored)
    return np.ceil(40.0 * durations) if tied else durations, left <= censored, x


def _cox(name: str, n: int, tied: bool, beside_lifelines: bool, sessions_each: int = 1) -> dict[str, Any]:
    t, event, x = sessions(n, tied)
    owner = np.arange(n) // sessions_each
    clustered = sessions_each > 1
    ours, fit = _cpu_s(lambda: cox(t, event, x, NAMES, cluster=owner if clustered else None))
    what = f"{n:,} rows, {x.shape[1]} covariates, {np.unique(t).size:,} different times, Efron"
    what += f", {sessions_each} sessions a listener" if clustered else ""
    if not beside_lifelines:
        return _record(name, ours, None, n, f"{what}; robust errors included; no baseline: it would take minutes")
    import lifelines
    import pandas as pd

    table = pd.DataFrame(x, columns=pd.Index(NAMES)).assign(t=t, event=event)
    if clustered:
        table["owner"] = owner
    fitter = lifelines.CoxPHFitter()
    theirs, other = _cpu_s(lambda: fitter.fit(table, "t", "event", cluster_col="owner" if clustered else None))
    differ = float(np.abs(fit.beta - other.params_.to_numpy()).max())
    note = f"{what}; baseline: lifelines {lifelines.__version__}; coefficients differ by at most {differ:.0e}"
    return _record(name, ours, theirs, n, f"{note}; ours includes robust errors")


def _concordance(n: int) -> dict[str, Any]:
    import lifelines
    from lifelines.utils import concordance_index

    t, event, x = sessions(n, tied=True)
    risk = x @ _BETA
    ours, made = _cpu_s(lambda: concordance(t, event, risk))
    theirs, other = _cpu_s(lambda: concordance_index(t, -risk, event))
    note = f"{n:,} rows, ours with its interval; baseline: lifelines {lifelines.__version__}, without"
    return _record("concordance_cpu_s", ours, theirs, n, f"{note}; differ by {abs(made.value - other):.0e}")


def _ranking(num_listeners: int, num_works: int = 10_000, depth: int = 100) -> dict[str, Any]:
    """Return the record of NDCG at both cut-offs."""
    rows = np.arange(num_listeners)
    # An odd stride from a keyed place lists distinct works.
    start = _KEYS.stream("bench", "lists").integer(rows, 0, num_works)
    ranked = ((start[:, None] + 37 * np.arange(depth)) % num_works).astype(np.int32)
    who = np.repeat(rows, 20)
    what = _KEYS.stream("bench", "plays").integer(np.arange(who.size), 0, num_works)
    relevant = relevant_pairs(who, what, num_listeners)
    ours, made = _cpu_s(lambda: _both_cutoffs(ranked, relevant, num_works))
    size = f"{num_listeners:,} listeners, 20 plays each, lists of {depth} out of {num_works:,} works, NDCG@20 and @100"
    try:
        import ir_measures
    except ImportError:
        return _record("ndcg_cpu_s", ours, None, num_listeners, f"{size}; ir-measures is not installed")
    asked = [ir_measures.nDCG @ 20, ir_measures.nDCG @ 100]
    theirs, other = _cpu_s(lambda: _by_ir_measures(ir_measures, asked, ranked, relevant))
    differ = max(abs(float(np.mean(a)) - other[m]) for a, m in zip(made, asked, strict=True))
    note = f"{size}; baseline: ir-measures with its dictionaries; differ by {differ:.0e}"
    return _record("ndcg_cpu_s", ours, theirs, num_listeners, note)


def _both_cutoffs(ranked: npt.NDArray[np.int32], relevant: Relevant, num_works: int) -> tuple[Floats, Floats]:
    hit, m = hits(ranked, relevant, num_works), relevant.num_relevant
    return ndcg(hit, m, 20), ndcg(hit, m, 100)


def _by_ir_measures(library: Any, asked: list[Any], ranked: npt.NDArray[np.int32], relevant: Relevant) -> Any:
    edges = relevant.indptr.tolist()
    works = relevant.works.tolist()
    qrels = {str(i): {str(w): 1 for w in works[first:stop]} for i, (first, stop) in enumerate(pairwise(edges))}
    run_ = {str(i): {str(w): -float(rank) for rank, w in enumerate(row)} for i, row in enumerate(ranked.tolist())}
    return library.calc_aggregate(asked, qrels, run_)


def _cpu_s(work: Callable[[], Made]) -> tuple[float, Made]:
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def _record(name: str, value: float, baseline: float | None, n: int, note: str) -> dict[str, Any]:
    ratio = None if baseline is None else value / baseline
    return {
        "bench": "engagement", "name": name, "value": value, "unit": _UNIT, "baseline": baseline, "ratio": ratio,
        "n": n, "note": note,
    }  # fmt: skip
