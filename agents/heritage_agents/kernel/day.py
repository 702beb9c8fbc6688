"""The compiled listener-step: one pass over the day's active listeners, nothing of size listeners x works in memory.

A session is at most ``max_slates`` steps. In a step the best ``slate_size`` of the remaining candidates are shown (by
the recommender's score, which knows the history and not the taste); the listener chooses one or none by multinomial
logit; listens for a while; taste and history move; the listener leaves or sees the next slate.

With u the taste, h the history, v and c a work's vector and consistency, theta the listener's taste for consistency,
f the number of slates already seen in the session and n the plays so far:

    score    = affinity (h . v) + bias
    appeal   = kappa (u . v) + theta c
    utility  = appeal + popularity_weight log(1 + visible plays) - fatigue f,   outside: outside_utility
    choice   = argmax utility + Gumbel                         (McFadden's multinomial logit)
    log rate = log skip_rate - skip_appeal appeal + skip_novelty (1 - h . v) + skip_fatigue f
               - skip_experience log(1 + n)
    dwell    = min(duration, -log(U) / rate)
    log odds of leaving = leave_base + leave_idle [no play] + leave_skipped (1 - dwell / duration) [play]
                          + leave_fatigue f
    counted play: u turns towards v by the share ``drift`` of the angle between them (slerp, so it never overshoots)
    any play: h <- (1 - history_weight) h + history_weight v

The numbers of a work are addressed by its id (choice, dwell), those of a slate by its place in the session, so what a
listener hears of one work does not shift when another work joins the slate. Float sums have one fixed order, each
listener is treated alone, and all tallies are whole numbers: the division into shards cannot show.

numba keys its cache by this file alone: after a change in `philox_numba` or `lanes`, delete the ``__pycache__`` folder.

References
----------
McFadden, "Conditional logit analysis of qualitative choice behavior", 1974.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from heritage_agents.kernel.lanes import dot_rows
from heritage_agents.kernel.philox import gumbel, uniform

Float32, Float64 = npt.NDArray[np.float32], npt.NDArray[np.float64]
Int32, Int64, UInt64 = npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint64]

CHOICE, OUTSIDE, DWELL, LEAVE = 0, 1, 2, 3
STREAMS = ("choice", "outside", "dwell", "leave")
"""Decisions drawn in the kernel; row ``k`` of its ``keys`` belongs to ``STREAMS[k]``."""

SESSIONS, SLATES, PLAYS, FULL_PLAYS, ABANDONMENTS, SECONDS = 0, 1, 2, 3, 4, 5


class Behaviour(NamedTuple):
    """The numbers of `ListenersConfig` that the kernel reads; units as there, `skip_rate` per second."""

    max_slates: int
    slate_size: int
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
    drift: float
    history_weight: float


@njit(cache=True, nogil=True)
def active_rows(ids, probability, day, key):
    """Return the rows of the listeners who have a session today: a keyed Bernoulli draw each."""
    rows = np.empty(ids.size, dtype=np.int64)
    n = 0
    for row in range(ids.size):
        if uniform(ids[row], day, 0, key[0], key[1]) < probability[row]:
            rows[n] = row
            n += 1
    return rows[:n].copy()


@njit(cache=True, nogil=True)
def _order_bits(score, order, n):
    """Write into ``order`` whole numbers that compare as the scores do (IEEE bits, negative ones turned round)."""
    bits = score.view(np.int32)
    for i in range(n):
        b = bits[i]
        order[i] = b ^ ((b >> np.int32(31)) & np.int32(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def _threshold(order, n, size):
    """Return the ``size``-th largest of the first ``n``, or a bound that exactly ``size`` of them reach, by bisection.

    Counting is a loop that LLVM turns into vector code, so ten counts cost less than keeping a sorted list of ten.
    """
    low, high = np.int64(order[0]), np.int64(order[0])
    for i in range(n):
        low = min(low, np.int64(order[i]))
        high = max(high, np.int64(order[i]))
    high += 1
    while high - low > 1:
        middle = (low + high) >> 1
        bound = np.int32(middle)
        count = np.int32(0)
        for i in range(n):
            count = np.int32(count + np.int32(order[i] >= bound))
        if count >= size:
            low = middle
            if count == size:
                break
        else:
            high = middle
    return np.int32(low)


@njit(cache=True, nogil=True)
def _take_slate(left, order, n, size, slate):
    """Move the ``size`` best of ``n`` candidates to ``slate``, ties to the earlier; return how many are left."""
    bound = _threshold(order, n, size)
    above = 0
    for i in range(n):
        above += order[i] > bound
    ties = size - above
    shown = 0
    kept = 0
    for i in range(n):
        take = order[i] > bound
        if order[i] == bound and ties > 0:
            take = True
            ties -= 1
        if take:
            slate[shown] = left[i]
            shown += 1
        else:
            left[kept] = left[i]
            order[kept] = order[i]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def turn_towards(taste, row, vectors, work, share):
    """Turn a unit row of ``taste`` towards a unit row of ``vectors`` by a share of the angle between them (slerp)."""
    cosine = np.float64(dot_rows(taste, row, vectors, work))
    angle = math.acos(min(1.0, max(-1.0, cosine)))
    sine = math.sin(angle)
    if sine < 1e-3:  # as good as there, or opposite, where no direction is the shorter one
        return
    keep = np.float32(math.sin((1.0 - share) * angle) / sine)
    gain = np.float32(math.sin(share * angle) / sine)
    width = taste.shape[1]
    for k in range(width):
        taste[row, k] = keep * taste[row, k] + gain * vectors[work, k]
    scale = np.float32(1.0 / math.sqrt(np.float64(dot_rows(taste, row, taste, row))))
    for k in range(width):
        taste[row, k] *= scale


@njit(cache=True, nogil=True, error_model="numpy")  # a hazard that underflows to 0 means: heard to the end
def live_day(
    behaviour: Behaviour,
    keys: UInt64,
    day: int,
    rows: Int64,
    candidates: Int32,
    ids: Int64,
    taste: Float32,
    history: Float32,
    consistency_taste: Float64,
    num_plays: Int64,
    vectors: Float32,
    consistency: Float64,
    duration_s: Float64,
    available: npt.NDArray[np.bool_],
    popularity: Float64,
    affinity: np.float32,
    bias: Float32,
    counts: Int64,
    plays_by_work: Int64,
    exposures_by_work: Int64,
    log_rows: Int32,
    log_works: Int32,
    log_seconds: Int32,
) -> int:
    """Live the day of the active listeners in place; return how many counted plays were logged.

    Parameters
    ----------
    behaviour : Behaviour
        Parameters.
    keys : ndarray of uint64, shape (len(STREAMS), 2)
        Keys of the streams.
    day : int
        The day: the step of every address.
    rows : ndarray of int64, shape (num_active,)
        Rows of the active listeners.
    candidates : ndarray of int32, shape (num_active, num_candidates)
        Distinct work ids, -1 for none.
    ids : ndarray of int64, shape (num_listeners,)
        Listener ids.
    taste : ndarray of float32, shape (num_listeners, width)
        Padded by `heritage_agents.kernel.lanes.padded`; changed in place.
    history : ndarray of float32, shape (num_listeners, width)
        Likewise.
    consistency_taste : ndarray of float64, shape (num_listeners,)
        Theta.
    num_plays : ndarray of int64, shape (num_listeners,)
        Plays so far; changed in place.
    vectors : ndarray of float32, shape (num_works, width)
        Padded work vectors.
    consistency : ndarray of float64, shape (num_works,)
        Consistency of the works.
    duration_s : ndarray of float64, shape (num_works,)
        Length of the works in seconds.
    available : ndarray of bool, shape (num_works,)
        Works that may be shown.
    popularity : ndarray of float64, shape (num_works,)
        Utility of visible plays.
    affinity : float32
        Of the recommender.
    bias : ndarray of float32, shape (num_works,)
        Of the recommender.
    counts : ndarray of int64, shape (len(TALLY),)
        Added to.
    plays_by_work : ndarray of int64, shape (num_works,)
        Added to.
    exposures_by_work : ndarray of int64, shape (num_works,)
        Added to.
    log_rows : ndarray of int32, shape (num_active * max_slates,)
        Listener rows of counted plays, written from the start.
    log_works : ndarray of int32, shape (num_active * max_slates,)
        Their works.
    log_seconds : ndarray of int32, shape (num_active * max_slates,)
        Their whole seconds.

    Returns
    -------
    int
    """
    num_candidates = candidates.shape[1]
    width = taste.shape[1]
    left = np.empty(num_candidates, dtype=np.int32)
    score = np.empty(num_candidates, dtype=np.float32)
    order = np.empty(num_candidates, dtype=np.int32)
    slate = np.empty(behaviour.slate_size, dtype=np.int32)
    logged = 0

    for active in range(rows.size):
        row = rows[active]
        listener = ids[row]
        theta = consistency_taste[row]
        n = 0
        for c in range(num_candidates):
            work = candidates[active, c]
            if work >= 0 and available[work]:
                left[n] = work
                # adding zero makes -0 a plain 0, which the order of bits would tell apart
                score[n] = affinity * dot_rows(history, row, vectors, work) + bias[work] + np.float32(0.0)
                n += 1
        _order_bits(score, order, n)
        counts[SESSIONS] += 1

        for seen in range(behaviour.max_slates):
            if n == 0:
                break
            size = min(behaviour.slate_size, n)
            n = _take_slate(left, order, n, size, slate)
            counts[SLATES] += 1

            chosen = -1
            appeal_of_chosen = 0.0
            best = behaviour.outside_utility + gumbel(listener, day, seen, keys[OUTSIDE, 0], keys[OUTSIDE, 1])
            tired = behaviour.fatigue * seen
            for s in range(size):
                work = slate[s]
                exposures_by_work[work] += 1
                appeal = behaviour.kappa * np.float64(dot_rows(taste, row, vectors, work)) + theta * consistency[work]
                noise = gumbel(listener, day, work, keys[CHOICE, 0], keys[CHOICE, 1])
                value = appeal + popularity[work] - tired + noise
                if value > best:
                    best = value
                    chosen = work
                    appeal_of_chosen = appeal

            log_odds = behaviour.leave_base + behaviour.leave_fatigue * seen
            if chosen < 0:
                log_odds += behaviour.leave_idle
            else:
                novelty = 1.0 - np.float64(dot_rows(history, row, vectors, chosen))
                rate = behaviour.skip_rate * math.exp(
                    -behaviour.skip_appeal * appeal_of_chosen
                    + behaviour.skip_novelty * novelty
                    + behaviour.skip_fatigue * seen
                    - behaviour.skip_experience * math.log(1.0 + num_plays[row])
                )
                u = uniform(listener, day, chosen, keys[DWELL, 0], keys[DWELL, 1])
                length = duration_s[chosen]
                dwell = min(length, -math.log(u) / rate)
                seconds = np.int64(dwell)
                num_plays[row] += 1
                counts[PLAYS] += 1
                counts[SECONDS] += seconds
                plays_by_work[chosen] += 1
                if dwell >= min(behaviour.counted_play_s, length):
                    counts[FULL_PLAYS] += 1
                    log_rows[logged] = row
                    log_works[logged] = chosen
                    log_seconds[logged] = seconds
                    logged += 1
                    if behaviour.drift > 0.0:
                        turn_towards(taste, row, vectors, chosen, behaviour.drift)
                old, new = np.float32(1.0 - behaviour.history_weight), np.float32(behaviour.history_weight)
                for k in range(width):
                    history[row, k] = old * history[row, k] + new * vectors[chosen, k]
                if length > 0.0:
                    log_odds += behaviour.leave_skipped * (1.0 - dwell / length)

            if seen + 1 < behaviour.max_slates and n > 0:
                u = uniform(listener, day, seen, keys[LEAVE, 0], keys[LEAVE, 1])
                if u * (1.0 + math.exp(-log_odds)) < 1.0:
                    counts[ABANDONMENTS] += 1
                    break
    return logged
