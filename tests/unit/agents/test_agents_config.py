"""Impossible settings are refused with a reason."""

import pytest
from pydantic import ValidationError

from heritage_agents.config import CommunityConfig, ListenersConfig, PlanConfig
from heritage_sim.base import Consent


def test_the_default_standard_plan_is_9_99_for_30_days_and_70_percent_enter_the_pool():
    config = ListenersConfig()
    assert config.plans[0].fee_units_per_30_days == 9_990_000
    assert config.pool_units_per_day()[0] * 30 == 6_993_000


def test_plan_shares_must_sum_to_one():
    with pytest.raises(ValidationError, match="sum to 1"):
        ListenersConfig(plans=(PlanConfig(name="a", fee_units_per_day=10_000, share=0.4),))


def test_device_shares_must_sum_to_one():
    with pytest.raises(ValidationError, match="devices must sum to 1"):
        ListenersConfig(devices=({"name": "lute", "share": 0.7},))


@pytest.mark.parametrize(
    "wrong", [{"weekly_profile": (0.0,) * 7}, {"weekly_profile": (1.0,) * 6}, {"daily_profile": (-1.0,) + (1.0,) * 23}]
)
def test_profiles_without_sense_are_refused(wrong):
    with pytest.raises(ValidationError, match="profile"):
        ListenersConfig(**wrong)


def test_a_pool_of_fractions_is_refused():
    with pytest.raises(ValidationError, match="whole number"):
        ListenersConfig(plans=(PlanConfig(name="a", fee_units_per_day=333_001, share=1.0),))


@pytest.mark.parametrize("wrong", [{"num_listeners": 0}, {"drift": 1.5}, {"sessions_per_day": -1.0}, {"drfit": 0.1}])
def test_impossible_or_unknown_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        ListenersConfig(**wrong)


def test_consent_names_are_the_flags():
    made = CommunityConfig(name="Tirtanala", tradition="gamelan", consent=("train", "perform"))
    assert made.consent_flags == Consent.TRAIN | Consent.PERFORM
