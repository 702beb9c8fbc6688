"""What a reader of the public form can work out, by linear algebra over everything that is shown."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heritage_contracts.export.suppression import cells_to_show
from heritage_contracts.export.tables import AmountTable
from heritage_sim.base import InputError


def column(values):
    return np.array(values, dtype=np.int64)


def shown(community, units_of_epochs, k, kinds=("streams",)):
    """Return the cells of tables given as units[epoch][kind][payee]."""
    rows = [
        (epoch, payee, kind, units)
        for epoch, by_kind in enumerate(units_of_epochs)
        for kind, by_payee in enumerate(by_kind)
        for payee, units in enumerate(by_payee)
    ]
    table = AmountTable(kinds, *(column([row[i] for row in rows]) for i in range(4)))
    return list(cells_to_show(table, column(community), range(len(units_of_epochs)), k))


@st.composite
def small_worlds(draw):
    community = draw(st.lists(st.integers(0, 4), min_size=1, max_size=14))
    units = draw(
        st.lists(
            st.lists(
                st.lists(st.sampled_from([0, 0, 1, 7, 30]), min_size=len(community), max_size=len(community)),
                min_size=2,
                max_size=2,
            ),
            min_size=1,
            max_size=2,
        )
    )
    return community, units, draw(st.integers(2, 6))


@settings(max_examples=150)
@given(small_worlds())
def test_whatever_can_be_worked_out_is_of_k_payees_or_more(world):
    community, units, k = world
    names = sorted(set(community))
    cells = shown(community, units, k, ("streams", "direct"))
    owed = {
        (e, kind, c): [p for p, u in enumerate(by_payee) if u > 0 and community[p] == c]
        for e, by_kind in enumerate(units)
        for kind, by_payee in zip(("streams", "direct"), by_kind, strict=True)
        for c in names
    }
    for e, kind in itertools.product(range(len(units)), ("streams", "direct")):
        table = [cell for cell in cells if (cell.epoch, cell.kind) == (e, kind)]
        assert [cell.community for cell in table] == ["all", *names]
        # One equation for each amount shown, one unknown for each community.
        equations = np.array(
            [[float(cell.community in ("all", name)) for name in names] for cell in table if cell.units is not None]
        ).reshape(-1, len(names))
        rank = np.linalg.matrix_rank(equations) if len(equations) else 0
        for size in range(1, len(names) + 1):
            for group in itertools.combinations(names, size):
                wanted = np.array([[float(name in group) for name in names]])
                if np.linalg.matrix_rank(np.vstack([equations, wanted])) == rank:
                    assert sum(len(owed[e, kind, name]) for name in group) >= k


@settings(max_examples=60)
@given(small_worlds())
def test_what_is_shown_is_right(world):
    community, units, k = world
    for cell in shown(community, units, k, ("streams", "direct")):
        if cell.units is not None:
            of = units[cell.epoch][("streams", "direct").index(cell.kind)]
            members = [u for u, c in zip(of, community, strict=True) if cell.community in ("all", c)]
            assert (cell.units, cell.payees) == (sum(members), sum(u > 0 for u in members))


def kept_back(community, units, k):
    return [cell.community for cell in shown(community, [[units]], k) if cell.units is None]


def test_nothing_is_kept_back_without_need():
    assert kept_back([0] * 3 + [1] * 4, [5] * 7, 3) == []


def test_two_small_cells_that_protect_each_other_take_no_third():
    assert kept_back([0] * 2 + [1] * 2 + [2] * 9, [5] * 13, 4) == [0, 1]


def test_a_small_cell_takes_the_smallest_that_will_do():
    assert kept_back([0] + [1] * 9 + [2] * 6 + [3] * 6, [5] * 22, 4) == [0, 2]


def test_a_community_of_which_nobody_was_paid_is_not_shown_as_nothing():
    assert kept_back([0] * 5 + [1] * 5 + [2] * 6, [0] * 5 + [5] * 11, 3) == [0, 1]


def test_a_total_of_too_few_is_kept_back_with_all_its_cells():
    assert kept_back([0, 1, 2], [5, 5, 5], 4) == ["all", 0, 1, 2]


def test_a_payee_of_two_rows_is_one_payee():
    table = AmountTable(("streams",), column([0, 0, 0]), column([0, 0, 1]), column([0, 0, 0]), column([3, 4, 5]))
    (total, only) = cells_to_show(table, column([2, 2]), [0], 2)
    assert (total.payees, total.units) == (only.payees, only.units) == (2, 12)


@pytest.mark.parametrize("k", [1, 0, -3])
def test_a_k_that_would_show_single_payees_is_refused(k):
    with pytest.raises(InputError, match="single payees"):
        shown([0, 0], [[[1, 1]]], k)
