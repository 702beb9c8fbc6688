"""Figures of the money chain: each step's part of the days, and what is not yet paid as the days go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_experiments.report.drawing import COLOURS, INK, QUIET, Drawing, colour, new_figure, svg_of
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.run_data import RunData
from heritage_experiments.report.settlement_ways import STEP_WORDS, Way
from heritage_experiments.report.words import number
from heritage_sim.metrics import kaplan_meier
from heritage_sim.money import STEPS

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
_WEIGHTS = (("units", "by money", "-"), ("payments", "by payments", (0, (4, 2))))
_SHADES = (*COLOURS, QUIET)
_LIGHT = {"#E69F00", "#56B4E9", "#CC79A7"}
"""Shades on which dark figures are read more easily than white ones."""


def steps_drawn(findings: Findings, ways: tuple[Way, ...]) -> Drawing | None:
    """Return each step's mean part of the days to payment as stacked bars, one for each way of settling."""
    parts = np.array(
        [[findings.level(way.cell, f"settlement_step_days_{step}").mean for step in STEPS] for way in ways]
    )
    if not np.isfinite(parts).all():
        return None
    total = float(parts.sum(axis=1).max())
    with new_figure(1.5 + 0.55 * len(ways)) as (figure, ax):
        left = np.zeros(len(ways))
        for i, step in enumerate(STEPS):
            days = parts[:, i]
            if not days.any():
                continue
            ax.barh(range(len(ways)), days, left=left, height=0.62, color=_SHADES[i], edgecolor="white", lw=0.8,
                    label=STEP_WORDS[step])  # fmt: skip
            for row, part in enumerate(days.tolist()):
                if part >= 0.045 * total:
                    ink = INK if _SHADES[i] in _LIGHT else "white"
                    ax.text(left[row] + part / 2, row, number(part, 0 if part >= 10 else 1), ha="center", va="center",
                            color=ink, fontsize=8.5)  # fmt: skip
            left = left + days
        ax.set_yticks(range(len(ways)), [way.name for way in ways])
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set(xlabel="days from the play to money in hand, mean", ylim=(len(ways) - 0.5, -0.5), xlim=(0, total * 1.02))
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3)
        svg = svg_of(figure, "steps", "Each step's part of the days from play to payment, by way of settling")
    totals = "; ".join(f"{way.name} {number(float(row.sum()), 1)}" for way, row in zip(ways, parts, strict=True))
    return Drawing(
        "settlement_steps",
        "What the days are made of",
        f"Mean days over the money that was paid, every unit of it weighing the same; mean of "
        f"n = {ways[0].cell.num_replications} replications, {_seed(findings.run)}. Whole length in days: {totals}. A "
        "mean: the medians are in the table. Lengths of steps are settings of the scenario; the table below has their "
        "sources.",
        svg,
    )


def unpaid_drawn(run: RunData, ways: tuple[Way, ...]) -> Drawing | None:
    """Return Kaplan-Meier curves of what is not yet paid, by money and by payments."""
    last, curves = 0.0, list[tuple[int, str, str | tuple[int, tuple[int, int]], Floats, Floats]]()
    left_over = []
    for i, way in enumerate(ways):
        rows = run.settlement.loc[(run.settlement["cell"] == way.cell.name) & (run.settlement["units"] > 0), :]
        if rows.empty:
            return None
        for column, words, line in _WEIGHTS:
            days, unpaid = _unpaid(rows, column)
            curves.append((i, f"{way.name}, {words}", line, days, unpaid))
            last = max(last, float(days[-1]))
        of_money, of_payments = (number(_unpaid_share(rows, column), 2) for column, _, _ in _WEIGHTS)
        left_over.append(f"{way.name} {of_money} % of the money and {of_payments} % of the payments")
    with new_figure(3.6) as (figure, ax):
        for i, label, line, days, unpaid in curves:
            ax.step(
                np.append(days, last * 1.06), np.append(unpaid, unpaid[-1]), where="post", color=colour(i), ls=line,
                label=label,
            )  # fmt: skip
        ax.set(xlabel="days since the play", ylabel="not yet paid (%)", xlim=(0, last * 1.06), ylim=(0, 101))
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
        svg = svg_of(figure, "unpaid", "Share of money and of payments not yet paid, by days since the play")
    follow = ways[0].scenario.money_chain.follow_days
    return Drawing(
        "settlement",
        "Who is still waiting",
        "Kaplan-Meier curves of what is not yet in the payee's hands: by money, every unit weighing the same, and by "
        "payments, where what a statement gives one payee weighs the same however small it is. What was unpaid when "
        f"observation ended, {follow:g} days after the last day, is kept as censored, not left out: "
        f"{'; '.join(left_over)}. n = {ways[0].cell.num_replications} replications pooled, {_seed(run)}. No "
        "interval: it is a distribution over money, not an estimate of a mean.",
        svg,
    )


def _unpaid(rows: pd.DataFrame, weight: str) -> tuple[Floats, Floats]:
    """Return the days at which something was paid, and the percentage not yet paid from then on, beginning at 0."""
    days = rows["days_to_paid"].to_numpy(np.float64)
    observed = rows["days_observed"].to_numpy(np.float64)
    curve = kaplan_meier(np.where(np.isnan(days), observed, days), ~np.isnan(days), rows[weight].to_numpy(np.float64))
    return np.concatenate([[0.0], curve.times]), 100.0 * np.concatenate([[1.0], curve.survival])


def _unpaid_share(rows: pd.DataFrame, weight: str) -> float:
    weights = rows[weight].to_numpy(np.float64)
    return float(100.0 * weights[rows["days_to_paid"].isna().to_numpy()].sum() / weights.sum())


def _seed(run: RunData) -> str:
    return f"root seed {run.scenario['seed']}"
