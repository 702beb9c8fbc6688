"""Creators' commissions as they reach a generation service: those of a run, each at a moment of its day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_agents.demand.config import DemandConfig
from heritage_agents.demand.rates import second_of_day
from heritage_agents.demand.shelves import Shelves
from heritage_sim.base import DAY_S, Arrival, Keys


@dataclass(frozen=True, slots=True, eq=False)
class CommissionsMade:
    """Commissions to derive that went to the generator, one a row, in any order.

    Parameters
    ----------
    day, creator, take : ndarray of int64, shape (num_commissions,)
        When, by whom, and which of the possible pieces; a creator commissions at most once a day.
    tradition, source : tuple of str, length num_commissions
        Tradition, and content hash (hex) of the archive work.
    """

    day: npt.NDArray[np.int64]
    creator: npt.NDArray[np.int64]
    take: npt.NDArray[np.int64]
    tradition: tuple[str, ...]
    source: tuple[str, ...]


class CreatorArrivals:
    """Creators' requests (an `ArrivalSource`): a creator asks at a keyed moment under the hourly profile.

    Parameters
    ----------
    config : DemandConfig
        Hourly profile and patience.
    shelves : Shelves
        Lengths of the archive works.
    keys : Keys
        Streams of the replication.
    made : CommissionsMade
        What was commissioned.
    """

    def __init__(self, config: DemandConfig, shelves: Shelves, keys: Keys, made: CommissionsMade) -> None:
        moment, patience = keys.stream("creator", "moment"), keys.stream("creator", "patience")
        at_s = np.zeros(made.day.size)
        patience_s = np.zeros(made.day.size)
        for day in np.unique(made.day).tolist():
            rows = np.flatnonzero(made.day == day)
            who = made.creator[rows]
            at_s[rows] = day * DAY_S + second_of_day(config, moment.uniform(who, day))
            spread = np.exp(config.patience_sd * patience.normals(who, day, 1)[:, 0])
            patience_s[rows] = config.creator_patience_median_s * spread
        order = np.lexsort((made.creator, at_s))
        self._at_s = at_s[order]
        self._arrivals = [_arrival(made, shelves, i, at_s, patience_s) for i in order.tolist()]

    def arrivals(self, start_s: float, stop_s: float) -> Iterator[Arrival]:
        """Yield the requests with ``start_s <= at_s < stop_s`` in order of time."""
        first, last = np.searchsorted(self._at_s, [start_s, stop_s], side="left")
        yield from self._arrivals[first:last]


def _arrival(
    made: CommissionsMade,
    shelves: Shelves,
    row: int,
    at_s: npt.NDArray[np.float64],
    patience_s: npt.NDArray[np.float64],
) -> Arrival:
    length = shelves.length_of(made.source[row])
    return Arrival(
        at_s=float(at_s[row]),
        request_id=f"creator-{int(made.creator[row])}-{int(made.day[row])}",
        who="creator",
        tradition=made.tradition[row],
        source_sha256=made.source[row],
        take=int(made.take[row]),
        prompt_events=length,
        # A derivative is as long as what it derives from, as the generator makes it.
        length_events=min(length, shelves.max_events),
        patience_s=float(patience_s[row]),
    )
