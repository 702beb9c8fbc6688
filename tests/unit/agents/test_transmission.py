"""Forms of transmission against closed forms and published equilibria; the stock against its stated rule. Costs 1 s."""

import json
import math
from itertools import permutations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from heritage_agents.communities.transmission.advantage import above, advantage
from heritage_agents.communities.transmission.forms import Competition, Logistic, Threshold
from heritage_agents.communities.transmission.stock import PracticeStock
from heritage_agents.config import CommunityConfig, TransmissionConfig
from heritage_sim.base import CommunityTerms, CommunityView, Consent

KINDS = ("logistic", "competition", "threshold")
START = np.array([0.05, 0.2, 0.45])
NONE = np.zeros(3)


def form(kind, start=START, **changes):
    config = TransmissionConfig(kind=kind, **{kind: changes})
    return {"logistic": Logistic, "competition": Competition, "threshold": Threshold}[kind](
        getattr(config, kind), start
    )


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_advantage_the_stock_stands_where_it_began(kind):
    # Competition and threshold begin on a tipping point, from which rounding grows: hence a few decades, not for ever.
    np.testing.assert_allclose(form(kind).after(START, NONE, 30.0), START, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_an_advantage_raises_the_stock_and_a_drawback_lowers_it(kind):
    made = form(kind)
    assert (made.after(START, np.full(3, 0.5), 5.0) > START).all()
    assert (made.after(START, np.full(3, -0.5), 5.0) < START).all()


@pytest.mark.parametrize("kind", KINDS)
def test_two_halves_of_a_time_make_the_whole_and_no_time_changes_nothing(kind):
    made, q = form(kind), np.array([0.3, -0.2, 0.8])
    half = made.after(made.after(START, q, 2.0), q, 2.0)
    np.testing.assert_allclose(half, made.after(START, q, 4.0), rtol=1e-8)
    np.testing.assert_allclose(made.after(START, q, 0.0), START, rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_and_everybody_stay_within_bounds_under_any_advantage(kind):
    for x in (0.0, 1e-12, 1.0):
        for q in (-40.0, 0.0, 40.0):
            share = form(kind).after(np.full(3, x), np.full(3, q), 50.0)
            assert ((share >= 0.0) & (share <= 1.0)).all()
    assert (form(kind).after(NONE, NONE, 10.0) == 0.0).all()


def test_logistic_follows_the_closed_form_of_verhulst():
    """With r = l - f and the carrying stock M = K r / l: x(t) = M / (1 + (M / x0 - 1) e^(-r t))."""
    learning, forgetting, capacity, years = 0.5, 0.2, 0.9, 7.0
    made = form("logistic", learning=learning, forgetting=forgetting, capacity=capacity)
    r = learning - forgetting
    carrying = capacity * r / learning
    expected = carrying / (1.0 + (carrying / START - 1.0) * math.exp(-r * years))
    np.testing.assert_allclose(made.after(START, NONE, years), expected, rtol=1e-12)


def test_logistic_with_forgetting_as_fast_as_learning_falls_as_one_over_time():
    made = form("logistic", learning=0.3, forgetting=0.3, capacity=0.8)
    expected = START / (1.0 + 0.3 / 0.8 * START * 11.0)
    np.testing.assert_allclose(made.after(START, NONE, 11.0), expected, rtol=1e-12)


def test_logistic_makes_a_loss_good_and_a_drawback_beyond_forgetting_ends_it():
    made = form("logistic", learning=0.4, forgetting=0.1)
    np.testing.assert_allclose(made.after(START / 3.0, NONE, 200.0), START, rtol=1e-6)
    assert (made.after(START, np.full(3, -math.log(8.0)), 400.0) < 1e-6).all()


def test_competition_with_exponent_one_is_logistic_in_the_status():
    """For a = 1 the equation of Abrams & Strogatz is dx/dt = c (2 s - 1) x (1 - x)."""
    made = form("competition", rate=0.7, volatility=1.0, status=0.6)
    odds = START / (1.0 - START) * math.exp(0.7 * 0.2 * 9.0)
    np.testing.assert_allclose(made.after(START, NONE, 9.0), odds / (1.0 + odds), rtol=1e-10)


@pytest.mark.parametrize(("volatility", "status"), [(1.31, 0.5), (1.31, 0.6), (2.0, 0.3)])
def test_competition_tips_at_the_equilibrium_of_abrams_and_strogatz(volatility, status):
    """x / (1 - x) = ((1 - s) / s)^(1 / (a - 1)) parts the stocks that die out from those that take all over."""
    odds = ((1.0 - status) / status) ** (1.0 / (volatility - 1.0))
    tip = odds / (1.0 + odds)
    made = form("competition", rate=1.0, volatility=volatility, status=status)
    beside = np.array([tip - 0.02, tip, tip + 0.02])
    soon, late = (made.after(beside, NONE, years) for years in (1.0, 150.0))
    assert soon[1] == pytest.approx(tip, rel=1e-9)
    assert late[0] < 1e-3
    assert late[2] > 1 - 1e-3


def test_threshold_with_two_fixed_points_tips_at_the_lower_and_settles_at_the_upper():
    """For h = 2, x = F(x) at (1 - sqrt(1 - 4 m^2)) / 2 and (1 + sqrt(1 - 4 m^2)) / 2."""
    root = math.sqrt(1.0 - 4.0 * 0.4**2)
    lower, upper = (1.0 - root) / 2.0, (1.0 + root) / 2.0
    made = form("threshold", generation_years=1.0, steepness=2.0, threshold=0.4)
    late = made.after(np.array([lower - 0.02, lower + 0.02, 0.99]), NONE, 150.0)
    np.testing.assert_allclose(late, [0.0, upper, upper], atol=1e-6)


@pytest.mark.parametrize("kind", ["competition", "threshold"])
def test_the_step_agrees_with_an_independent_solver(kind):
    q, years = np.array([0.4, -0.3, 0.1]), 12.0
    logit = math.log(0.55 / 0.45)

    def competing(_, x):
        s = 1.0 / (1.0 + np.exp(-(logit + q)))
        return 0.6 * ((1 - x) * x**1.31 * s - x * (1 - x) ** 1.31 * (1 - s))

    def generations(_, x):
        return (x**3 / (x**3 + (0.3 * np.exp(-q)) ** 3) - x) / 8.0

    if kind == "competition":
        made, change = form(kind, rate=0.6, status=0.55), competing
    else:
        made, change = form(kind, generation_years=8.0, steepness=3.0, threshold=0.3), generations
    solved = solve_ivp(change, (0.0, years), START, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    np.testing.assert_allclose(made.after(START, q, years), solved, rtol=1e-8)


def test_the_forms_disagree_on_whether_a_lasting_small_drawback_costs_a_little_or_everything():
    start, q = np.array([0.2]), np.array([-0.1])
    late = {kind: float(form(kind, start=start).after(start, q, 1_000.0)[0]) for kind in KINDS}
    # Logistic: from K (1 - f/l) to K (1 - f e^0.1 / l), with f/l = 1/2.
    assert late["logistic"] == pytest.approx(0.4 * (1.0 - 0.5 * math.exp(0.1)), rel=1e-9)
    assert late["competition"] < 1e-4
    assert late["threshold"] < 1e-4


def test_forgetting_that_nothing_could_outweigh_is_refused():
    with pytest.raises(ValueError, match="must be below learning"):
        TransmissionConfig(logistic={"learning": 0.1, "forgetting": 0.1})


def test_above_is_zero_at_the_reference_and_odd_in_ratios():
    np.testing.assert_array_equal(
        above(np.array([2.0, 6.0, 0.0, 0.0]), np.array([2.0, 2.0, 2.0, 0.0])), [0, 0.5, -1, 0]
    )
    assert above(np.array([4.0]), 1.0) == -above(np.array([0.25]), 1.0)


def test_advantage_by_hand():
    q = advantage(
        income=np.array([30.0, 10.0]),
        reference=10.0,
        plays=np.array([30.0, 10.0]),
        all_plays=100.0,
        share_of_bearers=np.array([0.3, 0.7]),
        weights=(2.0, 4.0),
    )
    np.testing.assert_allclose(q, [2.0 * 0.5 + 0.0, 0.0 + 4.0 * (0.1 - 0.7) / (0.1 + 0.7)], rtol=1e-14)


COMMUNITIES = (
    CommunityConfig(name="Tirtanala", tradition="x", num_members=500, bearers_at_start=0.2),
    CommunityConfig(name="Wayrapata", tradition="y", num_members=300, bearers_at_start=0.1),
)


def view(income, plays, generated=0):
    terms = CommunityTerms(Consent.ALL, 0.3, 3_000)
    return CommunityView(1, terms, income, income, plays, generated)


def handed_on(views, days=28, times=1, **changes):
    stock = PracticeStock(TransmissionConfig(**({"kind": "logistic"} | changes)), COMMUNITIES)
    for _ in range(times):
        stock.hand_on(views, days)
    return stock


def test_no_form_models_no_bearers_and_changes_nothing():
    stock = handed_on([view(900, 10), view(1, 90)], kind="none")
    assert stock.bearers is None
    assert stock.share_of_start.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_income_and_plays_in_proportion_to_bearers_leave_every_form_standing(kind):
    # 100 and 30 bearers: both earn 7 units a bearer, and have plays as they have bearers.
    stock = handed_on([view(700, 100), view(210, 30)], kind=kind, times=13)
    np.testing.assert_allclose(stock.bearers, [100.0, 30.0], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_more_income_than_the_mean_raises_bearers_and_less_lowers_them(kind):
    stock = handed_on([view(600, 100), view(310, 30)], kind=kind)
    assert stock.bearers[0] < 100.0
    assert stock.bearers[1] > 30.0


def test_reference_income_is_that_of_the_first_epoch_that_paid_anything():
    stock = handed_on([view(0, 0), view(0, 0)], days=7)
    np.testing.assert_allclose(stock.share_of_start, 1.0, rtol=1e-12)
    stock.hand_on([view(700, 100), view(210, 30)], 7)
    np.testing.assert_allclose(stock.share_of_start, 1.0, rtol=1e-12)
    stock.hand_on([view(1_400, 100), view(420, 30)], 7)
    assert (stock.share_of_start > 1.0).all()


def test_generated_plays_confer_no_more_prestige_than_is_stated():
    own, displaced = [view(700, 100), view(210, 30)], [view(700, 100, 60), view(210, 30)]
    as_many = handed_on(displaced, generated_prestige=1.0)
    np.testing.assert_array_equal(as_many.bearers, handed_on(own, generated_prestige=0.0).bearers)
    assert (
        handed_on(displaced, generated_prestige=0.0).bearers[0]
        < handed_on(displaced, generated_prestige=0.5).bearers[0]
    )
    assert handed_on(displaced, generated_prestige=0.5).bearers[0] < as_many.bearers[0]


def test_weights_of_zero_leave_the_stock_to_itself():
    stock = handed_on([view(9_999, 1), view(1, 9_999)], income_weight=0.0, prestige_weight=0.0)
    np.testing.assert_allclose(stock.bearers, [100.0, 30.0], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stock_that_was_put_down_goes_on_bit_for_bit(kind):
    views = [[view(700 + 90 * i, 100 - 7 * i), view(210, 30)] for i in range(6)]
    whole, first, second = (PracticeStock(TransmissionConfig(kind=kind), COMMUNITIES) for _ in range(3))
    for seen in views:
        whole.hand_on(seen, 7)
    for seen in views[:3]:
        first.hand_on(seen, 7)
    second.restore(json.loads(json.dumps(first.snapshot())))
    for seen in views[3:]:
        second.hand_on(seen, 7)
    np.testing.assert_array_equal(second.bearers, whole.bearers)


@pytest.mark.parametrize("kind", KINDS)
def test_no_stock_hangs_on_the_order_in_which_communities_are_listed(kind):
    told = {"a": (1_000, 0.2, 700, 100), "b": (300, 0.3, 213, 37), "c": (777, 0.11, 971, 11), "d": (13, 0.7, 3, 1)}
    found = set()
    for names in permutations(told):
        communities = [
            CommunityConfig(name=n, tradition="x", num_members=told[n][0], bearers_at_start=told[n][1]) for n in names
        ]
        stock = PracticeStock(TransmissionConfig(kind=kind), communities)
        for _ in range(5):
            stock.hand_on([view(*told[n][2:]) for n in names], 7)
        found.add(tuple(sorted(zip(names, stock.share.tolist(), strict=True))))
    assert len(found) == 1


def test_where_everybody_practises_everybody_goes_on_whatever_the_volatility():
    for volatility in (0.5, 1.0, 1.31):
        start = np.array([1.0, 0.4])
        after = form("competition", start, volatility=volatility).after(start, np.zeros(2), 10.0)
        np.testing.assert_allclose(after, start, rtol=1e-12)
