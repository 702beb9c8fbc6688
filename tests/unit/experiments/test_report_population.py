"""What the report says of origin, bearers and fraud, on figures that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from heritage_agents.config import CreatorsConfig
from heritage_experiments.report.assumptions import five_assumptions
from heritage_experiments.report.findings import Level
from heritage_experiments.report.fraud import fraud_section
from heritage_experiments.report.money import by_community, by_kind, by_rank
from heritage_experiments.report.origins import origins_section
from heritage_experiments.report.practice import agreement_sentence, practice_section
from heritage_experiments.report.run_data import CellFacts, ComparisonFacts
from heritage_experiments.report.words import cell_names
from heritage_experiments.scenario import Scenario, as_data
from heritage_experiments.statistics import Effect, Finding, Verdict, paired_difference
from heritage_sim.base import Currency

HONEST, RING = CellFacts("honest", "honest", "pro_rata", 3), CellFacts("ring", "ring", "pro_rata", 3)
COMPARISON = ComparisonFacts("ring_vs_honest", RING, HONEST, "", "adversary_displaced_units")
RANDOM = np.array([0.0, 1.0, -1.0])


def finding(outcome: str, treatment: float, control: float, verdict: Verdict = Verdict.HIGHER) -> Finding:
    """Return a finding of three pairs whose difference wavers by one around that of the means."""
    one = np.full(3, control)
    total = paired_difference(one + treatment - control + (RANDOM if treatment != control else 0.0), one)
    return Finding(
        comparison=COMPARISON.name, treatment="ring", control="honest", outcome=outcome, unit="%", primary=True,
        treatment_mean=treatment,
        control_mean=control, effect=Effect(total, None, None), verdict=verdict, adjusted_p=0.01,
    )  # fmt: skip


def findings(levels: dict[str, tuple[float, float]], primaries: list[Finding], **run: object) -> SimpleNamespace:
    """Return findings whose levels, in either cell, have one to either side as interval."""
    known = {
        "named_cells": (HONEST, RING),
        "communities": ("Tirtanala", "Wayrapata"),
        "days": {"honest": 30, "ring": 30},
    }
    return SimpleNamespace(
        run=SimpleNamespace(**{"currency": Currency("hUSD", 6), "ring": np.zeros(1, np.bool_)} | known | run),
        level=lambda cell, outcome: (
            Level(m := levels[outcome][cell is RING], m - 1.0, m + 1.0, 3)
            if outcome in levels
            else Level(np.nan, np.nan, np.nan, 0)
        ),
        unit=lambda outcome: "hUSD" if "units" in outcome else "%",
        answers=[SimpleNamespace(facts=COMPARISON, primary=f, findings=tuple(primaries)) for f in primaries],
    )


@pytest.fixture
def robbed() -> SimpleNamespace:
    """Return a run of one fund, ten creators and a further name; the first creator and the name are the ring."""
    payees = pd.DataFrame(
        {"payee_id": range(12), "name": [f"payee {i}" for i in range(12)], "community": 0,
         "kind": ["community"] + ["creator"] * 11}
    )  # fmt: skip
    honest = {0: 10, **dict.fromkeys(range(1, 11), 10), 11: 0}
    ring = honest | {0: 8, **dict.fromkeys(range(2, 11), 6), 1: 30, 11: 18}
    rows = [
        (cell, r, False, "pro_rata", payee, units * 10**6)
        for cell, amounts in (("honest", honest), ("ring", ring))
        for r in range(3)
        for payee, units in amounts.items()
    ]
    return SimpleNamespace(
        payees=payees,
        payouts=pd.DataFrame(rows, columns=["cell", "replication", "shadow", "rule", "payee_id", "units"]),
        ring=np.isin(np.arange(12), [1, 11]),
        days={"honest": 30, "ring": 30},
        currency=Currency("hUSD", 6),
        communities=("Tirtanala",),
    )


def test_what_a_ring_takes_is_no_income_of_creators_or_of_their_community(robbed: SimpleNamespace):
    creators, funds, ring = by_kind(robbed, COMPARISON)
    assert (creators.who, creators.num_people, creators.effect.total.mean) == (
        "all creators outside the ring together", 9, -36.0,
    )  # fmt: skip
    assert (funds.effect.total.mean, ring.who, ring.effect.total.mean) == (-2.0, "the ring", 38.0)
    assert by_community(robbed, COMPARISON)[0].effect.total.mean == -38.0
    assert by_rank(robbed, COMPARISON) == []


def test_without_a_ring_creators_are_all_creators(robbed: SimpleNamespace):
    robbed.ring = np.zeros(12, np.bool_)
    assert [(row.who, row.num_people) for row in by_kind(robbed, COMPARISON)] == [
        ("all creators together", 11), ("all funds together", 0),
    ]  # fmt: skip


def test_fraud_pays_does_not_pay_or_is_not_shown_to_by_its_own_interval():
    sections = {
        cell: SimpleNamespace(
            adversaries=SimpleNamespace(
                is_on=cell == "ring",
                bots=50,
                sybils=2,
                copies_per_sybil=1,
                false_claims_per_work=0.1,
                colluder=4,
                start_day=7,
            ),
            creators=CreatorsConfig(num_per_community=3),
            communities=[SimpleNamespace(name="North"), SimpleNamespace(name="South")],
        )
        for cell in ("honest", "ring")
    }
    profits = {"bots": 760.0, "sybils": -40.0, "claims": 0.5}
    levels = {f"adversary_profit_units_{kind}": (0.0, units) for kind, units in profits.items()}
    levels |= {"adversary_displaced_units": (0.0, 900.0), "adversary_accounts_detected": (0.0, 5.0)}
    section = fraud_section(findings(levels, [], resolved=sections))
    ((cell, said),) = section["said"]
    assert cell == "pro-rata, ring"
    assert said == (
        "Bot accounts pay: 760 hUSD (759 to 761); copies under further names do not pay: −40.0 hUSD (−41.0 to −39.0); "
        "false claims are not shown to pay: 0.50 hUSD (−0.50 to 1.50). Payees outside the ring are paid 900 hUSD (899 "
        "to 901) less. Of 50 accounts, 5.0 (4.0 to 6.0) are found out."
    )
    assert section["rings"] == [
        "The ring is creator 4 of South (South creator 2), with 50 bot accounts, 2 further names of 1 copy each, "
        "false claims on 10 % of new derivatives, from day 7."
    ]
    assert [row["label"] for row in section["table"]["rows"]] == ["pro-rata, ring"]


def test_a_run_without_a_ring_and_without_bearers_has_no_sections_on_them():
    off = SimpleNamespace(adversaries=SimpleNamespace(is_on=False))
    nobody = findings({}, [], resolved={"honest": off, "ring": off})
    assert (fraud_section(nobody), practice_section(nobody), origins_section(nobody)) == ({}, {}, {})


def test_plays_and_income_are_given_by_origin_for_cells_and_for_comparisons():
    moved = [finding("plays_share_archive", 90.0, 97.0), finding("plays_share_generated", 10.0, 3.0)]
    still = [finding("income_share_archive", 99.0, 99.0, Verdict.NONE)]
    levels = {f.outcome: (f.control_mean, f.treatment_mean) for f in moved + still}
    section = origins_section(findings(levels, moved + still))
    assert section["table"]["heads"] == [
        "plays: archive works, %",
        "plays: generated works, %",
        "income: archive works, %",
    ]
    assert [level["mean"] for level in section["table"]["rows"][1]["levels"]] == ["90.0", "10.0", "99.0"]
    said = section["said"][0][1]
    assert said.startswith("Of all plays: archive works −7.00 pp (−9.48 to −4.52); generated works +7.00 pp (")
    assert said.endswith("Of all income: no difference at all.")


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((Verdict.LOWER, Verdict.LOWER), "2 with a fall. They agree over 2 forms of transmission."),
        (
            (Verdict.LOWER, Verdict.NOT_SHOWN),
            "1 with a fall; 1 with no difference shown. They do not agree: the answer",
        ),
    ],
)
def test_whether_rival_forms_of_transmission_agree_is_said(verdicts: tuple[Verdict, ...], said: str):
    forms = {
        name: SimpleNamespace(transmission=SimpleNamespace(kind=name), own_parts={}) for name in ("honest", "ring")
    }
    judged = [finding("bearers_total_change", 1.0, 2.0, v) for v in verdicts]
    of = findings({}, judged, resolved=forms)
    for answer, cell in zip(of.answers, (HONEST, RING), strict=True):
        answer.facts = ComparisonFacts("a", cell, HONEST, "", "bearers_total_change")
    assert f"Of the comparisons of bearers, 2 in all: {said}" in agreement_sentence(of)


def test_cells_that_differ_in_neither_rule_nor_arm_go_by_their_own_names():
    twin = CellFacts("ring-later", "ring", "pro_rata", 3)
    assert cell_names([HONEST, RING, twin]) == ["pro-rata, honest", "ring", "ring-later"]


@pytest.mark.parametrize(
    ("outcome", "first"),
    [
        ("payout_gap_communities", "Do listeners value"),
        ("bearers_total_change", "How is practice learnt"),
        ("adversary_displaced_units", "How often is fraud found out"),
        ("settlement_days_paid_median", "How long does each step"),
    ],
)
def test_the_assumption_that_the_question_hangs_on_stands_first(outcome: str, first: str):
    scenario = Scenario.model_validate(
        {
            "name": "made_up", "seed": 1, "traditions": [{"name": "gamelan", "kind": "gamelan"}],
            "communities": [{"name": "Tirtanala", "tradition": "gamelan"}], "royalty": {"rule": {"kind": "pro_rata"}},
            "cells": [{"name": "a"}, {"name": "b"}],
            "comparisons": [{"name": "b_vs_a", "treatment": "b", "control": "a", "outcome": outcome}],
        }
    )  # fmt: skip
    found = five_assumptions(as_data(scenario), Currency("hUSD", 6))
    assert len(found) == 5
    assert found[0].name.startswith(first)
    assert not any("Nobody leaves" in a.name for a in found)
