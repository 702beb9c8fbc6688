"""Books folded from events: each step is held against what came before it."""

from fractions import Fraction

import pytest

from heritage_contracts.chain_books import EVENT_NAMES, ChainBooks, DifferenceError, event_of
from heritage_contracts.chain_books.splitting import DECAY, LAP, LRP, Splitter
from heritage_contracts.chain_books.works import ChainWork
from heritage_contracts.compiled import load, signature
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import keccak256, word
from heritage_contracts.verification.contracts import contracts_of, first_difference

AT = Deployment(LedgerConfig(), 3, 1_767_225_600)
TOPICS = {name: topic for topic, name in EVENT_NAMES.items()}


def event(contract, name, *words, indexed=1, at_s=0, call=b""):
    topics = (TOPICS[name], *words[:indexed])
    return event_of(contract, topics, b"".join(words[indexed:]), call=call, at_s=at_s, block=1, gas=7, where="here")


def account(i):
    return AT.payee_addresses[i].rjust(32, b"\0")


def registered(books):
    for payee, payee_id in enumerate(AT.payee_ids):
        books.take(event(AT.payees, "PayeeRegistered", payee_id, account(payee), word(0), indexed=3))
    return books


def posted(epoch, total, deposit, head=AT.first_head, at_s=0):
    words = word(epoch), keccak256(b"root"), word(total), word(deposit), head, keccak256(b"data")
    return event(AT.distributor, "Posted", *words, at_s=at_s)


def claimed(payee, units):
    return event(AT.distributor, "Claimed", AT.payee_ids[payee], account(payee), word(units), indexed=2)


def books_with(leaves):
    return registered(ChainBooks(AT, lambda _: leaves))


def test_every_event_of_the_shipped_contracts_that_moves_money_or_rights_is_known():
    names = {
        signature(entry): keccak256(signature(entry).encode())
        for contract in contracts_of(AT)
        for entry in load(contract)["abi"]
        if entry["type"] == "event"
    }
    unknown = {name.partition("(")[0] for name, topic in names.items() if topic not in EVENT_NAMES}
    assert set(EVENT_NAMES) <= set(names.values())
    # Roles, allowances and the domain of signatures: they move nothing.
    assert unknown <= {"Approval", "RoleGranted", "RoleRevoked", "RoleAdminChanged", "EIP712DomainChanged"}


def test_an_epoch_is_posted_made_final_and_paid():
    books = books_with({AT.payee_ids[0]: 60, AT.payee_ids[1]: 40})
    books.take(posted(0, 100, 100))
    books.take(event(AT.distributor, "Finalized", word(0), word(100), at_s=86_400))
    books.take(claimed(0, 60))
    assert (books.final_units, books.pending_units, books.due(AT.payee_ids[0])) == (100, 0, (0, 0))
    assert books.due(AT.payee_ids[1]) == (40, 0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (posted(1, 100, 100), "number of the epoch"),
        (posted(0, 100, 99), "deposit"),
        (posted(0, 100, 100, head=bytes(32)), "provenance head"),
        (event(AT.distributor, "Finalized", word(0), word(100)), "pending"),
        (claimed(0, 1), "what the leaf allows"),
        (event(AT.distributor, "Funded", word(1), word(5)), ""),
        (event(AT.pool, "Paid", word(9), word(1), word(5), indexed=2), "work that is paid"),
        (event(AT.pool, "Credited", word(9), AT.payee_ids[0], word(5), indexed=2), "direct payment"),
        (event(AT.pool, "Withdrawn", AT.payee_ids[0], account(0), word(5), indexed=2), "whole balance"),
    ],
)
def test_what_cannot_follow_is_named(wrong, named):
    books = books_with({})
    if not named:
        books.take(wrong)
        assert books.funded_units == 5
        return
    with pytest.raises(DifferenceError) as told:
        books.take(wrong)
    assert named in told.value.what
    assert "here" in told.value.where


def test_amounts_that_fall_and_early_finalisation_are_named():
    books = books_with({AT.payee_ids[0]: 60})
    books.take(posted(0, 60, 60, at_s=10))
    with pytest.raises(DifferenceError, match="second of finalisation"):
        books.take(event(AT.distributor, "Finalized", word(0), word(60), at_s=86_409))
    leaves = {AT.payee_ids[0]: 60}
    books = registered(ChainBooks(AT, lambda epoch: leaves if epoch.epoch == 0 else {AT.payee_ids[0]: 59}))
    for epoch in (0, 1):
        books.take(posted(epoch, 60, 0 if epoch else 60))
    books.take(event(AT.distributor, "Finalized", word(0), word(60), at_s=86_400))
    with pytest.raises(DifferenceError, match="never fall") as told:
        books.take(event(AT.distributor, "Finalized", word(1), word(60), at_s=86_401))
    assert "epoch 1, payee 0x" in told.value.where


def test_a_dispute_drops_the_epochs_posted_on_top():
    books = books_with({})
    for epoch in range(3):
        books.take(posted(epoch, 10 * epoch, 10 if epoch else 0))
    books.take(event(AT.distributor, "Disputed", word(1), keccak256(b"root"), word(2)))
    books.take(posted(1, 15, 0))
    assert [(e.epoch, e.total_units) for e in books.epochs] == [(0, 0), (1, 15)]
    assert (books.funded_units, books.num_disputed) == (20, 2)


def work(number, parents=(), share=0, stems=((b"a" * 32, 10_000),)):
    key = word(number)
    return ChainWork(key, number, b"", b"", 1, 31, share, tuple(word(p) for p in parents), tuple(stems), 0)


DIAMOND = {
    w.key: w for w in (work(0, (), 10**7), work(1, (0,), 2 * 10**7), work(2, (0,), 3 * 10**7), work(3, (1, 2), 0))
}


@pytest.mark.parametrize(
    ("rule", "every_path", "decay", "shares"),
    [
        # Work 0 is reached by two paths; each gives it its whole share, or both together do once.
        (LAP, True, 0, {0: Fraction(2, 10), 1: Fraction(2, 10), 2: Fraction(3, 10), 3: Fraction(3, 10)}),
        (LAP, False, 0, {0: Fraction(1, 10), 1: Fraction(2, 10), 2: Fraction(3, 10), 3: Fraction(4, 10)}),
        (DECAY, True, 5 * 10**7, {0: Fraction(1, 10), 1: Fraction(2, 10), 2: Fraction(3, 10), 3: Fraction(4, 10)}),
        # Parents pass a tenth of what they get on to work 0.
        (LRP, True, 0, {0: Fraction(5, 100), 1: Fraction(18, 100), 2: Fraction(27, 100), 3: Fraction(5, 10)}),
    ],
)
def test_a_diamond_is_shared_out_as_each_rule_says(rule, every_path, decay, shares):
    parts = Splitter(DIAMOND, rule, every_path, decay).parts(word(3), 100_000)
    assert {int.from_bytes(key, "big"): units for key, _, units in parts} == {k: v * 100_000 for k, v in shares.items()}


def test_leftover_units_go_to_the_largest_remainders_and_ties_to_the_first():
    thirds = ((b"a" * 32, 3_333), (b"b" * 32, 3_333), (b"c" * 32, 3_334))
    works = {word(0): work(0, stems=thirds)}
    # 0.6666, 0.6666 and 0.6668 of a unit: the third comes first, then the first of the two that tie.
    assert [payee[:1] for _, payee, _ in Splitter(works, LAP, True, 0).parts(word(0), 2)] == [b"a", b"c"]
    assert sum(units for *_, units in Splitter(works, LAP, True, 0).parts(word(0), 10**18 + 1)) == 10**18 + 1


def test_code_is_compared_but_for_what_creation_fills_in():
    push_setting, stop = b"\x7f" + bytes(32), b"\0"
    shipped = b"\x60\x01" + push_setting + stop
    assert first_difference(shipped, b"\x60\x01\x7f" + b"\x05" * 32 + stop) == -1
    assert first_difference(shipped, b"\x60\x02\x7f" + b"\x05" * 32 + stop) == 1
    assert first_difference(shipped, b"\x60\x01\x7f" + b"\x05" * 32 + b"\1") == 35
    # Data behind a push that looks like a push of a setting is data.
    inside = b"\x61\x7f\x00" + bytes(32)
    assert first_difference(inside, inside[:3] + b"\1" + inside[4:]) == 3


def test_a_difference_survives_the_way_between_processes():
    import pickle

    error = DifferenceError("gas", 1_000, 2, "line 3")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.expected, again.found, again.compared) == (str(error), "1,000", "2", "gas")
