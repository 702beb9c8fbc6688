"""Cox's proportional hazards by Newton's method, with Efron's ties and an interval that knows who repeats.

The hazard of row i is ``h_0(t) exp(beta . x_i)``. Sessions of one listener are not independent, so the variance is the
sandwich ``A^-1 (sum_c U_c U_c^T) A^-1``: A is the information, U_c the sum of the score residuals of cluster c,

    U_i = delta_i (x_i - mean_i) - w_i sum_{t <= t_i} sum_l a_il (x_i - mean_l) / phi_l,

with mean_i the average of mean_l over the events tied with i, and ``a_il = 1 - l / d`` at the moment of i's own event,
1 before it. The residuals sum to zero at the maximum.

A covariate that does not vary, or a sample that separates (a coefficient that would be infinite), is not estimable:
its figures are NaN, not a guess.

References
----------
Cox, "Regression models and life-tables", J. R. Stat. Soc. B 34, 1972. Lin and Wei, "The robust inference for the Cox
proportional hazards model", JASA 84, 1989. Therneau and Grambsch, "Modeling Survival Data", 2000, chapters 3 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_sim.metrics.measure import NAN, Measure, Z, cluster_sums
from heritage_sim.metrics.risk_sets import EfronSums, RiskSets, efron_sums, information, products, risk_sets

Floats = npt.NDArray[np.float64]

_MAX_STEPS = 30
_SMALL_STEP = 1e-9
_SEPARATED = 30.0
"""A log hazard ratio of so many for one standard deviation of the covariate is on its way to infinity."""


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted model.

    Parameters
    ----------
    names : tuple of str, length p
        Covariates.
    beta : ndarray of float64, shape (p,)
        Log hazard ratios; NaN where not estimable.
    covariance, robust_covariance : ndarray of float64, shape (p, p)
        Inverse information, and the sandwich over clusters.
    log_likelihood, log_likelihood_null : float
        Partial log-likelihood at beta, and at zero.
    num_rows, num_events, num_clusters : int
        Rows, rows with an event, and clusters.
    times, hazard : ndarray of float64
        Moments with events, rising, and the cumulated baseline hazard (of a row at the covariates' means); of the first
        stratum only where there are several.
    means : ndarray of float64, shape (p,)
        Means of the covariates.
    per : str
        Unit of analysis of a row.
    """

    names: tuple[str, ...]
    beta: Floats
    covariance: Floats
    robust_covariance: Floats
    log_likelihood: float
    log_likelihood_null: float
    num_rows: int
    num_events: int
    num_clusters: int
    times: Floats
    hazard: Floats
    means: Floats
    per: str

    @property
    def standard_errors(self) -> Floats:
        """Return the standard errors of independent rows, shape ``(p,)``."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def robust_errors(self) -> Floats:
        """Return the standard errors over clusters, shape ``(p,)``."""
        return np.sqrt(np.diag(self.robust_covariance))

    def hazard_ratio(self, name: str) -> Measure:
        """Return a covariate's hazard ratio with its interval over clusters, beside 1 (no difference)."""
        i = self.names.index(name)
        beta, half = float(self.beta[i]), Z * float(self.robust_errors[i])
        low, high = float(np.exp(beta - half)), float(np.exp(beta + half))
        return Measure(float(np.exp(beta)), "1", self.per, self.num_rows, low, high, 1.0, "no difference")

    def log_risk(self, covariates: npt.ArrayLike) -> Floats:
        """Return ``beta . (x - means)`` of each row, shape ``(n,)``; covariates not estimable count for nothing."""
        x: Floats = np.asarray(covariates, dtype=np.float64)
        return np.einsum("np,p->n", x - self.means, np.nan_to_num(self.beta))

    def survival(self, covariates: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
        """Return the predicted share still there, ``exp(-H_0(t) exp(log risk))``, shape ``(n, num_times)``.

        Parameters
        ----------
        covariates : array_like of float, shape (n, p)
            Rows.
        at : array_like of float, shape (num_times,)
            Times.

        Returns
        -------
        ndarray of float64, shape (n, num_times)
        """
        before = np.searchsorted(self.times, np.asarray(at, dtype=np.float64), side="right")
        cumulated = np.concatenate([[0.0], self.hazard])[before]
        return np.exp(-np.exp(self.log_risk(covariates))[:, None] * cumulated)


def cox(
    durations: npt.ArrayLike,
    event: npt.ArrayLike,
    covariates: npt.ArrayLike,
    names: Sequence[str],
    *,
    cluster: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    per: str = "session",
) -> CoxFit:
    """Return the model that fits best.

    Parameters
    ----------
    durations : array_like of float, shape (n,)
        Time to the event or to the end of observation, > 0 or 0.
    event : array_like of bool, shape (n,)
        False where censored.
    covariates : array_like of float, shape (n, p)
        One column for each covariate.
    names : sequence of str, length p
        Their names.
    cluster : array_like, shape (n,), optional
        Whose row it is; each row its own by default.
    strata : array_like, shape (n,), optional
        Rows of different strata have baselines of their own.
    per : str
        Unit of analysis of a row.

    Returns
    -------
    CoxFit

    Raises
    ------
    ValueError
        If shapes disagree or a number is not finite.
    """
    t, delta, x = _checked(durations, event, covariates, names)
    n, p = x.shape
    owner = np.arange(n, dtype=np.int64) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1]
    means = x.mean(axis=0) if n else np.zeros(p)
    spread = x.std(axis=0) if n else np.zeros(p)
    # A column of one value may have a standard deviation of rounding.
    varies = np.flatnonzero(spread > 1e-12 * np.maximum(1.0, np.abs(means)))
    if not delta.any():
        return _not_estimable(names, means, n, 0, int(np.unique(owner).size), per)
    sets = risk_sets(t, delta, None if strata is None else np.asarray(strata))
    columns = ((x[:, varies] - means[varies]) / spread[varies])[sets.order].T.copy()
    found = _newton(sets, columns)
    if found is None:
        return _not_estimable(names, means, n, int(delta.sum()), int(np.unique(owner).size), per)
    beta, sums, inverse = found.beta, found.sums, found.inverse
    sums_by_cluster = cluster_sums(score_residuals(sets, columns, sums).T, owner[sets.order])
    # A sandwich about a sum that is zero by construction is biased to nothing where clusters are few, as every robust
    # error is; it is not corrected, so that it equals the published ones.
    root = np.einsum("cp,pq->qc", sums_by_cluster, inverse)
    times, hazard = _baseline(sets, sums)
    return CoxFit(
        names=tuple(names),
        beta=_spread_out(beta / spread[varies], varies, p),
        covariance=_spread_out_matrix(inverse / np.outer(spread[varies], spread[varies]), varies, p),
        robust_covariance=_spread_out_matrix(
            products(root, root) / np.outer(spread[varies], spread[varies]), varies, p
        ),
        log_likelihood=found.value,
        log_likelihood_null=found.value_at_zero,
        num_rows=n,
        num_events=int(delta.sum()),
        num_clusters=int(sums_by_cluster.shape[0]),
        times=times,
        hazard=hazard,
        means=means,
        per=per,
    )


def score_residuals(sets: RiskSets, columns: Floats, sums: EfronSums) -> Floats:
    """Return U_i of each place (see the module), shape ``(p, n)``."""
    p, m = columns.shape[0], sets.time.size
    hazard, moved = np.zeros(m), np.zeros((p, m))
    hazard[sets.event_moment], moved[:, sets.event_moment] = sums.whole, sums.weighted_mean
    hazard, moved = sets.running_back(hazard)[sets.moment], sets.running_back(moved)[:, sets.moment]
    residual = sums.weight * (moved - columns * hazard)
    at, of = sets.event_places, np.repeat(np.arange(sets.num_tied.size), sets.num_tied)
    residual[:, at] += columns[:, at] - (sums.mean / sets.num_tied)[:, of]
    residual[:, at] += sums.weight[at] * (columns[:, at] * sums.part[of] - sums.weighted_part[:, of])
    return residual


@dataclass(frozen=True, slots=True, eq=False)
class _Maximum:
    """Where the log-likelihood is largest: beta, its sums, the inverse information, the value there and at zero."""

    beta: Floats
    sums: EfronSums
    inverse: Floats
    value: float
    value_at_zero: float


def _newton(sets: RiskSets, columns: Floats) -> _Maximum | None:
    """Return the maximum; None where there is no finite one."""
    p = columns.shape[0]
    beta = np.zeros(p)
    sums = efron_sums(sets, columns, beta)
    happened = columns[:, sets.event_places].sum(axis=1)
    value = at_zero = -sums.log_phi
    for _ in range(_MAX_STEPS):
        try:
            step = _inverse(information(sets, columns, sums)) @ (happened - sums.mean.sum(axis=1))
        except np.linalg.LinAlgError:
            return None
        size = 1.0
        while True:
            new: Floats = beta + size * step
            if not (np.abs(new) < _SEPARATED).all():
                return None
            new_sums = efron_sums(sets, columns, new)
            new_value = float((new * happened).sum()) - new_sums.log_phi
            # The last steps move the value by less than its rounding.
            if new_value >= value - 1e-9 * abs(value):
                break
            size /= 2.0
        small = float(np.abs(size * step).max(initial=0.0)) < _SMALL_STEP
        beta, sums, value = new, new_sums, new_value
        if small:
            covered = information(sets, columns, sums)
            if p and np.linalg.cond(covered) > 1e12:
                return None
            return _Maximum(beta, sums, _inverse(covered), value, at_zero)
    return None


def _inverse(matrix: Floats) -> Floats:
    return np.linalg.inv(matrix).astype(np.float64)


def _baseline(sets: RiskSets, sums: EfronSums) -> tuple[Floats, Floats]:
    first = sets.first_moment[sets.event_moment] == 0
    rising = sets.time[sets.event_moment][first][::-1]
    return rising.copy(), np.cumsum(sums.whole[first][::-1], dtype=np.float64)


def _checked(
    durations: npt.ArrayLike, event: npt.ArrayLike, covariates: npt.ArrayLike, names: Sequence[str]
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    t: Floats = np.asarray(durations, dtype=np.float64)
    delta = np.asarray(event, dtype=np.bool_)
    x: Floats = np.asarray(covariates, dtype=np.float64)
    if t.ndim != 1 or delta.shape != t.shape or x.shape != (t.size, len(names)):
        raise ValueError(
            f"{len(names)} covariates of n rows are wanted: durations {t.shape}, event {delta.shape}, "
            f"covariates {x.shape}"
        )
    if not (np.isfinite(t).all() and np.isfinite(x).all()):
        raise ValueError("durations and covariates must be finite: leave out rows where one is not known")
    return t, delta, x


def _not_estimable(
    names: Sequence[str], means: Floats, num_rows: int, num_events: int, num_clusters: int, per: str
) -> CoxFit:
    p, nothing = len(names), np.zeros(0)
    nan, square = np.full(p, NAN), np.full((p, p), NAN)
    return CoxFit(
        tuple(names), nan, square, square, NAN, NAN, num_rows, num_events, num_clusters, nothing, nothing, means, per
    )


def _spread_out(values: Floats, at: npt.NDArray[np.integer], size: int) -> Floats:
    out = np.full(size, NAN)
    out[at] = values
    return out


def _spread_out_matrix(values: Floats, at: npt.NDArray[np.integer], size: int) -> Floats:
    out = np.full((size, size), NAN)
    out[np.ix_(at, at)] = values
    return out
