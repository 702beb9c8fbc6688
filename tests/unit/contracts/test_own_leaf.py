"""A payee's own proof: made from published data alone, checked from its own words alone."""

import pytest

from heritage_contracts.export import OwnLeaves, check_own_leaf
from heritage_contracts.hashing import keccak256
from heritage_contracts.trees.published import PublishedEpoch, read_epoch, rebuild
from heritage_contracts.trees.rows import rows_of
from heritage_sim.base import InputError

IDS = [keccak256(bytes([i])) for i in range(5)]
PUBLISHED = PublishedEpoch(7, b"\xab" * 20, 3, 5, b"\xcd" * 32, "test", rows_of(IDS), [10, 0, 30, 2**200, 50]).written()


@pytest.fixture
def leaves():
    return OwnLeaves(read_epoch(PUBLISHED))


def test_every_payee_gets_a_proof_that_leads_to_the_posted_root(leaves):
    for payee_id, units in zip(IDS, (10, 0, 30, 2**200, 50), strict=True):
        own = check_own_leaf(leaves.proof_for(payee_id).written())
        assert own == leaves.proof_for(payee_id)
        assert (own.root, own.cumulative_units) == (rebuild(PUBLISHED).root, units)
        assert (own.chain_id, own.contract, own.epoch, own.payee_id) == (7, b"\xab" * 20, 3, payee_id)


def test_a_stranger_gets_none(leaves):
    with pytest.raises(InputError, match="no payee has the id 0x0909"):
        leaves.proof_for(b"\x09" * 32)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"cumulative_units":30', b'"cumulative_units":31', "the leaf is not that of this payee and amount"),
        (b'"chain_id":7', b'"chain_id":8', "the leaf is not that"),
        (b"ab" * 20, b"ba" * 20, "the leaf is not that"),
        (b'"root":"0x', b'"root":"0x00', "root cannot be"),
        (b'"proof":["0x', b'"proof":["0x00', "proof cannot be"),
        (b'"proof":[', b'"proof":[1,', "proof cannot be 1"),
        (b'"epoch":3', b'"epoch":-3', "epoch cannot be -3"),
        (b'"epoch":3', b'"epoch":3.5', "epoch cannot be 3.5"),
        (b'"epoch":3,', b"", "it has no 'epoch'"),
        (b"heritage-leaf-1", b"heritage-leaf-2", "its format is"),
        (b"{", b"[", "not a payee's proof"),
        (b"{", b"7 {", "not a payee's proof"),
    ],
)
def test_a_proof_that_was_changed_is_refused(leaves, old, new, said):
    text = leaves.proof_for(IDS[2]).written()
    assert old in text
    with pytest.raises(InputError, match=said) as refused:
        check_own_leaf(text.replace(old, new), "mine.json")
    assert refused.value.where == "mine.json"


def test_a_proof_with_a_node_left_out_or_of_another_root_is_refused(leaves):
    own = leaves.proof_for(IDS[2])
    short = own.written().replace(b'"0x' + own.proof[0].hex().encode() + b'",', b"")
    with pytest.raises(InputError, match="does not lead to its root"):
        check_own_leaf(short)
    with pytest.raises(InputError, match="does not lead to its root"):
        check_own_leaf(own.written().replace(own.root.hex().encode(), keccak256(own.root).hex().encode()))


@pytest.mark.parametrize("text", [b"", b"7", b"null", b"\xff", b'"text"', b"[]"])
def test_other_files_are_refused(text):
    with pytest.raises(InputError, match="not a payee's proof"):
        check_own_leaf(text)
