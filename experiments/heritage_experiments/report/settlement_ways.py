"""The ways in which a run's cells settle: which there are, and what is said of each step's length and source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from heritage_experiments.report.run_data import CellFacts, RunData
from heritage_experiments.scenario import Scenario, as_data
from heritage_sim.money import STEPS
from heritage_sim.money.config import IMMEDIATE

STEP_WORDS = {
    "usage": "play to end of period",
    "report": "report",
    "matching": "matching",
    "cash_in": "cash-in",
    "statement": "statement",
    "settlement": "settlement",
    "cash_out": "cash-out",
}
"""Steps of the money chain as they are shown."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way of settling.

    Parameters
    ----------
    cell : CellFacts
        The first of the cells that settle so.
    scenario : Scenario
        What that cell stands for.
    name : str
        As it stands at the head of a column.
    """

    cell: CellFacts
    scenario: Scenario
    name: str

    @property
    def is_manual(self) -> bool:
        """Return whether payments are made by hand."""
        return self.scenario.money_chain.settlement.kind == "manual"

    @property
    def phrase(self) -> str:
        """Return the way as part of a sentence."""
        return "settled by hand" if self.is_manual else "settled on chain"


def ways_of(run: RunData) -> tuple[Way, ...]:
    """Return one way for each different set of money settings among the cells, the scenario's first cell first."""
    first: dict[str, tuple[CellFacts, Scenario]] = {}
    for cell in run.cells:
        scenario = run.resolved[cell.name]
        first.setdefault(repr(_money_of(scenario)), (cell, scenario))
    kinds = [s.money_chain.settlement.kind for _, s in first.values()]
    plain = {"manual": "by hand", "on_chain": "on chain"}
    return tuple(
        Way(cell, scenario, plain[kind] if kinds.count(kind) == 1 else cell.name)
        for (cell, scenario), kind in zip(first.values(), kinds, strict=True)
    )


def needs_telling(ways: tuple[Way, ...]) -> bool:
    """Return whether there is more to say than how long the epoch and the window are."""
    return len(ways) > 1 or any(
        way.is_manual or any(step.lag_s for step in way.scenario.money_chain.shared_steps) for way in ways
    )


def pair_of(ways: tuple[Way, ...]) -> tuple[Way, Way] | None:
    """Return the two ways that are compared: the first on chain with the first by hand, else the first two."""
    if len(ways) < 2:
        return None
    chain = next((w for w in ways if not w.is_manual), None)
    hand = next((w for w in ways if w.is_manual), None)
    return (chain, hand) if chain and hand else (ways[1], ways[0])


def differ_otherwise(pair: tuple[Way, Way]) -> bool:
    """Return whether two ways' cells differ in anything but how the money is settled."""
    rest = [
        {k: v for k, v in as_data(way.scenario).items() if k not in ("money_chain", "ledger", "name", "question")}
        for way in pair
    ]
    settled = [
        way.scenario.money_chain.model_copy(update={"settlement": pair[0].scenario.money_chain.settlement})
        for way in pair
    ]
    return rest[0] != rest[1] or settled[0] != settled[1]


def sources(way: Way) -> dict[str, str]:
    """Return of each step where its length comes from."""
    chain = way.scenario.money_chain
    told = {"usage": f"follows from the epoch of {way.scenario.economy.epoch_days} days, a setting"}
    told |= {name: getattr(chain, name).source for name in STEPS if name != "usage"}
    return told


def standing(source: str) -> str:
    """Return what a source's text says of itself: an assumption, a stated source, or neither."""
    if source == IMMEDIATE:
        return "taken as immediate"
    if any(word in source.lower() for word in ("assumed", "assumption")):
        return "assumption"
    return "setting" if source.startswith("none:") or source.endswith("a setting") else "stated source"


def _money_of(scenario: Scenario) -> tuple[Any, ...]:
    chain, ledger = scenario.money_chain, scenario.ledger
    return chain, ledger.challenge_window_hours, ledger.faults, scenario.economy.epoch_days
