"""Logarithm and exponential of our own, one number or sixteen at once.

A call into a mathematics library costs as much for one number as vector code does for eight, and its last bit differs
from library to library. These two are plain arithmetic in one fixed order, written once for numbers and for vectors:
the result is the same alone, among others, and on every machine. Both are within two units in the last place.

``exp(x) = 2^k exp(r)`` with ``r = x - k log 2`` in ``[-log(2)/2, log(2)/2]``, by its Taylor polynomial of degree 13.
``log(x) = e log 2 + log(m)`` with ``m`` in ``[sqrt(1/2), sqrt(2))`` and ``log(m) = 2 atanh(z)``,
``z = (m - 1)/(m + 1)``, by its series up to ``z^21``.

They are built as LLVM instructions: a loop in Python would be left to a compiler's judgement whether it becomes vector
code, and for ten numbers it judges against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDE = 16
"""Numbers that `exponentials` and `logarithms` treat at once."""

LOG2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""The first bits of log 2: times a whole number below 2^11 it is exact."""
LOG2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
TO_WHOLE = 1.5 * 2.0**52
"""Added, it leaves a number below 2^51 rounded to a whole one, which then stands in the lowest bits."""
EXP_TERMS = tuple(1.0 / math.factorial(i) for i in range(13, 1, -1))
LOG_TERMS = tuple(2.0 / (2 * i + 1) for i in range(10, 0, -1))


class _Numbers:
    """Constants and conversions for one number or a vector of them."""

    def __init__(self, builder: ir.IRBuilder, like: Any) -> None:
        self.builder = builder
        self.floats = like
        self.count = like.count if isinstance(like, ir.VectorType) else 0
        whole = ir.IntType(64)
        self.wholes = ir.VectorType(whole, self.count) if self.count else whole

    def real(self, value: float) -> ir.Constant:
        return ir.Constant(self.floats, [value] * self.count if self.count else value)

    def whole(self, value: int) -> ir.Constant:
        return ir.Constant(self.wholes, [value] * self.count if self.count else value)

    def bits(self, value: Any) -> Any:
        return self.builder.bitcast(value, self.wholes)

    def from_bits(self, value: Any) -> Any:
        return self.builder.bitcast(value, self.floats)

    def polynomial(self, x: Any, terms: tuple[float, ...]) -> Any:
        """Return the polynomial with these coefficients, the highest first (Horner)."""
        total = self.real(terms[0])
        for term in terms[1:]:
            total = self.builder.fadd(self.builder.fmul(total, x), self.real(term))
        return total


def exponential_of(builder: ir.IRBuilder, x: Any) -> Any:
    """Return instructions for e to the power of ``x``, a double or a vector of doubles."""
    n, b = _Numbers(builder, x.type), builder
    x = b.select(b.fcmp_ordered("<", x, n.real(709.0)), x, n.real(709.0))
    x = b.select(b.fcmp_ordered(">", x, n.real(-708.0)), x, n.real(-708.0))
    marked = b.fadd(b.fmul(x, n.real(1.4426950408889634)), n.real(TO_WHOLE))
    k = b.fsub(marked, n.real(TO_WHOLE))
    r = b.fsub(b.fsub(x, b.fmul(k, n.real(LOG2_HIGH))), b.fmul(k, n.real(LOG2_LOW)))
    p = b.fadd(b.fadd(b.fmul(b.fmul(n.polynomial(r, EXP_TERMS), r), r), r), n.real(1.0))
    # k stands in the lowest bits of `marked`: moved up, it adds to the exponent of p
    return n.from_bits(b.add(n.bits(p), b.shl(n.bits(marked), n.whole(52))))


def logarithm_of(builder: ir.IRBuilder, x: Any) -> Any:
    """Return instructions for the natural logarithm of ``x``, a double or a vector of doubles, normal and positive."""
    n, b = _Numbers(builder, x.type), builder
    bits = n.bits(x)
    fraction = b.and_(bits, n.whole((1 << 52) - 1))
    above = b.zext(b.icmp_unsigned(">", fraction, n.whole(0x6A09E667F3BCD)), n.wholes)  # beyond sqrt(2)
    # a whole number below 2^52 in the lowest bits of 2^52 is that number as a double
    raised = b.or_(b.add(b.lshr(bits, n.whole(52)), above), n.bits(n.real(2.0**52)))
    exponent = b.fsub(n.from_bits(raised), n.real(2.0**52 + 1023.0))
    m = n.from_bits(b.or_(fraction, b.sub(n.bits(n.real(1.0)), b.shl(above, n.whole(52)))))
    z = b.fdiv(b.fsub(m, n.real(1.0)), b.fadd(m, n.real(1.0)))
    s = b.fmul(z, z)
    tail = b.fmul(b.fmul(n.polynomial(s, LOG_TERMS), s), z)
    low = b.fadd(b.fmul(n.real(2.0), z), b.fmul(exponent, n.real(LOG2_LOW)))
    return b.fadd(b.fmul(exponent, n.real(LOG2_HIGH)), b.fadd(tail, low))


def _of_one(instructions: Callable[[ir.IRBuilder, Any], Any], doc: str) -> Any:
    def typed(typingctx, x):
        return types.float64(types.float64), lambda context, builder, sig, args: instructions(builder, args[0])

    typed.__doc__ = doc
    return intrinsic(typed)


def _of_sixteen(instructions: Callable[[ir.IRBuilder, Any], Any], doc: str) -> Any:
    def typed(typingctx, values):
        def generate(context, builder, sig, args):
            held = context.make_array(sig.args[0])(context, builder, args[0])
            lanes = ir.VectorType(ir.DoubleType(), WIDE)
            place = builder.bitcast(held.data, lanes.as_pointer())
            builder.store(instructions(builder, builder.load(place, align=8)), place, align=8)
            return context.get_dummy_value()

        return types.void(values), generate

    typed.__doc__ = doc
    return intrinsic(typed)


exponential: Any = _of_one(
    exponential_of, "Return e to the power of x; above 709 as at 709, below -708 as at -708: never infinite, never 0."
)
logarithm: Any = _of_one(logarithm_of, "Return the natural logarithm of a normal positive number.")
exponentials: Any = _of_sixteen(
    exponential_of, "Replace the first `WIDE` numbers of a float64 array by their exponentials."
)
logarithms: Any = _of_sixteen(logarithm_of, "Replace the first `WIDE` numbers of a float64 array by their logarithms.")
