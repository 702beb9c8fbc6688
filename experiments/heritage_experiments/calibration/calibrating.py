"""One calibration, from a scenario and its targets to everything that is reported of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_experiments.calibration.evaluations import LOG, Evaluations
from heritage_experiments.calibration.fitting import (
    FRESH,
    Effort,
    Fit,
    Matrix,
    covariance_at,
    fit,
    values_of,
    whitening,
)
from heritage_experiments.calibration.identifying import Identification, identify
from heritage_experiments.calibration.listening import Window, listening_only
from heritage_experiments.calibration.space import Space
from heritage_experiments.calibration.targets import Target, Targets

LEVEL = 0.9
"""Level of the stated intervals."""
SLOPE_DRAWS = 10
"""Draws behind the slopes: of fewer, the noise that is taken off what they tell would be known too badly itself."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fitted parameter.

    Parameters
    ----------
    key : str
        Dotted key.
    before, value : float
        In the scenario, and fitted.
    low, high : float
        Interval by the Laplace covariance at `LEVEL`, held within the bounds.
    seeds_low, seeds_high : float
        Interval over seeds: where estimates from other simulated targets of the same kind would lie.
    bound_low, bound_high : float
        Between which it was sought.
    at_bound : bool
        Whether it lies at one of them.
    """

    key: str
    before: float
    value: float
    low: float
    high: float
    seeds_low: float
    seeds_high: float
    bound_low: float
    bound_high: float
    at_bound: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A target beside what the fitted model simulates, from draws that the fit did not see.

    Parameters
    ----------
    target : Target
        What was wanted.
    simulated, error : float
        Mean over fresh draws, and its standard error.
    sd : float
        Standard deviation that the difference has if the model is right; of a target held out, with the part that
        comes from not knowing the parameters.
    before : float
        What the scenario's own values give.
    """

    target: Target
    simulated: float
    error: float
    sd: float
    before: float

    @property
    def gap(self) -> float:
        """Return the difference in standard deviations, simulated minus target."""
        return (self.simulated - self.target.value) / self.sd


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Everything that is reported.

    Parameters
    ----------
    space : Space
        Parameters, in the scenario as it was simulated.
    targets : Targets
        What was wanted.
    window : Window
        Days.
    effort : Effort
        How much was simulated.
    estimates : tuple of Estimate
        One a parameter.
    matches : tuple of Match
        One a target.
    found : Fit
        The minimum.
    identified : Identification
        What the targets tell.
    fresh_objective : float
        J at the minimum, by fresh draws.
    p_value : float
        Probability of a J at least as large if the model is right; NaN without degrees of freedom.
    num_simulated, num_reused : int
        Simulations made, and read from the log.
    """

    space: Space
    targets: Targets
    window: Window
    effort: Effort
    estimates: tuple[Estimate, ...]
    matches: tuple[Match, ...]
    found: Fit
    identified: Identification
    fresh_objective: float
    p_value: float
    num_simulated: int
    num_reused: int

    @property
    def degrees(self) -> int:
        """Return the fitted targets less the parameters."""
        return len(self.targets.fitted) - self.space.dim


def calibrate(
    space: Space,
    targets: Targets,
    window: Window,
    effort: Effort,
    cache_dir: Path,
    out: Path | None = None,
    say: Callable[[str], None] = lambda stage: None,
    told: Callable[[int], None] | None = None,
) -> Calibration:
    """Return the calibration of a scenario.

    Parameters
    ----------
    space : Space
        Parameters to fit; its scenario as `listening_only` returns it.
    targets : Targets
        What is wanted.
    window : Window
        Days.
    effort : Effort
        How much is simulated.
    cache_dir : Path
        Where corpora are kept.
    out : Path, optional
        Folder of the log, from which a stopped calibration goes on.
    say : callable
        Told what begins.
    told : callable, optional
        Told the number of simulations so far.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If a target cannot be computed, or the log is that of another calibration.
    """
    moments = [target.moment for target in targets.targets]
    evaluate = Evaluations(space, moments, window, cache_dir, out / LOG if out else None, told)
    found = fit(evaluate, targets, effort, say)
    say("Errors on fresh draws")
    covariance = covariance_at(evaluate, found.point, targets, effort)
    found = Fit(found.point, found.objective, covariance, found.minima)
    say("What the targets can tell apart")
    identified = identify(evaluate, targets, found, range(FRESH, FRESH + SLOPE_DRAWS))
    rows = evaluate(found.point, range(FRESH, FRESH + effort.fresh_draws))
    fresh = rows.mean(axis=0)
    before = evaluate.mean(space.start, range(effort.draws))
    fitted = targets.fitted
    gap = whitening(covariance.total[np.ix_(fitted, fitted)]) @ (fresh - values_of(targets))[fitted]
    objective = float(gap @ gap)
    return Calibration(
        space=space,
        targets=targets,
        window=window,
        effort=effort,
        estimates=_estimates(space, targets, found, identified, rows),
        matches=_matches(targets, found, identified, rows, before),
        found=found,
        identified=identified,
        fresh_objective=objective,
        p_value=_p_value(objective, len(fitted) - space.dim),
        num_simulated=evaluate.num_simulated,
        num_reused=evaluate.num_reused,
    )


def space_to_simulate(space: Space, num_listeners: int) -> Space:
    """Return the space in the scenario as calibration simulates it."""
    return Space(listening_only(space.scenario, num_listeners), space.parameters)


def _estimates(
    space: Space, targets: Targets, found: Fit, identified: Identification, rows: Matrix
) -> tuple[Estimate, ...]:
    from scipy.stats import norm

    reach = float(norm.ppf(0.5 + LEVEL / 2.0)) * np.sqrt(np.diag(identified.spread))
    others = found.point + _over_seeds(targets, found, identified, rows)
    quantiles = np.quantile(np.clip(others, 0.0, 1.0), [0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0], axis=0)
    made: list[Estimate] = []
    for i, parameter in enumerate(space.parameters):
        at = found.point[i]
        made.append(
            Estimate(
                key=parameter.key,
                before=parameter.value,
                value=parameter.at(at),
                low=parameter.at(at - reach[i]),
                high=parameter.at(at + reach[i]),
                seeds_low=parameter.at(quantiles[0, i]),
                seeds_high=parameter.at(quantiles[1, i]),
                bound_low=parameter.low,
                bound_high=parameter.high,
                at_bound=bool(at < 0.01 or at > 0.99),
            )
        )
    return tuple(made)


def _over_seeds(targets: Targets, found: Fit, identified: Identification, rows: Matrix) -> Matrix:
    """Return how far the estimate moves when each fresh draw plays the targets (one Gauss-Newton step from the fit).

    Its deviation from the mean draw is stretched to the size that the targets' and the simulation's errors have.
    """
    fitted = targets.fitted
    stretch = np.sqrt(np.diag(found.covariance.total) / np.diag(found.covariance.simulated))
    deviations = ((rows - rows.mean(axis=0)) * stretch)[:, fitted]
    return deviations @ identified.gain.T


def _matches(
    targets: Targets, found: Fit, identified: Identification, rows: Matrix, before: npt.NDArray[np.float64]
) -> tuple[Match, ...]:
    errors = rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    made: list[Match] = []
    for k, target in enumerate(targets.targets):
        variance = found.covariance.total[k, k]
        if target.is_held_out:
            variance += identified.slopes[k] @ identified.spread @ identified.slopes[k]
        made.append(Match(target, float(rows[:, k].mean()), float(errors[k]), float(np.sqrt(variance)), before[k]))
    return tuple(made)


def _p_value(objective: float, degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(objective, degrees)) if degrees > 0 else float("nan")
