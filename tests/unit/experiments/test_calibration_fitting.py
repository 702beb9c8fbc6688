"""The fit on models whose answer is known in closed form: moments linear in the parameters, with keyed normal noise."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from heritage_experiments.calibration.fitting import Covariance, Effort, Fit, differences, fit, shrunk
from heritage_experiments.calibration.identifying import PRIOR, identification, untold
from heritage_experiments.calibration.moments import moment
from heritage_experiments.calibration.space import read_parameters, space_of
from heritage_experiments.calibration.targets import Target, Targets
from heritage_experiments.scenario import Scenario
from heritage_sim.base import Keys

SCENARIO = Scenario.model_validate(
    {
        "name": "small",
        "traditions": [{"name": "gamelan", "kind": "gamelan", "num_works": 20}],
        "communities": [{"name": "Tirtanala", "tradition": "gamelan"}],
    }
)
NAMES = ("plays_per_listener.mean", "plays_per_listener.gini", "per_session.plays", "per_session.abandoned")
SLOPES = np.array([[3.0, 0.5], [0.2, -2.0], [1.0, 1.0], [0.5, -0.1]])
NOISE = np.array([0.1, 0.05, 0.2, 0.02])
TRUE = np.array([0.3, 0.7])


@dataclass
class Linear:
    """Moments that are linear in the point, plus noise that is the same at every point of a draw."""

    slopes: np.ndarray = field(default_factory=lambda: SLOPES)
    space: object = field(
        default_factory=lambda: space_of(SCENARIO, read_parameters("listeners.kappa=1:2,listeners.churn_base=-4:1"), "")
    )

    def __call__(self, point, draws):
        draws = np.asarray(draws)
        noise = Keys(5, 0).stream("test", "noise").normals(draws, 0, len(self.slopes))
        return self.slopes @ np.asarray(point) + noise * NOISE

    def mean(self, point, draws):
        return self(point, draws).mean(axis=0)


def targets_of(values, held_out=()):
    return Targets(tuple(Target(moment(n), v, None, n in held_out) for n, v in zip(NAMES, values, strict=True)))


def test_the_fit_of_a_linear_model_is_generalised_least_squares():
    model, effort = Linear(), Effort(starts=2, draws=3, fresh_draws=60)
    wanted = SLOPES @ TRUE + np.array([0.05, -0.02, 0.1, 0.01])
    found = fit(model, targets_of(wanted), effort, lambda stage: None)
    offset = model.mean(np.zeros(2), range(3))
    weight = np.linalg.inv(found.covariance.total)
    expected = np.linalg.solve(SLOPES.T @ weight @ SLOPES, SLOPES.T @ weight @ (wanted - offset))
    np.testing.assert_allclose(found.point, expected, atol=2e-3)
    gap = SLOPES @ found.point + offset - wanted
    assert found.objective == pytest.approx(gap @ weight @ gap)


def test_a_target_that_is_held_out_does_not_move_the_fit():
    wanted = SLOPES @ TRUE
    ends = []
    for wrong in (0.0, 5.0):
        values = wanted + np.array([0.0, 0.0, wrong, 0.0])
        ends.append(fit(Linear(), targets_of(values, {NAMES[2]}), Effort(2, 2, 20), lambda stage: None).point)
    np.testing.assert_array_equal(*ends)


def test_the_fit_is_the_same_every_time():
    wanted = targets_of(SLOPES @ TRUE)
    first, second = (fit(Linear(), wanted, Effort(2, 2, 20), lambda stage: None) for _ in range(2))
    np.testing.assert_array_equal(first.point, second.point)
    assert first.objective == second.objective


def test_a_shrunk_covariance_keeps_the_variances_and_can_be_inverted_with_fewer_draws_than_moments():
    rows = Keys(1, 0).stream("test", "rows").normals(np.arange(6), 0, 10) * np.logspace(-4, 4, 10)
    covariance = shrunk(rows)
    np.testing.assert_allclose(np.diag(covariance), rows.var(axis=0, ddof=1), rtol=1e-6)
    scale = np.sqrt(np.diag(covariance))
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale)).min() > 0.01


def test_differences_of_a_linear_function_are_its_slopes_inside_and_at_the_edge():
    for point in (np.array([0.5, 0.5]), np.array([0.0, 1.0])):
        np.testing.assert_allclose(differences(lambda x: SLOPES @ x, point), SLOPES, atol=1e-12)


def test_the_stated_covariance_is_that_of_a_normal_model_with_the_bounds_as_prior():
    told = identification(np.repeat(SLOPES[None], 3, axis=0), range(4), np.diag(NOISE**2))
    expected = np.linalg.inv(SLOPES.T @ np.diag(1.0 / NOISE**2) @ SLOPES + PRIOR * np.eye(2))
    np.testing.assert_allclose(told.spread, expected, rtol=1e-9)


def described(slopes, point=(0.4, 0.6), noise=0.0, num_draws=4, seed=2):
    draws = np.repeat(np.asarray(slopes, dtype=float)[None], num_draws, axis=0)
    rows = Keys(seed, 0).stream("test", "slopes").normals(np.arange(num_draws), 0, draws[0].size)
    draws = draws + noise * rows.reshape(draws.shape)
    told = identification(draws, range(len(slopes)), np.diag(np.full(len(slopes), 0.01)))
    return told, untold(told, Linear().space, np.array(point))


def test_two_parameters_that_enter_as_a_sum_cannot_be_told_apart_and_are_named():
    told, said = described([[2.0, 2.0], [1.0, 1.0], [-3.0, -3.0]])
    assert len(said) == 1
    assert "listeners.kappa and listeners.churn_base cannot be told apart" in said[0]
    assert told.directions[0].sd < 0.05
    assert told.correlation[0, 1] < -0.9


def test_a_parameter_that_moves_no_target_is_named_alone():
    _, said = described([[2.0, 0.0], [1.0, 0.0], [-3.0, 0.0]])
    assert len(said) == 1
    assert "say next to nothing about listeners.churn_base" in said[0]


def test_parameters_that_are_told_are_not_spoken_of():
    assert described([[2.0, 0.1], [0.3, 2.0], [-3.0, 1.0]])[1] == []


def test_noise_in_the_slopes_does_not_count_as_knowledge():
    # The second parameter moves nothing. Its slopes are noise of 2.5 standard errors in each of 4 draws, over 12
    # targets: taken at their word they would be worth 12 x 2.5^2 / 4 = 19 units of information, and 16 count as told.
    slopes = np.stack([np.linspace(2.0, 4.0, 12), np.zeros(12)], axis=1)
    found = [described(slopes, noise=0.25, seed=seed) for seed in range(20)]
    unclean = [(told.slopes[:, 1] @ told.slopes[:, 1]) / 0.01 for told, _ in found]
    assert np.mean(unclean) == pytest.approx(18.75, rel=0.2)
    said = [any("say next to nothing about listeners.churn_base" in sentence for sentence in s) for _, s in found]
    assert sum(said) >= 18
    assert abs(np.mean([told.information[1, 1] for told, _ in found])) < 6.0


def test_a_fit_reports_where_its_starts_ended():
    found = fit(Linear(), targets_of(SLOPES @ TRUE), Effort(3, 2, 20), lambda stage: None)
    assert isinstance(found, Fit)
    assert isinstance(found.covariance, Covariance)
    assert len(found.minima) == 4
