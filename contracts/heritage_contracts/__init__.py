"""The ledger: reference (pure integers) and real EVM, with the Solidity it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heritage_contracts.books import JournaledLedger
    from heritage_contracts.config import LedgerConfig

from heritage_contracts.compiled import describe

__all__ = ["describe", "make_ledger"]


def make_ledger(config: LedgerConfig, payee_names: Sequence[str], genesis_s: int) -> JournaledLedger:
    """Return a ledger with its contracts deployed and all payees registered.

    Parameters
    ----------
    config : LedgerConfig
        Its ``kind`` chooses: ``reference`` needs no chain, ``evm`` starts an embedded one (and imports web3, about a
        CPU second once per process).
    payee_names : sequence of str
        Names shown; a payee's id is its index. They never reach the chain.
    genesis_s : int
        First second of the simulated time.

    Returns
    -------
    JournaledLedger
        A `heritage_sim.base.Ledger` with `audit` and `published_epoch`.

    Raises
    ------
    InputError
        If there is no payee, or genesis_s is within the first hour of 1970.
    """
    if config.kind == "reference":
        from heritage_contracts.reference import ReferenceLedger

        return ReferenceLedger(config, payee_names, genesis_s)
    from heritage_contracts.embedded import embedded_web3
    from heritage_contracts.web3_ledger import Web3Ledger

    return Web3Ledger(config, payee_names, genesis_s, embedded_web3)
