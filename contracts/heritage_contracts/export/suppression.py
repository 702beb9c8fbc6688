"""Amounts by epoch, kind of money and community, without those that would tell what one person earned.

A cell is what one community was owed in one epoch for one kind of money; its payees are those who were owed something.
Cells of fewer than k payees are kept back. With the total of all communities shown, what is kept back can be had
together by subtraction: so further ones are kept back, the smallest first, until the payees behind them are at least k.

What a reader can work out from a table is then exactly the shown cells and the sum of those kept back, each of at least
k payees. Tables of other epochs and kinds have no cell in common with it. No sum over kinds is shown: the chain shows
totals of a kind, and a table with totals both ways would have to be protected as a whole (Cox 1980, "Suppression
methodology and statistical disclosure control"). What the chain itself shows of a salted id is not undone here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from heritage_contracts.export.tables import AmountTable
from heritage_sim.base import InputError, sum_exactly
from heritage_sim.base.catalogue import NO_ONE

Community = int | Literal["all"] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one community, or all of them, were owed in one epoch for one kind of money.

    Parameters
    ----------
    epoch : int
        Number of the epoch.
    kind : str
        Kind of money.
    community : int, None or "all"
        None for payees of no community.
    payees : int or None
        Those who were owed something; None where the cell is kept back.
    units : int or None
        What they were owed together; None where the cell is kept back.
    """

    epoch: int
    kind: str
    community: Community
    payees: int | None
    units: int | None


def cells_to_show(
    amounts: AmountTable, payee_community: npt.NDArray[np.int64], epochs: Sequence[int], k: int
) -> Iterator[Cell]:
    """Yield every cell of every table, with those kept back empty.

    Parameters
    ----------
    amounts : AmountTable
        What each payee was owed.
    payee_community : ndarray of int64, shape (num_payees,)
        Community of each payee, ``NO_ONE`` for none; every community with a payee has a cell in every table.
    epochs : sequence of int
        Epochs to speak of, in order.
    k : int
        Fewest payees of a cell that is shown, at least 2.

    Yields
    ------
    Cell
        By epoch, kind and community; the total of a table before its communities.

    Raises
    ------
    InputError
        If k is below 2.
    """
    if k < 2:
        raise InputError(f"k = {k} would show single payees", "export", "Give at least 2; 5 and 10 are usual.")
    communities, of_payee = np.unique(payee_community, return_inverse=True)
    named: list[Community] = [None if community == NO_ONE else community for community in communities.tolist()]
    rows = np.lexsort((amounts.kind, amounts.epoch))
    epoch, kind = amounts.epoch[rows], amounts.kind[rows]
    payee, units = amounts.payee[rows], amounts.units[rows]
    for number in epochs:
        within = slice(*np.searchsorted(epoch, [number, number + 1]))
        for index, name in enumerate(amounts.kinds):
            start, stop = np.searchsorted(kind[within], [index, index + 1]) + within.start
            part = slice(int(start), int(stop))
            counts, sums = _by_community(payee[part], units[part], of_payee, len(communities))
            total = sum(counts)
            shown = _shown(counts, k)
            cells: list[Community] = ["all", *named]
            table = zip(cells, [total, *counts], [sum(sums), *sums], [total >= k, *shown], strict=True)
            for community, count, amount, show in table:
                yield Cell(number, name, community, count if show else None, amount if show else None)


def _by_community(
    payee: npt.NDArray[np.int64], units: npt.NDArray[np.int64], of_payee: npt.NDArray[np.int64], num_communities: int
) -> tuple[list[int], list[int]]:
    """Return of each community how many payees were owed something, and how much together."""
    owed = units > 0
    paid = np.unique(payee[owed])
    counts: list[int] = np.bincount(of_payee[paid], minlength=num_communities).tolist()
    of_row = of_payee[payee]
    by_community = np.argsort(of_row, kind="stable")
    ends = np.searchsorted(of_row[by_community], np.arange(num_communities + 1))
    sums = [sum_exactly(units[by_community[a:b]]) for a, b in itertools.pairwise(ends.tolist())]
    return counts, sums


def _shown(counts: Sequence[int], k: int) -> list[bool]:
    """Return which communities' cells are shown; none where they have fewer than k payees all together."""
    shown = [count >= k for count in counts]
    behind = sum(count for count, show in zip(counts, shown, strict=True) if not show)
    if all(shown):
        return shown
    # The smallest first loses the fewest payees' sums; the order of communities settles ties.
    for community in sorted(range(len(counts)), key=lambda c: (counts[c], c)):
        if behind >= k:
            break
        if shown[community]:
            shown[community] = False
            behind += counts[community]
    return shown
