"""Gas of settling so many payees, measured on the embedded EVM with the contracts that ship.

Three shapes, each in its steady state, when every slot that is written has been written before: posting and finalising
an epoch; a payee's own claim with its own proof; many neighbours claimed for by one proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heritage_sim.base import DAY_S, Calendar, LedgerError, Statement

STEADY_EPOCHS = 9
"""Epochs before those that are measured: by then every slot that epochs take turns in has been written once."""
NEIGHBOURS = 500
"""At most so many payees are claimed for by one proof: as many as a transaction below the gas cap holds."""
SINGLES = 8
"""Own claims that are measured, evenly spread over the leaves, whose proofs differ in length by at most one."""


@dataclass(frozen=True, slots=True)
class Gas:
    """What settling costs.

    Parameters
    ----------
    num_payees : int
        Leaves of the tree.
    epoch : int
        Posting and finalising one epoch, whatever the number of payees.
    single_claim : float
        A payee's own repeated claim, transaction included.
    shared_claim : float
        A payee's part of a repeated claim by one proof for `neighbours` neighbours.
    neighbours : int
        How many neighbours.
    max_pending : int
        How many epochs may wait for their windows at once.
    """

    num_payees: int
    epoch: int
    single_claim: float
    shared_claim: float
    neighbours: int
    max_pending: int


def measure_gas(num_payees: int) -> Gas:
    """Return the gas of settling so many payees, all of whom earn in every epoch.

    Parameters
    ----------
    num_payees : int
        At least 1.

    Returns
    -------
    Gas

    Raises
    ------
    LedgerError
        If a contract refuses a claim.
    """
    from heritage_contracts import calldata, make_ledger
    from heritage_contracts.config import LedgerConfig
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger
    from heritage_contracts.schedule import CALL_GAS
    from heritage_contracts.sending.chain import Call
    from heritage_contracts.trees.merkle import proof_of

    config = LedgerConfig(kind="evm", challenge_window_hours=1.0)
    start_s = Calendar().genesis_s
    ledger = make_ledger(config, [f"payee {i}" for i in range(num_payees)], start_s)
    if not isinstance(ledger, Web3Ledger):
        raise TypeError(f"a ledger on the embedded EVM is a Web3Ledger, not {type(ledger).__name__}")
    near = range(min(NEIGHBOURS, num_payees))
    own = sorted({round(x) for x in np.linspace(0, num_payees - 1, SINGLES)})
    units = _amounts(num_payees)

    def settle(epoch: int) -> int:
        statement = Statement(epoch, "frontier", int(units.sum()), units, np.zeros(0, dtype=np.int64), ())
        at_s = max(start_s + epoch * DAY_S, ledger.last_block_s() + 1)
        ledger.post(statement, at_s)
        return ledger.finalize(epoch, at_s + config.challenge_window_s).gas

    def claim_alone(num_epochs: int) -> float:
        at, cumulative = ledger.deployment, (units * num_epochs).tolist()
        tree = at.tree(cumulative)
        calls = [
            Call(
                "relayer",
                at.distributor,
                calldata.claim(at.payee_ids[p], cumulative[p], proof_of(tree, at.leaf_order.index(p))),
                CALL_GAS,
            )
            for p in own
        ]
        mined = ledger.chain.block(calls, ledger.last_block_s() + 1)
        if not all(one.logs for one in mined):
            raise LedgerError("a claim moved nothing", "embedded EVM", "report it; the contracts refuse a sound claim")
        return sum(one.gas_used for one in mined) / len(mined)

    try:
        for epoch in range(STEADY_EPOCHS):
            settle(epoch)
        ledger.claim(near, ledger.last_block_s() + 1)
        # Whoever is not among the neighbours has never claimed: a first claim fills empty slots and is not what recurs.
        beyond = [p for p in own if p not in near]
        if beyond:
            ledger.claim(beyond, ledger.last_block_s() + 1)
        settle(STEADY_EPOCHS)
        # Measured while something lies unclaimed, as it always does: an empty distributor's balance costs more to fill.
        epoch_gas = settle(STEADY_EPOCHS + 1)
        shared = ledger.claim(near, ledger.last_block_s() + 1)
        settle(STEADY_EPOCHS + 2)
        single = claim_alone(STEADY_EPOCHS + 3)
    finally:
        ledger.close()
    return Gas(num_payees, epoch_gas, single, shared.gas / len(near), len(near), ledger.max_pending)


def _amounts(num_payees: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return amounts of an epoch that fill three bytes, like those of a small payee."""
    return 1_000_003 + 1_009 * np.arange(num_payees, dtype=np.int64)
