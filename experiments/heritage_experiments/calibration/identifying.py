r"""What the targets can tell of the parameters, and what they cannot tell apart.

Let ``G`` be the slopes of the moments along the unit cube (central differences, common random numbers) and ``V`` the
covariance of the errors. ``I = G' V^-1 G`` says how sharply the targets look in every direction: along a unit vector
``v`` that is an eigenvector of ``I`` with eigenvalue ``l``, the targets leave a standard deviation of ``1 / sqrt(l)``
of the cube's side. As ``G`` is itself simulated, its noise looks like knowledge; its expected part, estimated from the
spread of the slopes over the draws, is taken off ``I``.

The bounds are knowledge too: a parameter that is only known to lie between them has variance 1/12. The spread that is
stated, ``(I + 12)^-1``, counts them as a normal prior of that variance, so that it is never wider than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_experiments.calibration.evaluations import Evaluations
from heritage_experiments.calibration.fitting import Fit, Matrix, differences, whitening
from heritage_experiments.calibration.space import Point, Space
from heritage_experiments.calibration.targets import Targets

UNTOLD = 0.25
"""Standard deviation, in sides of the cube, from which a direction counts as not told by the targets: two of them
either side are wider than the bounds."""
WEAKLY_TOLD = 0.1
"""Standard deviation from which it counts as told weakly."""
TAKES_PART = 0.35
"""Part of the largest coordinate from which a parameter belongs to a direction."""
HARD_PAIR = 0.9
"""Correlation of two estimates from which they are hard to tell apart."""
PRIOR = 12.0
"""Precision of a uniform distribution on the unit interval."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction of the cube, and how much the targets tell along it.

    Parameters
    ----------
    sd : float
        Standard deviation that the targets leave along it, in sides of the cube; infinite for no knowledge.
    weights : tuple of float
        Unit vector, one coordinate a parameter.
    """

    sd: float
    weights: tuple[float, ...]

    @property
    def members(self) -> list[int]:
        """Return the parameters that take part in it."""
        size = np.abs(self.weights)
        return np.flatnonzero(size >= TAKES_PART * size.max()).tolist()


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """What the fitted targets tell.

    Parameters
    ----------
    slopes : ndarray, shape (num_targets, num_parameters)
        Change of each target per side of the cube, those held out too.
    information : ndarray, shape (num_parameters, num_parameters)
        ``I``, without the part that is noise.
    gain : ndarray, shape (num_parameters, num_fitted)
        What a gap of the fitted targets moves the estimate by.
    singular : tuple of float
        Singular values of the whitened slopes, largest first.
    directions : tuple of Direction
        From the sharpest to the dullest.
    """

    slopes: Matrix
    information: Matrix
    gain: Matrix
    singular: tuple[float, ...]
    directions: tuple[Direction, ...]

    @property
    def spread(self) -> Matrix:
        """Return the covariance of the parameters, shape ``(num_parameters, num_parameters)``."""
        return np.asarray(np.linalg.inv(self.information + PRIOR * np.eye(len(self.information))), dtype=np.float64)

    @property
    def correlation(self) -> Matrix:
        """Return the correlations of the estimates."""
        sd = np.sqrt(np.diag(self.spread))
        return self.spread / np.outer(sd, sd)


def identify(evaluate: Evaluations, targets: Targets, found: Fit, draws: Sequence[int]) -> Identification:
    """Return what the fitted targets tell around a minimum."""
    slopes = _slopes(evaluate, found.point, draws)
    fitted = targets.fitted
    return identification(slopes, fitted, found.covariance.total[np.ix_(fitted, fitted)])


def _slopes(evaluate: Evaluations, point: Point, draws: Sequence[int]) -> Matrix:
    """Return the slopes of every draw, shape ``(num_draws, num_targets, num_parameters)``."""
    rows = differences(lambda at: evaluate(at, draws), point)
    return np.nan_to_num(rows)


def identification(slopes_by_draw: Matrix, fitted: Sequence[int], covariance: Matrix) -> Identification:
    """Return what slopes tell.

    Parameters
    ----------
    slopes_by_draw : ndarray, shape (num_draws, num_targets, num_parameters)
        Slopes in each draw.
    fitted : sequence of int
        Targets that the fit sees.
    covariance : ndarray, shape (num_fitted, num_fitted)
        Of their errors.

    Returns
    -------
    Identification
    """
    white = whitening(covariance)
    by_draw = np.einsum("ij,rjp->rip", white, slopes_by_draw[:, list(fitted), :])
    mean = by_draw.mean(axis=0)
    information = mean.T @ mean
    num_draws = len(by_draw)
    if num_draws > 1:
        off = by_draw - mean
        information = information - np.einsum("rip,riq->pq", off, off) / (num_draws * (num_draws - 1))
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(values, 0.0)
    information = (vectors * values) @ vectors.T
    directions = tuple(
        Direction(float(1.0 / np.sqrt(value)) if value > 0.0 else np.inf, tuple(_upright(vector).tolist()))
        for value, vector in zip(values[::-1], vectors.T[::-1], strict=True)
    )
    gain = np.linalg.solve(information + PRIOR * np.eye(len(values)), mean.T @ white)
    singular = tuple(np.linalg.svd(mean, compute_uv=False).tolist())
    return Identification(slopes_by_draw.mean(axis=0), information, gain, singular, directions)


def _upright(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a direction with its largest coordinate above 0: a direction and its opposite are one."""
    return vector if vector[np.argmax(np.abs(vector))] > 0.0 else -vector


def untold(identified: Identification, space: Space, point: Point) -> list[str]:
    """Return in words what the targets cannot tell, worst first; empty where they tell everything."""
    said: list[str] = []
    for direction in reversed(identified.directions):
        if direction.sd < WEAKLY_TOLD:
            break
        names = [space.parameters[i].key for i in direction.members]
        cannot = direction.sd >= UNTOLD
        if len(names) == 1:
            much = "say next to nothing about" if cannot else "say little about"
            said.append(f"The targets {much} {names[0]}: {_how_far(direction, space, point)}.")
        else:
            verb = "cannot" if cannot else "can hardly"
            said.append(f"{_listed(names)} {verb} be told apart by these targets: {_how_far(direction, space, point)}.")
    told = {frozenset(d.members) for d in identified.directions if d.sd >= WEAKLY_TOLD}
    correlation = identified.correlation
    for i in range(space.dim):
        for j in range(i):
            if abs(correlation[i, j]) >= HARD_PAIR and frozenset((j, i)) not in told:
                said.append(
                    f"{space.parameters[j].key} and {space.parameters[i].key} are hard to tell apart: their estimates "
                    f"are correlated {correlation[i, j]:+.2f}."
                )
    return said


def _how_far(direction: Direction, space: Space, point: Point) -> str:
    """Return an example of values that fit as well, a part of a standard deviation away."""
    weights = np.array(direction.weights)
    step = min(direction.sd, 0.25 / np.abs(weights).max())
    parts: list[str] = []
    inward = 1.0 if point[np.argmax(np.abs(weights))] < 0.5 else -1.0
    for i in direction.members:
        parameter = space.parameters[i]
        here, there = parameter.at(point[i]), parameter.at(point[i] + inward * step * weights[i])
        parts.append(f"{parameter.key} {here:.3g} -> {there:.3g}")
    if direction.sd >= UNTOLD:
        return f"moving {' with '.join(parts)} changes no target by more than its error"
    return f"moving {' with '.join(parts)} is within one standard deviation"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
