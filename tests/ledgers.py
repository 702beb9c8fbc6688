"""Ledgers of every kind for tests, statements and records in a line, and what two equal ledgers show."""

from __future__ import annotations

import os

import numpy as np
import pytest

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import MissingPartError, ProvenanceRecord, Statement, Stem

GENESIS_S = 1_767_225_600
DAY_S = 86_400
COMMUNITIES = (0, 1, 0, 1, 1)
"""Community of each payee: two funds, then one payee of the first community and two of the second."""
NUM_PAYEES = len(COMMUNITIES)
WORKS = np.zeros(0, np.int64)


def has_anvil() -> bool:
    """Return whether there is an Anvil here; with CI=true there has to be one."""
    from heritage_contracts.nodes.anvil_binary import find_anvil

    try:
        find_anvil()
    except MissingPartError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs Anvil: {error}")
        return False
    return True


def make(kind="reference", num_payees=NUM_PAYEES, communities=COMMUNITIES, work_dir=None, **config):
    if kind == "anvil" and not has_anvil():
        pytest.skip("needs Anvil: npm --prefix contracts install, or foundryup")
    names = [f"payee {i}" for i in range(num_payees)]
    of = communities if len(communities) == num_payees else None
    settings = LedgerConfig(kind=kind, **config)
    return make_ledger(settings, names, GENESIS_S, payee_communities=of, work_dir=work_dir)


def statement(epoch, units, pool=None):
    amounts = np.array(units, dtype=np.int64)
    return Statement(epoch, "test", int(amounts.sum()) if pool is None else pool, amounts, WORKS, ())


def settle(ledger, told, at_s):
    return ledger.finalize(told.epoch, ledger.post(told, at_s).final_from_s)


def record(work_id, parents=(), share=10_000_000, consent=31, stems=None, community=None, content=None):
    shared = ((work_id % NUM_PAYEES, 7_000), ((work_id + 1) % NUM_PAYEES, 3_000)) if stems is None else stems
    return ProvenanceRecord(
        work_id,
        content or work_id.to_bytes(32, "big"),
        work_id % 2 if community is None else community,
        consent,
        tuple(parents),
        share,
        tuple(Stem(p, bps) for p, bps in shared),
    )


def books(ledger):
    """Return everything that two ledgers must agree on."""
    return {
        "audit": ledger.audit(),
        "claimed": ledger.claimed_units().tolist(),
        "withdrawable": ledger.withdrawable_units().tolist(),
        "head": ledger.provenance_head(),
        "roots": [ledger.commitment(e) for e in range(ledger.num_epochs)],
        "accounts": [ledger.account_of(p) for p in range(len(ledger.payee_names))],
        "wallets": [ledger.balance_of(ledger.account_of(p)) for p in range(len(ledger.payee_names))],
        "fingerprint": ledger.fingerprint(),
    }
