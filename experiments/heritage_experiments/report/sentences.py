"""The sentences that answer a comparison. Figures come from the findings; none is made here, only said."""

from __future__ import annotations

import math
from collections.abc import Sequence

from heritage_experiments.report.money import MoneyRow
from heritage_experiments.report.words import (
    GAP,
    difference,
    difference_unit,
    digits_for,
    interval,
    label,
    number,
    scale_of,
    short_unit,
)
from heritage_experiments.statistics import Finding, PairedDifference, Verdict, judge

BESIDE = (
    "plays_per_session",
    "abandonment_rate",
    "plays_share_generated",
    "violations_per_generated_piece",
    "consistency_generated_mean",
)
"""What is said of arms beside the primary outcome."""
DONE_BY_CREATORS = ("works_recorded", "works_generated", "works_rereleased", "commissions_refused")
"""What is said of creators' doings in every comparison."""


def verdict_sentence(f: Finding, communities: tuple[str, ...], num_primary: int) -> str:
    """Return the sentence that answers a comparison: the verdict first, then the figures it rests on."""
    d = f.effect.total
    what = label(f.outcome, communities)
    digits = digits_for(f.unit, max(abs(f.treatment_mean), abs(f.control_mean)))
    unit, apart = short_unit(f.unit), difference_unit(f.unit).replace("pp", "percentage points")
    levels = f"from {number(f.control_mean, digits)} to {number(f.treatment_mean, digits)}"
    if unit not in ("", "pp"):
        levels += f" {unit}"
    apart_digits = digits_for(f.unit, scale_of(d))
    if scale_of(d) < 0.05 and number(d.mean, apart_digits) == number(0.0, apart_digits):
        # Hundredths would leave nothing of the mean, and next to nothing of its interval.
        apart_digits = max(apart_digits, digits_for("1", scale_of(d)))
    evidence = f"95 % interval {interval(d.low, d.high, apart_digits)}; n = {d.n} pairs"
    if f.verdict is Verdict.UNDEFINED:
        return f"{what}: not defined in these cells."
    if f.verdict is Verdict.NONE:
        return f"{what}: no difference at all. All {d.n} pairs of replications gave exactly the same value."
    if f.verdict is Verdict.NOT_SHOWN:
        if not math.isfinite(d.low):
            why = "one pair of replications gives no interval"
        elif d.low <= 0.0 <= d.high:
            why = "the interval contains zero"
        else:
            why = f"not after Holm's correction over {num_primary} primary comparisons, p = {number(f.adjusted_p, 3)}"
        mean = number(d.mean, apart_digits, True)
        return f"{what}: a difference is not shown. Mean {mean} {apart} ({evidence}): {why}.".replace("  ", " ")
    verb = "rises" if f.verdict is Verdict.HIGHER else "falls"
    size = number(abs(d.mean), apart_digits)
    return f"{what} {verb} by {size} {apart}".rstrip() + f", {levels} ({evidence})."


def split_sentence(f: Finding) -> str:
    """Return the arithmetic effect on the outcome apart from its response; empty where there is no shadow."""
    if f.effect.arithmetic is None or f.effect.response is None:
        return ""
    what = "the gap" if f.outcome == GAP else "this figure"
    return (
        f"Arithmetic alone, the same plays shared out by the other rule: {_part(f.effect.arithmetic, f.unit)}. "
        f"The response of {what}, what it moves because people act differently: {_part(f.effect.response, f.unit)}."
    )


def fixed_sentence(f: Finding, treatment_spread: float, control_spread: float) -> str:
    """Return a warning where a rule pins the outcome, so that its fall or rise is no finding; else nothing.

    Spreads are largest minus smallest value over the replications. Whole units of money leave a trace of rounding.
    """
    if control_spread <= 0.0 or not treatment_spread <= 1e-4 * control_spread:
        return ""
    return (
        f"By construction: under the treatment every replication gives {number(f.treatment_mean, 2)} "
        f"{short_unit(f.unit)}, whatever people do. The rule fixes this figure; it is not a finding about behaviour."
    )


def beside_sentence(findings: Sequence[Finding]) -> str:
    """Return what else differs between two arms, each by its own interval; empty where nothing is defined."""
    by_name = {f.outcome: f for f in findings}
    parts = []
    for name in BESIDE:
        f = by_name.get(name)
        if f is None or f.verdict is Verdict.UNDEFINED:
            continue
        d = f.effect.total
        parts.append(f"{label(name).lower()} {change(d, f.unit)}")
    return f"Beside it, each by its own interval: {'; '.join(parts)}." if parts else ""


def money_sentence(rows: Sequence[MoneyRow], currency: str) -> str:
    """Return what the comparison is worth to each community, per month, and which of it is not shown."""
    if not rows:
        return ""
    if all(row.effect.total.identical for row in rows):
        return "In money: no difference at all for any community."
    parts = [f"{row.who} {_money(row.effect.total, currency)}" for row in rows]
    return f"In money, fund and members together, {currency} per month: {'; '.join(parts)}."


def creators_sentence(kinds: Sequence[MoneyRow], bands: Sequence[MoneyRow], currency: str) -> str:
    """Return what creators gain or lose, as a group beside the community funds, and one of each rank band."""
    if not kinds:
        return ""
    if all(row.effect.total.identical for row in kinds):
        return "Creators and community funds: no difference at all in money."
    parts = []
    for row in kinds:
        said = f"{row.who} {_money(row.effect.total, currency)}"
        if row.control_mean > 0.0 and judge(row.effect.total) in (Verdict.HIGHER, Verdict.LOWER):
            # Of next to nothing, any change is thousands of percent, which says nothing.
            said += f", {relative(row)} %" if abs(row.effect.total.mean) < 10.0 * row.control_mean else ""
        # One pool: what the funds' part of the response is, the creators' has said.
        if row.effect.response is not None and row.num_people:
            said += f"; of this the response {_money(row.effect.response, currency, 'none in any pair')}"
        parts.append(said)
    text = f"Creators against community funds, {currency} per month: {'; '.join(parts)}."
    if bands:
        text += " One creator of the " + "; of the ".join(
            f"{row.who} {_money(row.effect.total, currency, 'the same in every pair')}" for row in bands
        )
        text += "."
    return text


def doings_sentence(findings: Sequence[Finding]) -> str:
    """Return what creators make under the treatment, works over a whole replication; what nobody does is left out."""
    by_name = {f.outcome: f for f in findings}
    parts = []
    for name in DONE_BY_CREATORS:
        f = by_name.get(name)
        if f is None or f.verdict is Verdict.UNDEFINED or not (f.control_mean or f.treatment_mean):
            continue
        d = f.effect.total
        if d.identical:
            parts.append(f"{label(name).lower()} the same in every pair")
            continue
        digits = digits_for("works", max(f.control_mean, f.treatment_mean))
        levels = f"{number(f.control_mean, digits)} to {number(f.treatment_mean, digits)}"
        parts.append(f"{label(name).lower()} {levels}, {difference(d, 'works')}{_flag(d)}".replace(" works (", " ("))
    return f"What creators do, mean of a replication: {'; '.join(parts)}." if parts else ""


def costs_sentence(findings: Sequence[Finding], currency: str) -> str:
    """Return what payments cost in the two cells, of which amounts of money know nothing; empty where that is alike."""
    f = next((f for f in findings if f.outcome == "payment_costs_units"), None)
    if f is None or f.verdict is Verdict.UNDEFINED or f.effect.total.identical:
        return ""
    digits = digits_for(currency, max(f.control_mean, f.treatment_mean))
    return (
        "All of this is before the cost of payments, which payees bear: a replication "
        f"{number(f.treatment_mean, digits)} {currency} under the treatment and {number(f.control_mean, digits)} under "
        "the control."
    )


def relative(row: MoneyRow) -> str:
    """Return a change of money in percent of the control's mean, with its sign, to the whole percent from 10 %."""
    percent = 100.0 * row.effect.total.mean / row.control_mean if row.control_mean else math.nan
    return number(percent, 0 if abs(percent) >= 10.0 else 1, True)


def _money(d: PairedDifference, currency: str, same: str = "no difference at all") -> str:
    """Return a difference in money; the currency is said once, before."""
    return change(d, currency, same).replace(f" {currency} (", " (")


def change(d: PairedDifference, unit: str, same: str = "no difference at all") -> str:
    """Return a difference with its unit and interval, and whether it is not shown; words where it is exactly none."""
    return same if d.identical else difference(d, unit) + _flag(d)


def _part(d: PairedDifference, unit: str) -> str:
    # A part that is exactly zero does not mean that the two cells are the same.
    return change(d, unit, "none in any pair")


def _flag(d: PairedDifference) -> str:
    return ", not shown" if judge(d) is Verdict.NOT_SHOWN else ""
