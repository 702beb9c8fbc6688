"""Buyers' commissions: a non-homogeneous Poisson process that is the same in whatever windows it is asked for.

Time is divided into slots of a minute. The number of requests in a slot is Poisson with the slot's integral of the
rate, by inversion of one uniform that is addressed by the slot; each request's moment within the slot, and all that it
asks for, is addressed by (slot, number within the slot). So any window sees the requests that fall into it, whatever
was asked before; disjoint windows are independent; and a change of the mix moves no moment.

A slot's requests are spread evenly over it, which is exact because the rate is constant within an hour.

References
----------
Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", Naval Research Logistics Quarterly 26,
1979 (the process; here it is inverted, not thinned, so that a rate changes no address).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heritage_agents.demand.config import HOURS, DemandConfig
from heritage_agents.demand.rates import HOUR_S, rate_per_s
from heritage_agents.demand.shelves import Shelves
from heritage_sim.base import Arrival, Keys

SLOT_S = 60
_SLOTS_AN_HOUR = HOUR_S // SLOT_S
_MICROSECONDS = 1_000_000
_NUMBER_BITS = 24
"""Bits of an address that hold a request's number within its slot."""

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


class BuyerArrivals:
    """Buyers' requests (an `ArrivalSource`).

    Parameters
    ----------
    config : DemandConfig
        When and for what buyers ask.
    shelves : Shelves
        What there is to ask for.
    keys : Keys
        Streams of the replication.
    """

    def __init__(self, config: DemandConfig, shelves: Shelves, keys: Keys) -> None:
        self._config = config
        self._shelves = shelves
        self._edges = np.cumsum(shelves.weights(config.tradition_weights))
        self._edges[-1] = 1.0
        self._source_edges = [_zipf_edges(len(shelf.sources), config.source_skew) for shelf in shelves.shelves]
        self._favourites = [
            np.argsort(keys.stream("buyer", f"favourites {shelf.tradition}").uniform(np.arange(len(shelf.sources)), 0))
            for shelf in shelves.shelves
        ]
        names = ("count", "moment", "tradition", "source", "take", "length", "patience")
        self._stream = {name: keys.stream("buyer", name) for name in names}

    def arrivals(self, start_s: float, stop_s: float) -> Iterator[Arrival]:
        """Yield the requests with ``start_s <= at_s < stop_s`` in order of time."""
        first, last = max(0, int(start_s // HOUR_S)), int(-(-stop_s // HOUR_S))
        for hour in range(first, last, HOURS):
            ids, at_s = self.moments(hour, min(hour + HOURS, last))
            inside = (at_s >= start_s) & (at_s < stop_s)
            yield from self._requests(ids[inside], at_s[inside])

    def moments(self, first_hour: int, stop_hour: int) -> tuple[Int64, Float64]:
        """Return when the requests of some hours come.

        Parameters
        ----------
        first_hour : int
            Hours since the start of the simulated time.
        stop_hour : int
            One past the last hour.

        Returns
        -------
        ids : ndarray of int64, shape (num_requests,)
            Addresses of the requests.
        at_s : ndarray of float64, shape (num_requests,)
            Seconds since the start, ascending, in whole microseconds.
        """
        hours = np.arange(first_hour, stop_hour, dtype=np.int64)
        slots = np.arange(first_hour * _SLOTS_AN_HOUR, stop_hour * _SLOTS_AN_HOUR, dtype=np.int64)
        uniforms = self._stream["count"].uniform(slots, 0).reshape(hours.size, _SLOTS_AN_HOUR)
        means = (rate_per_s(self._config, hours) * SLOT_S).tolist()
        counts = np.concatenate([poisson_counts(mean, u) for mean, u in zip(means, uniforms, strict=True)])
        slot = np.repeat(slots, counts)
        number = np.arange(slot.size) - np.repeat(np.cumsum(counts) - counts, counts)
        ids = (slot << _NUMBER_BITS) | number
        # Whole microseconds, so that no moment rounds up into the next slot.
        within = (self._stream["moment"].uniform(ids, 0) * (SLOT_S * _MICROSECONDS)).astype(np.int64)
        moment = slot * (SLOT_S * _MICROSECONDS) + within
        order = np.lexsort((ids, moment))
        return ids[order], moment[order] / _MICROSECONDS

    def _requests(self, ids: Int64, at_s: Float64) -> Iterator[Arrival]:
        """Yield the requests of some addresses, with all that they ask for."""
        draws = {name: self._stream[name].uniform(ids, 0) for name in ("tradition", "source", "take", "length")}
        tradition = np.searchsorted(self._edges, draws["tradition"], side="right")
        source, length = np.zeros(ids.size, dtype=np.int64), np.zeros(ids.size, dtype=np.int64)
        for t, shelf in enumerate(self._shelves.shelves):
            here = tradition == t
            rank = np.searchsorted(self._source_edges[t], draws["source"][here], side="right")
            source[here] = self._favourites[t][rank]
            length[here] = shelf.num_events[(draws["length"][here] * shelf.num_events.size).astype(np.int64)]
        normal = self._stream["patience"].normals(ids, 0, 1)[:, 0]
        columns = (
            ids,
            at_s,
            tradition,
            source,
            (draws["take"] * self._shelves.takes).astype(np.int64),
            np.minimum(length, self._shelves.max_events),
            self._config.buyer_patience_median_s * np.exp(self._config.patience_sd * normal),
        )
        for request, at, t, work, take, asked, patience in zip(*(c.tolist() for c in columns), strict=True):
            shelf = self._shelves.shelves[t]
            yield Arrival(
                at_s=at,
                request_id=f"buyer-{request >> _NUMBER_BITS}-{request & ((1 << _NUMBER_BITS) - 1)}",
                who="buyer",
                tradition=shelf.tradition,
                source_sha256=shelf.sources[work],
                take=take,
                prompt_events=int(shelf.num_events[work]),
                length_events=asked,
                patience_s=patience,
            )


def poisson_counts(mean: float, uniforms: Float64) -> Int64:
    """Return Poisson numbers by inversion: the least ``k`` with ``P(N <= k) > u``.

    Parameters
    ----------
    mean : float
        Mean of the distribution, >= 0.
    uniforms : ndarray of float64, shape (n,)
        In (0, 1).

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    if mean == 0.0:
        return np.zeros(uniforms.size, dtype=np.int64)
    # A uniform of 32 bits reaches no further than 7 standard deviations.
    k = np.arange(int(mean + 12.0 * np.sqrt(mean) + 32.0), dtype=np.float64)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(k[1:]))])
    cumulative = np.cumsum(np.exp(k * np.log(mean) - mean - log_factorial))
    return np.searchsorted(cumulative / cumulative[-1], uniforms, side="right").astype(np.int64)


def _zipf_edges(size: int, exponent: float) -> Float64:
    weights = np.arange(1, size + 1, dtype=np.float64) ** -exponent
    edges = np.cumsum(weights) / weights.sum()
    edges[-1] = 1.0
    return edges
