"""Merkle trees as OpenZeppelin's `MerkleProof` checks them: pairs hashed in sorted order, leaves hashed twice.

A tree of n leaves is one array of 2n - 1 nodes, as OpenZeppelin's `StandardMerkleTree` lays it out: the root is node 0,
the children of node i are nodes 2i + 1 and 2i + 2, and leaf i is node 2n - 2 - i. The multiproof queue of `MerkleProof`
works on this shape. Leaves are not sorted but keep the caller's order, so that neighbours share most of their proof.
Hashing a leaf twice keeps a 64-byte inner node from passing for a leaf.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heritage_contracts.trees.rows import Rows, amount_words, hash_pair, hash_rows, hash_sorted_pairs, rows_of

_CHUNK = 65_536
"""Leaves whose 128-byte messages are in memory at once."""
_PAYEE, _AMOUNT = slice(64, 96), slice(96, 128)


class Multiproof(NamedTuple):
    """What `MerkleProof.processMultiProof` needs to prove several leaves at once.

    Parameters
    ----------
    order : list of int
        Indices of the leaves in the order in which the contract wants them: ascending.
    proof : list of bytes
        Nodes that do not follow from the leaves.
    flags : list of bool
        For each hash, whether its second half comes from the queue (true) or from the proof (false).
    """

    order: list[int]
    proof: list[bytes]
    flags: list[bool]


def payee_leaves(
    chain_id: int,
    distributor: bytes,
    payee_ids: Sequence[bytes] | Rows,
    cumulative: Sequence[int] | npt.NDArray[np.int64],
) -> Rows:
    """Return the leaf of each payee.

    Parameters
    ----------
    chain_id : int
        Chain the distributor is on.
    distributor : bytes
        Its 20-byte address.
    payee_ids : sequence of bytes, or ndarray of uint8, shape (n, 32)
        Salted ids, 32 bytes each.
    cumulative : sequence of int, length n
        What each payee has earned since the beginning, in the smallest unit; below 2^256.

    Returns
    -------
    ndarray of uint8, shape (n, 32)
        ``keccak(keccak(abi.encode(chain_id, distributor, payee_id, cumulative)))``.

    Raises
    ------
    ValueError
        If ids and amounts are not equally many, or an id is not 32 bytes.
    OverflowError
        If an amount is negative or above 2^256.
    """
    ids = rows_of(payee_ids)
    if len(ids) != len(cumulative):
        raise ValueError(f"{len(ids)} payees, but {len(cumulative)} amounts")
    # abi.encode of static types is plain concatenation of words.
    prefix = np.frombuffer(chain_id.to_bytes(32, "big") + distributor.rjust(32, b"\0"), dtype=np.uint8)
    leaves = np.empty((len(ids), 32), dtype=np.uint8)
    for start in range(0, len(ids), _CHUNK):
        part = slice(start, start + _CHUNK)
        messages = np.empty((len(ids[part]), 128), dtype=np.uint8)
        messages[:, :64] = prefix
        messages[:, _PAYEE] = ids[part]
        messages[:, _AMOUNT] = amount_words(cumulative[part])
        leaves[part] = hash_rows(hash_rows(messages, len(ids)), len(ids))
    return leaves


def build_tree(leaves: Sequence[bytes] | Rows) -> Rows:
    """Return all nodes of the tree over leaves.

    Parameters
    ----------
    leaves : sequence of bytes, or ndarray of uint8, shape (n, 32)
        At least one.

    Returns
    -------
    ndarray of uint8, shape (2n - 1, 32)
        Read only.

    Raises
    ------
    ValueError
        If there is no leaf, or one is not 32 bytes.
    """
    rows = rows_of(leaves)
    if not len(rows):
        raise ValueError("a Merkle tree needs at least one leaf")
    nodes = np.empty((2 * len(rows) - 1, 32), dtype=np.uint8)
    nodes[len(rows) - 1 :] = rows[::-1]
    end = len(rows) - 1
    # Nodes from `end` on are known; those from end // 2 on have both children among them.
    while end:
        start = end // 2
        nodes[start:end] = hash_sorted_pairs(nodes[2 * start + 1 : 2 * end + 1], len(rows))
        end = start
    nodes.flags.writeable = False
    return nodes


def num_leaves(tree: Rows) -> int:
    """Return the number of leaves of a tree."""
    return (len(tree) + 1) // 2


def root_of(tree: Rows) -> bytes:
    """Return the root of a tree."""
    return tree[0].tobytes()


def leaf_of(tree: Rows, index: int) -> bytes:
    """Return a leaf.

    Parameters
    ----------
    tree : ndarray of uint8, shape (2n - 1, 32)
        As `build_tree` gives it.
    index : int
        In [0, n).

    Returns
    -------
    bytes
    """
    return tree[_node_of(tree, index)].tobytes()


def proof_of(tree: Rows, index: int) -> list[bytes]:
    """Return the siblings from a leaf up to the root.

    Parameters
    ----------
    tree : ndarray of uint8, shape (2n - 1, 32)
        As `build_tree` gives it.
    index : int
        Of the leaf, in [0, n).

    Returns
    -------
    list of bytes
        As `MerkleProof.processProof` takes them.

    Raises
    ------
    IndexError
        If there is no such leaf.
    """
    node = _node_of(tree, index)
    proof: list[bytes] = []
    while node:
        proof.append(tree[_sibling(node)].tobytes())
        node = (node - 1) // 2
    return proof


def multiproof_of(tree: Rows, indices: Sequence[int]) -> Multiproof:
    """Return one proof for several leaves.

    Parameters
    ----------
    tree : ndarray of uint8, shape (2n - 1, 32)
        As `build_tree` gives it.
    indices : sequence of int
        Of the leaves, in any order; without any, the proof is the root itself.

    Returns
    -------
    Multiproof
        Leaf order, proof and flags as `MerkleProof.processMultiProof` takes them.

    Raises
    ------
    IndexError
        If there is no such leaf.
    ValueError
        If a leaf is named twice.
    """
    order = sorted(indices)
    if len(set(order)) != len(order):
        raise ValueError("a multiproof names a leaf twice")
    if not order:
        return Multiproof([], [root_of(tree)], [])
    # Ascending leaves are descending nodes: a sibling, if it is in the queue, is the next one.
    queue = deque(_node_of(tree, i) for i in order)
    proof: list[bytes] = []
    flags: list[bool] = []
    while queue[0]:
        node = queue.popleft()
        sibling = _sibling(node)
        known = bool(queue) and queue[0] == sibling
        flags.append(known)
        if known:
            queue.popleft()
        else:
            proof.append(tree[sibling].tobytes())
        queue.append((node - 1) // 2)
    return Multiproof(order, proof, flags)


def root_from_proof(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its siblings lead to; equal to the tree's root where the proof is right."""
    node = leaf
    for sibling in proof:
        node = hash_pair(node, sibling)
    return node


def root_from_multiproof(leaves: Sequence[bytes], proof: Sequence[bytes], flags: Sequence[bool]) -> bytes:
    """Return the root that several leaves and their common proof lead to.

    Parameters
    ----------
    leaves : sequence of bytes
        In the order of `Multiproof.order`.
    proof : sequence of bytes
        Nodes that do not follow from the leaves.
    flags : sequence of bool
        Where each hash's second half comes from.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        Where `MerkleProof.processMultiProof` reverts: the counts do not fit, or a part of the proof stays unused (which
        would let a forged queue run on empty nodes, CVE-2023-34459).
    """
    if len(leaves) + len(proof) != len(flags) + 1 or sum(not f for f in flags) != len(proof) * bool(flags):
        raise ValueError("the multiproof's leaves, proof and flags do not fit together")
    if not flags:
        return (*leaves, *proof)[0]
    # With these counts the queue cannot run empty: it has one flag `true` fewer than leaves.
    queue, beside = deque(leaves), iter(proof)
    for from_queue in flags:
        first = queue.popleft()
        queue.append(hash_pair(first, queue.popleft() if from_queue else next(beside)))
    return queue[0]


def _node_of(tree: Rows, index: int) -> int:
    if not 0 <= index < num_leaves(tree):
        raise IndexError(f"leaf {index} of a tree with {num_leaves(tree)} leaves")
    return len(tree) - 1 - int(index)


def _sibling(node: int) -> int:
    return node + 1 if node % 2 else node - 1
