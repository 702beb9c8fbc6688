"""Keyed uniforms for several draws at once: the addresses of `heritage_sim.base.rng`, in loops that become vector code.

One Philox block takes about ten nanoseconds alone and about one among its like, so numbers that are wanted together are
drawn together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from heritage_agents.kernel.philox import block

_MASK, _SHIFT, _TWO, _THREE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(2), np.uint64(3)
_SCALE = 2.0**-32


@njit(cache=True, nogil=True)
def uniforms_at(agent, step, draws, n, k0, k1, out):
    """Write the uniforms in (0, 1) at (agent id, step, draws[i]) to ``out[i]``, i < n, as `Stream.uniform` gives them.

    ``draws`` is int32, >= 0; ``out`` is float64.
    """
    i = np.uint64(agent)
    low, high, at = i & _MASK, i >> _SHIFT, np.uint64(step) & _MASK
    for j in range(n):
        d = np.uint64(draws[j])
        w0, w1, w2, w3 = block(low, high, at, d >> _TWO, k0, k1)
        lane = d & _THREE
        pair = w1 if lane & np.uint64(1) else w0
        other = w3 if lane & np.uint64(1) else w2
        out[j] = (np.float64(np.int64(other if lane > np.uint64(1) else pair)) + 0.5) * _SCALE


@njit(cache=True, nogil=True)
def words_from(agent, step, num_blocks, k0, k1, out):
    """Write the words of draws 0 ... 4 num_blocks - 1 of (agent id, step) to ``out``, uint32.

    Draw ``4 b + l`` stands at ``out[l * num_blocks + b]``: lane by lane, as vector code leaves them.
    """
    i = np.uint64(agent)
    low, high, at = i & _MASK, i >> _SHIFT, np.uint64(step) & _MASK
    for b in range(num_blocks):
        w0, w1, w2, w3 = block(low, high, at, np.uint64(b), k0, k1)
        out[b] = np.uint32(w0)
        out[num_blocks + b] = np.uint32(w1)
        out[2 * num_blocks + b] = np.uint32(w2)
        out[3 * num_blocks + b] = np.uint32(w3)
