"""A small world of works, and recommenders that draw candidates at random or rank them all."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heritage_agents.config import CommunityConfig, ListenersConfig
from heritage_agents.listeners.drawing import Listeners
from heritage_sim.base import Keys, TasteVectors, WorkFeatures, World

KEYS = Keys(root_seed=7, replication=3)


class RandomOffers:
    """A recommender state: candidates are a keyed run through the catalogue, so they are distinct."""

    def __init__(self, num_works, num_candidates, affinity=2.0):
        self.affinity = affinity
        self.bias = (KEYS.stream("test", "bias").normals(np.arange(num_works), 0, 1)[:, 0] * 0.3).astype(np.float32)
        self.num_candidates = num_candidates

    def candidates(self, listener_ids, history, day):
        start = KEYS.stream("test", "start").integer(listener_ids, day, self.bias.size)
        return ((start[:, None] + 7 * np.arange(self.num_candidates)) % self.bias.size).astype(np.int32)


class FixedOffers:
    """The same candidates for everybody, every day."""

    affinity = 0.0

    def __init__(self, works, num_works):
        self.works = np.asarray(works, dtype=np.int32)
        self.bias = np.zeros(num_works, dtype=np.float32)

    def candidates(self, listener_ids, history, day):
        return np.tile(self.works, (len(listener_ids), 1))


class RankedOffers:
    """A recommender of the whole catalogue: queries from the works played last, with ties among the factors."""

    def __init__(self, num_works, num_candidates=25, num_factors=5):
        self.num_candidates = num_candidates
        self.factors = np.round(KEYS.stream("test", "factors").normals(np.arange(num_works), 0, num_factors) * 4) / 4
        self.factors = self.factors.astype(np.float32)
        self.bias = (KEYS.stream("test", "bias").normals(np.arange(num_works), 0, 1)[:, 0] * 0.3).astype(np.float32)

    def queries(self, listener_ids, recent, day):
        known = np.where((recent >= 0)[:, :, None], self.factors[recent], np.float32(0.0))
        return known.sum(axis=1) * np.float32(0.25) + np.float32(day)


class Kit:
    """What the tests of this folder build with."""

    keys = KEYS
    RandomOffers = RandomOffers
    FixedOffers = FixedOffers
    RankedOffers = RankedOffers
    communities = tuple(CommunityConfig(name=name, tradition=name) for name in ("Tirtanala", "Quilluma", "Baihe"))

    @staticmethod
    def works(num_works=131, dim=24):
        """Return works of unit length; 24 is no multiple of the kernel's 16 lanes, 131 none of the offers' stride."""
        raw = KEYS.stream("test", "vectors").normals(np.arange(num_works), 0, dim)
        of = np.arange(num_works, dtype=np.int32) % 3
        return WorkFeatures(
            vectors=(raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32),
            tradition=of,
            community=of,
            day=np.zeros(num_works, np.int32),
            consistency=KEYS.stream("test", "consistency").uniform(np.arange(num_works), 0).astype(np.float32),
            duration_s=np.linspace(20, 200, num_works).astype(np.float32),
            available=np.ones(num_works, bool),
        )

    @staticmethod
    def world(works, state, day=0, visible=None, shares=None):
        plays = np.arange(works.num_works, dtype=np.int64) if visible is None else visible
        shares = np.ones(3) if shares is None else shares
        return World(day=day, works=works, recommender_state=state, visible_plays=plays, subscribed_share=shares)

    @staticmethod
    def alike(num_listeners, taste, theta=0.0, fee=100, **changes):
        """Return listeners with one taste, so eager that they come as often as they may."""
        n = num_listeners
        same = {
            "ids": np.arange(n, dtype=np.int64),
            "home": np.zeros(n, np.int32),
            "plan": np.zeros(n, np.int32),
            "device": np.zeros(n, np.int32),
            "taste": TasteVectors(np.tile(np.asarray(taste, np.float32), (n, 1))),
            "consistency_taste": np.full(n, theta),
            "familiarity": np.zeros(n),
            "session_rate": np.full(n, 100.0),
            "subscribed": np.ones(n, bool),
            "pool_units_per_day": np.full(n, fee, np.int64),
            "num_communities": 3,
        }
        return Listeners(**same | changes)

    @staticmethod
    def once_a_day(**changes):
        """Return a configuration under which those come once a day, on a device of no effect, and never end."""
        plain = {
            "max_sessions_per_day": 1,
            "devices": ({"name": "any", "share": 1.0},),
            "leave_prior": 0.0,
            "churn_base": -1e3,
        }
        return Kit.config(**plain | changes)

    @staticmethod
    def config(**changes):
        return ListenersConfig(**({"num_listeners": 240, "sessions_per_day": 0.8} | changes))

    replace = staticmethod(replace)


@pytest.fixture
def kit():
    return Kit


@pytest.fixture(scope="session")
def plain():
    """The module ``plain_cohort.py`` beside this file."""
    spec = importlib.util.spec_from_file_location("plain_cohort", Path(__file__).with_name("plain_cohort.py"))
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["plain_cohort"] = module
    spec.loader.exec_module(module)
    return module
