"""Every ledger gives the same books, roots, times and refusals for the same intents.

The embedded chain runs in this process; a fresh deployment costs about a third of a CPU second, so random intents get
few examples and long stories.
"""

import eth  # noqa: F401  (py-evm sets the recursion limit when imported, which Hypothesis watches inside a test)
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import Ledger, LedgerError, ProvenanceRecord, Statement

GENESIS_S = 1_767_225_600
DAY_S = 86_400
NUM_PAYEES = 5
KINDS = ("reference", "evm")

pytestmark = pytest.mark.integration


def make(kind, num_payees=NUM_PAYEES, **config):
    return make_ledger(LedgerConfig(kind=kind, **config), [f"payee {i}" for i in range(num_payees)], GENESIS_S)


def statement(epoch, units, pool=None):
    amounts = np.array(units, dtype=np.int64)
    return Statement(epoch, "test", int(amounts.sum()) if pool is None else pool, amounts, np.zeros(0, np.int64), ())


def settle(ledger, told, at_s):
    return ledger.finalize(told.epoch, ledger.post(told, at_s).final_from_s)


def record(work_id, parents=()):
    return ProvenanceRecord(work_id, work_id.to_bytes(32, "big"), work_id % 3, work_id % 16, tuple(parents))


def books(ledger):
    audit = ledger.audit()
    return audit, ledger.claimed_units().tolist(), ledger.withdrawable_units().tolist(), ledger.provenance_head()


# An intent is (name, what, seconds after the one before); parents of record n are drawn below n.
intents = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.lists(st.integers(0, 12), max_size=5), st.integers(0, 3 * DAY_S)),
        st.tuples(
            st.just("post"),
            st.lists(st.integers(0, 10**13), min_size=NUM_PAYEES, max_size=NUM_PAYEES),
            st.integers(0, 9 * DAY_S),
        ),
        st.tuples(st.just("finalize"), st.integers(1, 2), st.integers(0, 3 * DAY_S)),
        st.tuples(st.just("claim"), st.lists(st.integers(-1, NUM_PAYEES), max_size=7), st.integers(0, 3 * DAY_S)),
        st.tuples(st.just("skip"), st.integers(0, 3), st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


def carry_out(ledger, story):
    """Return what the ledger answered to each intent: a refusal by its text, else the plain values."""
    answers, at_s, epoch = [], GENESIS_S, 0
    for name, what, wait_s in story:
        at_s += wait_s
        try:
            if name == "register":
                ledger.register([record(w, [w // 2] if w else []) for w in what], at_s)
                answers.append(ledger.provenance_head())
            elif name == "post":
                done = ledger.post(statement(epoch, what), at_s)
                answers.append((done.epoch, done.deposit_units, done.posted_s, done.final_from_s, done.root))
                epoch += 1
            elif name == "finalize":
                final = ledger.finalize(epoch - what, at_s)
                answers.append((final.epoch, final.pool_units, final.posted_s, final.withdrawable_s, final.root))
            elif name == "skip":
                ledger.post(statement(epoch + what, [1] * NUM_PAYEES, pool=NUM_PAYEES + 1), at_s)
            else:
                paid = ledger.claim(what, at_s)
                answers.append((paid.paid_s, paid.payee_ids.tolist(), paid.amounts_units.tolist()))
        except LedgerError as refusal:
            answers.append(str(refusal))
    return answers


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(intents)
def test_random_intents_meet_the_same_answers_and_leave_the_same_books(story):
    reference, chain = make("reference"), make("evm")
    assert carry_out(reference, story) == carry_out(chain, story)
    assert books(reference) == books(chain)


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_protocol(kind):
    assert isinstance(make(kind), Ledger)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (statement(1, [1] * NUM_PAYEES), "epoch 1 was posted where 0 is next"),
        (statement(0, [1] * NUM_PAYEES, pool=6), "sum to 5, the pool is 6"),
        (statement(0, [-1, 2, 0, 0, 0]), "negative"),
    ],
)
def test_impossible_statements_are_refused(kind, bad, said):
    ledger = make(kind)
    with pytest.raises(LedgerError, match=said):
        ledger.post(bad, GENESIS_S)
    assert ledger.audit().deposited == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_parent_is_refused(kind):
    with pytest.raises(LedgerError, match="parent 9, which is not registered"):
        make(kind).register([record(1, [9])], GENESIS_S)


def story_of_three_weeks(ledger, weeks=range(3)):
    for week in weeks:
        at_s = GENESIS_S + (week + 1) * 7 * DAY_S
        ledger.register([record(10 * week + i, [10 * week] if i else []) for i in range(4)], at_s)
        settle(ledger, statement(week, [week, 10**12, 3, 0, 7]), at_s)
        ledger.claim([1, 3, week], at_s + 2 * DAY_S)


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_a_journal_rebuilds_the_ledger_in_any_kind_and_the_story_goes_on(source, target):
    undisturbed = make("reference")
    story_of_three_weeks(undisturbed, range(4))
    first = make(source)
    story_of_three_weeks(first)
    second = make(target)
    second.restore(first.snapshot())
    assert books(second) == books(first)
    story_of_three_weeks(second, range(3, 4))
    assert books(second) == books(undisturbed)
    assert second.snapshot()["end"] == undisturbed.snapshot()["end"]


def test_restore_forgets_what_came_after_the_snapshot():
    ledger = make("evm")
    story_of_three_weeks(ledger, range(1))
    kept, before, head = ledger.snapshot(), books(ledger), ledger.chain.head_hash()
    story_of_three_weeks(ledger, range(1, 2))
    assert books(ledger) != before
    ledger.restore(kept)
    assert books(ledger) == before
    assert ledger.chain.head_hash() == head


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_of_nothing_still_takes_a_block(kind):
    done = settle(make(kind, challenge_window_hours=0.0), statement(0, [1] * NUM_PAYEES), GENESIS_S + 60)
    assert (done.posted_s, done.withdrawable_s) == (GENESIS_S + 60, GENESIS_S + 61)


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_epochs_wait_as_the_ledger_says_and_no_more(kind):
    ledger = make(kind, challenge_window_hours=480.0)
    for epoch in range(ledger.max_pending):
        ledger.post(statement(epoch, [1] * NUM_PAYEES), GENESIS_S + epoch * DAY_S)
    with pytest.raises(LedgerError, match="pending"):
        ledger.post(statement(ledger.max_pending, [1] * NUM_PAYEES), GENESIS_S + 9 * DAY_S)
    assert ledger.audit().pending == ledger.max_pending * NUM_PAYEES
    ledger.finalize(0, GENESIS_S + 20 * DAY_S)
    assert ledger.withdrawable_units().tolist() == [1] * NUM_PAYEES
    ledger.post(statement(ledger.max_pending, [1] * NUM_PAYEES), GENESIS_S + 20 * DAY_S)


@pytest.mark.parametrize("kind", KINDS)
def test_published_data_leads_to_what_the_ledger_recorded(kind):
    ledger = make(kind)
    story_of_three_weeks(ledger)
    for epoch in range(3):
        assert ledger.verify_epoch(ledger.published_epoch(epoch)).epoch == epoch
    forged = ledger.published_epoch(1).replace(b'"rule":"test"', b'"rule":"other"')
    with pytest.raises(LedgerError, match="posted with another data_hash"):
        ledger.verify_epoch(forged)


def test_many_payees_and_records_fill_several_blocks_alike():
    num_payees, num_records = 420, 4_000
    units = np.arange(num_payees, dtype=np.int64)
    answers = []
    for kind in KINDS:
        ledger = make(kind, num_payees)
        ledger.register([record(i) for i in range(num_records)], GENESIS_S)
        registered_s = ledger.last_block_s()
        settle(ledger, statement(0, units), GENESIS_S + DAY_S)
        paid = ledger.claim(range(num_payees), GENESIS_S + 3 * DAY_S)
        answers.append((registered_s, paid.paid_s, paid.amounts_units.tolist(), books(ledger)))
    assert answers[0] == answers[1]
    assert answers[0][0] > GENESIS_S
    assert answers[0][1] > GENESIS_S + 3 * DAY_S
