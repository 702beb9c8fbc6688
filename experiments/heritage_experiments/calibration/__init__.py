"""Calibration: a scenario's parameters fitted to aggregates of real listening by simulated moments."""
