"""``heritage ledger``: the contracts that ship with the package, and the books of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from heritage_experiments.cli.frontier import frontier
from heritage_experiments.cli.options import Json, RunFolder, newest_run, print_json

app = typer.Typer(help="The contracts, and the books of a run.", no_args_is_help=True)
RESULTS = Path("results")
app.command("frontier")(frontier)


@app.command("describe")
def describe(as_json: Json = False) -> None:
    """Say which contracts ship with the package: compiler, sizes, hashes, functions."""
    from heritage_contracts import describe as described

    facts = described()
    if as_json:
        print_json(facts)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"solc {facts['solc']}, OpenZeppelin {facts['openzeppelin']}, EVM {facts['evm_version']}, "
        f"{facts['optimizer_runs']} optimizer runs",
        title_justify="left",
    )
    for head in ("contract", "code [bytes]", "limit", "functions", "source hash"):
        table.add_column(head, justify="right" if head in ("code [bytes]", "limit", "functions") else "left")
    for c in facts["contracts"]:
        row = (c["name"], f"{c['code_bytes']:,}", f"{c['code_limit_bytes']:,}", str(len(c["functions"])))
        table.add_row(*row, c["source_sha256"][:16])
    Console().print(table)


@app.command("status")
def status(path: RunFolder = RESULTS, as_json: Json = False) -> None:
    """Show the money of a run by cell; gas is that of posting and finalising, claim gas that of claims."""
    from heritage_experiments.scenario_load import load_scenario
    from heritage_experiments.store import RunStore

    store = RunStore.open(newest_run(path))
    currency = load_scenario(store.path / "scenario.yaml").ledger.currency
    sums = ("deposited_units", "claimed_units", "unclaimed_units", "gas", "claim_gas")
    table = store.read_table("epochs")
    rows = []
    for cell, ledger in dict.fromkeys(zip(table["cell"], table["ledger"], strict=True)):
        group = table.loc[(table["cell"] == cell) & (table["ledger"] == ledger)]
        totals = {name: sum(int(x) for x in group[name]) for name in sums}
        rows.append({"cell": cell, "ledger": ledger, "replications": int(group["replication"].nunique()), **totals})
    if as_json:
        print_json({"path": str(store.path), "currency": currency.code, "decimals": currency.decimals, "cells": rows})
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    title = f"{store.path}: whole {currency.code} over all epochs and replications; --json to the unit"
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("cell", "ledger", "deposited", "unclaimed", "gas", "claim gas"):
        text = head in ("cell", "ledger")
        shown.add_column(head, justify="left" if text else "right", no_wrap=head != "cell", overflow="fold")
    one = 10**currency.decimals
    for row in rows:
        amounts = (f"{row[name] // one:,}" for name in ("deposited_units", "unclaimed_units"))
        shown.add_row(
            row["cell"],
            f"{row['replications']} x {row['ledger']}",
            *amounts,
            *(f"{row[name]:,}" for name in ("gas", "claim_gas")),
        )
    Console().print(shown)


@app.command("verify")
def verify(
    path: Annotated[
        Path, typer.Argument(help="Folder of a run, or of a scenario's runs (then the newest); or a signed WAV file.")
    ] = RESULTS,
    c2pa_cert: Annotated[
        Path | None,
        typer.Option(
            "--c2pa-cert", help="WAV file: its signer's certificates (PEM), root included.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute every sum and Merkle root of a run anew from its tables, and compare; or check a WAV file's manifest."""
    if path.suffix.lower() == ".wav":
        _verify_wav(path, c2pa_cert, as_json)
        return
    from heritage_experiments.ledger_check import verify_ledgers
    from heritage_experiments.scenario_load import load_scenario
    from heritage_experiments.store import RunStore

    store = RunStore.open(newest_run(path))
    scenario = load_scenario(store.path / "scenario.yaml")
    found = verify_ledgers(store, scenario)
    show = scenario.ledger.currency.show
    if as_json:
        print_json({"path": str(store.path), "holds": not found.faults, **asdict(found)})
    else:
        print(f"{found.num_epochs} epochs of {found.num_replications} replications in {store.path}")
        parts = f"claimed {show(found.claimed_units)} + unclaimed {show(found.unclaimed_units)}"
        print(f"pools {show(found.pool_units)} = {parts}")
        for fault in found.faults:
            print(f"FAULT  {fault}")
        if not found.faults:
            print("all pools, statements, deposits and roots agree to the unit")
    if found.faults:
        raise typer.Exit(1)


def _verify_wav(path: Path, certificates: Path | None, as_json: bool) -> None:
    """Print what holds of a WAV file, a line each, and leave with 1 if anything fails."""
    from heritage_experiments.c2pa_check import verify_wav
    from heritage_experiments.cache import c2pa_dir
    from heritage_models.signing_identity import certificates_in, own_certificates, require_c2pa

    require_c2pa()
    trusted = own_certificates(c2pa_dir()) + (certificates_in(certificates) if certificates else "")
    found = verify_wav(path, trusted_pem=trusted)
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
