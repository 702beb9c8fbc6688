"""Trees and proofs against OpenZeppelin's own library, its Solidity rule in Python, and brute force over subsets."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heritage_contracts.hashing import keccak256, selector
from heritage_contracts.trees import rows
from heritage_contracts.trees.merkle import (
    build_tree,
    leaf_of,
    multiproof_of,
    num_leaves,
    payee_leaves,
    proof_of,
    root_from_multiproof,
    root_from_proof,
    root_of,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "standard_merkle_tree.json").read_text())
leaf_sets = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def raw(text):
    return bytes.fromhex(text.removeprefix("0x"))


def leaves_of(count, salt=b""):
    return [keccak256(salt + bytes([i])) for i in range(count)]


def brute_root(leaves):
    """Return the root by OpenZeppelin's numbering of nodes, one node at a time."""

    def node(i):
        if i >= len(leaves) - 1:
            return leaves[2 * len(leaves) - 2 - i]
        a, b = sorted((node(2 * i + 1), node(2 * i + 2)))
        return keccak256(a + b)

    return node(0)


class RevertError(Exception):
    """`processMultiProof` reverts."""


def solidity_multiproof(leaves, proof, flags, all_used=True):
    """Process a multiproof statement by statement as `MerkleProof.sol` does, memory that begins as zeros included."""
    if len(leaves) + len(proof) != len(flags) + 1:
        raise RevertError
    if not flags:
        return leaves[0] if leaves else proof[0]
    hashes = [bytes(32)] * len(flags)
    leaf_at = hash_at = proof_at = 0

    def from_queue():
        nonlocal leaf_at, hash_at
        if leaf_at < len(leaves):
            leaf_at += 1
            return leaves[leaf_at - 1]
        if hash_at == len(hashes):
            raise RevertError
        hash_at += 1
        return hashes[hash_at - 1]

    for i, flag in enumerate(flags):
        a = from_queue()
        if flag:
            b = from_queue()
        else:
            if proof_at == len(proof):
                raise RevertError
            b, proof_at = proof[proof_at], proof_at + 1
        hashes[i] = keccak256(min(a, b) + max(a, b))
    if all_used and proof_at != len(proof):  # the check that OpenZeppelin 4.9.2 put in
        raise RevertError
    return hashes[-1]


def test_keccak_is_the_evms_and_not_sha3():
    # Ethereum yellow paper: hash of the empty string; ERC-20: selector of transfer.
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"


@pytest.mark.parametrize("golden", GOLDEN["trees"], ids=lambda g: f"{len(g['payees'])} leaves")
def test_leaves_nodes_and_proofs_are_those_of_openzeppelins_library(golden):
    ids, amounts = [raw(p) for p, _ in golden["payees"]], [int(a) for _, a in golden["payees"]]
    tree = build_tree(payee_leaves(GOLDEN["chain_id"], raw(GOLDEN["distributor"]), ids, amounts))
    assert [node.tobytes() for node in tree] == [raw(n) for n in golden["nodes"]]
    assert [proof_of(tree, i) for i in range(num_leaves(tree))] == [[raw(n) for n in p] for p in golden["proofs"]]
    for expected in golden["multiproofs"]:
        got = multiproof_of(tree, expected["indices"])
        assert got == (expected["order"], [raw(n) for n in expected["proof"]], expected["flags"])


@settings(max_examples=60)
@given(leaf_sets)
def test_root_equals_the_brute_force(leaves):
    assert root_of(build_tree(leaves)) == brute_root(leaves)


@settings(max_examples=40)
@given(leaf_sets, st.data())
def test_every_leaf_proves_itself_and_a_stranger_does_not(leaves, data):
    tree = build_tree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = proof_of(tree, index)
    assert leaf_of(tree, index) == leaves[index]
    assert root_from_proof(leaves[index], proof) == root_of(tree)
    assert root_from_proof(keccak256(leaves[index]), proof) != root_of(tree)


@pytest.mark.parametrize("count", range(1, 9))
def test_every_subset_of_a_small_tree_leads_to_its_root(count):
    leaves = leaves_of(count)
    tree = build_tree(leaves)
    for size in range(count + 1):
        for subset in itertools.combinations(range(count), size):
            order, proof, flags = multiproof_of(tree, subset)
            shown = [leaves[i] for i in order]
            assert sorted(order) == list(subset)
            assert (
                root_from_multiproof(shown, proof, flags) == solidity_multiproof(shown, proof, flags) == root_of(tree)
            )


@settings(max_examples=60)
@given(st.integers(1, 300), st.data())
def test_random_subsets_lead_to_the_root_and_a_changed_leaf_does_not(count, data):
    leaves = [keccak256(i.to_bytes(4, "big")) for i in range(count)]
    tree = build_tree(leaves)
    indices = data.draw(st.lists(st.integers(0, count - 1), unique=True, min_size=1, max_size=60))
    order, proof, flags = multiproof_of(tree, indices)
    shown = [leaves[i] for i in order]
    assert root_from_multiproof(shown, proof, flags) == root_of(tree)
    assert solidity_multiproof(shown, proof, flags) == root_of(tree)
    changed = data.draw(st.integers(0, len(shown) - 1))
    shown[changed] = keccak256(shown[changed])
    assert root_from_multiproof(shown, proof, flags) != root_of(tree)


nodes = st.sampled_from([*leaves_of(5), bytes(32)])


@settings(max_examples=300)
@given(st.lists(nodes, max_size=4), st.lists(nodes, max_size=4), st.lists(st.booleans(), max_size=7))
def test_any_multiproof_is_judged_as_the_contract_judges_it(leaves, proof, flags):
    try:
        expected = solidity_multiproof(leaves, proof, flags)
    except RevertError:
        with pytest.raises(ValueError, match="do not fit together"):
            root_from_multiproof(leaves, proof, flags)
    else:
        assert root_from_multiproof(leaves, proof, flags) == expected


def test_a_proof_node_left_over_is_refused_as_since_cve_2023_34459():
    # The root of a tree with an empty node at depth 1. The queue of the forged multiproof overtakes what was written
    # and reads memory that is still zero in place of that node: the last hash is the root, whatever leaves were shown.
    other = keccak256(b"the other node at depth 1")
    root = keccak256(bytes(32) + other)
    leaves, proof = leaves_of(2, b"my own "), [other, keccak256(b"never read")]
    flags = [True, True, False]
    assert solidity_multiproof(leaves, proof, flags, all_used=False) == root
    with pytest.raises(RevertError):
        solidity_multiproof(leaves, proof, flags)
    with pytest.raises(ValueError, match="do not fit together"):
        root_from_multiproof(leaves, proof, flags)


@pytest.mark.parametrize("indices", [[3, 3], [0, 1, 0]])
def test_a_leaf_is_proved_once(indices):
    with pytest.raises(ValueError, match="a leaf twice"):
        multiproof_of(build_tree(leaves_of(5)), indices)


@pytest.mark.parametrize("index", [-1, 5, 8])
def test_a_leaf_that_is_not_there_has_no_proof(index):
    tree = build_tree(leaves_of(5))
    for ask in (proof_of, leaf_of, lambda t, i: multiproof_of(t, [0, i])):
        with pytest.raises(IndexError, match=f"leaf {index} of a tree with 5"):
            ask(tree, index)


def test_leaf_is_the_double_hash_of_the_abi_encoding():
    chain_id, contract, payee, amount = 31337, bytes(range(20)), bytes(range(32)), 123_456_789
    encoded = (
        f"{chain_id:064x}" + contract.hex().rjust(64, "0") + payee.hex() + f"{amount:064x}"
    )  # four words, written by hand
    expected = keccak256(keccak256(bytes.fromhex(encoded)))
    assert payee_leaves(chain_id, contract, [payee], [amount]).tobytes() == expected


def test_leaves_differ_by_chain_contract_payee_and_amount():
    base = (1, b"\1" * 20, b"\2" * 32, 3)
    others = [(2, *base[1:]), (1, b"\3" * 20, *base[2:]), (*base[:2], b"\4" * 32, 3), (*base[:3], 4)]
    leaves = {payee_leaves(c, a, [p], [n]).tobytes() for c, a, p, n in [base, *others]}
    assert len(leaves) == 5


def test_arrays_and_sequences_give_the_same_leaves():
    ids = leaves_of(7)
    amounts = np.array([0, 1, 255, 256, 10**12, 2**62, 2**63 - 1], dtype=np.int64)
    as_rows = np.frombuffer(b"".join(ids), dtype=np.uint8).reshape(-1, 32)
    one, other = payee_leaves(1, bytes(20), ids, amounts.tolist()), payee_leaves(1, bytes(20), as_rows, amounts)
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("ids", "amounts", "error"),
    [
        ([bytes(32)], [1, 2], ValueError),
        ([bytes(31)], [1], ValueError),
        ([bytes(32)], [-1], OverflowError),
        ([bytes(32)], [2**256], OverflowError),
        ([bytes(32)], np.array([-1]), OverflowError),
        ([bytes(32)], np.array([1.0]), ValueError),
        (np.zeros((1, 31), np.uint8), [1], ValueError),
    ],
)
def test_impossible_leaves_are_refused(ids, amounts, error):
    with pytest.raises(error):
        payee_leaves(1, bytes(20), ids, amounts)


def test_a_tree_without_leaves_is_refused():
    with pytest.raises(ValueError, match="at least one leaf"):
        build_tree([])


def test_a_tree_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        build_tree(leaves_of(3))[0] = 0


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 129, 1000])
def test_the_compiled_way_gives_the_same_tree(count, monkeypatch):
    ids, amounts = [keccak256(bytes([i % 256, i // 256])) for i in range(count)], list(range(count))
    slow = build_tree(payee_leaves(7, bytes(20), ids, amounts))
    monkeypatch.setattr(rows, "MANY_LEAVES", 0)
    assert build_tree(payee_leaves(7, bytes(20), ids, amounts)).tobytes() == slow.tobytes()


def test_a_small_tree_needs_no_compiler():
    code = (
        "import sys; from heritage_contracts.trees.merkle import build_tree, payee_leaves, root_of; "
        "build_tree(payee_leaves(1, bytes(20), [bytes(32)] * 500, [1] * 500)); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
