"""The weights of a turn along an arc (slerp), of arithmetic and square roots alone.

Arc cosine and sine of a mathematics library differ in their last bit from library to library, and a taste would
remember it. Here stands one formula of operators, which compiled code takes for a number and torch for a tensor; sums,
products, quotients and square roots round alike everywhere, and so do the weights.

Of the cosine of an angle a: sin(a/2) and cos(a/2) are square roots of half of 1 -+ cosine, tan(a/4) is their quotient
``sin(a/2) / (1 + cos(a/2))``, and ``tan(x/2) = tan x / (1 + sqrt(1 + tan^2 x))`` halves once more. Of a/8, at most
pi/8, twelve terms of the arc tangent's series leave out less than 1e-10, and so does the sine's Taylor polynomial up to
``x^21`` for angles up to pi: far below what a taste, held in single precision, can tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

_A = tuple((-1.0) ** i / (2 * i + 1) for i in range(12))
_S = tuple((-1.0) ** i / math.factorial(2 * i + 1) for i in range(11))


def turning_weights(root: Callable[[Any], Any], inline: Callable[[Any], Any]) -> Callable[[Any, float], Any]:
    """Return the function from a cosine and a share of the angle to three sines, for some kind of number.

    Parameters
    ----------
    root : callable
        The square root of such numbers.
    inline : callable
        What is made of the polynomials before they are called: a compiler, or the identity.

    Returns
    -------
    callable
        From the cosine, in [-1, 1], and the share, in [0, 1], to the sines of the angle, of what then remains of it
        and of what was turned: by the last two, divided by the first, the old and the new direction are weighted.
    """

    def arc_series(u: Any) -> Any:
        # Even and odd terms apart (in v = u^2) are two chains of half the length, which run side by side.
        v = u * u
        even = ((((_A[10] * v + _A[8]) * v + _A[6]) * v + _A[4]) * v + _A[2]) * v + _A[0]
        odd = ((((_A[11] * v + _A[9]) * v + _A[7]) * v + _A[5]) * v + _A[3]) * v + _A[1]
        return even + u * odd

    def sine_series(u: Any) -> Any:
        v = u * u
        even = ((((_S[10] * v + _S[8]) * v + _S[6]) * v + _S[4]) * v + _S[2]) * v + _S[0]
        odd = (((_S[9] * v + _S[7]) * v + _S[5]) * v + _S[3]) * v + _S[1]
        return even + u * odd

    of_arc, of_sine = inline(arc_series), inline(sine_series)

    def weights(cosine: Any, share: float) -> Any:
        sine, across = root(0.5 - 0.5 * cosine), root(0.5 + 0.5 * cosine)  # of half the angle
        t = sine / (1.0 + across)
        t = t / (1.0 + root(1.0 + t * t))
        angle = 8.0 * t * of_arc(t * t)
        rest, turned = (1.0 - share) * angle, share * angle
        return 2.0 * sine * across, rest * of_sine(rest * rest), turned * of_sine(turned * turned)

    return inline(weights)
