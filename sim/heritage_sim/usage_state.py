"""A `Usage` as plain arrays and numbers, and back."""

from __future__ import annotations

from dataclasses import fields

from heritage_sim.base import State, Usage


def usage_to_state(usage: Usage) -> State:
    """Return a usage as a dict of its fields."""
    return {field.name: getattr(usage, field.name) for field in fields(Usage)}


def usage_from_state(state: State) -> Usage:
    """Return the usage that `usage_to_state` put down."""
    return Usage(**state)
