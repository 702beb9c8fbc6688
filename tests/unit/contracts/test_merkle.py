"""The tree against a brute force written from OpenZeppelin's rule alone, and Keccak against its published vectors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heritage_contracts.hashing import keccak256, selector
from heritage_contracts.merkle import build_tree, payee_leaves, proof_of, root_from_proof, root_of

leaf_sets = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def brute_root(leaves):
    """Return the root by OpenZeppelin's numbering of nodes, one node at a time."""

    def node(i):
        if i >= len(leaves) - 1:
            return leaves[2 * len(leaves) - 2 - i]
        a, b = sorted((node(2 * i + 1), node(2 * i + 2)))
        return keccak256(a + b)

    return node(0)


def test_keccak_is_the_evms_and_not_sha3():
    # Ethereum yellow paper: hash of the empty string; ERC-20: selector of transfer.
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"


@settings(max_examples=60, deadline=None)
@given(leaf_sets)
def test_root_equals_the_brute_force(leaves):
    assert root_of(build_tree(leaves)) == brute_root(leaves)


@settings(max_examples=40, deadline=None)
@given(leaf_sets, st.data())
def test_every_leaf_proves_itself_and_a_stranger_does_not(leaves, data):
    tree = build_tree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = proof_of(tree, index)
    assert root_from_proof(leaves[index], proof) == root_of(tree)
    assert root_from_proof(keccak256(leaves[index]), proof) != root_of(tree)


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


def test_a_tree_without_leaves_is_refused():
    with pytest.raises(ValueError, match="at least one leaf"):
        build_tree([])
