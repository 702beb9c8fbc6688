"""An economy on the embedded EVM: the outcomes and books of the reference ledger, to the unit and the second."""

import numpy as np
import pytest
from small_world import lived, small_economy

from heritage_contracts.config import LedgerConfig

pytestmark = pytest.mark.integration
EVM = LedgerConfig(kind="evm")


def test_books_and_outcomes_on_the_chain_are_those_of_the_reference_ledger():
    reference, chain = lived(days=10), lived(days=10, ledger=EVM)
    ours, theirs = reference.results(), chain.results()
    # What became of transactions is known only where there are any.
    outcomes = [o for o in theirs.outcomes if o.name not in ("ledger_failure_rate", "ledger_unresolved_rate")]
    np.testing.assert_array_equal([o.value for o in ours.outcomes], [o.value for o in outcomes])
    for column, values in ours.tables["epochs"].items():
        if column not in ("gas", "claim_gas", "ledger"):
            np.testing.assert_array_equal(values, theirs.tables["epochs"][column], err_msg=column)
    # Posting costs what a test of the contracts bounds, whoever claims; claims are a column of their own.
    assert (theirs.tables["epochs"]["gas"] < 300_000).all()
    assert (theirs.tables["epochs"]["gas"] > 50_000).all()
    assert (theirs.tables["epochs"]["claim_gas"] > theirs.tables["epochs"]["gas"]).all()
    np.testing.assert_array_equal(reference.treasury.ledger.claimed_units(), chain.treasury.ledger.claimed_units())


def test_a_chain_is_rebuilt_from_its_journal_in_the_middle_of_a_run():
    whole = lived(days=14, ledger=EVM)
    first = small_economy(days=14, ledger=EVM)
    first.run(until=9)
    second = small_economy(days=14, ledger=EVM)
    second.restore(first.snapshot())
    second.run()
    for column, values in whole.results().tables["epochs"].items():
        np.testing.assert_array_equal(values, second.results().tables["epochs"][column], err_msg=column)
