"""``python -m heritage_experiments`` is the ``heritage`` command."""

from heritage_experiments.cli import main

main()
