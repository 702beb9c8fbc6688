"""From a ledger's books to what is handed out: exports, a payee's own proof, the registry of works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from heritage_contracts.at_rest.folder import LedgerFolder
from heritage_contracts.chain_books import ChainBooks
from heritage_contracts.chain_books.books import ALL_WORKS
from heritage_contracts.export import (
    AmountTable,
    ClaimRow,
    EpochRow,
    LabelRow,
    LedgerTables,
    OwnLeaf,
    OwnLeaves,
    PayeeRow,
    PaymentRow,
    WorkRow,
    auditor_lines,
    public_lines,
)
from heritage_contracts.trees.published import read_epoch
from heritage_contracts.verification import books_at_rest
from heritage_experiments.c2pa_check import Registry, registry_of
from heritage_sim.base import NO_ONE, ConsentLabel, DirectPayment, InputError, ProvenanceRecord, Stem

KINDS = ("streams", "direct")
"""Kinds of money: royalties of epochs, and direct payments."""


def tables_of(folder: LedgerFolder, books: ChainBooks, names: Sequence[str] = ()) -> LedgerTables:
    """Return everything an export may tell of a ledger.

    Epochs are those that are final. A direct payment belongs to the epoch that was posted next, or to the last one.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    books : ChainBooks
        Its books.
    names : sequence of str
        Names of payees by number; empty where nobody knows them.

    Returns
    -------
    LedgerTables

    Raises
    ------
    InputError
        If there are not as many names as payees.
    """
    at = folder.at
    if names and len(names) != at.num_payees:
        raise InputError(f"{len(names)} names for {at.num_payees} payees", "names", "Give one for each, by number.")
    records = records_of(folder, books)
    ids = {key: number for number, key in enumerate(books.works.by_key)}
    return LedgerTables(
        chain_id=at.chain_id,
        distributor=at.distributor,
        currency=at.config.currency,
        payee_salt=at.config.payee_salt,
        payees=[
            PayeeRow(payee_id, books.accounts[payee_id], names[p] if names else f"payee {p}", at.community_of(p))
            for p, payee_id in enumerate(at.payee_ids)
        ],
        epochs=[
            EpochRow(
                e.epoch,
                e.root,
                e.data_hash,
                e.provenance_head,
                e.deposit_units,
                e.total_units,
                e.posted_s,
                e.final_s,
                e.gas,
            )
            for e in books.epochs[: books.num_final]
        ],
        amounts=_amounts(folder, books),
        works=[
            WorkRow(work.registered_s, record)
            for work, record in zip(books.works.by_key.values(), records, strict=True)
        ],
        labels=[
            LabelRow(
                v.set_s,
                ConsentLabel(v.community - 1, v.uses, NO_ONE if v.key == ALL_WORKS else ids[v.key], v.expires_s),
            )
            for v in books.labels
        ],
        payments=[
            PaymentRow(
                d.paid_s,
                DirectPayment(ids[d.key], d.units),
                tuple((at.payee_of_id[payee], units) for payee, units in d.credited),
            )
            for d in books.direct
        ],
        claims=[ClaimRow(p.paid_s, at.payee_of_id[p.payee_id], p.units) for p in books.payouts],
    )


def records_of(folder: LedgerFolder, books: ChainBooks) -> list[ProvenanceRecord]:
    """Return the works as provenance records, numbered in the order of their registration."""
    ids = {key: number for number, key in enumerate(books.works.by_key)}
    payee = folder.at.payee_of_id
    return [
        ProvenanceRecord(
            work_id=number,
            content_sha256=work.content,
            community=work.community - 1,
            consent=work.uses,
            parents=tuple(ids[parent] for parent in work.parents),
            derivative_share=work.derivative_share,
            stems=tuple(Stem(payee[payee_id], bps) for payee_id, bps in work.stems),
            manifest_sha256=work.manifest,
        )
        for number, work in enumerate(books.works.by_key.values())
    ]


def _amounts(folder: LedgerFolder, books: ChainBooks) -> AmountTable:
    number = folder.at.payee_of_id
    rows: list[tuple[int, int, int, int]] = []
    before: dict[bytes, int] = {}
    final = books.epochs[: books.num_final]
    for posted in final:
        data = read_epoch(folder.epoch_data(posted.epoch), str(folder.epoch_path(posted.epoch)))
        for row, units in zip(data.payee_ids, data.cumulative, strict=True):
            payee_id = row.tobytes()
            rows.append((posted.epoch, number[payee_id], 0, int(units) - before.get(payee_id, 0)))
            before[payee_id] = int(units)
    direct: dict[tuple[int, int], int] = {}
    for payment in books.direct if final else ():
        later = (e.epoch for e in final if e.posted_s >= payment.paid_s)
        epoch = next(later, final[-1].epoch)
        for payee_id, units in payment.credited:
            key = (epoch, number[payee_id])
            direct[key] = direct.get(key, 0) + units
    rows += [(epoch, payee, 1, units) for (epoch, payee), units in sorted(direct.items())]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return AmountTable(KINDS, *(columns[:, i] for i in range(4)))


def lines_of(folder: LedgerFolder, form: str, names: Sequence[str] = ()) -> Iterator[bytes]:
    """Return the lines of a form of export.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    form : str
        ``public`` or ``auditor``.
    names : sequence of str
        Names of payees, for the auditor.

    Returns
    -------
    iterator of bytes
    """
    books, _ = books_at_rest(folder)
    tables = tables_of(folder, books, names)
    return auditor_lines(tables) if form == "auditor" else public_lines(tables)


def expected_lines(folder: LedgerFolder, path: Path, names: Sequence[str] = ()) -> Iterator[bytes]:
    """Return the lines that an exported file should hold, by the form it says it has."""
    with path.open("rb") as file:
        form = "auditor" if b'"form":"auditor"' in file.readline() else "public"
    return lines_of(folder, form, names)


def own_proof(folder: LedgerFolder, payee: int) -> bytes:
    """Return a payee's leaf of the last final epoch with its proof, as canonical JSON.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    payee : int
        Number.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If no epoch is final, or the payee does not exist.
    """
    if not 0 <= payee < folder.at.num_payees:
        raise InputError(
            f"payee {payee} does not exist", "--proof-for", f"Payees are numbered 0 to {folder.at.num_payees - 1}."
        )
    books, _ = books_at_rest(folder)
    if not books.num_final:
        raise InputError("no epoch is final yet", str(folder.path), "Wait for the first challenge window.")
    epoch = books.num_final - 1
    data = read_epoch(folder.epoch_data(epoch), str(folder.epoch_path(epoch)))
    return OwnLeaves(data).proof_for(folder.at.payee_ids[payee]).written()


def payee_of_proof(folder: LedgerFolder, own: OwnLeaf, where: str = "proof") -> int:
    """Return the payee that a proof is about, after asking the ledger whether the proof's root is its own.

    A proof alone shows only that it leads to the root it names; anybody can make up both.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    own : OwnLeaf
        The proof, checked in itself.
    where : str
        File it came from, for the message.

    Returns
    -------
    int
        Number of the payee.

    Raises
    ------
    InputError
        If it is about another ledger, or its epoch has another root here or is not final.
    """
    at = folder.at
    if (own.chain_id, own.contract) != (at.chain_id, at.distributor) or own.payee_id not in at.payee_of_id:
        raise InputError("this proof is about another ledger", where, f"Name its ledger: {folder.path} is not.")
    books, _ = books_at_rest(folder)
    if own.epoch >= books.num_final or books.epochs[own.epoch].root != own.root:
        raise InputError(
            f"the ledger has no final epoch {own.epoch} with this proof's root",
            where,
            "Do not rely on it; ask the publisher of the epoch for a proof again.",
        )
    return at.payee_of_id[own.payee_id]


def registry_in(folder: LedgerFolder) -> Registry:
    """Return a ledger's works by content hash, with the uses that are permitted at its last second."""
    books, _ = books_at_rest(folder)
    keys = list(books.works.by_key)
    return registry_of(records_of(folder, books), lambda record: books.permitted(keys[record.work_id], books.last_s))
