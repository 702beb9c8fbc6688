"""The report of a small made-up run: says what the tables say, offline, in valid HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from heritage_experiments.report import answer_lines, sentences, words, write_report
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.money import creator_amounts
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts, RunData
from heritage_experiments.report.summary import held_alike
from heritage_experiments.scenario import Scenario, as_data
from heritage_experiments.statistics import compare, paired_difference
from heritage_experiments.store import RunStore, Task
from heritage_sim.base import InputError, Keys

NUM_REPLICATIONS, DAYS, NUM_CREATORS, POOL = 6, 14, 12, 3_000_000_000
CELLS = {
    "constrained-pro_rata": ("constrained", "pro_rata", 0.0),
    "constrained-user_centric": ("constrained", "user_centric", 4.0),
    "archive-pro_rata": ("archive", "pro_rata", 0.0),
}
COMMUNITIES = ("Tirtanala", "Lanshui", "Qhapana")


def scenario() -> Scenario:
    return Scenario.model_validate(
        {
            "name": "made_up",
            "question": "Does <user-centric> payout narrow the gap?",
            "seed": 7,
            "replications": NUM_REPLICATIONS,
            "traditions": [{"name": "gamelan", "kind": "gamelan"}],
            "communities": [{"name": n, "tradition": "gamelan"} for n in COMMUNITIES],
            "economy": {"days": DAYS},
            "royalty": {"rule": {"kind": "pro_rata"}, "shadow": [{"kind": "user_centric"}]},
            "arms": {"constrained": {}, "archive": {"generator": {"kind": "archive"}}},
            "cells": [
                {"name": name, "arm": arm, "set": {"royalty.rule.kind": rule}} for name, (arm, rule, _) in CELLS.items()
            ],
            "comparisons": [
                {"name": "rule", "treatment": "constrained-user_centric", "control": "constrained-pro_rata"},
                {"name": "placebo", "treatment": "archive-pro_rata", "control": "constrained-pro_rata"},
            ],
        }
    )  # fmt: skip


def shares(replication: int, shift: float) -> np.ndarray:
    """Return payout shares in percent: community 0 loses `shift` points, give or take, to community 2."""
    noise = Keys(1, replication).stream("test", "shares").normals(0, 0, 3)[0]
    base = np.array([50.0, 30.0, 20.0]) + 0.5 * (noise - noise.mean())
    moved = shift * (1.0 + 0.05 * noise[0])
    return base + np.array([-moved, 0.0, moved])


def payout_rows(replication: int, rule: str, shadow: bool, share: np.ndarray) -> list[tuple]:
    """Return the fund's tenth and the creators' rest, four creators a community, in 4 : 3 : 2 : 1."""
    rows = []
    for c in range(3):
        total = POOL * share[c] / 100.0
        rows.append((replication, 0, rule, shadow, c, round(0.1 * total)))
        rows += [(replication, 0, rule, shadow, 3 + 4 * c + k, round(0.09 * total * (4 - k))) for k in range(4)]
    return rows


def columns(names: str, rows: list[tuple]) -> dict[str, Any]:
    return dict(zip(names.split(), (list(c) for c in zip(*rows, strict=True)), strict=True))


def write_run(
    folder: Path, only: int = NUM_REPLICATIONS, *, quick: bool = False, skip: str = "", astray: int = 0
) -> Path:
    store = RunStore(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store.update_manifest(
        run_id="made-up-001", versions={"numpy": "2"}, checkpoints={"constrained": "ab" * 32}, quick=quick
    )
    store.write_plan([Task(r, cell) for r in range(NUM_REPLICATIONS) for cell in CELLS])
    store.write_text("scenario.yaml", yaml.safe_dump(as_data(scenario()), sort_keys=False, allow_unicode=True))
    names = [(c, n, "community", c) for c, n in enumerate(COMMUNITIES)]
    names += [(3 + k, f"Creator {k}", "creator", k // 4) for k in range(NUM_CREATORS)]
    store.write_once("payees", columns("payee_id name kind community", names))
    for r in range(only):
        for cell, (arm, rule, shift) in CELLS.items():
            if cell != skip:
                write_replication(store, Task(r, cell), arm, rule, shift, astray)
    return folder


def write_replication(store: RunStore, task: Task, arm: str, rule: str, shift: float, astray: int) -> None:
    r, paid, static = task.replication, shares(task.replication, shift), shares(task.replication, 3.0)
    outcomes = [("payout_gap_communities", paid.max() - paid.min(), "percentage points", 3)]
    outcomes += [(f"payout_share_community_{c}", paid[c], "%", 15) for c in range(3)]
    outcomes += [("static.user_centric.payout_gap_communities", static.max() - static.min(), "percentage points", 3)]
    outcomes += [("plays_per_session", 2.5 + 0.01 * r, "1", 100), ("pool_units", float(POOL), "smallest unit", 2)]
    outcomes += [("violations_per_generated_piece", np.nan if arm == "archive" else 0.0, "1", 0)]
    payouts = payout_rows(r, rule, False, paid)
    pool = sum(row[-1] for row in payouts)
    # In the first replication, so many units that no payee was given.
    by_day = [pool // DAYS + (d < pool % DAYS) + (astray if r == d == 0 else 0) for d in range(DAYS)]
    if rule == "pro_rata":
        payouts += payout_rows(r, "user_centric", True, static)
    days = list(range(DAYS))
    outcomes += [("works_recorded", 50.0 + r - shift * (2 + r % 2), "1", 1), ("works_rereleased", 0.0, "1", 1)]
    store.write_parts(
        task,
        {
            "outcomes": {
                "cell": task.cell, "arm": arm, "rule": rule, "replication": r,
                **columns("name value unit n", outcomes),
            },
            "payouts": {"cell": task.cell, **columns("replication epoch rule shadow payee_id units", payouts)},
            "epochs": {
                "cell": task.cell, "replication": r, "epoch": 0, "pool_units": pool, "statement_units": pool,
                "deposited_units": pool, "claimed_units": pool - 5, "unclaimed_units": 5, "ready_s": 10,
                "posted_s": 10, "withdrawable_s": 20, "payment_cost_units": 0,
                "gas": 81_000, "claim_gas": 0, "root": "00", "ledger": "reference",
            },
            "settlement": {
                "cell": task.cell, "replication": r, "epoch": 0, "day": days, "units": by_day,
                "days_to_withdrawable": [DAYS + 1.25 - d for d in days],
                "days_to_paid": [np.nan if d == 3 else DAYS + 1.75 - d for d in days],
                "days_observed": [DAYS + 2.0 - d for d in days],
                "payments": [1.0] * DAYS, "usage_days": [DAYS - 0.5 - d for d in days], "settlement_days": 1.75,
                "cash_out_days": [np.nan if d == 3 else 0.5 for d in days], "trapped": False,
                **dict.fromkeys(("report_days", "matching_days", "cash_in_days", "statement_days"), 0.0),
            },
            "licences": {
                "cell": task.cell, "replication": r, "day": [5], "creator": [2], "source_work": [0], "community": [0],
                "units": [3_000_000],
            },
            "daily": {
                "cell": task.cell, "replication": r, "day": days, "sessions": [100] * DAYS, "slates": [300] * DAYS,
                "plays": [250 + r + (d % 3) for d in days], "full_plays": [200] * DAYS, "abandonments": [9] * DAYS,
                "seconds": [9000] * DAYS, "plays_archive": [200] * DAYS, "plays_human": [30] * DAYS,
                "plays_generated": [20 + r] * DAYS, "left_service": [1] * DAYS, "came_back": [0] * DAYS,
                "subscribers": [900] * DAYS, "surplus_micro": [400_000_000] * DAYS,
            },
            "works": {
                "cell": task.cell, "replication": r, "work_id": [0, 1], "tradition": ["gamelan"] * 2,
                "community": [0, 1], "creator": [-1, 2], "origin": ["ARCHIVE", "GENERATED"], "synthetic": [True, True],
                "consistency": [0.9, 0.8], "day": [0, 5], "plays": [10, 3], "earned_units": [7, 3],
            },
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "made-up-001")


@pytest.fixture(scope="module")
def html(run_dir: Path) -> str:
    return write_report(run_dir).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Collects what a browser would fetch, ids, and whether every element is closed in order."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.mismatched: list[str] = []
        self.tags: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for key, value in attrs:
            if key == "id":
                self.ids.append(str(value))
            if key in ("src", "href", "xlink:href", "data", "poster"):
                self.fetched.append(str(value))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mismatched.append(tag)


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    return parser


def test_every_element_is_closed_and_no_id_stands_twice(outline: Outline):
    assert outline.mismatched == []
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))


def test_nothing_is_fetched_from_anywhere(outline: Outline, html: str):
    assert all(target.startswith(("#", "data:")) for target in outline.fetched)
    assert "<link" not in html
    assert "<script" not in html
    assert "@import" not in html
    assert "://" not in html


def test_internal_references_lead_somewhere(outline: Outline, html: str):
    targets = {t[1:] for t in outline.fetched if t.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert targets <= set(outline.ids)


def test_what_a_scenario_says_is_shown_as_text_not_as_markup(html: str):
    assert "&lt;user-centric&gt;" in html
    assert "<user-centric>" not in html


def test_the_answer_gives_effect_interval_unit_and_n(run_dir: Path):
    _, rule, placebo = answer_lines(run_dir)
    gaps = [np.ptp(shares(r, 4.0)) - np.ptp(shares(r, 0.0)) for r in range(NUM_REPLICATIONS)]
    assert f"falls by {-np.mean(gaps):.2f} percentage points" in rule
    assert f"n = {NUM_REPLICATIONS} pairs" in rule
    assert "95 % interval −" in rule
    assert "no difference at all" in placebo


def test_arithmetic_and_response_are_told_apart_and_add_up(run_dir: Path):
    answer = Findings(RunData(run_dir)).answers[0]
    assert answer.primary is not None
    effect = answer.primary.effect
    assert effect.arithmetic is not None
    assert effect.response is not None
    static = [np.ptp(shares(r, 3.0)) - np.ptp(shares(r, 0.0)) for r in range(NUM_REPLICATIONS)]
    assert effect.arithmetic.mean == pytest.approx(np.mean(static))
    assert effect.arithmetic.mean + effect.response.mean == pytest.approx(effect.total.mean)


def test_money_is_per_community_and_month_in_the_currency(run_dir: Path):
    answer = Findings(RunData(run_dir)).answers[0]
    moved = np.mean([shares(r, 4.0)[2] - shares(r, 0.0)[2] for r in range(NUM_REPLICATIONS)])
    expected = moved / 100.0 * POOL / 10**6 * 30 / DAYS
    assert answer.communities[2].effect.total.mean == pytest.approx(expected, rel=1e-6)
    assert sum(row.effect.total.mean for row in answer.communities) == pytest.approx(0.0, abs=1e-4)


def test_a_band_is_a_place_in_each_sides_own_ranking(run_dir: Path):
    run = RunData(run_dir)
    top, middle, lower = Findings(run).answers[0].bands
    treatment, control = (
        np.sort(creator_amounts(run, cell))[:, ::-1]
        for cell in (run.comparisons[0].treatment, run.comparisons[0].control)
    )
    for row, places in ((top, slice(0, 1)), (middle, slice(1, 6)), (lower, slice(6, 12))):
        expected = treatment[:, places].mean() - control[:, places].mean()
        assert row.effect.total.mean == pytest.approx(expected)
        assert row.effect.arithmetic is not None
        assert row.effect.response is not None
        assert row.effect.arithmetic.mean + row.effect.response.mean == pytest.approx(expected)


def test_percentages_differ_by_percentage_points():
    d = paired_difference([5.0, 6.0, 8.0], [4.0, 4.5, 6.0])
    assert words.difference(d, "%").startswith("+1.50 pp (")


def test_a_figure_that_the_rule_fixes_is_not_sold_as_a_finding():
    table = pd.DataFrame(
        [
            (cell, "arm", cell, r, "payout_gap_communities", value, "percentage points", 3)
            for cell, series in {"weighted": [0.0, 1e-8, 0.0], "pro_rata": [40.0, 45.0, 42.0]}.items()
            for r, value in enumerate(series)
        ],
        columns=["cell", "arm", "rule", "replication", "name", "value", "unit", "n"],
    )
    (finding,) = compare(table, "x", "weighted", "pro_rata")
    assert sentences.fixed_sentence(finding, 1e-8, 5.0).startswith("By construction")
    assert sentences.fixed_sentence(finding, 0.4, 5.0) == ""


def test_rank_bands_hold_every_creator_once_and_all_their_money(run_dir: Path):
    answer = Findings(RunData(run_dir)).answers[0]
    assert sum(row.num_people for row in answer.bands) == NUM_CREATORS
    total = sum(row.num_people * row.control_mean for row in answer.bands)
    assert total == pytest.approx(0.9 * POOL / 10**6 * 30 / DAYS, rel=1e-6)


def test_the_shadow_of_the_treatments_rule_is_the_arithmetic_of_the_money(run_dir: Path):
    row = Findings(RunData(run_dir)).answers[0].communities[0]
    static = np.mean([shares(r, 3.0)[0] - shares(r, 0.0)[0] for r in range(NUM_REPLICATIONS)])
    assert row.effect.arithmetic is not None
    assert row.effect.arithmetic.mean == pytest.approx(static / 100.0 * POOL / 10**6 * 30 / DAYS, rel=1e-6)


def test_figures_are_drawn_with_n_and_seeds_in_their_captions(outline: Outline, html: str, run_dir: Path):
    assert outline.tags["figcaption"] >= 4
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html, flags=re.DOTALL)
    assert all(f"n = {NUM_REPLICATIONS}" in c and "root seed 7" in c for c in captions[:4])
    assert {p.stem for p in (run_dir / "figures").iterdir()} == {
        "lorenz", "payout_by_community", "settlement", "engagement",
    }  # fmt: skip
    assert all("xmlns" in p.read_text() for p in (run_dir / "figures").iterdir())


def test_five_assumptions_carry_their_values(html: str):
    assert html.count("What would change the answer:") == 5
    assert "mean 0.00, standard deviation 1.00" in html


def test_a_run_without_kept_pieces_says_why(html: str):
    assert "kept no generated piece" in html


def test_the_books_are_checked_epoch_by_epoch(html: str):
    num = NUM_REPLICATIONS * len(CELLS)
    assert f"in {num} of {num} settled epochs" in html


def test_books_whose_days_hold_a_unit_that_no_payee_was_given_are_told(tmp_path: Path):
    html = write_report(write_run(tmp_path / "astray", astray=1)).read_text(encoding="utf-8")
    num = NUM_REPLICATIONS * len(CELLS)
    assert f"in {num - len(CELLS)} of {num} settled epochs" in html


def test_scenario_manifest_and_checkpoints_are_in_the_report(html: str):
    assert "ab" * 32 in html
    assert "num_listeners: 5000" in html


def test_no_number_of_the_paper_stands_in_what_the_report_is_made_of(html: str):
    assert "not targets of this run" in html
    folder = Path(str(resources.files("heritage_experiments.report")))
    sources = "".join(p.read_text(encoding="utf-8") for p in folder.iterdir() if p.suffix in (".py", ".jinja"))
    assert not re.search(r"1\.92|23\.7|\.497|31\.4|\.74\b|4\.47", sources)


def test_the_same_run_gives_the_same_report(run_dir: Path, html: str):
    assert write_report(run_dir).read_text(encoding="utf-8") == html


def test_an_unfinished_run_is_reported_as_such(tmp_path: Path):
    html = write_report(write_run(tmp_path / "half", only=2)).read_text(encoding="utf-8")
    assert f"6 of {3 * NUM_REPLICATIONS} replications have finished" in html


def test_one_replication_shows_nothing(tmp_path: Path):
    lines = answer_lines(write_run(tmp_path / "one", only=1))
    assert "a difference is not shown" in lines[2]
    assert "no interval" in lines[2]


def test_a_run_with_nothing_finished_is_refused_with_a_remedy(tmp_path: Path):
    with pytest.raises(InputError, match="no finished replication") as caught:
        write_report(write_run(tmp_path / "none", only=0))
    assert "heritage resume" in caught.value.remedy


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="not a run"):
        answer_lines(tmp_path)


def test_a_damaged_manifest_is_refused(tmp_path: Path):
    folder = write_run(tmp_path / "broken", only=1)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        write_report(folder)


def test_amounts_in_smallest_units_are_shown_in_the_currency(run_dir: Path):
    run = RunData(run_dir)
    assert run.values("archive-pro_rata", "pool_units").iloc[0] == pytest.approx(POOL / 10**6)
    assert json.loads((run_dir / "plan.json").read_text())["tasks"]


def test_a_quick_run_says_first_of_all_that_it_answers_nothing(tmp_path: Path):
    folder = write_run(tmp_path / "quick", quick=True)
    said = (
        f"A quick, small run, to see how it goes: n = {NUM_REPLICATIONS}, {DAYS} days, 5,000 listeners; it does not "
        "answer the question"
    )
    assert answer_lines(folder)[0] == said
    html = write_report(folder).read_text(encoding="utf-8")
    assert 0 < html.index(said) < html.index('class="summary"')


def test_a_quick_run_says_how_large_the_whole_is_and_ends_with_its_command(tmp_path: Path):
    folder = write_run(tmp_path / "quick", quick=True)
    command = "heritage run made_up.yaml --set seed=3"
    whole = {"days": 728, "listeners": 20_000, "replications": 50, "command": command}
    RunStore.open(folder).update_manifest(whole=whole)
    lines = answer_lines(folder)
    assert "(the whole: n = 50, 728 days, 20,000 listeners)" in lines[0]
    assert lines[-1] == f"The whole run. {command}"


def test_a_partial_run_says_so_before_it_answers(tmp_path: Path):
    first = answer_lines(write_run(tmp_path / "killed", only=2, skip="archive-pro_rata"))[0]
    assert first.startswith(f"Not complete: 4 of {3 * NUM_REPLICATIONS} replications have finished")
    assert first.endswith("1 comparison has no figures yet")


def test_a_whole_run_carries_no_caveat(run_dir: Path, html: str):
    assert answer_lines(run_dir)[0].startswith("In short. ")
    assert 'class="warning"' not in html


def test_badges_say_what_they_are_of(html: str):
    assert re.findall(r'<h3>[^<]*<span class="badge [a-z-]+">([^<]+)</span>', html)[:2] == [
        "gap narrower",
        "gap: no difference at all",
    ]
    assert set(re.findall(r'<td><span class="badge [a-z-]+">([^<]+)</span></td>', html)) == {
        "gains", "loses", "not shown", "no difference at all",
    }  # fmt: skip


def test_the_summary_gives_each_comparison_one_sentence_with_its_levels(run_dir: Path):
    summary = answer_lines(run_dir)[0].removeprefix("In short. ")
    before, after = (np.mean([np.ptp(shares(r, shift)) for r in range(NUM_REPLICATIONS)]) for shift in (0.0, 4.0))
    first, second = re.split(r"(?<=\.) (?=[A-Z])", summary)
    assert f"narrows the gap from {before:.0f} to {after:.0f} percentage points" in first
    assert "by design" not in first
    assert "The archive arm in place of the constrained one: no difference at all in the gap." in second


def test_the_same_change_under_several_rules_is_told_apart():
    rules = ("pro_rata", "user_centric")
    made = [
        ComparisonFacts(rule, CellFacts(f"a-{rule}", "a", rule, 3), CellFacts(f"b-{rule}", "b", rule, 3), "", "plays")
        for rule in rules
    ]
    assert [held_alike(c, made) for c in made] == [" under pro-rata", " under user-centric"]
    assert held_alike(made[0], made[:1]) == ""
    arms = [
        ComparisonFacts(
            arm, CellFacts(f"{arm}-u", arm, rules[1], 3), CellFacts(f"{arm}-p", arm, rules[0], 3), "", "plays"
        )
        for arm in ("a_b", "c")
    ]
    assert [held_alike(c, arms) for c in arms] == [" in the a b arm", " in the c arm"]
    assert held_alike(arms[0], [*made, arms[0], arms[0]]) == ""


def test_creators_and_funds_together_are_all_that_is_paid(run_dir: Path):
    run = RunData(run_dir)
    creators, funds = Findings(run).answers[0].kinds
    pool = POOL / 10**6 * 30 / DAYS
    assert creators.num_people == NUM_CREATORS
    assert creators.control_mean == pytest.approx(0.9 * pool, rel=1e-6)
    assert funds.control_mean == pytest.approx(0.1 * pool, rel=1e-6)
    assert creators.control_mean == pytest.approx(creator_amounts(run, run.comparisons[0].control).sum(axis=1).mean())


def test_the_answer_says_what_creators_do_with_interval_and_leaves_out_what_nobody_does(run_dir: Path):
    _, rule, placebo = answer_lines(run_dir)
    made = [-4.0 * (2 + r % 2) for r in range(NUM_REPLICATIONS)]
    assert f"works recorded by people 52.5 to {52.5 + np.mean(made):.1f}, −{-np.mean(made):.1f} (−" in rule
    assert "released again" not in rule
    assert "works recorded by people the same in every pair" in placebo


def test_days_are_named_by_cell_where_they_differ(html: str):
    assert f"{DAYS} days &middot;" in html
    assert words.days_said({"a": 60, "b": 90, "c": 60}) == "60 days (a, c); 90 days (b)"


def test_levels_are_said_to_rest_on_uncalibrated_assumptions(html: str):
    plays = np.mean([250 + r + d % 3 for r in range(NUM_REPLICATIONS) for d in range(DAYS)])
    assert f"a play lasts {9000 / plays:.0f} s on average" in html
    assert "at most 4 slates of 10 works" in html


def test_words_are_explained_if_and_only_if_they_stand_on_the_page(html: str):
    explained = re.findall(r"<dt>(.*?)</dt>", html)
    assert {"Pro-rata", "User-centric", "Arm constrained", "Arm archive", "Cell", "Holm&#39;s correction"} <= set(
        explained
    )
    assert not {"Community-weighted", "Threshold", "Jain index", "Arm unconditioned"} & set(explained)
    assert "Nothing is generated" in html
    assert html.index('href="#words"') < html.index('<section id="words">')
