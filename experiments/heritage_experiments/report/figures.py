"""The report's figures of payout, settlement and engagement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.report.drawing import INK, MARKERS, QUIET, Drawing, colour, dash, new_figure, svg_of
from heritage_experiments.report.money import creator_amounts
from heritage_experiments.report.reliability import reliability_curve
from heritage_experiments.report.run_data import CellFacts, RunData
from heritage_experiments.report.words import arm_name, days_said, rule_name
from heritage_experiments.statistics import student_t_interval
from heritage_sim.metrics import kaplan_meier, lorenz_curve, lorenz_dominance

if TYPE_CHECKING:
    import pandas as pd


def draw_all(run: RunData, rule_cells: Sequence[CellFacts], arm_cells: Sequence[CellFacts]) -> list[Drawing]:
    """Return the figures that the run has data for.

    Parameters
    ----------
    run : RunData
        The run.
    rule_cells : sequence of CellFacts
        Cells that differ in rule alone.
    arm_cells : sequence of CellFacts
        Cells that differ in arm alone.

    Returns
    -------
    list of Drawing
    """
    wanted = (
        lambda: lorenz(run, rule_cells),
        lambda: payout_by_community(run, rule_cells),
        lambda: engagement(run, arm_cells),
        lambda: reliability_curve(run, arm_cells),
    )
    return [drawing for draw in wanted if (drawing := draw()) is not None]


def lorenz(run: RunData, cells: Sequence[CellFacts]) -> Drawing | None:
    """Return Lorenz curves of payout over creators, one a rule, averaged over replications."""
    curves = []
    for cell in cells:
        amounts = creator_amounts(run, cell)
        if amounts.size:
            # The mean of the curves is the curve of the mean shares by rank, so the verdict below is of what is drawn.
            money = np.mean([lorenz_curve(row)[1] for row in amounts], axis=0)
            curves.append((cell, np.linspace(0.0, 100.0, money.size), 100.0 * money, amounts.shape))
    if not curves:
        return None
    with new_figure(4.5) as (figure, ax):
        ax.plot([0, 100], [0, 100], color=QUIET, lw=1.0, label="line of equality")
        for i, (cell, people, money, _) in enumerate(curves):
            ax.plot(people, money, color=colour(i), ls=dash(i), label=rule_name(cell.rule))
        ax.set(xlabel="creators, least paid first (%)", ylabel="share of all creators' payout (%)")
        ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        svg = svg_of(figure, "lorenz", "Lorenz curves of creator payout by royalty rule, beside the line of equality")
    replications, creators = curves[0][3]
    days = days_said({c.name: run.days[c.name] for c in cells})
    return Drawing(
        "lorenz",
        "How creators' payout is spread, by rule",
        f"Lorenz curves over creators (community funds left out), {_arm(cells)}whole run of {days}. Mean "
        f"curve of n = {replications} replications with {creators} creators each; {_seeds(run)}. The nearer to the "
        f"line of equality, the more equal. {_dominance([(c, np.diff(money)) for c, _, money, _ in curves])}",
        svg,
    )


def _dominance(shares: Sequence[tuple[CellFacts, npt.NDArray[np.float64]]]) -> str:
    """Return which rule's mean curve lies above the first one's at every point; shares by rank, least paid first."""
    (first, base), *others = shares
    said = []
    for cell, share in others:
        verdict = lorenz_dominance(share, base, tolerance=1e-9)
        name, other = rule_name(cell.rule), rule_name(first.rule)
        said.append(
            {
                "first": f"{name} is more equal than {other} at every point",
                "second": f"{other} is more equal than {name} at every point",
                "equal": f"{name} and {other} are equal",
                "crossing": f"{name} and {other} cross, so that no index can rank them without a value judgement",
            }[verdict]
        )
    return f"Of the mean curves: {'; '.join(said)}." if said else ""


def payout_by_community(run: RunData, cells: Sequence[CellFacts]) -> Drawing | None:
    """Return each community's share of payout under each rule, with intervals."""
    names = run.communities
    with new_figure(0.9 + 0.34 * len(cells) * len(names)) as (figure, ax):
        step = 0.8 / max(len(cells), 1)
        for i, cell in enumerate(cells):
            values = [run.values(cell.name, f"payout_share_community_{c}").dropna() for c in range(len(names))]
            if not all(len(v) for v in values):
                return None
            at = np.arange(len(names)) + (i - (len(cells) - 1) / 2.0) * step
            mean = np.array([v.mean() for v in values])
            ends = np.array([student_t_interval(v) if len(v) > 1 else (v.mean(), v.mean()) for v in values])
            spread = np.abs(ends.T - mean)
            ax.errorbar(
                mean, at, xerr=spread, fmt=MARKERS[i % len(MARKERS)], color=colour(i), ms=5.5, capsize=3,
                elinewidth=1.4, label=rule_name(cell.rule),
            )  # fmt: skip
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set(xlabel="share of payout, fund and members together (%)", ylim=(len(names) - 0.5, -0.5))
        ax.set_xlim(left=0)
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=min(3, len(cells)))
        svg = svg_of(figure, "communities", "Share of payout of each community under each royalty rule, with intervals")
    return Drawing(
        "payout_by_community",
        "Payout by community and rule",
        f"Share of all payout, {_arm(cells)}mean and 95 % Student-t interval over n = {cells[0].num_replications} "
        f"replications; {_seeds(run)}. These intervals are of levels: rules are compared pair by pair, in the text.",
        svg,
    )


def settlement_times(run: RunData, cell: CellFacts) -> Drawing | None:
    """Return how fast money follows a play: the share withdrawable, and paid, within so many days."""
    rows = run.settlement.loc[(run.settlement["cell"] == cell.name) & (run.settlement["units"] > 0), :]
    if rows.empty:
        return None
    last = float(np.nanmax(rows[["days_to_withdrawable", "days_to_paid"]].to_numpy()))
    with new_figure(3.2) as (figure, ax):
        for i, (column, words) in enumerate((("days_to_withdrawable", "withdrawable"), ("days_to_paid", "paid"))):
            times, settled = _settled_within(rows, column)
            ax.step(times, settled, where="post", color=colour(i), ls=dash(i), label=words)
        ax.set(xlabel="days since the play", ylabel="share of money (%)", xlim=(0, last * 1.02), ylim=(0, 101))
        ax.legend(loc="lower right")
        svg = svg_of(figure, "settlement", "Share of money withdrawable and paid within so many days of the play")
    ledgers = sorted(set(run.epochs.loc[run.epochs["cell"] == cell.name, "ledger"]))
    return Drawing(
        "settlement",
        "How long money takes",
        "From the day of the play to the block timestamp at which its money could be withdrawn, and was paid; weighted "
        "by money, unpaid money kept as censored at the end of the books (Kaplan-Meier). "
        "It follows almost wholly from the epoch, the posting lag and the challenge window of the scenario: a setting "
        f"seen at work, not a finding. Cell {cell.name}, n = {cell.num_replications} "
        f"replications pooled, epochs of {run.scenario['economy']['epoch_days']} days; "
        f"ledger: {', '.join(ledgers) or 'unknown'}; "
        f"{_seeds(run)}. No interval: it is a distribution over money, not an estimate of a mean.",
        svg,
    )


def engagement(run: RunData, cells: Sequence[CellFacts]) -> Drawing | None:
    """Return plays per session by day, one line an arm, with intervals over replications."""
    daily = run.daily[run.daily["sessions"] > 0]
    if daily.empty:
        return None
    with new_figure(3.2) as (figure, ax):
        for i, cell in enumerate(cells):
            rows = daily[daily["cell"] == cell.name]
            table = (rows["plays"] / rows["sessions"]).groupby([rows["day"], rows["replication"]]).first().unstack()
            if table.empty:
                continue
            ends = np.array([student_t_interval(r[np.isfinite(r)]) for r in table.to_numpy(np.float64)])
            ax.fill_between(table.index, ends[:, 0], ends[:, 1], color=colour(i), alpha=0.18, lw=0)
            ax.plot(table.index, table.mean(axis=1), color=colour(i), ls=dash(i), label=arm_name(cell.arm) or cell.name)
        ax.set(xlabel="day", ylabel="plays per session")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, len(cells)))
        svg = svg_of(figure, "engagement", "Plays per session over the days of the run, by arm")
    return Drawing(
        "engagement",
        "Engagement over the days, by arm",
        f"Plays per session, {_rule(cells)}mean and 95 % Student-t interval for each day over "
        f"n = {min(c.num_replications for c in cells)} replications; {_seeds(run)}. The axis does not start at zero.",
        svg,
    )


def _settled_within(rows: pd.DataFrame, column: str) -> tuple[npt.NDArray[np.float64], Any]:
    days = rows[column].to_numpy(np.float64)
    observed = rows["days_observed"].to_numpy(np.float64)
    curve = kaplan_meier(np.where(np.isnan(days), observed, days), ~np.isnan(days), rows["units"].to_numpy(np.float64))
    return np.concatenate([[0.0], curve.times]), 100.0 * (1.0 - np.concatenate([[1.0], curve.survival]))


def _seeds(run: RunData) -> str:
    last = max(c.num_replications for c in run.cells) - 1
    return f"root seed {run.scenario['seed']}, replications 0 to {last}"


def _arm(cells: Sequence[CellFacts]) -> str:
    arms = {c.arm for c in cells}
    return f"arm {arm_name(arms.pop())}, " if len(arms) == 1 and "" not in arms else ""


def _rule(cells: Sequence[CellFacts]) -> str:
    rules = {c.rule for c in cells}
    return f"rule {rule_name(rules.pop())}, " if len(rules) == 1 else ""
