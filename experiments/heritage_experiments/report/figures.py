"""The report's figures as inline SVG: drawn small enough to be read on a telephone, text as paths, nothing fetched.

Colours are those of Okabe and Ito, told apart by every kind of colour vision; line styles and markers repeat the
distinction, so that print without colour can be read too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.report.money import creator_amounts
from heritage_experiments.report.run_data import CellFacts, RunData
from heritage_experiments.report.words import days_said, rule_name
from heritage_experiments.statistics import student_t_interval
from heritage_sim.metrics import kaplan_meier, lorenz_curve, lorenz_dominance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, QUIET, GRID = "#1c2430", "#5b6675", "#e3e7ec"
WIDTH_IN = 5.4

_STYLE: dict[str, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "heritage",
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with what is said about it.

    Parameters
    ----------
    name : str
        File name in the run's ``figures`` folder, without suffix.
    title, caption : str
        Heading; what is shown, with n, seeds and kind of interval.
    svg : str
        Inline SVG with an alternative text.
    """

    name: str
    title: str
    caption: str
    svg: str


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
        lambda: settlement_times(run, rule_cells[0]),
        lambda: engagement(run, arm_cells),
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
    with _figure(4.5) as (figure, ax):
        ax.plot([0, 100], [0, 100], color=QUIET, lw=1.0, label="line of equality")
        for i, (cell, people, money, _) in enumerate(curves):
            ax.plot(people, money, color=_colour(i), ls=_dash(i), label=rule_name(cell.rule))
        ax.set(xlabel="creators, least paid first (%)", ylabel="share of all creators' payout (%)")
        ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        svg = _svg(figure, "lorenz", "Lorenz curves of creator payout by royalty rule, beside the line of equality")
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
    with _figure(0.9 + 0.34 * len(cells) * len(names)) as (figure, ax):
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
                mean, at, xerr=spread, fmt=MARKERS[i % len(MARKERS)], color=_colour(i), ms=5.5, capsize=3,
                elinewidth=1.4, label=rule_name(cell.rule),
            )  # fmt: skip
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.grid(axis="y", visible=False)
        ax.set(xlabel="share of payout, fund and members together (%)", ylim=(len(names) - 0.5, -0.5))
        ax.set_xlim(left=0)
        ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=min(3, len(cells)))
        svg = _svg(figure, "communities", "Share of payout of each community under each royalty rule, with intervals")
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
    with _figure(3.2) as (figure, ax):
        for i, (column, words) in enumerate((("days_to_withdrawable", "withdrawable"), ("days_to_paid", "paid"))):
            times, settled = _settled_within(rows, column)
            ax.step(times, settled, where="post", color=_colour(i), ls=_dash(i), label=words)
        ax.set(xlabel="days since the play", ylabel="share of money (%)", xlim=(0, last * 1.02), ylim=(0, 101))
        ax.legend(loc="lower right")
        svg = _svg(figure, "settlement", "Share of money withdrawable and paid within so many days of the play")
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
    with _figure(3.2) as (figure, ax):
        for i, cell in enumerate(cells):
            rows = daily[daily["cell"] == cell.name]
            table = (rows["plays"] / rows["sessions"]).groupby([rows["day"], rows["replication"]]).first().unstack()
            if table.empty:
                continue
            ends = np.array([student_t_interval(r[np.isfinite(r)]) for r in table.to_numpy(np.float64)])
            ax.fill_between(table.index, ends[:, 0], ends[:, 1], color=_colour(i), alpha=0.18, lw=0)
            ax.plot(table.index, table.mean(axis=1), color=_colour(i), ls=_dash(i), label=cell.arm or cell.name)
        ax.set(xlabel="day", ylabel="plays per session")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, len(cells)))
        svg = _svg(figure, "engagement", "Plays per session over the days of the run, by arm")
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


@contextmanager
def _figure(height_in: float) -> Iterator[tuple[Figure, Axes]]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):  # pyright: ignore[reportArgumentType]
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Figure, prefix: str, alternative: str) -> str:
    """Return the figure as an SVG element: ids made unique in the page, namespaces and metadata left out."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    text = re.sub(r"<style type=\"text/css\">(.*?)</style>", "", text, flags=re.DOTALL)
    opened = f'<svg role="img" aria-label="{escape(alternative)}" '
    text = text.replace("<svg ", opened, 1)
    # Without a size of its own it takes the width of its place; the viewBox keeps its proportions.
    head, _, body = text.partition(">")
    return re.sub(r'\s(width|height)="[^"]*"', "", head) + ">" + body


def standalone(svg: str) -> str:
    """Return an inline SVG as a file of its own."""
    return '<?xml version="1.0" encoding="utf-8"?>\n' + svg.replace("<svg ", f'<svg xmlns="{_SVG_NAMESPACE}" ', 1)


_SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def _seeds(run: RunData) -> str:
    last = max(c.num_replications for c in run.cells) - 1
    return f"root seed {run.scenario['seed']}, replications 0 to {last}"


def _arm(cells: Sequence[CellFacts]) -> str:
    arms = {c.arm for c in cells}
    return f"arm {arms.pop()}, " if len(arms) == 1 and "" not in arms else ""


def _rule(cells: Sequence[CellFacts]) -> str:
    rules = {c.rule for c in cells}
    return f"rule {rule_name(rules.pop())}, " if len(rules) == 1 else ""


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _dash(i: int) -> Any:
    return DASHES[i % len(DASHES)]
