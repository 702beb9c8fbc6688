"""The section on money's way: sentences, a table of levels and differences, the steps with their sources, figures."""

from __future__ import annotations

import math
from typing import Any

from heritage_experiments.report import settlement_sentences as say
from heritage_experiments.report import words
from heritage_experiments.report.drawing import Drawing
from heritage_experiments.report.figures import settlement_times
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.settlement_figures import steps_drawn, unpaid_drawn
from heritage_experiments.report.settlement_ways import (
    STEP_WORDS,
    Way,
    needs_telling,
    pair_of,
    sources,
    standing,
    ways_of,
)
from heritage_experiments.statistics import PairedDifference
from heritage_sim.money import STEPS

ROWS = (
    "settlement_days_withdrawable_median",
    "settlement_days_withdrawable_p90",
    "settlement_days_paid_median",
    "settlement_days_paid_p90",
    "settlement_days_withdrawable_payments_median",
    "settlement_days_withdrawable_payments_p90",
    "settlement_days_paid_payments_median",
    "settlement_days_paid_payments_p90",
    "settlement_quantiles_unreached",
    "unpaid_money_share",
    "trapped_money_share",
    "trapped_months_median",
    "payment_costs_units",
    "traceable_money_share",
    "ledger_failure_rate",
    "ledger_unresolved_rate",
)
"""Outcomes of the table, by way of settling; a row in which nothing is defined is left out."""
NOT_MODELLED = (
    "The lengths of the steps do not vary: every report, every match and every payment into the pool takes its stated "
    "days, so the spread between payments comes from the calendar alone.",
    "No usage goes unmatched, no bank transfer fails, nobody's claim to a work is contested, and no advance is paid.",
    "No exchange rate, tax or withholding; the cost of gas is counted in gas and not taken from anybody's money.",
    "Licence fees are no part of these days: in every way of settling they are their sources' at the end of the "
    "period, wait for no payment run and cost no payment.",
    "On chain every payee has a wallet, and claims when the rhythm says so; in life some never come.",
    "Reporting, matching and cash-in are the same with and without a ledger. If putting usage on a ledger shortened "
    "them, this run would not show it.",
)


def settlement_section(findings: Findings) -> tuple[dict[str, Any], list[Drawing]]:
    """Return what the template needs for the section, and its figures; without settled money, nothing and none.

    Where all cells settle alike, on chain and at once, a few sentences and one figure say it.
    """
    run = findings.run
    if run.settlement.empty:
        return {}, []
    ways = ways_of(run)
    if not needs_telling(ways):
        drawn = settlement_times(run, findings.rule_cells[0])
        said = [say.in_short(findings, ways[0]), say.traced(findings, ways), say.failures(findings, ways)]
        return {"said": [s for s in said if s], "table": None, "steps": None, "left_out": ()}, [drawn] if drawn else []
    pair = pair_of(ways)
    said = [
        *([say.headline(findings, pair), say.by_payments(findings, pair)] if pair else [say.alone(findings, ways[0])]),
        say.before_settlement(findings, ways),
        *(say.payment_runs(findings, way) for way in ways if way.is_manual),
        say.stuck(findings, ways),
        say.traced(findings, ways),
        say.failures(findings, ways),
    ]
    drawings = [steps_drawn(findings, ways), unpaid_drawn(run, ways)]
    view = {
        "said": [s for s in said if s],
        "table": _table(findings, ways, pair),
        "steps": _steps(findings, ways),
        "left_out": NOT_MODELLED,
    }
    return view, [d for d in drawings if d is not None]


def _table(findings: Findings, ways: tuple[Way, ...], pair: tuple[Way, Way] | None) -> dict[str, Any]:
    rows = []
    for outcome in ROWS:
        levels = [findings.level(way.cell, outcome) for way in ways]
        known = [abs(level.mean) for level in levels if math.isfinite(level.mean)]
        if not any(known) and outcome not in ("trapped_money_share", "unpaid_money_share"):
            continue
        unit = findings.unit(outcome)
        digits = 1 if unit == "days" else words.digits_for(unit, max(known, default=math.nan))
        d = say.difference(findings, pair, outcome) if pair else None
        rows.append(
            {
                "label": words.label(outcome),
                "unit": words.table_unit(unit),
                "levels": [
                    {
                        "mean": words.number(level.mean, digits),
                        "interval": _level_interval(level.low, level.high, digits),
                    }
                    for level in levels
                ],
                "difference": _difference_view(d, digits) if d else {},
            }
        )
    caption = "Mean over replications, and 95 % Student-t interval"
    if pair:
        caption += f"; last column: {pair[0].name} minus {pair[1].name}, paired"
    return {"heads": [way.name for way in ways], "paired": pair is not None, "rows": rows, "caption": caption}


def _level_interval(low: float, high: float, digits: int) -> str:
    if not math.isfinite(low):
        return ""
    return "the same in all" if low == high else words.interval(low, high, digits, False)


def _difference_view(d: PairedDifference, digits: int) -> dict[str, str]:
    if not d.n:
        return {"mean": words.number(math.nan), "interval": ""}
    interval = "none in any pair" if d.identical else words.interval(d.low, d.high, digits)
    return {"mean": words.number(d.mean, digits, True), "interval": interval}


def _steps(findings: Findings, ways: tuple[Way, ...]) -> dict[str, Any]:
    """Return the steps with their mean days in each way, where the figure comes from, and what it stands on."""
    told = [sources(way) for way in ways]
    rows = []
    for step in STEPS:
        texts = list(dict.fromkeys(source[step] for source in told))
        rows.append(
            {
                "step": STEP_WORDS[step],
                "days": [words.number(say.mean(findings, way, f"settlement_step_days_{step}"), 1) for way in ways],
                "source": "; ".join(texts),
                "standing": " / ".join(dict.fromkeys(standing(text) for text in texts)),
            }
        )
    return {"heads": [way.name for way in ways], "rows": rows}
