"""Rows of a table moved towards rows of another: the drift of tastes, and the fading mean of what was heard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from heritage_agents.kernel.arcs import turning_weights
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.lanes import LANES, dot_rows

_weights = turning_weights(math.sqrt, njit(nogil=True))


def _blend_row(typingctx, a, i, keep, b, j, gain):
    """Replace row ``i`` of ``a`` by ``keep`` times itself plus ``gain`` times row ``j`` of ``b``.

    Tables are C-ordered float32 with equal widths, multiples of `LANES`; a plain loop over 32 numbers is too short for
    a compiler to make vector code of.
    """
    signature = types.void(a, types.intp, types.float32, b, types.intp, types.float32)

    def generate(context, builder, sig, args):
        table_a, row_a, weight_a, table_b, row_b, weight_b = args
        held_a = context.make_array(sig.args[0])(context, builder, table_a)
        held_b = context.make_array(sig.args[3])(context, builder, table_b)
        width = cgutils.unpack_tuple(builder, held_a.shape, 2)[1]
        lanes = ir.VectorType(ir.FloatType(), LANES)
        start_a = builder.gep(held_a.data, [builder.mul(row_a, width)])
        start_b = builder.gep(held_b.data, [builder.mul(row_b, width)])

        def every(value):
            one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            return builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), zeros)

        keep_all, gain_all = every(weight_a), every(weight_b)
        with cgutils.for_range(builder, builder.udiv(width, ir.Constant(width.type, LANES))) as loop:
            at = builder.mul(loop.index, ir.Constant(width.type, LANES))
            here, there = (
                builder.bitcast(builder.gep(start, [at]), lanes.as_pointer()) for start in (start_a, start_b)
            )
            x, y = builder.load(here, align=4), builder.load(there, align=4)
            builder.store(builder.fadd(builder.fmul(keep_all, x), builder.fmul(gain_all, y)), here, align=4)
        return context.get_dummy_value()

    return signature, generate


blend_row: Any = intrinsic(_blend_row)


@compiled(error_model="numpy")
def turn_towards(taste, row, vectors, work, share):
    """Turn a unit row of ``taste`` towards a unit row of ``vectors`` by a share of the angle between them (slerp).

    What rounding has added to the row's length since it was turned last is taken off (one Newton step of the root), so
    it never builds up.
    """
    scale = 1.5 - 0.5 * np.float64(dot_rows(taste, row, taste, row))
    cosine = np.float64(dot_rows(taste, row, vectors, work)) * scale
    sine, keep, towards = _weights(min(1.0, max(-1.0, cosine)), share)
    if sine < 1e-3:  # as good as there, or opposite, where no direction is the shorter one
        return
    blend_row(taste, row, np.float32(keep * scale / sine), vectors, work, np.float32(towards / sine))
