"""The compiled listener-step: one pass over the day's sessions, nothing of size listeners x works in memory.

A session is at most ``max_slates`` steps. In a step the best ``slate_size`` of the remaining candidates are shown (by
the recommender's score, which knows the history and not the taste, or in the recommender's own order where it ranks
the whole catalogue); the listener chooses one or none by multinomial logit; listens for a while; taste and history
move; the listener leaves or sees the next slate. Each session of a day ranks the day's candidates anew.

With u the taste, h the history, v and c a work's vector and consistency, theta the listener's taste for consistency,
f the number of slates already seen in the session, n the plays so far, phi the heritage-familiarity index and L the
mean length of the listener's earlier sessions in minutes (0 before the first; never the current one):

    score    = affinity (h . v) + bias
    appeal   = kappa (u . v) + theta c
    utility  = appeal + popularity_weight log(1 + visible plays) - fatigue f,   outside: outside_utility
    choice   = argmin E / exp(utility), E standard exponential: the race that multinomial logit is
    surplus  = log(sum exp(utility) + exp(outside_utility)) - outside_utility
    log rate = log skip_rate - skip_appeal appeal + skip_novelty (1 - h . v) + skip_fatigue f
               - skip_experience log(1 + n) + skip[device] - skip_familiarity phi
    dwell    = min(duration, -log(U) / rate)
    log odds of leaving = leave_base + leave_idle [no play] + leave_skipped (1 - dwell / duration) [play]
                          + leave_fatigue f - leave_prior log(1 + L) + leave[device] - leave_familiarity phi
    counted play: u turns towards v by the share ``drift`` of the angle between them (slerp, so it never overshoots)
    any play: h <- (1 - history_weight) h + history_weight v
    end of a session: satisfaction moves by satisfaction_weight towards the mean surplus of its slates; its length is
                      browse_s for each slate and the dwell of its plays

The numbers of a session have the step ``day x 16 + session`` in their addresses. Those of a work are addressed by its
id (choice, dwell), those of a slate by its place in the session, so what a listener hears of one work does not shift
when another work joins the slate. Float sums have one fixed order, each listener is treated alone, and all tallies are
whole numbers: the division into shards cannot show.

numba keys its cache by this file alone: after a change in `philox` or `lanes`, delete the ``__pycache__`` folder.

References
----------
McFadden, "Conditional logit analysis of qualitative choice behavior", 1974 (choice).
Small and Rosen, "Applied welfare economics with discrete choice models", 1981 (surplus).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from heritage_agents.kernel.lanes import dot_rows
from heritage_agents.kernel.philox import uniform

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


@njit(cache=True, nogil=True)
def _turn_bits(order, n):
    """Turn the bits of float32 scores into whole numbers that compare as the scores do, in place, or back again.

    IEEE bits compare as whole numbers but for negative ones, which are turned round.
    """
    for i in range(n):
        b = order[i]
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
def _take_slate(left, order, n, size, slate, slate_order):
    """Move the ``size`` best of ``n`` candidates to the slate, ties to the earlier; return how many are left."""
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
            slate_order[shown] = order[i]
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


@njit(cache=True, nogil=True)
def _rank(offers, active, history, row, works, left, order):
    """Write the candidates that may be shown into ``left``, and what orders them into ``order``; return how many."""
    n = 0
    for c in range(offers.candidates.shape[1]):
        work = offers.candidates[active, c]
        if work >= 0 and works.available[work]:
            left[n] = work
            if offers.ranked:
                order[n] = -c
            n += 1
    if not offers.ranked:
        score = order.view(np.float32)
        for i in range(n):
            work = left[i]
            # adding zero makes -0 a plain 0, which the order of bits would tell apart
            score[i] = (
                offers.affinity * dot_rows(history, row, works.vectors, work) + works.bias[work] + np.float32(0.0)
            )
        _turn_bits(order, n)
    return n


@njit(cache=True, nogil=True)
def _choose(behaviour, keys, listener, step, seen, slate, size, value):
    """Return the place of the chosen work on the slate, -1 for none, and the slate's surplus.

    Standard exponential times are divided by the weights exp(utility); the first to arrive is chosen.
    """
    outside = behaviour.outside_utility
    top = outside
    for s in range(size):
        top = max(top, value[s])
    total = math.exp(outside - top)
    first = -math.log(uniform(listener, step, seen, keys[OUTSIDE, 0], keys[OUTSIDE, 1])) / total
    chosen = -1
    for s in range(size):
        weight = math.exp(value[s] - top)
        total += weight
        arrival = -math.log(uniform(listener, step, slate[s], keys[CHOICE, 0], keys[CHOICE, 1])) / weight
        if arrival < first:
            first = arrival
            chosen = s
    return chosen, top - outside + math.log(total)


@njit(cache=True, nogil=True, error_model="numpy")  # a hazard that underflows to 0 means: heard to the end
def _dwell(behaviour, keys, listener, step, seen, work, appeal, novelty, num_plays, offset, duration_s):
    """Return how long a work is heard, in seconds."""
    rate = behaviour.skip_rate * math.exp(
        -behaviour.skip_appeal * appeal
        + behaviour.skip_novelty * novelty
        + behaviour.skip_fatigue * seen
        - behaviour.skip_experience * math.log(1.0 + num_plays)
        + offset
    )
    u = uniform(listener, step, work, keys[DWELL, 0], keys[DWELL, 1])
    return min(duration_s, -math.log(u) / rate)


@njit(cache=True, nogil=True)
def _remember(behaviour, people, row, works, work):
    """Let a play enter the listener's history."""
    old, new = np.float32(1.0 - behaviour.history_weight), np.float32(behaviour.history_weight)
    for k in range(people.history.shape[1]):
        people.history[row, k] = old * people.history[row, k] + new * works.vectors[work, k]
    for k in range(people.recent.shape[1] - 1, 0, -1):
        people.recent[row, k] = people.recent[row, k - 1]
    people.recent[row, 0] = work
    people.num_plays[row] += 1


@njit(cache=True, nogil=True)
def _leaving_log_odds(behaviour, people, row):
    """Return the part of the log odds of leaving that stands when a session begins: it knows earlier sessions only."""
    earlier = people.num_sessions[row]
    mean_s = people.session_s[row] / earlier if earlier > 0 else 0.0
    return behaviour.leave_base + people.leave_offset[row] - behaviour.leave_prior * math.log(1.0 + mean_s / 60.0)


@njit(cache=True, nogil=True)
def _place(slate_order, size, chosen):
    """Return the place of a work on its slate: how many stand before it."""
    before = 0
    for s in range(size):
        before += slate_order[s] > slate_order[chosen] or (slate_order[s] == slate_order[chosen] and s < chosen)
    return before


@njit(cache=True, nogil=True, error_model="numpy")  # a weight that underflows to 0 means: never chosen
def live_day(
    behaviour: Behaviour, keys: UInt64, day: int, people: People, works: Works, offers: Offers, books: Books
) -> tuple[int, int, int]:
    """Live the day's sessions in place; return how many counted plays, session rows and play rows were written.

    Parameters
    ----------
    behaviour : Behaviour
        Parameters.
    keys : ndarray of uint64, shape (len(STREAMS), 2)
        Keys of the streams.
    day : int
        The day.
    people : People
        All listeners of the shard.
    works : Works
        The item side.
    offers : Offers
        The day's sessions.
    books : Books
        Where it is written down.

    Returns
    -------
    tuple of int
        Rows of the log, of the sessions and of the plays.
    """
    counts, num_candidates = books.counts, offers.candidates.shape[1]
    left = np.empty(num_candidates, dtype=np.int32)
    order = np.empty(num_candidates, dtype=np.int32)
    slate = np.empty(behaviour.slate_size, dtype=np.int32)
    slate_order = np.empty(behaviour.slate_size, dtype=np.int32)
    slate_score = slate_order.view(np.float32)
    appeal = np.empty(behaviour.slate_size, dtype=np.float64)
    value = np.empty(behaviour.slate_size, dtype=np.float64)
    logged = noted_sessions = noted_plays = 0

    for active in range(offers.rows.size):
        row = offers.rows[active]
        listener, theta, sampled = people.ids[row], people.consistency_taste[row], people.sampled[row]
        for session in range(offers.num_sessions[active]):
            step = day * STEPS_PER_DAY + session
            n = _rank(offers, active, people.history, row, works, left, order)
            stay = _leaving_log_odds(behaviour, people, row)
            slates = plays = abandoned = 0
            surplus = heard_s = 0.0
            for seen in range(behaviour.max_slates):
                if n == 0:
                    break
                size = min(behaviour.slate_size, n)
                n = _take_slate(left, order, n, size, slate, slate_order)
                slates += 1
                tired = behaviour.fatigue * seen
                for s in range(size):
                    work = slate[s]
                    books.exposures_by_work[work] += 1
                    match = np.float64(dot_rows(people.taste, row, works.vectors, work))
                    appeal[s] = behaviour.kappa * match + theta * works.consistency[work]
                    value[s] = appeal[s] + works.popularity[work] - tired
                chosen, gained = _choose(behaviour, keys, listener, step, seen, slate, size, value)
                surplus += gained
                counts[SURPLUS_MICRO] += np.int64(math.floor(gained * MICRO))

                log_odds = stay + behaviour.leave_fatigue * seen
                if chosen < 0:
                    log_odds += behaviour.leave_idle
                else:
                    work = slate[chosen]
                    length = works.duration_s[work]
                    novelty = 1.0 - np.float64(dot_rows(people.history, row, works.vectors, work))
                    dwell = _dwell(
                        behaviour, keys, listener, step, seen, work, appeal[chosen], novelty,
                        people.num_plays[row], people.skip_offset[row], length,
                    )  # fmt: skip
                    plays += 1
                    heard_s += dwell
                    seconds = np.int64(dwell)
                    counts[SECONDS] += seconds
                    books.plays_by_work[work] += 1
                    if sampled:
                        note = books.plays[noted_plays]
                        note.listener, note.day, note.session, note.slate = listener, day, session, seen
                        note.place, note.work = _place(slate_order, size, chosen), work
                        note.dwell_s, note.duration_s = dwell, length
                        _turn_bits(slate_order, size)
                        note.score = slate_score[chosen]
                        noted_plays += 1
                    if dwell >= min(behaviour.counted_play_s, length):
                        counts[FULL_PLAYS] += 1
                        books.log_rows[logged] = row
                        books.log_works[logged] = work
                        books.log_seconds[logged] = seconds
                        logged += 1
                        if behaviour.drift > 0.0:
                            turn_towards(people.taste, row, works.vectors, work, behaviour.drift)
                    _remember(behaviour, people, row, works, work)
                    if length > 0.0:
                        log_odds += behaviour.leave_skipped * (1.0 - dwell / length)

                if seen + 1 < behaviour.max_slates and n > 0:
                    u = uniform(listener, step, seen, keys[LEAVE, 0], keys[LEAVE, 1])
                    if u * (1.0 + math.exp(-log_odds)) < 1.0:
                        abandoned = 1
                        break

            length_s = behaviour.browse_s * slates + heard_s
            if sampled:
                entry = books.sessions[noted_sessions]
                entry.listener, entry.day, entry.session = listener, day, session
                entry.prior_sessions = people.num_sessions[row]
                entry.prior_mean_s = 0.0
                if people.num_sessions[row] > 0:
                    entry.prior_mean_s = people.session_s[row] / people.num_sessions[row]
                entry.slates, entry.plays, entry.seconds, entry.abandoned = slates, plays, length_s, abandoned
                noted_sessions += 1
            mean = surplus / slates if slates > 0 else 0.0
            people.satisfaction[row] += behaviour.satisfaction_weight * (mean - people.satisfaction[row])
            people.session_s[row] += length_s
            people.num_sessions[row] += 1
            counts[SESSIONS] += 1
            counts[SLATES] += slates
            counts[PLAYS] += plays
            counts[ABANDONMENTS] += abandoned
    return logged, noted_sessions, noted_plays
