"""``heritage corpus``: traditions from a user's own scores and tunings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.options import Json, print_json

if TYPE_CHECKING:
    from heritage_models.traditions.imported import ImportSummary

app = typer.Typer(help="Traditions from your own scores and tunings.", no_args_is_help=True)
imports = typer.Typer(
    help="Read scores or tunings into a tradition that run, train and generate accept.", no_args_is_help=True
)
app.add_typer(imports, name="import")

Source = Annotated[Path, typer.Argument(help="File, or folder that is searched for files.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="Name of the tradition to be.", show_default=False)]
NUM_SHOWN = 20


@imports.command("symbtr")
def symbtr(path: Source, name: Name, as_json: Json = False) -> None:
    """Import SymbTr scores (.txt) of makam music; what cannot be read is listed with the reason."""
    from heritage_models.traditions.imported import import_symbtr

    _tell(import_symbtr(path, name), "scores", as_json)


@imports.command("tunings")
def tunings(path: Source, name: Name, as_json: Json = False) -> None:
    """Import Scala tunings (.scl); pieces on them are synthetic and labelled so."""
    from heritage_models.traditions.imported import import_tunings

    _tell(import_tunings(path, name), "tunings", as_json)


@app.command("list")
def list_corpora(as_json: Json = False) -> None:
    """List the imported traditions."""
    from heritage_models.traditions.imported import data_folder

    rows = [_about(file) for file in sorted(data_folder().rglob("tradition.json"))]
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(f"nothing is imported yet ({data_folder()}); see: heritage corpus import --help")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for head in ("name", "kind", "folder"):
        table.add_column(head)
    for row in rows:
        table.add_row(row["name"], row["kind"], row["folder"])
    Console().print(table)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of an imported tradition, or gamelan, chinese, panpipes.")],
    num_works: Annotated[int, typer.Option("--num-works", help="Archive works to read.", min=2)] = 220,
    seed: Annotated[int, typer.Option("--seed", help="Root seed.", min=0)] = 1,
    as_json: Json = False,
) -> None:
    """Show a tradition: tuning, cycle, steps, ornaments, archive, and what was left out."""
    from heritage_experiments.cache import cache_dir
    from heritage_models.config import TraditionConfig
    from heritage_models.traditions import load_corpus

    kind: Any = name if name in ("gamelan", "chinese", "panpipes") else "imported"
    corpus = load_corpus(TraditionConfig(name=name, kind=kind, num_works=num_works), seed, cache_dir())
    own = corpus.tradition
    real = sum(not p.synthetic for p in corpus.pieces)
    facts = {
        "name": own.name,
        "title": own.title,
        "tuning": own.tuning.name,
        "tuning_measured": own.tuning.measured,
        "tuning_source": own.tuning.source,
        "cents": [round(float(c), 3) for c in own.tuning.cents],
        "period_cents": own.tuning.period_cents,
        "positions": own.num_positions,
        "legal_steps_share": round(float(own.legal_step.mean()), 4),
        "ticks_per_cycle": own.ticks_per_cycle,
        "ornaments": list(own.ornaments),
        "works": len(corpus.pieces),
        "works_real": real,
        "works_synthetic": len(corpus.pieces) - real,
        "credit": own.credit,
        "left_out": [list(x) for x in corpus.left_out],
    }
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if key != "left_out":
            print(f"{key:18} {', '.join(map(str, value)) if isinstance(value, list) else value}")
    _list_left_out(corpus.left_out)


def _tell(summary: ImportSummary, what: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "name": summary.name,
                "folder": str(summary.folder),
                "num_read": summary.num_read,
                "num_notes": summary.num_notes,
                "left_out": [{"file": f, "reason": r} for f, r in summary.left_out],
            }
        )
        return
    notes = f", {summary.num_notes:,} notes" if summary.num_notes else ""
    print(f"{summary.name}: {summary.num_read:,} {what}{notes}, in {summary.folder}")
    _list_left_out(summary.left_out)
    print(f"use it in a scenario:  traditions: [{{name: {summary.name}, kind: imported}}]")


def _list_left_out(left_out: tuple[tuple[str, str], ...]) -> None:
    if left_out:
        print(f"left out: {len(left_out)}")
        for file, reason in left_out[:NUM_SHOWN]:
            print(f"  {file}: {reason}")
        if len(left_out) > NUM_SHOWN:
            print(f"  ... and {len(left_out) - NUM_SHOWN} more; --json lists all")


def _about(file: Path) -> dict[str, str]:
    import json

    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        about = {"kind": "damaged: import it anew"}
    return {"name": file.parent.name, "kind": str(about.get("kind", "")), "folder": str(file.parent)}
