"""How intents are cut into transactions and blocks."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from heritage_contracts.schedule import (
    BLOCK_GAS,
    FIXED_GAS,
    RECORD_BYTE_GAS,
    TRANSACTION_GAS,
    blocks,
    claim_gas,
    next_block_s,
    record_batches,
    singles,
    transactions,
)

costs = st.lists(st.integers(20_000, 5_000_000), max_size=300)


@given(st.lists(st.booleans(), max_size=2000), st.integers(1, 1_000_000))
def test_claims_are_all_paid_within_the_gas_limits(firsts, num_payees):
    bounds = [claim_gas(num_payees, is_first) for is_first in firsts]
    planned = blocks(transactions(bounds))
    assert [i for block in planned for part in block for i in part.items] == list(range(len(firsts)))
    for block in planned:
        assert all(part.gas == FIXED_GAS + sum(bounds[i] for i in part.items) <= TRANSACTION_GAS for part in block)
        assert sum(part.gas for part in block) <= BLOCK_GAS


@given(costs)
def test_no_transaction_could_take_in_the_next_ones_first_item(bounds):
    parts = transactions(bounds)
    for part, following in itertools.pairwise(parts):
        assert part.gas + bounds[following.items.start] > TRANSACTION_GAS


@given(costs)
def test_single_calls_keep_their_order_and_their_gas(bounds):
    planned = blocks(singles(bounds))
    assert [(i, part.gas) for block in planned for part in block for i in part.items] == list(enumerate(bounds))


@given(st.lists(st.integers(75, 1_131), max_size=3000))
def test_records_are_all_written_within_the_transaction_cap(sizes):
    batches = record_batches(sizes)
    assert [i for batch in batches for i in batch.items] == list(range(len(sizes)))
    for batch in batches:
        wanted = FIXED_GAS + RECORD_BYTE_GAS * sum(sizes[i] for i in batch.items)
        assert 0 < wanted == batch.gas <= TRANSACTION_GAS


def test_a_block_is_later_than_the_one_before():
    assert next_block_s(100, 50) == 100
    assert next_block_s(100, 100) == 101
    assert next_block_s(0, 100) == 101
