"""How much of an import a run would use, and why not the rest: what a person wants to know right after importing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from heritage_models.config import TraditionConfig
from heritage_models.traditions.imported import load_imported

_ALL_WORKS = 20_000


@dataclass(frozen=True, slots=True)
class ArchiveUse:
    """What a scenario makes of an imported tradition.

    Parameters
    ----------
    num_works : int
        Archive works that the scenario asks for.
    num_used : int
        Pieces that it gets.
    not_used : tuple of (str, int)
        Each reason for which pieces are not used, with their number, most frequent first.
    num_most : int
        Pieces that can be used at most, by raising ``num_works``.
    """

    num_works: int
    num_used: int
    not_used: tuple[tuple[str, int], ...]
    num_most: int


def archive_use(config: TraditionConfig, root_seed: int = 0) -> ArchiveUse:
    """Return how many pieces of an imported tradition a scenario uses, and why not the others.

    Parameters
    ----------
    config : TraditionConfig
        Section of the tradition, kind ``imported``.
    root_seed : int
        Seed of the scenario; it decides which pieces are drawn, not how many.

    Returns
    -------
    ArchiveUse

    Raises
    ------
    InputError
        If the scenario could not use the import at all.
    """
    corpus = load_imported(config, root_seed)
    most = load_imported(config.model_copy(update={"num_works": _ALL_WORKS}), root_seed)
    return ArchiveUse(config.num_works, len(corpus.pieces), reasons_counted(corpus.left_out), len(most.pieces))


def reasons_counted(left_out: tuple[tuple[str, str], ...]) -> tuple[tuple[str, int], ...]:
    """Return each reason with how often it is given, most frequent first."""
    return tuple(Counter(reason for _, reason in left_out).most_common())
