"""Measurements, each beside a baseline taken in the same run on the same work."""
