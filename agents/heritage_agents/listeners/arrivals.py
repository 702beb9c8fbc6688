"""When sessions begin: a non-homogeneous Poisson process for each listener, on days with the hours inside them.

A subscriber's sessions of a day are Poisson with mean

    lambda = rate x weekly[day mod 7] x (1 + release_pull log(1 + works of the home community that come out today))

and, their number given, they begin independently of one another after the profile of the 24 hours: together a Poisson
process whose intensity is lambda times that profile. The number comes by inversion of one keyed uniform (sessions past
the cap do not take place), the times by inversion of one each, in order. How many there are decides what happens; when
they are is only noted, so the times are worked out for noted sessions alone.

References
----------
Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979 (inversion and conditioning).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.arithmetic import exponential
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.philox import uniform
from heritage_agents.kernel.sheets import STEPS_PER_DAY
from heritage_agents.listeners.config import ListenersConfig
from heritage_sim.base import Stream, WorkFeatures
from heritage_sim.base.clock import DAY_S

Int64, Float64 = npt.NDArray[np.int64], npt.NDArray[np.float64]

_HOUR_S = DAY_S // 24


def day_factors(
    config: ListenersConfig, works: WorkFeatures, num_archive: int, num_communities: int, day: int
) -> Float64:
    """Return by how much a day multiplies the session rate of each community's listeners.

    Parameters
    ----------
    config : ListenersConfig
        Weekly shape, and the pull of releases.
    works : WorkFeatures
        The catalogue; its first ``num_archive`` works were there before day 0 and never come out.
    num_archive : int
        Works of the archive.
    num_communities : int
        Communities.
    day : int
        The day.

    Returns
    -------
    ndarray of float64, shape (num_communities,)
    """
    weekly = np.array(config.weekly_profile, dtype=np.float64)
    new = (works.day[num_archive:] == day) & works.available[num_archive:]
    released = np.bincount(works.community[num_archive:][new], minlength=num_communities)
    return weekly[day % 7] / weekly.mean() * (1.0 + config.release_pull * np.log1p(released))


@compiled
def sessions_today(ids, rate, home, subscribed, factors, max_sessions, day, key, days_paid):
    """Return the rows of subscribers with sessions today, and how many each has; count the day as paid.

    ``uniform < 1 - lambda`` implies no session, since exp(-lambda) is no less: most listeners need no exponential.
    """
    rows = np.empty(ids.size, dtype=np.int64)
    nums = np.empty(ids.size, dtype=np.int64)
    found = 0
    for row in range(ids.size):
        if not subscribed[row]:
            continue
        days_paid[row] += 1
        mean = rate[row] * factors[home[row]]
        u = uniform(ids[row], day, 0, key[0], key[1])
        if u < 1.0 - mean:
            continue
        term = exponential(-mean)
        reached = term
        num = 0
        while u >= reached and num < max_sessions:
            num += 1
            term *= mean / num
            reached += term
        if num > 0:
            rows[found] = row
            nums[found] = num
            found += 1
    return rows[:found].copy(), nums[:found].copy()


def start_seconds(
    stream: Stream, profile: tuple[float, ...], listener: Int64, day: Int64, session: Int64
) -> npt.NDArray[np.int32]:
    """Return the second of the day at which each session begins.

    Parameters
    ----------
    stream : Stream
        Draw ``k`` of a listener and day is the place of one session in the day; sessions are numbered in order of time.
    profile : tuple of float, length 24
        Relative rates of the hours.
    listener : ndarray of int64, shape (num_sessions,)
        Listener ids.
    day : ndarray of int64, shape (num_sessions,)
        Days; all sessions of a listener's day are there.
    session : ndarray of int64, shape (num_sessions,)
        Number of the session in its day, from 0.

    Returns
    -------
    ndarray of int32, shape (num_sessions,)
    """
    starts = np.zeros(listener.size, dtype=np.int32)
    edges = np.concatenate([np.zeros(1), np.cumsum(profile)])
    hours = np.arange(edges.size, dtype=np.float64) * _HOUR_S
    for today in np.unique(day).tolist():
        rows = np.flatnonzero(day == today)
        places = stream.uniforms(listener[rows], today * STEPS_PER_DAY, STEPS_PER_DAY)
        uniforms = places[np.arange(rows.size), session[rows]]
        order = np.lexsort((uniforms, listener[rows]))
        back = np.lexsort((session[rows], listener[rows]))
        inside = np.interp(uniforms[order] * edges[-1], edges, hours)
        starts[rows[back]] = np.minimum(inside, DAY_S - 1).astype(np.int32)
    return starts
