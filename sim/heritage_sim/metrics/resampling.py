"""Bootstrap intervals with keyed draws, and the indices of inequality with theirs.

An index over the three communities of a scenario is a fact about them, not an estimate: it has no interval within a
run. Over works, creators or payees, which could have been others, the percentile interval of the bootstrap is given.
The unit of analysis is named by the caller and stands in the result.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Stream
from heritage_sim.metrics.inequality import atkinson, gini, jain, theil, theil_parts
from heritage_sim.metrics.measure import LEVEL, NAN, Measure

Floats = npt.NDArray[np.float64]

NUM_RESAMPLES = 1_000


def bootstrap_interval(
    statistic: Callable[[npt.NDArray[np.int64]], float], n: int, stream: Stream, num_resamples: int = NUM_RESAMPLES
) -> tuple[float, float]:
    """Return the percentile interval of a statistic over units drawn anew with replacement; NaN below two units.

    Parameters
    ----------
    statistic : callable
        The figure of the units in the given rows, shape ``(n,)``; where it is NaN the resample does not count.
    n : int
        Units.
    stream : Stream
        Resample b draws at the address (b, n, unit): the same rows for every statistic of one stream.
    num_resamples : int
        Resamples.

    Returns
    -------
    tuple of float
        Low and high at `LEVEL`.
    """
    if n < 2:
        return NAN, NAN
    found = np.empty(num_resamples)
    for b in range(num_resamples):
        words = stream.words(b, n, n)[0].astype(np.uint64)
        found[b] = statistic(((words * np.uint64(n)) >> np.uint64(32)).astype(np.int64))
    found = found[np.isfinite(found)]
    if found.size == 0:
        return NAN, NAN
    low, high = np.quantile(found, [0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0])
    return float(low), float(high)


def inequality_measures(
    amounts: npt.ArrayLike,
    per: str,
    group: npt.ArrayLike | None = None,
    stream: Stream | None = None,
    aversion: float = 0.5,
    num_resamples: int = NUM_RESAMPLES,
) -> dict[str, Measure]:
    """Return the indices of amounts over a unit of analysis, beside their values at equality.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Amounts >= 0.
    per : str
        Unit of analysis (``work``, ``creator``, ``community``).
    group : array_like of int, shape (n,), optional
        Group of each unit: gives Theil's index between and within groups beside the whole.
    stream : Stream, optional
        Draws of the bootstrap; without it there are no intervals.
    aversion : float
        Atkinson's aversion to inequality.
    num_resamples : int
        Resamples.

    Returns
    -------
    dict of str to Measure
        ``gini``, ``theil``, ``jain``, ``atkinson``; with groups also ``theil_between`` and ``theil_within``.
    """
    x: Floats = np.asarray(amounts, dtype=np.float64)
    indices: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {
        "gini": lambda rows: gini(x[rows]),
        "theil": lambda rows: theil(x[rows]),
        "jain": lambda rows: jain(x[rows]),
        "atkinson": lambda rows: atkinson(x[rows], aversion),
    }
    if group is not None:
        g = np.asarray(group)
        indices["theil_between"] = lambda rows: theil_parts(x[rows], g[rows]).between
        indices["theil_within"] = lambda rows: theil_parts(x[rows], g[rows]).within
    found: dict[str, Measure] = {}
    for name, index in indices.items():
        low, high = bootstrap_interval(index, x.size, stream, num_resamples) if stream is not None else (NAN, NAN)
        equal = 1.0 if name == "jain" else 0.0
        unit = "nats" if name.startswith("theil") else "1"
        found[name] = Measure(index(np.arange(x.size)), unit, per, x.size, low, high, equal, "equality")
    return found
