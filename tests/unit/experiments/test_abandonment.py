"""Leaving, arm against arm: sessions with known hazards, lifelines, and what the report says of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from heritage_experiments.report.engagement import leaving_sentence
from heritage_experiments.statistics.abandonment import ARM, abandonment, columns_of, curves
from heritage_sim.base import Keys

NUM_LISTENERS, NUM_EACH = 60, 8


def table(log_ratio: float, replications: int = 4, crossing: bool = False) -> pd.DataFrame:
    """Return sessions of two cells with the same listeners; each replication has a hazard of its own."""
    parts = []
    for r in range(replications):
        for cell in ("treated", "plain"):
            n = NUM_LISTENERS * NUM_EACH
            u = Keys(7, r).stream("test", cell).uniforms(np.arange(n), 0, 3)
            prior = Keys(7, r).stream("test", "prior").uniform(np.arange(n), 0) * 90.0
            rate = (1.0 + 0.5 * (r % 4)) / 50.0 * np.exp(0.3 * prior / 60.0 + log_ratio * (cell == "treated"))
            left = -np.log(u[:, 0]) / rate
            if crossing and cell == "treated":
                left = 50.0 * (left / 50.0) ** 3
            over = 20.0 + 100.0 * u[:, 1]
            parts.append(
                pd.DataFrame(
                    {
                        "cell": cell, "replication": r, "listener": np.repeat(np.arange(NUM_LISTENERS), NUM_EACH),
                        "day": np.tile(np.arange(NUM_EACH), NUM_LISTENERS), "session": 0, "start_s": 0.0,
                        "device": (u[:, 2] < 0.4).astype(int), "familiarity": u[:, 2], "home": 0,
                        "prior_sessions": np.tile(np.arange(NUM_EACH), NUM_LISTENERS), "prior_mean_s": prior,
                        "slates": 3, "plays": 2, "seconds": np.minimum(left, over), "abandoned": left <= over,
                        "synthetic": True,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def known():
    sessions = table(-0.4)
    return sessions, abandonment(columns_of(sessions), "treated", "plain", 60.0)


def test_a_known_hazard_ratio_comes_back_pooled_and_by_replication(known) -> None:
    sessions, found = known
    for ratio, log in ((found.hazard_ratio, -0.4), (found.by_replication, -0.4), (found.controls["prior_mean"], 0.3)):
        error = math.log(ratio.high / ratio.low) / 3.92
        assert abs(math.log(ratio.value) - log) < 3.0 * error < 0.3
        assert ratio.baseline == 1.0
    assert found.hazard_ratio.high < 1.0
    assert found.by_replication.n == 4
    assert found.num_sessions == int((sessions["prior_sessions"] > 0).sum())
    assert found.num_listeners == 4 * NUM_LISTENERS
    assert found.mean_difference.low > 0.0
    assert found.proportionality_p[ARM] > 0.01


def test_the_pooled_model_is_that_of_lifelines(known) -> None:
    sessions, found = known
    rows = sessions[sessions["prior_sessions"] > 0]
    frame = pd.DataFrame(
        {
            "arm": (rows["cell"] == "treated").astype(float), "prior": rows["prior_mean_s"] / 60.0,
            "familiarity": rows["familiarity"], "device": (rows["device"] == 1).astype(float),
            "t": np.maximum(np.ceil(rows["seconds"]), 1.0), "event": rows["abandoned"], "stratum": rows["replication"],
        }
    )  # fmt: skip
    reference = CoxPHFitter().fit(frame, "t", "event", strata=["stratum"])
    assert math.log(found.hazard_ratio.value) == pytest.approx(reference.params_["arm"], abs=1e-4)
    assert math.log(found.controls["device_1"].value) == pytest.approx(reference.params_["device"], abs=1e-4)


def test_exchanging_the_arms_inverts_the_ratio(known) -> None:
    sessions, found = known
    other = abandonment(columns_of(sessions), "plain", "treated", 60.0)
    assert other.hazard_ratio.value == pytest.approx(1.0 / found.hazard_ratio.value)
    assert other.hazard_ratio.low == pytest.approx(1.0 / found.hazard_ratio.high)
    assert other.mean_difference.value == pytest.approx(-found.mean_difference.value)


def test_two_arms_with_the_same_sessions_do_not_differ(known) -> None:
    sessions = known[0]
    plain = sessions[sessions["cell"] == "plain"]
    twice = pd.concat([plain, plain.assign(cell="treated")], ignore_index=True)
    found = abandonment(columns_of(twice), "treated", "plain", 60.0)
    assert (found.hazard_ratio.value, found.by_replication.value) == pytest.approx((1.0, 1.0))
    assert (found.hazard_ratio.low, found.hazard_ratio.high) == pytest.approx((1.0, 1.0))
    assert found.mean_difference.value == pytest.approx(0.0)


def test_only_replications_that_both_cells_have_count(known) -> None:
    sessions, _ = known
    kept = sessions[(sessions["cell"] == "plain") | (sessions["replication"] > 1)]
    assert abandonment(columns_of(kept), "treated", "plain", 60.0).by_replication.n == 2
    assert abandonment(columns_of(sessions[sessions["cell"] == "plain"]), "treated", "plain", 60.0) is None


def test_a_ratio_that_changes_over_the_session_is_said_to(known) -> None:
    sessions = table(0.0, crossing=True)
    found = abandonment(columns_of(sessions), "treated", "plain", 60.0)
    assert found.proportionality_p[ARM] < 0.001
    assert "not the same all through a session" in leaving_sentence(found)
    assert "not the same" not in leaving_sentence(known[1])
    assert leaving_sentence(known[1]).startswith("Sessions of the treatment are left less readily: hazard ratio 0.")


def test_curves_are_the_shares_that_stay(known) -> None:
    sessions, _ = known
    treated, plain = curves(columns_of(sessions), ("treated", "plain"), [1.0, 30.0, 60.0])
    assert (treated > plain).all()
    assert (np.diff(plain) < 0).all()
