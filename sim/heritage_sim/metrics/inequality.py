"""Inequality of amounts, over a unit of analysis that the caller chooses and must name (works, payees, communities).

All take whole or real amounts >= 0, shape ``(n,)``. Where nothing was paid, or nobody is there, an index is not defined
and NaN is returned. Units with nothing count: leaving them out is a choice of the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def _amounts(amounts: npt.ArrayLike) -> Floats:
    x = np.asarray(amounts, dtype=np.float64)
    if x.ndim != 1:
        raise ValueError(f"amounts are one number per unit, not shape {x.shape}")
    if x.size and not (x >= 0.0).all():
        raise ValueError("amounts must be >= 0")
    return x


def gini(amounts: npt.ArrayLike) -> float:
    """Return the Gini index, ``sum_ij |x_i - x_j| / (2 n^2 m)``, m the mean: 0 equal, ``1 - 1/n`` all to one unit."""
    x = np.sort(_amounts(amounts))
    total, n = x.sum(), x.size
    if total == 0.0:
        return float("nan")
    rank = np.arange(1, n + 1)
    return float(((2 * rank - n - 1) * x).sum() / (n * total))


def theil(amounts: npt.ArrayLike) -> float:
    """Return Theil's T, ``mean((x/m) ln(x/m))`` with ``0 ln 0 = 0``: 0 equal, ``ln n`` all to one unit (in nats)."""
    x = _amounts(amounts)
    if x.sum() == 0.0:
        return float("nan")
    ratio = x / x.mean()
    positive = ratio[ratio > 0.0]
    return float((positive * np.log(positive)).sum() / x.size)


@dataclass(frozen=True, slots=True)
class TheilParts:
    """Theil's T and its exact decomposition, ``total = between + within`` (nats).

    Parameters
    ----------
    total, between, within : float
        Over all units; of the group means alone; mean of the groups' own indices, weighted by income share.
    """

    total: float
    between: float
    within: float


def theil_parts(amounts: npt.ArrayLike, group: npt.ArrayLike) -> TheilParts:
    """Return Theil's T of units, between and within groups.

    With n_g members, group mean m_g and income share ``s_g = n_g m_g / (n m)``:
    ``between = sum_g s_g ln(m_g / m)``, ``within = sum_g s_g T_g``.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Amounts >= 0.
    group : array_like of int, shape (n,)
        Group of each unit.

    Returns
    -------
    TheilParts
    """
    x = _amounts(amounts)
    if x.sum() == 0.0:
        nan = float("nan")
        return TheilParts(nan, nan, nan)
    _, member = np.unique(np.asarray(group), return_inverse=True)
    size = np.bincount(member)
    income = np.bincount(member, weights=x)
    share = income / x.sum()
    paid = share > 0.0
    between = float((share[paid] * np.log((income[paid] / size[paid]) / x.mean())).sum())
    total = theil(x)
    within = float(sum(share[g] * theil(x[member == g]) for g in np.flatnonzero(paid)))
    return TheilParts(total, between, within)


def jain(amounts: npt.ArrayLike) -> float:
    """Return Jain's fairness index, ``(sum x)^2 / (n sum x^2)``: 1 equal, ``1/n`` all to one unit."""
    x = _amounts(amounts)
    squares = (x * x).sum()
    return float(x.sum() ** 2 / (x.size * squares)) if squares else float("nan")


def atkinson(amounts: npt.ArrayLike, aversion: float) -> float:
    """Return Atkinson's index, ``1 - (mean x^(1-e))^(1/(1-e)) / m``; at ``e = 1``, 1 - geometric mean / mean.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Amounts >= 0. A unit with nothing gives 1 where ``e >= 1``.
    aversion : float
        Aversion to inequality e > 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the aversion is not positive.
    """
    if aversion <= 0.0:
        raise ValueError(f"aversion to inequality must be > 0, not {aversion}")
    x = _amounts(amounts)
    if x.sum() == 0.0:
        return float("nan")
    if aversion >= 1.0 and (x == 0.0).any():
        return 1.0
    ratio = x / x.mean()
    if aversion == 1.0:
        return float(1.0 - np.exp(np.log(ratio).mean()))
    power = 1.0 - aversion
    return float(1.0 - (ratio**power).mean() ** (1.0 / power))


def lorenz_curve(amounts: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the share of units, poorest first, and the share of money they hold, both from 0 to 1, shape ``(n + 1,)``.

    Without money the curve is the diagonal.
    """
    x = np.sort(_amounts(amounts))
    units = np.linspace(0.0, 1.0, x.size + 1)
    total = x.sum()
    money = np.concatenate([[0.0], np.cumsum(x)]) / total if total else units.copy()
    return units, money


def lorenz_dominance(
    first: npt.ArrayLike, second: npt.ArrayLike, tolerance: float = 1e-12
) -> Literal["first", "second", "equal", "crossing"]:
    """Return which of two distributions is the more equal at every point of its Lorenz curve.

    Where curves cross, no inequality index can settle the order without a value judgement; report the verdict before
    any index. Distributions may have different numbers of units: piecewise linear curves are compared at all kinks.

    Parameters
    ----------
    first : array_like, shape (n,)
        Amounts >= 0.
    second : array_like, shape (m,)
        Amounts >= 0 over the same kind of unit.
    tolerance : float, default 1e-12
        Differences of cumulated shares up to it count as none.

    Returns
    -------
    str
        ``first``, ``second``, ``equal`` or ``crossing``.
    """
    units_a, money_a = lorenz_curve(first)
    units_b, money_b = lorenz_curve(second)
    at = np.union1d(units_a, units_b)
    above = np.interp(at, units_a, money_a) - np.interp(at, units_b, money_b)
    better, worse = bool((above > tolerance).any()), bool((above < -tolerance).any())
    if better and worse:
        return "crossing"
    if better:
        return "first"
    return "second" if worse else "equal"


def gap_in_shares(amounts: npt.ArrayLike) -> float:
    """Return the largest minus the smallest unit's share of the whole, in percentage points (unit: as given)."""
    x = _amounts(amounts)
    total = x.sum()
    return float(100.0 * (x.max() - x.min()) / total) if total else float("nan")
