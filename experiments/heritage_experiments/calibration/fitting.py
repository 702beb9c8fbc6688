r"""The method of simulated moments: the point whose simulated moments are nearest to the targets.

With ``t`` the targets, ``m(u)`` the mean simulated moments at a point ``u`` of the unit cube over ``R`` draws, and
``S`` the covariance of one simulation's moments, the fit minimises

    J(u) = (m(u) - t)' W (m(u) - t),    W = V^-1,    V = S n / N + diag(e^2) + S / R

where ``n`` listeners are simulated and ``N`` stand behind the targets: the first part is the error of the targets
themselves (or what the user states), ``e`` their rounding, the last that of the simulation. If the model is right, J at
the minimum is near a chi-square of (targets - parameters) degrees of freedom.

All draws are keyed and the same at every point (common random numbers), so J is a deterministic function of ``u``; it
still has small steps, as a listener's choice is one or the other. Hence: differences over a wide step instead of
derivatives, Gauss-Newton steps in a trust region from several starts, and a simplex search at the end, which needs no
slope at all. Starts are the best of a Sobol design that is shifted by a keyed draw. ``S`` is computed twice: at the
best point of the design, and at the first minimum.

References
----------
McFadden, "A method of simulated moments ...", Econometrica 57(5), 1989. Ledoit and Wolf, "A well-conditioned estimator
for large-dimensional covariance matrices", J. Multivariate Analysis 88, 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_experiments.calibration.evaluations import Evaluations
from heritage_experiments.calibration.space import Point
from heritage_experiments.calibration.targets import Targets
from heritage_sim.base import InputError, Keys

Matrix = npt.NDArray[np.float64]

STEP = 0.04
"""Half the width over which differences are taken, as a part of the cube."""
POINTS_PER_START = 8
"""Points of the design for every start."""
FAR = 1e3
"""Residual, in standard errors, of a moment that is not defined at a point (nobody plays anything)."""
FRESH = 10_000
"""Number of the first draw that no fit sees: from here on they check."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is simulated.

    Parameters
    ----------
    starts : int
        Starts of the search.
    draws : int
        Draws at each point.
    fresh_draws : int
        Draws for covariances and checks.
    """

    starts: int = 4
    draws: int = 4
    fresh_draws: int = 80


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """What is known of the moments' errors, over all targets.

    Parameters
    ----------
    simulated : ndarray, shape (num_targets, num_targets)
        Of one simulation, S.
    total : ndarray, shape (num_targets, num_targets)
        V: targets, rounding and simulation together.
    """

    simulated: Matrix
    total: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A minimum.

    Parameters
    ----------
    point : ndarray, shape (num_parameters,)
        Where it is.
    objective : float
        J.
    covariance : Covariance
        Errors of the moments that it was weighed by.
    minima : tuple of (ndarray, float)
        Where each start ended, the best first.
    """

    point: Point
    objective: float
    covariance: Covariance
    minima: tuple[tuple[Point, float], ...]


def fit(evaluate: Evaluations, targets: Targets, effort: Effort, say: Callable[[str], None]) -> Fit:
    """Return the best minimum.

    Parameters
    ----------
    evaluate : Evaluations
        The simulation; its moments are those of the targets, in order.
    targets : Targets
        Those held out are computed and not looked at.
    effort : Effort
        How much is simulated.
    say : callable
        Told what begins.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If at no point of the design all fitted moments are defined.
    """
    fitted, draws = targets.fitted, range(effort.draws)
    say("Points between the bounds")
    design = _design(evaluate, effort.starts * POINTS_PER_START)
    found = np.array([evaluate.mean(point, draws) for point in design])
    gaps = found[:, fitted] - values_of(targets)[fitted]
    whole = np.isfinite(gaps).all(axis=1)
    if not whole.any():
        undefined = [targets.targets[k].name for k in np.array(fitted)[~np.isfinite(gaps).any(axis=0)]]
        raise InputError(
            f"{', '.join(undefined) or 'the targets'} cannot be computed anywhere between the bounds",
            "--targets",
            "leave these targets out, or widen the bounds so that listeners play something",
        )
    scale = np.maximum(gaps[whole].std(axis=0), 1e-9)
    first = int(np.argmin(np.where(whole, np.nan_to_num((gaps / scale) ** 2, nan=np.inf).sum(axis=1), np.inf)))
    say("Search from the best of them")
    covariance = covariance_at(evaluate, design[first], targets, effort)
    objective = _objective(evaluate, targets, covariance, draws)
    order = np.argsort([_sum_of_squares(objective(point)) for point in design], kind="stable")
    ended = [_descended(objective, design[i]) for i in order[: effort.starts]]
    ended.sort(key=lambda end: end[1])
    say("Search again, targets weighted by their errors there")
    covariance = covariance_at(evaluate, ended[0][0], targets, effort)
    objective = _objective(evaluate, targets, covariance, draws)
    again = [_descended(objective, point) for point, _ in ended[:2]]
    again.sort(key=lambda end: end[1])
    say("Last steps")
    point, least = _polished(objective, *again[0])
    minima = ((point, least), *((end, _sum_of_squares(objective(end))) for end, _ in ended))
    return Fit(point, least, covariance, minima)


def values_of(targets: Targets) -> npt.NDArray[np.float64]:
    """Return the targets' values."""
    return np.array([target.value for target in targets.targets])


def covariance_at(evaluate: Evaluations, point: Point, targets: Targets, effort: Effort) -> Covariance:
    """Return the covariance of the moments at a point, from draws that the fit does not see."""
    rows = evaluate(point, range(FRESH, FRESH + effort.fresh_draws))
    simulated = shrunk(rows)
    num_listeners = evaluate.space.scenario.listeners.num_listeners
    share = num_listeners / (targets.sample_listeners or num_listeners)
    spread = np.sqrt(np.diag(simulated))
    stated = np.array([np.nan if t.error is None else t.error for t in targets.targets])
    own = np.where(np.isnan(stated), spread * np.sqrt(share), stated)
    correlation = simulated / np.outer(spread, spread)
    rounding = np.array([target.rounding for target in targets.targets])
    total = correlation * np.outer(own, own) + np.diag(rounding**2) + simulated / effort.draws
    return Covariance(simulated, total * _unbiased(effort.fresh_draws, len(targets.fitted)))


def shrunk(rows: Matrix) -> Matrix:
    """Return the covariance of rows of moments, its correlations shrunk towards none (Ledoit and Wolf)."""
    from sklearn.covariance import ledoit_wolf

    centred = rows - rows.mean(axis=0)
    spread = centred.std(axis=0, ddof=1)
    # A moment that is the same in every draw (a share of 0, say) has no error of its own to weigh it by.
    spread = np.maximum(spread, np.maximum(1e-3 * np.abs(rows.mean(axis=0)), 1e-6))
    correlation, _ = ledoit_wolf(centred / spread, assume_centered=True)
    diagonal = np.sqrt(np.maximum(np.diag(correlation), 1e-12))
    correlation = correlation / np.outer(diagonal, diagonal)
    return correlation * np.outer(spread, spread)


def _unbiased(num_draws: int, num_moments: int) -> float:
    """Return by how much a covariance from few draws is enlarged, so that its inverse does not claim too much.

    The inverse of a sample covariance is too large by ``(n - 1) / (n - k - 2)`` on average (Hartlap et al., Astronomy &
    Astrophysics 464, 2007). With too few draws for that, the largest correction that is still of use is taken.
    """
    return (num_draws - 1) / max(num_draws - num_moments - 2, 0.25 * num_draws)


def whitening(covariance: Matrix) -> Matrix:
    """Return ``A`` with ``A V A' = 1``: residuals times it are independent and of variance 1."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), dtype=np.float64)


def _objective(
    evaluate: Evaluations, targets: Targets, covariance: Covariance, draws: Sequence[int]
) -> Callable[[Point], npt.NDArray[np.float64]]:
    """Return the function from a point to whitened residuals, whose sum of squares is J."""
    fitted = targets.fitted
    white = whitening(covariance.total[np.ix_(fitted, fitted)])
    wanted = values_of(targets)[fitted]

    def residuals(point: Point) -> npt.NDArray[np.float64]:
        gap = evaluate.mean(point, draws)[fitted] - wanted
        if not np.isfinite(gap).all():
            return np.full(len(fitted), FAR)
        return white @ gap

    return residuals


def _descended(objective: Callable[[Point], Matrix], start: Point) -> tuple[Point, float]:
    """Return where Gauss-Newton steps in a trust region end, and J there."""
    from scipy.optimize import least_squares

    done = least_squares(
        objective,
        np.clip(start, 1e-6, 1.0 - 1e-6),
        jac=lambda point: differences(objective, point),  # pyright: ignore[reportArgumentType]
        bounds=(0.0, 1.0),
        method="trf",
        xtol=1e-3,
        ftol=1e-3,
        max_nfev=15,
    )
    point = np.clip(done.x, 0.0, 1.0)
    return point, _sum_of_squares(objective(point))


def differences(function: Callable[[Point], Matrix], point: Point) -> Matrix:
    """Return central differences over ``STEP`` either side, one-sided at an edge of the cube, last axis parameters."""
    columns: list[Matrix] = []
    for i in range(point.size):
        above, below = point.copy(), point.copy()
        above[i], below[i] = min(point[i] + STEP, 1.0), max(point[i] - STEP, 0.0)
        columns.append((function(above) - function(below)) / (above[i] - below[i]))
    return np.stack(columns, axis=-1)


def _polished(objective: Callable[[Point], Matrix], point: Point, least: float) -> tuple[Point, float]:
    """Return a minimum after a simplex search around it."""
    from scipy.optimize import minimize

    simplex = np.vstack([point, *(_moved(point, i) for i in range(point.size))])
    done = minimize(
        lambda x: _sum_of_squares(objective(np.clip(x, 0.0, 1.0))),
        point,
        method="Nelder-Mead",
        bounds=[(0.0, 1.0)] * point.size,
        options={"initial_simplex": simplex, "maxfev": 15 * (point.size + 1), "xatol": 1e-3, "fatol": 1e-2},
    )
    return (np.clip(done.x, 0.0, 1.0), float(done.fun)) if done.fun < least else (point, least)


def _moved(point: Point, i: int) -> Point:
    moved = point.copy()
    moved[i] += 0.02 if moved[i] < 0.5 else -0.02
    return moved


def _design(evaluate: Evaluations, num_points: int) -> Matrix:
    """Return the scenario's own point, then a Sobol design, shifted by a keyed draw (Cranley and Patterson)."""
    from scipy.stats import qmc

    dim = evaluate.space.dim
    size = int(np.ceil(np.log2(max(num_points, 2))))
    cube = qmc.Sobol(dim, scramble=False).random_base2(size)[:num_points]
    stream = Keys(evaluate.space.scenario.seed, 0).stream("calibration", "design")
    shift = stream.uniforms(0, 0, dim)[0]
    return np.vstack([evaluate.space.start, (cube + shift) % 1.0])


def _sum_of_squares(residuals: npt.NDArray[np.float64]) -> float:
    return float(residuals @ residuals)
