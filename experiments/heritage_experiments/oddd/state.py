"""State variables of each kind of entity, from the docstrings of the classes that hold them.

A docstring names every field with type and shape; that its text is there, and complete, is checked by the linter.
"""

from __future__ import annotations

from heritage_experiments.oddd.docstrings import class_in, fields_of, summary_of
from heritage_experiments.oddd.document import Block, Paragraph, Table

HEAD = ("variable", "type and shape", "meaning and unit")

ENTITIES: dict[str, tuple[tuple[str, str], ...]] = {
    "Listeners": (("heritage_agents.listeners", "ListenerView"),),
    "Creators": (
        ("heritage_agents.creators", "CreatorRoster"),
        ("heritage_sim.base", "CreatorViews"),
    ),
    "Communities": (
        ("heritage_agents.communities.transmission", "PracticeStock"),
        ("heritage_sim.base", "CommunityTerms"),
        ("heritage_sim.base", "CommunityView"),
    ),
    "Works": (("heritage_sim.base", "WorkBatch"),),
    "Pieces of music": (
        ("heritage_sim.base", "Piece"),
        ("heritage_sim.base", "Fidelity"),
    ),
    "Usage and rights": (
        ("heritage_sim.base", "Usage"),
        ("heritage_sim.base", "Rights"),
    ),
    "Statements and settlements": (
        ("heritage_sim.base", "Statement"),
        ("heritage_sim.base", "Settlement"),
    ),
    "The world as listeners meet it": (("heritage_sim.base", "World"),),
}
"""Entities, and the classes whose fields are their state or what they are told, by package and name."""


def entity_blocks(entity: str) -> list[Block]:
    """Return what an entity is, and a table of its state for each class that holds some of it."""
    blocks: list[Block] = []
    for package, name in ENTITIES[entity]:
        module, docstring = class_in(package, name)
        blocks.append(Paragraph(summary_of(docstring)))
        rows = tuple(fields_of(docstring))
        if rows:
            blocks.append(Table(f"{name} (`{module}.{name}`)", HEAD, rows))
    return blocks
