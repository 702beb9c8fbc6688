"""``heritage royalty``: royalties of a user's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heritage_experiments.cli.options import Json, console_for, print_json

app = typer.Typer(
    help="Royalties of a usage file: rules, statement, contract, claims, who gains and who loses.",
    invoke_without_command=True,
    no_args_is_help=True,
)

_USAGE_HELP = "Usage file (CSV, TSV): listener, work, plays, seconds, fee. `heritage royalty template DIR` writes one."


@app.callback()
def royalty(
    context: typer.Context,
    usage: Annotated[Path | None, typer.Option("--usage", help=_USAGE_HELP)] = None,
    works: Annotated[
        Path | None, typer.Option("--works", help="Works, payees and shares. Without it each work is its own payee.")
    ] = None,
    payees: Annotated[Path | None, typer.Option("--payees", help="Names and communities of payees.")] = None,
    columns: Annotated[Path | None, typer.Option("--map", help="YAML: our column names to yours; constants.")] = None,
    rules: Annotated[
        str, typer.Option("--rules", help="Comma-separated. The first pays, is the baseline, and goes to the chain.")
    ] = "pro_rata,user_centric",
    pool: Annotated[
        str | None, typer.Option("--pool", help="Amount to share out, such as 1000.00; else the sum of fees.")
    ] = None,
    currency: Annotated[
        str, typer.Option("--currency", help="Name of the currency (the chain pays in a test token of that name).")
    ] = "hUSD",
    epoch: Annotated[str, typer.Option("--epoch", help="Label of the period, such as 2026-01.")] = "",
    chain: Annotated[bool, typer.Option("--chain/--no-chain", help="Post to the contract on an embedded EVM.")] = True,
    claims: Annotated[
        str,
        typer.Option("--claims", help="Who claims on the chain: all, none, or a number (half largest, half drawn)."),
    ] = "50",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for statement_<rule>.csv, unmatched.csv, summary.json.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Royalties of a usage file: rules, statement, contract, claims, who gains and who loses."""
    if context.invoked_subcommand is not None:
        return
    from heritage_experiments.royalty_files.chain import parse_claims
    from heritage_experiments.royalty_files.showing import show_account
    from heritage_experiments.royalty_files.summary import Request, check_folder, run_royalty, write_account
    from heritage_sim.base import InputError

    if usage is None:
        raise InputError("no usage file was given", "--usage", "`heritage royalty template DIR` writes an example")
    request = Request(usage, works, payees, columns, rules, pool, currency, epoch, chain, parse_claims(claims))
    if out is not None:
        check_folder(out)
    with console_for(as_json) as console:
        if console.is_terminal:
            with console.status("") as status:
                account = run_royalty(request, status.update)
        else:
            account = run_royalty(request)
        written = write_account(account, out) if out is not None else []
        show_account(account, console)
        for path in written:
            console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    if as_json:
        print_json({**account.summary, "files": [str(p) for p in written]})


@app.command()
def template(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; made where it does not exist.")],
    as_json: Json = False,
) -> None:
    """Write commented usage.csv, works.csv, payees.csv and map.yaml with synthetic rows."""
    from heritage_experiments.royalty_files.template import write_template

    written = write_template(folder)
    if as_json:
        print_json({"files": [str(p) for p in written]})
        return
    for path in written:
        print(f"wrote {path}")
    print(f"try: heritage royalty --usage {folder}/usage.csv --works {folder}/works.csv --payees {folder}/payees.csv")
