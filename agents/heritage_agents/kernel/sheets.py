"""What the kernel reads and where it writes: the names of its streams, tallies and rows, and its sheets of arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
Float32, Float64 = npt.NDArray[np.float32], npt.NDArray[np.float64]
Int32, Int64, UInt64 = npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint64]
Rows = npt.NDArray[np.void]

CHOICE, OUTSIDE, DWELL, LEAVE = 0, 1, 2, 3
STREAMS = ("choice", "outside", "dwell", "leave")
"""Decisions drawn in the kernel; row ``k`` of its ``keys`` belongs to ``STREAMS[k]``."""

STEPS_PER_DAY = 16
"""Addresses of a day: the step of session ``s`` of day ``d`` is ``16 d + s``."""

SESSIONS, SLATES, PLAYS, FULL_PLAYS, ABANDONMENTS, SECONDS = 0, 1, 2, 3, 4, 5
LEFT_SERVICE, CAME_BACK, SUBSCRIBERS, SURPLUS_MICRO = 6, 7, 8, 9
MICRO = 1_000_000.0

SESSION_ROW = np.dtype(
    [
        ("listener", np.int64),
        ("prior_mean_s", np.float64),
        ("seconds", np.float64),
        ("day", np.int32),
        ("session", np.int32),
        ("prior_sessions", np.int32),
        ("slates", np.int32),
        ("plays", np.int32),
        ("abandoned", np.int32),
    ]
)
"""What is noted of a session of a listener in the sample."""

PLAY_ROW = np.dtype(
    [
        ("listener", np.int64),
        ("dwell_s", np.float64),
        ("duration_s", np.float64),
        ("day", np.int32),
        ("session", np.int32),
        ("slate", np.int32),
        ("place", np.int32),
        ("work", np.int32),
        ("score", np.float32),
    ]
)
"""What is noted of a play of a listener in the sample."""


class Behaviour(NamedTuple):
    """The numbers of `ListenersConfig` that the kernel reads; units as there, `skip_rate` per second."""

    max_slates: int
    slate_size: int
    browse_s: float
    kappa: float
    outside_utility: float
    fatigue: float
    skip_rate: float
    skip_appeal: float
    skip_novelty: float
    skip_fatigue: float
    skip_experience: float
    counted_play_s: float
    leave_base: float
    leave_idle: float
    leave_skipped: float
    leave_fatigue: float
    leave_prior: float
    drift: float
    history_weight: float
    satisfaction_weight: float


class People(NamedTuple):
    """Listeners of a shard as the kernel sees them; arrays over ``(num_listeners,)``.

    Parameters
    ----------
    ids : ndarray of int64
        Listener ids.
    consistency_taste : ndarray of float64
        Theta.
    skip_offset, leave_offset : ndarray of float64
        What device and familiarity add to the log hazard of leaving a work, and to the log odds of leaving a session.
    sampled : ndarray of bool
        Whose sessions and plays are noted one by one.
    taste, history : ndarray of float32, shape (num_listeners, width)
        Padded by `heritage_agents.kernel.lanes.padded`; changed in place, as all that follows.
    num_plays, num_sessions : ndarray of int64
        Plays and sessions so far.
    session_s : ndarray of float64
        Length of all sessions so far together.
    satisfaction : ndarray of float64
        Moving mean of the sessions' mean surplus.
    recent : ndarray of int32, shape (num_listeners, num_recent)
        Works played last, newest first, -1 for none.
    """

    ids: Int64
    consistency_taste: Float64
    skip_offset: Float64
    leave_offset: Float64
    sampled: Bool
    taste: Float32
    history: Float32
    num_plays: Int64
    num_sessions: Int64
    session_s: Float64
    satisfaction: Float64
    recent: Int32


class Works(NamedTuple):
    """The item side of a day; arrays over ``(num_works,)``.

    Parameters
    ----------
    vectors : ndarray of float32, shape (num_works, width)
        Padded work vectors.
    consistency, duration_s : ndarray of float64
        Consistency, and length in seconds.
    available : ndarray of bool
        Works that may be shown.
    popularity : ndarray of float64
        Utility of visible plays.
    bias : ndarray of float32
        Of the recommender.
    """

    vectors: Float32
    consistency: Float64
    duration_s: Float64
    available: Bool
    popularity: Float64
    bias: Float32


class Offers(NamedTuple):
    """Who has sessions today, and what they may be shown.

    Parameters
    ----------
    rows : ndarray of int64, shape (num_active,)
        Rows of the listeners with sessions.
    num_sessions : ndarray of int64, shape (num_active,)
        Sessions of each, >= 1.
    candidates : ndarray of int32, shape (num_active, num_candidates)
        Distinct work ids, -1 for none.
    ranked : bool
        Whether they stand in the order in which they are to be shown; the score is not asked then.
    affinity : float32
        Weight of the match in the score.
    """

    rows: Int64
    num_sessions: Int64
    candidates: Int32
    ranked: bool
    affinity: Any


class Books(NamedTuple):
    """Where a day is written down.

    Parameters
    ----------
    counts : ndarray of int64, shape (len(TALLY),)
        Added to.
    plays_by_work, exposures_by_work : ndarray of int64, shape (num_works,)
        Added to.
    log_rows, log_works, log_seconds : ndarray of int32
        Listener rows, works and whole seconds of counted plays, written from the start; one place for each slate that
        the day can have.
    sessions : ndarray of `SESSION_ROW`
        Sessions of the sample, written from the start; a place for each.
    plays : ndarray of `PLAY_ROW`
        Their plays, likewise; a place for each slate that they can have.
    """

    counts: Int64
    plays_by_work: Int64
    exposures_by_work: Int64
    log_rows: Int32
    log_works: Int32
    log_seconds: Int32
    sessions: Rows
    plays: Rows
