"""A calibration on the terminal, and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heritage_experiments.calibration.calibrating import Calibration, Estimate, Match
from heritage_experiments.calibration.sentences import (
    assumed_bounds,
    fit_sentence,
    made_sentence,
    spread_sentence,
    warnings,
)

if TYPE_CHECKING:
    from rich.console import Console

PARAMETERS = ("parameter", "was", "fitted", "90 % interval", "over seeds", "sought between")
TARGETS = ("target", "wanted", "was", "simulated", "error", "gap, sd")


def estimate_cells(estimate: Estimate) -> list[str]:
    """Return a parameter as the texts of a row, in the order of `PARAMETERS`."""
    e = estimate
    pairs = ((e.low, e.high), (e.seeds_low, e.seeds_high), (e.bound_low, e.bound_high))
    return [e.key, f"{e.before:.4g}", f"{e.value:.4g}", *(f"{a:.3g} - {b:.3g}" for a, b in pairs)]


def match_cells(match: Match) -> list[str]:
    """Return a target as the texts of a row, in the order of `TARGETS`."""
    name = f"{match.target.name}{' (held out)' if match.target.is_held_out else ''}"
    numbers = (match.target.value, match.before, match.simulated, match.error)
    return [name, *(f"{x:.4g}" for x in numbers[:3]), f"{numbers[3]:.2g}", f"{match.gap:+.1f}"]


def show(console: Console, result: Calibration) -> None:
    """Print what came out, and what stands against trusting it."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    for title, head, rows in (
        ("Parameters", PARAMETERS, [estimate_cells(e) for e in result.estimates]),
        ("Targets", TARGETS, [match_cells(m) for m in result.matches]),
    ):
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for i, name in enumerate(head):
            table.add_column(name, justify="right" if i else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for sentence in warnings(result):
        console.print(f"[bold yellow]![/bold yellow] {sentence}", highlight=False)
    for sentence in (fit_sentence(result), spread_sentence(result), made_sentence(result), assumed_bounds(result)):
        if sentence:
            console.print(sentence, highlight=False, markup=False)


def as_data(result: Calibration) -> dict[str, Any]:
    """Return everything that is reported, as plain data."""
    return {
        "parameters": [{name: getattr(e, name) for name in Estimate.__dataclass_fields__} for e in result.estimates],
        "targets": [
            {
                "name": m.target.name,
                "value": m.target.value,
                "held_out": m.target.is_held_out,
                "simulated": m.simulated,
                "error": m.error,
                "sd": m.sd,
                "gap_sd": m.gap,
                "before": m.before,
            }
            for m in result.matches
        ],
        "objective": {
            "fitted_draws": result.found.objective,
            "fresh_draws": result.fresh_objective,
            "degrees_of_freedom": result.degrees,
            "p_value": result.p_value,
        },
        "identification": {
            "singular_values": list(result.identified.singular),
            "directions": [{"sd": d.sd, "weights": list(d.weights)} for d in result.identified.directions],
            "correlation": result.identified.correlation.tolist(),
        },
        "warnings": warnings(result),
        "simulations": {"made": result.num_simulated, "from_log": result.num_reused},
        "days": result.window.days,
        "warm_up_days": result.window.warm_up_days,
        "listeners": result.space.scenario.listeners.num_listeners,
    }
