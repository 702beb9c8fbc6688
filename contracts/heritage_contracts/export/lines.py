"""The lines of both forms of an export: canonical JSON, a header first, then one kind of line after the other.

Public: salted ids, what the chain says of every epoch, amounts by epoch, kind and community with small cells kept back.
Auditor: everything, names and salt included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np

from heritage_contracts.compiled import describe
from heritage_contracts.export.suppression import cells_to_show
from heritage_contracts.export.tables import LedgerTables
from heritage_sim.base.catalogue import NO_ONE

FORMAT = "heritage-export-1"
PUBLIC, AUDITOR = "public", "auditor"
DEFAULT_K = 5
"""Fewest payees of a cell that the public form shows."""

Line = dict[str, Any]


def public_lines(tables: LedgerTables, k: int = DEFAULT_K) -> Iterator[bytes]:
    """Yield the lines of the public form.

    Parameters
    ----------
    tables : LedgerTables
        What the ledger holds.
    k : int
        Fewest payees of a cell that is shown, at least 2.

    Yields
    ------
    bytes
        Canonical JSON with a line feed.

    Raises
    ------
    InputError
        If k is below 2.
    """
    community = np.array([payee.community for payee in tables.payees], dtype=np.int64)
    cells = list(cells_to_show(tables.amounts, community, [row.epoch for row in tables.epochs], k))
    kept_back = sum(cell.units is None for cell in cells)
    counts = {"payee": len(tables.payees), "epoch": len(tables.epochs), "cell": len(cells)}
    own = {
        "cells_kept_back": kept_back,
        "fewest_payees_of_a_cell": k,
        "left_out": "names, accounts, communities and amounts of payees, salt, provenance, consent, payments, claims",
    }
    yield canonical(_header(tables, PUBLIC, counts) | own)
    # In the order of ids: the order of numbers would say who registered when.
    for payee_id in sorted(payee.payee_id for payee in tables.payees):
        yield canonical({"line": "payee", "payee_id": _hex(payee_id)})
    yield from _epochs(tables)
    for cell in cells:
        yield canonical(
            {
                "line": "cell",
                "epoch": cell.epoch,
                "kind": cell.kind,
                "community": cell.community,
                "payees": cell.payees,
                "units": cell.units,
            }
        )


def auditor_lines(tables: LedgerTables) -> Iterator[bytes]:
    """Yield the lines of the auditor's form.

    Parameters
    ----------
    tables : LedgerTables
        What the ledger holds.

    Yields
    ------
    bytes
        Canonical JSON with a line feed.
    """
    counts = {
        "payee": len(tables.payees),
        "epoch": len(tables.epochs),
        "amount": len(tables.amounts.units),
        "work": len(tables.works),
        "consent": len(tables.labels),
        "payment": len(tables.payments),
        "claim": len(tables.claims),
    }
    yield canonical(_header(tables, AUDITOR, counts) | {"left_out": "", "payee_salt": tables.payee_salt})
    for number, payee in enumerate(tables.payees):
        yield canonical(
            {
                "line": "payee",
                "payee": number,
                "payee_id": _hex(payee.payee_id),
                "account": _hex(payee.account),
                "name": payee.name,
                "community": None if payee.community == NO_ONE else payee.community,
            }
        )
    yield from _epochs(tables)
    yield from _amounts(tables)
    for row in tables.works:
        record = row.record
        yield canonical(
            {
                "line": "work",
                "work": record.work_id,
                "registered_s": row.registered_s,
                "content_sha256": _hex(record.content_sha256),
                "manifest_sha256": _hex(record.manifest_sha256),
                "community": record.community,
                "uses": int(record.consent),
                "derivative_share": record.derivative_share,
                "parents": list(record.parents),
                "stems": [[stem.payee_id, stem.share_bps] for stem in record.stems],
            }
        )
    for row in tables.labels:
        yield canonical(
            {
                "line": "consent",
                "set_s": row.set_s,
                "community": row.label.community,
                "work": None if row.label.work_id == NO_ONE else row.label.work_id,
                "uses": int(row.label.uses),
                "expires_s": row.label.expires_s,
            }
        )
    for row in tables.payments:
        yield canonical(
            {
                "line": "payment",
                "paid_s": row.paid_s,
                "work": row.payment.work_id,
                "units": row.payment.amount_units,
                "credited": [list(part) for part in row.credited],
            }
        )
    for row in tables.claims:
        yield canonical({"line": "claim", "paid_s": row.paid_s, "payee": row.payee, "units": row.units})


def _header(tables: LedgerTables, form: str, counts: dict[str, int]) -> Line:
    return {
        "line": "header",
        "form": form,
        "format": FORMAT,
        "version": version("heritage-economy"),
        "contracts_sha256": describe()["sources_sha256"],
        "chain_id": tables.chain_id,
        "distributor": _hex(tables.distributor),
        "currency": tables.currency.code,
        "decimals": tables.currency.decimals,
        "lines": counts,
    }


def _epochs(tables: LedgerTables) -> Iterator[bytes]:
    for row in tables.epochs:
        yield canonical(
            {
                "line": "epoch",
                "epoch": row.epoch,
                "root": _hex(row.root),
                "data_hash": _hex(row.data_hash),
                "provenance_head": _hex(row.provenance_head),
                "deposit_units": row.deposit_units,
                "total_units": row.total_units,
                "posted_s": row.posted_s,
                "final_s": row.final_s,
                "gas": row.gas,
            }
        )


def _amounts(tables: LedgerTables) -> Iterator[bytes]:
    table = tables.amounts
    # Millions of rows: keys in sorted order are written here, and a kind's text is encoded once.
    kinds = [json.dumps(kind) for kind in table.kinds]
    columns = (table.epoch.tolist(), table.kind.tolist(), table.payee.tolist(), table.units.tolist())
    for epoch, kind, payee, units in zip(*columns, strict=True):
        yield f'{{"epoch":{epoch},"kind":{kinds[kind]},"line":"amount","payee":{payee},"units":{units}}}\n'.encode()


def canonical(line: Line) -> bytes:
    """Return a line's one way of being written: sorted keys, no spaces, a line feed."""
    return json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()
