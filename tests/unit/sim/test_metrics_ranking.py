"""Ranking, reach and discrimination against ir-measures, scikit-learn, and definitions written out."""

from __future__ import annotations

import math

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, R, nDCG
from sklearn.metrics import roc_auc_score

from heritage_sim.base import TALLY, Keys
from heritage_sim.metrics import (
    bootstrap_interval,
    dwell_auc,
    exposure_shares,
    frozen_tail,
    gini,
    hits,
    inequality_measures,
    listener_surplus,
    mean_measure,
    midranks,
    ndcg,
    ranking_quality,
    recall,
    reciprocal_rank,
    relevant_pairs,
    roc_auc,
    tail_coverage,
    theil_parts,
)

STREAM = Keys(2, 0).stream("test", "metrics")


def lists(num_listeners: int, num_works: int, num_ranks: int) -> np.ndarray:
    """Return the best works of keyed scores, one list a listener."""
    return STREAM.uniforms(np.arange(num_listeners), 0, num_works).argsort(axis=1)[:, :num_ranks].astype(np.int32)


def plays(num_listeners: int, num_works: int, num_plays: int) -> tuple[np.ndarray, np.ndarray]:
    """Return listener and work of keyed plays; the last listener has none, and some are repeated."""
    who = STREAM.integer(np.arange(num_plays), 1, num_listeners - 1)
    return who, STREAM.integer(np.arange(num_plays), 2, num_works)


@pytest.fixture(scope="module")
def evaluated():
    ranked, (who, what) = lists(60, 300, 100), plays(60, 300, 900)
    return ranked, who, what, relevant_pairs(who, what, 60)


def test_ranking_figures_equal_ir_measures_to_eight_digits(evaluated) -> None:
    ranked, who, what, relevant = evaluated
    qrels = [ir_measures.Qrel(str(u), str(w), 1) for u, w in set(zip(who.tolist(), what.tolist(), strict=True))]
    run = [ir_measures.ScoredDoc(str(u), str(w), -r) for u, row in enumerate(ranked) for r, w in enumerate(row)]
    wanted = {m: {} for m in (nDCG @ 20, nDCG @ 100, R @ 20, R @ 100, RR)}
    for row in ir_measures.iter_calc(list(wanted), qrels, run):
        wanted[row.measure][int(row.query_id)] = row.value
    hit, m = hits(ranked, relevant, 300), relevant.num_relevant
    asked = sorted(wanted[RR])
    made = {
        nDCG @ 20: ndcg(hit, m, 20), nDCG @ 100: ndcg(hit, m, 100), R @ 20: recall(hit, m, 20),
        R @ 100: recall(hit, m, 100), RR: reciprocal_rank(hit, m),
    }  # fmt: skip
    for measure, values in made.items():
        assert values[asked] == pytest.approx([wanted[measure][u] for u in asked], abs=5e-9)
    quality = ranking_quality(ranked, relevant, 300)
    assert quality.ndcg[20].value == pytest.approx(np.mean(list(wanted[nDCG @ 20].values())), abs=5e-9)
    assert quality.ndcg[20].n == len(asked)
    assert quality.ndcg[20].num_excluded == 60 - len(asked) > 0


def test_the_ideal_holds_relevant_works_that_were_not_shown() -> None:
    """One of three relevant works, at rank 1: the ideal of two places holds two."""
    relevant = relevant_pairs([0, 0, 0], [5, 6, 7], 1)
    hit = hits(np.array([[5, 1]]), relevant, 9)
    assert ndcg(hit, relevant.num_relevant, 2) == pytest.approx([1 / (1 + 1 / math.log2(3))])


def test_lists_that_end_early_found_nothing_beyond_their_end() -> None:
    relevant = relevant_pairs([0, 0], [3, 8], 1)
    hit = hits(np.array([[3, -1, -1]]), relevant, 9)
    assert hit.tolist() == [[True, False, False]]
    assert ndcg(hit, relevant.num_relevant, 100) == pytest.approx([1 / (1 + 1 / math.log2(3))])
    assert recall(hit, relevant.num_relevant, 100).tolist() == [0.5]


def test_the_cold_slice_keeps_the_ranks_of_the_full_list() -> None:
    """Works 7, 8, 9 are new; of the relevant 2 and 8, 8 stands at rank 3."""
    relevant = relevant_pairs([0, 0, 1], [2, 8, 2], 2)
    cold = relevant.only(np.arange(10) >= 7)
    quality = ranking_quality(np.array([[2, 1, 8], [2, 1, 0]]), cold, 10, cutoffs=(3,))
    assert quality.mrr.value == pytest.approx(1 / 3)
    assert quality.ndcg[3].value == pytest.approx(1 / math.log2(4))
    assert (quality.mrr.n, quality.mrr.num_excluded) == (1, 1)


def test_a_yardstick_stands_beside_each_figure(evaluated) -> None:
    ranked, _, what, relevant = evaluated
    popular = np.tile(np.argsort(-np.bincount(what, minlength=300), kind="stable")[:100], (60, 1))
    quality = ranking_quality(ranked, relevant, 300, yardstick=popular)
    assert quality.recall[100].baseline == ranking_quality(popular, relevant, 300).recall[100].value
    assert quality.recall[100].low < quality.recall[100].value < quality.recall[100].high
    assert quality.recall[100].against


def test_without_a_relevant_work_there_is_no_figure() -> None:
    quality = ranking_quality(lists(3, 9, 4), relevant_pairs([], [], 3), 9, yardstick=lists(3, 9, 4))
    assert math.isnan(quality.mrr.value)
    assert (quality.mrr.n, quality.mrr.num_excluded) == (0, 3)


def test_the_tail_is_frozen_by_streams_then_ids() -> None:
    streams = np.array([5, 0, 3, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])
    assert frozen_tail(streams).tolist() == [1, 3]
    assert frozen_tail(streams, works=np.arange(5, 20)).tolist() == [5]
    assert frozen_tail(streams, works=np.array([7])).tolist() == [7]


def test_coverage_counts_works_in_anybodys_list() -> None:
    made = tail_coverage(np.array([[1, 2, -1], [2, 9, 4]]), np.array([2, 3, 9, 11]), 12)
    assert (made.value, made.n, made.per) == (50.0, 4, "work of the tail")
    assert made.baseline == pytest.approx(100 * (1 - 0.75**2))


def test_the_chance_of_coverage_is_what_random_lists_cover() -> None:
    made = tail_coverage(lists(30, 200, 10), np.arange(200), 200)
    assert made.value == pytest.approx(made.baseline, abs=6.0)


def test_exposure_of_communities_by_hand() -> None:
    community = np.array([0, 0, 0, 1])
    shares = exposure_shares(
        np.array([[3, 0], [1, -1]]),
        community,
        2,
        np.array([True, True, False, True]),
        relevant_pairs([0, 1], [3, 3], 2),
    )
    second = 1 / math.log2(3)
    assert shares[0].exposure.value == pytest.approx(100 * (1 + second) / (2 + second))
    assert shares[1].exposure.value == pytest.approx(100 / (2 + second))
    assert shares[0].exposure.baseline == pytest.approx(200 / 3)
    assert [share.relevance.value for share in shares] == [0.0, 100.0]


def test_the_interval_of_an_exposure_share_is_about_that_of_the_bootstrap(evaluated) -> None:
    ranked, _, _, relevant = evaluated
    community = (np.arange(300) % 3 == 0).astype(int)
    short = ranked[:, :5]
    everybody = np.ones(300, dtype=bool)
    made = exposure_shares(short, community, 2, everybody, relevant)[1].exposure
    low, high = bootstrap_interval(
        lambda rows: exposure_shares(short[rows], community, 2, everybody, relevant)[1].exposure.value, 60, STREAM, 300
    )
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.25 * (high - low))


def test_the_interval_of_a_relevance_share_is_about_that_of_the_bootstrap_over_listeners(evaluated) -> None:
    ranked, _, _, relevant = evaluated
    community = (np.arange(300) % 3 == 0).astype(int)
    made = exposure_shares(ranked[:, :5], community, 2, np.ones(300, dtype=bool), relevant)[1].relevance
    by_listener = [community[works] for works in np.split(relevant.works, relevant.indptr[1:-1])]
    of, total = (np.array([f(works) for works in by_listener], dtype=float) for f in (np.sum, np.size))
    assert (made.n, made.value) == (total.sum(), pytest.approx(100.0 * of.sum() / total.sum()))
    low, high = bootstrap_interval(lambda rows: 100.0 * of[rows].sum() / total[rows].sum(), 60, STREAM, 300)
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.25 * (high - low))


@pytest.mark.parametrize("digits", [6, 1, 0])
def test_area_under_the_curve_is_that_of_scikit_learn(digits: int) -> None:
    u = STREAM.uniforms(np.arange(400), 3, 2)
    score, positive = np.round(u[:, 0] + 0.5 * u[:, 1], digits), u[:, 1] < 0.4
    assert roc_auc(score, positive).value == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


def test_the_interval_of_the_area_is_delongs() -> None:
    """DeLong's variance from the placement of every positive and every negative, by definition."""
    u = STREAM.uniforms(np.arange(120), 4, 2)
    score, positive = np.round(u[:, 0], 1), u[:, 1] + 0.3 * u[:, 0] < 0.6
    above = (score[positive][:, None] > score[~positive]) + 0.5 * (score[positive][:, None] == score[~positive])
    variance = above.mean(axis=1).var() / positive.sum() + above.mean(axis=0).var() / (~positive).sum()
    made = roc_auc(score, positive)
    assert made.high - made.value == pytest.approx(1.959964 * math.sqrt(variance * 120 / 119), rel=1e-6)


def test_a_listener_who_repeats_counts_once() -> None:
    u = STREAM.uniforms(np.arange(80), 5, 2)
    score, positive = u[:, 0], u[:, 0] + u[:, 1] > 1
    once, thrice = roc_auc(score, positive), roc_auc(np.repeat(score, 3), np.repeat(positive, 3), np.arange(240) // 3)
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))


def test_dwell_is_long_above_the_median_or_from_a_length_on() -> None:
    score, dwell = [0.1, 0.9, 0.4, 0.8], [10.0, 40.0, 35.0, 20.0]
    assert dwell_auc(score, dwell).value == pytest.approx(roc_auc_score([0, 1, 1, 0], score))
    assert dwell_auc(score, dwell, least_s=20.0).value == pytest.approx(roc_auc_score([0, 1, 1, 1], score))
    assert math.isnan(dwell_auc(score, [50.0] * 4, least_s=30.0).value)
    assert math.isnan(dwell_auc([], []).value)


def test_midranks_share_what_ties() -> None:
    assert midranks([3, 1, 3, 2, 3]).tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


def test_a_mean_leaves_out_and_counts_what_is_not_defined() -> None:
    made = mean_measure([1.0, math.nan, 3.0, 5.0], "s", "play")
    assert (made.value, made.n, made.num_excluded) == (3.0, 3, 1)
    assert made.high - made.value == pytest.approx(1.959964 * 2 / math.sqrt(3), rel=1e-6)
    clustered = mean_measure(np.repeat([1.0, 3.0, 5.0], 4), "s", "play", cluster=np.repeat([7, 8, 9], 4))
    assert (clustered.low, clustered.high) == pytest.approx((made.low, made.high))


def test_surplus_is_per_slate() -> None:
    counts = np.array([{"slates": 4, "surplus_micro": 6_000_000}.get(name, 0) for name in TALLY])
    made = listener_surplus(counts)
    assert (made.value, made.unit, made.per, made.n) == (1.5, "utility unit", "slate", 4)
    assert math.isnan(listener_surplus(np.zeros(len(TALLY), dtype=np.int64)).value)


def test_inequality_names_its_unit_and_its_interval_is_keyed() -> None:
    x = np.floor(1000 * STREAM.uniforms(np.arange(50), 6, 1)[:, 0] ** 3)
    group = np.arange(50) % 3
    made = inequality_measures(x, "creator", group, STREAM, num_resamples=200)
    again = inequality_measures(x, "creator", group, STREAM, num_resamples=200)
    assert made == again
    assert made["gini"].value == gini(x)
    assert made["theil_between"].value == theil_parts(x, group).between
    assert all(m.per == "creator" and m.n == 50 and m.low <= m.value + 0.1 and m.low < m.high for m in made.values())
    assert made["jain"].baseline == 1.0
    assert math.isnan(inequality_measures(x, "creator")["gini"].low)


def test_the_bootstrap_of_a_mean_is_about_its_normal_interval() -> None:
    x = STREAM.uniforms(np.arange(200), 7, 1)[:, 0]
    low, high = bootstrap_interval(lambda rows: float(x[rows].mean()), 200, STREAM, 1000)
    normal = mean_measure(x, "1", "row")
    assert (low, high) == pytest.approx((normal.low, normal.high), abs=0.006)
    assert all(math.isnan(bound) for bound in bootstrap_interval(lambda rows: 0.0, 1, STREAM))
