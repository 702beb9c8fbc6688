"""What all replications of a run share, loaded or made once before its folder is."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heritage_experiments.display import Display
from heritage_experiments.planning import Plan
from heritage_experiments.scenario import Scenario
from heritage_experiments.wiring import Surroundings, archive_of, corpora_of, generator_for, served_generator
from heritage_sim.base import Commission, Generator, Piece

NUM_HEARD = 3
"""Generated pieces that the report lets one hear."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What replications share, as hashes: a run can only be taken up with the same.

    Parameters
    ----------
    archive_sha256 : str
        Over the content of every archive work, in order.
    checkpoints : dict of str to str
        Cell to checkpoint hash; empty where no model is used.
    """

    archive_sha256: str
    checkpoints: dict[str, str]

    def differing(self, manifest: dict[str, Any]) -> list[str]:
        """Return the names of what is not what a run's manifest says it was begun with."""
        return [name for name, value in asdict(self).items() if manifest.get(name) != value]


def cached_cells(plan: Plan, cache: Path) -> frozenset[str]:
    """Return the cells that need no training and no new pool; reads the corpora, makes nothing else.

    Parameters
    ----------
    plan : Plan
        Checked scenario.
    cache : Path
        Cache folder.

    Returns
    -------
    frozenset of str

    Raises
    ------
    InputError
        If a corpus or tuning cannot be used.
    """
    return frozenset(name for name, cell in plan.resolved.items() if _is_cached(cell, cache))


def _is_cached(cell: Scenario, cache: Path) -> bool:
    config, corpora = cell.generator, corpora_of(cell.traditions, cell.seed, cache)
    if "generator" in cell.own_parts or config.kind == "archive":
        return True
    if config.kind == "pool":
        from heritage_models.generator.fingerprint import decoding_key
        from heritage_models.generator.pool import pool_path

        return pool_path(decoding_key(config, corpora, cell.seed), cache).exists()
    if importlib.util.find_spec("torch") is None:
        return False
    from heritage_models.generator.checkpoint import checkpoint_path

    return checkpoint_path(config, corpora, cache).exists()


def prepare(plan: Plan, cache: Path, display: Display) -> Prepared:
    """Load or make what replications share, and return its hashes.

    Parameters
    ----------
    plan : Plan
        Checked scenario.
    cache : Path
        Cache folder.
    display : Display
        Told how far it is.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If a corpus, tuning or part cannot be used.
    """
    scenario = plan.scenario
    display.preparing("Reading traditions and archives", 0, 1)
    corpora_of(scenario.traditions, scenario.seed, cache)
    names = [t.name for t in scenario.traditions]
    held = tuple(names.index(c.tradition) for c in scenario.communities)
    archive = archive_of(scenario.traditions, held, scenario.seed, cache)
    return Prepared(
        hashlib.sha256(archive.content_sha256.tobytes()).hexdigest(),
        {name: _in_process(cell, cache, display).checkpoint_sha256 for name, cell in plan.resolved.items()},
    )


def pieces_to_hear(plan: Plan, cache: Path) -> list[Piece]:
    """Return a generated piece of each tradition from the first cell that generates, on the first archive piece."""
    generating = (c for c in plan.resolved.values() if "generator" in c.own_parts or c.generator.kind != "archive")
    cell = next(generating, None)
    if cell is None:
        return []
    made = _in_process(cell, cache)
    corpora = corpora_of(cell.traditions, cell.seed, cache)
    return made.compose(
        [
            Commission(f"report-{name}", name, corpus.pieces[0].receipt.piece_sha256, take=0)
            for name, corpus in list(corpora.items())[:NUM_HEARD]
        ]
    )


def _in_process(cell: Scenario, cache: Path, display: Display | None = None) -> Generator:
    if "generator" not in cell.own_parts and cell.generator.kind == "serve":
        return served_generator(cell.generator, cell.traditions, cell.seed, cache)
    return generator_for(cell, Surroundings(cache), display.preparing if display else None)
