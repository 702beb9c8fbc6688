"""What a demand looks like: counts by hour and weekday beside what the rates expect, and what is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from heritage_agents.demand.config import HOURS, WEEKDAYS
from heritage_agents.demand.rates import rate_per_s
from heritage_sim.base import DAY_S

if TYPE_CHECKING:
    from heritage_agents.demand.config import DemandConfig
    from heritage_sim.base import Arrival

HOUR_S = DAY_S // HOURS
QUANTILES = (0.1, 0.5, 0.9)
BAR = 48
"""Width of the longest bar, in characters."""


def shape_of(arrivals: Iterable[Arrival], config: DemandConfig, days: int) -> dict[str, Any]:
    """Return the shape of a demand as plain numbers.

    Parameters
    ----------
    arrivals : iterable of Arrival
        All requests of days ``0 ... days - 1``.
    config : DemandConfig
        The rates that buyers follow.
    days : int
        Number of days.

    Returns
    -------
    dict
        ``requests`` by who asks; ``by_hour`` (24) and ``by_weekday`` (7) the counts of all, and what the rates expect
        of buyers beside them; ``by_tradition``; quantiles of lengths in note events and of patience in seconds, by who
        asks; the busiest hour's count.
    """
    who, tradition = Counter[str](), Counter[str]()
    by_hour = np.zeros(days * HOURS, dtype=np.int64)
    measured: dict[str, dict[str, list[float]]] = {}
    for a in arrivals:
        who[a.who] += 1
        tradition[a.tradition] += 1
        by_hour[int(a.at_s // HOUR_S)] += 1
        lists = measured.setdefault(a.who, {"input_length": [], "output_length": [], "patience_s": []})
        lists["input_length"].append(a.prompt_events)
        lists["output_length"].append(a.length_events)
        lists["patience_s"].append(a.patience_s)
    hours = np.arange(days * HOURS, dtype=np.int64)
    expected = rate_per_s(config, hours) * HOUR_S
    weekday = hours // HOURS % WEEKDAYS
    return {
        "days": days,
        "requests": dict(sorted(who.items())),
        "buyers_expected": float(expected.sum()),
        "busiest_hour": int(by_hour.max(initial=0)),
        "by_hour": by_hour.reshape(days, HOURS).sum(axis=0).tolist(),
        "by_hour_buyers_expected": expected.reshape(days, HOURS).sum(axis=0).tolist(),
        "by_weekday": np.bincount(weekday, weights=by_hour, minlength=WEEKDAYS).astype(int).tolist(),
        "by_weekday_buyers_expected": np.bincount(weekday, weights=expected, minlength=WEEKDAYS).tolist(),
        "by_tradition": dict(sorted(tradition.items())),
        "quantiles": {
            name: {column: np.quantile(values, QUANTILES).tolist() for column, values in lists.items()}
            for name, lists in sorted(measured.items())
        },
    }


def shape_text(shape: dict[str, Any]) -> str:
    """Return a shape for people: bars by hour and by weekday, a mark where the rates expect the buyers' to end."""
    lines = [
        f"{sum(shape['requests'].values()):,} requests in {shape['days']} days "
        f"({', '.join(f'{n:,} of {who}s' for who, n in shape['requests'].items()) or 'none'}); "
        f"the rates expect {shape['buyers_expected']:,.1f} of buyers; "
        f"{shape['busiest_hour']:,} in the busiest hour",
        "",
        "hour of the day        (| what the rates expect of buyers)",
        *_bars([f"{h:02d}" for h in range(HOURS)], shape["by_hour"], shape["by_hour_buyers_expected"]),
        "",
        "day of the week, from day 0 on",
        *_bars([str(d) for d in range(WEEKDAYS)], shape["by_weekday"], shape["by_weekday_buyers_expected"]),
        "",
        "asked for: " + (", ".join(f"{name} {n:,}" for name, n in shape["by_tradition"].items()) or "nothing"),
    ]
    for who, columns in shape["quantiles"].items():
        for column, (low, middle, high) in columns.items():
            unit = "s" if column == "patience_s" else "note events"
            lines.append(f"{who} {column} [{unit}]: median {middle:.0f}, 10 % below {low:.0f}, 10 % above {high:.0f}")
    return "\n".join(lines)


def _bars(labels: list[str], counts: list[int], expected: list[float]) -> list[str]:
    top = max(1.0, *map(float, counts), *expected)
    lines: list[str] = []
    for label, count, mean in zip(labels, counts, expected, strict=True):
        filled, mark = round(BAR * count / top), round(BAR * mean / top)
        bar = [("#" if i < filled else " ") for i in range(BAR + 1)]
        if mean > 0.0:
            bar[mark] = "|"
        lines.append(f"  {label}  {''.join(bar).rstrip():<{BAR + 1}} {count:,}")
    return lines
