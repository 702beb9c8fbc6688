"""The five assumptions that bear most on the answer, with their values in this scenario and what would change it.

They are chosen by what they touch: who likes what, who listens most, how many listen, whether listeners stay, and how
creators respond. Where the question is how long money takes, who practises, or what fraud brings, what that hangs on
stands first, and taste is left out. No source gives their values; each is a number to be swept, not a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from heritage_experiments.report.words import digits_for, number
from heritage_sim.base import BPS, Currency

_OF_MONEYS_WAY = ("settlement_", "trapped_", "unpaid_", "payment_costs_")
"""How outcomes of the money chain begin."""
_OF_BEARERS, _OF_A_RING = "bearers_", "adversary_"
"""How outcomes of transmission, and of adversaries, begin."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption.

    Parameters
    ----------
    name, key : str
        In words; the scenario's key.
    value : str
        Value in this run, with its unit.
    bearing : str
        What would change the answer.
    """

    name: str
    key: str
    value: str
    bearing: str


def five_assumptions(scenario: dict[str, Any], currency: Currency) -> list[Assumption]:
    """Return the assumptions with the values of a resolved scenario."""
    listeners, creators = scenario["listeners"], scenario["creators"]
    communities = scenario["communities"]
    mean, spread = listeners["consistency_taste_mean"], listeners["consistency_taste_sd"]
    weights = [float(c["listener_share"]) for c in communities]
    total = sum(weights) or 1.0
    pool = sum(
        listeners["num_listeners"] * p["share"] * p["fee_units_per_day"] * listeners["royalty_share_bps"] / BPS
        for p in listeners["plans"]
    )
    month = 30.0 * pool / 10**currency.decimals
    monthly = f"{number(month, digits_for(currency.code, month))} {currency.code}"
    shares = {number(100.0 * c["share_bps"] / BPS, 0) for c in communities}
    taste = Assumption(
        "Do listeners value consistency with the archive?",
        "listeners.consistency_taste_mean, listeners.consistency_taste_sd",
        f"mean {number(mean, 2)}, standard deviation {number(spread, 2)} (utility per unit of consistency)",
        "At mean zero as many listeners prefer consistent pieces as avoid them. A positive mean favours "
        "constrained generation, a negative one the unconstrained.",
    )
    asked = tuple(c["outcome"] for c in scenario["comparisons"])
    first = taste
    for begins, of in ((_OF_BEARERS, _practice), (_OF_A_RING, _detection), (_OF_MONEYS_WAY, _steps_of_money)):
        if any(outcome.startswith(begins) for outcome in asked):
            first = of(scenario, currency)
    return [
        first,
        Assumption(
            "Which communities' listeners listen most?",
            "communities[].activity, listeners.activity_sd",
            "; ".join(f"{c['name']} {number(float(c['activity']), 2)}" for c in communities)
            + f" (relative session rate); spread between listeners {number(float(listeners['activity_sd']), 2)} "
            "(log scale)",
            "Pro-rata pays by plays, user-centric by people: they part only where activity and taste go together. With "
            "equal activity everywhere they should come close; with the order reversed, expect the opposite sign. What "
            "listeners who play nothing in an epoch pay follows, under user-centric, the result of the others' fees.",
        ),
        Assumption(
            "How many listeners does each community begin with?",
            "communities[].listener_share",
            "; ".join(
                f"{c['name']} {number(100.0 * w / total, 1)} %" for c, w in zip(communities, weights, strict=True)
            ),
            "The gap between communities begins with the size of their audiences; no rule that follows listening can "
            "remove a gap that is there in the number of listeners.",
        ),
        Assumption(
            "Who ends the subscription, and who comes back?",
            "listeners.churn_base, listeners.churn_satisfaction, listeners.return_rate, listeners.word_of_mouth",
            f"a subscriber decides every {listeners['renewal_days']} days; log odds of ending it "
            f"{number(float(listeners['churn_base']), 2)} less {number(float(listeners['churn_satisfaction']), 2)} per "
            f"unit of satisfaction; {number(100.0 * float(listeners['return_rate']), 2)} % of the others come back a "
            f"day, and up to {number(100.0 * float(listeners['word_of_mouth']), 2)} % more by word of mouth; fees are "
            f"fixed, so with all listeners subscribed the pool is {monthly} per 30 days",
            "Fees are shared out, so the pool follows the number of subscribers. The more satisfaction counts, the "
            "more a change of the music moves everybody's money. A rule moves listeners only through the music made.",
        ),
        Assumption(
            "How creators respond to income",
            "creators.recording_cost_units, creators.commission_cost_units, creators.decision_scale_units, "
            "communities[].share_bps",
            f"recording costs {currency.show(creators['recording_cost_units'])}, a commission "
            f"{currency.show(creators['commission_cost_units'])}; odds of acting rise by a factor of 2.7 with each "
            f"{currency.show(creators['decision_scale_units'])} of expected gain; community funds take "
            f"{' or '.join(sorted(shares))} % of new works at the start",
            "This drives the behavioural response. Cheaper commissions or a steeper response make it larger; with both "
            "switched off only the arithmetic effect is left.",
        ),
    ]


def _steps_of_money(scenario: dict[str, Any], currency: Currency) -> Assumption:
    """Return how long money's steps take, and how payments by hand are made, in the scenario before its cells."""
    chain = scenario["money_chain"]
    settlement = chain["settlement"]
    lags = ", ".join(
        f"{words} {number(float(chain[step]['days']), 1)}"
        for step, words in (("report", "report"), ("matching", "matching"), ("cash_in", "cash-in"),
                            ("statement", "statement"), ("cash_out", "cash-out"))
    )  # fmt: skip
    first = settlement["first_batch_days"]
    runs = "days drawn by each replication" if first is None else f"first {number(float(first), 1)} days after day 0"
    return Assumption(
        "How long does each step of the money take, and when are payments made by hand?",
        "money_chain, economy.epoch_days, ledger.challenge_window_hours",
        f"periods of {scenario['economy']['epoch_days']} days; {lags} (days); on chain a window of "
        f"{scenario['ledger']['challenge_window_hours']:g} hours; by hand a run every "
        f"{number(float(settlement['batch_days']), 1)} days ({runs}), {currency.show(settlement['cost_units'])} a "
        f"payment, from {currency.show(settlement['minimum_units'])} on",
        "The days are sums of these settings, so the difference between two ways of settling is little more than the "
        "mean wait for a payment run, and for balances to reach the minimum, less the challenge window. Daily runs "
        "without a minimum would take nearly all of it away.",
    )


def _practice(scenario: dict[str, Any], currency: Currency) -> Assumption:
    """Return how practice is learnt, before the cells set their forms; no amount of money is in it."""
    del currency
    t = scenario["transmission"]
    return Assumption(
        "How is practice learnt, and what draws people to it?",
        "transmission",
        f"the form is each cell's own; weight of income {number(float(t['income_weight']), 2)}, "
        f"of prestige {number(float(t['prestige_weight']), 2)}; a play of a generated work confers "
        f"{number(100.0 * float(t['generated_prestige']), 0)} % of the prestige of another, unless a cell sets it",
        "Whether a loss is made good or goes on by itself follows from the form, and whether generated music helps or "
        "harms from the prestige that its plays confer. Nobody has measured either for a musical tradition.",
    )


def _detection(scenario: dict[str, Any], currency: Currency) -> Assumption:
    """Return how often fraud is found out and what it costs, before the cells set theirs."""
    a = scenario["adversaries"]
    accounts, claims, believed = (
        number(100.0 * float(a[key]), 1) for key in ("bot_detection_per_day", "claim_detection_per_day", "claim_stands")
    )
    return Assumption(
        "How often is fraud found out, and what does it cost?",
        "adversaries",
        f"on a day {accounts} % of accounts are found out, and {claims} % of the claims that were believed; {believed} "
        f"% of claims are believed; {a['bot_plays_per_day']} plays of an account a day; "
        f"{currency.show(a['publishing_cost_units'])} an upload, {currency.show(a['claim_bond_units'])} bond a claim",
        "Profit is what plays bring until they are struck out, less these prices. Faster detection, or accounts that "
        "cost more than they can move, turns the sign under any rule.",
    )
