"""A proportion of counted cases with its interval."""

from __future__ import annotations

import math

from heritage_experiments.statistics.paired import LEVEL


def wilson_interval(cases: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the Wilson interval of a proportion, which holds for none and for few cases too; NaN of nothing.

    With z the normal quantile and p = k / n: ``(p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)``.

    Parameters
    ----------
    cases : int
        Cases counted, k.
    of : int
        Out of how many, n.
    level : float
        Nominal coverage.

    Returns
    -------
    tuple of float
        Both ends, in [0, 1].

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    """
    from scipy.special import ndtri

    if of == 0:
        return math.nan, math.nan
    z, p = float(ndtri(0.5 + level / 2.0)), cases / of
    middle = p + z * z / (2 * of)
    half = z * math.sqrt(p * (1.0 - p) / of + z * z / (4 * of * of))
    scale = 1.0 + z * z / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
