"""How intents are cut into transactions and blocks."""

from hypothesis import given
from hypothesis import strategies as st

from heritage_contracts.schedule import (
    BLOCK_GAS,
    RECORD_BYTE_GAS,
    TRANSACTION_GAS,
    claim_blocks,
    claim_gas,
    next_block_s,
    record_batches,
)


@given(st.integers(0, 3000), st.integers(1, 20_000))
def test_claims_are_all_paid_within_the_gas_limits(num_claims, num_payees):
    bound = claim_gas(num_payees)
    blocks = claim_blocks(num_claims, num_payees)
    assert [i for block in blocks for items in block for i in items] == list(range(num_claims))
    for block in blocks:
        asked = [bound.of(len(items)) for items in block]
        assert max(asked) <= TRANSACTION_GAS
        assert sum(asked) <= BLOCK_GAS


@given(st.lists(st.integers(36, 100), max_size=8000))
def test_records_are_all_written_within_the_transaction_cap(sizes):
    batches = record_batches(sizes)
    assert [i for batch in batches for i in batch] == list(range(len(sizes)))
    assert all(len(batch) for batch in batches)
    assert all(RECORD_BYTE_GAS.of(sum(sizes[i] for i in batch)) <= TRANSACTION_GAS for batch in batches)


def test_a_block_is_later_than_the_one_before():
    assert next_block_s(100, 50) == 100
    assert next_block_s(100, 100) == 101
    assert next_block_s(0, 100) == 101
