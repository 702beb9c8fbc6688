"""``heritage ledger export``: what a ledger hands to the public, to an auditor, or to one payee."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from heritage_experiments.cli.ledger_places import PATH_HELP, ledger_at, names_of_run
from heritage_experiments.cli.options import Json, print_json


class Form(StrEnum):
    """What is told."""

    PUBLIC = "public"
    AUDITOR = "auditor"


def export(
    path: Annotated[Path, typer.Argument(help=PATH_HELP)] = Path("results"),
    form: Annotated[
        Form,
        typer.Option(
            "--form", help="public: salted ids, sums of fewer than five payees kept back. auditor: everything."
        ),
    ] = Form.PUBLIC,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("export"),
    proof_for: Annotated[
        int | None,
        typer.Option(
            "--proof-for", help="Instead: what this payee (by number) has earned, with its proof.", show_default=False
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            "--names",
            help="auditor: a file with a payee's name in each line, in the order of their numbers.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the books for the public or an auditor, with their hash; or one payee's proof. Checked by ledger verify."""
    from heritage_contracts.export import write_export
    from heritage_experiments.ledger_exports import lines_of, own_proof

    folder = ledger_at(path)
    if proof_for is not None:
        file = out / f"payee-{proof_for}.json"
        raw = own_proof(folder, proof_for)
        out.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        told = {"file": str(file), "form": "proof"}
    else:
        file = out / f"{form}.jsonl"
        known = _read(names) if names else names_of_run(folder.path)
        digest = write_export(lines_of(folder, form, known), file)
        told = {"file": str(file), "form": str(form), "sha256": digest}
    if as_json:
        print_json({"path": str(folder.path)} | told)
    else:
        print(" ".join(f"{told.get('sha256', '')} {file}".split()))


def _read(names: Path) -> tuple[str, ...]:
    from heritage_sim.base import InputError

    try:
        return tuple(names.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the names cannot be read ({error})", str(names), "Give a text file, a name a line."
        ) from None
