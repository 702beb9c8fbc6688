"""Demand for generated music: who asks for a piece, when, on which work, how long, and how long they wait."""
