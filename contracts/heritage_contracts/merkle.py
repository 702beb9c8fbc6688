"""Merkle trees as OpenZeppelin's `MerkleProof` checks them: pairs hashed in sorted order, leaves hashed twice.

A layer's nodes are hashed two by two; the last node of an odd layer goes up as it is. Hashing a leaf twice keeps a
64-byte inner node from passing for a leaf. Leaves keep the order of payee ids, so neighbours share most of their proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from heritage_contracts.hashing import keccak256

Layers = list[list[bytes]]


def payee_leaves(
    chain_id: int, distributor: bytes, payee_ids: Sequence[bytes], cumulative: Sequence[int]
) -> list[bytes]:
    """Return the leaf of each payee.

    Parameters
    ----------
    chain_id : int
        Chain the distributor is on.
    distributor : bytes
        Its 20-byte address.
    payee_ids : sequence of bytes
        Salted ids, 32 bytes each.
    cumulative : sequence of int
        What each payee has earned since the beginning, in the smallest unit.

    Returns
    -------
    list of bytes
        ``keccak(keccak(abi.encode(chain_id, distributor, payee_id, cumulative)))``, 32 bytes each.
    """
    # abi.encode of static types is plain concatenation of words; going through an ABI coder costs ten times the hash.
    prefix = chain_id.to_bytes(32, "big") + distributor.rjust(32, b"\0")
    return [
        keccak256(keccak256(prefix + payee_id + int(amount).to_bytes(32, "big")))
        for payee_id, amount in zip(payee_ids, cumulative, strict=True)
    ]


def build_layers(leaves: Sequence[bytes]) -> Layers:
    """Return all layers of the tree, leaves first, the root alone in the last.

    Parameters
    ----------
    leaves : sequence of bytes
        At least one, 32 bytes each.

    Returns
    -------
    list of list of bytes

    Raises
    ------
    ValueError
        If there is no leaf.
    """
    if not leaves:
        raise ValueError("a Merkle tree needs at least one leaf")
    layers = [list(leaves)]
    while len(layers[-1]) > 1:
        below = layers[-1]
        above = [
            keccak256(left + right if left <= right else right + left)
            for left, right in zip(below[::2], below[1::2], strict=False)
        ]
        if len(below) % 2:
            above.append(below[-1])
        layers.append(above)
    return layers


def root_of(layers: Layers) -> bytes:
    """Return the root of a tree."""
    return layers[-1][0]


def proof_of(layers: Layers, index: int) -> list[bytes]:
    """Return the siblings from a leaf up to the root."""
    proof: list[bytes] = []
    for layer in layers[:-1]:
        sibling = index ^ 1
        if sibling < len(layer):
            proof.append(layer[sibling])
        index >>= 1
    return proof


def root_from_proof(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its siblings lead to; equal to the tree's root where the proof is right."""
    node = leaf
    for sibling in proof:
        node = keccak256(node + sibling if node <= sibling else sibling + node)
    return node
