"""A document as Markdown."""

from __future__ import annotations

from heritage_experiments.oddd.document import Block, Bullets, Document, Formula, Paragraph, Table


def as_markdown(document: Document) -> str:
    """Return a document as Markdown with GitHub's tables."""
    lines = [f"# {document.title}", "", f"_{document.facts}_", ""]
    for text in document.abstract:
        lines += [text, ""]
    for part in document.parts:
        lines += [f"{'#' * part.level} {f'{part.number} {part.heading}'.strip()}", ""]
        for block in part.blocks:
            lines += [*_lines(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def _lines(block: Block) -> list[str]:
    match block:
        case Paragraph(text):
            return [text]
        case Bullets(items, numbered):
            return [f"{f'{i}.' if numbered else '-'} {item}" for i, item in enumerate(items, start=1)]
        case Formula(text):
            return ["```text", *text.splitlines(), "```"]
        case Table(caption, head, rows):
            shown = [_row(head), _row(tuple("---" for _ in head)), *(_row(row) for row in rows)]
            return [f"**{caption.rstrip('.')}.**", "", *shown] if caption else shown


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') or ' ' for cell in cells)} |"
