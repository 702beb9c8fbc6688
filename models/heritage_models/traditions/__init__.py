"""Traditions: tunings, lattices, constraint tables and archives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from heritage_models.traditions.tradition import Corpus, Tradition, Tuning

if TYPE_CHECKING:
    from heritage_models.config import TraditionConfig

__all__ = ["Corpus", "Tradition", "Tuning", "load_corpus"]


def load_corpus(config: TraditionConfig, root_seed: int, cache_dir: Path) -> Corpus:
    """Return a tradition with its archive: rules measured from the pieces, pieces with their fidelity.

    Depends on the configuration, the seed and the source files alone; ``cache_dir`` only saves time.

    Parameters
    ----------
    config : TraditionConfig
        Which tradition, and how much of it.
    root_seed : int
        Seed of the scenario: synthetic pieces and the choice among real ones are keyed by it.
    cache_dir : Path
        Folder for what has been read, by content hash; made if it is not there.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        If a file or tuning cannot be used, or fewer than two pieces remain.
    """
    from heritage_models.traditions.loading import load  # the sources need the fidelity meter, which needs this package

    return load(config, root_seed, cache_dir)
