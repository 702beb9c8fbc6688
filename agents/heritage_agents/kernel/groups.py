"""Dot products of one row with sixteen scattered rows at once, for compiled kernels.

`heritage_agents.kernel.lanes.dot_rows` spends most of its time adding up the lanes of one sum. Here sixteen sums are
added up together: four rounds of shuffles turn sixteen vectors of sixteen lanes into one vector of sixteen totals, with
fifteen additions for all of them instead of four for each. Every total is formed by the same additions in the same
order as `dot_rows` forms it (lanes ``l`` and ``l + 8``, then ``l + 4``, and so on), so the two agree bit for bit, and
so does any mixture of them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from heritage_agents.kernel.lanes import LANES

GROUP = LANES
"""Rows in a group: as many as a vector has lanes, so that their totals fill one vector."""


def _bits_reversed(row: int) -> int:
    """Return the four bits of a row's number in reverse."""
    return int(f"{row:04b}"[::-1], 2)


def _dot_group(typingctx, a, i, b, ids, first, out):
    """Write the dot products of row ``i`` of ``a`` with rows ``ids[first : first + GROUP]`` of ``b`` to ``out``.

    Totals go to ``out[first : first + GROUP]``. Tables are C-ordered float32 with equal widths, multiples of `LANES`;
    ``ids`` is int32 and ``out`` float32, both long enough for whole groups; an id is a row, or below 0 for none, where
    row 0 is read for nothing.
    """
    for table in (a, b):
        if not (
            isinstance(table, types.Array) and table.dtype == types.float32 and table.ndim == 2 and table.layout == "C"
        ):
            raise TypingError("dot_group takes two C-ordered float32 tables")
    signature = types.void(a, types.intp, b, ids, types.intp, out)

    def generate(context, builder, sig, args):
        table_a, row_a, table_b, id_list, start, totals = args
        held_a = context.make_array(sig.args[0])(context, builder, table_a)
        held_b = context.make_array(sig.args[2])(context, builder, table_b)
        held_ids = context.make_array(sig.args[3])(context, builder, id_list)
        held_out = context.make_array(sig.args[5])(context, builder, totals)
        width = cgutils.unpack_tuple(builder, held_a.shape, 2)[1]
        lanes = ir.VectorType(ir.FloatType(), LANES)
        zero = ir.Constant(lanes, [0.0] * LANES)

        def vector_at(begin, index):
            return builder.load(builder.bitcast(builder.gep(begin, [index]), lanes.as_pointer()), align=4)

        def constant(value):
            return ir.Constant(width.type, value)

        begin_a = builder.gep(held_a.data, [builder.mul(row_a, width)])
        begins = []
        for r in range(GROUP):
            work = builder.load(builder.gep(held_ids.data, [builder.add(start, constant(r))]))
            nothing = ir.Constant(work.type, 0)
            work = builder.select(builder.icmp_signed("<", work, nothing), nothing, work)
            begins.append(builder.gep(held_b.data, [builder.mul(builder.sext(work, width.type), width)]))
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(GROUP)]
        chunks = builder.udiv(width, constant(LANES))
        with cgutils.for_range(builder, chunks) as loop:
            at = builder.mul(loop.index, constant(LANES))
            x = vector_at(begin_a, at)
            for begin, total in zip(begins, sums, strict=True):
                builder.store(builder.fadd(builder.load(total), builder.fmul(x, vector_at(begin, at))), total)

        # Joining interleaves: from rows laid down in bit-reversed order the totals come out in plain order.
        parts = [builder.load(sums[_bits_reversed(row)]) for row in range(GROUP)]
        half = LANES // 2
        while half:
            # A part holds sums of several rows side by side, each in `2 * half` lanes; of two parts, one is made.
            low = [lane for lane in range(LANES) if lane % (2 * half) < half]
            halves = [low, [lane + half for lane in low]]
            masks = [
                ir.Constant(ir.VectorType(ir.IntType(32), LANES), chosen + [LANES + lane for lane in chosen])
                for chosen in halves
            ]
            middle = len(parts) // 2
            parts = [
                builder.fadd(*(builder.shuffle_vector(one, other, mask) for mask in masks))
                for one, other in zip(parts[:middle], parts[middle:], strict=True)
            ]
            half //= 2
        target = builder.bitcast(builder.gep(held_out.data, [start]), lanes.as_pointer())
        builder.store(parts[0], target, align=4)
        return context.get_dummy_value()

    return signature, generate


def _score_group(typingctx, dots, scale, height, ids, first, out):
    """Write ``scale * dots + height[ids]`` of a group to ``out``, all from ``first`` on.

    An id below 0 has the last entry of ``height``. Numbers are float32; nothing is fused, so each is rounded as alone.
    """
    signature = types.void(dots, types.float32, height, ids, types.intp, out)

    def generate(context, builder, sig, args):
        held, held_height, held_ids, held_out = (
            context.make_array(sig.args[k])(context, builder, args[k]) for k in (0, 2, 3, 5)
        )
        lanes = ir.VectorType(ir.FloatType(), GROUP)
        count = cgutils.unpack_tuple(builder, held_height.shape, 1)[0]
        last = builder.trunc(builder.sub(count, ir.Constant(count.type, 1)), ir.IntType(32))
        added = factor = ir.Constant(lanes, ir.Undefined)
        for r in range(GROUP):
            number = ir.Constant(ir.IntType(32), r)
            work = builder.load(builder.gep(held_ids.data, [builder.add(args[4], ir.Constant(args[4].type, r))]))
            work = builder.select(builder.icmp_signed("<", work, ir.Constant(work.type, 0)), last, work)
            value = builder.load(builder.gep(held_height.data, [builder.sext(work, count.type)]))
            added = builder.insert_element(added, value, number)
            factor = builder.insert_element(factor, args[1], number)
        here, there = (
            builder.bitcast(builder.gep(kept.data, [args[4]]), lanes.as_pointer()) for kept in (held, held_out)
        )
        builder.store(builder.fadd(builder.fmul(factor, builder.load(here, align=4)), added), there, align=4)
        return context.get_dummy_value()

    return signature, generate


dot_group: Any = intrinsic(_dot_group)
score_group: Any = intrinsic(_score_group)
