"""The best few of a listener's candidates, slate after slate, without sorting.

A count of the scores above a bound is a few vector comparisons. From a guess (where the last listener's slate ended) a
bound is sought that some ten to sixteen scores reach; these are then ranked among each other in one vector, all pairs
at once. Where no such bound is found soon (many equal scores, a large slate), the ``size``-th largest score is found by
bisection on its value. Either way the slate is the same: the best by score, of equal ones the earlier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.lanes import LANES

TAKEN = np.float32(-3.0e38)
"""Score of a candidate that is not there any more, below every real one; also fills up the last vector."""
_RANKED_AT_ONCE = 10
"""Largest slate for which a bound is sought that a vector's worth of scores reach; beyond, the window is too narrow."""


def _mask_from(typingctx, scores, first, bound):
    """Return as bits which of ``scores[first : first + LANES]`` (float32) are at least ``bound``."""
    signature = types.int32(scores, types.intp, types.float32)

    def generate(context, builder, sig, args):
        table, start, least = args
        held = context.make_array(sig.args[0])(context, builder, table)
        lanes = ir.VectorType(ir.FloatType(), LANES)
        here = builder.bitcast(builder.gep(held.data, [start]), lanes.as_pointer())
        one = builder.insert_element(ir.Constant(lanes, ir.Undefined), least, ir.Constant(ir.IntType(32), 0))
        every = builder.shuffle_vector(
            one, ir.Constant(lanes, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        )
        above = builder.fcmp_ordered(">=", builder.load(here, align=4), every)
        return builder.zext(builder.bitcast(above, ir.IntType(LANES)), ir.IntType(32))

    return signature, generate


def _mask_of_best(typingctx, scores, places, count, size):
    """Return as bits which of the first ``count`` places, at most `LANES`, hold the ``size`` best scores (float32).

    Of equal scores the earlier comes first. Scores are gathered into a register: numbers written one by one and read
    back as a vector would have to wait until all of them have reached the cache.
    """
    signature = types.int32(scores, places, types.int32, types.int32)

    def generate(context, builder, sig, args):
        table, at, filled, wanted = args
        held = context.make_array(sig.args[0])(context, builder, table)
        held_places = context.make_array(sig.args[1])(context, builder, at)
        lanes, words = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)
        mine = ir.Constant(lanes, [float(TAKEN)] * LANES)
        for lane in range(LANES):
            number = ir.Constant(ir.IntType(32), lane)
            there = builder.icmp_signed("<", number, filled)
            # a lane without a place reads the first score, and does not keep it
            place = builder.load(builder.gep(held_places.data, [number]))
            place = builder.select(there, place, ir.Constant(ir.IntType(32), 0))
            score = builder.load(builder.gep(held.data, [place]))
            score = builder.select(there, score, ir.Constant(ir.FloatType(), float(TAKEN)))
            mine = builder.insert_element(mine, score, number)
        before = ir.Constant(words, [0] * LANES)
        for lane in range(LANES):
            every = ir.Constant(words, [lane] * LANES)
            other = builder.shuffle_vector(mine, ir.Constant(lanes, ir.Undefined), every)
            # of equal scores the earlier one comes before: against lanes behind `lane`, equality is enough
            later = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [int(k > lane) for k in range(LANES)])
            ahead = builder.or_(
                builder.fcmp_ordered(">", other, mine), builder.and_(builder.fcmp_ordered("==", other, mine), later)
            )
            before = builder.add(before, builder.zext(ahead, words))
        one = builder.insert_element(ir.Constant(words, ir.Undefined), wanted, ir.Constant(ir.IntType(32), 0))
        limit = builder.shuffle_vector(one, ir.Constant(words, ir.Undefined), ir.Constant(words, [0] * LANES))
        best = builder.icmp_unsigned("<", before, limit)
        return builder.zext(builder.bitcast(best, ir.IntType(LANES)), ir.IntType(32))

    return signature, generate


def _count_bits(typingctx, mask):
    """Return the number of bits set in an int32."""

    def generate(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.int32(types.int32), generate


def _lowest_bit(typingctx, mask):
    """Return the place of the lowest bit set in a whole number that is not 0."""

    def generate(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return mask(mask), generate


mask_from: Any = intrinsic(_mask_from)
mask_of_best: Any = intrinsic(_mask_of_best)
count_bits: Any = intrinsic(_count_bits)
lowest_bit: Any = intrinsic(_lowest_bit)


@compiled
def num_from(scores, n, bound):
    """Return how many of the first ``n`` (a multiple of `LANES`) scores are at least ``bound``."""
    count = np.int32(0)
    for first in range(0, n, LANES):
        count += count_bits(mask_from(scores, first, bound))
    return count


@compiled
def _bound_of(scores, n, size, low, high):
    """Return a bound that ``size`` scores reach, or more where equal ones stand on it.

    At least ``size`` scores reach ``low``; bisection ends when a bound has exactly ``size``, or when no float lies
    between the last two, and then the bound is the ``size``-th largest score itself.
    """
    if num_from(scores, n, high) >= size:
        return high
    while True:
        middle = np.float32(low + np.float32(0.5) * (high - low))
        if not low < middle < high:
            return low
        count = num_from(scores, n, middle)
        if count == size:
            return middle
        if count > size:
            low = middle
        else:
            high = middle


@compiled
def _near_bound(scores, n, size, low, high, guess):
    """Return a bound that ``size`` to `LANES` scores reach, and their number; 0 where none was found soon.

    From the guess it steps twice as far each time until it has passed the place, then halves.
    """
    bound, step = min(max(guess, low), high), np.float32(high - low) / np.float32(32.0)
    passed_low = passed_high = False
    for _ in range(24):
        count = num_from(scores, n, bound)
        if count > LANES:
            low, passed_low = bound, True
            following = bound + step
        elif count < size:
            high, passed_high = bound, True
            following = bound - step
        else:
            return bound, count
        step *= np.float32(2.0)
        if (passed_low and passed_high) or not low < following < high:
            following = low + np.float32(0.5) * (high - low)
            if not low < following < high:
                break
        bound = following
    return bound, np.int32(0)


@compiled
def _places_from(scores, n, bound, places):
    """Write the places of the scores that reach a bound to ``places``, ascending."""
    found = 0
    for first in range(0, n, 4 * LANES):
        # four vectors at a time: each end of the inner loop is a branch that cannot be foreseen
        mask = np.int64(0)
        for part in range(first, min(first + 4 * LANES, n), LANES):
            mask |= np.int64(mask_from(scores, part, bound)) << np.int64(part - first)
        while mask:
            places[found] = first + lowest_bit(mask)
            mask &= mask - np.int64(1)
            found += 1


@compiled
def take_slate(
    scores: npt.NDArray[np.float32],
    n: int,
    size: int,
    low: np.float32,
    high: np.float32,
    guess: np.float32,
    slate: npt.NDArray[np.int32],
) -> np.float32:
    """Put the places of the ``size`` best of the first ``n`` scores into ``slate``, ascending.

    Parameters
    ----------
    scores : ndarray of float32, shape (>= n,)
        Of the candidates; from the last candidate to the next multiple of `LANES` filled with `TAKEN`.
    n : int
        Candidates and filling: a multiple of `LANES`.
    size : int
        Slots; at least so many candidates are left.
    low : float32
        At most the smallest score left.
    high : float32
        At least the largest score left.
    guess : float32
        Where the slate may end; it costs time if it is wrong, and nothing else.
    slate : ndarray of int32
        Written from the start, with room for ``n`` places, and for `LANES`; `strike_out` comes before the next slate.

    Returns
    -------
    float32
        A guess for a like slate.
    """
    if size <= _RANKED_AT_ONCE:
        bound, count = _near_bound(scores, n, size, low, high, guess)
        if count:
            _places_from(scores, n, bound, slate)
            if count > size:
                mask, shown = mask_of_best(scores, slate, count, np.int32(size)), 0
                while mask:
                    slate[shown] = slate[lowest_bit(mask)]
                    mask &= mask - np.int32(1)
                    shown += 1
            return bound
    bound = _bound_of(scores, n, size, low, high)
    surplus = num_from(scores, n, bound) - size  # equal scores on the bound that find no place
    _places_from(scores, n, bound, slate)
    if surplus > 0:
        shown, last = 0, size + surplus
        ties = np.int64(0)
        for i in range(last):
            ties += scores[slate[i]] == bound
        ties -= surplus  # so many of them, the first ones, stay
        for i in range(last):
            on_it = scores[slate[i]] == bound
            if not on_it or ties > 0:
                ties -= on_it
                slate[shown] = slate[i]
                shown += 1
    return bound


@compiled
def strike_out(scores, slate, size):
    """Strike the works of a slate off the scores."""
    for i in range(size):
        scores[slate[i]] = TAKEN
