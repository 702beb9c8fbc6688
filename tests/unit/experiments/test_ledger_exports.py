"""What a ledger hands out: exports that hold, a registry that knows what is permitted, sources by content hash."""

from dataclasses import replace

import numpy as np
import pytest

from heritage_contracts import make_ledger
from heritage_contracts.at_rest.folder import LedgerFolder, put_down
from heritage_contracts.chain_books import ChainBooks
from heritage_contracts.chain_books.books import ALL_WORKS, Direct, Label, Payout, Posted
from heritage_contracts.chain_books.works import ChainWork
from heritage_contracts.config import LedgerConfig
from heritage_contracts.export import auditor_lines, check_own_leaf, public_lines, verify_export, write_export
from heritage_contracts.hashing import word
from heritage_experiments import ledger_exports
from heritage_sim.base import Calendar, Consent, InputError, Statement

GENESIS_S = Calendar().genesis_s
UNITS = np.array([[5, 4, 3, 2, 1], [10, 0, 0, 7, 3]], dtype=np.int64)


@pytest.fixture
def folder(tmp_path):
    communities = (0, 1, 0, 1, 1)
    ledger = make_ledger(LedgerConfig(), list("abcde"), GENESIS_S, payee_communities=communities)
    for epoch, units in enumerate(UNITS):
        at_s = GENESIS_S + epoch * 200_000
        ledger.post(Statement(epoch, "r", int(units.sum()), units, np.zeros(0, dtype=np.int64), ()), at_s)
        ledger.finalize(epoch, at_s + 90_000)
    put_down(ledger, tmp_path / "ledger")
    return LedgerFolder(tmp_path / "ledger", ledger.deployment)


@pytest.fixture
def books(folder):
    """Books as its chain would have given them."""
    at = folder.at
    books = ChainBooks(at)
    books.accounts = dict(zip(at.payee_ids, at.payee_addresses, strict=True))
    total = 0
    for epoch, units in enumerate(UNITS):
        total += int(units.sum())
        posted_s = GENESIS_S + epoch * 200_000
        zeros = bytes(32)
        books.epochs.append(
            Posted(epoch, zeros, total, int(units.sum()), zeros, zeros, posted_s, posted_s + 90_000, 9, "")
        )
    books.num_final, books.last_s = 2, GENESIS_S + 400_000
    stems = ((at.payee_ids[0], 10_000),)
    for number, parents in ((0, ()), (1, (word(0),))):
        content = bytes([number + 1]) * 32
        books.works.by_key[word(number)] = ChainWork(
            word(number), number, content, bytes(32), 1 + number, int(Consent.ALL), 0, parents, stems, GENESIS_S
        )
    books.labels = [Label(GENESIS_S + 10, 1, ALL_WORKS, int(Consent.PERFORM), 0)]
    books.direct = [Direct(GENESIS_S + 150_000, word(1), 20, "", [(at.payee_ids[0], 20)])]
    books.payouts = [Payout("claimed", at.payee_ids[3], at.payee_addresses[3], 2, GENESIS_S + 95_000, 7)]
    return books


def test_amounts_of_an_export_are_those_of_epochs_and_payments(folder, books, tmp_path):
    tables = ledger_exports.tables_of(folder, books, ("Ansa", "Bero", "Cilo", "Dane", "Esk"))
    streams = np.zeros_like(UNITS)
    table = tables.amounts
    for epoch, payee, kind, units in zip(table.epoch, table.payee, table.kind, table.units, strict=True):
        if kind == 0:
            streams[epoch, payee] += units
        else:
            # Paid between the first posting and the second, it belongs to the second epoch.
            assert (epoch, payee, units) == (1, 0, 20)
    np.testing.assert_array_equal(streams, UNITS)
    for form, lines in (("auditor", auditor_lines), ("public", public_lines)):
        path = tmp_path / f"{form}.jsonl"
        write_export(lines(tables), path)
        assert verify_export(path, lines(tables)).form == form
    assert "Bero" in (tmp_path / "auditor.jsonl").read_text()
    with pytest.raises(InputError, match="2 names for 5 payees"):
        ledger_exports.tables_of(folder, books, ("Ansa", "Bero"))


def test_a_payee_shows_its_own_leaf_of_the_last_final_epoch(folder, books, monkeypatch):
    monkeypatch.setattr(ledger_exports, "books_at_rest", lambda _: (books, None))
    own = check_own_leaf(ledger_exports.own_proof(folder, 3))
    assert (own.epoch, own.cumulative_units, own.payee_id) == (1, 9, folder.at.payee_ids[3])
    with pytest.raises(InputError, match="payee 5 does not exist"):
        ledger_exports.own_proof(folder, 5)


def test_a_proof_of_a_root_that_the_ledger_never_posted_is_refused(folder, books, monkeypatch):
    monkeypatch.setattr(ledger_exports, "books_at_rest", lambda _: (books, None))
    own = check_own_leaf(ledger_exports.own_proof(folder, 3))
    with pytest.raises(InputError, match="no final epoch 1 with this proof's root"):
        ledger_exports.payee_of_proof(folder, own)
    books.epochs[1] = replace(books.epochs[1], root=own.root)
    assert ledger_exports.payee_of_proof(folder, own) == 3
    with pytest.raises(InputError, match="no final epoch"):
        ledger_exports.payee_of_proof(folder, replace(own, epoch=2))
    with pytest.raises(InputError, match="another ledger"):
        ledger_exports.payee_of_proof(folder, replace(own, contract=bytes(20)))


def test_the_registry_knows_sources_and_what_labels_permit(folder, books, monkeypatch):
    monkeypatch.setattr(ledger_exports, "books_at_rest", lambda _: (books, None))
    registry = ledger_exports.registry_in(folder)
    (source,), (derived,) = registry(b"\1" * 32), registry(b"\2" * 32)
    assert source.uses == Consent.PERFORM
    assert (derived.uses, derived.parents) == (Consent.ALL, (b"\1" * 32,))
    assert registry(b"\3" * 32) == ()
