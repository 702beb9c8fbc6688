"""Exports of a ledger for the public and for an auditor: canonical JSON Lines with their hash."""

from heritage_contracts.export.files import ExportSummary, verify_export, write_export
from heritage_contracts.export.lines import auditor_lines, public_lines
from heritage_contracts.export.own_leaf import OwnLeaf, OwnLeaves, check_own_leaf
from heritage_contracts.export.tables import (
    AmountTable,
    ClaimRow,
    EpochRow,
    LabelRow,
    LedgerTables,
    PayeeRow,
    PaymentRow,
    WorkRow,
)

__all__ = [
    "AmountTable",
    "ClaimRow",
    "EpochRow",
    "ExportSummary",
    "LabelRow",
    "LedgerTables",
    "OwnLeaf",
    "OwnLeaves",
    "PayeeRow",
    "PaymentRow",
    "WorkRow",
    "auditor_lines",
    "check_own_leaf",
    "public_lines",
    "verify_export",
    "write_export",
]
