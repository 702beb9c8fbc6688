"""``heritage ledger status``: where the money is, of a run, of a ledger at rest, or of one that is up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heritage_experiments.cli.ledger_places import PATH_HELP
from heritage_experiments.cli.options import Json, newest_run, print_json

if TYPE_CHECKING:
    from heritage_contracts.at_rest.folder import LedgerFolder
    from heritage_contracts.chain_books import ChainBooks
    from heritage_contracts.verification.recorded import Recorded

RESULTS = Path("results")
_SHOWN_PAYEES = 10
_WITHOUT_GAS = ("reference",)
"""Ledgers that follow the contracts' rules without a chain."""


def status(path: Annotated[Path, typer.Argument(help=PATH_HELP)] = RESULTS, as_json: Json = False) -> None:
    """Show the money: of a run by cell, of a ledger with epochs, open windows, gas and what is unclaimed."""
    from heritage_contracts.at_rest.folder import is_ledger, open_folder

    if is_ledger(path):
        _ledger_status(open_folder(path), as_json)
    else:
        _run_status(path, as_json)


def _ledger_status(folder: LedgerFolder, as_json: bool) -> None:
    from heritage_contracts.at_rest.live import endpoint_of
    from heritage_contracts.sending.rpc import public_name
    from heritage_contracts.verification import books_at_rest

    books, recorded = books_at_rest(folder)
    up = endpoint_of(folder.path)
    facts = _facts(folder, books, recorded, _now_s(up.url, books) if up else books.last_s)
    facts["up_at"] = public_name(up.url) if up else None
    if as_json:
        print_json({"path": str(folder.path)} | facts)
        return
    show = folder.at.config.currency.show
    where = f"up at {facts['up_at']}" if up else "at rest"
    print(f"{folder.path}: {where}, {facts['payees']:,} payees")
    money = facts["units"]
    print(
        f"paid in      {show(money['deposited'])}  (royalties {show(money['funded'])}, direct {show(money['direct'])})"
    )
    print(f"paid out     {show(money['paid'])}")
    print(f"unclaimed    {show(money['unclaimed'])}  due to {facts['payees_with_dues']:,} payees")
    print(f"in a window  {show(money['pending'])};  not shared out {show(money['unallocated'])}")
    print(f"epochs       {facts['posted']} posted, {facts['final']} final, {facts['disputed']} disputed")
    for window in facts["windows"]:
        left = window["left_s"]
        what = f"{left / 3600:,.1f} hours left to dispute" if left > 0 else "can be made final"
        print(f"  epoch {window['epoch']}: {show(window['units'])}, {what}")
    for due in facts["largest_dues"]:
        print(f"  payee {due['payee']}: {show(due['units'])} unclaimed")
    print(f"gas          {facts['gas']:,} over {facts['transactions']:,} transactions")
    troubles = facts["failures"]
    print("failures     " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in troubles.items()))


def _now_s(url: str, books: ChainBooks) -> int:
    """Return the second of a node's last block."""
    from heritage_contracts.sending.rpc import http_rpc

    head: dict[str, Any] = http_rpc(url).ask("eth_getBlockByNumber", "latest", False)
    return max(int(head["timestamp"], 16), books.last_s)


def _facts(folder: LedgerFolder, books: ChainBooks, recorded: Recorded, now_s: int) -> dict[str, Any]:
    at = folder.at
    dues = {at.payee_of_id[payee_id]: sum(books.due(payee_id)) for payee_id in books.accounts}
    owed = {payee: units for payee, units in sorted(dues.items(), key=lambda d: (-d[1], d[0])) if units}
    sent = [each for asked in recorded.asked for each in asked.sent]
    escaped = sum(books.escaped.values())
    windows: list[dict[str, int]] = []
    before = books.final_units
    for posted in books.epochs[books.num_final :]:
        until_s = posted.posted_s + at.config.challenge_window_s
        left_s = max(0, until_s - now_s)
        windows.append(
            {"epoch": posted.epoch, "units": posted.total_units - before, "until_s": until_s, "left_s": left_s}
        )
        before = posted.total_units
    return {
        "currency": at.config.currency.code,
        "decimals": at.config.currency.decimals,
        "payees": len(books.accounts),
        "works": len(books.works.by_key),
        "now_s": now_s,
        "units": {
            "deposited": books.funded_units + books.direct_units,
            "funded": books.funded_units,
            "direct": books.direct_units,
            "paid": books.paid_units,
            "unclaimed": sum(owed.values()),
            "pending": books.pending_units,
            "unallocated": books.funded_units - max(books.posted_units, books.final_units) - escaped,
        },
        "posted": len(books.epochs),
        "final": books.num_final,
        "disputed": books.num_disputed,
        "windows": windows,
        "payees_with_dues": len(owed),
        "largest_dues": [{"payee": p, "units": u} for p, u in list(owed.items())[:_SHOWN_PAYEES]],
        "gas": sum(each.mined.gas_used for each in sent if each.mined),
        "transactions": len(sent),
        "failures": {
            "without_receipt": recorded.num_open,
            "given_up": sum(each.given_up for each in sent),
            "signed_again": sum(len(each.attempts) - 1 for each in sent),
            "refused_by_a_contract": sum(each.mined is not None and not each.mined.ok for each in sent),
            "payouts_that_failed": books.failed_payouts,
        },
    }


def _run_status(path: Path, as_json: bool) -> None:
    from heritage_experiments.scenario_load import load_scenario
    from heritage_experiments.store import RunStore

    store = RunStore.open(newest_run(path))
    currency = load_scenario(store.path / "scenario.yaml").ledger.currency
    sums = ("deposited_units", "claimed_units", "unclaimed_units", "gas", "claim_gas")
    table = store.read_table("epochs")
    rows: list[dict[str, Any]] = []
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

    if not rows:
        print(f"{store.path}: no epoch is there yet")
        return
    print(f"{store.path}: whole {currency.code} over all epochs and replications; --json to the unit")
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("cell, ledger", "deposited", "unclaimed", "epochs' gas", "claims' gas"):
        # A cell's name stands on a line of its own: beside its figures a long one would leave them no room.
        shown.add_column(head, justify="left" if head == "cell, ledger" else "right", no_wrap=True)
    one = 10**currency.decimals
    named = ""
    for row in rows:
        if row["cell"] != named:
            named = row["cell"]
            shown.add_row(named)
        amounts = (f"{row[name] // one:,}" for name in ("deposited_units", "unclaimed_units"))
        gas = (f"{row[name]:,}" if row["ledger"] not in _WITHOUT_GAS else "–" for name in ("gas", "claim_gas"))
        shown.add_row(f"  {row['replications']} x {row['ledger']}", *amounts, *gas)
    Console().print(shown)
