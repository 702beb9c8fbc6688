"""The command line: ``heritage``. Exit codes: 0 fine, 1 failure, 2 bad input, 130 stopped."""

from __future__ import annotations

from heritage_experiments.cli.entry import main

__all__ = ["main"]
