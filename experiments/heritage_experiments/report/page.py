"""Put the report together: findings in, one HTML file out, nothing fetched from anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from heritage_experiments.report import words
from heritage_experiments.report.assumptions import five_assumptions
from heritage_experiments.report.figures import draw_all, standalone
from heritage_experiments.report.findings import ARM_OUTCOMES, Answer, Findings
from heritage_experiments.report.money import MoneyRow
from heritage_experiments.report.music import MAX_PIECES, Exhibit, exhibit
from heritage_experiments.report.pieces import load_pieces
from heritage_experiments.report.run_data import RunData
from heritage_experiments.statistics import Finding, PairedDifference, judge
from heritage_sim.base import BPS

FILE_NAME = "report.html"


def write_report(run_dir: Path) -> Path:
    """Write ``report.html`` and ``figures/*.svg`` into a run's folder.

    Parameters
    ----------
    run_dir : Path
        Folder of a run with at least one finished replication.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    InputError
        If the folder is no run, or nothing has finished.
    StorageError
        If the report cannot be written.
    """
    run = RunData(run_dir)
    findings = Findings(run)
    drawings = draw_all(run, findings.rule_cells, findings.arm_cells)
    for drawing in drawings:
        run.store.write_text(f"figures/{drawing.name}.svg", standalone(drawing.svg))
    context = _context(run, findings) | {"drawings": drawings}
    run.store.write_text(FILE_NAME, _render(context))
    return run_dir / FILE_NAME


def answer_lines(run_dir: Path) -> list[str]:
    """Return the answer in words, one paragraph a line, for a terminal.

    Parameters
    ----------
    run_dir : Path
        Folder of a run with at least one finished replication.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If the folder is no run, or nothing has finished.
    """
    run = RunData(run_dir)
    findings = Findings(run)
    lines = []
    for answer in findings.answers:
        title, *said = _paragraph(answer, findings)
        lines.append(f"{title}. {' '.join(sentence for sentence in said if sentence)}")
    if not findings.answers:
        lines = [
            "The scenario names no comparison, so there is no difference to judge; the report shows the cells' levels."
        ]
    return lines


def _paragraph(answer: Answer, findings: Findings) -> list[str]:
    """Return title, verdict, parts of the effect, what else there is, and money; empty where there is nothing."""
    run = findings.run
    title = words.comparison_title(answer.facts)
    if answer.primary is None:
        return [title, f"The outcome {answer.facts.outcome} was not recorded."]
    verdict = words.verdict_sentence(answer.primary, run.communities, findings.num_primary)
    money = words.money_sentence(list(answer.communities), run.currency.code) if answer.communities else ""
    facts = answer.facts
    spreads = [np.ptp(run.values(cell.name, facts.outcome).dropna()) for cell in (facts.treatment, facts.control)]
    if facts.treatment.rule == facts.control.rule:
        also = words.beside_sentence([f for f in answer.findings if not f.primary])
    else:
        also = words.fixed_sentence(answer.primary, *map(float, spreads))
    return [title, verdict, words.split_sentence(answer.primary), also, money]


def _context(run: RunData, findings: Findings) -> dict[str, Any]:
    exhibits, silence = _exhibits(run)
    return {
        "scenario": run.scenario,
        "scenario_yaml": run.scenario_yaml,
        "run_id": run.store.run_id,
        "currency": run.currency.code,
        "communities": run.communities,
        "num_finished": run.num_finished,
        "num_planned": run.num_planned,
        "replications": max(c.num_replications for c in run.cells),
        "days": run.days,
        "answers": [_answer_view(a, findings) for a in findings.answers],
        "arms": _arms_view(findings),
        "rules": _rules_view(findings),
        "assumptions": five_assumptions(run.scenario, run.currency),
        "exhibits": exhibits,
        "silence": silence,
        "synthetic": _synthetic(run),
        "books": _books(run),
        "manifest": list(_flat(run.manifest)),
        "num_primary": findings.num_primary,
    }


def _answer_view(answer: Answer, findings: Findings) -> dict[str, Any]:
    run = findings.run
    title, *said = _paragraph(answer, findings)
    verdict, *rest = said
    return {
        "title": title,
        "question": answer.facts.question,
        "verdict": verdict,
        "badge": str(answer.primary.verdict) if answer.primary else "not recorded",
        "rest": [sentence for sentence in rest if sentence],
        "same_rule": answer.facts.treatment.rule == answer.facts.control.rule,
        "communities": [_money_view(r, run.currency.code) for r in answer.communities],
        "bands": [_money_view(r, run.currency.code) for r in answer.bands],
        "rows": [_finding_view(f, run.communities) for f in answer.findings],
        "treatment": answer.facts.treatment.name,
        "control": answer.facts.control.name,
    }


def _money_view(row: MoneyRow, currency: str) -> dict[str, Any]:
    total = row.effect.total
    relative = 100.0 * total.mean / row.control_mean if row.control_mean else float("nan")
    return {
        "who": row.who,
        "num_people": row.num_people,
        "control": words.number(row.control_mean, 2),
        "total": _short(total),
        "relative": words.number(relative, 1, True),
        "arithmetic": _short(row.effect.arithmetic),
        "response": _short(row.effect.response),
        "n": total.n,
        "verdict": str(judge(total)),
    }


def _finding_view(f: Finding, communities: tuple[str, ...]) -> dict[str, Any]:
    d = f.effect.total
    digits = words.digits_for(f.unit, max(abs(d.mean), abs(d.low), abs(d.high)))
    level = words.digits_for(f.unit, max(abs(f.treatment_mean), abs(f.control_mean)))
    return {
        "label": words.label(f.outcome, communities),
        "name": f.outcome,
        "unit": words.short_unit(f.unit) or "1",
        "control": words.number(f.control_mean, level),
        "treatment": words.number(f.treatment_mean, level),
        "total": _short(d, f.unit),
        "bca": words.interval(d.bca_low, d.bca_high, digits),
        "arithmetic": _short(f.effect.arithmetic, f.unit),
        "response": _short(f.effect.response, f.unit),
        "n": d.n,
        "gain": words.number(d.variance_reduction, 1),
        "p": words.number(f.adjusted_p, 4),
        "primary": f.primary,
        "verdict": str(f.verdict),
    }


def _short(d: PairedDifference | None, unit: str = "") -> dict[str, str]:
    """Return a difference as mean and interval; without a unit it is money, to two decimals."""
    if d is None:
        return {}
    digits = words.digits_for(unit, max(abs(d.mean), abs(d.low), abs(d.high))) if unit else 2
    return {"mean": words.number(d.mean, digits, True), "interval": words.interval(d.low, d.high, digits)}


def _arms_view(findings: Findings) -> dict[str, Any]:
    """Return the arms side by side under one rule: rows of outcomes, columns of cells."""
    cells = findings.arm_cells
    rows = []
    for outcome in ARM_OUTCOMES:
        levels = [findings.level(c, outcome) for c in cells]
        if not any(math.isfinite(level.mean) for level in levels):
            continue
        unit = findings.unit(outcome)
        digits = words.digits_for(unit, max(abs(level.mean) for level in levels if math.isfinite(level.mean)))
        shown = [
            {
                "mean": words.number(level.mean, digits),
                "interval": words.interval(level.low, level.high, digits, False) if level.n else "",
            }
            for level in levels
        ]
        rows.append({"label": words.label(outcome), "unit": words.short_unit(unit) or "1", "levels": shown})
    return {"cells": [c.arm or c.name for c in cells], "rule": words.rule_name(cells[0].rule), "rows": rows}


def _rules_view(findings: Findings) -> dict[str, Any]:
    """Return the rules side by side under one arm."""
    cells, run = findings.rule_cells, findings.run
    outcomes = [f"payout_share_community_{i}" for i in range(len(run.communities))]
    outcomes += ["payout_gap_communities", "payout_theil_between_communities", "payout_gini_creators"]
    rows = []
    for outcome in outcomes:
        unit = findings.unit(outcome)
        levels = [findings.level(c, outcome) for c in cells]
        scale = max((abs(level.mean) for level in levels if math.isfinite(level.mean)), default=None)
        if scale is None:
            continue
        digits = words.digits_for(unit, scale)
        rows.append(
            {
                "label": words.label(outcome, run.communities),
                "unit": words.short_unit(unit) or "1",
                "levels": [
                    {
                        "mean": words.number(level.mean, digits),
                        "interval": words.interval(level.low, level.high, digits, False),
                    }
                    for level in levels
                ],
            }
        )
    return {"cells": [words.rule_name(c.rule) for c in cells], "arm": cells[0].arm, "rows": rows}


def _exhibits(run: RunData) -> tuple[list[Exhibit], str]:
    """Return the pieces to hear, or the reason why there are none."""
    kept = load_pieces(run.store.path)[:MAX_PIECES]
    if not kept:
        return (
            [],
            "This run kept no generated piece: no cell generated any, or it was stopped before they were saved.",
        )
    kinds = {t["name"]: t["kind"] for t in run.scenario["traditions"]}
    return [exhibit(k, kinds.get(k.piece.tradition, "")) for k in kept], ""


def _synthetic(run: RunData) -> list[dict[str, Any]]:
    """Return works by tradition and origin, and how many are synthetic, in the first cell's first replication."""
    works = run.store.read_table("works")
    if works.empty:
        return []
    rows = works[works["cell"] == run.cells[0].name]
    rows = rows[rows["replication"] == rows["replication"].min()]
    return [
        {"tradition": tradition, "origin": str(origin).lower(), "works": len(flags), "synthetic": int(flags.sum())}
        for tradition, of_tradition in rows.groupby("tradition", sort=False)
        for origin, flags in of_tradition.groupby("origin", sort=False)["synthetic"]
    ]


def _books(run: RunData) -> dict[str, Any]:
    """Return whether the books balance, epoch by epoch, over all cells and replications."""
    epochs = run.epochs
    if epochs.empty:
        return {"num_epochs": 0}
    paid_in = (epochs["pool_units"] == epochs["statement_units"]) & (epochs["pool_units"] == epochs["deposited_units"])
    paid_out = epochs["claimed_units"] + epochs["unclaimed_units"] == epochs["deposited_units"]
    return {
        "num_epochs": len(epochs),
        "num_balanced": int((paid_in & paid_out).sum()),
        "ledgers": [f"{name} ({n} epochs)" for name, n in epochs["ledger"].value_counts().items()],
        "gas": f"{int(epochs['gas'].max()):,}",
    }


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)


def _render(context: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("heritage_experiments.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    css = (folder / "page.css").read_text(encoding="utf-8")
    return template.render(context | {"css": css, "bps": BPS})
