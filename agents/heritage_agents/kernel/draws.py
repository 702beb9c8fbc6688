"""Keyed numbers sixteen at a time: the addresses and words of `heritage_sim.base.rng`, in vector registers.

A Philox block is a chain of ten dependent rounds; sixteen of them run side by side in the lanes of a register. So
numbers that are wanted together are drawn together. The instructions are laid down one by one, as in
`heritage_agents.kernel.arithmetic`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from heritage_agents.kernel.arithmetic import WIDE
from heritage_sim.base.rng import MULTIPLIER_0, MULTIPLIER_1, NUM_ROUNDS, WEYL_0, WEYL_1

_WORD, _LONG = ir.IntType(32), ir.IntType(64)
_WORDS, _PAIRS = ir.VectorType(_WORD, WIDE), ir.VectorType(_LONG, WIDE // 2)


def _pairs(value: int) -> ir.Constant:
    return ir.Constant(_PAIRS, [value] * (WIDE // 2))


def _every(builder: ir.IRBuilder, word: Any) -> Any:
    """Return a vector with the same word in every lane."""
    one = builder.insert_element(ir.Constant(_WORDS, ir.Undefined), word, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(one, ir.Constant(_WORDS, ir.Undefined), ir.Constant(_WORDS, [0] * WIDE))


def _philox(builder: ir.IRBuilder, agent: Any, step: Any, blocks: Any, k0: Any, k1: Any) -> list[Any]:
    """Return the four words of `WIDE` blocks; ``agent``, ``step`` and keys are 64-bit, ``blocks`` a vector of words."""

    def low(value):
        return builder.trunc(value, _WORD)

    def product(words, factor):
        # Words in even and in odd lanes are multiplied apart, two registers of longs for sixteen of them: the upper
        # halves of the products are the high words, the lower halves the low ones, and both are laid together again.
        pairs = builder.bitcast(words, _PAIRS)
        whole = _pairs(factor)
        even = builder.mul(builder.and_(pairs, _pairs(0xFFFFFFFF)), whole)
        odd = builder.mul(builder.lshr(pairs, _pairs(32)), whole)
        high = builder.or_(builder.lshr(even, _pairs(32)), builder.and_(odd, _pairs(0xFFFFFFFF00000000)))
        low_words = builder.or_(builder.and_(even, _pairs(0xFFFFFFFF)), builder.shl(odd, _pairs(32)))
        return builder.bitcast(high, _WORDS), builder.bitcast(low_words, _WORDS)

    c0, c1 = _every(builder, low(agent)), _every(builder, low(builder.lshr(agent, ir.Constant(_LONG, 32))))
    c2, c3 = _every(builder, low(step)), blocks
    key0, key1 = low(k0), low(k1)
    for _ in range(NUM_ROUNDS):
        high0, low0 = product(c0, MULTIPLIER_0)
        high1, low1 = product(c2, MULTIPLIER_1)
        c0 = builder.xor(builder.xor(high1, c1), _every(builder, key0))
        c2 = builder.xor(builder.xor(high0, c3), _every(builder, key1))
        c1, c3 = low1, low0
        key0 = builder.add(key0, ir.Constant(_WORD, WEYL_0))
        key1 = builder.add(key1, ir.Constant(_WORD, WEYL_1))
    return [c0, c1, c2, c3]


def _as_vector(context: Any, builder: ir.IRBuilder, kind: Any, array: Any, lanes: Any, at: Any = None) -> Any:
    """Return a pointer to a vector of lanes in an array, from an index on."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(data if at is None else builder.gep(data, [at]), lanes.as_pointer())


def _uniforms_at(typingctx, agent, step, draws, k0, k1, out):
    """Write the uniforms in (0, 1) at (agent id, step, draws[i]) to ``out[i]``, i < `WIDE`, as `Stream.uniform` does.

    Agent, step and keys are uint64, ``draws`` is int32 with values >= 0, ``out`` is float64.
    """
    signature = types.void(types.uint64, types.uint64, draws, types.uint64, types.uint64, out)

    def generate(context, builder, sig, args):
        wanted = builder.load(_as_vector(context, builder, sig.args[2], args[2], _WORDS), align=4)
        blocks = builder.lshr(wanted, ir.Constant(_WORDS, [2] * WIDE))
        w0, w1, w2, w3 = _philox(builder, args[0], args[1], blocks, args[3], args[4])

        def bit(place):
            chosen = builder.and_(wanted, ir.Constant(_WORDS, [place] * WIDE))
            return builder.icmp_unsigned("!=", chosen, ir.Constant(_WORDS, [0] * WIDE))

        word = builder.select(bit(2), builder.select(bit(1), w3, w2), builder.select(bit(1), w1, w0))
        builder.store(_uniform(builder, word), _as_vector(context, builder, sig.args[5], args[5], _REALS), align=8)
        return context.get_dummy_value()

    return signature, generate


_REALS = ir.VectorType(ir.DoubleType(), WIDE)


def _uniform(builder: ir.IRBuilder, word: Any) -> Any:
    """Return ``(word + 1/2) / 2^32`` of each lane."""
    real = builder.uitofp(word, _REALS)
    shifted = builder.fadd(real, ir.Constant(_REALS, [0.5] * WIDE))
    return builder.fmul(shifted, ir.Constant(_REALS, [2.0**-32] * WIDE))


def _words_from(typingctx, agent, step, first_block, k0, k1, out, place):
    """Write the words of `WIDE` blocks, from ``first_block`` on, of (agent id, step) to ``out`` from ``place`` on.

    Block after block within a lane, lane after lane: draw ``4 (first_block + b) + l`` stands at
    ``out[place + WIDE * l + b]``. Agent, step, block and keys are uint64, ``out`` is uint32.
    """
    signature = types.void(*[types.uint64] * 5, out, types.intp)

    def generate(context, builder, sig, args):
        steps = ir.Constant(_WORDS, list(range(WIDE)))
        blocks = builder.add(_every(builder, builder.trunc(args[2], _WORD)), steps)
        made = _philox(builder, args[0], args[1], blocks, args[3], args[4])
        for lane, words in enumerate(made):
            at = builder.add(args[6], ir.Constant(args[6].type, WIDE * lane))
            builder.store(words, _as_vector(context, builder, sig.args[5], args[5], _WORDS, at), align=4)
        return context.get_dummy_value()

    return signature, generate


uniforms_at: Any = intrinsic(_uniforms_at)
words_from: Any = intrinsic(_words_from)
