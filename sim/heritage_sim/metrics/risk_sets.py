"""Sums over risk sets with Efron's treatment of ties, for all moments at once.

Rows are put in order of stratum and, within it, of falling time, so that a risk set (everybody who is still there at a
moment) is a running sum. At a moment with d events, each of the d is compared with the risk set less a part of the
tied ones: the l-th (l = 0 ... d - 1) with

    phi_l = S0 - (l / d) D0,        mean_l = (S1 - (l / d) D1) / phi_l,

where ``S0 = sum w``, ``S1 = sum w x`` run over the risk set, D0 and D1 over the tied events, and ``w = exp(beta . x)``.
The second derivative needs ``S2 - (l / d) D2`` over phi_l; as S and D do not depend on l, only sums over l of
1/phi_l, (l/d)/phi_l and their like over phi_l^2 are formed, one number a moment. So the cost is that of a few running
sums, whatever the number of ties.

Products are written as `numpy.einsum`, which adds in one order; a library for matrices may add in another with other
numbers of threads, and outcomes must not depend on that (law 3).

References
----------
Efron, "The efficiency of Cox's likelihood function for censored data", JASA 72, 1977.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """Rows in order, and the moments that they make.

    A moment is a distinct time of a stratum; m counts all moments, k those with an event, e the events.

    Parameters
    ----------
    order : ndarray of int64, shape (n,)
        Row of the table at each place.
    moment : ndarray of int64, shape (n,)
        Moment of each place.
    first_place : ndarray of int64, shape (m,)
        Place where each moment begins.
    first_moment : ndarray of int64, shape (m,)
        First moment of each moment's stratum.
    time : ndarray of float64, shape (m,)
        Time of each moment.
    event_places : ndarray of int64, shape (e,)
        Places of events.
    event_moment : ndarray of int64, shape (k,)
        Moments that have an event.
    num_tied : ndarray of int64, shape (k,)
        Events of each of them.
    """

    order: Int64
    moment: Int64
    first_place: Int64
    first_moment: Int64
    time: Floats
    event_places: Int64
    event_moment: Int64
    num_tied: Int64

    def running(self, values: Floats) -> Floats:
        """Return sums over the risk set of each moment, shape ``(..., m)``, of values in order, ``(..., n)``."""
        return self.running_moments(np.add.reduceat(values, self.first_place, axis=-1))

    def running_moments(self, by_moment: Floats) -> Floats:
        """Return sums over a moment and the later ones of its stratum, both of shape ``(..., m)``."""
        total: Floats = np.cumsum(by_moment, axis=-1, dtype=np.float64)
        if self.first_moment[-1] == 0:
            return total
        before = np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1)
        return total - before[..., self.first_moment]

    def running_back(self, by_moment: Floats) -> Floats:
        """Return sums over a moment and the earlier ones of its stratum, both of shape ``(..., m)``."""
        after = self.running_moments(by_moment)
        last = np.concatenate([np.flatnonzero(np.diff(self.first_moment)), [self.first_moment.size - 1]])
        of = np.searchsorted(last, np.arange(self.first_moment.size))
        return after[..., last[of]] - after + by_moment

    def tied(self, values: Floats) -> Floats:
        """Return sums over the events of each moment that has one, shape ``(..., k)``, of values in order."""
        first = np.concatenate([[0], np.cumsum(self.num_tied)[:-1]])
        return np.add.reduceat(values[..., self.event_places], first, axis=-1)


def risk_sets(durations: Floats, event: npt.NDArray[np.bool_], strata: npt.NDArray[np.generic] | None) -> RiskSets:
    """Return the rows' order and moments; there must be at least one event.

    Parameters
    ----------
    durations : ndarray of float64, shape (n,)
        Time to the event or to the end of observation.
    event : ndarray of bool, shape (n,)
        False where censored.
    strata : ndarray, shape (n,), optional
        Rows are compared within a stratum only.

    Returns
    -------
    RiskSets
    """
    stratum = np.zeros(durations.size, dtype=np.int64) if strata is None else np.unique(strata, return_inverse=True)[1]
    order = np.lexsort((-durations, stratum))
    t, s = durations[order], stratum[order]
    new_stratum = np.concatenate([[True], s[1:] != s[:-1]])
    new = new_stratum | np.concatenate([[True], t[1:] != t[:-1]])
    first_place = np.flatnonzero(new)
    moment = np.cumsum(new) - 1
    begins = np.flatnonzero(new_stratum[first_place])
    first_moment = begins[np.cumsum(new_stratum[first_place]) - 1]
    event_places = np.flatnonzero(event[order])
    event_moment, num_tied = np.unique(moment[event_places], return_counts=True)
    return RiskSets(
        order=order.astype(np.int64),
        moment=moment.astype(np.int64),
        first_place=first_place.astype(np.int64),
        first_moment=first_moment.astype(np.int64),
        time=t[first_place],
        event_places=event_places.astype(np.int64),
        event_moment=event_moment.astype(np.int64),
        num_tied=num_tied.astype(np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class EfronSums:
    """The sums of one beta, at the k moments with events.

    Parameters
    ----------
    log_phi : float
        Sum of log phi_l over all events.
    whole, part : ndarray of float64, shape (k,)
        Sums over l of ``1 / phi_l`` and of ``(l / d) / phi_l``.
    whole_2, cross_2, part_2 : ndarray of float64, shape (k,)
        Sums over l of ``1``, ``l / d`` and ``(l / d)^2``, each over ``phi_l^2``.
    risk_1, tied_1 : ndarray of float64, shape (p, k)
        S1 and D1.
    weight : ndarray of float64, shape (n,)
        w of each place.
    """

    log_phi: float
    whole: Floats
    part: Floats
    whole_2: Floats
    cross_2: Floats
    part_2: Floats
    risk_1: Floats
    tied_1: Floats
    weight: Floats

    @property
    def mean(self) -> Floats:
        """Return the sum over l of mean_l at each moment with events, shape ``(p, k)``."""
        return self.risk_1 * self.whole - self.tied_1 * self.part

    @property
    def weighted_mean(self) -> Floats:
        """Return the sum over l of ``mean_l / phi_l``, shape ``(p, k)``."""
        return self.risk_1 * self.whole_2 - self.tied_1 * self.cross_2

    @property
    def weighted_part(self) -> Floats:
        """Return the sum over l of ``(l / d) mean_l / phi_l``, shape ``(p, k)``."""
        return self.risk_1 * self.cross_2 - self.tied_1 * self.part_2


def efron_sums(sets: RiskSets, columns: Floats, beta: Floats) -> EfronSums:
    """Return the sums for a beta.

    Parameters
    ----------
    sets : RiskSets
        The rows' order.
    columns : ndarray of float64, shape (p, n)
        Covariates in that order.
    beta : ndarray of float64, shape (p,)
        Log hazard ratios.

    Returns
    -------
    EfronSums
    """
    weight: Floats = np.exp(np.einsum("p,pn->n", beta, columns))
    weighted = weight * columns
    at = sets.event_moment
    risk_0, risk_1 = sets.running(weight)[at], sets.running(weighted)[:, at]
    tied_0, tied_1 = sets.tied(weight), sets.tied(weighted)
    first = np.concatenate([[0], np.cumsum(sets.num_tied)[:-1]])
    of = np.repeat(np.arange(at.size), sets.num_tied)
    fraction = (np.arange(of.size) - first[of]) / sets.num_tied[of]
    phi = risk_0[of] - fraction * tied_0[of]
    inverse = 1.0 / phi

    def over_tied(values: Floats) -> Floats:
        return np.add.reduceat(values, first)

    square = inverse * inverse
    return EfronSums(
        log_phi=float(np.log(phi).sum()),
        whole=over_tied(inverse),
        part=over_tied(fraction * inverse),
        whole_2=over_tied(square),
        cross_2=over_tied(fraction * square),
        part_2=over_tied(fraction * fraction * square),
        risk_1=risk_1,
        tied_1=tied_1,
        weight=weight,
    )


def information(sets: RiskSets, columns: Floats, sums: EfronSums) -> Floats:
    """Return minus the second derivative of the log-likelihood, shape ``(p, p)``."""
    first = products(sums.risk_1 * sums.whole_2, sums.risk_1) + products(sums.tied_1 * sums.part_2, sums.tied_1)
    mixed = products(sums.risk_1 * sums.cross_2, sums.tied_1)
    # How much each place's w x x^T counts: the events of its own and all earlier moments at which it was at risk.
    spread = np.zeros(sets.time.size)
    spread[sets.event_moment] = sums.whole
    load = sums.weight * sets.running_back(spread)[sets.moment]
    load[sets.event_places] -= sums.weight[sets.event_places] * np.repeat(sums.part, sets.num_tied)
    return products(load * columns, columns) - (first - mixed - mixed.T)


def products(one: Floats, other: Floats) -> Floats:
    """Return the sums of products of all pairs of rows, shapes ``(p, n)`` and ``(q, n)`` to ``(p, q)``."""
    return np.einsum("pn,qn->pq", one, other)
