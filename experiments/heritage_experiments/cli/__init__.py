"""The command line: ``heritage``. Exit codes: 0 fine, 2 bad input, 1 failure."""

from __future__ import annotations

from heritage_experiments.cli.entry import main

__all__ = ["main"]
