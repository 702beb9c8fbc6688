"""When blocks are made and how much goes into each: pure functions, so that all ledgers keep one calendar.

A chain's block carries a timestamp larger than its parent's. An intent given for ``at_s`` therefore lands on the first
free second from ``at_s`` on. Long intents are cut into transactions below the per-transaction cap of EIP-7825, and
transactions are packed into blocks below the block limit; each further block takes one more second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLOCK_GAS = 30_000_000
"""Gas one block may use (block limit of the embedded chain, rounded down)."""
TRANSACTION_GAS = 16_777_216
"""Gas one transaction may ask for (EIP-7825)."""
DEPLOY_LEAD_S = 3_600
"""Contracts are deployed in the hour before the simulated time begins."""

# Upper bounds of what calls cost: measured, with room above; tests on the chain hold them.
DEPLOY_GAS = 5_900_000
CALL_GAS = 500_000
"""Any call whose cost does not grow: mint, approve, post, finalise, dispute, rotate, expire, a single claim."""
FIXED_GAS = 150_000
"""Of a transaction with many items, beside its items."""
PAYEE_GAS = 30_000
MEMBER_GAS = 32_000
RECORD_BYTE_GAS = 130
SIGNATURE_GAS = 15_000
WITHDRAWAL_GAS = 62_000
_PROOF_NODE_GAS = 1_500


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction of a long intent.

    Parameters
    ----------
    items : range
        Which of its items.
    gas : int
        Gas it asks for.
    """

    items: range
    gas: int


def tree_height(num_leaves: int) -> int:
    """Return the length of the longest proof."""
    return max(num_leaves - 1, 0).bit_length()


def claim_gas(num_payees: int, is_first: bool) -> int:
    """Return the bound of one payee in `claimMulti`: the first claim fills two empty slots."""
    return (64_000 if is_first else 40_000) + _PROOF_NODE_GAS * tree_height(num_payees)


def payment_gas(num_stems: int, record_bytes: int, num_leaves: int) -> int:
    """Return the bound of one payment in `payRecorded`: proof of the record, and a credit for each stem."""
    return 40_000 + 30_000 * num_stems + 60 * record_bytes + _PROOF_NODE_GAS * tree_height(num_leaves)


def split_gas(num_works: int, num_stems: int) -> int:
    """Return the bound of one payment in `payMany` that reaches so many works and their stems."""
    return 60_000 + 20_000 * num_works + 45_000 * num_stems


def open_gas(record_bytes: int, num_leaves: int) -> int:
    """Return the bound of `ProvenanceRegistry.open`."""
    return 120_000 + 60 * record_bytes + _PROOF_NODE_GAS * tree_height(num_leaves)


def payable_gas(num_ancestors: int, num_stems: int) -> int:
    """Return the bound of `RoyaltyPool.open`: two slots for each stem and each ancestor."""
    return 150_000 + 70_000 * num_stems + 80_000 * num_ancestors + 400 * num_ancestors * num_ancestors


def next_block_s(at_s: int, last_s: int) -> int:
    """Return the timestamp of the next block: the wished second, or the first free one after the last block."""
    return max(at_s, last_s + 1)


def transactions(costs: Sequence[int], fixed: int = FIXED_GAS) -> list[Part]:
    """Return the transactions of items with these gas bounds, in order, each as full as the cap allows.

    Parameters
    ----------
    costs : sequence of int
        Bound of each item.
    fixed : int
        Gas of a transaction beside its items.

    Returns
    -------
    list of Part
    """
    parts: list[Part] = []
    start, used = 0, fixed
    for i, cost in enumerate(costs):
        if used + cost > TRANSACTION_GAS and i > start:
            parts.append(Part(range(start, i), used))
            start, used = i, fixed
        used += cost
    if costs:
        parts.append(Part(range(start, len(costs)), min(used, TRANSACTION_GAS)))
    return parts


def singles(costs: Sequence[int]) -> list[Part]:
    """Return one transaction for each item."""
    return [Part(range(i, i + 1), min(cost, TRANSACTION_GAS)) for i, cost in enumerate(costs)]


def blocks(parts: Sequence[Part]) -> list[list[Part]]:
    """Return the transactions of each block, in order, none above the block limit."""
    packed: list[list[Part]] = []
    used = BLOCK_GAS
    for part in parts:
        if used + part.gas > BLOCK_GAS:
            packed.append([])
            used = 0
        packed[-1].append(part)
        used += part.gas
    return packed


def record_batches(sizes: Sequence[int]) -> list[Part]:
    """Return which provenance records go into each batch, given their packed sizes; one batch makes one block."""
    return transactions([RECORD_BYTE_GAS * size for size in sizes])
