"""Rival forms of transmission: how the share of people who practise moves while its advantage stays as it is.

All forms take one *advantage* q (0: as at the start; `heritage_agents.communities.transmission.advantage`), and a share
x in [0, 1] of a community's people. They differ in what numbers do:

- `Logistic`: dx/dt = l e^q x (1 - x / K) - f x. One stable stock, K (1 - f e^-q / l); a loss is made good.
- `Competition`: dx/dt = c ((1 - x) x^a s - x (1 - x)^a (1 - s)), with logit s = logit s0 + q. For a > 1 none and all
  are stable, and the stock between, where x / (1 - x) = ((1 - s) / s)^(1 / (a - 1)), is a tipping point.
- `Threshold`: dx/dt = (F(x) - x) / T with F(x) = x^h / (x^h + (m e^-q)^h), the share of the young whose threshold is at
  most x when thresholds are log-logistic. For h = 2 and m < 1/2 the stocks (1 +- sqrt(1 - 4 m^2)) / 2 stand still; the
  lower one is a tipping point, and 0 is stable as well.

So the forms disagree on the question that matters, whether a lasting small drawback costs a little or everything. Where
a form's own constant (K, s0 or m) is not stated, it is the one for which the stock at the start stands still at q = 0
(K is at most everybody): the forms then begin alike and differ in their answer only.

References
----------
Verhulst 1838 (logistic); Cavalli-Sforza & Feldman, "Cultural Transmission and Evolution", 1981 (horizontal learning).
Abrams & Strogatz, "Modelling the dynamics of language death", Nature 424, 2003.
Granovetter, "Threshold models of collective behavior", American Journal of Sociology 83, 1978.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heritage_agents.communities.transmission.config import (
    CompetitionConfig,
    LogisticConfig,
    ThresholdConfig,
    TransmissionConfig,
)

Float64 = npt.NDArray[np.float64]
STEPS_PER_TIME = 32
"""Runge-Kutta steps in the time in which a form can change by its own size: leaves an error near 1e-9."""


class Form(Protocol):
    """A functional form of transmission."""

    def after(self, share: Float64, advantage: Float64, years: float) -> Float64:
        """Return the share of people who practise after a time at a constant advantage.

        Parameters
        ----------
        share : ndarray of float64, shape (num_communities,)
            Share of each community's people who practise now.
        advantage : ndarray of float64, shape (num_communities,)
            Advantage of practising in each.
        years : float
            How long, >= 0.

        Returns
        -------
        ndarray of float64, shape (num_communities,)
            In [0, 1].
        """
        ...


class Logistic:
    """Diffusion with forgetting, in closed form, so exact for any length of a step.

    Parameters
    ----------
    config : LogisticConfig
        Rates.
    start : ndarray of float64, shape (num_communities,)
        Shares at the start.
    """

    def __init__(self, config: LogisticConfig, start: Float64) -> None:
        self._l, self._f = config.learning, config.forgetting
        if config.capacity is None:
            self._capacity = np.minimum(start / (1.0 - config.forgetting / config.learning), 1.0)
        else:
            self._capacity = np.full_like(start, config.capacity)

    def after(self, share: Float64, advantage: Float64, years: float) -> Float64:
        """Return the share after a time (see `Form`)."""
        learning = self._l * np.exp(advantage)
        r = learning - self._f
        # (1 - e^(-r t)) / r, which is t where learning and forgetting are equal.
        elapsed = np.where(r == 0.0, years, -np.expm1(-r * years) / np.where(r == 0.0, 1.0, r))
        slowed = np.exp(-r * years) + learning * share / self._capacity * elapsed
        return np.divide(share, slowed, out=np.zeros_like(share), where=share > 0.0)


class Competition:
    """Practising against not practising.

    Parameters
    ----------
    config : CompetitionConfig
        Rate, exponent and status.
    start : ndarray of float64, shape (num_communities,)
        Shares at the start.
    """

    def __init__(self, config: CompetitionConfig, start: Float64) -> None:
        self._c, self._a = config.rate, config.volatility
        with np.errstate(divide="ignore"):  # where everybody practises, the odds are infinite and so is the status
            odds = start / (1.0 - start)
            if config.status is None:
                self._logit = (1.0 - self._a) * np.log(odds) if self._a != 1.0 else np.zeros_like(start)
            else:
                self._logit = np.full_like(start, np.log(config.status / (1.0 - config.status)))

    def after(self, share: Float64, advantage: Float64, years: float) -> Float64:
        """Return the share after a time (see `Form`)."""
        c, a = self._c, self._a
        s = 1.0 / (1.0 + np.exp(-(self._logit + advantage)))

        def change(x: Float64) -> Float64:
            return c * ((1.0 - x) * x**a * s - x * (1.0 - x) ** a * (1.0 - s))

        return flowed(change, share, years, rate=c * (1.0 + a))


class Threshold:
    """Generations with thresholds.

    Parameters
    ----------
    config : ThresholdConfig
        Length of a generation, and the distribution of thresholds.
    start : ndarray of float64, shape (num_communities,)
        Shares at the start.
    """

    def __init__(self, config: ThresholdConfig, start: Float64) -> None:
        self._years, self._h = config.generation_years, config.steepness
        if config.threshold is None:
            self._median = start * ((1.0 - start) / start) ** (1.0 / self._h)
        else:
            self._median = np.full_like(start, config.threshold)

    def after(self, share: Float64, advantage: Float64, years: float) -> Float64:
        """Return the share after a time (see `Form`)."""
        h = self._h
        median = (self._median * np.exp(-advantage)) ** h

        def change(x: Float64) -> Float64:
            seen = x**h
            reached = np.divide(seen, seen + median, out=np.zeros_like(x), where=seen + median > 0.0)
            return (reached - x) / self._years

        return flowed(change, share, years, rate=(1.0 + h / 4.0) / self._years)


def flowed(change: Callable[[Float64], Float64], share: Float64, years: float, rate: float) -> Float64:
    """Return shares after a time under ``dx/dt = change(x)``, by the classical Runge-Kutta method of fourth order.

    Parameters
    ----------
    change : callable
        Rate of change of the shares, in 1/year.
    share : ndarray of float64, shape (num_communities,)
        Where they start, in [0, 1].
    years : float
        How long.
    rate : float
        How fast the rate of change itself may change with the shares, in 1/year; it sets the length of a step.

    Returns
    -------
    ndarray of float64, shape (num_communities,)
        In [0, 1].
    """
    steps = max(1, int(np.ceil(years * rate * STEPS_PER_TIME)))
    dt, x = years / steps, share

    def within(y: Float64) -> Float64:
        return np.clip(y, 0.0, 1.0)

    for _ in range(steps):
        k1 = change(x)
        k2 = change(within(x + 0.5 * dt * k1))
        k3 = change(within(x + 0.5 * dt * k2))
        k4 = change(within(x + dt * k3))
        x = within(x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4))
    return x


def form_of(config: TransmissionConfig, start: Float64) -> Form | None:
    """Return the form that a configuration names, for communities with these shares at the start; None for none."""
    if config.kind == "logistic":
        return Logistic(config.logistic, start)
    if config.kind == "competition":
        return Competition(config.competition, start)
    if config.kind == "threshold":
        return Threshold(config.threshold, start)
    return None
