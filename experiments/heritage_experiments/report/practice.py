"""The section on transmission: how many practise each community's music, form by form of how practice is learnt."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from heritage_experiments.report.cell_tables import cell_table, table_caption
from heritage_experiments.report.findings import Findings
from heritage_experiments.scenario import Scenario
from heritage_experiments.statistics import Verdict

BEARERS = "bearers_"
"""How outcomes of practising bearers begin."""
FORMS_IN_WORDS = {
    "logistic": "learning by meeting bearers, up to a limit, and forgetting: a loss is made good",
    "competition": "practising and not practising compete for people: below a tipping point the loss goes on",
    "threshold": "the young take up what enough others practise: below a tipping point the loss goes on",
}
"""Registered form of transmission -> what it says of people."""
_SAID = {Verdict.HIGHER: "a rise", Verdict.LOWER: "a fall", Verdict.NONE: "no difference at all"}


def practice_section(findings: Findings) -> dict[str, Any]:
    """Return the bearers of every cell and whether the forms agree; empty where no cell has any bearers."""
    run = findings.run
    cells = [c for c in run.named_cells if math.isfinite(findings.level(c, "bearers_total_change").mean)]
    if not cells:
        return {}
    start = {
        name: round(float(c["num_members"]) * float(c["bearers_at_start"]))
        for name, c in zip(run.communities, run.scenario["communities"], strict=True)
    }
    columns = [(f"bearers_community_{i}", f"{name} at the end") for i, name in enumerate(run.communities)]
    columns += [("bearers_total_change", "all, change"), ("bearers_worst_change", "worst community, change")]
    forms = dict.fromkeys(form_of(run.resolved[c.name]) for c in cells)
    return {
        "start": "; ".join(f"{name} {count:,}" for name, count in start.items()),
        "forms": [(form, FORMS_IN_WORDS.get(form, "a form of the user's own")) for form in forms],
        "agreement": agreement_sentence(findings),
        "table": cell_table(findings, cells, columns, f"Practising bearers, {table_caption(cells)}"),
    }


def form_of(scenario: Scenario) -> str:
    """Return the name of a cell's form of transmission; a form of the user's own stands for itself."""
    return scenario.own_parts.get("transmission", scenario.transmission.kind)


def agreement_sentence(findings: Findings) -> str:
    """Return how many comparisons of bearers show what, and whether the answer hangs on what differs among them."""
    judged = [
        (form_of(findings.run.resolved[a.facts.treatment.name]), a.primary.verdict)
        for a in findings.answers
        if a.primary is not None and a.primary.outcome.startswith(BEARERS)
    ]
    if not judged:
        return ""
    counts = Counter(_SAID.get(verdict, "no difference shown") for _, verdict in judged)
    text = f"Of the comparisons of bearers, {len(judged)} in all: " + "; ".join(
        f"{count} with {said}" for said, count in counts.items()
    )
    forms = len({form for form, _ in judged})
    if all(verdict is Verdict.NOT_SHOWN for _, verdict in judged):
        return f"{text}. This run cannot tell the difference from chance under any form."
    if len(counts) == 1:
        return f"{text}. They agree over {forms} form{'' if forms == 1 else 's'} of transmission."
    return f"{text}. They do not agree: the answer hangs on how practice is learnt, or on what confers prestige."
