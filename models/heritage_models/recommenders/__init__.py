"""Recommenders: what is offered to listeners. They see usage and work features, never a taste."""

from __future__ import annotations

from heritage_models.config import RecommenderConfig
from heritage_models.recommenders.content import ContentRecommender
from heritage_models.recommenders.ials import IalsRecommender
from heritage_models.recommenders.popularity import PopularityRecommender
from heritage_models.recommenders.uniform import UniformRecommender
from heritage_sim.base import Keys, Recommender

__all__ = [
    "RECOMMENDERS",
    "ContentRecommender",
    "IalsRecommender",
    "PopularityRecommender",
    "UniformRecommender",
    "make_recommender",
]

RECOMMENDERS = {
    "content": ContentRecommender,
    "ials": IalsRecommender,
    "popularity": PopularityRecommender,
    "random": UniformRecommender,
}
"""Registered kinds by name."""


def make_recommender(config: RecommenderConfig, keys: Keys) -> Recommender:
    """Return a fresh recommender of the configured kind for one replication."""
    return RECOMMENDERS[config.kind](config, keys)
