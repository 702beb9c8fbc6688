"""The kernel's arithmetic in torch: the same operations in the same order, so the same bits, on a CPU and on a GPU.

Sums, products and quotients of eager torch round as IEEE 754 says, and none is fused with the next: what is built of
them comes out as in compiled code. Sums over a row are therefore written out (a library's own sum may take any order),
logarithm and exponential are those of `heritage_agents.kernel.arithmetic`, and square roots are brought to the nearest
number.
"""

from __future__ import annotations

import numpy as np
import torch

from heritage_agents.kernel.arcs import turning_weights
from heritage_agents.kernel.arithmetic import EXP_TERMS, LOG2_HIGH, LOG2_LOW, LOG_TERMS, TO_WHOLE
from heritage_agents.kernel.lanes import LANES
from heritage_sim.base.philox_int64 import words_at

Tensor = torch.Tensor

_MANTISSA = (1 << 52) - 1
_ONE = 0x3FF << 52
"""Bits of 1.0."""
_ROOT_2 = 0x6A09E667F3BCD
"""Fraction bits of the square root of 2."""

_SPLIT = 2.0**27 + 1.0
"""Times a number, it moves the upper half of its bits up."""


def uniforms_at(agent: Tensor, step: int, draw: Tensor, key: tuple[int, int]) -> Tensor:
    """Return the uniforms in (0, 1), float64, at the addresses (agent, step, draw); `words_at` names the shapes."""
    return (words_at(agent, step, draw, key).double() + 0.5) * 2.0**-32


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Return the dot products along the last axis, as `heritage_agents.kernel.lanes.dot_rows` adds them up.

    Parameters
    ----------
    a : Tensor of float32, shape (..., width)
        Rows; the width is a multiple of `LANES`.
    b : Tensor of float32, shape (..., width)
        Other rows; all axes but the last broadcast.

    Returns
    -------
    Tensor of float32, shape (...)
    """
    product = a * b
    part = product[..., :LANES]
    for first in range(LANES, product.shape[-1], LANES):
        part = part + product[..., first : first + LANES]
    half = LANES // 2
    while half:
        part = part[..., :half] + part[..., half:]
        half //= 2
    return part[..., 0]


def exponential(x: Tensor) -> Tensor:
    """Return e to the power of each number, float64, as `heritage_agents.kernel.arithmetic.exponential` does."""
    x = x.clamp(-708.0, 709.0)
    k = x * 1.4426950408889634 + TO_WHOLE - TO_WHOLE
    r = x - k * LOG2_HIGH - k * LOG2_LOW
    p = _polynomial(r, EXP_TERMS) * r * r + r + 1.0
    return (p.view(torch.int64) + k.to(torch.int64) * (1 << 52)).view(torch.float64)


def logarithm(x: Tensor) -> Tensor:
    """Return the natural logarithm, float64, as `heritage_agents.kernel.arithmetic.logarithm` does."""
    bits = x.view(torch.int64)
    fraction = bits & _MANTISSA
    above = (fraction > _ROOT_2).to(torch.int64)
    exponent = ((bits >> 52) + above - 1023).double()
    m = (fraction | (_ONE - (above << 52))).view(torch.float64)
    z = (m - 1.0) / (m + 1.0)
    s = z * z
    tail = _polynomial(s, LOG_TERMS) * s * z
    return exponent * LOG2_HIGH + (tail + (2.0 * z + exponent * LOG2_LOW))


def square_root(x: Tensor) -> Tensor:
    """Return the square root of each number, float64, in [0, 1e100), rounded as IEEE 754 says.

    A library's own may be an ulp off. One step of Newton from there, with the exact remainder (the square is split in
    halves of 26 bits, after Dekker, 1971), ends on the nearest number.
    """
    r = torch.sqrt(x)
    upper = r * _SPLIT
    high = upper - (upper - r)
    low = r - high
    remainder = ((x - high * high) - 2.0 * high * low) - low * low
    return r + remainder / (2.0 * r + (r == 0.0))


def turned_towards(taste: Tensor, vectors: Tensor, share: float) -> Tensor:
    """Return unit rows turned towards others by a share of the angle, as `heritage_agents.kernel.turning` does.

    Parameters
    ----------
    taste : Tensor of float32, shape (n, width)
        Unit rows.
    vectors : Tensor of float32, shape (n, width)
        Unit rows to turn to.
    share : float
        Share of the angle between them.

    Returns
    -------
    Tensor of float32, shape (n, width)
    """
    scale = 1.5 - 0.5 * dot(taste, taste).double()
    sine, keep, towards = _weights((dot(taste, vectors).double() * scale).clamp(-1.0, 1.0), share)
    turned = blended((keep * scale / sine).float(), taste, (towards / sine).float(), vectors)
    return torch.where((sine < 1e-3)[:, None], taste, turned)


def blended(keep: Tensor | float, rows: Tensor, gain: Tensor | float, others: Tensor) -> Tensor:
    """Return ``keep`` times each row plus ``gain`` times each other row; weights are float32."""
    return _across(keep) * rows + _across(gain) * others


def _across(weight: Tensor | float) -> Tensor | float:
    """Return a weight as it multiplies rows."""
    return weight[:, None] if isinstance(weight, torch.Tensor) else float(np.float32(weight))


_weights = turning_weights(square_root, lambda function: function)


def _polynomial(x: Tensor, terms: tuple[float, ...]) -> Tensor:
    """Return the polynomial with these coefficients, the highest first (Horner)."""
    total = torch.full_like(x, terms[0])
    for term in terms[1:]:
        total = total * x + term
    return total
