"""The ledger on a chain: the contracts, spoken to through web3.py.

What the chain can answer is asked of the chain (claimed amounts, deposits, balances, provenance head, timestamps); what
the client must know to make a proof (the statements so far) is in its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_contracts import calldata
from heritage_contracts.books import JournaledLedger
from heritage_contracts.chain import Call, Chain, Mined
from heritage_contracts.compiled import load
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import role_address
from heritage_contracts.epoch import Epoch
from heritage_contracts.hashing import word
from heritage_contracts.published import Commitment
from heritage_contracts.schedule import (
    CALL_GAS,
    DEPLOY_GAS,
    DEPLOY_LEAD_S,
    PAYEE_GAS,
    RECORD_BYTE_GAS,
    blocks,
    claim_blocks,
    claim_gas,
    record_batches,
    transactions,
)
from heritage_sim.base import LedgerError

if TYPE_CHECKING:
    from web3 import Web3

PAGE_PAYEES = 2_000
"""Payees asked about in one call."""


class Web3Ledger(JournaledLedger):
    """The contracts on any chain that lets its clock be set.

    Parameters
    ----------
    config : LedgerConfig
        Window, salt, currency.
    payee_names : sequence of str
        Names shown; a payee's id is its index.
    genesis_s : int
        First second of the simulated time.
    connect : callable
        Takes block 0's timestamp and returns web3 on a fresh chain; called again by `restore`.
    """

    def __init__(
        self, config: LedgerConfig, payee_names: Sequence[str], genesis_s: int, connect: Callable[[int], Web3]
    ) -> None:
        self._connect = connect
        super().__init__(config, payee_names, genesis_s)

    def _deploy(self) -> None:
        at = self.deployment
        self.chain = Chain(self._connect(self.genesis_s - DEPLOY_LEAD_S))
        if self.chain.chain_id != at.chain_id:
            raise LedgerError(f"the chain's id is {self.chain.chain_id}, not {at.chain_id}", "EVM")
        operator, treasury, guardian = (
            calldata.address_word(role_address(r)) for r in ("operator", "treasury", "guardian")
        )
        name = calldata.text(f"{self.config.currency_code} (simulated)")
        symbol = calldata.text(self.config.currency_code)
        arguments = {
            "SettlementToken": word(96) + word(96 + len(name)) + treasury + name + symbol,
            "ProvenanceRegistry": operator,
            "EpochDistributor": calldata.address_word(at.token)
            + calldata.address_word(at.registry)
            + operator
            + guardian
            + word(self.config.challenge_window_s),
        }
        code = {contract: bytes.fromhex(load(contract)["bytecode"]) for contract in arguments}
        start_s = self.genesis_s - DEPLOY_LEAD_S
        self.chain.block([Call("operator", b"", code[c] + arguments[c], DEPLOY_GAS) for c in arguments], start_s)
        registration = blocks(transactions(len(at.payee_ids), PAYEE_GAS), PAYEE_GAS)
        for block in registration:
            self.chain.block([self._register_payees(items) for items in block], start_s)
        # The poster lets the distributor pull every pool; the distributor pulls only inside `post`.
        approve = calldata.call("approve(address,uint256)", calldata.address_word(at.distributor), b"\xff" * 32)
        self.chain.block([Call("operator", at.token, approve, CALL_GAS)], self.genesis_s - 1)

    def _register_payees(self, items: range) -> Call:
        at = self.deployment
        part = slice(items.start, items.stop)
        data = calldata.register_payees(at.payee_ids[part], at.payee_addresses[part])
        return Call("operator", at.distributor, data, PAYEE_GAS.of(len(items)))

    def _write_provenance(self, packed: Sequence[bytes], at_s: int) -> None:
        for batch in record_batches([len(p) for p in packed]):
            records = b"".join(packed[batch.start : batch.stop])
            data = calldata.register_batch(self.provenance_head(), records)
            self.chain.block([Call("operator", self.deployment.registry, data, RECORD_BYTE_GAS.of(len(records)))], at_s)

    def _write_epoch(self, epoch: Epoch, at_s: int) -> tuple[int, int]:
        mint = self.mint_call(epoch.total - self.deposited_units())
        posted = self.chain.block([mint, self.post_call(epoch)], at_s)[1]
        return self.chain.last_s, posted.gas_used

    def _write_final(self, epoch: int, at_s: int) -> tuple[int, int]:
        final = self.chain.block([self.finalize_call(epoch)], at_s)[0]
        return self.chain.last_s, final.gas_used

    def _pay(self, payees: Sequence[int], amounts: Sequence[int], at_s: int) -> tuple[int, int]:
        mined: list[Mined] = []
        bound = claim_gas(len(self.payee_names))
        for block in claim_blocks(len(payees), len(self.payee_names)):
            calls = [self.claim_many_call([payees[i] for i in items], bound.of(len(items))) for items in block]
            mined += self.chain.block(calls, at_s)
        paid = [
            (topics[1], int.from_bytes(data[:32], "big"))
            for one in mined
            for topics, data in one.logs
            if topics[0] == calldata.CLAIMED_TOPIC
        ]
        if paid != [(self.deployment.payee_ids[p], a) for p, a in zip(payees, amounts, strict=True)]:
            raise LedgerError("the chain paid other amounts than were due", "EpochDistributor")
        return self.chain.last_s, sum(one.gas_used for one in mined)

    # ---- single transactions, also for tests that go against the rules ------------------------------------------

    def mint_call(self, amount: int) -> Call:
        """Return the call by which the treasury mints a pool for the operator."""
        data = calldata.call("mint(address,uint256)", calldata.address_word(role_address("operator")), word(amount))
        return Call("treasury", self.deployment.token, data, CALL_GAS)

    def post_call(self, epoch: Epoch) -> Call:
        """Return the call that posts an epoch and pulls its deposit."""
        data = calldata.call(
            "post(uint256,bytes32,uint256,bytes32,bytes32)",
            word(epoch.epoch),
            epoch.root,
            word(epoch.total),
            epoch.provenance_head,
            epoch.data_hash,
        )
        return Call("operator", self.deployment.distributor, data, CALL_GAS)

    def finalize_call(self, epoch: int) -> Call:
        """Return the call that makes a pending epoch final."""
        return Call("relayer", self.deployment.distributor, calldata.call("finalize(uint256)", word(epoch)), CALL_GAS)

    def dispute_call(self, epoch: int) -> Call:
        """Return the call by which the guardian stops a pending epoch."""
        return Call("guardian", self.deployment.distributor, calldata.call("dispute(uint256)", word(epoch)), CALL_GAS)

    def claim_many_call(self, payees: Sequence[int], gas: int) -> Call:
        """Return the call that pays several payees what the last final epoch says."""
        last = self._epochs[-1 - len(self._pending)]
        claims = [(self.deployment.payee_ids[p], int(last.cumulative[p]), last.proof(p)) for p in payees]
        return Call("relayer", self.deployment.distributor, calldata.claim_many(claims), gas)

    # ---- what the chain says ------------------------------------------------------------------------------------

    def _number(self, to: bytes, signature: str, *words: bytes) -> int:
        return int.from_bytes(self.chain.read(to, calldata.call(signature, *words)), "big")

    def provenance_head(self) -> bytes:
        """Return the registry's head."""
        return self.chain.read(self.deployment.registry, calldata.call("head()"))

    def final_root(self) -> bytes:
        """Return the root under which claims are paid."""
        return self.chain.read(self.deployment.distributor, calldata.call("finalRoot()"))[:32]

    def commitment(self, epoch: int) -> Commitment:
        """Return what was recorded when an epoch was posted, from the chain's log."""
        (log,) = self.chain.logs(self.deployment.distributor, [calldata.POSTED_TOPIC, word(epoch)])[-1:]
        parts = [log[i : i + 32] for i in range(0, 160, 32)]
        total, deposit = (int.from_bytes(p, "big") for p in parts[1:3])
        return Commitment(epoch, parts[0], total, deposit, parts[3], parts[4])

    def last_block_s(self) -> int:
        """Return the timestamp of the last block."""
        return self.chain.last_s

    def claimed_units(self) -> npt.NDArray[np.int64]:
        """Return what the contract has paid each payee so far, shape ``(num_payees,)``."""
        # In pages: a call's gas is bounded by a block's, which some ten thousand payees would exceed.
        claimed: list[int] = []
        for first in range(0, len(self.deployment.payee_ids), PAGE_PAYEES):
            data = calldata.claimed_of(self.deployment.payee_ids[first : first + PAGE_PAYEES])
            claimed += calldata.array_of(self.chain.read(self.deployment.distributor, data))
        return np.array(claimed, dtype=np.int64)

    def deposited_units(self) -> int:
        """Return the sum of all deposits: the total of the pending root, or of the final one where none is pending."""
        which = "pendingRoot()" if self._number(self.deployment.distributor, "isPending()") else "finalRoot()"
        return calldata.words_of(self.chain.read(self.deployment.distributor, calldata.call(which)))[1]

    def token_balance_units(self) -> int:
        """Return what the distributor holds."""
        owner = calldata.address_word(self.deployment.distributor)
        return self._number(self.deployment.token, "balanceOf(address)", owner)
