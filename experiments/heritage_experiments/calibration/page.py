"""A calibration on paper: two figures and a page that needs nothing else."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from heritage_experiments.calibration.calibrating import Calibration
from heritage_experiments.calibration.sentences import (
    NEAR,
    assumed_bounds,
    fit_sentence,
    made_sentence,
    spread_sentence,
    warnings,
)
from heritage_experiments.calibration.showing import PARAMETERS, TARGETS, estimate_cells, match_cells
from heritage_experiments.oddd.parameters import parameters_of
from heritage_experiments.report.drawing import GRID, QUIET, Drawing, colour, new_figure, standalone, svg_of
from heritage_sim.base import StorageError

NAME = "calibration"
_FARTHEST = 12.0


def write_page(folder: Path, result: Calibration, scenario: str) -> Path:
    """Write ``calibration.html`` and its figures, and return the page.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    result : Calibration
        What is shown.
    scenario : str
        Name of the scenario.

    Returns
    -------
    Path

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    page = folder / f"{NAME}.html"
    drawings = [draw_targets(result), draw_parameters(result)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for drawing in drawings:
            (folder / f"{drawing.name}.svg").write_text(standalone(drawing.svg), encoding="utf-8")
        page.write_text(_render(result, scenario, drawings), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write: {error.strerror}", str(folder), "name a folder that can be written to"
        ) from error
    return page


def draw_targets(result: Calibration) -> Drawing:
    """Return how far each target is from what is simulated, in standard deviations, before and after."""
    matches = result.matches
    rows = list(range(len(matches)))[::-1]
    with new_figure(1.3 + 0.28 * len(matches)) as (figure, ax):
        ax.axvspan(-NEAR, NEAR, color=GRID, zorder=0)
        ax.axvline(0.0, color=QUIET, linewidth=0.8)
        before = [_within((m.before - m.target.value) / m.sd) for m in matches]
        ax.scatter(before, rows, marker="x", s=22, color=QUIET, linewidths=1.0, label="scenario")
        for held_out, label in ((False, "fitted to"), (True, "held out")):
            these = [(m, row) for m, row in zip(matches, rows, strict=True) if m.target.is_held_out is held_out]
            face = "none" if held_out else colour(0)
            ax.scatter(
                [_within(m.gap) for m, _ in these], [row for _, row in these], marker="o", s=34,
                facecolors=face, edgecolors=colour(1 if held_out else 0), linewidths=1.4, label=label,
            )  # fmt: skip
        ax.set_yticks(rows, [m.target.name for m in matches])
        ax.set_xlim(-_FARTHEST * 1.05, _FARTHEST * 1.05)
        ax.set_xlabel("simulated minus target, in standard deviations")
        ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
        svg = svg_of(figure, "targets", "Difference between simulated and wanted value of each target")
    return Drawing(
        "targets",
        "Are the targets met?",
        f"Shaded: within {NEAR:g} standard deviations. Crosses: with the scenario's own values. Rings were held out. "
        f"Points beyond {_FARTHEST:g} lie at the edge. Means of {result.effort.fresh_draws} simulations that the fit "
        "did not see; a standard deviation holds the errors of target, rounding and simulation.",
        svg,
    )


def draw_parameters(result: Calibration) -> Drawing:
    """Return each parameter with its intervals, from lower to upper bound."""
    parameters, rows = result.space.parameters, list(range(result.space.dim))[::-1]
    with new_figure(1.2 + 0.5 * len(rows)) as (figure, ax):
        for row, estimate, parameter in zip(rows, result.estimates, parameters, strict=True):
            e, share = estimate, parameter.share
            ax.plot([share(e.low), share(e.high)], [row, row], color=colour(0), linewidth=3.0, solid_capstyle="butt")
            ax.plot([share(e.seeds_low), share(e.seeds_high)], [row - 0.16] * 2, color=colour(1), linewidth=2.0)
            ax.plot(share(e.value), row, marker="o", color=colour(0), markersize=7)
            ax.plot(share(e.before), row, marker="x", color=QUIET, markersize=6)
            ax.annotate(f"{e.value:.3g}", (share(e.value), row + 0.18), ha="center", fontsize=8.5)
        ax.set_yticks(rows, [f"{p.key}\n{p.low:.3g} - {p.high:.3g}" for p in parameters])
        ax.set_xlim(-0.02, 1.02)
        ax.set_ylim(-0.5, len(rows) - 0.4)
        ax.set_xticks([0.0, 1.0], ["lower bound", "upper bound"])
        svg = svg_of(figure, "parameters", "Fitted parameters with intervals between their bounds")
    return Drawing(
        "parameters",
        "What was fitted, and how sharply",
        "Point and thick line: fitted value and 90 % interval (Laplace). Thin line: 90 % over seeds. Cross: the "
        "scenario's own value. Each line goes from lower to upper bound, on a logarithmic scale where these are far "
        "apart.",
        svg,
    )


def _within(gap: float) -> float:
    return min(max(gap, -_FARTHEST), _FARTHEST)


def _render(result: Calibration, scenario: str, drawings: list[Drawing]) -> str:
    from jinja2 import Environment, StrictUndefined

    here = resources.files("heritage_experiments.calibration")
    css = (resources.files("heritage_experiments.report") / "page.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((here / "page.html.jinja").read_text(encoding="utf-8"))
    identified = result.identified
    keys = [p.key for p in result.space.parameters]
    return template.render(
        css=css,
        scenario=scenario,
        drawings={drawing.name: drawing for drawing in drawings},
        warnings=warnings(result),
        fit=fit_sentence(result),
        parameter_head=PARAMETERS,
        parameter_rows=[estimate_cells(e) for e in result.estimates],
        target_head=TARGETS,
        target_rows=[match_cells(m) for m in result.matches],
        spread=spread_sentence(result),
        made=made_sentence(result),
        assumed=assumed_bounds(result),
        keys=keys,
        meanings=[(p.key, f"{p.meaning}{f' [{p.unit}]' if p.unit else ''}") for p in parameters_of() if p.key in keys],
        correlation=[[f"{x:+.2f}" for x in row] for row in identified.correlation],
        directions=[
            ("unbounded" if d.sd > 99.0 else f"{d.sd:.3g}", [f"{x:+.2f}" for x in d.weights])
            for d in identified.directions
        ],
        singular=", ".join(f"{x:.3g}" for x in identified.singular),
    )
