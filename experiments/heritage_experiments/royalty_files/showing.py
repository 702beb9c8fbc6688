"""The account of a royalty run as tables for people: a currency or unit beside every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heritage_experiments.royalty_files.summary import Account
from heritage_experiments.royalty_files.wording import counted
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
    known = s["listeners"] is not None
    listeners = counted(s["listeners"], "listener") if known else "listeners unknown (totals only)"
    console.print(
        f"[bold]{title}[/bold]: a pool of {s['pool']}, {listeners}, {counted(s['plays'], 'play')} of "
        f"{counted(s['works_played'], 'work')}, {counted(s['payees'], 'payee')}",
        highlight=False,
    )
    _list(console, s["notes"])
    compared = s["comparison"]
    for key, heading in (("bands", "rank"), ("communities", "community")):
        rows = compared[key]
        if rows:
            table = Table(title=f"Who gains and loses, by {heading}", title_justify="left", box=box.SIMPLE_HEAD)
            _fill(table, rows, heading, compared["baseline"], account.case.currency)
            console.print(table)
    if len(s["statements"]) > 1:
        console.print(
            f"Payees are ranked by what {compared['baseline']} gives them; change is against it, and gain and lose "
            f"count the payees who get more or less than under it. Shares are of what all payees get.\n{s['caveat']}",
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
            box=box.SIMPLE_HEAD,
        )
        table.add_column("work")
        table.add_column("line", justify="right")
        table.add_column("plays", justify="right")
        for made in s["statements"]:
            table.add_column(f"held under\n{made['rule']}\n({s['currency']})", justify="right")
        for row in unmatched["first"]:
            held = [_every_unit(row[f"{made['rule']}_units"], account.case.currency) for made in s["statements"]]
            table.add_row(escape(str(row["work"])), str(row["line"]), f"{row['plays']:,}", *held)
        console.print(table)
    unit = f"1 {s['currency']} = {10 ** s['decimals']:,} units"
    for made in s["statements"]:
        held = made["unattributed_units"]
        paid = f"{show(made['statement_units'] - held)} to {counted(made['payees_paid'], 'payee')}"
        if held:
            paid += f" and {show(held)} to the unattributed pot, together {show(made['statement_units'])}"
        console.print(f"Statement {made['rule']}: {paid} ({unit})", highlight=False)
        _list(console, made["reasons"], indent=2)
    if s["chain"]:
        _show_chain(console, s["chain"], account)


def _list(console: Console, sentences: list[str], indent: int = 0) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for sentence in sentences:
        grid.add_row("-", Text(sentence))
    console.print(Padding(grid, (0, 0, 0, indent)))


def _fill(table: Table, rows: list[dict[str, Any]], heading: str, baseline: str, currency: Currency) -> None:
    from rich.markup import escape

    # One line for each rule, not one column: it fits a terminal of 80 columns with any number of rules.
    table.add_column("ranks" if heading == "rank" else heading, no_wrap=heading == "rank")
    table.add_column("rule", overflow="fold")
    table.add_column(f"amount\n({currency.code})", justify="right", no_wrap=True)
    for name in ("share", "change", "gain", "lose"):
        table.add_column(name, justify="right", no_wrap=True)
    table.collapse_padding, table.pad_edge = True, False
    for row in rows:
        name = escape(row["band" if heading == "rank" else "community"])
        payees = counted(row["payees"], "payee")
        labels = [name, payees] if len(row["rules"]) > 1 else [f"{name}\n{payees}"]
        for i, made in enumerate(row["rules"]):
            cells = [labels[i] if i < len(labels) else "", made["rule"], _hundredths(made["units"], currency)]
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


def _every_unit(units: int, currency: Currency) -> str:
    """Return an amount with all its digits, so that the points of a column stand under one another."""
    whole, part = divmod(units, 10**currency.decimals)
    return f"{whole:,}.{part:0{currency.decimals}d}" if currency.decimals else f"{whole:,}"


def _show_indices(console: Console, rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    first = rows[0]
    table = Table(
        title=f"Inequality of amounts among {counted(first['n'], first['unit'])}, also those who get nothing",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    between = "theil_between_communities" in first
    columns = ["rule", "payees\npaid", f"Lorenz curve\nagainst {first['rule']}", "Gini", "Theil\n(nats)"]
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


def _show_chain(console: Console, chain: dict[str, Any], account: Account) -> None:
    show, s = account.case.currency.show, account.summary
    where = f"embedded {chain['ledger'].upper()}" if chain["ledger"] == "evm" else chain["ledger"]
    pot = ", the unattributed pot being one" if s["statements"][0]["unattributed_units"] else ""
    all_proofs = f"{chain['num_proofs']:,} of {counted(chain['num_payees_due'], 'Merkle proof')}"
    console.print(
        f"On the chain ({where}, statement {chain['rule']}; {s['currency']} is a test token there):",
        highlight=False,
        markup=False,
    )
    claims = f"{counted(chain['num_claims'], 'claim')} {'was' if chain['num_claims'] == 1 else 'were'} paid"
    _list(
        console,
        [
            f"deposited {show(chain['deposited_units'])}; claimed {show(chain['claimed_units'])} by {chain['claims']}"
            f"{pot}; left {show(chain['unclaimed_units'])}",
            f"root {chain['root'][:16]}..., {chain['gas']:,} gas for posting and claims",
            f"The amounts on the chain equal the statement to the unit: {all_proofs} lead to the posted root, "
            f"{claims}.",
        ],
        indent=2,
    )
