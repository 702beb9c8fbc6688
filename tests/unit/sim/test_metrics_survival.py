"""Cox, its tests and predictions against lifelines, scikit-survival, published values and definitions written out.

scikit-survival is GPL: it stays on this side.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_gbsg2, load_rossi
from lifelines.statistics import proportional_hazard_test
from lifelines.utils import concordance_index, restricted_mean_survival_time
from sksurv.metrics import brier_score, concordance_index_censored, integrated_brier_score
from sksurv.util import Surv

from heritage_sim.base import Keys
from heritage_sim.metrics import (
    brier,
    brier_skill,
    censoring_curve,
    concordance,
    cox,
    integrated_brier,
    kaplan_meier,
    proportionality,
    reliability,
    restricted_mean,
    restricted_mean_difference,
    survival_at,
)
from heritage_sim.metrics.cox import score_residuals
from heritage_sim.metrics.risk_sets import efron_sums, risk_sets

ROSSI = ("fin", "age", "race", "wexp", "mar", "paro", "prio")


def drawn(n: int, name: str = "draws") -> np.ndarray:
    return Keys(1, 0).stream("test", name).uniforms(np.arange(n), 0, 4)


def sample(n: int, beta: float = 0.7, tied: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, events and one covariate with hazard ratio exp(beta), censored at random."""
    u = drawn(n)
    x = np.round(2 * u[:, :1])
    t, c = -np.log(u[:, 1]) / np.exp(beta * x[:, 0]), -1.5 * np.log(u[:, 2])
    durations = np.minimum(t, c)
    return np.ceil(5 * durations) if tied else durations, t <= c, x


@pytest.fixture(scope="module")
def rossi():
    table = load_rossi()
    return table, cox(table.week, table.arrest, table[list(ROSSI)], ROSSI, per="person")


def test_the_recidivism_data_give_the_published_fit(rossi) -> None:
    table, fit = rossi
    published = [-0.37942, -0.05744, 0.31390, -0.14980, -0.43370, -0.08487, 0.09150]
    assert fit.beta == pytest.approx(published, abs=5e-6)
    assert fit.log_likelihood == pytest.approx(-658.7477, abs=5e-5)
    found = concordance(table.week, table.arrest, fit.log_risk(table[list(ROSSI)]))
    assert found.value == pytest.approx(0.6403, abs=5e-5)
    reference = CoxPHFitter().fit(table, "week", "arrest")
    assert fit.standard_errors == pytest.approx(reference.standard_errors_.to_numpy(), rel=1e-7)
    assert fit.log_likelihood_null == pytest.approx(reference._ll_null_, rel=1e-9)
    ratio = fit.hazard_ratio("fin")
    bounds = np.exp(fit.beta[0] + np.array([-1, 1]) * 1.959964 * fit.robust_errors[0])
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((math.exp(-0.37942), *bounds), abs=1e-5)
    assert (ratio.n, ratio.per, ratio.baseline) == (432, "person", 1.0)


def test_errors_over_clusters_are_those_of_lifelines_where_nothing_ties(rossi) -> None:
    """lifelines leaves ties out of its score residuals, so times are set apart here."""
    table = rossi[0].copy()
    table["week"] = table.week + 1e-4 * np.arange(432)
    owner = np.arange(432) // 3
    fit = cox(table.week, table.arrest, table[list(ROSSI)], ROSSI, cluster=owner)
    reference = CoxPHFitter().fit(table.assign(owner=owner), "week", "arrest", cluster_col="owner")
    assert fit.robust_errors == pytest.approx(reference.standard_errors_.to_numpy(), rel=1e-6)
    assert fit.num_clusters == 144


def test_strata_have_baselines_of_their_own(rossi) -> None:
    table, _ = rossi
    names = [name for name in ROSSI if name != "age"]
    fit = cox(table.week, table.arrest, table[names], names, strata=table.age)
    reference = CoxPHFitter().fit(table, "week", "arrest", strata=["age"])
    assert fit.beta == pytest.approx(reference.params_.to_numpy(), abs=1e-4)
    assert fit.log_likelihood == pytest.approx(reference.log_likelihood_, abs=1e-6)


def test_score_residuals_are_their_definition_with_ties_and_strata() -> None:
    """Each row's residual by loops over events, positions among the tied, and the risk set."""
    t, event, x = sample(40)
    stratum, beta = np.arange(40) % 2, np.array([0.4])
    sets = risk_sets(t, event, stratum)
    columns = x[sets.order].T.copy()
    made = score_residuals(sets, columns, efron_sums(sets, columns, beta))[0]
    w, expected = np.exp(x[:, 0] * beta), np.zeros(40)
    for s, moment in {(int(s), float(m)) for s, m, e in zip(stratum, t, event, strict=True) if e}:
        here = stratum == s
        tied = here & event & (t == moment)
        risk, d = here & (t >= moment), int(tied.sum())
        for position in range(d):
            share = np.where(tied, 1 - position / d, 1.0) * risk * w
            mean = (share * x[:, 0]).sum() / share.sum()
            expected += tied * (x[:, 0] - mean) / d - share * (x[:, 0] - mean) / share.sum()
    assert made == pytest.approx(expected[sets.order], abs=1e-12)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Listeners of eight sessions, with a frailty and a covariate of their own: rows taken alone are overconfident."""
    covered, alone = 0, 0
    for r in range(60):
        u = Keys(r, 0).stream("test", "frailty").uniforms(np.arange(150), 0, 10)
        x = np.repeat(u[:, :1] < 0.5, 8, axis=0).astype(float)
        frailty = np.repeat(np.exp(0.8 * (u[:, 1] - 0.5)), 8)
        t = -np.log(u[:, 2:].ravel()) / frailty
        fit = cox(np.minimum(t, 2.0), t < 2.0, x, ["x"], cluster=np.repeat(np.arange(150), 8))
        covered += abs(fit.beta[0]) <= 1.96 * fit.robust_errors[0]
        alone += abs(fit.beta[0]) <= 1.96 * fit.standard_errors[0]
    assert covered >= 52
    assert alone <= covered


def test_what_cannot_be_estimated_is_not_a_number() -> None:
    t, event, x = sample(60)
    constant = cox(t, event, np.hstack([x, np.ones((60, 1))]), ["x", "same"])
    assert np.isfinite(constant.beta[0])
    assert np.isnan(constant.beta[1])
    assert constant.beta[0] == pytest.approx(cox(t, event, x, ["x"]).beta[0])
    assert np.isnan(cox(t, np.zeros(60, dtype=bool), x, ["x"]).beta).all()
    assert np.isnan(cox(t, event, np.hstack([x, 2 * x]), ["x", "twice"]).beta).all()
    assert np.isnan(cox([1, 1, 2, 2], [1, 1, 0, 0], [[1], [1], [0], [0]], ["separates"]).beta).all()
    assert np.isnan(cox([], [], np.zeros((0, 1)), ["x"]).beta).all()
    with pytest.raises(ValueError, match="finite"):
        cox([1.0, math.nan], [1, 1], [[0], [1]], ["x"])
    with pytest.raises(ValueError, match="covariates"):
        cox([1.0, 2.0], [1, 1], [[0], [1]], ["x", "y"])


@pytest.mark.parametrize("time", ["identity", "log"])
def test_proportionality_is_that_of_lifelines(rossi, time: str) -> None:
    table, fit = rossi
    made = proportionality(fit, table.week, table.arrest, table[list(ROSSI)], time=time)
    reference = proportional_hazard_test(CoxPHFitter().fit(table, "week", "arrest"), table, time_transform=time)
    assert [test.chi_squared for test in made] == pytest.approx(list(reference.test_statistic), rel=1e-5)
    assert [test.p_value for test in made] == pytest.approx(list(reference.p_value), rel=1e-5)


@pytest.mark.parametrize("owner", [None, np.arange(3000) // 3])
def test_a_hazard_ratio_that_turns_round_is_found(owner) -> None:
    """Covariate 1 leaves early or late, covariate 0 evenly: the ratio falls over time. Without it, p is not small."""
    u = drawn(3000)
    x = np.round(u[:, :1])
    even = -np.log(u[:, 1])
    turning = np.where(x[:, 0] == 1, even**2.5, even)
    for t, holds in ((even, True), (turning, False)):
        ended = t < 3.0
        fit = cox(np.minimum(t, 3.0), ended, x, ["x"], cluster=owner)
        (test,) = proportionality(fit, np.minimum(t, 3.0), ended, x, cluster=owner)
        assert (test.p_value > 0.01) == holds
        assert holds or test.slope < 0


@pytest.mark.parametrize("digits", [6, 1, 0])
def test_concordance_counts_the_pairs_as_both_libraries_do(digits: int) -> None:
    u = drawn(300, "concordance")
    t, event, risk = np.ceil(40 * u[:, 0]), u[:, 1] < 0.6, np.round(3 * u[:, 2], digits)
    made = concordance(t, event, risk).value
    assert made == pytest.approx(concordance_index(t, -risk, event), abs=1e-12)
    assert made == pytest.approx(concordance_index_censored(event, t, risk, tied_tol=0.0)[0], abs=1e-12)


def test_the_interval_of_concordance_is_about_its_spread_over_samples() -> None:
    found = []
    for r in range(80):
        u = Keys(r, 0).stream("test", "spread").uniforms(np.arange(200), 0, 3)
        t, c = -np.log(u[:, 0]) * np.exp(-2 * u[:, 2]), -2 * np.log(u[:, 1])
        found.append(concordance(np.minimum(t, c), t <= c, u[:, 2]))
    width = np.mean([m.high - m.low for m in found]) / (2 * 1.959964)
    assert width == pytest.approx(np.std([m.value for m in found]), rel=0.2)
    assert math.isnan(concordance([1, 1], [1, 1], [0, 1]).value)


def test_kaplan_meier_of_censoring_and_survival_at_a_horizon_are_those_of_lifelines() -> None:
    t, event, _ = sample(200, tied=False)
    censoring = KaplanMeierFitter().fit(t, ~event)
    at = np.quantile(t, [0.2, 0.5, 0.8])
    assert censoring_curve(t, event).at(at) == pytest.approx(censoring.predict(at).to_numpy())
    plain = KaplanMeierFitter().fit(t, event)
    made = survival_at(t, event, at[1])
    assert made.value == pytest.approx(plain.predict(at[1]))
    variance = plain.survival_function_at_times(at[1]).iloc[0] ** 2 * (
        sum(d / (n * (n - d)) for d, n in plain.event_table.query("observed > 0 and index <= @at[1]")[
            ["observed", "at_risk"]].to_numpy())
    )  # fmt: skip
    assert made.high - made.value == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)


def test_a_tied_censoring_comes_after_the_event() -> None:
    """Of four at time 1, one ends and one is censored: three could be censored."""
    assert censoring_curve([1, 1, 2, 3], [1, 0, 1, 1]).survival.tolist() == pytest.approx([2 / 3])


def test_restricted_mean_is_the_area_and_its_interval_greenwoods() -> None:
    t, event, x = sample(400)
    made = restricted_mean(t, event, 6.5)
    curve = KaplanMeierFitter().fit(t, event)
    value = restricted_mean_survival_time(curve, t=6.5)
    assert made.value == pytest.approx(value)
    times, table = np.unique(t[event]), curve.event_table
    greenwood = 0.0
    for moment in times[times <= 6.5]:
        d, n = table.loc[moment, "observed"], table.loc[moment, "at_risk"]
        later = value - restricted_mean(t, event, moment).value
        greenwood += later**2 * d / (n * (n - d)) if n > d else 0.0
    assert made.high - made.value == pytest.approx(1.959964 * math.sqrt(greenwood), rel=1e-6)
    one = x[:, 0] > 0
    difference = restricted_mean_difference(t, event, one, 6.5)
    first, second = restricted_mean(t[one], event[one], 6.5), restricted_mean(t[~one], event[~one], 6.5)
    assert difference.value == pytest.approx(first.value - second.value)
    assert difference.baseline == second.value
    widths = [m.high - m.value for m in (difference, first, second)]
    assert widths[0] == pytest.approx(math.hypot(*widths[1:]))


def test_arms_that_share_their_listeners_have_no_more_spread_than_they_differ() -> None:
    """The same sessions on both sides differ by nothing, and a listener's rows of both arms say so together."""
    t, event, _ = sample(100)
    both = restricted_mean_difference(
        np.tile(t, 2), np.tile(event, 2), np.repeat([True, False], 100), 5.0, cluster=np.tile(np.arange(100), 2)
    )
    assert (both.value, both.low, both.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


@pytest.fixture(scope="module")
def predicted():
    table = load_gbsg2()
    names = ["age", "pnodes", "progrec", "tsize"]
    # Whole days tie; of a tie between an event and a censoring the libraries weigh differently.
    t = table.time.to_numpy(float) + 1e-3 * np.arange(len(table))
    event = table.cens.to_numpy(bool)
    fit = cox(t, event, table[names], names, per="patient")
    at = np.linspace(200.0, 2000.0, 30)
    return table, t, event, fit, at, fit.survival(table[names], at)


def test_predicted_survival_is_that_of_lifelines(predicted) -> None:
    table, t, event, fit, *_ = predicted
    frame = table[list(fit.names)].assign(t=t, event=event)
    # Between events lifelines draws a straight line; at events both have the step.
    moments = np.sort(t[event])[::20]
    reference = CoxPHFitter().fit(frame, "t", "event").predict_survival_function(frame, times=moments).to_numpy().T
    assert fit.survival(table[list(fit.names)], moments) == pytest.approx(reference, abs=1e-5)


def test_brier_scores_are_those_of_scikit_survival(predicted) -> None:
    _, t, event, _, at, survival = predicted
    truth = Surv.from_arrays(event, t)
    made = [brier(t, event, survival[:, j], float(at[j])).value for j in range(at.size)]
    assert made == pytest.approx(brier_score(truth, truth, survival, at)[1], abs=1e-8)
    whole = integrated_brier(t, event, survival, at)
    assert whole.value == pytest.approx(integrated_brier_score(truth, truth, survival, at), abs=1e-8)
    assert whole.low < whole.value < whole.high < whole.baseline
    assert brier_skill(t, event, survival, at).value == pytest.approx(1 - whole.value / whole.baseline)


def test_brier_by_hand_with_ties_and_censoring() -> None:
    """At 2: the event at 1 weighs 1, the censored at 1 nothing, those after it 3/2."""
    made = brier([1, 1, 2, 3], [1, 0, 1, 1], [0.6, 0.9, 0.3, 0.8], 2.0)
    assert made.value == pytest.approx((0.36 * 1 + 0.0 + 0.09 * 1.5 + 0.04 * 1.5) / 4)


def test_the_kaplan_meier_curve_has_no_skill_against_itself() -> None:
    t, event, _ = sample(200)
    at = np.arange(1.0, 6.0)
    same = np.tile(kaplan_meier(t, event).at(at), (200, 1))
    found = brier_skill(t, event, same, at)
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
    assert math.isnan(brier_skill([], [], np.zeros((0, 5)), at).value)


def test_the_interval_of_skill_is_about_its_spread_over_samples() -> None:
    """Owners bring three rows each, all alike: over rows the spread would seem smaller by the root of three."""
    at, found, by_row = np.linspace(0.1, 1.5, 8), [], []
    for number in range(150):
        u = drawn(100, f"skill {number}")
        rate = np.exp(2.0 * (u[:, 0] - 0.5))
        t = np.minimum(-np.log(u[:, 1]) / rate, 2.0)
        rows = np.tile(t, 3), np.tile(t < 2.0, 3), np.tile(np.exp(-rate[:, None] * at), (3, 1)), at
        found.append(brier_skill(*rows, cluster=np.tile(np.arange(100), 3)))
        by_row.append(brier_skill(*rows))
    spread = np.std([m.value for m in found], ddof=1)
    said, too_narrow = (np.mean([m.high - m.low for m in of]) / (2 * 1.96) for of in (found, by_row))
    assert said == pytest.approx(spread, rel=0.15)
    assert too_narrow == pytest.approx(said / math.sqrt(3.0), rel=0.02)


def test_reliability_finds_a_prediction_that_is_right_and_one_that_is_not() -> None:
    u = drawn(4000, "reliability")
    rate = np.exp(1.5 * (u[:, 0] - 0.5))
    t = np.minimum(-np.log(u[:, 1]) / rate, 3.0)
    right = np.exp(-rate)
    bins = reliability(t, t < 3.0, right, 1.0, num_bins=8)
    assert len(bins) == 8
    assert sum(b.observed.n for b in bins) == 4000
    assert sum(b.observed.low <= b.predicted <= b.observed.high for b in bins) >= 6
    wrong = reliability(t, t < 3.0, right**2, 1.0, num_bins=8)
    assert sum(b.observed.low <= b.predicted <= b.observed.high for b in wrong) == 0
    assert len(reliability(t, t < 3.0, np.full(4000, 0.5), 1.0)) == 1
