"""What stands before all answers: how far a run can be trusted to answer, and the answers in one clause each."""

from __future__ import annotations

from collections.abc import Sequence

from heritage_experiments.report.findings import Answer, Findings
from heritage_experiments.report.run_data import ComparisonFacts, RunData
from heritage_experiments.report.sentences import relative
from heritage_experiments.report.words import (
    GAP,
    arm_name,
    capital,
    cell_name,
    days_said,
    digits_for,
    label,
    number,
    rule_name,
)
from heritage_experiments.statistics import Verdict, judge
from heritage_sim.royalty import RULES


def caveats(run: RunData) -> list[str]:
    """Return why a run does not answer its question, or not yet; empty where it is whole."""
    said = []
    if run.is_quick:
        counts = sorted({c.num_replications for c in run.cells})
        n = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
        listeners = run.scenario["listeners"]["num_listeners"]
        small = f"n = {n}, {days_said(run.days)}, {listeners:,} listeners"
        if run.whole:
            whole = run.whole
            small += (
                f" (the whole: n = {whole['replications']}, {whole['days']} days, {whole['listeners']:,} listeners)"
            )
        said.append(f"A quick, small run, to see how it goes: {small}; it does not answer the question")
    if run.num_finished < run.num_planned:
        text = (
            f"Not complete: {run.num_finished} of {run.num_planned} replications have finished; all figures are of "
            "those and will change"
        )
        missing = len(run.scenario.get("comparisons") or []) - len(run.comparisons)
        if missing:
            text += f"; {missing} comparison{' has' if missing == 1 else 's have'} no figures yet"
        said.append(text)
    return said


def summary(findings: Findings) -> str:
    """Return a sentence for each comparison, what its primary outcome does and what creators together earn."""
    everything, code = [a.facts for a in findings.answers], findings.run.currency.code
    return " ".join(
        f"{capital(_what(a.facts))}{held_alike(a.facts, everything)}{_outcome(a)}{_creators(a, code)}."
        for a in findings.answers
    )


def held_alike(c: ComparisonFacts, everything: Sequence[ComparisonFacts]) -> str:
    """Return what both sides have alike, where the same change is made under something else too."""
    alike = [other for other in everything if _what(other) == _what(c)]
    if c.treatment.rule == c.control.rule and len({other.treatment.rule for other in alike}) > 1:
        return f" under {rule_name(c.treatment.rule)}"
    if c.treatment.arm == c.control.arm and len({other.treatment.arm for other in alike}) > 1:
        return f" in the {arm_name(c.treatment.arm)} arm"
    return ""


def _what(c: ComparisonFacts) -> str:
    """Return what is changed, as a sentence begins; only what differs between the cells."""
    if c.treatment.rule != c.control.rule and c.treatment.arm == c.control.arm:
        return f"{rule_name(c.treatment.rule)} payout in place of {rule_name(c.control.rule)}"
    if c.treatment.arm != c.control.arm and c.treatment.rule == c.control.rule:
        return f"the {arm_name(c.treatment.arm)} arm in place of the {arm_name(c.control.arm)} one"
    if c.treatment.rule == c.control.rule:
        return f"{c.treatment.name} in place of {c.control.name}"
    return f"{cell_name(c.treatment)} in place of {cell_name(c.control)}"


def _outcome(answer: Answer) -> str:
    f = answer.primary
    if f is None:
        return f": {label(answer.facts.outcome).lower()} was not recorded"
    what = "the gap" if f.outcome == GAP else label(f.outcome).lower()
    match f.verdict:
        case Verdict.UNDEFINED:
            return f": {what} is not defined"
        case Verdict.NONE:
            return f": no difference at all in {what}"
        case Verdict.NOT_SHOWN:
            return f": no difference in {what} is shown"
        case _:
            pass
    unit = f.unit
    digits = digits_for(unit, max(abs(f.control_mean), abs(f.treatment_mean)))
    # The fewest decimals that still tell the two apart.
    digits = next((k for k in range(digits) if number(f.control_mean, k) != number(f.treatment_mean, k)), digits)
    levels = f"from {number(f.control_mean, digits)} to {number(f.treatment_mean, digits)}"
    if f.outcome == GAP:
        does = f"narrows {what}" if f.verdict is Verdict.LOWER else f"widens {what}"
    else:
        does = f"{'lowers' if f.verdict is Verdict.LOWER else 'raises'} {what}"
    return f" {does} {levels} {'' if unit == '1' else unit}".rstrip() + _by_design(answer.facts)


def _by_design(c: ComparisonFacts) -> str:
    """Return a remark where the treatment's rule, and not the control's, looks at communities to share money out."""
    looks = [
        bool(rule and rule.communities)
        for rule in (RULES.get(cell.rule.partition("(")[0]) for cell in (c.treatment, c.control))
    ]
    return ", by design, for this rule weighs plays by community" if looks == [True, False] else ""


def _creators(answer: Answer, code: str) -> str:
    row = answer.kinds[0]
    verdict = judge(row.effect.total)
    if verdict not in (Verdict.HIGHER, Verdict.LOWER) or not row.control_mean > 0.0:
        return ""
    shown = answer.primary is not None and answer.primary.verdict in (Verdict.HIGHER, Verdict.LOWER)
    size = f"{relative(row).lstrip('+−')} %"
    if abs(row.effect.total.mean) >= 10.0 * row.control_mean:  # of next to nothing, a percentage says nothing
        size = f"{number(abs(row.effect.total.mean), digits_for(code, abs(row.effect.total.mean)))} {code} a month"
    more = "more" if verdict is Verdict.HIGHER else "less"
    return f", {'and' if shown else 'but'} {row.who} earn {size} {more}"
