r"""How often buyers ask: the rate of a non-homogeneous Poisson process, constant within each hour.

With ``h`` the hour of the day, ``w`` the day of the week, ``a`` the hours since the last release (none before the
first) and the profiles scaled to mean 1, the rate in requests per second is

.. math:: \lambda = \frac{\text{buyers\_per\_day}}{86400} \text{hourly}_h \text{weekly}_w
   (1 + \text{release\_burst} e^{-a / \text{release\_decay\_h}})
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_agents.demand.config import HOURS, WEEKDAYS, DemandConfig
from heritage_sim.base import DAY_S

HOUR_S = DAY_S // HOURS

Float64 = npt.NDArray[np.float64]


def rate_per_s(config: DemandConfig, hours: npt.NDArray[np.int64]) -> Float64:
    """Return the rate in requests per second in each hour since the start, shape ``(num_hours,)``."""
    day, hour = hours // HOURS, hours % HOURS
    shape = _scaled(config.hourly)[hour] * _scaled(config.weekly)[day % WEEKDAYS]
    period = config.release_every_days * HOURS
    age = (hours - config.release_hour) % period
    # The first release is one period after day 0's, so before it there is no age.
    released = hours - config.release_hour >= period
    burst = np.where(released, config.release_burst * np.exp(-age / config.release_decay_h), 0.0)
    return config.buyers_per_day / DAY_S * shape * (1.0 + burst)


def expected_requests(config: DemandConfig, start_s: float, stop_s: float) -> float:
    """Return the integral of the rate over ``[start_s, stop_s)``: the expected number of buyers' requests."""
    hours = np.arange(int(start_s // HOUR_S), int(-(-stop_s // HOUR_S)), dtype=np.int64)
    inside = np.minimum((hours + 1) * HOUR_S, stop_s) - np.maximum(hours * HOUR_S, start_s)
    return float((rate_per_s(config, hours) * np.maximum(inside, 0.0)).sum())


def second_of_day(config: DemandConfig, uniforms: Float64) -> Float64:
    """Return the second of the day at which the integral of the hourly profile reaches each uniform."""
    edges = np.concatenate([[0.0], np.cumsum(_scaled(config.hourly)) / HOURS])
    return np.interp(uniforms, edges / edges[-1], np.arange(HOURS + 1) * float(HOUR_S))


def _scaled(weights: tuple[float, ...]) -> Float64:
    values = np.array(weights, dtype=np.float64)
    return values / values.mean()
