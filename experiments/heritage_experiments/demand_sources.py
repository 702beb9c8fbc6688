"""From a scenario to its demand: buyers from its rates, creators from a finished run or from the economy itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from heritage_agents.demand.buyers import BuyerArrivals
from heritage_agents.demand.commissions import CommissionsMade, CreatorArrivals
from heritage_agents.demand.merging import MergedArrivals
from heritage_agents.demand.shelves import Shelf, Shelves
from heritage_sim.base import ArrivalSource, InputError, Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heritage_experiments.scenario import Scenario

Who = Literal["both", "buyers", "creators"]
REACHED_GENERATOR = ("withheld", "refused_terms", "published")
"""Fates of commissions that were made, whatever became of the piece."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Which demand is wanted.

    Parameters
    ----------
    scenario : Scenario
        A cell's scenario.
    cell : str
        Name of that cell, by which a finished run's records are found.
    replication : int
        Number of the replication.
    days : int
        Days of demand, from day 0 on.
    who : {"both", "buyers", "creators"}
        Whose.
    run : Path or None
        Folder of a finished run to take the creators' commissions from; None to live the economy for them.
    """

    scenario: Scenario
    cell: str
    replication: int
    days: int
    who: Who
    run: Path | None = None


def demand_of(asked: Asked, cache: Path) -> ArrivalSource:
    """Return the demand as one source of requests.

    Parameters
    ----------
    asked : Asked
        Which demand.
    cache : Path
        Where corpora, checkpoints and pools are kept.

    Returns
    -------
    ArrivalSource

    Raises
    ------
    InputError
        If more days are asked for than creators have, or the run holds no such replication.
    """
    scenario = asked.scenario
    shelves = shelves_of(scenario, cache)
    keys = Keys(scenario.seed, asked.replication)
    sources: list[ArrivalSource] = []
    if asked.who != "creators":
        sources.append(BuyerArrivals(scenario.demand, shelves, keys))
    if asked.who != "buyers":
        made = commissions_made(_commissions(asked, cache))
        sources.append(CreatorArrivals(scenario.demand, shelves, keys, made))
    return MergedArrivals(sources)


def shelves_of(scenario: Scenario, cache: Path) -> Shelves:
    """Return what may be asked for: the archive of each tradition with the lengths of its works."""
    from heritage_experiments.wiring import corpora_of

    corpora = corpora_of(scenario.traditions, scenario.seed, cache)
    shelves = [
        Shelf(
            tradition=name,
            sources=tuple(piece.receipt.piece_sha256 for piece in corpus.pieces),
            num_events=np.array([piece.notes.num_notes for piece in corpus.pieces], dtype=np.int64),
        )
        for name, corpus in corpora.items()
    ]
    return Shelves(shelves, scenario.generator.takes, scenario.generator.max_notes)


def commissions_made(table: Mapping[str, Any]) -> CommissionsMade:
    """Return the commissions of a run's table ``commissions`` that reached the generator."""
    derived = np.asarray(table["intent"], dtype=np.str_) == "derive"
    kept = np.flatnonzero(derived & np.isin(np.asarray(table["fate"], dtype=np.str_), REACHED_GENERATOR))
    day, creator, take = (np.asarray(table[name], dtype=np.int64)[kept] for name in ("day", "creator", "take"))
    tradition, source = (np.asarray(table[name], dtype=np.str_)[kept] for name in ("tradition", "source_sha256"))
    return CommissionsMade(day, creator, take, tuple(tradition.tolist()), tuple(source.tolist()))


def _commissions(asked: Asked, cache: Path) -> Mapping[str, Any]:
    if asked.run is not None:
        return _of_run(asked, asked.run)
    lived = asked.scenario.economy.days
    if asked.days > lived:
        raise InputError(
            f"the economy lives {lived} days, and its creators' commissions of {asked.days} are asked for",
            f"--days {asked.days}",
            f"--set economy.days={asked.days}, or --who buyers",
        )
    return _of_economy(asked, cache)


def _of_economy(asked: Asked, cache: Path) -> Mapping[str, Any]:
    from heritage_contracts.config import LedgerConfig
    from heritage_experiments.wiring import Surroundings, build_economy

    # All ledgers keep the same books, so the quickest will do.
    scenario = asked.scenario.model_copy(update={"ledger": LedgerConfig(kind="reference")})
    economy = build_economy(scenario, asked.replication, Surroundings(cache))
    try:
        economy.run(asked.days)
        return economy.results().tables["commissions"]
    finally:
        economy.close()


def _of_run(asked: Asked, folder: Path) -> Mapping[str, Any]:
    from heritage_experiments.store import RunStore, Task

    store, task = RunStore(folder), Task(asked.replication, asked.cell)
    if not store.is_done(task) or not store.part_path("commissions", task).exists():
        raise InputError(
            f"the run has no finished replication {asked.replication} of cell {asked.cell!r} with its commissions",
            str(folder),
            "name another with --cell and --replication, or let it finish: heritage resume",
        )
    table = store.read_part("commissions", task)
    return {name: table[name].to_numpy() for name in table.columns}
