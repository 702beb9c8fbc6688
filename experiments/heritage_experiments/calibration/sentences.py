"""What is said of a calibration: its warnings, and what its numbers are."""

from __future__ import annotations

import math

from heritage_experiments.calibration.calibrating import LEVEL, Calibration
from heritage_experiments.calibration.identifying import untold

NEAR = 2.0
"""Gap, in standard deviations, up to which a target counts as met."""
WIDER = 1.5
"""Ratio of the two intervals' widths from which it is said."""
UNLIKELY = 0.01
"""Probability of J under which the model is said not to reach the targets."""


def warnings(result: Calibration) -> list[str]:
    """Return what stands against trusting the result; empty where nothing was found."""
    said = list(untold(result.identified, result.space, result.found.point))
    number, fitted = result.space.dim, len(result.targets.fitted)
    if fitted < number:
        said.append(f"{number} parameters were fitted to {fitted} targets: many values fit as well.")
    elif fitted == number:
        said.append("As many parameters as targets: a fit comes out whether the model is right or not.")
    if not result.targets.held_out:
        said.append("No target was held out, so nothing here shows that the fit carries beyond what it was fitted to.")
    missed = [m for m in result.matches if m.target.is_held_out and abs(m.gap) > NEAR]
    if missed:
        said.append(
            f"Held out and not met: {', '.join(f'{m.target.name} ({m.gap:+.1f} sd)' for m in missed)}. "
            "The fit does not carry to what it was not fitted to."
        )
    far = sorted((m for m in result.matches if not m.target.is_held_out), key=lambda m: -abs(m.gap))
    unmet = result.degrees <= 0 and abs(far[0].gap) > NEAR
    if result.p_value < UNLIKELY or unmet:
        named = ", ".join(f"{m.target.name} ({m.gap:+.1f} sd)" for m in far[:4] if abs(m.gap) > NEAR)
        said.append(
            f"The model does not reach the targets: J = {result.fresh_objective:.1f} with {result.degrees} degrees of "
            f"freedom{f'; farthest off: {named}' if named else ', though each alone is near: together they are not'}. "
            "Intervals assume that it does, and are then too narrow."
        )
    for estimate in result.estimates:
        if estimate.at_bound:
            said.append(f"{estimate.key} lies at a bound ({estimate.value:.4g}): a better value may lie beyond.")
    expected = result.found.objective + 2.0 * fitted
    if result.fresh_objective > 2.0 * expected:
        said.append(
            f"Fitted to the seeds: J is {result.found.objective:.1f} on the draws that were fitted and "
            f"{result.fresh_objective:.1f} on fresh ones. Raise --draws."
        )
    wider = [e.key for e in result.estimates if e.seeds_high - e.seeds_low > WIDER * (e.high - e.low)]
    if wider:
        said.append(
            f"Over seeds, {', '.join(wider)} spreads more than {WIDER:g} times as far as the normal approximation "
            "says: take the wider interval."
        )
    best, *others = result.found.minima
    apart = [p for p, j in others if j < best[1] + 4.0 and abs(p - best[0]).max() > 0.2]
    if apart:
        said.append(
            f"{len(apart)} of {len(others)} starts ended far away and fit about as well: the minimum is not the only "
            "one."
        )
    return said


def spread_sentence(result: Calibration) -> str:
    """Return what the stated intervals are."""
    percent = round(100 * LEVEL)
    sample = result.targets.sample_listeners
    behind = f"{sample:,} listeners, as stated" if sample else "as many listeners as were simulated (none were stated)"
    return (
        f"Interval: {percent} % by a normal approximation at the minimum (Laplace), in which the bounds count as a "
        "uniform prior and the model as right; not a posterior from a full likelihood. Over seeds: "
        f"{percent} % of the estimates when each of {result.effort.fresh_draws} fresh simulations plays the targets "
        "(one Gauss-Newton step each, which moves only along what the targets tell). Errors of targets without a "
        f"stated one: of a sample of {behind}."
    )


def fit_sentence(result: Calibration) -> str:
    """Return how many targets are met, fitted to and held out, and how well all are met together."""
    counts = []
    for held_out, what in ((False, "targets that were fitted to"), (True, "that were held out")):
        gaps = [abs(m.gap) for m in result.matches if m.target.is_held_out is held_out]
        if gaps:
            counts.append(f"{sum(g <= NEAR for g in gaps)} of {len(gaps)} {what}")
    met = f"With the fitted values, {', and '.join(counts)}, are met within {NEAR:g} standard deviations."
    said = f"{met} Distance from all fitted targets together: J = {result.fresh_objective:.1f} on fresh draws"
    if not math.isfinite(result.p_value):
        return f"{said}."
    return (
        f"{said}; if the model were right, J would be near {result.degrees} (degrees of freedom), and at least as "
        f"large with probability {result.p_value:.3g}."
    )


def made_sentence(result: Calibration) -> str:
    """Return what was simulated."""
    listeners = result.space.scenario.listeners.num_listeners
    warm = f" after {result.window.warm_up_days} not observed" if result.window.warm_up_days else ""
    return (
        f"Simulated: {listeners:,} listeners over {result.window.days} days{warm} on the archive alone, with the "
        f"scenario's recommender; nobody makes works and nobody is paid. {result.num_simulated:,} simulations"
        f"{f' and {result.num_reused:,} from the log' if result.num_reused else ''}, {result.effort.draws} a point, "
        f"{result.effort.fresh_draws} more for errors and checks. One archive: its own chance is not in the intervals."
    )


def assumed_bounds(result: Calibration) -> str:
    """Return which bounds nobody gave; empty if there are none."""
    names = [p.key for p in result.space.parameters if p.is_assumed]
    return f"Bounds assumed around the scenario's value for {', '.join(names)}." if names else ""
