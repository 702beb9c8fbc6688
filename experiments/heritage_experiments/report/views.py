"""What is said of a run, as the page's template takes it: every figure a text, rounded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from heritage_experiments.report import sentences, words
from heritage_experiments.report.findings import ARM_OUTCOMES, Answer, Findings
from heritage_experiments.report.money import MoneyRow
from heritage_experiments.statistics import Finding, PairedDifference, Verdict, judge


def paragraph(answer: Answer, findings: Findings) -> list[str]:
    """Return title, verdict, its parts, what else differs, money, creators, costs; empty where there is none."""
    run = findings.run
    title = words.comparison_title(answer.facts)
    if answer.primary is None:
        return [title, f"The outcome {answer.facts.outcome} was not recorded."]
    facts, code = answer.facts, run.currency.code
    verdict = sentences.verdict_sentence(answer.primary, run.communities, findings.num_primary)
    spreads = [np.ptp(run.values(cell.name, facts.outcome).dropna()) for cell in (facts.treatment, facts.control)]
    if facts.treatment.rule == facts.control.rule:
        also = sentences.beside_sentence([f for f in answer.findings if not f.primary])
    else:
        also = sentences.fixed_sentence(answer.primary, *map(float, spreads))
    return [
        title,
        verdict,
        sentences.split_sentence(answer.primary),
        also,
        sentences.money_sentence(answer.communities, code),
        sentences.creators_sentence(answer.kinds, answer.bands, code),
        sentences.costs_sentence(answer.findings, code),
        sentences.doings_sentence(answer.findings),
    ]


def answer_view(answer: Answer, findings: Findings) -> dict[str, Any]:
    """Return a comparison: its sentences, money and all its outcomes."""
    run, code = findings.run, findings.run.currency.code
    title, *said = paragraph(answer, findings)
    verdict, *rest = said
    return {
        "title": title,
        "question": answer.facts.question,
        "verdict": verdict,
        "badge": words.badge(answer.primary),
        "shown": answer.primary is not None and answer.primary.verdict in (Verdict.HIGHER, Verdict.LOWER),
        "rest": [sentence for sentence in rest if sentence],
        "same_rule": all(row.effect.arithmetic is None for row in answer.communities),
        "communities": [_money_view(r, code) for r in answer.communities],
        "kinds": [_money_view(r, code) for r in answer.kinds],
        "bands": [_money_view(r, code) for r in answer.bands],
        "rows": [_finding_view(f, run.communities) for f in answer.findings if f.verdict is not Verdict.UNDEFINED],
        "of_money": asks_for_money(answer),
        "treatment": answer.facts.treatment.name,
        "control": answer.facts.control.name,
    }


def asks_for_money(answer: Answer) -> bool:
    """Return whether the comparison asks about money, so that its tables of money stand open."""
    return answer.facts.outcome.startswith(("payout_", "income_", "licence_", "adversary_", "settlement_"))


def _money_view(row: MoneyRow, currency: str) -> dict[str, Any]:
    total = row.effect.total
    verdict = judge(total)
    return {
        "who": row.who,
        "num_people": row.num_people,
        "control": words.number(row.control_mean, words.digits_for(currency, row.control_mean)),
        "total": _short(total, currency),
        "relative": sentences.relative(row),
        "arithmetic": _short(row.effect.arithmetic, currency),
        "response": _short(row.effect.response, currency),
        "n": total.n,
        "verdict": words.gain_or_loss(verdict),
        "shown": verdict in (Verdict.HIGHER, Verdict.LOWER),
    }


def _finding_view(f: Finding, communities: tuple[str, ...]) -> dict[str, Any]:
    d = f.effect.total
    digits = words.digits_for(f.unit, words.scale_of(d))
    level = words.digits_for(f.unit, max(abs(f.treatment_mean), abs(f.control_mean)))
    return {
        "label": words.label(f.outcome, communities),
        "name": f.outcome,
        "unit": words.table_unit(f.unit),
        "control": words.number(f.control_mean, level),
        "treatment": words.number(f.treatment_mean, level),
        "total": _short(d, f.unit),
        "bca": words.interval(d.bca_low, d.bca_high, digits),
        "arithmetic": _short(f.effect.arithmetic, f.unit),
        "response": _short(f.effect.response, f.unit),
        "n": d.n,
        "gain": words.number(d.variance_reduction, 1),
        "p": words.p_value(f.adjusted_p),
        "primary": f.primary,
        "verdict": str(f.verdict),
    }


def _short(d: PairedDifference | None, unit: str) -> dict[str, str]:
    """Return a difference as mean and interval; empty where there is none."""
    if d is None:
        return {}
    digits = words.digits_for(unit, words.scale_of(d))
    return {"mean": words.number(d.mean, digits, True), "interval": words.interval(d.low, d.high, digits)}


def arms_view(findings: Findings) -> dict[str, Any]:
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
        rows.append({"label": words.label(outcome), "unit": words.table_unit(unit), "levels": shown})
    return {
        "cells": [words.arm_name(c.arm) or c.name for c in cells],
        "rule": words.rule_name(cells[0].rule),
        "rows": rows,
    }


def rules_view(findings: Findings) -> dict[str, Any]:
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
                "unit": words.table_unit(unit),
                "levels": [
                    {
                        "mean": words.number(level.mean, digits),
                        "interval": words.interval(level.low, level.high, digits, False),
                    }
                    for level in levels
                ],
            }
        )
    return {
        "cells": [words.rule_name(c.rule) for c in cells],
        "arm": words.arm_name(cells[0].arm),
        "rows": rows,
        "undefined": any(level["mean"] == words.number(math.nan) for row in rows for level in row["levels"]),
    }
