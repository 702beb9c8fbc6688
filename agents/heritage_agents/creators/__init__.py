"""Creators: Mesa agents who record, commission, rest, enter and leave."""
