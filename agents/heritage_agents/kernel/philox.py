"""Keyed random numbers inside compiled kernels: the same addresses and words as `heritage_sim.base.rng`.

Words are held in 64-bit integers, because numba widens 32-bit products anyway; LLVM inlines the functions into the
kernel that calls them. ``tests/golden/philox4x32_10.json`` and comparison with `heritage_sim.base.rng.Stream` hold it.
"""

from __future__ import annotations

import math

import numpy as np

from heritage_agents.kernel.compiling import compiled
from heritage_sim.base.rng import MULTIPLIER_0, MULTIPLIER_1, NUM_ROUNDS, WEYL_0, WEYL_1

_M0, _M1 = np.uint64(MULTIPLIER_0), np.uint64(MULTIPLIER_1)
_W0, _W1 = np.uint64(WEYL_0), np.uint64(WEYL_1)
_MASK, _SHIFT, _TWO = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(2)
_ROUNDS = NUM_ROUNDS
_SCALE = 2.0**-32


@compiled
def block(c0, c1, c2, c3, k0, k1):
    """Return the four words of Philox4x32-10 at a counter; all arguments are uint64 holding 32 bits."""
    for _ in range(_ROUNDS):
        p0 = c0 * _M0
        p1 = c2 * _M1
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0 = (k0 + _W0) & _MASK
        k1 = (k1 + _W1) & _MASK
    return c0, c1, c2, c3


@compiled
def uniform(agent, step, draw, k0, k1):
    """Return the uniform in (0, 1) at (agent id, step, draw), as `Stream.uniform` does."""
    i = np.uint64(agent)
    d = np.uint64(draw)
    w0, w1, w2, w3 = block(i & _MASK, i >> _SHIFT, np.uint64(step) & _MASK, d >> _TWO, k0, k1)
    lane = d & np.uint64(3)
    word = w0
    if lane == np.uint64(1):
        word = w1
    elif lane == np.uint64(2):
        word = w2
    elif lane == np.uint64(3):
        word = w3
    return (np.float64(word) + 0.5) * _SCALE


@compiled
def gumbel(agent, step, draw, k0, k1):
    """Return the standard Gumbel number ``-log(-log(uniform))`` at (agent id, step, draw)."""
    return -math.log(-math.log(uniform(agent, step, draw, k0, k1)))
