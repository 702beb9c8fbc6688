"""Numbers, badges and sentences of the report, on findings whose figures are known."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from heritage_experiments.report import sentences, words
from heritage_experiments.report.glossary import RULES_IN_WORDS
from heritage_experiments.statistics import Finding, compare, correct, paired_difference
from heritage_sim.royalty import RULES

GAP = "payout_gap_communities"


def finding(
    treatment: list[float], control: list[float], static: list[float] | None = None, outcome: str = GAP
) -> Finding:
    """Return the corrected primary finding of one comparison between two rules."""
    series = {("t", "user_centric", outcome): treatment, ("c", "pro_rata", outcome): control}
    if static is not None:
        series["c", "pro_rata", f"static.user_centric.{outcome}"] = static
    table = pd.DataFrame(
        [
            (cell, "arm", rule, r, name, value, "percentage points", 3)
            for (cell, rule, name), values in series.items()
            for r, value in enumerate(values)
        ],
        columns=["cell", "arm", "rule", "replication", "name", "value", "unit", "n"],
    )
    (found,) = correct(compare(table, "x", "t", "c", (outcome,)))
    return found


def test_a_response_of_exactly_zero_is_not_called_no_difference_at_all():
    said = sentences.split_sentence(finding([4.0, 5.0, 7.0], [6.0, 6.5, 9.0], static=[4.0, 5.0, 7.0]))
    assert "The response of the gap" in said
    assert said.endswith("none in any pair.")
    assert "no difference at all" not in said


def test_the_response_of_another_outcome_is_not_called_the_gaps():
    f = finding([4.0, 5.0, 7.0], [6.0, 6.5, 9.0], static=[4.1, 5.0, 7.2], outcome="payout_gini_creators")
    assert "The response of this figure" in sentences.split_sentence(f)


@pytest.mark.parametrize(
    ("treatment", "badge"),
    [
        ([4.0, 4.5, 7.1], "gap narrower"),
        ([8.0, 8.5, 11.1], "gap wider"),
        ([6.1, 6.4, 9.0], "gap: not shown"),
        ([6.0, 6.5, 9.0], "gap: no difference at all"),
        ([math.nan] * 3, "gap: not defined"),
    ],
)
def test_a_badge_on_the_gap_says_gap(treatment: list[float], badge: str):
    assert words.badge(finding(treatment, [6.0, 6.5, 9.0])) == badge


def test_a_mean_of_less_than_hundredths_is_not_said_to_be_zero():
    f = finding([4.0, 5.0, 7.0], [4.003, 4.998, 7.004])
    said = sentences.verdict_sentence(f, (), 1)
    assert "Mean −0.0017 percentage points (95 % interval −0.0097 to +0.0063;" in said


def test_a_badge_on_another_outcome_names_it():
    f = finding([4.0, 4.5, 7.1], [6.0, 6.5, 9.0], outcome="payout_gini_creators")
    assert words.badge(f) == "Gini index of payout over creators: lower"


@pytest.mark.parametrize(
    ("unit", "scale", "shown"),
    [
        ("percentage points", 0.0137, "0.01"),
        ("percentage points", 0.0021, "0.0021"),
        ("hUSD", 17717.28, "17,717"),
        ("hUSD", 541.24, "541"),
        ("hUSD", 5.657, "5.66"),
        ("1", 0.00034, "0.0003"),
        ("percentage points", 0.0000234, "0.000023"),
        ("percentage points", 1e-15, "0.00"),
    ],
)
def test_figures_carry_about_three_digits_and_no_more_decimals_than_mean_something(unit: str, scale: float, shown: str):
    assert words.number(scale, words.digits_for(unit, scale)) == shown


def test_a_difference_without_interval_still_shows_its_mean_in_three_digits():
    assert words.difference(paired_difference([5.5], [4.0]), "hUSD") == "+1.50 hUSD (no interval)"


@pytest.mark.parametrize(("p", "shown"), [(0.00002, "< 0.001"), (0.0421, "0.042"), (math.nan, "–")])
def test_a_p_value_is_never_shown_as_zero(p: float, shown: str):
    assert words.p_value(p) == shown


def test_every_rule_of_the_house_has_its_words():
    assert set(RULES_IN_WORDS) == set(RULES)
