"""Who pays and who gains: money per month, by community, kind of payee and creators' rank, of a comparison's cells.

A month is 30 days; amounts are in the currency. Creators are ranked by their own payout under each rule (the best paid
tenth here against the best paid tenth there), on all sides alike: following the control's ranks instead would make its
lucky ones look like losers under any change at all, and would put that into the response. Where a scenario has a ring
of adversaries, its creator and names are a group of their own in every cell: what fraud brings is no creator's income.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_experiments.report.run_data import CellFacts, ComparisonFacts, RunData
from heritage_experiments.statistics import Effect, split_effect

if TYPE_CHECKING:
    import pandas as pd

MONTH_DAYS = 30
BANDS = (("top tenth", 0.0, 0.1), ("next four tenths", 0.1, 0.5), ("lower half", 0.5, 1.0))
"""Rank bands of creators: name, and the part of the ranking they take, best paid first."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One line of "who pays and who gains".

    Parameters
    ----------
    who : str
        Community, kind of payee, or band of creators.
    num_people : int
        Creators in the band or group; 0 for communities and funds.
    control_mean : float
        Currency per month in the control cell: of the whole group, but per creator in a band.
    effect : Effect
        Treatment minus control, in the same unit.
    """

    who: str
    num_people: int
    control_mean: float
    effect: Effect


def monthly(run: RunData, cell: str, rule: str | None = None) -> pd.DataFrame:
    """Return currency per month of every payee, one row a replication, one column a payee id.

    Parameters
    ----------
    run : RunData
        The run.
    cell : str
        Cell whose usage was settled.
    rule : str, optional
        A shadow rule; by default the rule that paid.

    Returns
    -------
    DataFrame
        Without rows where the rule was not a shadow in the cell.
    """
    rows = run.payouts[run.payouts["cell"] == cell]
    rows = rows[~rows["shadow"]] if rule is None else rows[rows["shadow"] & (rows["rule"] == rule)]
    units = rows.pivot_table(index="replication", columns="payee_id", values="units", aggfunc="sum", fill_value=0)
    units = units.reindex(columns=run.payees["payee_id"], fill_value=0)
    return units * (MONTH_DAYS / run.days[cell] / 10**run.currency.decimals)


def by_community(run: RunData, comparison: ComparisonFacts) -> list[MoneyRow]:
    """Return the communities' money, fund and members together, in the scenario's order; a ring is no part of them."""
    member = np.where(run.ring, -1, run.payees["community"].to_numpy())
    sums = [
        [amounts[:, member == i].sum(axis=1) for i in range(len(run.communities))]
        for amounts in _amounts(run, comparison)
    ]
    return [_row(name, 0, [side[i] for side in sums]) for i, name in enumerate(run.communities)]


def by_kind(run: RunData, comparison: ComparisonFacts) -> list[MoneyRow]:
    """Return the money of all creators together, of all community funds, and of a ring of adversaries if any."""
    creators, funds = _creators(run), (run.payees["kind"] != "creator").to_numpy()
    outside = " outside the ring" if run.ring.any() else ""
    groups = [(f"all creators{outside} together", int(creators.sum()), creators), ("all funds together", 0, funds)]
    if run.ring.any():
        groups.append(("the ring", 0, run.ring))
    sides = _amounts(run, comparison)
    return [_row(who, size, [amounts[:, inside].sum(axis=1) for amounts in sides]) for who, size, inside in groups]


def by_rank(run: RunData, comparison: ComparisonFacts) -> list[MoneyRow]:
    """Return the money of a creator in each rank band; empty where there are fewer than ten creators."""
    creators = _creators(run)
    num_creators = int(creators.sum())
    if num_creators < 10:
        return []
    sides = [amounts[:, creators] for amounts in _amounts(run, comparison)]
    orders = [_best_paid_first(side) for side in sides]
    rows = []
    for name, start, stop in BANDS:
        inside = slice(round(start * num_creators), round(stop * num_creators))
        size = inside.stop - inside.start
        rows.append(_row(name, size, [_ranked(s, o, inside) for s, o in zip(sides, orders, strict=True)]))
    return rows


def creator_amounts(run: RunData, cell: CellFacts) -> Floats:
    """Return what each creator was paid per month, shape ``(num_replications, num_creators)``."""
    return monthly(run, cell.name).to_numpy(np.float64)[:, _creators(run)]


def _creators(run: RunData) -> npt.NDArray[np.bool_]:
    """Return which payees are creators who belong to no ring."""
    return (run.payees["kind"] == "creator").to_numpy() & ~run.ring


def _amounts(run: RunData, comparison: ComparisonFacts) -> list[Floats]:
    """Return treatment, control and, where a shadow ran, the treatment's rule on the control's usage."""
    frames = [monthly(run, comparison.treatment.name), monthly(run, comparison.control.name)]
    if comparison.treatment.rule != comparison.control.rule:
        shadow = monthly(run, comparison.control.name, comparison.treatment.rule)
        if len(shadow):
            frames.append(shadow)
    shared = frames[0].index
    for frame in frames[1:]:
        shared = shared.intersection(frame.index)
    return [frame.loc[shared.sort_values()].to_numpy(np.float64) for frame in frames]


def _best_paid_first(amounts: Floats) -> npt.NDArray[np.int64]:
    return np.argsort(-amounts, axis=1, kind="stable")


def _ranked(amounts: Floats, order: npt.NDArray[np.int64], inside: slice) -> Floats:
    return np.take_along_axis(amounts, order, axis=1)[:, inside].mean(axis=1)


def _row(who: str, num_people: int, sides: list[Floats]) -> MoneyRow:
    treatment, control, *static = sides
    effect = split_effect(treatment, control, static[0] if static else None)
    return MoneyRow(who, num_people, float(control.mean()) if control.size else float("nan"), effect)
