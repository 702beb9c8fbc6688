"""The submodels: every module that holds one, with its own words and formulas.

A new module in one of these rooms is described without anything being added here.
"""

from __future__ import annotations

from dataclasses import dataclass

from heritage_experiments.oddd.docstrings import Source, blocks_of, modules_in
from heritage_experiments.oddd.document import Block, Paragraph


@dataclass(frozen=True, slots=True)
class Room:
    """Modules that are described under one heading.

    Parameters
    ----------
    heading : str
        In words.
    packages : tuple of str
        Where they are.
    left_out : tuple of str
        Modules that carry no behaviour of the model, such as those that make it fast.
    """

    heading: str
    packages: tuple[str, ...]
    left_out: tuple[str, ...] = ()


ROOMS = (
    Room(
        "Listeners: sessions, choice, listening, leaving, drift",
        ("heritage_agents.listeners", "heritage_agents.kernel"),
        (
            *(f"heritage_agents.kernel.{name}" for name in ("arithmetic", "catalogue", "draws", "groups", "lanes")),
            *(f"heritage_agents.kernel.{name}" for name in ("philox", "sheets", "tiles")),
            *("heritage_agents.listeners.resharding", "heritage_agents.listeners.view"),
        ),
    ),
    Room("Creators: what is made, and by whom", ("heritage_agents.creators",)),
    Room(
        "Communities: terms, consent, juries",
        ("heritage_agents.communities",),
        tuple(f"heritage_agents.communities.transmission.{name}" for name in ("advantage", "forms", "stock")),
    ),
    Room("Transmission of practice", ("heritage_agents.communities.transmission",)),
    Room("Adversaries", ("heritage_agents.adversaries",)),
    Room("Demand for generated music", ("heritage_agents.demand",)),
    Room("Steps of the day", ("heritage_sim.day",)),
    Room("Recommenders", ("heritage_models.recommenders",)),
    Room("Royalty rules", ("heritage_sim.royalty.rules",)),
    Room("From statement to money in hand", ("heritage_sim.money",)),
    Room(
        "Music: constraints, encoding, fidelity",
        ("heritage_models.generator.constraints", "heritage_models.encoder", "heritage_models.fidelity"),
    ),
    Room("Measures", ("heritage_sim.metrics", "heritage_sim.evaluation")),
)


def submodels() -> list[tuple[str, list[tuple[Source, list[Block]]]]]:
    """Return the headings with their modules, each as blocks; headings without a module are left out."""
    found = []
    for room in ROOMS:
        sources = [
            source
            for package in room.packages
            for source in modules_in(package)
            if source.name not in room.left_out and source.docstring
        ]
        if sources:
            found.append((room.heading, [(source, _blocks(source)) for source in sources]))
    return found


def _blocks(source: Source) -> list[Block]:
    """Return a module's words; where these are one sentence, what its public classes say stands with them."""
    blocks = blocks_of(source.docstring)
    if "\n\n" not in source.docstring.strip():
        for name, docstring in source.classes():
            said = blocks_of(docstring, whole=False)
            if said and isinstance(said[0], Paragraph):
                said[0] = Paragraph(f"`{name}`: {said[0].text}")
            blocks += said
    return blocks
