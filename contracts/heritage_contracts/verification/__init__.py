"""Checking a ledger without trusting whoever kept it."""

from heritage_contracts.verification.whole import Verified, books_at_rest, verify_folder

__all__ = ["Verified", "books_at_rest", "verify_folder"]
