"""How long money waits for its claim, by how payees claim: closed forms for money that is earned evenly.

A payee earns the same in every epoch. A claim pays all that is final, so one who claims after every k epochs has, at
each claim, money of k epochs, earned evenly over their k E days: the days from the play to the end of those epochs lie
evenly between 0 and k E. Everything after that (report, matching, cash-in, statement, window, the claim itself) takes
the same for all of it. Over several payees the days are a mixture, each weighing what it earns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def epochs_until(threshold_units: int, epoch_units: npt.ArrayLike) -> Int64:
    """Return after how many epochs a balance first reaches a threshold, rounded up; at least 1.

    Parameters
    ----------
    threshold_units : int
        Balance from which a payee claims, >= 0.
    epoch_units : array_like of int, shape (num_payees,)
        What each payee earns in an epoch, > 0.

    Returns
    -------
    ndarray of int64, shape (num_payees,)
    """
    earned = np.asarray(epoch_units, dtype=np.int64)
    return np.maximum(-(-threshold_units // earned), 1)


def waiting_quantile(period_days: npt.ArrayLike, weights: npt.ArrayLike, fixed_days: float, q: float) -> float:
    """Return the days within which a fraction q of the money has been paid.

    With p_i the days between payee i's claims, w_i its share of the money and d the fixed days, the share paid within
    t days is ``sum_i w_i min(1, (t - d) / p_i)`` for ``t >= d``, which is piecewise linear: its inverse at q is exact.
    With one period p it is ``q p + d``: half an epoch, the window and the claim lag are the median of one who claims
    after every epoch.

    Parameters
    ----------
    period_days : array_like, shape (num_payees,)
        Days between each payee's claims, > 0.
    weights : array_like, shape (num_payees,)
        Money of each, >= 0, not all 0.
    fixed_days : float
        Days that follow the end of an epoch for all money.
    q : float
        Fraction in (0, 1].

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If q is out of range, or there is no money.
    """
    periods, money = np.asarray(period_days, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if not 0.0 < q <= 1.0:
        raise ValueError(f"a quantile's fraction lies in (0, 1], not {q}")
    if not money.sum() > 0.0:
        raise ValueError("there is no money to wait for")
    knots, at = np.unique(periods, return_inverse=True)
    share = np.bincount(at, weights=money) / money.sum()
    # Below knot t: whoever has a shorter period is paid in full, the others in proportion.
    done = np.cumsum(share)
    going = np.concatenate([np.cumsum((share / knots)[::-1])[::-1][1:], [0.0]])
    paid = np.concatenate([[0.0], done + knots * going])
    return fixed_days + float(np.interp(q, paid, np.concatenate([[0.0], knots])))
