"""The ledger: reference (pure integers) and real EVM, with the Solidity it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heritage_contracts.config import LedgerConfig
    from heritage_contracts.ledgers.journal import JournaledLedger

from heritage_contracts.compiled import describe

__all__ = ["describe", "make_ledger"]


def make_ledger(
    config: LedgerConfig,
    payee_names: Sequence[str],
    genesis_s: int,
    *,
    payee_communities: Sequence[int] | None = None,
    work_dir: Path | None = None,
) -> JournaledLedger:
    """Return a ledger with its contracts deployed and all payees registered.

    Parameters
    ----------
    config : LedgerConfig
        Its ``kind`` chooses: ``reference`` needs no chain, ``evm`` runs one in this process, ``anvil`` starts and stops
        a node, ``rpc`` speaks to the one behind ``rpc_url``.
    payee_names : sequence of str
        Names shown; a payee's id is its index. They never reach the chain.
    genesis_s : int
        First second of the simulated time.
    payee_communities : sequence of int, length num_payees, optional
        Community of each payee, -1 for none; the first payees are the communities' funds, in order.
    work_dir : Path, optional
        Where what is signed is kept before it is sent; in memory without it.

    Returns
    -------
    JournaledLedger
        A `heritage_sim.base.Ledger`, with all that `heritage_contracts.ledgers.intents.Intents` adds.

    Raises
    ------
    InputError
        If there is no payee, the communities do not fit, or genesis_s is within the first hour of 1970.
    """
    if config.kind == "reference":
        from heritage_contracts.ledgers.reference import ReferenceLedger

        return ReferenceLedger(config, payee_names, genesis_s, payee_communities)
    from heritage_contracts.ledgers.web3_ledger import NodeLedger, Web3Ledger
    from heritage_contracts.sending.connect import connector

    kind = Web3Ledger if config.kind == "evm" else NodeLedger
    return kind(config, payee_names, genesis_s, payee_communities, connector(config, work_dir))
