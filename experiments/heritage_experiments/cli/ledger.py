"""``heritage ledger``: its sub-commands, and the contracts that ship with the package."""

from __future__ import annotations

import typer

from heritage_experiments.cli.frontier import frontier
from heritage_experiments.cli.ledger_export import export
from heritage_experiments.cli.ledger_status import status
from heritage_experiments.cli.ledger_up import claim, up
from heritage_experiments.cli.ledger_verify import verify
from heritage_experiments.cli.options import Json, print_json

app = typer.Typer(help="The contracts, and the books of a run or of a ledger that is up.", no_args_is_help=True)
app.command("up")(up)
app.command("status")(status)
app.command("verify")(verify)
app.command("claim")(claim)
app.command("export")(export)
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
