"""Several sources of requests as one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from heritage_sim.base import Arrival, ArrivalSource


class MergedArrivals:
    """All requests of several sources in order of time (an `ArrivalSource`); of equal moments, the first source's.

    Parameters
    ----------
    sources : sequence of ArrivalSource
        Their request ids differ.
    """

    def __init__(self, sources: Sequence[ArrivalSource]) -> None:
        self._sources = tuple(sources)

    def arrivals(self, start_s: float, stop_s: float) -> Iterator[Arrival]:
        """Yield the requests with ``start_s <= at_s < stop_s`` in order of time."""
        yield from heapq.merge(*(s.arrivals(start_s, stop_s) for s in self._sources), key=_moment)


def _moment(arrival: Arrival) -> float:
    return arrival.at_s
