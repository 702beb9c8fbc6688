"""Measuring inside a run: by hand on small cases, on sessions whose hazards are known, and in the small economy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_world import lived, small_economy

from heritage_sim.base import TALLY, Keys
from heritage_sim.evaluation import EvaluationConfig, evaluation_names
from heritage_sim.evaluation.abandonment import abandonment_measures, session_design
from heritage_sim.evaluation.rankings import NUM_RANKS, Split, first_plays_auc, ranking_measures

BREAKS_NO_OUTCOME = EvaluationConfig(split_share=0.15, cold_days=2, horizon_s=40)


def frozen(ranked: list[list[int]], **changes) -> Split:
    """Return a split on day 10 of listeners 4, 7, ... over six works, of which work 5 cannot be heard."""
    table = np.full((len(ranked), NUM_RANKS), -1, dtype=np.int32)
    for row, works in enumerate(ranked):
        table[row, : len(works)] = works
    given = {
        "day": 10,
        "listener": np.array([4, 7, 9][: len(ranked)]),
        "ranked": table,
        "available": np.array([True] * 5 + [False]),
        "streams": np.array([9, 1, 7, 0, 3, 50]),
        "community": np.array([0, 0, 1, 1, 1, 0], dtype=np.int32),
        "born": np.array([0, 0, 0, 0, 8, 0], dtype=np.int32),
    }
    return Split(**(given | changes))


def plays(*rows: tuple[int, int, int, float, float, bool]) -> dict[str, np.ndarray]:
    """Return plays (listener, day, work, score, dwell_s, first_time) of works of 100 s as columns."""
    names = ("listener", "day", "work", "score", "dwell_s", "first_time")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return columns | {"duration_s": np.full(len(rows), 100.0)}


def test_relevant_is_what_was_listened_to_after_the_split_for_long_enough() -> None:
    noted = plays(
        (4, 9, 0, 0.0, 90.0, True),  # before the split
        (4, 10, 1, 0.0, 30.0, True),  # just long enough
        (4, 11, 2, 0.0, 29.9, True),  # too short
        (7, 12, 1, 0.0, 80.0, False),
        (7, 13, 1, 0.0, 80.0, False),  # the same again
        (7, 13, 5, 0.0, 80.0, True),  # could not be heard on the split day
        (7, 14, 8, 0.0, 80.0, True),  # came out later
    )
    relevant = frozen([[0], [0]]).relevant(noted)
    assert (relevant.indptr.tolist(), relevant.works.tolist()) == ([0, 1, 2], [1, 1])
    noted["duration_s"][2] = 20.0
    assert frozen([[0], [0]]).relevant(noted).works.tolist() == [1, 2, 1]  # a short work heard to its end


def test_rankings_are_held_against_later_listening_by_hand() -> None:
    noted = plays((4, 10, 2, 0, 60, True), (4, 10, 3, 0, 60, True), (7, 11, 4, 0, 60, True), (9, 5, 0, 0, 60, True))
    found = ranking_measures(frozen([[2, 0, 3], [0, 1, 4], [1, 0, 2]]), noted, 2, cold_days=3)
    third, second = 1 / math.log2(4), 1 / math.log2(3)
    assert found["ndcg_20"].value == pytest.approx(((1 + third) / (1 + second) + third) / 2)
    assert (found["ndcg_20"].n, found["ndcg_20"].num_excluded) == (2, 1)
    assert found["mrr"].value == pytest.approx((1 + 1 / 3) / 2)
    # Most played of what can be heard: 0, 2, 4, 1, 3.
    assert found["mrr"].baseline == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert found["recall_100"].value == 1.0
    # Only work 4 is new: listener 7 alone has a relevant one.
    assert (found["ndcg_100_cold"].value, found["ndcg_100_cold"].n) == (pytest.approx(third), 1)
    # The tail is work 3, never played and in a list.
    assert found["coverage_100_tail"].value == 100.0
    weight = 3 * (1 + second + third)
    assert found["top100_exposure_share_community_1"].value == pytest.approx(100 * (1 + 3 * third) / weight)
    assert found["top100_exposure_share_community_1"].baseline == 60.0
    assert found["relevance_share_community_1"].value == 100.0


def test_the_archive_is_never_cold() -> None:
    noted = plays((4, 2, 0, 0, 60, True))
    early = frozen([[0]], day=1, born=np.zeros(6, dtype=np.int32))
    assert ranking_measures(early, noted, 2, cold_days=7)["ndcg_100_cold"].n == 0


def test_dwell_is_judged_on_first_plays_after_the_split() -> None:
    noted = plays(
        (4, 9, 0, 9.0, 5.0, True), (4, 10, 1, 1.0, 20.0, True), (4, 11, 2, 3.0, 40.0, True),
        (4, 12, 2, 0.0, 90.0, False), (7, 12, 3, 2.0, 60.0, True), (7, 13, 1, 2.5, 10.0, True),
    )  # fmt: skip
    # Scores 1, 3, 2, 2.5 of dwells 20, 40, 60, 10: of the long (3, 2) against the short (1, 2.5), 3 of 4 pairs agree.
    assert first_plays_auc(10, noted).value == 0.75


def sessions(num_listeners: int, beta_prior: float, num_each: int = 12) -> dict[str, np.ndarray]:
    """Return sessions whose hazard of leaving is known: 1/60 a second, times exp(beta) a minute of prior mean."""
    n = num_listeners * num_each
    u = Keys(3, 0).stream("test", "sessions").uniforms(np.arange(n), 0, 4)
    prior, device = 120.0 * u[:, 0], (u[:, 1] < 0.3).astype(np.int32)
    left = -np.log(u[:, 2]) * 60.0 / np.exp(beta_prior * prior / 60.0 - 0.5 * device)
    over = 20.0 + 150.0 * u[:, 3]
    number = np.tile(np.arange(num_each), num_listeners)
    return {
        "listener": np.repeat(np.arange(num_listeners), num_each),
        "day": (5 * number).astype(np.int32),
        "device": device,
        "familiarity": np.repeat(np.linspace(0.0, 1.0, num_listeners), num_each),
        "prior_sessions": number,
        "prior_mean_s": np.where(number == 0, 0.0, prior),
        "seconds": np.minimum(left, over),
        "abandoned": left <= over,
    }


def test_first_sessions_are_left_out_and_covariates_are_known_beforehand() -> None:
    given = sessions(3, 0.0, num_each=4)
    design = session_design(given)
    assert design.names == ("prior_mean", "familiarity", "device_1")
    assert design.duration_s.size == 9
    assert design.covariates[:, 0] == pytest.approx(given["prior_mean_s"].reshape(3, 4)[:, 1:].ravel() / 60)
    assert (design.duration_s % 1 == 0).all()
    assert session_design(given, num_devices=4).names[-2:] == ("device_2", "device_3")


def test_known_hazards_come_back_and_are_foretold() -> None:
    found = abandonment_measures(session_design(sessions(500, 0.6)), split_day=40, horizon_s=120.0)
    assert found["abandonment_hr_prior_mean"].low < math.exp(0.6) < found["abandonment_hr_prior_mean"].high
    assert found["abandonment_hr_device_1"].low < math.exp(-0.5) < found["abandonment_hr_device_1"].high
    assert found["abandonment_hr_familiarity"].low < 1.0 < found["abandonment_hr_familiarity"].high
    assert found["abandonment_concordance"].low > 0.5
    assert found["abandonment_brier_skill"].value > 0.03
    assert found["abandonment_brier"].n == found["abandonment_concordance"].n == 500 * 4
    assert found["session_restricted_mean_s"].value < 60.0


def test_groups_foretold_to_stay_longer_do_and_as_many_as_foretold() -> None:
    """The hazards are known, and of the form that is fitted: nothing but chance is between foretold and true."""
    found = abandonment_measures(session_design(sessions(1500, 0.6)), split_day=40, horizon_s=120.0)
    groups = [found[f"abandonment_reliability_{k}"] for k in range(1, 6)]
    assert sum(group.n for group in groups) == 1500 * 4
    foretold, came = ([getattr(group, name) for group in groups] for name in ("baseline", "value"))
    assert foretold == sorted(foretold)
    assert came[0] < came[2] < came[4]
    np.testing.assert_allclose(came, foretold, atol=0.045)
    # Known truth of a group: the mean over its sessions of exp(-t hazard), at half the horizon.
    design = session_design(sessions(1500, 0.6))
    later = design.rows(design.day >= 40)
    hazard = np.exp(later.covariates @ np.array([0.6, 0.0, -0.5])) / 60.0
    truth = np.sort(np.exp(-60.0 * hazard)).reshape(5, -1).mean(axis=1)
    np.testing.assert_allclose(foretold, truth, atol=0.03)


def test_groups_of_the_reliability_curve_are_told_beside_the_outcomes(economy) -> None:
    names = economy.results().tables["engagement"]["name"].tolist()
    assert "abandonment_reliability_1" in names
    assert not any("reliability" in o.name for o in economy.results().outcomes)


def test_where_nothing_tells_who_leaves_there_is_no_skill() -> None:
    given = sessions(500, 0.0)
    given["device"][:] = 0
    found = abandonment_measures(session_design(given), split_day=40, horizon_s=120.0)
    assert abs(found["abandonment_brier_skill"].value) < 0.02


@pytest.fixture(scope="module")
def economy():
    return lived()


def test_every_run_tells_its_evaluation_by_name(economy) -> None:
    outcomes = {o.name: o for o in economy.results().outcomes}
    told = [outcomes[name] for name in evaluation_names(3)]
    assert all(math.isfinite(o.value) for o in told if o.name not in ("ndcg_100_cold",))
    assert outcomes["recall_100"].value > 0.0
    table = economy.results().tables["engagement"]
    assert table["n"][list(table["name"]).index("top100_exposure_share_community_0")] == 30


def test_what_is_measured_changes_nothing_that_happens(economy) -> None:
    other = lived(evaluation=BREAKS_NO_OUTCOME)
    ours = set(evaluation_names(3))
    one, two = ({o.name: o.value for o in e.results().outcomes if o.name not in ours} for e in (economy, other))
    np.testing.assert_array_equal(list(one.values()), list(two.values()))
    np.testing.assert_array_equal(
        economy.results().tables["sessions"]["seconds"], other.results().tables["sessions"]["seconds"]
    )
    assert economy.evaluation.split_day == 15
    assert other.evaluation.split_day == 3


def test_sessions_are_said_to_be_synthetic(economy) -> None:
    table = economy.results().tables["sessions"]
    assert table["synthetic"].all()
    assert np.unique(table["listener"]).size <= 30


def test_before_the_split_what_needs_it_is_not_defined() -> None:
    economy = small_economy()
    economy.run(until=5)
    values = {o.name: o.value for o in economy.results().outcomes}
    assert math.isnan(values["ndcg_20"])
    assert math.isnan(values["coverage_100_tail"])
    assert math.isfinite(values["listener_surplus_mean"])


def test_a_population_without_a_sample_has_no_figures() -> None:
    economy = lived(days=8)
    economy.executor.call = lambda method, *arguments: [({}, {})]
    economy.evaluation._split = None
    found = economy.evaluation.findings(economy.executor, np.zeros(len(TALLY), dtype=np.int64))
    assert all(math.isnan(m.value) for m in found.measures.values())
    assert found.sessions["listener"].size == 0
