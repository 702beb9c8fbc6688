"""Paired differences, their intervals and verdicts, against analytic values and reference implementations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from heritage_experiments.statistics import (
    Verdict,
    bca_interval,
    compare,
    correct,
    holm,
    judge,
    paired_difference,
    split_effect,
    student_t_interval,
)
from heritage_sim.base import Keys


def normals(experiment: int, n: int) -> np.ndarray:
    return Keys(20260101, 0).stream("test", "differences").normals(experiment, 0, n)[0]


def test_the_interval_is_scipys_paired_t():
    a, b = normals(1, 12) + 0.4, normals(2, 12)
    found = paired_difference(a, b)
    reference = stats.ttest_rel(a, b)
    interval = reference.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(reference.pvalue)
    assert found.mean == pytest.approx((a - b).mean())


def test_nominal_95_percent_covers_the_truth_95_times_in_100():
    num_experiments, n, truth = 4000, 20, 0.3
    samples = Keys(7, 0).stream("test", "coverage").normals(np.arange(num_experiments), 0, n) + truth
    inside = sum(low <= truth <= high for low, high in map(student_t_interval, samples))
    # 99.9 % binomial bounds: a correct interval fails once in a thousand seeds, and the seed is fixed.
    low, high = stats.binom.interval(0.999, num_experiments, 0.95)
    assert low <= inside <= high
    # The check can fail: the normal quantile in place of Student's covers too rarely at n = 20.
    half = 1.96 * samples.std(axis=1, ddof=1) / np.sqrt(n)
    naive = int((np.abs(samples.mean(axis=1) - truth) <= half).sum())
    assert naive < low


def test_bca_agrees_with_scipys_on_skewed_data():
    x = np.exp(normals(3, 30))
    reference = stats.bootstrap((x,), np.mean, n_resamples=20_000, method="BCa", rng=5).confidence_interval
    low, high = bca_interval(x)
    width = reference.high - reference.low
    assert low == pytest.approx(reference.low, abs=0.05 * width)
    assert high == pytest.approx(reference.high, abs=0.05 * width)


def test_bca_is_the_same_on_every_call():
    x = normals(4, 20)
    assert bca_interval(x) == bca_interval(x)


def test_a_placebo_shows_no_difference_at_all():
    x = normals(5, 20)
    found = paired_difference(x, x)
    assert found.identical
    assert (found.low, found.high, found.p_value) == (0.0, 0.0, 1.0)
    assert judge(found) is Verdict.NONE


def test_an_interval_that_contains_zero_is_not_shown():
    found = paired_difference([1.0, -1.0, 2.0, -1.5], [0.0, 0.0, 0.0, 0.0])
    assert found.low < 0.0 < found.high
    assert judge(found) is Verdict.NOT_SHOWN


def test_the_direction_of_a_clear_difference_is_named():
    x = normals(6, 20)
    assert judge(paired_difference(x + 5.0 + 0.1 * normals(7, 20), x)) is Verdict.HIGHER
    assert judge(paired_difference(x - 5.0 + 0.1 * normals(7, 20), x)) is Verdict.LOWER


def test_one_replication_has_no_interval_and_shows_nothing():
    found = paired_difference([3.0], [1.0])
    assert found.mean == 2.0
    assert math.isnan(found.low)
    assert judge(found) is Verdict.NOT_SHOWN


def test_replications_without_a_value_are_left_out_in_pairs():
    found = paired_difference([1.0, np.nan, 3.0, 5.0], [0.0, 9.0, np.nan, 1.0])
    assert (found.n, found.num_dropped, found.mean) == (2, 2, 2.5)


def test_no_pair_at_all_is_not_defined():
    assert judge(paired_difference([np.nan], [1.0])) is Verdict.UNDEFINED


def test_unaligned_cells_are_refused():
    with pytest.raises(ValueError, match="aligned"):
        paired_difference([1.0, 2.0], [1.0])


def test_pairing_is_credited_with_the_variance_it_removes():
    # Few pairs, so that the bootstrap beside it stays small; the noise is made exactly uncorrelated with unit variance.
    common, noise = 10.0 * np.repeat([-1.0, 1.0], 10), np.tile([-1.0, 1.0], 10)
    found = paired_difference(common + noise, common)
    # Var treatment + Var control = 101 + 100, Var difference = 1 (all times 20/19).
    assert found.variance_reduction == pytest.approx(201.0)


def test_holm_matches_a_hand_computed_case():
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, never falling: .04 .06 .06 .06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_leaves_out_tests_that_could_not_be_made():
    adjusted = holm([0.02, np.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.04, 0.04])
    assert np.isnan(adjusted[1])


def test_holm_can_take_a_verdict_back():
    x = normals(10, 20)
    found = paired_difference(x + 0.5 * normals(11, 20) + 0.3, x)
    assert judge(found) is Verdict.HIGHER
    assert judge(found, adjusted_p=0.2) is Verdict.NOT_SHOWN


def test_the_parts_of_an_effect_add_up_to_it():
    control, static, treatment = normals(12, 20), normals(13, 20) + 1.0, normals(14, 20) + 3.0
    effect = split_effect(treatment, control, static)
    assert effect.arithmetic is not None
    assert effect.response is not None
    assert effect.arithmetic.mean == pytest.approx((static - control).mean())
    assert effect.arithmetic.mean + effect.response.mean == pytest.approx(effect.total.mean)


def outcomes_table(values: dict[tuple[str, str, str], list[float]]) -> pd.DataFrame:
    rows = []
    for (cell, rule, name), series in values.items():
        # Out of order on purpose: alignment is by replication, not by row.
        for replication in reversed(range(len(series))):
            rows.append((cell, "arm", rule, replication, name, series[replication], "percentage points", 3))
    return pd.DataFrame(rows, columns=["cell", "arm", "rule", "replication", "name", "value", "unit", "n"])


def test_compare_finds_the_shadow_of_the_treatments_rule_in_the_control():
    table = outcomes_table(
        {
            ("b", "user_centric", "gap"): [4.0, 5.0, 7.0],
            ("a", "pro_rata", "gap"): [10.0, 12.0, 11.0],
            ("a", "pro_rata", "static.user_centric.gap"): [6.0, 8.0, 8.0],
            ("b", "user_centric", "static.pro_rata.gap"): [0.0, 0.0, 0.0],
        }
    )
    (finding,) = compare(table, "b_vs_a", "b", "a", primary=("gap",))
    assert finding.effect.total.mean == pytest.approx((-6.0 - 7.0 - 4.0) / 3)
    assert finding.effect.arithmetic is not None
    assert finding.effect.arithmetic.mean == pytest.approx((-4.0 - 4.0 - 3.0) / 3)
    assert finding.unit == "percentage points"


def test_arms_under_one_rule_have_no_arithmetic_part():
    table = outcomes_table(
        {
            ("b", "pro_rata", "gap"): [4.0, 5.0],
            ("a", "pro_rata", "gap"): [10.0, 12.0],
            ("a", "pro_rata", "static.pro_rata.gap"): [10.0, 12.0],
        }
    )
    (finding,) = compare(table, "b_vs_a", "b", "a")
    assert finding.effect.arithmetic is None


def test_renaming_the_cells_changes_no_figure():
    values = {("b", "r", "gap"): [4.0, 5.0, 7.0], ("a", "q", "gap"): [10.0, 12.0, 11.0]}
    renamed = {("zz", "r", "gap"): values["b", "r", "gap"], ("y", "q", "gap"): values["a", "q", "gap"]}
    (one,) = compare(outcomes_table(values), "x", "b", "a")
    (two,) = compare(outcomes_table(renamed), "x", "zz", "y")
    assert one.effect == two.effect


def test_only_primary_outcomes_are_corrected():
    table = outcomes_table(
        {
            ("b", "r", "gap"): [4.0, 5.0, 7.0],
            ("a", "r", "gap"): [10.0, 12.0, 11.0],
            ("b", "r", "plays"): [40.0, 50.0, 70.0],
            ("a", "r", "plays"): [10.0, 12.0, 11.0],
        }
    )
    findings = [f for name in ("one", "two") for f in compare(table, name, "b", "a", primary=("gap",))]
    corrected = {(f.comparison, f.outcome): f for f in correct(findings)}
    raw = corrected["one", "gap"].effect.total.p_value
    assert corrected["one", "gap"].adjusted_p == pytest.approx(2 * raw)
    assert math.isnan(corrected["one", "plays"].adjusted_p)


def test_what_floating_point_adds_is_no_difference():
    control = np.array([0.1 + 0.2, 300.0, 7.0])
    found = paired_difference(np.array([0.3, 300.0 + 1e-13, 7.0]), control)
    assert found.identical
    assert (found.mean, found.p_value) == (0.0, 1.0)
    assert not paired_difference(control + 1e-6, control).identical
