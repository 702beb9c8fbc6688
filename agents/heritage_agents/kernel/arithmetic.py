"""Logarithm and exponential of our own, for loops that a compiler turns into vector code.

A call into a mathematics library costs as much for one number as vector code does for eight, and its last bit differs
from library to library. These two are plain arithmetic in one fixed order: a loop over an array of them becomes vector
code, and the result is the same on every machine. Both are within two units in the last place of the exact value.

``exp(x) = 2^k exp(r)`` with ``r = x - k log 2`` in ``[-log(2)/2, log(2)/2]``, by its Taylor polynomial of degree 13.
``log(x) = e log 2 + log(m)`` with ``m`` in ``[sqrt(1/2), sqrt(2))`` and ``log(m) = 2 atanh(z)``,
``z = (m - 1)/(m + 1)``, by its series up to ``z^21``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_LOG2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""The first bits of log 2: times a whole number below 2^11 it is exact."""
_LOG2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_ROUND = 1.5 * 2.0**52
"""Added and taken away again, it rounds a number below 2^51 to a whole one."""
_C = tuple(1.0 / math.factorial(i) for i in range(14))
_L = tuple(2.0 / (2 * i + 1) for i in range(11))
_ONE_BITS, _MANTISSA = np.int64(0x3FF0000000000000), np.int64(0x000FFFFFFFFFFFFF)
_SQRT2_MANTISSA = np.int64(0x6A09E667F3BCD)
_BIAS, _SHIFT = np.int64(1023), np.int64(52)


@njit(cache=True, nogil=True)
def exponential(x):
    """Return e to the power of ``x``; above 709 as at 709, below -708 as at -708 (neither infinite nor denormal)."""
    x = min(709.0, max(-708.0, x))
    k = (x * 1.4426950408889634 + _ROUND) - _ROUND
    r = (x - k * _LOG2_HIGH) - k * _LOG2_LOW
    p = _C[13]
    p = p * r + _C[12]
    p = p * r + _C[11]
    p = p * r + _C[10]
    p = p * r + _C[9]
    p = p * r + _C[8]
    p = p * r + _C[7]
    p = p * r + _C[6]
    p = p * r + _C[5]
    p = p * r + _C[4]
    p = p * r + _C[3]
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    return p * np.int64((np.int64(k) + _BIAS) << _SHIFT).view(np.float64)


@njit(cache=True, nogil=True, error_model="numpy")  # a test for division by zero would keep it from vector code
def logarithm(x):
    """Return the natural logarithm of a normal positive number."""
    bits = np.float64(x).view(np.int64)
    fraction = bits & _MANTISSA
    above = np.int64(fraction > _SQRT2_MANTISSA)
    exponent = np.float64((bits >> _SHIFT) - _BIAS + above)
    m = np.int64(fraction | (_ONE_BITS - (above << _SHIFT))).view(np.float64)
    z = (m - 1.0) / (m + 1.0)
    s = z * z
    p = _L[10]
    p = p * s + _L[9]
    p = p * s + _L[8]
    p = p * s + _L[7]
    p = p * s + _L[6]
    p = p * s + _L[5]
    p = p * s + _L[4]
    p = p * s + _L[3]
    p = p * s + _L[2]
    p = p * s + _L[1]
    return exponent * _LOG2_HIGH + (p * s * z + (2.0 * z + exponent * _LOG2_LOW))
