"""The account of a royalty run as tables for people: a currency or unit beside every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heritage_experiments.royalty_files.summary import Account
from heritage_sim.base import Currency

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show_account(account: Account, console: Console) -> None:
    """Print what was read, who gains and loses, the indices, what is unmatched, and what the chain said."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    s = account.summary
    show = account.case.currency.show
    title = escape(f"Royalties {s['period']}".strip())
    listeners = f"{s['listeners']:,} listeners" if s["listeners"] is not None else "listeners unknown (totals only)"
    console.print(
        f"[bold]{title}[/bold]: a pool of {s['pool']}, {listeners}, {s['plays']:,} plays of {s['works_played']:,} "
        f"works, {s['payees']:,} payees",
        highlight=False,
    )
    for note in s["notes"]:
        console.print(f"- {note}", highlight=False, markup=False)
    compared = s["comparison"]
    for key, heading in (("bands", "rank"), ("communities", "community")):
        rows = compared[key]
        if rows:
            table = Table(title=f"Who gains and loses, by {heading}", title_justify="left", box=box.SIMPLE_HEAD)
            _fill(table, rows, heading, compared["baseline"], account.case.currency)
            console.print(table)
    if len(s["statements"]) > 1:
        console.print(
            f"Payees are ranked by what {compared['baseline']} gives them; change, gain and lose are against it. "
            f"Shares are of what all payees get.\n{s['caveat']}",
            highlight=False,
        )
    _show_indices(console, compared["inequality"])
    unmatched = s["unmatched"]
    if unmatched["works"]:
        first = len(unmatched["first"])
        shown = f"the {first} most played of " if unmatched["works"] > first else ""
        what = f"{shown}{counted(unmatched['works'], 'work')} with {counted(unmatched['plays'], 'play')}"
        table = Table(
            title=f"Unmatched: {what}; their money is held in the unattributed pot",
            title_justify="left",
        )
        table.add_column("work")
        table.add_column("line", justify="right")
        table.add_column("plays", justify="right")
        for made in s["statements"]:
            table.add_column(f"held under {made['rule']}", justify="right")
        for row in unmatched["first"]:
            held = [show(row[f"{made['rule']}_units"]) for made in s["statements"]]
            table.add_row(escape(str(row["work"])), str(row["line"]), f"{row['plays']:,}", *held)
        console.print(table)
    unit = f"1 {s['currency']} = {10 ** s['decimals']:,} units"
    for made in s["statements"]:
        paid = f"{show(made['statement_units'])} to {counted(made['payees_paid'], 'payee')}"
        console.print(f"Statement {made['rule']}: {paid} ({unit})", highlight=False)
        for reason in made["reasons"]:
            console.print(f"  - {reason}", highlight=False, markup=False)
    if s["chain"]:
        _show_chain(console, s["chain"], show)


def counted(num: int, noun: str) -> str:
    """Return a count with its noun: ``1 work``, ``2 works``."""
    return f"{num:,} {noun}{'' if num == 1 else 's'}"


def _fill(table: Table, rows: list[dict[str, Any]], heading: str, baseline: str, currency: Currency) -> None:
    from rich.markup import escape

    # One line for each rule, not one column: it fits a terminal of 80 columns with any number of rules.
    table.add_column("ranks" if heading == "rank" else heading, no_wrap=heading == "rank")
    table.add_column("rule", overflow="fold")
    table.add_column(f"amount\n({currency.code})", justify="right", no_wrap=True)
    for name in ("share", "change", "gain", "lose"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        name = escape(row["band" if heading == "rank" else "community"])
        label = f"{name}\n{counted(row['payees'], 'payee')}"
        for i, made in enumerate(row["rules"]):
            cells = [label if i == 0 else "", made["rule"], _hundredths(made["units"], currency)]
            cells.append(f"{made['share_percent']:.2f} %")
            if made["rule"] == baseline:
                cells += ["", "", ""]
            else:
                change = f"{made['change_percent']:+,.1f} %" if made["change_percent"] is not None else "from 0"
                cells += [change, f"{made['gain']:,}", f"{made['lose']:,}"]
            table.add_row(*cells, end_section=made is row["rules"][-1])


def _hundredths(units: int, currency: Currency) -> str:
    """Return an amount rounded half up to hundredths, for a column that names the currency; files keep every unit."""
    cent = 10 ** max(currency.decimals - 2, 0)
    return currency.show((units + cent // 2) // cent * cent).removesuffix(f" {currency.code}")


def _show_indices(console: Console, rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    first = rows[0]
    table = Table(
        title=f"Inequality of amounts (unit: {first['unit']}, n = {first['n']:,}; Lorenz curve against the first rule)",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    between = "theil_between_communities" in first
    columns = ["rule", "paid", "Lorenz curve", "Gini", "Theil\n(nats)"]
    # Where curves cross, no index settles the order; the verdict stands before the indices for that reason.
    for name in [*columns, *(["of it between\ncommunities"] if between else []), "Jain"]:
        table.add_column(name, justify="left" if name in columns[:1] + columns[2:3] else "right")
    for row in rows:
        parts = [f"{row['theil_between_communities']:.4f}"] if between else []
        table.add_row(
            row["rule"],
            f"{row['paid']:,}",
            row["lorenz_against_baseline"],
            f"{row['gini']:.4f}",
            f"{row['theil']:.4f}",
            *parts,
            f"{row['jain']:.4f}",
        )
    console.print(table)


def _show_chain(console: Console, chain: dict[str, Any], show: Any) -> None:
    console.print(
        f"On the chain ({chain['ledger']}, {chain['rule']}): deposited {show(chain['deposited_units'])}, claimed "
        f"{show(chain['claimed_units'])} by {chain['claims']}, left {show(chain['unclaimed_units'])}; root "
        f"{chain['root'][:16]}..., {chain['gas']:,} gas.\n"
        f"The amounts on the chain equal the statement to the unit: {chain['num_proofs']:,} of "
        f"{chain['num_payees_due']:,} Merkle proofs lead to the posted root, {chain['num_claims']:,} claims were paid.",
        highlight=False,
    )
