"""The section on adversaries: what fraud brings a ring, what it keeps from others, who is caught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heritage_experiments.report import words
from heritage_experiments.report.cell_tables import cell_table, table_caption
from heritage_experiments.report.findings import Findings, Level
from heritage_experiments.report.run_data import CellFacts

ADVERSARY = "adversary_"
"""How outcomes of a ring begin."""
_KINDS = (("bots", "bot accounts"), ("sybils", "copies under further names"), ("claims", "false claims"))
_COLUMNS = (
    *((f"adversary_profit_units_{kind}", f"profit from {words_}") for kind, words_ in _KINDS),
    ("adversary_displaced_units", "kept from others"),
    ("adversary_accounts_detected", "accounts found out"),
)


def fraud_section(findings: Findings) -> dict[str, Any]:
    """Return what a ring makes in each cell that has one; empty where no cell has."""
    run = findings.run
    cells = [c for c in run.named_cells if run.resolved[c.name].adversaries.is_on]
    if not cells:
        return {}
    return {
        "rings": _rings(findings, cells),
        "said": [(name, fraud_sentence(findings, c)) for c, name in zip(cells, words.cell_names(cells), strict=True)],
        "table": cell_table(
            findings, cells, _COLUMNS, f"Over the whole run of {words.days_said(run.days)}, {table_caption(cells)}"
        ),
    }


def _rings(findings: Findings, cells: Sequence[CellFacts]) -> list[str]:
    """Return who cheats, a sentence for each ring that differs; the cells are named where there is more than one."""
    from heritage_agents.adversaries.naming import ring_in_words

    rings: dict[str, list[str]] = {}
    for cell, name in zip(cells, words.cell_names(cells), strict=True):
        scenario = findings.run.resolved[cell.name]
        ring = ring_in_words(scenario.adversaries, scenario.creators, scenario.communities)
        rings.setdefault(ring, []).append(name)
    if len(rings) == 1:
        return [f"{words.capital(ring)}." for ring in rings]
    return [f"{words.capital('; '.join(names))}: {ring}." for ring, names in rings.items()]


def fraud_sentence(findings: Findings, cell: CellFacts) -> str:
    """Return what the kinds of fraud of a cell bring the ring, and what others lose by them."""
    ring, code = findings.run.resolved[cell.name].adversaries, findings.run.currency.code
    acting = {"bots": ring.bots > 0, "sybils": ring.sybils * ring.copies_per_sybil > 0,
              "claims": ring.false_claims_per_work > 0.0}  # fmt: skip
    parts = [
        f"{who} {_pay(findings.level(cell, f'adversary_profit_units_{kind}'), code)}"
        for kind, who in _KINDS
        if acting[kind]
    ]
    text = f"{words.capital('; '.join(parts))}. "
    text += f"Payees outside the ring are paid {_level(findings.level(cell, 'adversary_displaced_units'), code)} less."
    if acting["bots"]:
        found = findings.level(cell, "adversary_accounts_detected")
        text += f" Of {ring.bots:,} accounts, {_level(found, '')} are found out."
    return text


def _pay(level: Level, code: str) -> str:
    """Return whether a kind of fraud pays, by its own interval, and how much."""
    if level.low > 0.0:
        return f"pay: {_level(level, code)}"
    return f"{'do not pay' if level.high < 0.0 else 'are not shown to pay'}: {_level(level, code)}"


def _level(level: Level, code: str) -> str:
    digits = words.digits_for(code or "count", abs(level.mean))
    mean = f"{words.number(level.mean, digits)} {code}".rstrip()
    return f"{mean} ({words.interval(level.low, level.high, digits, False)})"
