"""A document as one HTML page in the report's style; nothing is fetched from anywhere."""

from __future__ import annotations

import re
from html import escape
from importlib import resources
from typing import Any

from heritage_experiments.oddd.document import Block, Bullets, Document, Formula, Paragraph, Table

_CODE = re.compile(r"`([^`]+)`")


def as_html(document: Document) -> str:
    """Return a document as an HTML page."""
    from jinja2 import Environment, StrictUndefined

    here = resources.files("heritage_experiments.oddd") / "page.html.jinja"
    css = (resources.files("heritage_experiments.report") / "page.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["block"] = _block
    environment.filters["inline"] = _inline
    context: dict[str, Any] = {"document": document, "css": css}
    return environment.from_string(here.read_text(encoding="utf-8")).render(context)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Bullets(items, numbered):
            tag = "ol" if numbered else "ul"
            return f"<{tag}>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</{tag}>"
        case Formula(text):
            return f'<pre tabindex="0">{escape(text)}</pre>'
        case Table(caption, head, rows):
            columns = "".join(f'<th scope="col">{_inline(name)}</th>' for name in head)
            body = "".join(_row(row) for row in rows)
            note = f'<p class="note table-note">{_inline(caption)}</p>' if caption else ""
            return (
                f'{note}<div class="scroll wide" tabindex="0" role="region" aria-label="{escape(caption or head[0])}">'
                f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
            )


def _row(cells: tuple[str, ...]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{_inline(first)}</th>{"".join(f"<td>{_inline(cell)}</td>" for cell in rest)}</tr>'
