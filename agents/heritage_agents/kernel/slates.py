"""The best few of a listener's candidates, slate after slate, without sorting.

The ``size``-th largest score is found by bisection on its value: a count of the scores above a bound is a few vector
comparisons, so some eight counts cost less than keeping a sorted list of ten. Scores that are taken are struck out, so
the next slate begins from the bound of this one. Among equal scores the earlier candidate goes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from heritage_agents.kernel.lanes import LANES

TAKEN = np.float32(-3.0e38)
"""Score of a candidate that is not there any more, below every real one; also fills up the last vector."""


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


def _count_bits(typingctx, mask):
    """Return the number of bits set in an int32."""

    def generate(context, builder, sig, args):
        return builder.ctpop(args[0])

    return types.int32(types.int32), generate


def _lowest_bit(typingctx, mask):
    """Return the place of the lowest bit set in an int32 that is not 0."""

    def generate(context, builder, sig, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int32(types.int32), generate


mask_from: Any = intrinsic(_mask_from)
count_bits: Any = intrinsic(_count_bits)
lowest_bit: Any = intrinsic(_lowest_bit)


@njit(cache=True, nogil=True)
def _num_from(scores, n, bound):
    """Return how many of the first ``n`` (a multiple of `LANES`) scores are at least ``bound``."""
    count = np.int32(0)
    for first in range(0, n, LANES):
        count += count_bits(mask_from(scores, first, bound))
    return count


@njit(cache=True, nogil=True)
def _bound_of(scores, n, size, low, high):
    """Return a bound that ``size`` scores reach, or more where equal ones stand on it.

    At least ``size`` scores reach ``low``; bisection ends when a bound has exactly ``size``, or when no float lies
    between the last two, and then the bound is the ``size``-th largest score itself.
    """
    if _num_from(scores, n, high) >= size:
        return high
    while True:
        middle = np.float32(low + np.float32(0.5) * (high - low))
        if not low < middle < high:
            return low
        count = _num_from(scores, n, middle)
        if count == size:
            return middle
        if count > size:
            low = middle
        else:
            high = middle


@njit(cache=True, nogil=True)
def take_slate(scores, n, size, low, high, slate):
    """Put the places of the ``size`` best of the first ``n`` scores into ``slate``, ascending.

    Parameters
    ----------
    scores : ndarray of float32
        Of the candidates; from the last candidate to the next multiple of `LANES` filled with `TAKEN`.
    n : int
        Candidates and filling: a multiple of `LANES`.
    size : int
        Slots; at least so many candidates are left.
    low : float32
        At most the smallest score left.
    high : float32
        At least the largest score left.
    slate : ndarray of int32
        Written from the start; `strike_out` comes before the next slate.

    Returns
    -------
    float32
        The bound: no score that is then left exceeds it.
    """
    bound = _bound_of(scores, n, size, low, high)
    surplus = _num_from(scores, n, bound) - size  # equal scores on the bound that find no place
    shown = 0
    for first in range(0, n, LANES):
        mask = mask_from(scores, first, bound)
        while mask:
            place = first + lowest_bit(mask)
            mask &= mask - np.int32(1)
            slate[shown] = place
            shown += 1
    if surplus > 0:
        # Walk from the end: of those that stand on the bound the last ones go.
        kept = shown
        for i in range(shown - 1, -1, -1):
            if surplus > 0 and scores[slate[i]] == bound:
                surplus -= 1
                slate[i] = -1
        shown = 0
        for i in range(kept):
            if slate[i] >= 0:
                slate[shown] = slate[i]
                shown += 1
    return bound


@njit(cache=True, nogil=True)
def strike_out(scores, slate, size):
    """Strike the works of a slate off the scores."""
    for i in range(size):
        scores[slate[i]] = TAKEN
