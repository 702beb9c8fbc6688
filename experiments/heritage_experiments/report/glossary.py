"""Words used: the terms of a report in plain English, of which a page shows those that stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from heritage_experiments.report.run_data import RunData
from heritage_experiments.report.words import arm_name, capital, rule_name


@dataclass(frozen=True, slots=True)
class Term:
    """A word with its meaning.

    Parameters
    ----------
    word : str
        As the list shows it.
    meaning : str
        One sentence.
    pattern : str
        Regular expression of what stands on the page where the word is used; letters of either case.
    """

    word: str
    meaning: str
    pattern: str


RULES_IN_WORDS = {
    "pro_rata": "All fees go into one pot, shared out by plays: who plays more moves more of everybody's money.",
    "user_centric": "Each listener's fee is shared out by that listener's own plays, and by nobody else's.",
    "community_weighted": (
        "A play counts for more the fewer plays its community has: strength 0 is pro-rata, strength 1 pays every "
        "community that was played the same, and 0.5 lies between (a community earns by the square root of its plays)."
    ),
    "threshold": "Pro-rata among the works that reach a set number of plays in an epoch; the others earn nothing.",
    "weighted": "A mixture of the user-centric and the pro-rata amount of each work.",
}
"""Registered kind of a rule -> what it does, in a sentence."""

_ARM = Term(
    "Arm",
    "One way in which new music is made, or any other named set of changes to the scenario; arms differ in this, not "
    "in rule.",
    r"\barms?\b",
)
_EXPERIMENT = (
    Term("Cell", "One arm with one royalty rule: the thing that is simulated.", r"\bcells?\b"),
    Term(
        "Control, treatment",
        "The two cells of a comparison: every difference is the treatment minus the control.",
        r"\bcontrol\b|\btreatment\b",
    ),
    Term(
        "Replication, pair",
        "One simulated history with its own chance; replication r of two cells meets the same chance, and the two are "
        "a pair.",
        r"\breplications?\b",
    ),
    Term("pp", "Percentage points: the difference of two percentages.", r"\bpp\b"),
    Term("number", "In a column of units: a plain count, ratio or index, which has no unit.", r"\bnumber\b"),
    Term(
        "Fund",
        "The account of a community: it is paid for archive works, and a stated part of what new works earn.",
        r"\bfunds?\b",
    ),
    Term(
        "Arithmetic alone",
        "What changes when the same plays are shared out by the other rule, before anybody has acted on it.",
        r"\barithmetic alone\b",
    ),
    Term(
        "Response",
        "The rest of the difference: what changes because creators and communities act on what they earn.",
        r"\bresponse\b",
    ),
    Term(
        "Bearers",
        "The people of a community who practise its music.",
        r"\bbearers\b",
    ),
    Term(
        "Prestige",
        "What plays of its music confer on a community's practice: more people take it up the larger its share of "
        "plays.",
        r"\bprestige\b",
    ),
    Term(
        "Ring",
        "A creator with bought accounts, further names and false claims, who move money to themselves.",
        r"\bring\b",
    ),
    Term(
        "Bot account",
        "A paid account that no person listens with: it plays the ring's works all day.",
        r"\bbots?\b",
    ),
    Term(
        "False claim",
        "A claim to be the source of somebody else's derivative, which takes its licence fees until it is found out.",
        r"\bfalse claims?\b",
    ),
    Term(
        "Taste for consistency",
        "How much more, or less, a listener likes a piece for keeping to the rules of its tradition's archive; "
        "assumed, and zero on average unless said otherwise.",
        r"\btaste for consistency\b|\bconsistency taste\b",
    ),
    Term("Slate", "The works that a recommender shows a listener at once.", r"\bslates?\b"),
    Term("Epoch", "The span of days after which royalties are settled.", r"\bepochs?\b"),
)
_STATISTICS = (
    Term(
        "Interval (Student-t)",
        "The range that would hold the mean over endlessly many replications in 95 of 100 such runs; it is reckoned "
        "from the spread between replications.",
        r"\bstudent-t\b|\binterval\b",
    ),
    Term(
        "Not shown",
        "The interval contains zero, or Holm's correction leaves too little: this run cannot tell the difference "
        "from chance; it does not prove that there is none.",
        r"\bnot shown\b",
    ),
    Term(
        "p",
        "If nothing differed, how often chance alone would give a difference at least this large; under 0.05 it counts "
        "as shown.",
        r"\bp is\b|\bp =|\bp <",
    ),
    Term(
        "Holm's correction",
        "With several main questions, one is likelier to look shown by luck; this raises their p-values to make up "
        "for it.",
        r"\bholm\b",
    ),
    Term(
        "BCa",
        "A second interval, made by drawing the replications again and again; it should come out near the first.",
        r"\bbca\b",
    ),
    Term(
        "Gini index",
        "How unequally money or plays are spread: 0 when all have the same, near 1 when one has everything.",
        r"\bgini\b",
    ),
    Term(
        "Theil index",
        "Another measure of inequality, 0 when all have the same, which splits exactly into a part between communities "
        "and a part within them.",
        r"\btheil\b",
    ),
    Term(
        "Jain index",
        "How equally money is spread: 1 when all have the same, near 0 when one of many has everything.",
        r"\bjain\b",
    ),
    Term(
        "Lorenz curve",
        "The share of all money that the least paid 10, 20, 30 ... % together hold.",
        r"\blorenz\b",
    ),
    Term(
        "Familiarity",
        "A listener's index between 0 and 1 of how well heritage music is known to it; assumed.",
        r"\bfamiliarity\b",
    ),
    Term(
        "Cox's model, proportional hazards",
        "A way of reading what makes people leave sooner; it supposes that a ratio stays the same all through a "
        "session, which a test then checks.",
        r"\bcox\b|\bproportional hazards\b",
    ),
    Term(
        "Hazard ratio",
        "How many times as readily sessions are left, moment by moment, among those still going on; 1 is as readily.",
        r"\bhazard ratio\b",
    ),
    Term(
        "NDCG@K, recall@K",
        "How well a ranking foretold what was listened to later: with works found near the top counting for more, and "
        "as the share found among the first K; 1 is the best there is.",
        r"\bndcg\b",
    ),
    Term(
        "Mean reciprocal rank",
        "One over the place of the first work in a ranking that was later listened to, on average; 1 is the best.",
        r"\breciprocal rank\b",
    ),
    Term(
        "Long tail",
        "The tenth of the catalogue that was played least.",
        r"\blong tail\b",
    ),
    Term(
        "AUC, concordance",
        "How often the larger of two is told right from the two forecasts; 0.5 is guessing, 1 is always.",
        r"\bauc\b|\bconcordance\b",
    ),
    Term(
        "Brier score, skill",
        "The mean squared error of a foretold chance, 0 at best; skill is the part of it that the model takes away.",
        r"\bbrier\b",
    ),
    Term(
        "Kaplan-Meier",
        "A curve of how much is done after so many days, which counts fairly what was still open at the end.",
        r"\bkaplan-meier\b",
    ),
    Term(
        "Settled days (play to withdrawable money)",
        "Days from a play until its money can be taken out: the rest of the epoch, the posting, and the time in which "
        "a statement can be challenged.",
        r"\bwithdrawable\b|\bsettled days\b",
    ),
    Term(
        "Money in hand",
        "Paid: the claim or the transfer has arrived at the payee.",
        r"\bmoney in hand\b|\bis in hand\b",
    ),
    Term(
        "By money, by payments",
        "Two ways of counting: every unit of money weighs the same, or every payment does, what a statement gives one "
        "payee. Where small payees wait longer, the second is the longer.",
        r"\bby payments\b",
    ),
    Term(
        "Censored",
        "Not yet paid when observation ended: known to have waited that long at least, and kept in the count.",
        r"\bcensored\b",
    ),
    Term(
        "Trapped",
        "Money that a payment run has passed over because its payee's balance is below the minimum, or would go to the "
        "cost of paying it.",
        r"\btrapped\b",
    ),
    Term(
        "Challenge window",
        "The hours between posting a statement on the ledger and its money being withdrawable, in which it can be "
        "stopped.",
        r"\bchallenge window\b",
    ),
    Term(
        "Traceable money",
        "Money of works whose chain back to registered sources is whole, with consent valid at each use.",
        r"\btraceable\b",
    ),
)
_MUSIC = (
    Term("Cent", "A hundredth of a tempered semitone, the unit of pitch distance.", r"\bcents\b"),
    Term("Finalis", "The tone on which a tradition's melodies come to rest.", r"\bfinalis\b"),
    Term(
        "Broken constraint",
        "In a generated piece: a step that the archive does not make, a note across the end of a cycle, or more or "
        "fewer ornaments than the archive has.",
        r"\bbroken constraints?\b",
    ),
)


def words_used(html: str, run: RunData) -> list[Term]:
    """Return the terms that stand on a page, in the order of this file: rules and arms of the run first.

    Parameters
    ----------
    html : str
        The page; its style sheet, drawings and preformatted text are passed over.
    run : RunData
        The run, which says what its arms are.

    Returns
    -------
    list of Term
    """
    text = re.sub(r"(?is)<(style|svg|pre)\b.*?</\1>", " ", html)
    text = unescape(re.sub(r"(?s)<[^>]*>", " ", text))
    terms = (*_rules(run), _ARM, *_arms(run), *_EXPERIMENT, *_STATISTICS, *_MUSIC)
    return [term for term in terms if re.search(term.pattern, text, flags=re.IGNORECASE)]


def _rules(run: RunData) -> list[Term]:
    names = {kind: rule_name(kind) for kind in RULES_IN_WORDS}
    of_run = " ".join(cell.rule for cell in run.cells)
    return [
        Term(capital(name), RULES_IN_WORDS[kind], rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        for kind, name in names.items()
        if re.search(rf"\b{kind}\b", of_run)
    ]


def _arms(run: RunData) -> list[Term]:
    of_run = {cell.arm: run.scenario["arms"][cell.arm] for cell in run.cells if cell.arm}
    return [Term(f"Arm {arm_name(arm)}", _arm_in_words(run.scenario, arm, of_run), _ARM.pattern) for arm in of_run]


def _arm_in_words(scenario: Mapping[str, Any], arm: str, arms: Mapping[str, Any]) -> str:
    """Return how music is made in an arm, where the run's arms differ in that, and what else the arm sets."""
    others = {section: keys for section, keys in arms[arm].items() if section != "generator"}
    parts = []
    if any("generator" in of for of in arms.values()) or not any(arms.values()):
        parts.append(_in_words(scenario["generator"] | arms[arm].get("generator", {})))
    if others:
        parts.append(f"Sets {'; '.join(f'{key} {value}' for key, value in _settings(others))}.")
    return " ".join(parts) or "The scenario as it stands, with nothing changed."


def _settings(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _in_words(generator: Mapping[str, Any]) -> str:
    """Return how a generator with these settings makes music."""
    if generator["kind"] == "archive":
        return "Nothing is generated: a creator who commissions a piece releases an archive work again."
    bound = (
        "at every step it may choose only what the tradition's archive allows"
        if generator["masks"]
        else "nothing holds it to what the tradition's archive allows"
    )
    told = "is told" if generator["conditioning"] else "is not told"
    return f"A small learned model composes; {bound}, and it {told} which tradition it composes in."
