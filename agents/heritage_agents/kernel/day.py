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

Numbers that are wanted together are made together: dot products sixteen rows at a time (`groups`), the best of the
candidates by vector comparisons (`slates`), draws, exponentials and logarithms of a whole slate at once (`draws`,
`arithmetic`). None of it changes a bit of what each would give alone.

References
----------
McFadden, "Conditional logit analysis of qualitative choice behavior", 1974 (choice).
Small and Rosen, "Applied welfare economics with discrete choice models", 1981 (surplus).
"""

from __future__ import annotations

import math

import numpy as np

from heritage_agents.kernel.arithmetic import WIDE, exponential, exponentials, logarithm, logarithms
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.draws import uniforms_at
from heritage_agents.kernel.groups import GROUP, dot_group, score_group
from heritage_agents.kernel.lanes import dot_rows
from heritage_agents.kernel.philox import uniform
from heritage_agents.kernel.sheets import (
    ABANDONMENTS,
    CHOICE,
    DWELL,
    FULL_PLAYS,
    LEAVE,
    MICRO,
    OUTSIDE,
    PLAYS,
    SECONDS,
    SESSIONS,
    SLATES,
    STEPS_PER_DAY,
    SURPLUS_MICRO,
    Behaviour,
    Books,
    Offers,
    People,
    UInt64,
    Works,
)
from heritage_agents.kernel.slates import TAKEN, num_from, strike_out, take_slate
from heritage_agents.kernel.turning import blend_row, turn_towards

_SHOWABLE = np.float32(0.5) * TAKEN
"""Every score of a work that may be shown lies above."""


@compiled
def _heights(offers, works):
    """Return what is added to each work's match, and two numbers between which all scores lie.

    The bias of a work; `TAKEN` for one that may not be shown, and in the last place, which stands for no work. Where
    the candidates are ranked already, 0 takes the place of the bias. A history is never longer than 1.
    """
    n = works.bias.size
    height = np.full(n + 1, TAKEN, dtype=np.float32)
    lowest = highest = np.float32(0.0)
    for work in range(n):
        if works.available[work]:
            height[work] = np.float32(0.0) if offers.ranked else works.bias[work]
            lowest, highest = min(lowest, height[work]), max(highest, height[work])
    if offers.ranked:
        return height, np.float32(-offers.candidates.shape[1]), np.float32(0.0)
    match = np.float32(1.001) * abs(offers.affinity)
    return height, lowest - match, highest + match


@compiled
def _rank(offers, active, history, row, vectors, height, left, score):
    """Write the candidates into ``left``, and what ranks them into ``score``; return how many may be shown.

    Both are filled up to a whole group with none; `TAKEN` is the score of what may not be shown.
    """
    if vectors.shape[0] == 0:  # then not even the row is there that stands in for none
        return 0
    num_candidates = offers.candidates.shape[1]
    filled = -(-num_candidates // GROUP) * GROUP
    for c in range(num_candidates):
        left[c] = offers.candidates[active, c]
    for c in range(num_candidates, filled):
        left[c] = -1
    for first in range(0, filled, GROUP):
        if offers.ranked:
            for c in range(first, first + GROUP):
                score[c] = -c
        else:
            dot_group(history, row, vectors, left, first, score)
        score_group(score, np.float32(1.0) if offers.ranked else offers.affinity, height, left, first, score)
    return num_from(score, filled, _SHOWABLE)


@compiled(error_model="numpy")  # a weight that underflows to 0 means: never chosen
def _choose(behaviour, keys, listener, step, seen, slate, size, value, weight, drawn):
    """Return the place of the chosen work on the slate, -1 for none, and the slate's surplus.

    Standard exponential times are divided by the weights exp(utility); the first to arrive is chosen.
    """
    outside = behaviour.outside_utility
    top = outside
    for s in range(size):
        top = max(top, value[s])
    total = exponential(outside - top)
    u = uniform(listener, step, seen, keys[OUTSIDE, 0], keys[OUTSIDE, 1])
    first = -logarithm(u) / total
    chosen = -1
    for block in range(0, size, WIDE):
        for s in range(WIDE):
            weight[s] = value[block + s] - top
        exponentials(weight)
        uniforms_at(
            np.uint64(listener), np.uint64(step), slate[block : block + WIDE], keys[CHOICE, 0], keys[CHOICE, 1], drawn
        )
        logarithms(drawn)
        for s in range(WIDE):
            drawn[s] = -drawn[s] / weight[s]
        for s in range(min(WIDE, size - block)):
            total += weight[s]
            if drawn[s] < first:
                first = drawn[s]
                chosen = block + s
    return chosen, top - outside + logarithm(total)


@compiled(error_model="numpy")  # a hazard that underflows to 0 means: heard to the end
def _dwell(behaviour, keys, listener, step, seen, work, appeal, novelty, num_plays, offset, duration_s):
    """Return how long a work is heard, in seconds."""
    rate = behaviour.skip_rate * exponential(
        -behaviour.skip_appeal * appeal
        + behaviour.skip_novelty * novelty
        + behaviour.skip_fatigue * seen
        - behaviour.skip_experience * logarithm(1.0 + num_plays)
        + offset
    )
    u = uniform(listener, step, work, keys[DWELL, 0], keys[DWELL, 1])
    return min(duration_s, -logarithm(u) / rate)


@compiled
def _remember(behaviour, people, row, works, work):
    """Let a play enter the listener's history."""
    old, new = np.float32(1.0 - behaviour.history_weight), np.float32(behaviour.history_weight)
    blend_row(people.history, row, old, works.vectors, work, new)
    for k in range(people.recent.shape[1] - 1, 0, -1):
        people.recent[row, k] = people.recent[row, k - 1]
    people.recent[row, 0] = work
    people.num_plays[row] += 1


@compiled
def _leaving_log_odds(behaviour, people, row):
    """Return the part of the log odds of leaving that stands when a session begins: it knows earlier sessions only."""
    earlier = people.num_sessions[row]
    mean_s = people.session_s[row] / earlier if earlier > 0 else 0.0
    return behaviour.leave_base + people.leave_offset[row] - behaviour.leave_prior * logarithm(1.0 + mean_s / 60.0)


@compiled
def _place(score, slate, size, chosen):
    """Return the place of a work on its slate: how many of its works stand before it."""
    before, mine = 0, score[slate[chosen]]
    for s in range(size):
        before += score[slate[s]] > mine or (score[slate[s]] == mine and s < chosen)
    return before


@compiled(error_model="numpy")
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
    counts = books.counts
    filled = -(-offers.candidates.shape[1] // GROUP) * GROUP
    room = max(filled, GROUP)
    left = np.empty(room, dtype=np.int32)
    score = np.empty(room, dtype=np.float32)
    width = (behaviour.slate_size // WIDE + 1) * WIDE
    place = np.zeros(room + width, dtype=np.int32)
    slate = np.zeros(width, dtype=np.int32)
    match = np.zeros(width, dtype=np.float32)
    appeal = np.zeros(width, dtype=np.float64)
    value = np.zeros(width, dtype=np.float64)
    weight, drawn = np.empty(WIDE, dtype=np.float64), np.empty(WIDE, dtype=np.float64)
    height, lowest, highest = _heights(offers, works)
    guess = np.full(behaviour.max_slates, highest, dtype=np.float32)
    logged = noted_sessions = noted_plays = 0

    for active in range(offers.rows.size):
        row = offers.rows[active]
        listener, theta, sampled = people.ids[row], people.consistency_taste[row], people.sampled[row]
        for session in range(offers.num_sessions[active]):
            step = day * STEPS_PER_DAY + session
            n = _rank(offers, active, people.history, row, works.vectors, height, left, score)
            stay = _leaving_log_odds(behaviour, people, row)
            slates = plays = abandoned = 0
            surplus = heard_s = 0.0
            for seen in range(behaviour.max_slates):
                if n == 0:
                    break
                size = min(behaviour.slate_size, n)
                n -= size
                guess[seen] = take_slate(score, filled, size, lowest, highest, guess[seen], place)
                for s in range(size):
                    slate[s] = left[place[s]]
                    books.exposures_by_work[slate[s]] += 1
                slates += 1
                tired = behaviour.fatigue * seen
                for first in range(0, size, GROUP):
                    dot_group(people.taste, row, works.vectors, slate, first, match)
                for s in range(size):
                    work = slate[s]
                    appeal[s] = behaviour.kappa * np.float64(match[s]) + theta * works.consistency[work]
                    value[s] = appeal[s] + works.popularity[work] - tired
                chosen, gained = _choose(behaviour, keys, listener, step, seen, slate, size, value, weight, drawn)
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
                        note.place, note.work = _place(score, place, size, chosen), work
                        note.dwell_s, note.duration_s, note.score = dwell, length, score[place[chosen]]
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

                strike_out(score, place, size)
                if seen + 1 < behaviour.max_slates and n > 0:
                    u = uniform(listener, step, seen, keys[LEAVE, 0], keys[LEAVE, 1])
                    if u * (1.0 + exponential(-log_odds)) < 1.0:
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
