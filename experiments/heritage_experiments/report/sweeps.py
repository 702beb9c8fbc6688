"""The section on swept assumptions: at which value the answer turns, in words, in a picture and in a table."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from heritage_experiments.oddd.parameters import parameters_of
from heritage_experiments.report import words
from heritage_experiments.report.drawing import INK, QUIET, Drawing, colour, new_figure, svg_of
from heritage_experiments.report.run_data import RunData
from heritage_experiments.scenario import Comparison
from heritage_experiments.statistics import Crossing, judge
from heritage_experiments.sweeps.answers import SweepAnswer, sweep_answers


def swept(run: RunData) -> list[SweepAnswer]:
    """Return the answers of the run's sweeps."""
    comparisons = tuple(Comparison.model_validate(c) for c in run.scenario.get("comparisons") or [])
    return sweep_answers(comparisons, run.values)


def key_in_words(key: str) -> str:
    """Return what a key of the scenario is, as its own description begins; the key itself where it has none."""
    said = next((p.meaning for p in parameters_of() if p.key == key), "")
    return re.split(r"[;:.] ", said)[0].rstrip(".") or key


def sweep_view(answer: SweepAnswer, run: RunData) -> dict[str, Any]:
    """Return a sweep as the template takes it: what it says, its picture, and a row a value."""
    unit = _unit_of(run, answer.comparison.outcome)
    rows = []
    for value, d in zip(answer.flip.values, answer.flip.at_values, strict=True):
        digits = words.digits_for(unit, words.scale_of(d))
        rows.append(
            {
                "value": f"{value:g}".replace("-", "−"),
                "mean": words.number(d.mean, digits, True),
                "interval": words.interval(d.low, d.high, digits),
                "n": d.n,
                "verdict": str(judge(d)),
            }
        )
    return {
        "title": f"{words.capital(answer.comparison.treatment)} compared with {answer.comparison.control}, by the "
        f"{words.uncapital(key_in_words(answer.key))}",
        "question": answer.comparison.question,
        "said": sentence(answer, run),
        "key": answer.key,
        "in_words": key_in_words(answer.key),
        "label": words.label(answer.comparison.outcome, run.communities),
        "unit": words.difference_unit(unit) or "number",
        "rows": rows,
        "drawing": drawn(answer, run),
    }


def sentence(answer: SweepAnswer, run: RunData) -> str:
    """Return where the sign turns, and how sure that is."""
    flip, c = answer.flip, answer.comparison
    what = words.label(c.outcome, run.communities)
    of = f"{what}, {c.treatment} minus {c.control}"
    span = f"{_at(flip.values[0])} to {_at(flip.values[-1])}"
    where = f"as the {words.uncapital(key_in_words(answer.key))} goes from {span}"
    missing = answer.num_planned - len(flip.values)
    partly = f" Results at {missing} of {answer.num_planned} values are not in yet." if missing else ""
    match flip.crossing:
        case Crossing.UNDEFINED:
            said = f"{of}: no replication has a value at every point {where}."
        case Crossing.NONE:
            said = f"{of}: no difference at all, {where}."
        case Crossing.NEVER:
            side = "above" if max((d.mean for d in flip.at_values), default=0.0) > 0.0 else "below"
            said = f"{of}: no change of sign in the range. The mean stays {side} zero, or at it, {where}."
        case Crossing.SEVERAL:
            points = ", ".join(_at(p) for p in flip.points)
            times = len(flip.points)
            said = f"{of}: the sign of the mean changes {times} times {where}, near {points}. There is no one point."
        case Crossing.ONE:
            before, after = _neighbours(answer)
            said = (
                f"{of}: the sign of the mean changes {where}, at {_at(flip.points[0])} ({_ends(answer)}): "
                f"{_sides(answer)}. Taken as straight between the values {_at(before)} and {_at(after)}."
            )
    return f"{said}{_shown(answer)}{partly}"


def _sides(answer: SweepAnswer) -> str:
    """Return on which side of zero the mean is before its one change of sign, and on which after."""
    flip = answer.flip
    rises = next(d.mean for d in reversed(flip.at_values) if d.mean != 0.0) > 0.0
    return f"{'below' if rises else 'above'} zero before that, {'above' if rises else 'below'} it after"


def _neighbours(answer: SweepAnswer) -> tuple[float, float]:
    """Return the values of the sweep on both sides of its one point."""
    point, values = answer.flip.points[0], answer.flip.values
    return max(v for v in values[:-1] if v <= point), min(v for v in values[1:] if v >= point)


def _ends(answer: SweepAnswer) -> str:
    flip = answer.flip
    if math.isnan(flip.low):
        return f"one replication gives no interval; n = {flip.n}"
    low = f"below {_at(flip.values[0])}" if math.isinf(flip.low) else _at(flip.low)
    high = f"above {_at(flip.values[-1])}" if math.isinf(flip.high) else _at(flip.high)
    text = f"95 % interval {low} to {high}; n = {flip.n} replications"
    if flip.support < 1.0:
        text += f", of whose resamples {words.number(100.0 * flip.support, 0)} % change sign in the range"
    return text


def _shown(answer: SweepAnswer) -> str:
    flip = answer.flip
    if flip.crossing not in (Crossing.ONE, Crossing.SEVERAL):
        return ""
    if flip.shown:
        return " That it changes is shown: below zero at one value and above it at another, after Holm's correction."
    return (
        " That it changes at all is not shown: the difference is not both below and above zero beyond its error, after "
        "Holm's correction over the values."
    )


def drawn(answer: SweepAnswer, run: RunData) -> Drawing:
    """Return the difference against the swept key, with its interval at each value and that of the point."""
    flip, c = answer.flip, answer.comparison
    x = np.array(flip.values)
    mean = np.array([d.mean for d in flip.at_values])
    ends = np.array([[d.low, d.high] if np.isfinite(d.low) else [d.mean, d.mean] for d in flip.at_values]).T
    unit = words.difference_unit(_unit_of(run, c.outcome))
    with new_figure(3.4) as (figure, ax):
        ax.axhline(0.0, color=QUIET, lw=1.0)
        if flip.crossing is Crossing.ONE:
            if not math.isnan(flip.low):
                ax.axvspan(max(flip.low, x[0]), min(flip.high, x[-1]), color=colour(1), alpha=0.15, lw=0)
            ax.axvline(flip.points[0], color=colour(1), ls="--", lw=1.4, label="sign changes")
            ax.legend(loc="best")
        ax.plot(x, mean, color=colour(0))
        ax.errorbar(x, mean, yerr=np.abs(ends - mean), fmt="o", color=colour(0), ecolor=INK, capsize=3, elinewidth=1.2)
        ax.set(xlabel=key_in_words(answer.key), ylabel=f"treatment minus control{f' ({unit})' if unit else ''}")
        name = f"sweep-{c.name}-{answer.key.replace('.', '-')}"
        svg = svg_of(figure, name, f"Difference between {c.treatment} and {c.control} against {answer.key}")
    replications = sorted({d.n for d in flip.at_values})
    n = f"{replications[0]}" if len(replications) == 1 else f"{replications[0]} to {replications[-1]}"
    return Drawing(
        name,
        f"Where the answer turns: {words.uncapital(key_in_words(answer.key))}",
        f"{words.label(c.outcome, run.communities)}: {c.treatment} minus {c.control}, mean and 95 % Student-t interval "
        f"over n = {n} paired replications at each value; root seed {run.scenario['seed']}. Dashed: the point at which "
        "the mean changes sign, straight between values; shaded: its 95 % interval, by resampling replications whole.",
        svg,
    )


def _unit_of(run: RunData, outcome: str) -> str:
    rows = run.outcomes.loc[run.outcomes["name"] == outcome, "unit"]
    return str(rows.iloc[0]) if len(rows) else ""


def _at(value: float) -> str:
    digits = 0 if value == round(value) and abs(value) < 100 else words.digits_for("1", abs(value))
    return words.number(value, digits)
