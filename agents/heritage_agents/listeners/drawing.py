"""Who the listeners are when the simulation starts: home, taste, habits, device and plan, each drawn by listener id.

The prior of taste is an assumption, stated here once: a listener's first taste is the unit vector along

    centroid(home) + taste_anchor_weight v(anchor) + taste_noise g / sqrt(dim)

where the centroid (of unit length) is that of the home community's archive, the anchor is one archive work drawn from
all communities, and g is standard normal. The history is empty (zeros), so the first slates follow the recommender's
bias. The heritage-familiarity index is logit-normal: logistic(familiarity_mean + familiarity_sd z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_agents.communities.config import CommunityConfig
from heritage_agents.listeners.config import ListenersConfig
from heritage_sim.base import InputError, Keys, TasteVectors, WorkFeatures

_AT_ONCE = 16_384
"""Listeners drawn at once: what a draw takes on the way does not grow with their number."""


@dataclass(frozen=True, slots=True, eq=False)
class Listeners:
    """Listeners at the start; arrays over ``(num_listeners,)``.

    Parameters
    ----------
    ids : ndarray of int64
        Listener ids, ascending.
    home, plan, device : ndarray of int32
        Index of the home community, of the plan and of the device.
    taste : TasteVectors
        Unit vectors, shape ``(num_listeners, dim)``.
    consistency_taste : ndarray of float64
        Utility of consistency with the archive.
    familiarity : ndarray of float64
        Heritage-familiarity index, in [0, 1].
    session_rate : ndarray of float64
        Mean sessions a day, over the week.
    subscribed : ndarray of bool
        Who subscribes.
    pool_units_per_day : ndarray of int64
        What the listener's fee adds to the royalty pool a day, in the token's smallest unit.
    num_communities : int
        Communities of the scenario, whether or not a listener of this range is at home there.
    """

    ids: npt.NDArray[np.int64]
    home: npt.NDArray[np.int32]
    plan: npt.NDArray[np.int32]
    device: npt.NDArray[np.int32]
    taste: TasteVectors
    consistency_taste: npt.NDArray[np.float64]
    familiarity: npt.NDArray[np.float64]
    session_rate: npt.NDArray[np.float64]
    subscribed: npt.NDArray[np.bool_]
    pool_units_per_day: npt.NDArray[np.int64]
    num_communities: int


def draw_listeners(
    config: ListenersConfig,
    communities: Sequence[CommunityConfig],
    keys: Keys,
    first: int,
    stop: int,
    archive: WorkFeatures,
) -> Listeners:
    """Return listeners ``first ... stop - 1`` as they are before day 0.

    Each is drawn by its own id, so that the division into ranges does not matter.

    Parameters
    ----------
    config : ListenersConfig
        The population.
    communities : sequence of CommunityConfig
        In community order.
    keys : Keys
        Streams of the replication.
    first : int
        First listener id.
    stop : int
        One past the last.
    archive : WorkFeatures
        Works on which first tastes are centred.

    Returns
    -------
    Listeners

    Raises
    ------
    InputError
        If no community has listeners, or one that has them has no archive work to centre their taste on.
    """
    shares = np.array([c.listener_share for c in communities], dtype=np.float64)
    if not shares.size or shares.sum() <= 0.0:
        raise InputError(
            "no community has any listeners", "communities: listener_share", "give at least one a share above 0"
        )
    centroids = _centroids(communities, shares, archive)
    edges = [*range(first, stop, _AT_ONCE), stop]
    drawn = [
        _drawn(config, communities, shares, centroids, keys, np.arange(a, b, dtype=np.int64), archive)
        for a, b in pairwise(edges)
    ]
    arrays = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    return Listeners(num_communities=len(communities), taste=TasteVectors(arrays.pop("taste")), **arrays)


def _centroids(
    communities: Sequence[CommunityConfig], shares: npt.NDArray[np.float64], archive: WorkFeatures
) -> npt.NDArray[np.float64]:
    """Return the unit vector along the mean of each community's archive; zeros for one without listeners or works."""
    centroids = np.zeros((len(communities), archive.vectors.shape[1]), dtype=np.float64)
    for c, community in enumerate(communities):
        own = archive.vectors[archive.community == c]
        if shares[c] > 0.0 and not own.shape[0]:
            raise InputError(
                f"community {community.name!r} has listeners but no archive work to centre their taste on",
                f"communities: {community.name}",
                "give its tradition at least one archive work, or set its listener_share to 0",
            )
        if own.shape[0]:
            centroids[c] = own.astype(np.float64).mean(axis=0)
    return _unit(centroids)


def _drawn(
    config: ListenersConfig,
    communities: Sequence[CommunityConfig],
    shares: npt.NDArray[np.float64],
    centroids: npt.NDArray[np.float64],
    keys: Keys,
    ids: npt.NDArray[np.int64],
    archive: WorkFeatures,
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of `Listeners` for some ids."""
    home = _pick(keys.stream("listener", "home").uniform(ids, 0), shares)
    plan, device = (
        _pick(keys.stream("listener", name).uniform(ids, 0), np.array([part.share for part in parts]))
        for name, parts in (("plan", config.plans), ("device", config.devices))
    )

    dim = archive.vectors.shape[1]
    anchor = keys.stream("listener", "anchor").integer(ids, 0, archive.num_works)
    noise = keys.stream("listener", "taste").normals(ids, 0, dim) / np.sqrt(dim)
    taste = _unit(
        centroids[home]
        + config.taste_anchor_weight * archive.vectors[anchor].astype(np.float64)
        + config.taste_noise * noise
    )

    spread = keys.stream("listener", "activity").normals(ids, 0, 1)[:, 0] * config.activity_sd
    activity = np.array([c.activity for c in communities], dtype=np.float64)[home]
    theta = keys.stream("listener", "consistency_taste").normals(ids, 0, 1)[:, 0]
    logit = config.familiarity_mean + config.familiarity_sd * keys.stream("listener", "familiarity").normals(ids, 0, 1)
    return {
        "ids": ids,
        "home": home,
        "plan": plan,
        "device": device,
        "taste": taste.astype(np.float32),
        "consistency_taste": config.consistency_taste_mean + config.consistency_taste_sd * theta,
        "familiarity": 1.0 / (1.0 + np.exp(-logit[:, 0])),
        "session_rate": config.sessions_per_day * activity * np.exp(spread - 0.5 * config.activity_sd**2),
        "subscribed": keys.stream("listener", "subscribed").uniform(ids, 0) < config.subscribed_at_start,
        "pool_units_per_day": np.array(config.pool_units_per_day(), dtype=np.int64)[plan],
    }


def _pick(uniforms: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return an index for each uniform, in proportion to the weights."""
    edges = np.cumsum(weights) / weights.sum()
    edges[-1] = 1.0
    return np.searchsorted(edges, uniforms, side="right").astype(np.int32)


def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the rows scaled to unit length; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0.0, length, 1.0)
