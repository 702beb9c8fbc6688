"""The reliability curve: sessions that went on, against what was foretold for them, in groups by what was foretold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heritage_experiments.report.drawing import MARKERS, QUIET, Drawing, colour, dash, new_figure, svg_of
from heritage_experiments.report.run_data import CellFacts, RunData
from heritage_experiments.report.words import cell_name
from heritage_experiments.statistics import student_t_interval
from heritage_sim.evaluation.abandonment import RELIABILITY


def reliability_curve(run: RunData, cells: Sequence[CellFacts]) -> Drawing | None:
    """Return the curve of each cell, with intervals over replications; None where nothing was foretold.

    Parameters
    ----------
    run : RunData
        The run.
    cells : sequence of CellFacts
        Cells to show, such as those that differ in arm alone.

    Returns
    -------
    Drawing or None
    """
    levels = run.store.read_table("engagement")
    if levels.empty:
        return None
    groups = levels.loc[levels["name"].str.startswith(RELIABILITY), :]
    shown = [(cell, own) for cell in cells if len(own := groups.loc[groups["cell"] == cell.name, :])]
    if not shown:
        return None
    with new_figure(4.5) as (figure, ax):
        ax.plot([0, 100], [0, 100], color=QUIET, lw=1.0, label="as foretold")
        for i, (cell, own) in enumerate(shown):
            by_group = [of for _, of in own.groupby("name", sort=True)]
            foretold = [100.0 * float(of["baseline"].mean()) for of in by_group]
            came = np.array([100.0 * float(of["value"].mean()) for of in by_group])
            ends = 100.0 * np.array([student_t_interval(of["value"].to_numpy(np.float64)) for of in by_group])
            error = np.abs(ends.T - came) if np.isfinite(ends).all() else None
            ax.errorbar(
                foretold, came, yerr=error, color=colour(i), ls=dash(i), marker=MARKERS[i % len(MARKERS)], ms=4,
                elinewidth=1.0, label=cell_name(cell),
            )  # fmt: skip
        ax.set(xlabel="foretold to go on (%)", ylabel="went on (%)", xlim=(0, 100), ylim=(0, 100), aspect="equal")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        svg = svg_of(figure, "reliability", "Share of sessions that went on against the share foretold to, in groups")
    sessions = float(groups["n"].mean())
    return Drawing(
        "reliability",
        "How far foretold leaving came true",
        "Sessions after the split day in groups of equal size by the share foretold to go on at half the horizon (by "
        "Cox's model of the sessions before it), least first; what came is each group's Kaplan-Meier estimate. On the "
        f"line, what was foretold came. Mean and 95 % Student-t interval over up to "
        f"{max(cell.num_replications for cell, _ in shown)} replications, near {sessions:,.0f} sessions a group in "
        "each. Sessions are synthetic: they come out of this model.",
        svg,
    )
