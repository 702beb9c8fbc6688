"""The reference ledger: the contracts' rules on Python integers, with the same clock.

It is the oracle that the chain is held against, and quick enough for thousands of replications.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heritage_contracts.books import JournaledLedger
from heritage_contracts.epoch import Epoch
from heritage_contracts.provenance import fold_head
from heritage_contracts.published import Commitment
from heritage_contracts.schedule import claim_blocks, next_block_s, record_batches
from heritage_sim.base import LedgerError


class ReferenceLedger(JournaledLedger):
    """Integer books without a chain; gas is 0.

    Parameters are those of `JournaledLedger`.
    """

    def _deploy(self) -> None:
        self._last_s = self.genesis_s - 1
        self._head = self.deployment.first_head
        self._num_records = 0
        self._balance = 0
        self._deposited = 0
        self._final: tuple[int, ...] = (0,) * len(self.payee_names)
        self._commitments: list[Commitment] = []
        self._claimed = [0] * len(self.payee_names)

    def _block(self, at_s: int) -> int:
        """Make a block and return its timestamp."""
        self._last_s = next_block_s(at_s, self._last_s)
        return self._last_s

    def _write_provenance(self, packed: Sequence[bytes], at_s: int) -> None:
        for batch in record_batches([len(p) for p in packed]):
            self._block(at_s)
            self._head = fold_head(self._head, self._num_records, [packed[i] for i in batch])
            self._num_records += len(batch)

    def _write_epoch(self, epoch: Epoch, at_s: int) -> tuple[int, int]:
        posted_s = self._block(at_s)
        deposit = epoch.total - self._deposited
        self._balance += deposit
        self._deposited += deposit
        self._commitments.append(
            Commitment(epoch.epoch, epoch.root, epoch.total, deposit, epoch.provenance_head, epoch.data_hash)
        )
        return posted_s, 0

    def _write_final(self, epoch: int, at_s: int) -> tuple[int, int]:
        self._final = tuple(self._epochs[epoch].cumulative.tolist())
        return self._block(at_s), 0

    def _pay(self, payees: Sequence[int], amounts: Sequence[int], at_s: int) -> tuple[int, int]:
        for block in claim_blocks(len(payees), len(self.payee_names)):
            self._block(at_s)
            for transaction in block:
                for i in transaction:
                    self._pay_one(payees[i], amounts[i])
        return self._last_s, 0

    def _pay_one(self, payee: int, amount: int) -> None:
        due = self._final[payee] - self._claimed[payee]
        if amount != due or due > self._balance:
            raise LedgerError(f"payee {payee} claims {amount}; due {due}, held {self._balance}", "ReferenceLedger")
        self._claimed[payee] += due
        self._balance -= due

    def provenance_head(self) -> bytes:
        """Return the fold of all provenance batches so far."""
        return self._head

    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted."""
        return self._commitments[epoch]

    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""
        return self._last_s

    def claimed_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee has been paid so far, shape ``(num_payees,)``."""
        return np.array(self._claimed, dtype=np.int64)

    def deposited_units(self) -> int:
        """Return the sum of all deposits."""
        return self._deposited

    def token_balance_units(self) -> int:
        """Return what the distributor holds."""
        return self._balance
