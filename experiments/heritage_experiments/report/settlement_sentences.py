"""What is said of money's way: how much sooner, what passes before settlement, what is trapped, traced, and fails.

Every figure is an outcome of the run, or a mean or paired difference of outcomes over replications; here they are only
said.
"""

from __future__ import annotations

import math

from heritage_experiments.report import words
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.settlement_ways import Way, differ_otherwise
from heritage_experiments.statistics import PairedDifference, paired_difference, wilson_interval
from heritage_sim.money import STEPS

BEFORE = STEPS[: STEPS.index("settlement")]
_HOW = {
    "reference": "by the contracts' rules on whole numbers",
    "evm": "by the contracts on a chain inside the simulation",
}
"""Ledgers that have no way on which a transaction could be lost."""
_A_TRACE = 0.05
"""Days: what moments of blocks and the choice of money that was paid leave between equal steps."""
_NOT_A_TRACE = 1e-6
"""Percent: less is left by rounding between two shares that are equal."""
TRACEABLE = (
    "Traceable is money whose work and all works it derives from are registered, whose community permitted performing "
    "and selling on the day of the play, and whose sources' communities had permitted the use when the derived work "
    "was published."
)


def headline(findings: Findings, pair: tuple[Way, Way]) -> str:
    """Return how much sooner half of the money is in hand, with the interval of the paired difference."""
    name = "settlement_days_paid_median"
    one, other = (mean(findings, way, name) for way in pair)
    first, second = (_phrase(way, pair) for way in pair)
    text = (
        f"Half of the money is in the payees' hands within {_days(one)} days of the play when {first}, and within "
        f"{_days(other)} days when {second}: {_sooner(difference(findings, pair, name))}."
        + _not_reached(findings, pair, name)
    )
    if differ_otherwise(pair):
        text += " These two differ in more than the settlement step, so not all of that is its doing."
    in_hand = [mean(findings, way, "settlement_step_days_cash_out") for way in pair]
    if abs(in_hand[0] - in_hand[1]) > _A_TRACE:
        text += (
            f" Part of it is cash-out, {words.number(in_hand[0], 1)} against {words.number(in_hand[1], 1)} days on "
            "average: a claim pays whatever is final by then, so where epochs are shorter than cash-out it comes "
            "early for the later ones."
        )
    return text


def by_payments(findings: Findings, pair: tuple[Way, Way]) -> str:
    """Return the same counted by payments."""
    name = "settlement_days_paid_payments_median"
    one, other = (mean(findings, way, name) for way in pair)
    return (
        f"Counted by payments, where what a statement gives one payee counts the same however small it is: "
        f"{_days(one)} against {_days(other)} days, {_sooner(difference(findings, pair, name))}."
        + _not_reached(findings, pair, name)
    )


def alone(findings: Findings, way: Way) -> str:
    """Return within how many days half of the money is in hand where there is one way of settling only."""
    paid, each = (findings.level(way.cell, f"settlement_days_paid{kind}_median") for kind in ("", "_payments"))
    return (
        f"Half of the money is in the payees' hands within {_days(paid.mean)} days of the play when {way.phrase} (95 % "
        f"interval {words.interval(paid.low, paid.high, 1, False)}; n = {paid.n}); counted by payments, within "
        f"{_days(each.mean)} days." + _not_reached(findings, (way,), "settlement_days_paid_median")
    )


def before_settlement(findings: Findings, ways: tuple[Way, ...]) -> str:
    """Return how much of the days has passed before settlement begins, and how long settlement takes."""
    parts = {way.name: {step: mean(findings, way, f"settlement_step_days_{step}") for step in STEPS} for way in ways}
    if not all(math.isfinite(days) for part in parts.values() for days in part.values()):
        return ""
    first, *others = parts.values()
    before, whole = sum(first[step] for step in BEFORE), sum(first.values())
    percent = words.number(100.0 * before / whole, 1 if before > 0.99 * whole else 0)
    period, after = words.number(first["usage"], 0), words.number(before - first["usage"], 0)
    said = (
        f"Of the {words.number(whole, 0)} days that paid money took on average when {ways[0].phrase}, "
        f"{words.number(before, 0)} ({percent} %) had passed before settlement began: from the play to the end of the "
        f"accounting period {period}, and then report, matching, cash-in and statement {after}. "
    )
    if others and all(abs(sum(p[s] for s in BEFORE) - before) < 0.5 for p in others):
        said += "They are the same in every way of settling, and no ledger shortens them here. "
    took = "; ".join(f"{name} {words.number(part['settlement'], 1)}" for name, part in parts.items())
    return said + f"Settlement itself took, in days: {took}."


def payment_runs(findings: Findings, way: Way) -> str:
    """Return how far the wait for a payment run rests on where the runs happen to fall."""
    settlement = way.scenario.money_chain.settlement
    batch, first = settlement.batch_days, settlement.first_batch_days
    waited = mean(findings, way, "settlement_step_days_settlement")
    if not math.isfinite(waited):
        return ""
    said = (
        f"Payment runs every {words.number(batch, 1)} days ({way.name}) make a statement wait between nothing and that "
        f"long, {words.number(batch / 2.0, 1)} days on average over all dates on which runs may fall. "
    )
    if first is None:
        return said + (
            "On which they fall is not known: each replication draws it, so the intervals cover it. The money that "
            f"was paid waited {words.number(waited, 1)} days on average, and balances below the minimum longer."
        )
    return said + (
        f"The first is set to fall {words.number(first, 1)} days after the first day, so that money waited "
        f"{words.number(waited, 1)} days on average: a setting of the calendar, the same in every replication, which "
        "no interval covers."
    )


def stuck(findings: Findings, ways: tuple[Way, ...]) -> str:
    """Return what is trapped or unpaid, by money and by payments, and what payments cost; empty without money."""
    said = []
    currency = findings.run.currency
    for way in ways:
        share, unpaid = (mean(findings, way, f"{kind}_money_share") for kind in ("trapped", "unpaid"))
        settlement = way.scenario.money_chain.settlement
        if share > 0.0:
            months = words.number(mean(findings, way, "trapped_months_median"), 1)
            payments = _percent(_trapped_payments(findings, way))
            small = (
                f"below the minimum of {currency.show(settlement.minimum_units)}"
                if settlement.minimum_units > settlement.cost_units
                else f"no larger than the cost of a payment, {currency.show(settlement.cost_units)},"
            )
            said.append(
                f"{way.name}, {_percent(share)} of the money and {payments} of the payments lay in balances {small} "
                f"when observation ended, although a payment run had come by; the money had waited {months} months at "
                "the median, and may wait for ever"
            )
            if unpaid - share > _NOT_A_TRACE:
                said.append(f"another {_percent(unpaid - share)} of the money was not yet paid, for no run had come by")
        elif unpaid > 0.0:
            said.append(
                f"{way.name}, {_percent(unpaid)} of the money was not yet paid, for no run or claim had come by"
            )
        elif not math.isnan(share):
            said.append(f"{way.name}, nothing was left unpaid")
        costs = mean(findings, way, "payment_costs_units")
        if costs > 0.0:
            one = words.number(costs, words.digits_for(currency.code, costs))
            said.append(f"payments cost {one} {currency.code} a replication, taken from the payees")
    return f"Trapped and unpaid. {words.capital('; '.join(said))}." if said else ""


def traced(findings: Findings, ways: tuple[Way, ...]) -> str:
    """Return the share of traceable money, and what that means."""
    shares = [findings.level(way.cell, "traceable_money_share") for way in ways]
    if not all(math.isfinite(s.mean) for s in shares):
        return ""
    if len({round(s.mean, 6) for s in shares}) == 1:
        told = _percent(shares[0].mean) + (" in every way of settling" if len(shares) > 1 else "")
    else:
        told = "; ".join(f"{way.name} {_percent(s.mean)}" for way, s in zip(ways, shares, strict=True))
    return f"Traceable money: {told}. {TRACEABLE}"


def failures(findings: Findings, ways: tuple[Way, ...]) -> str:
    """Return the failure rate with denominator, interval and fault schedule, or that there was nothing to fail."""
    run = findings.run
    said = []
    for way in ways:
        rows = run.outcomes[run.outcomes["cell"] == way.cell.name]
        counted = {
            name: (round(float((of["value"] * of["n"]).sum() / 100.0)), int(of["n"].sum()))
            for name in ("ledger_failure_rate", "ledger_unresolved_rate")
            for of in [rows[(rows["name"] == name) & rows["value"].notna()]]
        }
        failed, attempts = counted["ledger_failure_rate"]
        if not attempts:
            continue
        open_, intents = counted["ledger_unresolved_rate"]
        low, high = (100.0 * end for end in wilson_interval(failed, attempts))
        faults = way.scenario.ledger.faults
        said.append(
            f"{way.name}, {failed:,} of {attempts:,} sendings of transactions did not lead into a block "
            f"({words.number(100.0 * failed / attempts, 2)} %, 95 % Wilson interval {words.number(low, 2)} to "
            f"{words.number(high, 2)}), and {open_:,} of {intents:,} transactions were unresolved at the end, under "
            + (f"the fault schedule {faults!r}" if faults else "no fault schedule: nothing was broken on purpose")
        )
    if said:
        end = "The rate is that of the schedule, not of a public network."
        return f"Ledger failures. {words.capital('; '.join(said))}. {end}"
    cells = [way.cell.name for way in ways if not way.is_manual]
    ledgers = set(run.epochs.loc[run.epochs["cell"].isin(cells), "ledger"])
    how = [told for name, told in _HOW.items() if name in ledgers]
    how += ["by hand"] if len(cells) < len(ways) else []
    settled = " or ".join(how) or "by a ledger that does not count what it sends"
    return (
        "Ledger failures: nothing was sent that could be lost on its way, so there is no failure rate. Money was "
        f"settled {settled}."
    )


def in_short(findings: Findings, way: Way) -> str:
    """Return the days in a sentence, and that they are settings."""
    out, paid = (findings.level(way.cell, f"settlement_days_{what}_median") for what in ("withdrawable", "paid"))
    return (
        f"Half of the money can be withdrawn within {_days(out.mean)} days of the play and is in hand within "
        f"{_days(paid.mean)} (means of n = {paid.n} replications). That follows from the epoch of "
        f"{way.scenario.economy.epoch_days} days, the challenge window of "
        f"{way.scenario.ledger.challenge_window_hours:g} hours and "
        f"{way.scenario.money_chain.cash_out.days * 24.0:g} hours for the claim, and report, matching and cash-in are "
        "taken as immediate: settings, not a finding."
    )


def difference(findings: Findings, pair: tuple[Way, Way], outcome: str) -> PairedDifference:
    """Return the paired difference of an outcome, the first way's cell minus the second's."""
    one, other = (findings.run.values(way.cell.name, outcome) for way in pair)
    shared = one.index.intersection(other.index)
    return paired_difference(one.loc[shared].to_numpy(), other.loc[shared].to_numpy())


def mean(findings: Findings, way: Way, outcome: str) -> float:
    """Return an outcome's mean over replications; NaN where it is not defined."""
    return findings.level(way.cell, outcome).mean


def _not_reached(findings: Findings, ways: tuple[Way, ...], median: str) -> str:
    """Return in how many replications half was never in hand while observed: a mean over the others is too short."""
    said = []
    for way in ways:
        values = findings.run.values(way.cell.name, median)
        if missing := int(values.isna().sum()):
            said.append(f"{missing} of {len(values)} replications ({way.name})")
    if not said:
        return ""
    return (
        f" In {' and '.join(said)} half was not in hand when observation ended; they are left out here, so the days "
        "given are too few: follow the money for longer."
    )


def _days(value: float) -> str:
    return words.number(value, 1 if value < 100.0 else 0)


def _interval(d: PairedDifference) -> str:
    if d.identical:
        return f"the same in all {d.n} pairs"
    if not math.isfinite(d.low):
        return "one pair, no interval"
    low, high = sorted((abs(d.low), abs(d.high)))
    return f"95 % interval {words.number(low, 1)} to {words.number(high, 1)}; n = {d.n} pairs"


def _sooner(d: PairedDifference) -> str:
    """Return a difference in days in words; nothing is called sooner unless the interval says so."""
    if d.identical:
        return f"no difference at all (n = {d.n} pairs)"
    if not (d.low > 0.0 or d.high < 0.0):
        return f"a difference is not shown ({words.difference(d, 'days')}; n = {d.n} pairs)"
    return f"{words.number(abs(d.mean), 1)} days {'sooner' if d.mean < 0 else 'later'} ({_interval(d)})"


def _phrase(way: Way, pair: tuple[Way, Way]) -> str:
    """Return the way as part of a sentence, by its cell's name where both are of one kind."""
    return way.phrase if pair[0].is_manual is not pair[1].is_manual else f"settled as in {way.name}"


def _trapped_payments(findings: Findings, way: Way) -> float:
    """Return the share of payments that are trapped, percent: small ones, so more of them than of the money."""
    rows = findings.run.settlement[findings.run.settlement["cell"] == way.cell.name]
    return float(100.0 * rows.loc[rows["trapped"], "payments"].sum() / rows["payments"].sum())


def _percent(share: float) -> str:
    return f"{words.number(share, 0 if share in (0.0, 100.0) else words.digits_for('%', share))} %"
