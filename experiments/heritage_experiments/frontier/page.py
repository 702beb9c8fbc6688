"""The frontier on paper: a figure as SVG and PNG, and a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from heritage_experiments.frontier.gas import Gas
from heritage_experiments.frontier.grid import POLICIES, Assumed, Point, Price, at_one_window
from heritage_experiments.report.drawing import INK, MARKERS, Drawing, colour, new_figure, standalone, svg_of
from heritage_experiments.report.words import number
from heritage_sim.base import Currency, StorageError

NAME = "frontier"
PNG_DPI = 160


def as_data(points: Sequence[Point], gas: Gas, assumed: Assumed, price: Price | None) -> dict[str, Any]:
    """Return everything that is shown, as plain data."""
    return {
        "gas": asdict(gas),
        "assumed": asdict(assumed) | {"income": "in proportion to 1 / rank"},
        "price": asdict(price) if price else None,
        "points": [asdict(p) for p in points],
    }


def write_frontier(
    folder: Path, points: Sequence[Point], gas: Gas, assumed: Assumed, price: Price | None, currency: Currency
) -> Path:
    """Write ``frontier.html``, ``frontier.svg`` and ``frontier.png``.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    points : sequence of Point
        What is shown.
    gas : Gas
        As measured.
    assumed : Assumed
        What is assumed of payees.
    price : Price or None
        What gas costs.
    currency : Currency
        Unit of what payees earn.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    page = folder / f"{NAME}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawing = draw(points, gas, folder / f"{NAME}.png")
        (folder / f"{NAME}.svg").write_text(standalone(drawing.svg), encoding="utf-8")
        page.write_text(_render(drawing, points, gas, assumed, price, currency), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write: {error.strerror}", str(folder), "name a folder that can be written to"
        ) from error
    return page


def draw(points: Sequence[Point], gas: Gas, png: Path | None = None) -> Drawing:
    """Return days against gas: a line a way of claiming, a point an epoch and window, large where on the frontier."""
    windows = sorted({p.window_hours for p in points})
    with new_figure(4.6) as (figure, ax):
        for i, policy in enumerate(POLICIES):
            mine = [p for p in points if p.policy == policy.name]
            for best in (False, True):
                these = [p for p in mine if p.on_frontier is best]
                ax.scatter(
                    [p.days_to_paid for p in these], [p.gas_per_payee_month for p in these], marker=MARKERS[i],
                    s=46 if best else 16, color=colour(i), alpha=1.0 if best else 0.4,
                    edgecolors=INK if best else "none", linewidths=0.7,
                )  # fmt: skip
            ax.scatter([], [], marker=MARKERS[i], s=30, color=colour(i), label=policy.words)
        ax.set(xscale="log", yscale="log", xlabel="median days from play to money in hand, by money")
        ax.set(ylabel="gas per payee and month")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
        svg = svg_of(figure, NAME, "Days to money in hand against gas per payee and month, by way of claiming")
        if png is not None:
            figure.savefig(png, dpi=PNG_DPI)
    return Drawing(
        NAME,
        "Faster, cheaper, longer open to dispute: what can be had together",
        "Each point is an epoch length, a challenge window and a way of claiming; down and left is better. Large "
        "points with an outline are on the frontier: nothing else shown is as good in days by money, days by payments, "
        "gas and time to dispute, and better in one. Windows of "
        f"{' / '.join(f'{w:g}' for w in windows)} hours; {gas.num_payees:,} payees. Gas was measured on the embedded "
        "EVM, days are exact for steady incomes; nothing here is drawn at random, so there is no interval.",
        svg,
    )


def head(price: Price | None) -> list[str]:
    """Return the columns of the table."""
    columns = ["epoch", "claims", "withdrawable", "in hand", "by payments", "gas"]
    return [*columns, *([price.unit] if price else []), "> 1 year"]


def cells(p: Point) -> list[str]:
    """Return a point as the texts of a row, in the order of `head`."""
    policy = next(policy for policy in POLICIES if policy.name == p.policy)
    row = [f"{p.epoch_days:g} d", policy.words]
    row += [f"{days(d)} d" for d in (p.days_to_withdrawable, p.days_to_paid, p.days_to_paid_payments)]
    row.append(number(p.gas_per_payee_month, 0))
    if p.cost_per_payee_month is not None:
        row.append(f"{p.cost_per_payee_month:,.4g}")
    return [*row, f"{number(p.payees_waiting_over_a_year, 0)} %"]


def days(value: float) -> str:
    """Return days with as many decimals as tell something: two below ten, none from a hundred on."""
    return number(value, 2 if value < 10.0 else 1 if value < 100.0 else 0)


def columns_sentence(window_hours: float, price: Price | None) -> str:
    """Return what stands in the columns."""
    return (
        f"Challenge window {window_hours:g} h: so long a posted epoch can be stopped. Another window moves all days by "
        "its difference and leaves gas as it is. Days: medians from the play, by money (withdrawable, in hand) and by "
        f"payments. Gas{f' and {price.unit}' if price else ''}: per payee and month. > 1 year: payees whose claims "
        "lie more than a year apart. Own: each payee claims for itself; relayed: one claims for all."
    )


def measured_sentence(gas: Gas) -> str:
    """Return what was measured."""
    return (
        f"Measured on the embedded EVM with {gas.num_payees:,} payees, in the steady state: posting and finalising an "
        f"epoch {gas.epoch:,} gas, whatever the number of payees; a payee's own claim {number(gas.single_claim, 0)}; "
        f"claimed for by one proof among {gas.neighbours:,} neighbours {number(gas.shared_claim, 0)} a payee."
    )


def assumed_sentence(assumed: Assumed, currency: Currency) -> str:
    """Return what is assumed."""
    return (
        f"Assumed: payees earn {currency.show(assumed.monthly_units)} a month on average, in proportion to 1 / rank, "
        f"the same in every epoch; by balance, they claim from {currency.show(assumed.threshold_units)} on; "
        f"{assumed.ready_days:g} days from an epoch's end until its statement is posted; {assumed.claim_hours:g} hours "
        "from withdrawable to money in hand. Whoever relays pays the gas and is not paid for it here."
    )


def _render(
    drawing: Drawing, points: Sequence[Point], gas: Gas, assumed: Assumed, price: Price | None, currency: Currency
) -> str:
    from jinja2 import Environment, StrictUndefined

    window, best = at_one_window(points)
    here = resources.files("heritage_experiments.frontier")
    css = (resources.files("heritage_experiments.report") / "page.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((here / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        css=css,
        drawing=drawing,
        head=head(price),
        best=[cells(p) for p in best],
        windows=[
            (f"{w:g}", [(p.on_frontier, cells(p)) for p in points if p.window_hours == w])
            for w in sorted({p.window_hours for p in points})
        ],
        columns=columns_sentence(window, price),
        measured=measured_sentence(gas),
        assumed=assumed_sentence(assumed, currency),
        price=price,
        num_payees=f"{gas.num_payees:,}",
    )
