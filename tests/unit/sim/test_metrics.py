"""Metrics against analytic values, published libraries, definitions written out, and hand-worked cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from heritage_sim.base import TALLY, Rights
from heritage_sim.metrics import (
    abandonment_rate,
    atkinson,
    discounted_exposure,
    gap_in_shares,
    gini,
    group_shares,
    jain,
    kaplan_meier,
    lorenz_curve,
    lorenz_dominance,
    per_session,
    survival_quantile,
    theil,
    theil_parts,
    units_by_day,
    units_by_payee_and_day,
    weighted_quantile,
)

AMOUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any)


def lognormal(sigma: float, n: int = 200_000) -> np.ndarray:
    """Quantiles of a lognormal at the middle of n equal slices: the distribution itself, without sampling."""
    return np.exp(sigma * stats.norm.ppf((np.arange(n) + 0.5) / n))


@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0])
def test_indices_of_a_lognormal_are_the_analytic_ones(sigma: float) -> None:
    x = lognormal(sigma)
    assert jain(x) == pytest.approx(math.exp(-(sigma**2)), rel=2e-3)
    assert theil(x) == pytest.approx(sigma**2 / 2, rel=2e-3)
    assert gini(x) == pytest.approx(math.erf(sigma / 2), rel=1e-3)
    assert atkinson(x, 1.0) == pytest.approx(1 - math.exp(-(sigma**2) / 2), rel=1e-3)
    assert atkinson(x, 0.5) == pytest.approx(1 - math.exp(-(sigma**2) / 4), rel=1e-3)


@given(AMOUNTS)
def test_gini_is_its_mean_absolute_difference(amounts: list[int]) -> None:
    x = np.array(amounts, dtype=float)
    by_definition = np.abs(x[:, None] - x[None, :]).sum() / (2 * x.size**2 * x.mean())
    assert gini(amounts) == pytest.approx(by_definition, abs=1e-12)


@given(AMOUNTS)
def test_gini_is_twice_the_area_under_the_diagonal(amounts: list[int]) -> None:
    units, money = lorenz_curve(amounts)
    assert gini(amounts) == pytest.approx(1 - 2 * np.trapezoid(money, units), abs=1e-9)


def test_indices_of_equality_and_of_all_to_one() -> None:
    equal, one = [5, 5, 5, 5], [0, 0, 0, 9]
    assert (gini(equal), theil(equal), jain(equal), atkinson(equal, 2.0)) == (0.0, 0.0, 1.0, 0.0)
    assert gini(one) == pytest.approx(0.75)
    assert theil(one) == pytest.approx(math.log(4))
    assert jain(one) == pytest.approx(0.25)
    assert atkinson(one, 1.0) == 1.0


@pytest.mark.parametrize("index", [gini, theil, jain, gap_in_shares, lambda x: atkinson(x, 0.5)])
@pytest.mark.parametrize("amounts", [[], [0, 0]])
def test_indices_of_nothing_are_not_defined(index, amounts: list[int]) -> None:
    assert math.isnan(index(amounts))


@pytest.mark.parametrize("wrong", [[-1, 2], [[1, 2]], [float("nan"), 1.0]])
def test_impossible_amounts_are_refused(wrong: list) -> None:
    with pytest.raises(ValueError):
        gini(wrong)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3)), min_size=1, max_size=30))
def test_theil_is_between_plus_within(rows: list[tuple[int, int]]) -> None:
    amounts, groups = [a for a, _ in rows], [g for _, g in rows]
    parts = theil_parts(amounts, groups)
    if not any(amounts):
        assert math.isnan(parts.total)
        return
    assert parts.total == pytest.approx(parts.between + parts.within, abs=1e-9)
    assert parts.between >= -1e-12
    means = np.array([np.mean([a for a, g in rows if g == group]) for group in groups])
    assert parts.between == pytest.approx(theil(means), abs=1e-9)


@given(AMOUNTS, st.integers(1, 99))
def test_sharing_a_part_equally_dominates_and_scales_gini(amounts: list[int], percent: int) -> None:
    """Solidarity: (1 - t) of each amount plus t of the mean has Gini (1 - t) times the first."""
    x = np.array(amounts, dtype=float)
    t = percent / 100
    shared = (1 - t) * x + t * x.mean()
    assert gini(shared) == pytest.approx((1 - t) * gini(x), abs=1e-9)
    assert lorenz_dominance(shared, x, tolerance=1e-9) in {"first", "equal"}


def test_lorenz_verdicts() -> None:
    assert lorenz_dominance([1, 1, 1], [1, 2, 3]) == "first"
    assert lorenz_dominance([0, 6], [1, 2, 3]) == "second"
    assert lorenz_dominance([1, 2, 3], [10, 20, 30]) == "equal"
    assert lorenz_dominance([1, 1, 1, 1], [5, 5]) == "equal"
    # The first has the poorer poorest, the second the richer richest: no order.
    assert lorenz_dominance([0, 5, 5], [2, 2, 6]) == "crossing"


def test_gap_in_shares_by_hand() -> None:
    assert gap_in_shares([50, 30, 20]) == pytest.approx(30.0)


def test_group_shares_by_hand() -> None:
    assert group_shares([10, 30, 60, 99], [0, 0, 2, -1], 3).tolist() == [40.0, 0.0, 60.0]
    assert np.isnan(group_shares([0, 0], [0, 1], 2)).all()


def test_exposure_is_discounted_by_rank() -> None:
    exposure = discounted_exposure(np.array([[2, 0, -1], [0, 2, 1]]), 4)
    assert exposure == pytest.approx([1 / math.log2(3) + 1, 1 / math.log2(4), 1 + 1 / math.log2(3), 0])


def test_engagement_figures_are_per_session() -> None:
    counts = np.array([{"sessions": 40, "abandonments": 6, "seconds": 8000}.get(name, 0) for name in TALLY])
    assert abandonment_rate(counts) == 15.0
    assert per_session(counts, "seconds") == 200.0
    assert math.isnan(abandonment_rate(np.zeros(len(TALLY), dtype=np.int64)))
    assert math.isnan(per_session(np.zeros(len(TALLY), dtype=np.int64), "plays"))


WEIGHTED = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 50)), min_size=1, max_size=20)


@given(WEIGHTED, st.integers(1, 100))
def test_a_weighted_quantile_is_that_of_the_units_written_out(rows: list[tuple[int, int]], percent: int) -> None:
    written_out = sorted(v for v, w in rows for _ in range(w))
    made = weighted_quantile([v for v, _ in rows], [w for _, w in rows], percent / 100)
    if not written_out:
        assert math.isnan(made)
        return
    rank = math.ceil(round(percent * len(written_out) / 100, 9))
    assert made == written_out[rank - 1]


@pytest.mark.parametrize("percent", range(1, 101))
def test_of_a_hundred_units_the_quantile_is_the_one_counted(percent: int) -> None:
    assert weighted_quantile(range(1, 101), [1] * 100, percent / 100) == percent
    assert weighted_quantile([1, 2], [percent, 100 - percent], percent / 100) == 1


@pytest.mark.parametrize("q", [0.0, 1.1, -0.5])
def test_impossible_quantiles_are_refused(q: float) -> None:
    with pytest.raises(ValueError):
        weighted_quantile([1], [1], q)


def test_unsettled_money_keeps_a_quantile_infinite() -> None:
    assert weighted_quantile([1.0, math.inf], [40, 60], 0.5) == math.inf
    assert weighted_quantile([1.0, math.inf], [60, 40], 0.5) == 1.0


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(1, 9)), min_size=1, max_size=25))
def test_kaplan_meier_is_that_of_lifelines(rows: list[tuple[int, bool, int]]) -> None:
    from lifelines.utils import survival_table_from_events

    durations, settled, weights = (np.array(x) for x in zip(*rows, strict=True))
    curve = kaplan_meier(durations, settled, weights)
    table = survival_table_from_events(durations, settled, weights=weights)
    table = table[table["observed"] > 0]
    assert curve.times.tolist() == table.index.tolist()
    survival = np.cumprod(1 - table["observed"] / table["at_risk"])
    assert curve.survival == pytest.approx(survival.to_numpy(), abs=1e-9)


def test_kaplan_meier_fits_as_lifelines_fits() -> None:
    from lifelines import KaplanMeierFitter

    durations = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35])
    remission_ended = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    curve = kaplan_meier(durations, remission_ended)
    # Freireich et al. 1963 (6-MP arm): the published estimates at 6, 7, 10, 13, 16, 22 and 23 weeks.
    assert curve.survival == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    fitted = KaplanMeierFitter().fit(durations, remission_ended)
    assert survival_quantile(curve, 0.5) == fitted.median_survival_time_ == 23.0


def test_a_quantile_that_is_never_reached_is_infinite() -> None:
    assert survival_quantile(kaplan_meier([1, 2, 3], [True, False, False]), 0.9) == math.inf


def test_money_is_attributed_to_the_days_that_earned_it() -> None:
    plays_by_day = np.array([[1, 0, 0], [3, 5, 0]])
    # Work 0: 100 as 25 and 75; work 1: all on day 1; work 2 was paid without plays, which counts on the last day.
    assert units_by_day(np.array([100, 40, 7]), plays_by_day).tolist() == [25, 122]


def rights_of(shares: list[list[tuple[int, int]]], num_payees: int) -> Rights:
    """Return the rights of works given as (payee, basis points) each."""
    rows = [row for own in shares for row in own]
    return Rights(
        payee_names=tuple(str(p) for p in range(num_payees)),
        payee_community=np.zeros(num_payees, dtype=np.int32),
        work_community=np.zeros(len(shares), dtype=np.int32),
        indptr=np.cumsum([0, *(len(own) for own in shares)]),
        payee_ids=np.array([p for p, _ in rows], dtype=np.int32),
        share_bps=np.array([b for _, b in rows], dtype=np.int64),
        consent=np.zeros(len(shares), dtype=np.int16),
    )


def test_a_payees_money_falls_on_the_days_on_which_its_works_earned() -> None:
    by_work = np.array([[40, 60], [90, 10]])
    rights = rights_of([[(0, 2_500), (1, 7_500)], [(1, 10_000)]], num_payees=3)
    # Payee 0 has a quarter of the first work: 10 and 15 of 25. Payee 1 has 30 + 90 and 45 + 10 of 175. Payee 2 has no
    # work: what it is paid counts on the last day.
    by_payee = units_by_payee_and_day(np.array([25, 175, 8]), by_work, rights)
    assert by_payee.tolist() == [[10, 15], [120, 55], [0, 8]]


def test_a_small_payees_days_do_not_vanish_beside_a_large_ones() -> None:
    rights = rights_of([[(0, 4_000), (1, 6_000)], [(1, 10_000)]], num_payees=2)
    by_payee = units_by_payee_and_day(np.array([2, 5]), np.array([[0, 1, 0], [0, 0, 2**58]]), rights)
    assert by_payee.tolist() == [[0, 2, 0], [0, 0, 5]]


@given(
    st.lists(st.lists(st.integers(0, 2**58), min_size=3, max_size=3), min_size=2, max_size=2),
    st.lists(st.integers(0, 2**52), min_size=2, max_size=2),
)
def test_a_payees_days_sum_to_its_amount_however_large_and_lie_near_the_exact_shares(
    by_work: list[list[int]], units: list[int]
) -> None:
    rights = rights_of([[(0, 4_000), (1, 6_000)], [(1, 10_000)]], num_payees=2)
    by_payee = units_by_payee_and_day(np.array(units), np.array(by_work), rights)
    assert by_payee.sum(axis=1).tolist() == units
    weights = [[4_000 * u for u in by_work[0]], [6_000 * u + 10_000 * v for u, v in zip(*by_work, strict=True)]]
    for amounts, mine, own in zip(by_payee.tolist(), units, weights, strict=True):
        for amount, weight in zip(amounts, own, strict=True):
            if sum(own):
                # Weights are kept to ten bits at least where amounts are this large.
                assert abs(amount - mine * weight / sum(own)) <= 1 + mine / 2**8
