"""The report's section on recommending and leaving, on tables whose figures are known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from heritage_experiments.report.engagement import engagement_section
from heritage_experiments.report.reliability import reliability_curve
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts
from heritage_experiments.tables import TABLES
from heritage_sim.base import Keys

CELLS = tuple(CellFacts(name, name, "pro_rata", 3) for name in ("new", "old"))


def levels() -> pd.DataFrame:
    """Return NDCG of both cells, 0.2 to 0.4 over replications beside a yardstick's 0.1, and a figure never defined."""
    rows = [
        (cell.name, r, name, value, "1", "listener", 150, math.nan, math.nan, base, "the most played", 50)
        for cell in CELLS
        for r in range(3)
        for name, value, base in (("ndcg_20", 0.2 + 0.1 * r, 0.1), ("ndcg_100_cold", math.nan, math.nan))
    ]
    return pd.DataFrame(rows, columns=[name for name, _ in TABLES["engagement"]])


def sessions() -> pd.DataFrame:
    """Return sessions of which the new cell's are left half as readily."""
    n = 400
    parts = []
    for cell in CELLS:
        for r in range(3):
            u = Keys(9, r).stream("test", cell.name).uniforms(np.arange(n), 0, 3)
            left = -np.log(u[:, 0]) * (100.0 if cell.name == "new" else 50.0)
            over = 40.0 + 80.0 * u[:, 1]
            columns = dict.fromkeys((name for name, _ in TABLES["sessions"]), 0) | {
                "cell": cell.name, "replication": r, "listener": np.arange(n) // 8, "prior_sessions": 1,
                "prior_mean_s": 90.0 * u[:, 2], "familiarity": u[:, 1], "device": np.arange(n) % 2,
                "seconds": np.minimum(left, over), "abandoned": left <= over,
            }  # fmt: skip
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def findings(**tables: pd.DataFrame) -> SimpleNamespace:
    comparison = ComparisonFacts("new_vs_old", *CELLS, "", "payout_gap_communities")
    empty = {name: pd.DataFrame({c: [] for c, _ in TABLES[name]}) for name in ("engagement", "sessions")}
    run = SimpleNamespace(
        named_cells=CELLS,
        store=SimpleNamespace(read_table=(empty | tables).get),
        scenario={"evaluation": {"horizon_s": 60}, "listeners": {"devices": [{"name": "phone"}, {"name": "speaker"}]}},
        comparisons=(comparison,),
        cells=CELLS,
        communities=(),
    )
    return SimpleNamespace(run=run)


def test_the_reliability_curve_draws_what_came_against_what_was_foretold(monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(Axes, "errorbar", lambda ax, x, y, **how: drawn.append((x, y.tolist(), how["yerr"])))
    groups = [
        (c.name, r, f"abandonment_reliability_{k}", 0.2 * k + 0.1 * r, "1", "session", 40, 0.1, 0.9, 0.15 * k, "it", 0)
        for c in CELLS[:1]
        for r in range(3)
        for k in (1, 2)
    ]
    run = findings(engagement=pd.DataFrame(groups, columns=[name for name, _ in TABLES["engagement"]])).run
    drawing = reliability_curve(run, CELLS)
    ((foretold, came, error),) = drawn
    assert foretold == pytest.approx([15.0, 30.0])
    assert came == pytest.approx([30.0, 50.0])
    assert error == pytest.approx(np.full((2, 2), 4.302653 * 10 / math.sqrt(3)))
    assert "40 sessions a group" in drawing.caption
    assert reliability_curve(findings(engagement=levels()).run, CELLS) is None
    assert reliability_curve(findings().run, CELLS) is None


@pytest.fixture(scope="module")
def section() -> dict:
    return engagement_section(findings(engagement=levels(), sessions=sessions()))


def test_a_run_without_a_sample_has_no_section() -> None:
    assert engagement_section(findings()) == {}


def test_a_level_has_mean_interval_n_unit_and_baseline(section: dict) -> None:
    (row,) = section["cells"][0]["rows"]
    assert (row["mean"], row["baseline"], row["against"]) == ("0.300", "0.100", "the most played")
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert row["interval"] == f"{0.3 - half:.3f} to {0.3 + half:.3f}"
    assert (row["n"], row["per"], row["replications"], row["unit"]) == ("150", "listener", 3, "number")
    assert row["label"].startswith("NDCG@20")


def test_a_comparison_says_who_leaves_more_readily(section: dict) -> None:
    (view,) = section["comparisons"]
    assert view["said"].startswith("Sessions of the treatment are left less readily: hazard ratio 0.")
    labels = [row["label"] for row in view["rows"]]
    assert labels[0] == "Hazard ratio of leaving, treatment against control"
    assert "Mean length of a session within 60 s, difference" in labels
    assert "Hazard ratio, speaker against phone" in labels
    first = view["rows"][0]
    low, high = (float(end) for end in first["interval"].split(" to "))
    assert low < 0.5 < high < 0.7
    assert (first["n"], first["per"], first["baseline"]) == ("2,400", "session", "1.000")
    assert view["num_listeners"] == "150"


def test_sessions_alone_make_comparisons_and_levels_alone_make_levels() -> None:
    assert engagement_section(findings(sessions=sessions()))["cells"] == []
    assert engagement_section(findings(engagement=levels()))["comparisons"] == []


def test_cells_with_the_same_sessions_are_said_to_have_them_and_no_test_is_read_into_it() -> None:
    twins = sessions()
    twins = pd.concat([twins[twins["cell"] == "new"].assign(cell=cell) for cell in ("new", "old")], ignore_index=True)
    (view,) = engagement_section(findings(sessions=twins))["comparisons"]
    assert view["identical"]
    assert view["said"] == (
        "No difference at all: both cells have the same sessions (2,400 sessions of 150 listeners, all replications "
        "together)."
    )
