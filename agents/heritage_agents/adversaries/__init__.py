"""Adversaries: a ring that buys plays, uploads copies under many names, and claims to be the source of works."""
