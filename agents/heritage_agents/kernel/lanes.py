"""Dot products of table rows in fixed-width lanes, for compiled kernels.

LLVM may not reorder a float sum by itself, so a plain loop over a row runs one addition at a time. Here the order is
chosen once and written into the code: 16 lanes add up the row chunk by chunk, and a fixed tree adds up the lanes. The
result is the same on every machine, for every shard and every thread, and a row of 32 takes a few nanoseconds. No
fast-math flag is used, so no compiler may change it.

The order, for rows ``a`` and ``b`` of width ``16 m``:
``s[l] = sum_{k < m} a[16 k + l] b[16 k + l]`` (k ascending), then ``s[:8] + s[8:]``, and so on down to one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 16


_CACHE_LINE = 64


def table_of_zeros(num_rows: int, dim: int) -> npt.NDArray[np.float32]:
    """Return a C-ordered table whose width is ``dim`` or the next multiple of `LANES` above it.

    It begins where a cache line does, so no vector of a row lies across two; NumPy's own arrays begin anywhere.
    """
    width = -(-dim // LANES) * LANES
    room = np.zeros(4 * num_rows * width + _CACHE_LINE, dtype=np.uint8)
    begin = -room.ctypes.data % _CACHE_LINE
    return room[begin : begin + 4 * num_rows * width].view(np.float32).reshape(num_rows, width)


def padded(*parts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a writable copy of tables, one below the other, as a table filled up with zeros (`table_of_zeros`)."""
    wide = table_of_zeros(sum(len(part) for part in parts), parts[0].shape[1])
    first = 0
    for part in parts:
        wide[first : first + len(part), : part.shape[1]] = part
        first += len(part)
    return wide


def _dot_rows(typingctx, a, i, b, j):
    """Return the float32 dot product of row ``i`` of ``a`` and row ``j`` of ``b``; widths are equal multiples of 16."""
    for table in (a, b):
        if not (
            isinstance(table, types.Array) and table.dtype == types.float32 and table.ndim == 2 and table.layout == "C"
        ):
            raise TypingError("dot_rows takes two C-ordered float32 tables")
    signature = types.float32(a, types.intp, b, types.intp)

    def generate(context, builder, sig, args):
        table_a, row_a, table_b, row_b = args
        held_a = context.make_array(sig.args[0])(context, builder, table_a)
        held_b = context.make_array(sig.args[2])(context, builder, table_b)
        width = cgutils.unpack_tuple(builder, held_a.shape, 2)[1]
        lanes = ir.VectorType(ir.FloatType(), LANES)
        start_a = builder.gep(held_a.data, [builder.mul(row_a, width)])
        start_b = builder.gep(held_b.data, [builder.mul(row_b, width)])
        total = cgutils.alloca_once_value(builder, ir.Constant(lanes, [0.0] * LANES))
        chunks = builder.udiv(width, ir.Constant(width.type, LANES))
        with cgutils.for_range(builder, chunks) as loop:
            at = builder.mul(loop.index, ir.Constant(width.type, LANES))
            x, y = (
                builder.load(builder.bitcast(builder.gep(start, [at]), lanes.as_pointer()), align=4)
                for start in (start_a, start_b)
            )
            builder.store(builder.fadd(builder.load(total), builder.fmul(x, y)), total)
        part = builder.load(total)
        half = LANES // 2
        while half:
            low, high = (
                builder.shuffle_vector(
                    part, part, ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(k, k + half)))
                )
                for k in (0, half)
            )
            part = builder.fadd(low, high)
            half //= 2
        return builder.extract_element(part, ir.Constant(ir.IntType(32), 0))

    return signature, generate


dot_rows: Any = intrinsic(_dot_rows)
