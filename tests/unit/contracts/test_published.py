"""Published epochs: the very bytes, the way back, what is refused and where, and what a million payees cost."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import Deployment
from heritage_contracts.hashing import keccak256
from heritage_contracts.trees.epoch import make_epoch
from heritage_contracts.trees.merkle import leaf_of, payee_leaves, root_from_multiproof, root_from_proof, root_of
from heritage_contracts.trees.published import PublishedEpoch, read_epoch, rebuild
from heritage_contracts.trees.rows import rows_of
from heritage_sim.base import InputError, Statement

HEADER = (
    b'{"chain_id":7,"distributor":"0x' + b"ab" * 20 + b'","epoch":3,"format":"heritage-epoch-2","num_payees":2,'
    b'"pool_units":5,"provenance_head":"0x' + b"cd" * 32 + b'","rule":"pro rata"}\n'
)
BYTES = HEADER + b'["0x' + b"01" * 32 + b'",0]\n["0x' + b"02" * 32 + b'",1000001]\n'


def data(ids=(b"\1" * 32, b"\2" * 32), cumulative=(0, 1_000_001), rule="pro rata"):
    return PublishedEpoch(7, b"\xab" * 20, 3, 5, b"\xcd" * 32, rule, rows_of(ids), cumulative)


def test_the_bytes_are_these():
    assert data().written() == BYTES


def test_the_bytes_lead_back_to_root_and_hash():
    commitment = rebuild(BYTES)
    leaves = [leaf.tobytes() for leaf in payee_leaves(7, b"\xab" * 20, [b"\1" * 32, b"\2" * 32], [0, 1_000_001])]
    assert commitment.root == keccak256(b"".join(sorted(leaves)))
    assert commitment.data_hash == keccak256(BYTES)
    assert (commitment.epoch, commitment.total_units, commitment.deposit_units) == (3, 1_000_001, 5)
    assert commitment.provenance_head == b"\xcd" * 32


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**256 - 1), min_size=1, max_size=30), st.text(max_size=20))
def test_any_amounts_and_names_come_back_as_they_went(amounts, rule):
    ids = [keccak256(bytes([i])) for i in range(len(amounts))]
    written = data(ids, amounts, rule).written()
    back = read_epoch(written)
    assert back.written() == written
    assert (list(back.cumulative), back.rule) == (amounts, rule)
    assert [row.tobytes() for row in back.payee_ids] == ids


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        (b"", 1, "not JSON"),
        (b"[1]\n", 1, "not a JSON object"),
        (BYTES.replace(b'"format":"heritage-epoch-2",', b""), 1, "format is None"),
        (BYTES.replace(b"-2", b"-9"), 1, "format is 'heritage-epoch-9'"),
        (BYTES.replace(b'"epoch":3,', b""), 1, "no epoch"),
        (BYTES.replace(b'"epoch":3', b'"epoch":-3'), 1, "epoch cannot be -3"),
        (BYTES.replace(b'"epoch":3', b'"epoch":3.0'), 1, "epoch cannot be 3.0"),
        (BYTES.replace(b'"epoch":3', b'"epoch":true'), 1, "epoch cannot be True"),
        (BYTES.replace(b"ab" * 20, b"ab" * 19), 1, "distributor cannot be"),
        (BYTES.replace(b"cd" * 32, b"CD" * 32), 1, "provenance_head cannot be"),
        (BYTES.replace(b'"epoch":3', b'"epoch": 3'), 1, "not in its canonical form"),
        (BYTES.replace(b'"epoch":3', b'"epoch":3,"epoch":3'), 1, "not in its canonical form"),
        (BYTES.replace(b'"epoch":3', b'"epoch":3,"extra":1'), 1, "not in its canonical form"),
        (HEADER, 1, "speaks of 2 payees, 0 follow"),
        (BYTES.replace(b'"num_payees":2', b'"num_payees":3'), 1, "speaks of 3 payees, 2 follow"),
        (BYTES.replace(b"01" * 32, b"01" * 31), 2, "is not"),
        (BYTES.replace(b",0]", b",00]"), 2, "is not"),
        (BYTES.replace(b",0]", b",-1]"), 2, "is not"),
        (BYTES.replace(b",0]", b", 0]"), 2, "is not"),
        (BYTES.replace(b",0]", b',"0"]'), 2, "is not"),
        (BYTES[:-1], 3, "is not"),
        (BYTES + b"\n", 4, "is not"),
        (BYTES.replace(b"\n", b"\r\n"), 1, "canonical"),
        (BYTES.replace(b"1000001", str(2**256).encode()), 3, "2\\^256 or more"),
        (BYTES.replace(b"02" * 32, b"01" * 32), 3, "the payee of line 2 comes again"),
    ],
)
def test_other_bytes_are_refused_naming_the_line(changed, line, said):
    with pytest.raises(InputError, match=said) as refused:
        rebuild(changed, "epochs/3.jsonl")
    assert refused.value.where == f"epochs/3.jsonl, line {line}"
    assert refused.value.remedy


def test_payees_whose_ids_begin_alike_are_two_payees():
    assert len(read_epoch(data((b"\1" * 32, b"\1" * 31 + b"\2"), (1, 2)).written()).cumulative) == 2


# ---- the ledger's side: order of leaves, proofs for claims ----------------------------------------------------------

AMOUNTS = np.array([10, 20, 30, 40, 50, 60, 70], dtype=np.int64)
ORDER = [4, 0, 6, 2, 5, 1, 3]


def deployment(num_payees=7):
    return Deployment(LedgerConfig(), num_payees, 10**9)


def epoch(order=None, amounts=AMOUNTS):
    statement = Statement(0, "test", int(amounts.sum()), amounts, np.zeros(0, np.int64), ())
    return make_epoch(deployment(len(amounts)), statement, amounts, bytes(32), order)


def test_leaves_stand_in_the_callers_order():
    at, made = deployment(), epoch(ORDER)
    published = read_epoch(made.published)
    assert list(published.cumulative) == AMOUNTS[ORDER].tolist()
    assert [row.tobytes() for row in published.payee_ids] == [at.payee_ids[p] for p in ORDER]
    assert made.root == rebuild(made.published).root == root_of(at.tree(AMOUNTS.tolist(), ORDER))
    assert made.root != epoch().root == root_of(at.tree(AMOUNTS.tolist()))
    assert made.total == epoch().total == 280


@pytest.mark.parametrize("order", [None, ORDER])
def test_every_payee_has_a_proof_of_its_own_amount(order):
    at, made = deployment(), epoch(order)
    for payee in range(7):
        leaf = payee_leaves(at.chain_id, at.distributor, [at.payee_ids[payee]], [int(AMOUNTS[payee])]).tobytes()
        assert leaf_of(made.tree, int(made.places[payee])) == leaf
        assert root_from_proof(leaf, made.proof(payee)) == made.root


@pytest.mark.parametrize("payees", [[3], [0, 1, 2], [6, 0, 3], range(7)])
def test_several_payees_have_one_proof(payees):
    at, made = deployment(), epoch(ORDER)
    order, proof, flags = made.multiproof(payees)
    assert sorted(order) == sorted(payees)
    ids, amounts = [at.payee_ids[p] for p in order], AMOUNTS[order]
    leaves = [leaf.tobytes() for leaf in payee_leaves(at.chain_id, at.distributor, ids, amounts)]
    assert root_from_multiproof(leaves, proof, flags) == made.root


def test_neighbours_share_most_of_their_proof():
    amounts = np.arange(1024, dtype=np.int64)
    together = list(range(0, 1024, 8))  # one community of 128, spread over the numbers
    others = [p for p in range(1024) if p % 8]
    spread, side_by_side = epoch(None, amounts), epoch(together + others, amounts)
    assert len(side_by_side.multiproof(together).proof) <= 10 < len(spread.multiproof(together).proof)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 5], [1, 2, 3, 4, 5, 6, 7]])
def test_an_order_that_leaves_somebody_out_is_refused(order):
    with pytest.raises(ValueError, match="each of 7 payees once"):
        epoch(order)


def test_a_payees_id_is_the_salted_hash_of_its_number():
    salt = keccak256(b"heritage.payee\0" + LedgerConfig().payee_salt.encode())
    expected = keccak256(salt + (4).to_bytes(32, "big"))
    assert deployment().payee_ids[4] == expected
    assert deployment(5_000).payee_ids[4] == expected  # by compiled code


MILLION = """
import time
import numpy as np
from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import Deployment
from heritage_contracts.trees.epoch import make_epoch
from heritage_contracts.trees.published import rebuild
from heritage_experiments.bench.million_payees import peak_bytes
from heritage_sim.base import Statement

n = 1_000_000
units = np.arange(n, dtype=np.int64) * 1_000_003
statement = Statement(0, "test", int(units.sum()), units, np.zeros(0, np.int64), ())
epoch = make_epoch(Deployment(LedgerConfig(), n, 10**9), statement, units, bytes(32), np.arange(n)[::-1])
cpu_s, peak_mib = time.process_time(), peak_bytes() / 2**20
assert rebuild(epoch.published).root == epoch.root
print(cpu_s, peak_mib)
"""


@pytest.mark.slow  # 6 CPU seconds
def test_a_million_payees_take_ten_cpu_seconds_and_a_gibibyte_at_most():
    done = subprocess.run([sys.executable, "-c", MILLION], capture_output=True, text=True, check=True, timeout=300)
    cpu_s, peak_mib = map(float, done.stdout.split())
    assert cpu_s <= 10.0
    assert peak_mib <= 1024.0
