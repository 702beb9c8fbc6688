"""On which day somebody is found out: a daily chance, as one keyed number instead of one a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NEVER = 2**31 - 1
"""A day after all days."""


def days_until_found(uniforms: npt.NDArray[np.float64], chance_per_day: float) -> npt.NDArray[np.int64]:
    """Return how many days each goes free before the day it is found out: geometric, by inversion.

    ``P(G >= g) = (1 - p)^g``, so ``G = floor(log u / log(1 - p))``.

    Parameters
    ----------
    uniforms : ndarray of float64, shape (n,)
        In (0, 1).
    chance_per_day : float
        p, in [0, 1].

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for being found out on the first day; `NEVER` where the chance is 0.
    """
    if chance_per_day <= 0.0:
        return np.full(uniforms.size, NEVER, dtype=np.int64)
    if chance_per_day >= 1.0:
        return np.zeros(uniforms.size, dtype=np.int64)
    free = np.floor(np.log(uniforms) / np.log1p(-chance_per_day))
    return np.minimum(free, NEVER).astype(np.int64)
