"""What leaves a shard of listeners: usage and tallies; and what goes in: the world as a shard may see it.

Taste vectors have a type of their own, `TasteVectors`, that no protocol of a recommender accepts: nobody is an oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NewType

import numpy as np
import numpy.typing as npt

TasteVectors = NewType("TasteVectors", np.ndarray[Any, np.dtype[np.float32]])
"""What listeners like, shape ``(num_listeners, dim)``. Enters choice only; never given to a recommender."""

HistoryVectors = NewType("HistoryVectors", np.ndarray[Any, np.dtype[np.float32]])
"""Mean vector of the works each listener has played, recent ones weighing more, shape ``(num_listeners, dim)``."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkFeatures:
    """What may be known of the works without asking listeners; arrays over ``(num_works,)``.

    Parameters
    ----------
    vectors : ndarray of float32, shape (num_works, dim)
        Encoded from the notes.
    tradition, community, day : ndarray of int32
        Indices, and day of publication.
    consistency, duration_s : ndarray of float32
        Measured fidelity, and length.
    available : ndarray of bool
        Whether the community's terms allow it to be played today.
    """

    vectors: npt.NDArray[np.float32]
    tradition: npt.NDArray[np.int32]
    community: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    consistency: npt.NDArray[np.float32]
    duration_s: npt.NDArray[np.float32]
    available: npt.NDArray[np.bool_]

    @property
    def num_works(self) -> int:
        """Return the number of works."""
        return int(self.tradition.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """One epoch of one shard (or of a usage file): who listened to what and how long, as compressed sparse rows.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    num_works : int
        Works in the catalogue when the epoch closed.
    listener_ids : ndarray of int64, shape (num_listeners,)
        All subscribers of the shard, ascending, those without plays too.
    fee_units : ndarray of int64, shape (num_listeners,)
        What each listener's fee adds to the pool, in the token's smallest unit. The pool is its sum over all shards.
    indptr : ndarray of int64, shape (num_listeners + 1,)
        Row starts.
    work_ids : ndarray of int32, shape (num_pairs,)
        Works each listener played, ascending within a row.
    plays : ndarray of int64, shape (num_pairs,)
        Plays of the pair that count for royalties (full plays).
    seconds : ndarray of int64, shape (num_pairs,)
        Whole seconds listened in these plays.
    plays_by_day : ndarray of int64, shape (num_days, num_works)
        Plays per day of the epoch, from which settlement times run. ``(1, num_works)`` where days are unknown.
    has_listeners : bool
        False where rows are not single listeners (a report with totals only): listener-level rules must refuse.
    """

    epoch: int
    num_works: int
    listener_ids: npt.NDArray[np.int64]
    fee_units: npt.NDArray[np.int64]
    indptr: npt.NDArray[np.int64]
    work_ids: npt.NDArray[np.int32]
    plays: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.int64]
    plays_by_day: npt.NDArray[np.int64]
    has_listeners: bool = True

    def plays_by_work(self) -> npt.NDArray[np.int64]:
        """Return plays of each work, shape ``(num_works,)``."""
        total = np.zeros(self.num_works, dtype=np.int64)
        np.add.at(total, self.work_ids, self.plays)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class DayTally:
    """Whole-number sums over a shard for a day; they add up over shards in any order.

    Parameters
    ----------
    counts : ndarray of int64, shape (len(TALLY),)
        Figures named by `TALLY`.
    plays_by_work, exposures_by_work : ndarray of int64, shape (num_works,)
        Plays, and times shown on a slate.
    subscribers_by_community : ndarray of int64, shape (num_communities,)
        Listeners of each home community who subscribe at the end of the day.
    """

    counts: npt.NDArray[np.int64]
    plays_by_work: npt.NDArray[np.int64]
    exposures_by_work: npt.NDArray[np.int64]
    subscribers_by_community: npt.NDArray[np.int64]


TALLY = (
    *("sessions", "slates", "plays", "full_plays", "abandonments", "seconds"),
    *("left_service", "came_back", "subscribers", "surplus_micro"),
)
"""Names of `DayTally.counts`. A slate is one listener-step; a play is a choice; a full play lasted long enough to count
for royalties (30 s by convention, or to the end of a shorter work); an abandonment is a session left while slates
remained. ``left_service`` and ``came_back`` count listeners who ended or took up their subscription this day,
``subscribers`` those who pay for it. ``surplus_micro`` is the sum over slates of the expected utility of choosing from
the slate over that of playing nothing (log-sum), in whole millionths of a utility unit, each slate rounded down."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What is sent to every shard for a day.

    Parameters
    ----------
    day : int
        The day.
    works : WorkFeatures
        The catalogue as it may be seen.
    recommender_state : object
        The `RecommenderState` last broadcast.
    visible_plays : ndarray of int64, shape (num_works,)
        Play counts as shown to listeners (social influence), frozen at the last recommender refresh.
    subscribed_share : ndarray of float64, shape (num_communities,)
        Share of each home community's listeners who subscribe, frozen likewise (word of mouth).
    bought_works : ndarray of int32
        Works that a fraud ring has its bots play; empty where there is none.
    """

    day: int
    works: WorkFeatures
    recommender_state: Any
    visible_plays: npt.NDArray[np.int64]
    subscribed_share: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    bought_works: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
