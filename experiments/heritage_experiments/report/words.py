"""Numbers and names as people read them, and the sentences that answer. No figure is made here, only said."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from heritage_experiments.report.money import MoneyRow
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts
from heritage_experiments.statistics import Finding, PairedDifference, Verdict, judge

LABELS = {
    "payout_gap_communities": "Gap between communities' shares of payout",
    "payout_theil_between_communities": "Theil index of payout, between communities",
    "payout_gini_creators": "Gini index of payout over creators",
    "payout_gini_communities": "Gini index of payout over communities",
    "payout_theil_creators": "Theil index of payout over creators",
    "payout_jain_creators": "Jain index of payout over creators",
    "payout_per_play_gap_communities": "Gap between communities' payout per play",
    "plays_share_archive": "Plays of archive works",
    "plays_share_human": "Plays of works recorded by people",
    "plays_share_generated": "Plays of generated works",
    "income_share_archive": "Income of archive works",
    "income_share_human": "Income of works recorded by people",
    "income_share_generated": "Income of generated works",
    "plays_per_session": "Plays per session",
    "seconds_per_session": "Listening per session",
    "abandonment_rate": "Sessions abandoned",
    "sessions": "Sessions",
    "plays": "Plays",
    "settlement_days_withdrawable_median": "Play to withdrawable money, median",
    "settlement_days_withdrawable_p90": "Play to withdrawable money, 90th percentile",
    "works_recorded": "Works recorded by people",
    "works_generated": "Works generated",
    "works_rereleased": "Archive works released again by creators",
    "commissions_refused": "Commissions refused",
    "violations_per_generated_piece": "Broken constraints per generated piece",
    "consistency_generated_mean": "Consistency of generated pieces with the archive",
    "gini_plays_works": "Gini index of plays over works",
    "pool_units": "Royalty pool",
}
BESIDE = (
    "plays_per_session",
    "abandonment_rate",
    "plays_share_generated",
    "violations_per_generated_piece",
    "consistency_generated_mean",
)
"""What is said of arms beside the primary outcome."""
_BY_COMMUNITY = {
    "payout_share_community_": "Share of payout",
    "plays_share_community_": "Share of plays",
    "exposure_share_community_": "Share of exposure",
}
_SHORT_UNITS = {"percentage points": "pp", "percent": "%", "1": "", "count": ""}


def label(outcome: str, communities: tuple[str, ...] = ()) -> str:
    """Return an outcome's name for people."""
    for prefix, words in _BY_COMMUNITY.items():
        if outcome.startswith(prefix) and outcome.removeprefix(prefix).isdigit():
            i = int(outcome.removeprefix(prefix))
            return f"{words}, {communities[i] if i < len(communities) else f'community {i}'}"
    return LABELS.get(outcome, outcome.replace("_", " "))


def rule_name(rule: str) -> str:
    """Return a rule's registered name for people: ``user_centric`` is user-centric."""
    kind, bracket, rest = rule.partition("(")
    return kind.replace("_", "-") + (f" ({rest}" if bracket else "")


def cell_name(cell: CellFacts) -> str:
    """Return what a cell is, for people."""
    return f"{rule_name(cell.rule)}, {cell.arm}" if cell.arm else rule_name(cell.rule)


def number(value: float, digits: int = 2, signed: bool = False) -> str:
    """Return a number with a true minus sign and thousands separated; a dash where it is not defined."""
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):,.{digits}f}"
    zero = not re.search("[1-9]", text)
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    return sign + text


def digits_for(unit: str, scale: float) -> int:
    """Return how many decimals show a value of this unit and size with about three figures."""
    if unit in ("count", "plays", "sessions", "works", "commissions", "units"):
        return 0 if scale >= 100 else 1
    if not math.isfinite(scale) or scale == 0.0:
        return 2
    return max(0, min(4, 2 - math.floor(math.log10(scale))))


def short_unit(unit: str) -> str:
    """Return a unit as it stands behind a number."""
    return _SHORT_UNITS.get(unit, unit)


def difference_unit(unit: str) -> str:
    """Return the unit of a difference: percentages differ by percentage points."""
    return "pp" if unit == "%" else short_unit(unit)


def interval(low: float, high: float, digits: int, signed: bool = True) -> str:
    """Return an interval's two ends; words where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{number(low, digits, signed)} to {number(high, digits, signed)}"


def difference(d: PairedDifference, unit: str) -> str:
    """Return a difference with its unit and interval: ``−3.10 pp (−3.80 to −2.40)``."""
    digits = digits_for(unit, max(abs(d.mean), abs(d.low), abs(d.high)))
    shown = f"{number(d.mean, digits, True)} {difference_unit(unit)}".strip()
    return f"{shown} ({interval(d.low, d.high, digits)})"


def comparison_title(c: ComparisonFacts) -> str:
    """Return what is compared with what, naming only what differs."""
    if c.treatment.arm == c.control.arm:
        where = f" (arm {c.treatment.arm})" if c.treatment.arm else ""
        if c.treatment.rule == c.control.rule:
            return f"{c.treatment.name} compared with {c.control.name}"
        return f"{_capital(rule_name(c.treatment.rule))} compared with {rule_name(c.control.rule)}{where}"
    if c.treatment.rule == c.control.rule:
        return f"{_capital(c.treatment.arm)} compared with {c.control.arm} (rule {rule_name(c.treatment.rule)})"
    return f"{_capital(cell_name(c.treatment))} compared with {cell_name(c.control)}"


def verdict_sentence(f: Finding, communities: tuple[str, ...], num_primary: int) -> str:
    """Return the sentence that answers a comparison: the verdict first, then the figures it rests on."""
    d = f.effect.total
    what = label(f.outcome, communities)
    digits = digits_for(f.unit, max(abs(f.treatment_mean), abs(f.control_mean)))
    unit, apart = short_unit(f.unit), difference_unit(f.unit).replace("pp", "percentage points")
    levels = f"from {number(f.control_mean, digits)} to {number(f.treatment_mean, digits)}"
    if unit not in ("", "pp"):
        levels += f" {unit}"
    evidence = (
        f"95 % interval {interval(d.low, d.high, digits_for(f.unit, max(abs(d.low), abs(d.high))))}; n = {d.n} pairs"
    )
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
        mean = number(d.mean, digits_for(f.unit, abs(d.mean)), True)
        return f"{what}: a difference is not shown. Mean {mean} {apart} ({evidence}): {why}.".replace("  ", " ")
    verb = "rises" if f.verdict is Verdict.HIGHER else "falls"
    size = number(abs(d.mean), digits_for(f.unit, abs(d.mean)))
    return f"{what} {verb} by {size} {apart}".rstrip() + f", {levels} ({evidence})."


def split_sentence(f: Finding) -> str:
    """Return the arithmetic effect apart from the behavioural response; empty where there is no shadow."""
    if f.effect.arithmetic is None or f.effect.response is None:
        return ""
    return (
        f"Arithmetic alone, the same plays shared out by the other rule: {difference(f.effect.arithmetic, f.unit)}"
        f"{_flag(f.effect.arithmetic)}. What people then do differently: {difference(f.effect.response, f.unit)}"
        f"{_flag(f.effect.response)}."
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
        said = "no difference at all" if d.identical else difference(d, f.unit) + _flag(d)
        parts.append(f"{label(name).lower()} {said}")
    return f"Beside it, each by its own interval: {'; '.join(parts)}." if parts else ""


def money_sentence(rows: list[MoneyRow], currency: str) -> str:
    """Return what the comparison is worth to each group, per month, and which of it is not shown."""
    if all(row.effect.total.identical for row in rows):
        return "In money: no difference at all for any community."
    parts = [
        f"{row.who} no difference at all"
        if row.effect.total.identical
        else f"{row.who} {difference(row.effect.total, currency)}{_flag(row.effect.total)}"
        for row in rows
    ]
    return f"In money, {currency} per month: " + "; ".join(parts).replace(f" {currency} (", " (") + "."


def _flag(d: PairedDifference) -> str:
    verdict = judge(d)
    if verdict is Verdict.NONE:
        return ", no difference at all"
    return ", not shown" if verdict is Verdict.NOT_SHOWN else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
