"""The section on recommending and leaving: each figure with its unit, n, interval and baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from heritage_experiments.report import words
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts, RunData
from heritage_experiments.statistics import student_t_interval
from heritage_experiments.statistics.abandonment import ARM, Abandonment, abandonment, columns_of
from heritage_sim.config import EvaluationConfig
from heritage_sim.metrics import Measure

if TYPE_CHECKING:
    import pandas as pd

_CONTROLS = {
    "prior_mean": "Hazard ratio, a minute more of earlier sessions",
    "familiarity": "Hazard ratio, heritage familiarity 1 against 0",
}
_TREND = 0.05
"""Below this p, the hazard ratio of the arms is said to change over the session."""


def engagement_section(findings: Findings) -> dict[str, Any]:
    """Return what the template needs for the section; empty where a run noted no sessions and froze no rankings.

    Parameters
    ----------
    findings : Findings
        Of a run.

    Returns
    -------
    dict
    """
    run = findings.run
    levels, sessions = run.store.read_table("engagement"), run.store.read_table("sessions")
    if levels.empty and sessions.empty:
        return {}
    by_cell = dict(list(levels.groupby("cell")))
    horizon_s = float(EvaluationConfig.model_validate(run.scenario.get("evaluation") or {}).horizon_s)
    columns = columns_of(sessions)
    pairs = [(c, abandonment(columns, c.treatment.name, c.control.name, horizon_s)) for c in run.comparisons]
    return {
        "comparisons": [comparison_view(c, found, run) for c, found in pairs if found is not None],
        "cells": [
            cell_view(cell, title, by_cell[cell.name], run)
            for cell, title in zip(run.named_cells, words.cell_names(run.named_cells), strict=True)
            if cell.name in by_cell
        ],
        "num_sessions": f"{len(sessions):,}",
        "horizon": f"{horizon_s:g}",
    }


def comparison_view(c: ComparisonFacts, found: Abandonment, run: RunData) -> dict[str, Any]:
    """Return a comparison: what it says of leaving, and a row for each figure."""
    rows = [
        _row("Hazard ratio of leaving, treatment against control", found.hazard_ratio),
        _row("The same, mean over replications fitted alone", found.by_replication),
        _row(f"Mean length of a session within {found.horizon_s:g} s, difference", found.mean_difference, signed=True),
        *(_row(_control_label(name, run), measure) for name, measure in found.controls.items()),
    ]
    return {
        "title": words.comparison_title(c),
        "said": leaving_sentence(found),
        "rows": rows,
        "num_events": f"{found.num_events:,}",
        "num_listeners": f"{found.num_listeners:,}",
        "trend": _p(found.proportionality_p.get(ARM, math.nan)),
        "identical": found.identical,
    }


def leaving_sentence(found: Abandonment) -> str:
    """Return what the arms' hazard ratio says, and whether it holds over the whole session."""
    ratio, mean = found.hazard_ratio, found.mean_difference
    of = f"{found.num_sessions:,} sessions of {found.num_listeners:,} listeners, all replications together"
    if found.identical:
        return f"No difference at all: both cells have the same sessions ({of})."
    if not math.isfinite(ratio.value):
        return "The hazard ratio of leaving cannot be estimated from these sessions."
    shown = ratio.low > 1.0 or ratio.high < 1.0
    more = "more" if ratio.value > 1.0 else "less"
    verdict = f"Sessions of the treatment are left {more} readily" if shown else "A difference in leaving is not shown"
    text = (
        f"{verdict}: hazard ratio {words.number(ratio.value, 3)} ({words.interval(ratio.low, ratio.high, 3, False)}; "
        f"{found.num_events:,} abandoned of {of})."
    )
    p = found.proportionality_p.get(ARM, math.nan)
    if p < _TREND:
        text += (
            f" The ratio is not the same all through a session (test of proportional hazards: {_p(p)}), so it is an "
            f"average; what assumes nothing of the kind: counted up to {found.horizon_s:g} s, a session is "
            f"{words.number(abs(mean.value), 2)} s {'longer' if mean.value > 0.0 else 'shorter'} (difference "
            f"{words.interval(mean.low, mean.high, 2)} s)."
        )
    return text


def cell_view(cell: CellFacts, title: str, levels: pd.DataFrame, run: RunData) -> dict[str, Any]:
    """Return a cell's figures: means over replications with Student-t intervals, n and baseline of one replication."""
    rows = []
    for name, of in levels.groupby("name", sort=False):
        values = of["value"].dropna()
        if values.empty:
            continue
        unit, first = str(of["unit"].iloc[0]), of.iloc[0]
        low, high = student_t_interval(values.to_numpy())
        digits = words.digits_for(unit, abs(float(values.mean())))
        baseline = float(of["baseline"].mean())
        rows.append(
            {
                "label": _level_label(str(name), run),
                "unit": words.table_unit(unit),
                "mean": words.number(float(values.mean()), digits),
                "interval": words.interval(low, high, digits, False),
                "replications": len(values),
                "n": words.number(float(of["n"].mean()), 0),
                "per": str(first["per"]),
                "baseline": words.number(baseline, digits),
                "against": str(first["against"]) if math.isfinite(baseline) else "",
            }
        )
    return {"title": title, "name": cell.name, "rows": rows}


def _p(p: float) -> str:
    said = words.p_value(p)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def _row(label: str, measure: Measure, signed: bool = False) -> dict[str, Any]:
    digits = words.digits_for(measure.unit, abs(measure.value) if measure.value else 1.0)
    return {
        "label": label,
        "unit": words.table_unit(measure.unit),
        "value": words.number(measure.value, digits, signed),
        "interval": words.interval(measure.low, measure.high, digits, signed),
        "n": f"{measure.n:,}",
        "per": measure.per,
        "baseline": words.number(measure.baseline, digits),
        "against": measure.against,
    }


def _control_label(name: str, run: RunData) -> str:
    if not name.startswith("device_"):
        return _CONTROLS.get(name, name)
    devices = [str(d["name"]) for d in (run.scenario.get("listeners") or {}).get("devices") or []]
    i = int(name.removeprefix("device_"))
    device, first = (devices[k] if k < len(devices) else f"device {k}" for k in (i, 0))
    return f"Hazard ratio, {device} against {first}"


def _level_label(name: str, run: RunData) -> str:
    device = name.removeprefix("abandonment_hr_")
    return _control_label(device, run) if device.startswith("device_") else words.label(name, run.communities)
