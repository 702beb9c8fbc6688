"""Which rules a file can serve, and their statements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heritage_experiments.registry import written_rule
from heritage_experiments.royalty_files.case import Case
from heritage_sim.base import InputError, Statement
from heritage_sim.royalty import RULES, Rule, settle_usage


def parse_rules(text: str) -> list[Rule]:
    """Return the rules of a comma-separated list, such as ``pro_rata,mine.py:Mine(floor=5)``.

    Parameters
    ----------
    text : str
        As written by a user.

    Returns
    -------
    list of Rule

    Raises
    ------
    InputError
        If the list is empty, a rule is unknown, stands twice, or a parameter does not fit.
    """
    names = _split_outside_brackets(text)
    if not names:
        raise InputError("no rule was named", "--rules", f"choose from: {', '.join(RULES)}")
    rules = [written_rule(name) for name in names]
    for i, rule in enumerate(rules):
        if rule in rules[:i]:
            raise InputError(f"rule {rule.name} stands twice", "--rules", "name each rule once")
    return rules


def _split_outside_brackets(text: str) -> list[str]:
    depth, parts = 0, [""]
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [p.strip() for p in parts if p.strip()]


def settle_case(case: Case, rules: Sequence[Rule]) -> list[Statement]:
    """Return one statement for each rule, on the same usage and pool.

    Parameters
    ----------
    case : Case
        The files.
    rules : sequence of Rule
        The rules; all are checked before any settles.

    Returns
    -------
    list of Statement

    Raises
    ------
    InputError
        If a rule needs a column that the files lack; it is refused by name, never approximated.
    """
    for rule in rules:
        others = [r.name for r in rules if not _missing(case, r)]
        remedy = f"or take the rules that can be computed: --rules {','.join(others) or 'pro_rata'}"
        if _missing(case, rule) == "listener":
            raise InputError(
                f"rule {rule.name} is refused: it needs to know which listener played what",
                f"{case.usage_path}: column {case.listener_column!r} is missing",
                f"add the column, or name yours in a file for --map (usage: {{listener: ...}}), {remedy}",
            )
        if _missing(case, rule) == "community":
            raise InputError(
                f"rule {rule.name} is refused: it needs to know which community each work belongs to",
                "works: column 'community' is missing or empty",
                f"give --works with a community column, {remedy}",
            )
    return [settle_usage(rule, [case.usage], case.rights, case.pool_units) for rule in rules]


def _missing(case: Case, rule: Rule) -> str:
    if rule.needs_listeners and not case.usage.has_listeners:
        return "listener"
    if rule.needs_communities and not (case.rights.work_community[~case.unmatched] >= 0).any():
        return "community"
    return ""


def unmatched_rows(case: Case, statements: Sequence[Statement]) -> list[dict[str, object]]:
    """Return each unmatched work with its plays, the line it stands on first, and what each rule would give it."""
    plays = case.usage.plays_by_work()
    order = sorted(np.flatnonzero(case.unmatched).tolist(), key=lambda w: (-int(plays[w]), w))
    return [
        {
            "work": case.work_ids[w],
            "line": case.first_line[w],
            "plays": int(plays[w]),
            **{f"{s.rule}_units": int(s.work_units[w]) for s in statements},
        }
        for w in order
    ]
