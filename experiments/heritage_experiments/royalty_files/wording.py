"""Counts in words."""

from __future__ import annotations


def counted(num: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 work``, ``2,000 works``."""
    return f"{num:,} {noun if num == 1 else plural or noun + 's'}"
