"""``heritage ledger verify``: a run, a ledger, an export or a WAV file, checked by whoever does not trust its maker."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.ledger_places import ledger_at
from heritage_experiments.cli.options import Json, newest_run, print_json

if TYPE_CHECKING:
    from heritage_contracts.at_rest.folder import LedgerFolder

RESULTS = Path("results")
Told = Callable[[str, int, int], None]


def verify(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run (or of a scenario's runs: then the newest), of a ledger or of an export; an exported "
            "file; or a signed WAV file."
        ),
    ] = RESULTS,
    anvil: Annotated[
        bool, typer.Option("--anvil", help="Make chains again on an Anvil instead of the embedded EVM.")
    ] = False,
    rpc: Annotated[str, typer.Option("--rpc", help="Ledger: ask this node for its logs and blocks instead.")] = "",
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="WAV file or export: the ledger to hold it against.", show_default=False),
    ] = None,
    c2pa_cert: Annotated[
        Path | None,
        typer.Option(
            "--c2pa-cert", help="WAV file: its signer's certificates (PEM), root included.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute every root and payout from published data and the chain alone, and name the first difference."""
    from heritage_contracts.at_rest.folder import is_ledger

    if path.suffix.lower() == ".wav":
        _verify_wav(path, ledger, c2pa_cert, as_json)
    elif path.is_file() or (path.is_dir() and any(path.glob("*.sha256"))):
        _verify_export(path, ledger, as_json)
    elif is_ledger(path) or rpc:
        _verify_ledger(ledger_at(path), anvil, rpc, as_json)
    else:
        _verify_run(path, anvil, as_json)


def _verify_run(path: Path, anvil: bool, as_json: bool) -> None:
    from heritage_experiments.ledger_check import verify_ledgers
    from heritage_experiments.scenario_load import load_scenario
    from heritage_experiments.store import RunStore
    from heritage_sim.base import InputError

    store = RunStore.open(newest_run(path))
    scenario = load_scenario(store.path / "scenario.yaml")
    with _progress(as_json) as told:
        found = verify_ledgers(store, scenario, anvil=anvil, progress=told)
    if not found.num_replications:
        raise InputError(
            "nothing to verify: no replication of this run is finished yet",
            str(store.path),
            f"heritage status {store.path} says how far it is",
        )
    show = scenario.ledger.currency.show
    if as_json:
        print_json({"path": str(store.path), "holds": not found.faults, **asdict(found)})
    else:
        print(f"{found.num_epochs} epochs of {found.num_replications} replications in {store.path}")
        if found.num_replications < found.num_planned:
            print(f"not finished, and not looked at: {found.num_planned - found.num_replications} replications")
        parts = f"claimed {show(found.claimed_units)} + unclaimed {show(found.unclaimed_units)}"
        print(f"pools {show(found.pool_units)} = {parts}")
        if found.num_on_chain:
            print(
                f"on a chain: {found.num_on_chain} replications, {found.num_transactions:,} transactions carried out "
                f"again; by tables alone: {found.num_replications - found.num_on_chain}"
            )
            print(
                f"works that derive from others: {found.num_derived:,}; permitted by their sources' communities then: "
                f"{found.num_permitted:,}"
            )
        for fault in found.faults:
            print(f"FAULT  {fault}")
        if not found.faults:
            print("all pools, statements, deposits and roots agree to the unit")
    if found.faults:
        raise typer.Exit(1)


def _verify_ledger(folder: LedgerFolder, anvil: bool, rpc: str, as_json: bool) -> None:
    from heritage_contracts.chain_books import DifferenceError
    from heritage_contracts.verification import verify_folder
    from heritage_experiments.ledger_on_chain import derivations_permitted

    try:
        with _progress(as_json) as told:
            found = verify_folder(folder, anvil=anvil, rpc_url=rpc, progress=told)
    except DifferenceError as error:
        first = {"what": error.compared, "expected": error.expected, "found": error.found, "where": error.where}
        if as_json:
            print_json({"path": str(folder.path), "holds": False, "first_difference": first})
        else:
            print(f"FAULT  {error.compared}")
            for name in ("expected", "found", "where"):
                print(f"  {name:<9}{first[name]}")
        raise typer.Exit(1) from None
    books = found.books
    derived, permitted = derivations_permitted(books, {})
    facts: dict[str, Any] = {
        "way": found.way,
        "transactions": found.num_transactions,
        "without_receipt": found.num_open,
        "epochs": len(books.epochs),
        "final": books.num_final,
        "payees": len(books.accounts),
        "works": len(books.works.by_key),
        "derived": derived,
        "permitted": permitted,
        "payouts": len(books.payouts),
        "direct_payments": len(books.direct),
        "paid_in_units": books.funded_units + books.direct_units,
        "paid_out_units": books.paid_units,
    }
    if as_json:
        print_json({"path": str(folder.path), "holds": True, "first_difference": None, **facts})
        return
    show = folder.at.config.currency.show
    print(f"{folder.path}: {found.way}")
    print(f"{found.num_transactions:,} transactions; epochs posted {len(books.epochs)}, final {books.num_final}")
    print(f"paid in {show(facts['paid_in_units'])}, paid out {show(facts['paid_out_units'])}")
    print(
        f"{len(books.payouts):,} payouts to {len(books.accounts):,} payees, {len(books.direct):,} direct payments, "
        f"{len(books.works.by_key):,} works ({derived:,} derive from others, {permitted:,} of them with consent)"
    )
    print("code, roots, payouts, splits, balances and consent agree to the unit")


def _verify_export(path: Path, ledger: Path | None, as_json: bool) -> None:
    from heritage_contracts.export import check_own_leaf, verify_export
    from heritage_experiments.cli.ledger_places import names_of_run
    from heritage_experiments.ledger_exports import expected_lines, payee_of_proof

    files = sorted([*path.glob("*.jsonl"), *path.glob("*.json")]) if path.is_dir() else [path]
    rows: list[dict[str, Any]] = []
    shown: dict[str, str] = {}
    for file in files:
        if file.suffix == ".json":
            own = check_own_leaf(file.read_bytes(), str(file))
            row: dict[str, Any] = {
                "file": str(file),
                "form": "proof",
                "epoch": own.epoch,
                "units": own.cumulative_units,
            }
            if ledger is not None:
                folder = ledger_at(ledger)
                row["payee"] = payee_of_proof(folder, own, str(file))
                shown[row["file"]] = folder.at.config.currency.show(own.cumulative_units)
            rows.append(row)
            continue
        expected = None
        if ledger is not None:
            folder = ledger_at(ledger)
            expected = expected_lines(folder, file, names_of_run(folder.path))
        found = verify_export(file, expected)
        rows.append({"file": str(file), "form": found.form, "sha256": found.sha256, "lines": found.num_lines})
    if as_json:
        print_json({"path": str(path), "holds": True, "files": rows})
        return
    for row in rows:
        if row["form"] == "proof":
            whose = f"payee {row['payee']}, " if "payee" in row else ""
            amount = shown.get(row["file"], f"{row['units']:,} of the smallest unit")
            what = f"{whose}{amount} of royalties from the first epoch to epoch {row['epoch']}"
        else:
            what = f"{row['lines']:,} lines"
        print(f"{row['file']}: {row['form']}, {what}")
    if ledger is not None:
        print("as exported, and as the ledger gives it")
    else:
        print("whole in itself; anybody can write a file that is: hold it against the ledger with --ledger FOLDER")


def _verify_wav(path: Path, ledger: Path | None, certificates: Path | None, as_json: bool) -> None:
    """Print what holds of a WAV file, a line each, and leave with 1 if anything fails."""
    from heritage_experiments.c2pa_check import verify_wav
    from heritage_experiments.cache import c2pa_dir
    from heritage_models.signing_identity import certificates_in, own_certificates, require_c2pa

    require_c2pa()
    trusted = own_certificates(c2pa_dir()) + (certificates_in(certificates) if certificates else "")
    registry = None
    if ledger is not None:
        from heritage_experiments.ledger_exports import registry_in

        registry = registry_in(ledger_at(ledger))
    found = verify_wav(path, registry, trusted)
    failure = found.first_failure
    if as_json:
        print_json({"path": str(path), "holds": not failure, "first_failure": failure, **asdict(found)})
    else:
        for check in found.checks:
            print(f"{check.verdict:<11}  {check.name:<9}  {check.line}")
        print(f"manifest hash {found.manifest_sha256}")
        if failure:
            print(f"FAILED: {failure}")
    if failure:
        raise typer.Exit(1)


@contextlib.contextmanager
def _progress(as_json: bool) -> Iterator[Told | None]:
    """Yield what shows progress on a terminal; None where nobody watches."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=None)
        yield lambda what, done, of: bar.update(shown, description=what, completed=done, total=of)
