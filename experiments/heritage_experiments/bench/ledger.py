"""Bench ``ledger``: what settling costs in gas and time, beside one transfer to every payee.

Everything runs on one managed Anvil after the other, with the limits of a real chain (the gas cap of a transaction
included). Gas is exact and the same on every machine; speeds are ratios between two ways measured in the same run.

``withdrawable``: from the statement to money that every payee can take (tree, signing, journal, posting, finalising).
``paid``: balances moved, by claims with one proof for many neighbours. The baseline of both is what a script with
web3.py does without thinking: one `transfer(...).transact()` a payee, and waiting for each receipt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.bench.ledger_baselines import (
    plain_tree_cpu_s,
    push_gas,
    transact_cpu_s,
    transfers_per_s,
)
from heritage_experiments.bench.million_payees import measure_in_fresh_process
from heritage_sim.base import DAY_S, Calendar, Keys, Statement

if TYPE_CHECKING:
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger

SIZES = (10, 100, 1_000, 10_000)
STEADY_EPOCHS = 9
"""Epochs before the one whose gas is reported: by then every slot that epochs take turns in has been written once."""
NEIGHBOURS = 500
CLIENT_TRANSACTIONS = 2_000
CLIENT_GAS = 70_000
"""Gas each of them asks for; they come in as many blocks as that takes."""
_EPOCH_UNITS = 5_000_000_000
_KEYS = Keys(root_seed=20_260_101, replication=0)


@dataclass(frozen=True, slots=True)
class SettledEpochs:
    """What a ledger of so many payees took.

    Parameters
    ----------
    num_payees : int
        Payees.
    epoch_gas : int
        Posting and finalising a steady-state epoch.
    emptied_gas : int
        The same where everybody has just been paid: the contract's token balance was nothing, and a slot that is filled
        anew costs more.
    push_gas : int
        Pushing the same amounts to the same accounts.
    claim_gas : float
        A payee's part of a repeated claim among `NEIGHBOURS` neighbours (fewer where there are fewer).
    withdrawable_s, paid_s : float
        Wall time from statement to withdrawable money, and of paying everybody.
    """

    num_payees: int
    epoch_gas: int
    emptied_gas: int
    push_gas: int
    claim_gas: float
    withdrawable_s: float
    paid_s: float


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the records; ``quick`` stops at 1,000 payees and takes smaller samples of the baselines.

    Parameters
    ----------
    quick : bool
        Shrink the measurement.

    Returns
    -------
    list of dict
        ``bench, name, value, unit, baseline, ratio, n, note``.

    Raises
    ------
    MissingPartError
        If no Anvil is found.
    """
    sizes = SIZES[:-1] if quick else SIZES
    sample = 60 if quick else 400
    with TemporaryDirectory(prefix="heritage-bench-") as folder:
        found = [settle_epochs(size, Path(folder) / str(size)) for size in sizes]
    largest = found[-1]
    transfers = transfers_per_s(sample)
    client_s, transact_s = client_cpu_s(CLIENT_TRANSACTIONS // (10 if quick else 1)), transact_cpu_s(sample)
    million = measure_in_fresh_process(100_000 if quick else 1_000_000)
    plain_s = plain_tree_cpu_s(20_000) * million.num_payees / 20_000
    records = list(_gas_records(found))
    n = largest.num_payees
    seconds = "payees per second of wall time on Anvil; baseline: one web3.py transact() a payee"
    for name, wall_s in (("withdrawable", largest.withdrawable_s), ("paid", largest.paid_s)):
        records.append(
            _record(f"{name}_payees_per_s_anvil", n / wall_s, "payees/s", transfers, n / wall_s / transfers, n, seconds)
        )
    tree = f"tree and statement of {million.num_payees:,} payees, peak {million.peak_bytes / 2**20:,.0f} MiB"
    label = "tree_1e6_cpu_s" if not quick else "tree_1e5_cpu_s"
    records.append(
        _record(
            label, million.cpu_s, "CPU-s", plain_s, plain_s / million.cpu_s, million.num_payees,
            f"{tree}; baseline: eth_abi and eth_utils leaf by leaf, from 20,000 payees in proportion",
        )
    )  # fmt: skip
    records.append(
        _record(
            "client_cpu_per_tx_s", client_s, "CPU-s", transact_s, transact_s / client_s, sample,
            "signing, journal, sending, receipts; baseline: web3.py transact() with a local key, receipts not counted",
        )
    )  # fmt: skip
    return records


def settle_epochs(num_payees: int, folder: Path) -> SettledEpochs:
    """Return what a ledger of so many payees takes, once it has run long enough to be in its steady state.

    Parameters
    ----------
    num_payees : int
        Payees, all of whom earn in every epoch.
    folder : Path
        Where the ledger keeps its outbox.

    Returns
    -------
    SettledEpochs
    """
    ledger = anvil_ledger(num_payees, folder)
    everybody = range(num_payees)
    try:
        for epoch in range(STEADY_EPOCHS):
            settle(ledger, epoch)
            if epoch == STEADY_EPOCHS - 2:
                ledger.claim(everybody, ledger.last_block_s() + 1)
        began = time.perf_counter()
        epoch_gas = settle(ledger, STEADY_EPOCHS)
        withdrawable_s = time.perf_counter() - began
        # Everybody has claimed before: this is what a payee who claims again costs.
        near = ledger.claim(everybody[:NEIGHBOURS], ledger.last_block_s() + 1)
        settle(ledger, STEADY_EPOCHS + 1)
        began = time.perf_counter()
        ledger.claim(everybody, ledger.last_block_s() + 1)
        paid_s = time.perf_counter() - began
        emptied_gas = settle(ledger, STEADY_EPOCHS + 2)
        pushed = push_gas(ledger, statement_of(0, num_payees).payee_units.tolist())
    finally:
        ledger.close()
    return SettledEpochs(
        num_payees=num_payees,
        epoch_gas=epoch_gas,
        emptied_gas=emptied_gas,
        push_gas=pushed,
        claim_gas=near.gas / near.payee_ids.size,
        withdrawable_s=withdrawable_s,
        paid_s=paid_s,
    )


def settle(ledger: Web3Ledger, epoch: int) -> int:
    """Post and finalise a bench epoch; return the gas of both."""
    at_s = Calendar().genesis_s + epoch * DAY_S
    ledger.post(statement_of(epoch, len(ledger.payee_names)), at_s)
    return ledger.finalize(epoch, at_s + ledger.config.challenge_window_s).gas


def anvil_ledger(num_payees: int, folder: Path) -> Web3Ledger:
    """Return a ledger on a managed Anvil with so many payees in one community."""
    from heritage_contracts import make_ledger
    from heritage_contracts.config import LedgerConfig
    from heritage_contracts.ledgers.web3_ledger import Web3Ledger

    config = LedgerConfig(kind="anvil", challenge_window_hours=1.0)
    names = [f"payee {i}" for i in range(num_payees)]
    ledger = make_ledger(config, names, Calendar().genesis_s, work_dir=folder)
    if not isinstance(ledger, Web3Ledger):
        raise TypeError(f"a ledger on Anvil is a Web3Ledger, not {type(ledger).__name__}")
    return ledger


def statement_of(epoch: int, num_payees: int) -> Statement:
    """Return a statement in which everybody earns something of an amount drawn by epoch and payee."""
    drawn = _KEYS.stream("payee", "bench_amount").uniform(np.arange(num_payees, dtype=np.int64), epoch)
    units: npt.NDArray[np.int64] = 1 + (drawn * (_EPOCH_UNITS // num_payees)).astype(np.int64)
    return Statement(epoch, "bench", int(units.sum()), units, np.zeros(0, dtype=np.int64), ())


def client_cpu_s(num_transactions: int) -> float:
    """Return our client's CPU seconds for each of so many token transfers: signed, journalled, sent, receipts read."""
    from heritage_contracts import calldata
    from heritage_contracts.hashing import word
    from heritage_contracts.schedule import BLOCK_GAS
    from heritage_contracts.sending.chain import Call

    with TemporaryDirectory(prefix="heritage-bench-") as folder:
        ledger = anvil_ledger(10, Path(folder))
        try:
            at = ledger.deployment
            mint = calldata.call("mint(address,uint256)", calldata.address_word(at.payee_addresses[0]), word(1))
            call = Call("treasury", at.token, mint, CLIENT_GAS)
            began, mined = time.process_time(), 0
            while mined < num_transactions:
                size = min(BLOCK_GAS // CLIENT_GAS, num_transactions - mined)
                mined += len(ledger.chain.block([call] * size, ledger.last_block_s() + 1))
            spent_s = time.process_time() - began
        finally:
            ledger.close()
    return spent_s / mined


def _gas_records(found: list[SettledEpochs]) -> Iterator[dict[str, Any]]:
    for one in found:
        yield _record(
            f"epoch_gas_{one.num_payees}", one.epoch_gas, "gas", one.push_gas, one.push_gas / one.epoch_gas,
            one.num_payees, "post + finalize, steady state; baseline: push splitter, same payees, steady state",
        )  # fmt: skip
    gas = [one.epoch_gas for one in found]
    yield _record(
        "epoch_gas_spread", 100.0 * (max(gas) / min(gas) - 1.0), "%", None, None, len(gas),
        "largest epoch_gas over smallest, less one: it does not depend on the number of payees",
    )  # fmt: skip
    last = found[-1]
    yield _record(
        "epoch_gas_after_all_are_paid", last.emptied_gas, "gas", last.push_gas, last.push_gas / last.emptied_gas,
        last.num_payees, "post + finalize where every payee has claimed everything before; baseline: push",
    )  # fmt: skip
    push_each = last.push_gas / last.num_payees
    yield _record(
        "claim_gas_multiproof", last.claim_gas, "gas/payee", push_each, push_each / last.claim_gas,
        min(NEIGHBOURS, last.num_payees),
        f"repeated claim among {min(NEIGHBOURS, last.num_payees)} neighbours of {last.num_payees:,}; baseline: push",
    )  # fmt: skip


def _record(
    name: str, value: float, unit: str, baseline: float | None, ratio: float | None, n: int, note: str
) -> dict[str, Any]:
    def rounded(x: float | None) -> float | None:
        return x if x is None or isinstance(x, int) else float(f"{x:.6g}")

    return {
        "bench": "ledger",
        "name": name,
        "value": rounded(value),
        "unit": unit,
        "baseline": rounded(baseline),
        "ratio": rounded(ratio),
        "n": n,
        "note": note,
    }
