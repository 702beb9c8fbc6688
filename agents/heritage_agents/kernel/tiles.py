"""Tiles of a product of two tables, for compiled kernels: a few queries against many works at once.

Works lie across the lanes of the vector unit (the work table is transposed), so no sum runs across lanes. A tile of
`ROWS` queries by `COLUMNS` works stays in registers while the sum over factors runs, each step a fused multiply-add:
one rounding, the same on every machine. The score of a pair follows from its own row and column alone, so it does not
depend on the tile, the block or the shard it was computed in.

The order, for query ``q`` and work ``w``: ``s = bias[w]``, then ``s = fma(q[k], v[w, k], s)`` for k ascending.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 16
ROWS = 4
"""Queries in a tile."""
COLUMNS = 4 * LANES
"""Works in a tile: with `ROWS` queries their sums fill 16 vector registers."""


def _score_tile(typingctx, queries, first_query, factors, first_work, bias, scores):
    """Write the scores of a tile to ``scores[:ROWS, :COLUMNS]``.

    ``queries`` is ``(n, f)``, ``factors`` is ``(f, m)``, ``bias`` is ``(m,)``, all float32 in C order; the tile must
    lie inside them.
    """
    for table in (queries, factors, scores):
        if not (
            isinstance(table, types.Array) and table.dtype == types.float32 and table.ndim == 2 and table.layout == "C"
        ):
            raise TypingError("score_tile takes C-ordered float32 tables")
    signature = types.void(queries, types.intp, factors, types.intp, bias, scores)

    def generate(context, builder, sig, args):
        query_table, row, factor_table, column, bias_table, score_table = args
        held_q = context.make_array(sig.args[0])(context, builder, query_table)
        held_f = context.make_array(sig.args[2])(context, builder, factor_table)
        held_b = context.make_array(sig.args[4])(context, builder, bias_table)
        held_s = context.make_array(sig.args[5])(context, builder, score_table)
        num_factors, num_works = cgutils.unpack_tuple(builder, held_f.shape, 2)
        score_width = cgutils.unpack_tuple(builder, held_s.shape, 2)[1]
        lanes = ir.VectorType(ir.FloatType(), LANES)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(lanes, [lanes, lanes, lanes]), f"llvm.fma.v{LANES}f32"
        )
        groups = COLUMNS // LANES

        def vector_at(data, index):
            return builder.load(builder.bitcast(builder.gep(data, [index]), lanes.as_pointer()), align=4)

        def constant(value):
            return ir.Constant(num_works.type, value)

        starts = [builder.add(column, constant(g * LANES)) for g in range(groups)]
        begin = [vector_at(held_b.data, start) for start in starts]
        before = builder.block
        loop = builder.append_basic_block("factors")
        after = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(num_works.type)
        k.add_incoming(constant(0), before)
        sums = []
        for _ in range(ROWS):
            for g in range(groups):
                total = builder.phi(lanes)
                total.add_incoming(begin[g], before)
                sums.append(total)
        line = builder.mul(k, num_works)
        works = [vector_at(held_f.data, builder.add(line, start)) for start in starts]
        made = []
        for r in range(ROWS):
            at = builder.add(builder.mul(builder.add(row, constant(r)), num_factors), k)
            value = builder.load(builder.gep(held_q.data, [at]))
            one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            every = builder.shuffle_vector(
                one,
                ir.Constant(lanes, ir.Undefined),
                ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES),
            )
            made += [builder.call(fma, [every, works[g], sums[r * groups + g]]) for g in range(groups)]
        following = builder.add(k, constant(1))
        again = builder.icmp_unsigned("<", following, num_factors)
        last = builder.block
        k.add_incoming(following, last)
        for total, new in zip(sums, made, strict=True):
            total.add_incoming(new, last)
        builder.cbranch(again, loop, after)
        builder.position_at_end(after)
        for r in range(ROWS):
            for g in range(groups):
                at = builder.add(builder.mul(constant(r), score_width), constant(g * LANES))
                target = builder.bitcast(builder.gep(held_s.data, [at]), lanes.as_pointer())
                builder.store(made[r * groups + g], target, align=4)
        return context.get_dummy_value()

    return signature, generate


score_tile: Any = intrinsic(_score_tile)
