"""Days against gas against time to dispute: closed forms against the running money chain, gas against the contracts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_experiments.cli.entry import app
from heritage_experiments.frontier import Assumed, Gas, Price, frontier, measure_gas, numbers_of, price_of
from heritage_experiments.frontier.grid import at_one_window, incomes, pareto
from heritage_sim.base import InputError, Keys, Statement
from heritage_sim.config import EconomyConfig, MoneyChainConfig
from heritage_sim.metrics import weighted_quantile
from heritage_sim.money.claiming import epochs_until, waiting_quantile
from heritage_sim.money.config import SettlementConfig, StepConfig
from heritage_sim.money.durations import durations_of
from heritage_sim.money.outcomes import MoneyEvidence, money_outcomes
from heritage_sim.money.treasury import Treasury

GAS = Gas(num_payees=50, epoch=110_000, single_claim=70_000.0, shared_claim=21_000.0, neighbours=50, max_pending=7)
NO_WAIT = Assumed(claim_hours=0.0)
HALF_A_DAY = 0.5
"""The money chain earns at the middle of whole days, so that its medians lie within half a day of the closed form."""
BLOCKS = 1e-2
"""Days: blocks come a few seconds after the wished moment."""


def chain_median(epoch_days: int, window_hours: float, claim_hours: float, every: int, num_claims: int = 3) -> float:
    """Return the median days to payment of one steady payee, from the treasury and the ledger themselves."""
    num_epochs = every * num_claims
    economy = EconomyConfig(days=epoch_days * num_epochs, epoch_days=epoch_days, refresh_days=1)
    money = MoneyChainConfig(
        cash_out=StepConfig(days=claim_hours / 24, source="a test"),
        settlement=SettlementConfig(claim_every_epochs=every),
        follow_days=400.0,
    )
    ledger = make_ledger(LedgerConfig(challenge_window_hours=window_hours), ["one"], economy.genesis_s)
    treasury = Treasury(ledger, economy, money, 1, Keys(1, 0))
    units = 1_000 * epoch_days
    for e in range(num_epochs):
        statement = Statement(e, "test", units, np.array([units]), np.zeros(0, np.int64), ())
        treasury.settle(statement, [], (e + 1) * epoch_days)
    treasury.close()
    settled = [(e * epoch_days, np.full((1, epoch_days), 1_000)) for e in range(num_epochs)]
    _, _, durations = durations_of(treasury, settled, economy.calendar, 0)
    evidence = MoneyEvidence(durations, units * num_epochs, num_epochs, 0, 0, np.zeros(1, np.int64), 0)
    return {o.name: o.value for o in money_outcomes(evidence)}["settlement_days_paid_median"]


@pytest.mark.parametrize(
    ("epoch_days", "window_hours", "policy", "every"),
    [
        (1, 24.0, "each_epoch", 1),
        (7, 24.0, "each_epoch", 1),
        (7, 72.0, "monthly", 4),
        (30, 1.0, "relayer_each_epoch", 1),
        (14, 168.0, "relayer_monthly", 2),
    ],
)
def test_days_are_those_of_the_running_money_chain(epoch_days, window_hours, policy, every):
    points = frontier(GAS, Assumed(claim_hours=10.0), [epoch_days], [window_hours])
    (point,) = [p for p in points if p.policy == policy]
    lived = chain_median(epoch_days, window_hours, 10.0, every)
    assert point.days_to_paid == pytest.approx(lived, abs=HALF_A_DAY + BLOCKS)
    assert point.days_to_paid == pytest.approx(every * epoch_days / 2 + window_hours / 24 + 10 / 24)
    assert point.days_to_withdrawable == pytest.approx(epoch_days / 2 + window_hours / 24)
    assert point.hours_to_dispute == window_hours


def test_days_by_threshold_are_those_of_balances_followed_epoch_by_epoch():
    earned, threshold, epoch_days = np.array([900, 350, 100, 40]), 1_000, 7
    waits, money = [], []
    for units in earned.tolist():
        open_epochs, balance = [], 0
        for epoch in range(2_100):
            open_epochs.append(epoch)
            balance += units
            if balance >= threshold:
                for earlier in open_epochs:
                    # Earned evenly over the epoch: so many days before this epoch's end.
                    grain = (np.arange(100) + 0.5) / 100
                    waits.append((epoch - earlier + grain) * epoch_days)
                    money.append(np.full(100, units / 100))
                open_epochs, balance = [], 0
    followed = [weighted_quantile(np.concatenate(waits), np.concatenate(money), q) for q in (0.1, 0.5, 0.9)]
    periods = epochs_until(threshold, earned) * epoch_days
    assert epochs_until(threshold, earned).tolist() == [2, 3, 10, 25]
    closed = [waiting_quantile(periods, earned, 0.0, q) for q in (0.1, 0.5, 0.9)]
    assert closed == pytest.approx(followed, abs=0.1)


def test_one_period_gives_its_fraction_and_the_fixed_days():
    assert waiting_quantile([8.0, 8.0], [1.0, 3.0], 2.0, 0.25) == pytest.approx(4.0)
    assert waiting_quantile([8.0], [5.0], 1.0, 1.0) == pytest.approx(9.0)
    with pytest.raises(ValueError, match="no money"):
        waiting_quantile([8.0], [0.0], 0.0, 0.5)


def test_gas_of_a_month_is_posting_shared_out_and_claims_at_their_rhythm():
    month = 365.25 / 12
    by_name = {p.policy: p for p in frontier(GAS, NO_WAIT, [1.0], [24.0])}
    assert by_name["each_epoch"].gas_per_payee_month == pytest.approx(month * (110_000 / 50 + 70_000))
    assert by_name["relayer_each_epoch"].gas_per_payee_month == pytest.approx(month * (110_000 / 50 + 21_000))
    assert by_name["relayer_monthly"].gas_per_payee_month == pytest.approx(month * (110_000 / 50 + 21_000 / 30))
    (priced, *_) = frontier(GAS, NO_WAIT, [1.0], [24.0], Price(gas_gwei=2.0, coin=1_000.0, unit="EUR"))
    assert priced.cost_per_payee_month == pytest.approx(month * (110_000 / 50 + 70_000) * 2e-9 * 1_000)


def test_incomes_keep_their_mean_and_fall_with_rank():
    income = incomes(40, 10_000_000)
    assert income.mean() == pytest.approx(10_000_000)
    assert income[0] / income[9] == pytest.approx(10.0)


def test_a_threshold_shows_who_waits_behind_the_median_of_money():
    (point,) = [p for p in frontier(GAS, NO_WAIT, [7.0], [24.0]) if p.policy == "threshold"]
    earned = incomes(50, 10_000_000) * 7.0 / (365.25 / 12)
    periods = 7.0 * np.ceil(50_000_000 / earned)
    assert point.payees_waiting_over_a_year == pytest.approx(100.0 * (periods > 365.25).mean())
    assert point.days_to_paid_payments > 2.0 * point.days_to_paid


def test_nothing_on_the_frontier_is_beaten_and_everything_else_is():
    points = frontier(GAS, Assumed())
    costs = [
        (p.days_to_paid, p.days_to_paid_payments, p.gas_per_payee_month, -p.hours_to_dispute, p.on_frontier)
        for p in points
    ]
    for *mine, best in costs:
        beaten = any(
            all(o <= m for o, m in zip(other, mine, strict=True)) and other != mine
            for *other, _ in costs
        )  # fmt: skip
        assert best is not beaten
    assert pareto(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0]])).tolist() == [True, True, False]


def test_what_one_window_shows_holds_for_the_others_moved_by_their_difference():
    points = frontier(GAS, Assumed(), window_hours=(1.0, 24.0, 72.0))
    window, best = at_one_window(points)
    assert window == 24.0
    moved = {(p.epoch_days, p.policy, round(p.days_to_paid + 2.0, 6), p.gas_per_payee_month) for p in best}
    longer = [p for p in points if p.on_frontier and p.window_hours == 72.0]
    assert {(p.epoch_days, p.policy, round(p.days_to_paid, 6), p.gas_per_payee_month) for p in longer} == moved


def test_windows_longer_than_the_waiting_epochs_cannot_run():
    assert {p.window_hours for p in frontier(GAS, Assumed(), [1.0], [24.0, 169.0])} == {24.0}
    with pytest.raises(InputError, match="every window is longer"):
        frontier(GAS, Assumed(), [1.0], [169.0])


def test_gas_is_measured_on_the_contracts():
    few, more = measure_gas(3), measure_gas(17)
    assert few.epoch == pytest.approx(more.epoch, rel=0.01)
    # A proof longer by three nodes, and a transaction of one's own against a share of one.
    assert few.single_claim < more.single_claim < 100_000
    assert more.shared_claim < 0.6 * more.single_claim
    assert more.max_pending == 7


def test_what_a_user_asks_for_is_read_or_refused_with_a_remedy():
    assert numbers_of("7, 1,7", "--epoch-days", 0.1) == (1.0, 7.0)
    for text in ("1,x", "0", "nan", ""):
        with pytest.raises(InputError) as caught:
            numbers_of(text, "--epoch-days", 0.1)
        assert caught.value.where == "--epoch-days"
    assert price_of(None, None, "") is None
    with pytest.raises(InputError, match="three things"):
        price_of(1.0, None, "EUR")


def test_the_command_gives_json_a_page_and_figures(tmp_path):
    done = CliRunner().invoke(app, ["ledger", "frontier", "--payees", "5", "--json", "--out", str(tmp_path / "f")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["gas"]["num_payees"] == 5
    assert told["price"] is None
    assert any(p["on_frontier"] for p in told["points"])
    page = (tmp_path / "f" / "frontier.html").read_text()
    assert "://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page
    assert (tmp_path / "f" / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert "xmlns" in (tmp_path / "f" / "frontier.svg").read_text()
