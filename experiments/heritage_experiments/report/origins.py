"""The section on origin: what archive, people and generator are played and paid, and what displaces what."""

from __future__ import annotations

from typing import Any

from heritage_experiments.report import words
from heritage_experiments.report.cell_tables import cell_table, table_caption
from heritage_experiments.report.findings import Answer, Findings
from heritage_experiments.report.sentences import change

_ORIGINS = (("archive", "archive works"), ("human", "works recorded by people"), ("generated", "generated works"))
_SHARES = (("plays_share", "plays"), ("income_share", "income"))


def origins_section(findings: Findings) -> dict[str, Any]:
    """Return shares of plays and income by origin, cell by cell, and what each comparison moves; empty without any."""
    cells = findings.run.named_cells
    columns = [
        (f"{share}_{origin}", f"{of}: {who}") for share, of in _SHARES for origin, who in _ORIGINS
    ]  # fmt: skip
    table = cell_table(findings, cells, columns, f"Shares of all plays and of all income, {table_caption(cells)}")
    if not table["heads"]:
        return {}
    return {
        "table": table,
        "said": [(words.comparison_title(a.facts), moved_sentence(a)) for a in findings.answers],
        "bots_play": bool(findings.run.ring.any()),
    }


def moved_sentence(answer: Answer) -> str:
    """Return how a comparison's shares by origin move, plays first and income after."""
    by_name = {f.outcome: f for f in answer.findings}
    said = []
    for share, of in _SHARES:
        found = [(who, by_name[name]) for origin, who in _ORIGINS if (name := f"{share}_{origin}") in by_name]
        if not found:
            continue
        if all(f.effect.total.identical for _, f in found):
            said.append(f"Of all {of}: no difference at all.")
            continue
        parts = [f"{who} {change(f.effect.total, f.unit, 'the same in every pair')}" for who, f in found]
        said.append(f"Of all {of}: {'; '.join(parts)}.")
    return " ".join(said)
