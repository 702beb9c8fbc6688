"""Put the report together: findings in, one HTML file out, nothing fetched from anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from heritage_experiments.report import words
from heritage_experiments.report.assumptions import five_assumptions
from heritage_experiments.report.drawing import standalone
from heritage_experiments.report.engagement import engagement_section
from heritage_experiments.report.figures import draw_all
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.fraud import ADVERSARY, fraud_section
from heritage_experiments.report.glossary import Term, words_used
from heritage_experiments.report.music import MAX_PIECES, Exhibit, exhibit
from heritage_experiments.report.origins import origins_section
from heritage_experiments.report.pieces import load_pieces
from heritage_experiments.report.practice import BEARERS, practice_section
from heritage_experiments.report.run_data import RunData
from heritage_experiments.report.settlement import settlement_section
from heritage_experiments.report.summary import caveats, summary
from heritage_experiments.report.sweeps import sentence, sweep_view, swept
from heritage_experiments.report.views import answer_view, arms_view, paragraph, rules_view
from heritage_sim.base import BPS

FILE_NAME = "report.html"
_PARTS = {"time": "settlement_", "practice": BEARERS, "fraud": ADVERSARY}
"""Sections that come first where a comparison asks for their outcomes, and how those begin."""
SWEEPS = "sweeps.json"
"""Where the points at which answers turn are kept as data, for whoever reads a run by program."""


def write_report(run_dir: Path) -> Path:
    """Write ``report.html``, ``figures/*.svg`` and, of sweeps, ``sweeps.json`` into a run's folder.

    Parameters
    ----------
    run_dir : Path
        Folder of a run with at least one finished replication.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    InputError
        If the folder is no run, or nothing has finished.
    StorageError
        If the report cannot be written.
    """
    run = RunData(run_dir)
    findings = Findings(run)
    drawings = draw_all(run, findings.rule_cells, findings.arm_cells)
    settlement, settlement_drawings = settlement_section(findings)
    answers = swept(run)
    sweeps = [sweep_view(answer, run) for answer in answers]
    if answers:
        run.store.write_text(SWEEPS, json.dumps([answer.as_outcome() for answer in answers], indent=1))
    for drawing in (*drawings, *settlement_drawings, *(view["drawing"] for view in sweeps)):
        run.store.write_text(f"figures/{drawing.name}.svg", standalone(drawing.svg))
    context = _context(run, findings) | {
        "drawings": drawings,
        "settlement": settlement,
        "sweeps": sweeps,
        "settlement_drawings": settlement_drawings,
        "engagement": engagement_section(findings),
        "origins": origins_section(findings),
        "practice": practice_section(findings),
        "fraud": fraud_section(findings),
        "asked": [
            part for part, begins in _PARTS.items() if any(c.outcome.startswith(begins) for c in run.comparisons)
        ],
    }
    # Which words need explaining is seen on the page itself, so it is made twice.
    glossary = words_used(_render(context, []), run)
    run.store.write_text(FILE_NAME, _render(context, glossary))
    return run_dir / FILE_NAME


def answer_lines(run_dir: Path) -> list[str]:
    """Return the answer in words, one paragraph a line, for a terminal; first of all what speaks against trusting it.

    Parameters
    ----------
    run_dir : Path
        Folder of a run with at least one finished replication.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If the folder is no run, or nothing has finished.
    """
    run = RunData(run_dir)
    findings = Findings(run)
    lines = caveats(run)
    if findings.answers:
        lines.append(f"In short. {summary(findings)}")
    for answer in findings.answers:
        title, *said = paragraph(answer, findings)
        lines.append(f"{title}. {' '.join(sentence for sentence in said if sentence)}")
    lines += [f"Swept. {sentence(answer, run)}" for answer in swept(run)]
    if not findings.answers:
        lines.append(f"{_no_answer(run)} The report shows the cells' levels.")
    if run.whole:
        lines.append(f"The whole run. {run.whole['command']}")
    return lines


def _context(run: RunData, findings: Findings) -> dict[str, Any]:
    exhibits, silence = _exhibits(run)
    return {
        "scenario": run.scenario,
        "scenario_yaml": run.scenario_yaml,
        "run_id": run.store.run_id,
        "currency": run.currency.code,
        "communities": run.communities,
        "caveats": caveats(run),
        "no_answer": _no_answer(run),
        "summary": summary(findings),
        "replications": max(c.num_replications for c in run.cells),
        "days": words.days_said(run.days),
        "play_seconds": _play_seconds(run),
        "answers": [answer_view(a, findings) for a in findings.answers],
        "arms": arms_view(findings),
        "rules": rules_view(findings),
        "assumptions": five_assumptions(run.scenario, run.currency),
        "exhibits": exhibits,
        "silence": silence,
        "synthetic": _synthetic(run),
        "books": _books(run),
        "manifest": list(_flat(run.manifest)),
        "num_primary": findings.num_primary,
    }


def _exhibits(run: RunData) -> tuple[list[Exhibit], str]:
    """Return the pieces to hear, or the reason why there are none."""
    kept = load_pieces(run.store.path)[:MAX_PIECES]
    if not kept:
        return (
            [],
            "This run kept no generated piece: no cell generated any, or it was stopped before they were saved.",
        )
    kinds = {t["name"]: t["kind"] for t in run.scenario["traditions"]}
    return [exhibit(k, kinds.get(k.piece.tradition, "")) for k in kept], ""


def _no_answer(run: RunData) -> str:
    if run.scenario.get("comparisons"):
        return "No comparison has figures for both of its cells yet, so there is no difference to judge."
    return "The scenario names no comparison, so there is no difference to judge."


def _play_seconds(run: RunData) -> str:
    """Return how long a play lasts on average, over all cells; a dash where nothing was played."""
    plays = int(run.daily["plays"].sum())
    return words.number(float(run.daily["seconds"].sum()) / plays if plays else math.nan, 0)


def _synthetic(run: RunData) -> list[dict[str, Any]]:
    """Return works by tradition and origin, and how many are synthetic, in the first cell's first replication."""
    works = run.store.read_table("works")
    if works.empty:
        return []
    rows = works.loc[works["cell"] == run.cells[0].name, :]
    rows = rows.loc[rows["replication"] == rows["replication"].min(), :]
    return [
        {"tradition": tradition, "origin": str(origin).lower(), "works": len(flags), "synthetic": int(flags.sum())}
        for tradition, of_tradition in rows.groupby("tradition", sort=False)
        for origin, flags in of_tradition.groupby("origin", sort=False)["synthetic"]
    ]


def _books(run: RunData) -> dict[str, Any]:
    """Return whether the books balance, epoch by epoch, over all cells and replications.

    Payees' amounts and the money by day stand in tables of their own: they are summed here, and held against the books.
    """
    epochs = run.epochs
    if epochs.empty:
        return {"num_epochs": 0}
    keys = ["cell", "replication", "epoch"]
    lines = epochs.set_index(keys).index
    in_force = run.payouts[~run.payouts["shadow"].astype(bool)]
    # Nothing is paid in where observation ended before the statement was ready.
    balanced = (epochs["deposited_units"] == epochs["pool_units"]) | (epochs["deposited_units"] == 0)
    balanced &= epochs["pool_units"] == epochs["statement_units"]
    for table in (in_force, run.settlement):
        balanced &= epochs["pool_units"] == table.groupby(keys)["units"].sum().reindex(lines, fill_value=0).to_numpy()
    return {
        "num_epochs": len(epochs),
        "num_balanced": int(balanced.sum()),
        "ledgers": [f"{name} ({n} epochs)" for name, n in epochs["ledger"].value_counts().items()],
        "gas": f"{int(epochs['gas'].max()):,}",
    }


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)


def _render(context: dict[str, Any], glossary: list[Term]) -> str:
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("heritage_experiments.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    css = (folder / "page.css").read_text(encoding="utf-8")
    return template.render(context | {"css": css, "bps": BPS, "glossary": glossary})
