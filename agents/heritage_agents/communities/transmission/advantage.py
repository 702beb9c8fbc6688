"""The advantage of practising: what income and prestige say for it, as one number that all forms take.

With y the income per bearer and day, y0 its reference, p the community's share of all plays (its own works' plays,
those of generated works at a stated weight) and p0 its share of all bearers at the start:

    q = k_y (y - y0) / (y + y0)  +  k_p (p - p0) / (p + p0)

Either part is 0 at its reference, at most its weight in size, and the odds ratio of a doubling is the same for all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def above(value: Float64, reference: Float64 | float) -> Float64:
    """Return ``(value - reference) / (value + reference)``, in [-1, 1]; 0 where both are 0."""
    total = value + reference
    return np.divide(value - reference, total, out=np.zeros_like(value), where=total > 0.0)


def advantage(
    income: Float64,
    reference: float,
    plays: Float64,
    all_plays: float,
    share_of_bearers: Float64,
    weights: tuple[float, float],
) -> Float64:
    """Return the advantage of practising in each community.

    Parameters
    ----------
    income : ndarray of float64, shape (num_communities,)
        Income per bearer and day, in the token's smallest unit.
    reference : float
        Income that counts neither for nor against.
    plays : ndarray of float64, shape (num_communities,)
        Plays that confer prestige.
    all_plays : float
        All plays of all communities.
    share_of_bearers : ndarray of float64, shape (num_communities,)
        Each community's share of all bearers at the start.
    weights : tuple of float
        Of income and of prestige.

    Returns
    -------
    ndarray of float64, shape (num_communities,)
    """
    by_income, by_prestige = weights
    prestige = plays / all_plays if all_plays else share_of_bearers
    return by_income * above(income, reference) + by_prestige * above(prestige, share_of_bearers)
