"""The report's section on money's way, on a run whose days are known by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from heritage_experiments.report.assumptions import five_assumptions
from heritage_experiments.report.findings import Findings
from heritage_experiments.report.run_data import RunData
from heritage_experiments.report.sentences import costs_sentence
from heritage_experiments.report.settlement import settlement_section
from heritage_experiments.report.settlement_ways import ways_of
from heritage_experiments.report.words import LABELS
from heritage_experiments.scenario import Scenario, as_data
from heritage_experiments.statistics import compare, student_t_interval, wilson_interval
from heritage_experiments.store import RunStore, Task
from heritage_experiments.tables import TABLES
from heritage_sim.base import InputError
from heritage_sim.money import STEPS
from heritage_sim.money.outcomes import Durations, MoneyEvidence, money_outcomes
from heritage_sim.outcomes import outcome_names
from heritage_sim.results import settlement_table

NUM_REPLICATIONS, POOL = 4, 1_000_000_000
TRAPPED = 10_000_000


class Sent:
    """A ledger's account of what it sent."""

    attempts, failed_attempts, intents, unresolved = 500, 10, 400, 1


def scenario(manual: bool = True, **chain) -> Scenario:
    cells = [{"name": "chain", "arm": "chain"}, {"name": "hand", "arm": "hand"}]
    hand = {"money_chain": {"settlement": {"kind": "manual", "batch_days": 40.0, "minimum_units": 50_000_000}}}
    return Scenario.model_validate(
        {
            "name": "made_up_money",
            "seed": 9,
            "replications": NUM_REPLICATIONS,
            "traditions": [{"name": "gamelan", "kind": "gamelan"}],
            "communities": [{"name": "Tirtanala", "tradition": "gamelan"}],
            "economy": {"days": 20, "epoch_days": 20, "refresh_days": 1},
            "royalty": {"rule": {"kind": "pro_rata"}, "shadow": []},
            "money_chain": chain,
            "arms": {"chain": {}, "hand": hand if manual else {}},
            "cells": cells,
            "comparisons": [{"name": "x", "treatment": "chain", "control": "hand", "outcome": "pool_units"}],
        }
    )


def days(cell: str, r: int, open_: bool) -> Durations:
    """Return two lots of money: of one it took 13 + r days on chain and 40 + 3 r by hand; a hundredth is trapped.

    Where replications stay open, nothing is ever paid by hand in the first.
    """
    by_hand = cell == "hand"
    paid = np.array([40.0 + 3 * r, np.nan]) if by_hand else np.array([13.0 + r, 13.0 + r])
    if by_hand and open_ and r == 0:
        paid[:] = np.nan
    before = np.array([[10.0, 10.0], [2.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    settled = paid - before.sum(axis=0) - 0.5
    return Durations(
        units=np.array([POOL - TRAPPED, TRAPPED]),
        payments=np.array([3.0, 1.0]),
        withdrawable_days=paid - 0.5,
        paid_days=paid,
        observed_days=np.array([400.0, 400.0]),
        step_days=np.stack([*before, settled, np.where(np.isnan(paid), np.nan, 0.5)]),
        trapped=np.array([False, by_hand]),
    )


def write_run(
    folder: Path, told: Scenario, alike: bool = False, submissions=None, costs: int = 0, open_: bool = False
) -> Findings:
    store = RunStore(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store.update_manifest(run_id="made-up-002", versions={}, quick=False)
    store.write_plan([Task(r, cell) for r in range(NUM_REPLICATIONS) for cell in ("chain", "hand")])
    store.write_text("scenario.yaml", yaml.safe_dump(as_data(told), sort_keys=False))
    for r in range(NUM_REPLICATIONS):
        for cell in ("chain", "hand"):
            lived = days("chain" if alike else cell, r, open_)
            cost = costs if cell == "hand" else 0
            evidence = MoneyEvidence(lived, POOL, 1, cost, POOL // 2, np.zeros(1, np.int64), 0, submissions)
            found = list(money_outcomes(evidence))
            same = {"cell": cell, "replication": r}
            outcomes = {
                **same, "arm": cell, "rule": "pro_rata", "name": [o.name for o in found],
                "value": [o.value for o in found], "unit": [o.unit for o in found], "n": [o.n for o in found],
            }  # fmt: skip
            rows = settlement_table(np.zeros(2, np.int64), np.zeros(2, np.int64), lived)
            store.write_parts(
                Task(r, cell),
                {
                    "outcomes": outcomes,
                    "settlement": {**same, **rows},
                    "epochs": {
                        **dict.fromkeys(dict(TABLES["epochs"]), 0),
                        **same,
                        "epoch": [0],
                        "root": "",
                        "ledger": "reference",
                    },
                },
            )
    return Findings(RunData(folder))


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    told = scenario(report={"days": 2.0, "source": "half of what was read; the split is assumed"})
    return write_run(tmp_path_factory.mktemp("money") / "run", told)


def test_the_first_sentence_says_how_much_sooner_with_the_interval_of_the_pairs(findings: Findings):
    view, _ = settlement_section(findings)
    apart = np.array([(13 + r) - (40 + 3 * r) for r in range(NUM_REPLICATIONS)])
    low, high = sorted(abs(end) for end in student_t_interval(apart))
    assert (
        "within 14.5 days of the play when settled on chain, and within 44.5 days when settled by hand"
        in view["said"][0]
    )
    assert f"{-apart.mean():.1f} days sooner (95 % interval {low:.1f} to {high:.1f}; n = 4 pairs)" in view["said"][0]
    assert "differ in more" not in view["said"][0]


def test_replications_in_which_half_was_never_paid_are_not_passed_over_in_silence(findings: Findings, tmp_path: Path):
    assert "left out here" not in settlement_section(findings)[0]["said"][0]
    said = settlement_section(write_run(tmp_path / "open", scenario(), open_=True))[0]["said"][0]
    assert "within 46.0 days when settled by hand" in said
    assert "In 1 of 4 replications (by hand) half was not in hand when observation ended" in said
    assert "too few" in said


def test_what_passes_before_settlement_is_told_apart_from_settlement(findings: Findings):
    said = " ".join(settlement_section(findings)[0]["said"])
    assert "12 (83 %) had passed before settlement began" in said
    assert "They are the same in every way of settling" in said
    assert "on chain 2.0; by hand 32.0" in said
    assert "Payment runs every 40.0 days (by hand)" in said
    assert "20.0 days on average over all dates" in said


def test_whether_the_intervals_cover_the_days_of_payment_runs_is_said(findings: Findings, tmp_path: Path):
    assert "each replication draws it, so the intervals cover it" in " ".join(settlement_section(findings)[0]["said"])
    told = as_data(scenario())
    told["arms"]["hand"]["money_chain"]["settlement"]["first_batch_days"] = 12.0
    stated = write_run(tmp_path / "stated", Scenario.model_validate(told))
    said = " ".join(settlement_section(stated)[0]["said"])
    assert "set to fall 12.0 days after the first day" in said
    assert "which no interval covers" in said


def test_cash_out_that_a_claim_cuts_short_is_not_sold_as_settlement(findings: Findings, monkeypatch):
    assert "cash-out" not in settlement_section(findings)[0]["said"][0]
    short = dict(zip(("chain", "hand"), (0.5, 3.0), strict=True))
    levels = Findings.level

    def level(self, cell, outcome):
        found = levels(self, cell, outcome)
        return replace(found, mean=short[cell.name]) if outcome == "settlement_step_days_cash_out" else found

    monkeypatch.setattr(Findings, "level", level)
    assert "Part of it is cash-out, 0.5 against 3.0 days" in settlement_section(findings)[0]["said"][0]


def test_amounts_of_money_are_said_to_be_before_the_cost_of_payments(findings: Findings, tmp_path: Path):
    def said(found: Findings) -> str:
        return costs_sentence(compare(found.run.outcomes, "x", "chain", "hand", ("pool_units",)), "hUSD")

    assert said(findings) == ""
    assert "0.00 hUSD under the treatment and 7.00 under the control" in said(
        write_run(tmp_path / "costs", scenario(), costs=7_000_000)
    )


def test_where_days_are_asked_for_the_steps_of_the_money_are_the_first_assumption(findings: Findings):
    told, currency = findings.run.scenario, findings.run.currency
    assert five_assumptions(told, currency)[0].name.startswith("Do listeners value")
    asked = told | {"comparisons": [{**told["comparisons"][0], "outcome": "settlement_days_paid_median"}]}
    first, *others = five_assumptions(asked, currency)
    assert "report 2.0, matching 0.0" in first.value
    assert "a window of 24 hours" in first.value
    assert len(others) == 4


def test_trapped_money_is_told_by_money_and_by_payments_with_its_wait(findings: Findings):
    said = " ".join(settlement_section(findings)[0]["said"])
    months = (400.0 - 12.0) / (365.25 / 12)
    assert (
        "By hand, 1.00 % of the money and 25.0 % of the payments" in said
        or "by hand, 1.00 % of the money and 25.0 %" in said
    )
    assert f"waited {months:.1f} months" in said
    assert "below the minimum of 50.00 hUSD" in said


def test_money_that_no_minimum_but_the_cost_of_paying_it_holds_back_is_not_put_down_to_a_minimum(tmp_path: Path):
    told = as_data(scenario())
    told["arms"]["hand"]["money_chain"]["settlement"] |= {"minimum_units": 0, "cost_units": 2_000_000}
    said = " ".join(settlement_section(write_run(tmp_path / "cost", Scenario.model_validate(told)))[0]["said"])
    assert "lay in balances no larger than the cost of a payment, 2.00 hUSD, when observation ended" in said
    assert "minimum of" not in said


def test_money_that_waits_for_its_first_run_is_told_beside_what_is_trapped(tmp_path: Path):
    """By hand, one of four replications is unpaid to the last unit, and only its hundredth was passed over."""
    said = " ".join(settlement_section(write_run(tmp_path / "late", scenario(), open_=True))[0]["said"])
    assert "1.00 % of the money and 25.0 % of the payments lay in balances below" in said
    assert "another 24.8 % of the money was not yet paid, for no run had come by" in said


def test_the_table_has_levels_and_paired_differences_by_money_and_by_payments(findings: Findings):
    table = settlement_section(findings)[0]["table"]
    rows = {row["label"]: row for row in table["rows"]}
    assert table["heads"] == ["on chain", "by hand"]
    assert [level["mean"] for level in rows[LABELS["settlement_days_paid_median"]]["levels"]] == ["14.5", "44.5"]
    assert rows[LABELS["settlement_days_paid_median"]]["difference"]["mean"] == "−30.0"
    # Three of four payments were paid, so the 90th percentile by payments is beyond what was observed by hand.
    assert [level["mean"] for level in rows[LABELS["settlement_days_paid_payments_p90"]]["levels"]] == ["14.5", "–"]
    assert [level["mean"] for level in rows[LABELS["traceable_money_share"]]["levels"]] == ["50.0", "50.0"]


def test_each_step_carries_its_source_and_whether_it_is_an_assumption(findings: Findings):
    steps = settlement_section(findings)[0]["steps"]
    standing = {row["step"]: row["standing"] for row in steps["rows"]}
    assert standing["play to end of period"] == "setting"
    assert standing["report"] == "assumption"
    assert standing["matching"] == "taken as immediate"
    assert [row["days"] for row in steps["rows"] if row["step"] == "report"] == [["2.0", "2.0"]]
    assert any("the split is assumed" in row["source"] for row in steps["rows"])


def test_figures_say_what_is_censored_and_steps_sum_to_the_whole(findings: Findings):
    _, (steps, waiting) = settlement_section(findings)
    assert [steps.name, waiting.name] == ["settlement_steps", "settlement"]
    assert "on chain 14.5; by hand 44.5" in steps.caption
    assert "by hand 1.00 % of the money and 25.00 % of the payments" in waiting.caption
    assert "censored" in waiting.caption
    assert all("n = 4" in d.caption and "root seed 9" in d.caption for d in (steps, waiting))


def test_a_run_that_settles_alike_at_once_is_told_in_a_paragraph_and_one_figure(tmp_path: Path):
    findings = write_run(tmp_path / "alike", scenario(manual=False), alike=True)
    assert len(ways_of(findings.run)) == 1
    view, drawings = settlement_section(findings)
    assert view["table"] is None
    assert view["steps"] is None
    assert len(view["said"]) == 3
    assert "settings, not a finding" in view["said"][0]
    assert [d.name for d in drawings] == ["settlement"]


def test_one_way_of_settling_with_steps_before_it_is_told_without_a_difference(tmp_path: Path):
    told = scenario(manual=False, report={"days": 2.0, "source": "a schedule"})
    view, drawings = settlement_section(write_run(tmp_path / "one", told, alike=True))
    assert view["said"][0].startswith(
        "Half of the money is in the payees' hands within 14.5 days of the play when settled"
    )
    assert view["table"]["paired"] is False
    assert [d.name for d in drawings] == ["settlement_steps", "settlement"]
    assert {row["step"]: row["standing"] for row in view["steps"]["rows"]}["report"] == "stated source"


def test_cells_that_differ_in_more_than_settlement_are_not_sold_as_its_doing(tmp_path: Path):
    told = as_data(scenario())
    told["arms"]["hand"]["listeners"] = {"max_slates": 3}
    findings = write_run(tmp_path / "more", Scenario.model_validate(told))
    assert "differ in more than the settlement step" in settlement_section(findings)[0]["said"][0]


def test_failures_come_with_denominator_interval_and_schedule_or_a_plain_sentence(findings: Findings, tmp_path: Path):
    said = settlement_section(findings)[0]["said"][-1]
    assert said.endswith(
        "so there is no failure rate. Money was settled by the contracts' rules on whole numbers or by hand."
    )
    sent = settlement_section(write_run(tmp_path / "sent", scenario(), submissions=Sent()))[0]["said"][-1]
    low, high = wilson_interval(40, 2_000)
    assert (
        f"40 of 2,000 sendings of transactions did not lead into a block (2.00 %, 95 % Wilson interval {100 * low:.2f}"
        in sent
    )
    assert f"to {100 * high:.2f})" in sent
    assert "4 of 1,600 transactions were unresolved" in sent
    assert "no fault schedule" in sent


def test_a_scenario_of_another_version_is_refused_with_a_remedy(tmp_path: Path):
    findings = write_run(tmp_path / "other", scenario())
    findings.run.scenario["money_chain"]["carrier_pigeon"] = {"days": 1.0}
    with pytest.raises(InputError, match="this version does not know") as caught:
        settlement_section(findings)
    assert "run it anew" in caught.value.remedy


def test_wilson_interval_is_that_of_a_published_example_and_holds_for_none():
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert all(np.isnan(wilson_interval(0, 0)))


def test_every_outcome_of_money_has_a_name_for_people():
    wanted = [n for n in outcome_names(0) if re.match("settlement_|unpaid_|trapped_|payment_|traceable_|licence_", n)]
    assert len(wanted) >= 9 + len(STEPS)
    assert not [n for n in wanted if n not in LABELS]
