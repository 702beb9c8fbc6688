"""A table of cells: a row a cell, a column an outcome, each level with its interval over replications."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from heritage_experiments.report import words
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.run_data import CellFacts


def cell_table(
    findings: Findings, cells: Sequence[CellFacts], columns: Sequence[tuple[str, str]], caption: str
) -> dict[str, Any]:
    """Return a table as the template takes it.

    Parameters
    ----------
    findings : Findings
        Of a run.
    cells : sequence of CellFacts
        The rows.
    columns : sequence of tuple of str
        Outcome and heading of each column; one that is defined in no cell is left out.
    caption : str
        What stands above the table.

    Returns
    -------
    dict
    """
    levels = {outcome: [findings.level(cell, outcome) for cell in cells] for outcome, _ in columns}
    shown = [(o, head) for o, head in columns if any(math.isfinite(level.mean) for level in levels[o])]
    units = {o: findings.unit(o) for o, _ in shown}
    digits = {
        o: words.digits_for(units[o], max(abs(x.mean) for x in levels[o] if math.isfinite(x.mean))) for o, _ in shown
    }
    return {
        "caption": caption,
        "heads": [f"{head}, {words.short_unit(units[o])}".removesuffix(", ") for o, head in shown],
        "rows": [
            {
                "label": name,
                "levels": [
                    {
                        "mean": words.number(levels[o][i].mean, digits[o]),
                        "interval": words.interval(levels[o][i].low, levels[o][i].high, digits[o], False),
                    }
                    for o, _ in shown
                ],
            }
            for i, name in enumerate(words.cell_names(cells))
        ],
    }


def table_caption(cells: Sequence[CellFacts]) -> str:
    """Return what the figures of such a table are: means with intervals over so many replications."""
    n = sorted({c.num_replications for c in cells})
    of = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    return f"mean of a cell, and 95 % Student-t interval over n = {of} replications"
