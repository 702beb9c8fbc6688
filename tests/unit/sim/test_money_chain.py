"""The money chain against closed forms, queues worked out by hand, lifelines, and the conservation of money."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import COMMUNITIES, CREATORS, KEYS, lived, same_results, small_economy

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import InputError, Keys, LedgerError, PaymentSplit, Posting, Settlement, Statement, Stem
from heritage_sim.base.clock import DAY_S
from heritage_sim.base.money import Payments
from heritage_sim.config import EconomyConfig, MoneyChainConfig
from heritage_sim.money import STEPS
from heritage_sim.money.books import NEVER
from heritage_sim.money.config import SettlementConfig, StepConfig
from heritage_sim.money.durations import durations_of
from heritage_sim.money.outcomes import MoneyEvidence, money_outcomes
from heritage_sim.money.treasury import LicenceFee, Treasury
from heritage_sim.state_io import read_state, write_state

GENESIS_S = EconomyConfig().genesis_s
SLACK = 5e-4
"""Days: some forty seconds, as one block takes at least a second."""


def money(kind="on_chain", follow_days=1_000.0, lags=(), cash_out=0.0, **settlement):
    steps = {name: StepConfig(days=days, source="a test") for name, days in dict(lags).items()}
    # Payment runs fall on multiples of their period, unless a test says otherwise.
    settlement = {"first_batch_days": settlement.get("batch_days", 90.0)} | settlement
    return MoneyChainConfig(
        **steps,
        cash_out=StepConfig(days=cash_out, source="a test"),
        settlement=SettlementConfig(kind=kind, **settlement),
        follow_days=follow_days,
    )


def treasury_of(config, num_payees=3, days=28, epoch_days=7, window_hours=24.0, ledger=None, keys=KEYS):
    economy = EconomyConfig(days=days, epoch_days=epoch_days, refresh_days=1)
    names = [f"payee {i}" for i in range(num_payees)]
    made = ledger or make_ledger(LedgerConfig(challenge_window_hours=window_hours), names, GENESIS_S)
    return Treasury(made, economy, config, num_payees, keys)


def statement(epoch, units):
    amounts = np.array(units, dtype=np.int64)
    return Statement(epoch, "test", int(amounts.sum()), amounts, np.zeros(0, np.int64), ())


def live(treasury, statements, epoch_days=7):
    """Give a treasury one statement an epoch, and let it follow the money to the end."""
    for epoch, units in enumerate(statements):
        treasury.settle(statement(epoch, units), [], stop_day=(epoch + 1) * epoch_days)
    treasury.close()
    return treasury


def in_days(at_s):
    return np.where(np.asarray(at_s) == NEVER, np.nan, (np.asarray(at_s) - GENESIS_S) / DAY_S)


class ManyPending:
    """A ledger in which several epochs may wait for their windows; it keeps what it was asked, in order."""

    def __init__(self, num_payees, window_s, max_pending):
        self.max_pending, self._window_s = max_pending, window_s
        self.log = []
        self._cumulative = np.zeros(num_payees, dtype=np.int64)
        self._final, self._claimed = self._cumulative.copy(), self._cumulative.copy()
        self._pending = []

    def post(self, told, at_s):
        assert len(self._pending) < self.max_pending
        self._cumulative = self._cumulative + told.payee_units
        self._pending.append((told.epoch, at_s, self._cumulative))
        self.log.append(("post", told.epoch, at_s))
        return Posting(told.epoch, told.pool_units, at_s, at_s + self._window_s, bytes(32), 1)

    def finalize(self, epoch, at_s):
        oldest, posted_s, self._final = self._pending.pop(0)
        assert oldest == epoch
        assert at_s >= posted_s + self._window_s
        self.log.append(("finalize", epoch, at_s))
        return Settlement(epoch, 0, posted_s, at_s, bytes(32), 2)

    def claim(self, payee_ids, at_s):
        due = self._final - self._claimed
        self._claimed = self._final
        self.log.append(("claim", int(due.sum()), at_s))
        here = np.flatnonzero(due)
        return Payments(at_s, here, due[here], 0)

    def pay(self, payments, at_s):
        return PaymentSplit(at_s, np.array([sum(p.amount_units for p in payments), 0, 0]), 0)

    def deposited_units(self):
        return int(self._cumulative.sum())

    def claimed_units(self):
        return self._claimed

    def withdrawable_units(self):
        return self._final - self._claimed


# ---- closed forms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lags", "window_hours"),
    [({}, 24.0), ({"report": 3.0, "cash_in": 10.5}, 24.0), ({"matching": 61.0, "statement": 30.0}, 72.0)],
)
def test_median_is_half_an_epoch_and_all_lags_and_the_window(lags, window_hours):
    """A listener plays the same every day, so that money is earned evenly over the epoch."""
    config = money(lags=lags, cash_out=10 / 24)
    treasury = treasury_of(config, num_payees=1, days=28 * 3, epoch_days=28, window_hours=window_hours)
    live(treasury, [[28_000]] * 3, epoch_days=28)
    settled = [(28 * e, np.full((1, 28), 1_000)) for e in range(3)]
    _, _, durations = durations_of(treasury, settled, EconomyConfig().calendar, 0)
    found = {
        o.name: o.value for o in money_outcomes(MoneyEvidence(durations, 84_000, 3, 0, 0, np.zeros(1, np.int64), 0))
    }
    expected = 28 / 2 + sum(lags.values()) + window_hours / 24
    # Money is earned at the middle of whole days: the median lies on one of the two days beside the epoch's middle.
    assert found["settlement_days_withdrawable_median"] == pytest.approx(expected, abs=0.5 + SLACK)
    assert found["settlement_days_paid_median"] == pytest.approx(expected + 10 / 24, abs=0.5 + SLACK)
    assert found["settlement_step_days_usage"] == pytest.approx(14.0)
    for step in ("report", "matching", "cash_in", "statement"):
        assert found[f"settlement_step_days_{step}"] == pytest.approx(lags.get(step, 0.0))
    assert found["settlement_step_days_settlement"] == pytest.approx(window_hours / 24, abs=SLACK)
    assert found["settlement_step_days_cash_out"] == pytest.approx(10 / 24, abs=SLACK)


@pytest.mark.parametrize("kind", ["on_chain", "manual"])
def test_steps_sum_to_the_days_to_payment_and_shared_ones_are_those_of_both_kinds(kind):
    chain = money(kind, lags={"report": 2.0, "matching": 1.0, "statement": 4.0}, cash_out=0.5, batch_days=10)
    rows = lived(days=21, money_chain=chain).results().tables["settlement"]
    parts = np.stack([rows[f"{step}_days"] for step in STEPS])
    np.testing.assert_allclose(parts.sum(axis=0), rows["days_to_paid"], atol=1e-9)
    np.testing.assert_allclose(parts[1:5], np.array([2.0, 1.0, 0.0, 4.0])[:, None] * np.ones(parts.shape[1]))
    ends = np.minimum((rows["epoch"] + 1) * 7, 21)
    np.testing.assert_allclose(rows["usage_days"], ends - rows["day"] - 0.5)


def test_nothing_but_settlement_differs_between_the_kinds():
    one, two = (lived(days=20, money_chain=money(kind)).results() for kind in ("on_chain", "manual"))
    for table in ("daily", "works", "payouts", "licences", "payees"):
        for column, values in one.tables[table].items():
            np.testing.assert_array_equal(values, two.tables[table][column], err_msg=f"{table}.{column}")
    moved = {
        a.name
        for a, b in zip(one.outcomes, two.outcomes, strict=True)
        if a.name == b.name and a.value != b.value and not (np.isnan(a.value) and np.isnan(b.value))
    }
    assert moved
    assert all(name.startswith(("settlement_days", "settlement_step_days")) for name in moved)


# ---- the calendar on the ledger ------------------------------------------------------------------------------------


def test_epochs_wait_for_their_windows_side_by_side_and_claims_pay_each_at_its_own_time():
    """Weekly epochs, a window of ten days, claims six days later: three things are under way at once."""
    ledger = ManyPending(3, 10 * DAY_S, max_pending=7)
    treasury = live(treasury_of(money(cash_out=6.0), ledger=ledger), [[1, 0, 0], [0, 20, 0], [0, 0, 300], [4, 0, 0]])
    for line in treasury.books:
        ended = 7 * (line.epoch + 1)
        assert in_days(line.posted_s) == ended
        assert in_days(line.payee_withdrawable_s).tolist() == [ended + 10.0] * 3
        assert in_days(line.payee_paid_s).tolist() == [ended + 16.0] * 3
    assert [amount for what, amount, _ in ledger.log if what == "claim"] == [1, 20, 300, 4]
    assert [at_s for _, _, at_s in ledger.log] == sorted(at_s for _, _, at_s in ledger.log)


@pytest.mark.parametrize(("max_pending", "posted"), [(1, [7, 27, 47, 67]), (2, [7, 14, 27, 34]), (7, [7, 14, 21, 28])])
def test_a_statement_waits_only_while_as_many_epochs_are_pending_as_the_ledger_allows(max_pending, posted):
    ledger = ManyPending(3, 20 * DAY_S, max_pending)
    treasury = live(treasury_of(money(), ledger=ledger), [[1, 2, 3]] * 4)
    assert [in_days(line.posted_s) for line in treasury.books] == posted


def test_a_claim_pays_whatever_is_final_by_then():
    """Money is claimed twenty days after it could be: by then two further epochs are final, and are paid with it."""
    ledger = ManyPending(3, 1 * DAY_S, max_pending=7)
    treasury = live(
        treasury_of(money(cash_out=20.0), ledger=ledger), [[1, 0, 0], [20, 0, 0], [300, 0, 0], [4_000, 0, 0]]
    )
    assert [(amount, in_days(at_s)) for what, amount, at_s in ledger.log if what == "claim"] == [
        (321, 28.0),
        (4_000, 35.0),
    ]
    assert [in_days(line.payee_paid_s[0]) for line in treasury.books] == [28, 28, 28, 35]


@pytest.mark.parametrize(
    ("every", "at_end", "paid"),
    [
        (1, True, [8, 15, 22, 29, 36]),
        (2, True, [15, 15, 29, 29, 36]),
        (2, False, [15, 15, 29, 29, np.nan]),
        (0, True, [np.nan] * 5),
    ],
)
def test_claim_policy_says_which_epochs_wait_for_which(every, at_end, paid):
    ledger = ManyPending(3, 1 * DAY_S, max_pending=7)
    config = money(claim_every_epochs=every, claim_at_end=at_end)
    treasury = live(treasury_of(config, days=35, ledger=ledger), [[1, 2, 3]] * 5)
    np.testing.assert_array_equal([in_days(line.payee_paid_s[0]) for line in treasury.books], paid)


def test_what_falls_due_after_the_end_of_observation_is_censored():
    """Followed for three days: the last statement (lag 2) is posted on day 30, and its window is open on day 31."""
    config = money(lags={"report": 2.0}, cash_out=1.0, follow_days=3.0)
    ledger = ManyPending(3, 2 * DAY_S, max_pending=7)
    treasury = live(treasury_of(config, ledger=ledger), [[1, 2, 3]] * 4)
    last = treasury.books[-1]
    assert (in_days(last.posted_s), last.withdrawable_s, last.claimed_units, last.deposited_units) == (30, NEVER, 0, 6)
    assert in_days(treasury.books[-2].payee_paid_s).tolist() == [26.0] * 3
    _, day, durations = durations_of(
        treasury, [(7 * e, np.ones((3, 7), np.int64)) for e in range(4)], EconomyConfig().calendar, 0
    )
    np.testing.assert_allclose(durations.observed_days, 31.0 - (day + 0.5))


# ---- payment by hand -----------------------------------------------------------------------------------------------


def test_the_queue_is_the_one_worked_out_by_hand():
    """Runs on days 10, 20, ...; from 50 units; a payment costs 5; in hand 2 days later. Statements a day after epochs.

    =====  ===========  ==========================  ==============================================
    day    comes in     balances                    run pays
    =====  ===========  ==========================  ==============================================
    8      60, 20,  4   60, 20,  4
    10                                              payee 0: 60 (55 net)
    15     10, 20,  4   10, 40,  8
    20                                              nobody
    22      0, 20,  4   10, 60, 12
    29     45, 20,  4   55, 80, 16
    30                                              payee 0: 55 (50 net), payee 1: 80 (75 net)
    =====  ===========  ==========================  ==============================================
    """
    config = money("manual", lags={"report": 1.0}, cash_out=2.0, batch_days=10, cost_units=5, minimum_units=50)
    treasury = live(treasury_of(config), [[60, 20, 4], [10, 20, 4], [0, 20, 4], [45, 20, 4]])
    nan = np.nan
    expected = [([10, 30, nan], 0), ([30, 30, nan], 0), ([nan, 30, nan], 0), ([30, 30, nan], 10)]
    for line, (withdrawable, _) in zip(treasury.books, expected, strict=True):
        np.testing.assert_array_equal(in_days(line.payee_withdrawable_s), withdrawable)
        np.testing.assert_array_equal(in_days(line.payee_paid_s), np.array(withdrawable) + 2)
    queue = treasury.settlement
    assert queue.received_units.tolist() == [55 + 50, 75, 0]
    assert queue.held_units.tolist() == [0, 0, 16]
    assert queue.sinks == {"payment costs": 15}
    # The first payment fell to the first epoch; the other two to the last that was in.
    assert [line.cost_units for line in treasury.books] == [5, 0, 0, 10]
    assert [treasury.settlement.passed_over(line).tolist() for line in treasury.books] == [[0, 0, 4]] * 4
    assert treasury.ledger.deposited_units() == 0


def test_balances_below_the_minimum_are_trapped_and_their_wait_is_told():
    config = money("manual", batch_days=10, minimum_units=50, follow_days=22.0)
    treasury = live(treasury_of(config), [[60, 20, 0], [60, 5, 0], [60, 0, 0], [60, 0, 0]])
    settled = [(7 * e, np.array([[60] + [0] * 6, [u] + [0] * 6, [0] * 7])) for e, u in enumerate((20, 5, 0, 0))]
    _, _, durations = durations_of(treasury, settled, EconomyConfig().calendar, 0)
    found = {o.name: o for o in money_outcomes(MoneyEvidence(durations, 265, 4, 0, 0, np.zeros(1, np.int64), 0))}
    assert found["trapped_money_share"].value == found["unpaid_money_share"].value == pytest.approx(100 * 25 / 265)
    # Followed to day 50; 20 of the 25 units have waited since day 7.
    assert found["trapped_months_median"].value == pytest.approx((50 - 7) / (365.25 / 12))


def test_a_payment_that_its_cost_would_eat_up_is_not_made():
    treasury = live(treasury_of(money("manual", batch_days=7, cost_units=10)), [[10, 11, 0]] + [[0, 0, 0]] * 3)
    assert treasury.settlement.received_units.tolist() == [0, 1, 0]


@pytest.mark.parametrize("first", [0.0, 3.0, 9.5])
def test_payment_runs_fall_one_period_apart_from_the_stated_day_on(first):
    treasury = live(treasury_of(money("manual", batch_days=10, first_batch_days=first)), [[1, 2, 3]] * 4)
    runs = first + 10 * np.arange(8)
    expected = [min(runs[runs >= 7 * (line.epoch + 1)]) for line in treasury.books]
    assert [in_days(line.payee_paid_s[0]) for line in treasury.books] == expected


def test_where_nobody_says_when_payment_runs_fall_replications_draw_it_evenly_and_money_waits_half_a_period():
    waits = []
    for replication in range(200):
        config = money("manual", batch_days=30, first_batch_days=None)
        pair = [live(treasury_of(config, keys=Keys(5, replication)), [[1, 2, 3]] * 4) for _ in range(2)]
        one, other = ([in_days(line.payee_paid_s[0]) for line in treasury.books] for treasury in pair)
        assert one == other
        waits.append(one[0] - 7)
    assert 0 <= min(waits) < 1.5 < 28.5 < max(waits) <= 30
    # Uniform over 30 days: the standard error of 200 is 0.61.
    assert np.mean(waits) == pytest.approx(15, abs=2.0)


amounts = st.lists(st.lists(st.integers(0, 10**12), min_size=3, max_size=3), min_size=4, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    amounts,
    st.sampled_from(["on_chain", "manual"]),
    st.floats(0, 40),
    st.floats(0, 40),
    st.integers(0, 3),
    st.integers(0, 10**12),
    st.integers(0, 10**6),
    st.floats(1, 60),
    st.floats(0, 200),
)
def test_no_unit_of_money_is_made_or_lost(units, kind, report, cash_out, every, minimum, cost, batch, follow):
    config = money(
        kind,
        follow_days=follow,
        lags={"report": report},
        cash_out=cash_out,
        claim_every_epochs=every,
        batch_days=batch,
        cost_units=cost,
        minimum_units=minimum,
    )
    treasury = live(treasury_of(config), units)
    stated = sum(map(sum, units))
    taken_in = sum(line.deposited_units for line in treasury.books)
    paid = sum(line.claimed_units for line in treasury.books)
    assert taken_in <= stated == sum(line.statement_units for line in treasury.books)
    if kind == "on_chain":
        ledger = treasury.ledger.audit()
        assert (ledger.deposited, ledger.claimed) == (taken_in, paid)
        assert ledger.unclaimed + ledger.pending == taken_in - paid
    else:
        queue = treasury.settlement
        held, received = int(queue.held_units.sum()), int(queue.received_units.sum())
        on_way = sum(int(net.sum()) for _, net in queue._on_way)
        assert held + on_way + received + queue.cost_units == taken_in
        assert queue.cost_units % max(cost, 1) == 0
        assert sum(line.cost_units for line in treasury.books) == queue.cost_units
    for line in treasury.books:
        paid_here = line.payee_paid_s != NEVER
        assert (line.payee_paid_s[paid_here] >= line.payee_withdrawable_s[paid_here]).all()
        assert (line.payee_withdrawable_s[line.payee_withdrawable_s != NEVER] >= line.ready_s).all()


# ---- Kaplan-Meier --------------------------------------------------------------------------------------------------


def first_at_or_below(survival, level):
    reached = survival.index[survival <= level + 1e-12]
    return reached[0] if len(reached) else np.inf


# Fractions of payments are no whole weights, at which lifelines warns of its variances; none are used here.
@pytest.mark.filterwarnings("ignore:It looks like your weights are not integers")
def test_quantiles_are_those_of_lifelines_where_some_money_is_never_paid():
    from lifelines import KaplanMeierFitter

    config = money("manual", batch_days=15, minimum_units=20_000_000, follow_days=20.0)
    results = lived(days=30, money_chain=config).results()
    rows, found = results.tables["settlement"], {o.name: o.value for o in results.outcomes}
    for weights, suffix in ((rows["units"].astype(float), ""), (rows["payments"], "_payments")):
        for column in ("withdrawable", "paid"):
            days, here = rows[f"days_to_{column}"], weights > 0
            happened = ~np.isnan(days)
            times = np.where(happened, days, rows["days_observed"])
            fitter = KaplanMeierFitter().fit(times[here], happened[here], weights=weights[here])
            for name, q in (("median", 0.5), ("p90", 0.9)):
                theirs = first_at_or_below(fitter.survival_function_["KM_estimate"], 1 - q)
                ours = found[f"settlement_days_{column}{suffix}_{name}"]
                assert ours == pytest.approx(theirs) if np.isfinite(theirs) else np.isnan(ours)
    assert np.isnan(rows["days_to_paid"]).any()


# ---- putting down and taking up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [8, 14, 17])
@pytest.mark.parametrize(
    "chain",
    [
        money(lags={"report": 2.0, "cash_in": 6.5}, cash_out=3.0),
        money("manual", lags={"matching": 5.0}, cash_out=4.0, batch_days=6, cost_units=3, minimum_units=9_000_000),
    ],
    ids=["on_chain", "manual"],
)
def test_queues_are_put_down_and_taken_up_bit_for_bit(chain, day, tmp_path):
    whole = lived(days=20, money_chain=chain)
    first = small_economy(days=20, money_chain=chain)
    first.run(until=day)
    write_state(first.snapshot(), tmp_path / "state.npz")
    second = small_economy(days=20, money_chain=chain)
    second.restore(read_state(tmp_path / "state.npz"))
    fork = first.fork()
    for economy in (first, second, fork):
        economy.run()
        same_results(whole, economy)


def test_money_that_waits_in_one_kinds_queues_does_not_go_on_in_the_others():
    trunk = small_economy(days=14, money_chain=money())
    trunk.run(until=8)
    with pytest.raises(InputError, match="settled on_chain cannot go on manual"):
        trunk.fork(replace(trunk.parts, money_chain=money("manual")))


# ---- licences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["on_chain", "manual"])
def test_every_published_derivative_pays_its_source_and_the_fee_is_no_part_of_the_payout(kind):
    # Communities that keep to their terms: with others a fee is income, and they answer to it.
    still = {"strictness_step": 0.0, "share_step_bps": 0, "withdrawal_share": 1.0}
    steady = tuple(c.model_copy(update=still) for c in COMMUNITIES)
    economy = lived(days=20, money_chain=money(kind), communities=steady)
    results = economy.results()
    fee = economy.parts.making.licence_fee_units
    table, found = results.tables["licences"], {o.name: o.value for o in results.outcomes}
    assert len(table["units"]) == found["works_generated"] > 0
    assert found["licence_fees_units"] == fee * found["works_generated"]
    by_community = [found[f"licence_fees_units_community_{c}"] for c in range(len(COMMUNITIES))]
    # A source is its community's own, or one of its members'.
    assert by_community == [float(table["units"][table["community"] == c].sum()) for c in range(len(COMMUNITIES))]
    for_nothing = replace(CREATORS.making_rules, licence_fee_units=0)
    free = lived(days=20, money_chain=money(kind), communities=steady, making=for_nothing).results()
    for name in ("payouts", "epochs", "daily"):
        for column, values in results.tables[name].items():
            # Paying takes blocks of its own, a second each, before the posting that falls into the same second.
            if column.endswith("_s"):
                np.testing.assert_allclose(values, free.tables[name][column], rtol=0, atol=2, err_msg=column)
            else:
                np.testing.assert_array_equal(values, free.tables[name][column], err_msg=f"{name}.{column}")


def test_a_ledger_that_splits_a_fee_into_another_sum_stops_the_run():
    class Keeping(ManyPending):
        def pay(self, payments, at_s):
            split = super().pay(payments, at_s)
            return replace(split, payee_units=split.payee_units // 2)

    treasury = treasury_of(money(), ledger=Keeping(3, DAY_S, 7))
    treasury.license([LicenceFee(0, 0, 0, 100)])
    with pytest.raises(LedgerError, match="credited as"):
        treasury.pay_licences([(Stem(0, 10_000),)], GENESIS_S)
