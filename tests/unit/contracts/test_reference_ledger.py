"""The reference ledger's books and refusals, against sums kept by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import DAY_S, GENESIS_S, record, settle, statement
from ledgers import make as make_any

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_contracts.ledgers.reference.pool import share_out
from heritage_contracts.refusals import RefusalError
from heritage_sim.base import DirectPayment, InputError, Ledger, LedgerError, largest_remainder


def ledger(num_payees=3, **config):
    return make_any("reference", num_payees, **config)


def test_it_keeps_the_protocol():
    assert isinstance(ledger(), Ledger)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 10**12), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.sets(st.integers(0, 3)), min_size=6, max_size=6),
)
def test_books_equal_sums_kept_by_hand(epochs, claimers):
    books = ledger(4)
    owed, paid = [0] * 4, [0] * 4
    for i, units in enumerate(epochs):
        at_s = GENESIS_S + (i + 1) * 7 * DAY_S
        settle(books, statement(i, units), at_s)
        owed = [a + b for a, b in zip(owed, units, strict=True)]
        payments = books.claim(sorted(claimers[i]), at_s + 2 * DAY_S)
        for payee, amount in zip(payments.payee_ids.tolist(), payments.amounts_units.tolist(), strict=True):
            assert amount == owed[payee] - paid[payee] > 0
            paid[payee] += amount
        audit = books.audit()
        assert audit.deposited == sum(owed)
        assert (audit.claimed, audit.unclaimed) == (sum(paid), sum(owed) - sum(paid))
        assert books.claimed_units().tolist() == paid


def test_money_is_withdrawable_one_window_after_posting():
    books = ledger(challenge_window_hours=36.0)
    posted = books.post(statement(0, [1, 2, 3]), GENESIS_S + DAY_S)
    assert posted.posted_s == GENESIS_S + DAY_S
    assert posted.final_from_s == posted.posted_s + 36 * 3600
    with pytest.raises(LedgerError, match="WindowOpen"):
        books.finalize(0, posted.final_from_s - 1)
    assert books.withdrawable_units().tolist() == [0, 0, 0]
    assert books.audit().pending == 6
    settled = books.finalize(0, posted.final_from_s)
    assert settled.withdrawable_s == settled.posted_s + 36 * 3600
    assert books.withdrawable_units().tolist() == [1, 2, 3]
    assert books.audit().pending == 0


def test_only_the_oldest_pending_epoch_is_made_final():
    books = ledger()
    with pytest.raises(LedgerError, match="NothingPending"):
        books.finalize(0, GENESIS_S)
    settle(books, statement(0, [1, 1, 1]), GENESIS_S)
    with pytest.raises(LedgerError, match="NothingPending"):
        books.finalize(0, GENESIS_S + 9 * DAY_S)


def test_a_second_claim_pays_nothing_and_makes_no_block():
    books = ledger()
    at_s = settle(books, statement(0, [5, 0, 7]), GENESIS_S + DAY_S).withdrawable_s + 100
    first = books.claim([2, 0, 0, 1], at_s)
    assert (first.payee_ids.tolist(), first.amounts_units.tolist()) == ([0, 2], [5, 7])
    second = books.claim([0, 1, 2], at_s + 50)
    assert second.payee_ids.size == 0
    assert second.paid_s == at_s + 50
    assert books.last_block_s() == first.paid_s == at_s


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (statement(1, [1, 1, 1]), "WrongEpoch"),
        (statement(0, [1, 1, 1], pool=4), "sum to 3, the pool is 4"),
        (statement(0, [5, -1, 0]), "negative"),
        (statement(0, [1, 1]), "for 3 payees"),
        (statement(0, [2**61, 2**61, 0], pool=2**62), "2\\^62"),
    ],
)
def test_an_impossible_statement_is_refused_and_changes_nothing(bad, said):
    books = ledger()
    with pytest.raises(LedgerError, match=said):
        books.post(bad, GENESIS_S)
    assert books.deposited_units() == 0
    assert books.snapshot()["journal"] == []
    books.post(statement(0, [1, 1, 1]), GENESIS_S)


def test_an_epoch_is_posted_once():
    books = ledger()
    books.post(statement(0, [1, 1, 1]), GENESIS_S)
    with pytest.raises(LedgerError, match="WrongEpoch"):
        books.post(statement(0, [1, 1, 1]), GENESIS_S + DAY_S)


def test_registering_twice_is_once():
    books = ledger()
    books.register([record(0), record(1, [0])], GENESIS_S)
    head = books.provenance_head()
    books.register([record(0), record(1, [0]), record(1, [0])], GENESIS_S + 5)
    assert books.provenance_head() == head
    assert books.audit().num_works == 2


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([record(5, [9])], "names work 9"),
        ([record(5, [5])], "names work 5"),
        ([record(6, [7]), record(7)], "names work 7"),
        ([record(0, content=b"\xff" * 32, stems=())], "registered with another record"),
        ([record(5, content=b"short")], "not 32 bytes"),
        ([record(5, [0] * 17)], "TooManyParents"),
    ],
)
def test_an_impossible_record_is_refused_with_its_batch(bad, said):
    books = ledger(5)
    books.register([record(0)], GENESIS_S)
    head = books.provenance_head()
    with pytest.raises(LedgerError, match=said):
        books.register([record(4), *bad], GENESIS_S)
    assert books.provenance_head() == head
    books.register([record(4)], GENESIS_S)


def test_an_unknown_payee_cannot_claim():
    with pytest.raises(LedgerError, match="payee 3"):
        ledger().claim([0, 3], GENESIS_S)


def test_a_ledger_needs_payees_and_an_hour_to_deploy_in():
    with pytest.raises(InputError, match="at least one payee"):
        make_ledger(LedgerConfig(), [], GENESIS_S)
    with pytest.raises(InputError, match="too early"):
        make_ledger(LedgerConfig(), ["a"], 0)


def test_a_journal_of_other_payees_is_refused():
    books = ledger()
    books.post(statement(0, [1, 2, 3]), GENESIS_S)
    with pytest.raises(LedgerError, match="does not lead to the state"):
        ledger(payee_salt="another").restore(books.snapshot())


def test_only_the_first_replications_run_on_the_chain():
    config = LedgerConfig(kind="evm", evm_replications=2)
    assert [config.of_replication(r).kind for r in range(4)] == ["evm", "evm", "reference", "reference"]
    assert {LedgerConfig().of_replication(r).kind for r in range(4)} == {"reference"}


def test_published_epoch_leads_back_to_what_was_posted():
    books = ledger()
    books.register([record(0)], GENESIS_S)
    for epoch in range(2):
        settle(books, statement(epoch, [1, 2, 3]), GENESIS_S + epoch * 7 * DAY_S)
    published = books.published_epoch(1)
    assert books.verify_epoch(published).total_units == 12
    assert b"payee 0" not in published
    forged = published.replace(b",4]", b",5]", 1)
    assert forged != published
    with pytest.raises(LedgerError, match="root and total_units and data_hash"):
        books.verify_epoch(forged)
    with pytest.raises(InputError, match="not an epoch's published data"):
        books.verify_epoch(b"{}")
    with pytest.raises(LedgerError, match="epoch 7 is not posted"):
        books.published_epoch(7)


@given(st.integers(0, 2**60), st.lists(st.integers(0, 5_000), min_size=1, max_size=12))
def test_parts_are_those_of_the_house_s_largest_remainder(units, weights):
    whole = sum(weights) + 1
    weights = [*weights, 1]
    assert share_out(units, weights, whole) == largest_remainder(units, weights).tolist()


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 30), max_size=4), st.integers(0, 3_000_000)), min_size=1, max_size=9),
    st.integers(1, 10**9),
)
def test_a_payment_reaches_every_ancestor_by_every_path(works, units):
    """Paths are counted one by one, and shares added up as fractions; each work's part is right to the unit."""
    graph = [sorted({p % i for p in parents} if i else ()) for i, (parents, _) in enumerate(works)]
    books = ledger(10)
    books.register([record(i, graph[i], works[i][1], stems=((i, 10_000),)) for i in range(len(works))], GENESIS_S)
    last = len(works) - 1
    ways, paths = list(graph[last]), [0] * len(works)
    while ways:
        work = ways.pop()
        paths[work] += 1
        ways += graph[work]
    due = [paths[w] * works[w][1] for w in range(len(works))]
    due[last] = 10**8 - sum(due)
    if due[last] < 0:
        with pytest.raises(RefusalError, match="StackAboveWhole"):
            books.pay([DirectPayment(last, units)], GENESIS_S)
        return
    credited = books.pay([DirectPayment(last, units)], GENESIS_S).payee_units.tolist()
    assert sum(credited) == units
    for work, part in enumerate(credited[: len(works)]):
        assert units * due[work] // 10**8 <= part <= -(-units * due[work] // 10**8)
