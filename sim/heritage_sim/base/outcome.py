"""A named result with its unit and sample size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One figure.

    Parameters
    ----------
    name : str
        Name in snake case; a unit of analysis stands in it (``payout_gini_creators``).
    value : float
        The exact value (NaN where it is not defined, such as a ratio to nothing).
    unit : str
        Unit shown beside it (``hUSD``, ``days``, ``1``, ``percentage points``).
    n : int
        How many units of analysis it is made of.
    """

    name: str
    value: float
    unit: str
    n: int
