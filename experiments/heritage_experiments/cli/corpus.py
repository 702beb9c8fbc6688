"""``heritage corpus``: traditions from a user's own scores and tunings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.options import Json, print_json

if TYPE_CHECKING:
    from heritage_models.traditions.archive_use import ArchiveUse
    from heritage_models.traditions.imported import ImportSummary

app = typer.Typer(help="Traditions from your own scores and tunings.", no_args_is_help=True)
imports = typer.Typer(
    help="Read scores or tunings into a tradition that run, train and generate accept.", no_args_is_help=True
)
app.add_typer(imports, name="import")

Source = Annotated[Path, typer.Argument(help="File, or folder that is searched for files.", show_default=False)]
Name = Annotated[str, typer.Option("--name", help="Name of the tradition to be.", show_default=False)]
Replace = Annotated[bool, typer.Option("--replace", help="Replace an earlier import of that name.")]
NUM_SHOWN = 20


@imports.command("symbtr")
def symbtr(path: Source, name: Name, replace: Replace = False, as_json: Json = False) -> None:
    """Import SymbTr scores (.txt) of makam music; what cannot be read is listed with the reason."""
    from heritage_models.traditions.imported import import_symbtr

    _tell(import_symbtr(path, name, replacing=replace), "score", as_json)


@imports.command("tunings")
def tunings(path: Source, name: Name, replace: Replace = False, as_json: Json = False) -> None:
    """Import Scala tunings (.scl); pieces on them are synthetic and labelled so."""
    from heritage_models.traditions.imported import import_tunings

    _tell(import_tunings(path, name, replacing=replace), "tuning", as_json)


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
    from heritage_models.traditions.archive_use import reasons_counted
    from heritage_models.traditions.tradition import BUILT_IN

    kind: Any = name if name in BUILT_IN else "imported"
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
    labels = {
        "tuning_measured": "tuning was measured",
        "cents": "degrees [cents]",
        "period_cents": "period [cents]",
        "positions": "pitches in the range",
        "legal_steps_share": "legal steps [share of all]",
        "ticks_per_cycle": f"cycle [ticks of {own.tick_s:g} s]",
        "works_real": "works from scores",
        "works_synthetic": "works, synthetic",
    }
    for key, value in facts.items():
        if key != "left_out":
            print(f"{labels.get(key, key.replace('_', ' ')):27} {_shown(value)}")
    if corpus.left_out:
        first = {reason: title for title, reason in reversed(corpus.left_out)}
        print(f"{'not used':27} {len(corpus.left_out):,}, each with its reason in --json:")
        for reason, num in reasons_counted(corpus.left_out)[:NUM_SHOWN]:
            print(f"  {num:>6,}  {reason}; the first: {first[reason]}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none: the tuning does not repeat" if value is None else str(value)


def _tell(summary: ImportSummary, what: str, as_json: bool) -> None:
    from heritage_models.config import TraditionConfig
    from heritage_models.traditions.archive_use import archive_use
    from heritage_sim.base import InputError

    use, unusable = None, ""
    if what == "score":
        try:
            config = TraditionConfig(name=summary.name, kind="imported", path=str(summary.folder))
            use = archive_use(config)
        except InputError as error:
            unusable = error.what
    if as_json:
        print_json(
            {
                "name": summary.name,
                "folder": str(summary.folder),
                "replaced": summary.replaced,
                "num_read": summary.num_read,
                "num_pieces": summary.num_pieces,
                "num_notes": summary.num_notes,
                "left_out": [{"file": f, "reason": r} for f, r in summary.left_out],
                "remarks": [{"file": f, "remark": r} for f, r in summary.remarks],
                "default_run": use and {**asdict(use), "not_used": [{"reason": r, "num": n} for r, n in use.not_used]},
                "unusable": unusable,
            }
        )
        return
    notes = f" with {summary.num_notes:,} notes and rests" if summary.num_notes else ""
    replaced = " (the earlier import was replaced)" if summary.replaced else ""
    print(f"{summary.name}: imported {_counted(summary.num_read, what)}{notes} to {summary.folder}{replaced}")
    if summary.left_out:
        print(f"could not be read: {_counted(len(summary.left_out), 'file')}")
        _list(summary.left_out)
    if summary.remarks:
        print("note:")
        _list(summary.remarks)
    if unusable:
        print(f"a run cannot use it as it is: {unusable}")
    if use is not None:
        _tell_use(summary, use)
    print(f"use it in a scenario:  traditions: [{{name: {summary.name}, kind: imported}}]")


def _tell_use(summary: ImportSummary, use: ArchiveUse) -> None:
    if summary.num_pieces > summary.num_read:
        print(
            f"a score that changes its usul is a piece for each usul: {_counted(summary.num_pieces, 'piece')}, all kept"
        )
    print(f"a run uses {use.num_used:,} of {summary.num_pieces:,} pieces by default (num_works: {use.num_works:,})")
    if use.not_used:
        print(f"kept in the import, and not used by that run: {sum(n for _, n in use.not_used):,}")
        for reason, num in use.not_used:
            print(f"  {num:>6,}  {reason}")
    if use.num_most > use.num_used:
        print(f"to use more, at most {use.num_most:,}, raise num_works in the scenario; beyond what one grid of note")
        print("lengths holds, a finer grid is taken: places in the cycle are then learned from fewer notes each")


def _counted(num: int, noun: str) -> str:
    return f"{num:,} {noun}{'' if num == 1 else 's'}"


def _list(named: tuple[tuple[str, str], ...]) -> None:
    for name, text in named[:NUM_SHOWN]:
        print(f"  {name}: {text}")
    if len(named) > NUM_SHOWN:
        print(f"  ... and {len(named) - NUM_SHOWN:,} more; --json lists all")


def _about(file: Path) -> dict[str, str]:
    import json

    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        about = {"kind": "damaged: import it anew"}
    return {"name": file.parent.name, "kind": str(about.get("kind", "")), "folder": str(file.parent)}
