"""Numbers and names as people read them. No figure is made here, only said."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from heritage_experiments.report.run_data import CellFacts, ComparisonFacts
from heritage_experiments.statistics import Finding, PairedDifference, Verdict
from heritage_sim.evaluation.abandonment import NUM_RELIABILITY_GROUPS, RELIABILITY

GAP = "payout_gap_communities"
"""The outcome that is spoken of as the gap."""

LABELS = {
    GAP: "Gap between communities' shares of payout",
    "payout_theil_between_communities": "Theil index of payout, between communities",
    "payout_theil_within_communities": "Theil index of payout over payees, within communities",
    "payout_gini_creators": "Gini index of payout over creators",
    "payout_gini_communities": "Gini index of payout over communities",
    "payout_theil_creators": "Theil index of payout over creators",
    "payout_jain_creators": "Jain index of payout over creators",
    "payout_atkinson_creators": "Atkinson index of payout over creators (aversion 0.5)",
    "payout_per_play_gap_communities": "Gap between communities' payout per play",
    "plays_share_archive": "Share of plays of archive works",
    "plays_share_human": "Share of plays of works recorded by people",
    "plays_share_generated": "Share of plays of generated works",
    "income_share_archive": "Share of income of archive works",
    "income_share_human": "Share of income of works recorded by people",
    "income_share_generated": "Share of income of generated works",
    "plays_per_session": "Plays per session",
    "seconds_per_session": "Listening per session",
    "abandonment_rate": "Sessions abandoned",
    "sessions": "Sessions",
    "plays": "Plays",
    "settlement_days_withdrawable_median": "Play to withdrawable money, median",
    "settlement_days_withdrawable_p90": "Play to withdrawable money, 90th percentile",
    "settlement_days_withdrawable_payments_median": "Play to withdrawable money, by payments, median",
    "settlement_days_withdrawable_payments_p90": "Play to withdrawable money, by payments, 90th percentile",
    "settlement_days_paid_median": "Play to money in hand, median",
    "settlement_days_paid_p90": "Play to money in hand, 90th percentile",
    "settlement_days_paid_payments_median": "Play to money in hand, by payments, median",
    "settlement_days_paid_payments_p90": "Play to money in hand, by payments, 90th percentile",
    "settlement_quantiles_unreached": "Of these eight, not reached before observation ended",
    "settlement_step_days_usage": "Part of the days, play to end of period",
    "settlement_step_days_report": "Part of the days, report",
    "settlement_step_days_matching": "Part of the days, matching",
    "settlement_step_days_cash_in": "Part of the days, cash-in",
    "settlement_step_days_statement": "Part of the days, statement",
    "settlement_step_days_settlement": "Part of the days, settlement",
    "settlement_step_days_cash_out": "Part of the days, cash-out",
    "unpaid_money_share": "Money not paid when observation ended",
    "trapped_money_share": "Money trapped below the minimum payment",
    "trapped_months_median": "Wait of trapped money, median",
    "payment_costs_units": "Cost of payments by hand",
    "traceable_money_share": "Traceable money",
    "licence_fees_units": "Licence fees",
    "ledger_failure_rate": "Transactions sent that led into no block",
    "ledger_unresolved_rate": "Transactions unresolved at the end",
    "works_recorded": "Works recorded by people",
    "works_generated": "Works generated",
    "works_rereleased": "Archive works released again by creators",
    "works_crossed": "Works that join two traditions",
    "works_concealed": "Works whose makers would not name their source",
    "concealments_detected": "Concealed sources found out",
    "creators_entered": "Times a creator entered",
    "creators_left": "Times a creator left",
    "creator_skill_mean": "Skill of active creators, mean",
    "commissions_refused": "Commissions refused",
    "commissions_refused_repertoire": "Commissions refused, restricted repertoire",
    "derivatives_accepted_share": "Derived pieces that communities accepted",
    "jury_votes": "Votes of juries",
    "jury_votes_split_share": "Votes of juries that were not unanimous",
    "jury_calls_without_quorum": "Juries called without a quorum",
    "consent_to_derive_share": "Communities that consented to derivation",
    "bearers_total_change": "Change of practising bearers",
    "bearers_worst_change": "Change of practising bearers, worst community",
    "violations_per_generated_piece": "Broken constraints per generated piece",
    "consistency_generated_mean": "Consistency of generated pieces with the archive",
    "gini_plays_works": "Gini index of plays over works",
    "adversary_profit_units_bots": "Profit of a ring from bot accounts over the whole run",
    "adversary_profit_units_sybils": "Profit of a ring from copies under further names over the whole run",
    "adversary_profit_units_claims": "Profit of a ring from false claims to be the source over the whole run",
    "adversary_accounts_detected": "Bot accounts found out",
    "adversary_displaced_units": "Money that fraud kept from other payees over the whole run",
    "pool_units": "Royalty pool",
    "ndcg_20": "NDCG@20 of rankings frozen on the split day",
    "ndcg_100": "NDCG@100 of rankings frozen on the split day",
    "ndcg_100_cold": "NDCG@100, works new on the split day",
    "recall_100": "Recall@100 of rankings frozen on the split day",
    "mrr": "Mean reciprocal rank of the first relevant work",
    "coverage_100_tail": "Works of the long tail in anybody's best 100",
    "dwell_auc": "Long first plays told from short ones (AUC)",
    "listener_surplus_mean": "Worth of a slate to its listener",
    "abandonment_hr_prior_mean": "Hazard ratio of leaving, a minute more of earlier sessions",
    "abandonment_hr_familiarity": "Hazard ratio of leaving, heritage familiarity 1 against 0",
    "session_restricted_mean_s": "Mean length of sessions within the horizon",
    "abandonment_concordance": "Concordance of foretold leaving",
    "abandonment_brier": "Integrated Brier score of foretold leaving",
    "abandonment_brier_skill": "Skill of foretold leaving over Kaplan-Meier",
    **{
        f"{RELIABILITY}{k}": f"Sessions that go on at half the horizon, group {k} of {NUM_RELIABILITY_GROUPS}"
        for k in range(1, NUM_RELIABILITY_GROUPS + 1)
    },
}
_BY_COMMUNITY = {
    "payout_share_community_": "Share of payout",
    "creators_active_community_": "Active creators at the end",
    "plays_share_community_": "Share of plays",
    "plays_share_generated_community_": "Generated works' share of plays",
    "bearers_community_": "Practising bearers",
    "bearers_change_community_": "Change of practising bearers",
    "exposure_share_community_": "Share of exposure",
    "top100_exposure_share_community_": "Share of exposure in the frozen best 100",
    "relevance_share_community_": "Share of works listened to after the split day",
    "licence_fees_units_community_": "Licence fees",
}
_NOISE = 1e-9
"""What is smaller is the rounding of binary fractions, not a figure."""
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


def arm_name(arm: str) -> str:
    """Return an arm's name for people: ``logistic_archive`` is logistic archive."""
    return arm.replace("_", " ")


def cell_name(cell: CellFacts) -> str:
    """Return what a cell is, for people."""
    return f"{rule_name(cell.rule)}, {arm_name(cell.arm)}" if cell.arm else rule_name(cell.rule)


def cell_names(cells: Sequence[CellFacts]) -> list[str]:
    """Return what cells are, for people; those that differ in neither rule nor arm by their own names."""
    said = [cell_name(c) for c in cells]
    return [c.name if said.count(name) > 1 else name for c, name in zip(cells, said, strict=True)]


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
    if scale < _NOISE:
        return 2
    # Hundredths of a point or of money are enough, unless nothing would be left: then two figures.
    most = 4 if unit in ("1", "") or scale < 0.005 else 2
    if scale < 0.0001:
        return 1 - math.floor(math.log10(scale))
    return max(0, min(most, 2 - math.floor(math.log10(scale))))


def scale_of(d: PairedDifference) -> float:
    """Return the size of a difference and its interval, which decides how many decimals both are shown with."""
    return max((abs(x) for x in (d.mean, d.low, d.high) if math.isfinite(x)), default=math.nan)


def p_value(p: float) -> str:
    """Return a p-value to three decimals; a dash where there is none."""
    return "< 0.001" if p < 0.001 else number(p, 3)


def short_unit(unit: str) -> str:
    """Return a unit as it stands behind a number."""
    return _SHORT_UNITS.get(unit, unit)


def table_unit(unit: str) -> str:
    """Return a unit as it stands in a column of its own, where counts, ratios and indexes have none."""
    return short_unit(unit) or "number"


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
    digits = digits_for(unit, scale_of(d))
    shown = f"{number(d.mean, digits, True)} {difference_unit(unit)}".strip()
    return f"{shown} ({interval(d.low, d.high, digits)})"


def comparison_title(c: ComparisonFacts) -> str:
    """Return what is compared with what, naming only what differs."""
    if c.treatment.arm == c.control.arm:
        where = f" (arm {arm_name(c.treatment.arm)})" if c.treatment.arm else ""
        if c.treatment.rule == c.control.rule:
            return f"{c.treatment.name} compared with {c.control.name}"
        return f"{capital(rule_name(c.treatment.rule))} compared with {rule_name(c.control.rule)}{where}"
    if c.treatment.rule == c.control.rule:
        arms = f"{capital(arm_name(c.treatment.arm))} compared with {arm_name(c.control.arm)}"
        return f"{arms} (rule {rule_name(c.treatment.rule)})"
    return f"{capital(cell_name(c.treatment))} compared with {cell_name(c.control)}"


def badge(f: Finding | None) -> str:
    """Return the verdict on a primary outcome, saying what it is of: a badge stands far from the sentence."""
    if f is None:
        return "not recorded"
    if f.outcome == GAP:
        return {Verdict.LOWER: "gap narrower", Verdict.HIGHER: "gap wider"}.get(f.verdict, f"gap: {f.verdict}")
    return f"{label(f.outcome)}: {f.verdict}"


def gain_or_loss(verdict: Verdict) -> str:
    """Return the verdict on a change of somebody's money."""
    return {Verdict.LOWER: "loses", Verdict.HIGHER: "gains"}.get(verdict, str(verdict))


def days_said(days: Mapping[str, int]) -> str:
    """Return how long cells run, each named only where they differ: ``60 days``."""
    lengths = sorted(set(days.values()))
    if len(lengths) == 1:
        return f"{lengths[0]} days"
    return "; ".join(f"{n} days ({', '.join(cell for cell, d in days.items() if d == n)})" for n in lengths)


def uncapital(text: str) -> str:
    """Return a text with its first letter small, unless its first word is all capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def capital(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
