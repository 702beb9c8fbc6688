"""The configuration sections of who acts, in one place for those who compose them."""

from heritage_agents.communities.config import CommunityConfig, ConsentChange, JuryConfig
from heritage_agents.communities.transmission.config import TransmissionConfig
from heritage_agents.creators.config import CreatorsConfig
from heritage_agents.listeners.config import ListenersConfig, PlanConfig

__all__ = [
    "CommunityConfig",
    "ConsentChange",
    "CreatorsConfig",
    "JuryConfig",
    "ListenersConfig",
    "PlanConfig",
    "TransmissionConfig",
]
