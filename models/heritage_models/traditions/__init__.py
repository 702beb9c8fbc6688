"""Traditions: tunings, lattices, constraint tables and archives."""
