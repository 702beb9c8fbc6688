"""``heritage ledger frontier``: what it costs to have the money sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from heritage_experiments.cli.options import Json, Out, console_for, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from heritage_experiments.frontier import Assumed, Gas, Point, Price
    from heritage_sim.base import Currency


def frontier(
    payees: Annotated[int, typer.Option("--payees", min=2, max=10_000, help="Number of payees.")] = 1_000,
    epoch_days: Annotated[
        str, typer.Option("--epoch-days", help="Epoch lengths to combine, days, with commas between.")
    ] = "1,7,14,30,91",
    window_hours: Annotated[
        str, typer.Option("--window-hours", help="Challenge windows to combine, hours, with commas between.")
    ] = "1,24,72,168",
    monthly_income: Annotated[
        float, typer.Option("--monthly-income", min=0.01, help="What a payee earns a month on average; assumed.")
    ] = 10.0,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.0, help="Balance from which payees claim by threshold; assumed.")
    ] = 50.0,
    claim_hours: Annotated[
        float, typer.Option("--claim-hours", min=0.0, help="Hours from withdrawable to money in hand; assumed.")
    ] = 10.0,
    ready_days: Annotated[
        float, typer.Option("--ready-days", min=0.0, help="Days from an epoch's end until its statement is posted.")
    ] = 0.0,
    gas_price_gwei: Annotated[
        float | None,
        typer.Option("--gas-price-gwei", min=0.0, help="Price of one gas, for costs in money.", show_default=False),
    ] = None,
    coin_price: Annotated[
        float | None,
        typer.Option(
            "--coin-price", min=0.0, help="Price of the coin that gas is paid in, in --unit.", show_default=False
        ),
    ] = None,
    unit: Annotated[str, typer.Option("--unit", help="Unit of --coin-price, such as EUR.")] = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Set days against gas and time to dispute, for epoch lengths, challenge windows and ways of claiming."""
    from heritage_contracts.config import LedgerConfig
    from heritage_experiments.frontier import Assumed, measure_gas, numbers_of, price_of
    from heritage_experiments.frontier import frontier as combine
    from heritage_experiments.frontier.page import as_data, write_frontier

    lengths = numbers_of(epoch_days, "--epoch-days", at_least=1 / 24)
    windows = numbers_of(window_hours, "--window-hours", at_least=0.0)
    price = price_of(gas_price_gwei, coin_price, unit)
    currency = LedgerConfig().currency
    one = 10**currency.decimals
    assumed = Assumed(round(monthly_income * one), round(threshold * one), claim_hours, ready_days)
    with console_for(as_json) as console:
        console.print(f"Measuring gas with {payees:,} payees on the embedded EVM ...")
        gas = measure_gas(payees)
        points = combine(gas, assumed, lengths, windows, price)
        page = write_frontier(out, points, gas, assumed, price, currency) if out else None
        if not as_json:
            _show(console, points, gas, assumed, price, currency)
            if page:
                console.print(f"page     {page}", soft_wrap=True)
    if as_json:
        print_json(as_data(points, gas, assumed, price) | {"page": str(page) if page else None})


_NARROW = {
    "withdrawable": "with-\ndrawable",
    "in hand": "in\nhand",
    "by payments": "by pay-\nments",
    "> 1 year": "> 1\nyear",
}


def _show(
    console: Console, points: Sequence[Point], gas: Gas, assumed: Assumed, price: Price | None, currency: Currency
) -> None:
    """Print what is on the frontier at one window, and what it rests on."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from heritage_experiments.frontier import page
    from heritage_experiments.frontier.grid import at_one_window

    window, best = at_one_window(points)
    title = f"On the frontier at a window of {window:g} h"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in page.head(price):
        # Where the terminal is narrow, words may break over lines; a number cut short would be another number.
        table.add_column(
            _NARROW.get(name, name), justify="left" if name == "claims" else "right", no_wrap=name != "claims"
        )
    for p in best:
        table.add_row(*page.cells(p))
    console.print(table)
    for sentence in (
        page.columns_sentence(window, price),
        page.measured_sentence(gas),
        page.assumed_sentence(assumed, currency),
        f"{len(points)} combinations were looked at; --json or --out gives all.",
    ):
        console.print(sentence, highlight=False)
