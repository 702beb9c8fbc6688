"""A document as data: headings with blocks under them, which `markdown` and `page` write out.

Texts carry one piece of markup, code between single backticks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; numbered where the order matters."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    """Lines kept as they are: formulas, and tables that a docstring draws."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what is said of it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Bullets | Formula | Table


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands under it.

    Parameters
    ----------
    level : int
        2 for the protocol's three blocks, 3 for its elements, 4 and 5 below them.
    number, heading : str
        The protocol's number, empty below its elements; and the words.
    blocks : tuple of Block
        In order.
    """

    level: int
    number: str
    heading: str
    blocks: tuple[Block, ...] = ()

    @property
    def anchor(self) -> str:
        """Return a name for links inside the document."""
        words = f"{self.number} {self.heading}".lower()
        return "-".join("".join(c if c.isalnum() else " " for c in words).split())


@dataclass(frozen=True, slots=True)
class Document:
    """A whole description.

    Parameters
    ----------
    title, facts : str
        Title; version and scenario in a line.
    abstract : tuple of str
        Paragraphs before the first heading.
    parts : tuple of Part
        In order.
    """

    title: str
    facts: str
    abstract: tuple[str, ...]
    parts: tuple[Part, ...]
