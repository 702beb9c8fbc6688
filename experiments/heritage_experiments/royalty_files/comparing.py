"""Who gains and loses between rules: by rank band, by community, and as indices of inequality.

All of it is arithmetic on one file: the same plays under another rule. Nobody's behaviour changes, so nothing here says
what would happen if a rule were introduced.

The unit of analysis is the payee; the unattributed pot is not one and stands apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_experiments.royalty_files.case import Case
from heritage_sim.base import NO_ONE, Statement
from heritage_sim.metrics import gini, jain, lorenz_dominance, theil, theil_parts

BANDS = ((1, 10), (11, 100), (101, 1_000), (1_001, 10_000), (10_001, None))
"""Ranks of payees under the first rule named, as in the French study of 2021 (CNM and Deloitte)."""


def compare(case: Case, statements: Sequence[Statement]) -> dict[str, Any]:
    """Return bands, communities and indices of each rule beside the first.

    Parameters
    ----------
    case : Case
        The files.
    statements : sequence of Statement
        One for each rule; the first is the baseline, by whose amounts payees are ranked (ties by payee id).

    Returns
    -------
    dict
        ``bands``, ``communities`` and ``inequality``, as plain numbers. Shares are percentages of what all payees get.
    """
    people = np.array([p for p in range(case.rights.num_payees) if p != case.pot], dtype=np.int64)
    amounts = [s.payee_units[people] for s in statements]
    names = [s.rule for s in statements]
    order = np.argsort(-amounts[0], kind="stable")
    bands: list[dict[str, Any]] = []
    for first, last in BANDS:
        members = order[first - 1 : last]
        if members.size:
            label = f"{first:,}-{last:,}" if last else f"beyond {first - 1:,}"
            bands.append({"band": label, **_group(members, amounts, names)})
    communities: list[dict[str, Any]] = []
    if case.communities:
        home = case.rights.payee_community[people]
        for c, name in [*enumerate(case.communities), (NO_ONE, "(no community)")]:
            members = np.flatnonzero(home == c)
            if members.size:
                communities.append({"community": name, **_group(members, amounts, names)})
    return {
        "baseline": names[0],
        "bands": bands,
        "communities": communities,
        "inequality": [
            _indices(name, units, amounts[0], case.rights.payee_community[people] if case.communities else None)
            | ({"lorenz_against_baseline": "baseline"} if i == 0 else {})
            for i, (name, units) in enumerate(zip(names, amounts, strict=True))
        ],
    }


def _group(members: npt.NDArray[np.integer], amounts: list[npt.NDArray[np.int64]], names: list[str]) -> dict[str, Any]:
    base = amounts[0]
    rules: list[dict[str, Any]] = []
    for name, units in zip(names, amounts, strict=True):
        here, there = int(units[members].sum()), int(base[members].sum())
        share, base_share = (100.0 * int(x[members].sum()) / max(int(x.sum()), 1) for x in (units, base))
        rules.append(
            {
                "rule": name,
                "units": here,
                "share_percent": share,
                "share_change_points": share - base_share,
                "change_percent": 100.0 * (here - there) / there if there else None,
                "gain": int(np.count_nonzero(units[members] > base[members])),
                "lose": int(np.count_nonzero(units[members] < base[members])),
            }
        )
    return {"payees": int(members.size), "rules": rules}


def _indices(
    name: str,
    units: npt.NDArray[np.int64],
    base: npt.NDArray[np.int64],
    community: npt.NDArray[np.int32] | None,
) -> dict[str, Any]:
    dominance = lorenz_dominance(units, base)
    row: dict[str, Any] = {
        "rule": name,
        "unit": "payee",
        "n": int(units.size),
        "paid": int(np.count_nonzero(units)),
        "gini": gini(units),
        "theil": theil(units),
        "jain": jain(units),
        "lorenz_against_baseline": {
            "first": "more equal everywhere",
            "second": "less equal everywhere",
            "equal": "equal",
            "crossing": "curves cross",
        }[dominance],
    }
    if community is not None:
        parts = theil_parts(units, community)
        row |= {"theil_between_communities": parts.between, "theil_within_communities": parts.within}
    return row
