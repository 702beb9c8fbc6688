"""How figures are drawn: inline SVG small enough to be read on a telephone, text as paths, nothing fetched.

Colours are those of Okabe and Ito, told apart by every kind of colour vision; line styles and markers repeat the
distinction, so that print without colour can be read too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, QUIET, GRID = "#1c2430", "#5b6675", "#e3e7ec"
WIDTH_IN = 5.4

_STYLE: dict[str, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "heritage",
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with what is said about it.

    Parameters
    ----------
    name : str
        File name in the run's ``figures`` folder, without suffix.
    title, caption : str
        Heading; what is shown, with n, seeds and kind of interval.
    svg : str
        Inline SVG with an alternative text.
    """

    name: str
    title: str
    caption: str
    svg: str


@contextmanager
def new_figure(height_in: float) -> Iterator[tuple[Figure, Axes]]:
    """Yield a figure with one pair of axes, in the report's style, wide enough for a telephone."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):  # pyright: ignore[reportArgumentType]
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        yield figure, figure.subplots()


def svg_of(figure: Figure, prefix: str, alternative: str) -> str:
    """Return the figure as an SVG element: ids made unique in the page, namespaces and metadata left out."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    text = re.sub(r"<style type=\"text/css\">(.*?)</style>", "", text, flags=re.DOTALL)
    opened = f'<svg role="img" aria-label="{escape(alternative)}" '
    text = text.replace("<svg ", opened, 1)
    # Without a size of its own it takes the width of its place; the viewBox keeps its proportions.
    head, _, body = text.partition(">")
    return re.sub(r'\s(width|height)="[^"]*"', "", head) + ">" + body


def standalone(svg: str) -> str:
    """Return an inline SVG as a file of its own."""
    return '<?xml version="1.0" encoding="utf-8"?>\n' + svg.replace("<svg ", f'<svg xmlns="{_SVG_NAMESPACE}" ', 1)


_SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def colour(i: int) -> str:
    """Return the colour of the i-th thing shown."""
    return COLOURS[i % len(COLOURS)]


def dash(i: int) -> Any:
    """Return the line style of the i-th thing shown."""
    return DASHES[i % len(DASHES)]
