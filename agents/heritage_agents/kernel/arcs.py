"""The weights of a turn along an arc (slerp), of arithmetic and square roots alone.

Arc cosine and sine of a mathematics library differ in their last bit from library to library, and a taste would
remember it. Here stands one formula of operators, which compiled code takes for a number and torch for a tensor; sums,
products, quotients and square roots round alike everywhere, and so do the weights.

Of the cosine of an angle a: sin(a/2) and cos(a/2) are square roots of half of 1 -+ cosine, tan(a/4) is their quotient
``sin(a/2) / (1 + cos(a/2))``, and ``tan(x/2) = tan x / (1 + sqrt(1 + tan^2 x))`` halves twice more. Of a/16, at most
pi/16, the arc tangent's series reaches double precision with eleven terms. The sine is its Taylor polynomial up to
``x^27``, enough for angles up to pi.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

_ARC_TERMS = tuple((-1.0) ** i / (2 * i + 1) for i in range(11, -1, -1))
_SINE_TERMS = tuple((-1.0) ** i / math.factorial(2 * i + 1) for i in range(13, -1, -1))


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

    def polynomial(x: Any, terms: tuple[float, ...]) -> Any:
        total = terms[0]
        for term in terms[1:]:
            total = total * x + term
        return total

    horner = inline(polynomial)

    def weights(cosine: Any, share: float) -> Any:
        sine, across = root(0.5 - 0.5 * cosine), root(0.5 + 0.5 * cosine)  # of half the angle
        t = sine / (1.0 + across)
        t = t / (1.0 + root(1.0 + t * t))
        t = t / (1.0 + root(1.0 + t * t))
        angle = 16.0 * t * horner(t * t, _ARC_TERMS)
        rest, turned = (1.0 - share) * angle, share * angle
        return (
            2.0 * sine * across,
            rest * horner(rest * rest, _SINE_TERMS),
            turned * horner(turned * turned, _SINE_TERMS),
        )

    return inline(weights)
