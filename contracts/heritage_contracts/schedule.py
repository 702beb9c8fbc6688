"""When blocks are made and how much goes into each: pure functions, so that both ledgers keep one calendar.

A chain's block carries a timestamp larger than its parent's. An intent given for ``at_s`` therefore lands on the first
free second from ``at_s`` on. Long intents are cut into transactions below the per-transaction cap of EIP-7825, and
transactions are packed into blocks below the block limit; each further block takes one more second.
"""

from __future__ import annotations

from dataclasses import dataclass

BLOCK_GAS = 30_000_000
"""Gas one block may use (block limit of the embedded chain, rounded down)."""
TRANSACTION_GAS = 16_777_216
"""Gas one transaction may ask for (EIP-7825)."""
DEPLOY_LEAD_S = 3_600
"""Contracts are deployed in the hour before the simulated time begins."""


@dataclass(frozen=True, slots=True)
class GasBound:
    """An upper bound of what a kind of transaction costs: fixed part and part for each item."""

    fixed: int
    per_item: int

    def of(self, num_items: int) -> int:
        """Return the gas a transaction of so many items asks for."""
        return self.fixed + self.per_item * num_items


# Measured costs with room above; a test on the chain holds them.
DEPLOY_GAS = 4_000_000
CALL_GAS = 400_000
"""Any call whose cost does not grow: mint, approve, post, finalise, dispute, a single claim."""
PAYEE_GAS = GasBound(100_000, 30_000)
RECORD_BYTE_GAS = GasBound(150_000, 130)


def claim_gas(num_payees: int) -> GasBound:
    """Return the bound of `claimMany`; each claim carries a proof as long as the tree is high."""
    height = max(num_payees - 1, 0).bit_length()
    return GasBound(100_000, 75_000 + 1_500 * height)


def next_block_s(at_s: int, last_s: int) -> int:
    """Return the timestamp of the next block: the wished second, or the first free one after the last block."""
    return max(at_s, last_s + 1)


def transactions(num_items: int, bound: GasBound) -> list[range]:
    """Return the items of each transaction, each as full as the cap allows."""
    step = (TRANSACTION_GAS - bound.fixed) // bound.per_item
    return [range(start, min(start + step, num_items)) for start in range(0, num_items, step)]


def blocks(items: list[range], bound: GasBound) -> list[list[range]]:
    """Return the transactions of each block, in order, none above the block limit."""
    packed: list[list[range]] = []
    used = BLOCK_GAS
    for transaction in items:
        wanted = bound.of(len(transaction))
        if used + wanted > BLOCK_GAS:
            packed.append([])
            used = 0
        packed[-1].append(transaction)
        used += wanted
    return packed


def claim_blocks(num_claims: int, num_payees: int) -> list[list[range]]:
    """Return which claims go into each transaction of each block."""
    bound = claim_gas(num_payees)
    return blocks(transactions(num_claims, bound), bound)


def record_batches(sizes: list[int]) -> list[range]:
    """Return which provenance records go into each batch, given their packed sizes; one batch makes one block."""
    most = (TRANSACTION_GAS - RECORD_BYTE_GAS.fixed) // RECORD_BYTE_GAS.per_item
    batches: list[range] = []
    start, used = 0, 0
    for i, size in enumerate(sizes):
        if used + size > most:
            batches.append(range(start, i))
            start, used = i, 0
        used += size
    if sizes:
        batches.append(range(start, len(sizes)))
    return batches
