"""Outcomes and tables of the days lived so far, in the columns that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY, Calendar, Catalogue, Origin, Outcome
from heritage_sim.day.treasury import UNPAID, EpochBooks
from heritage_sim.outcomes import (
    Evidence,
    Payout,
    listening_outcomes,
    making_outcomes,
    money_outcomes,
    payout_outcomes,
)
from heritage_sim.parts import Parts
from heritage_sim.recording import Recorder

Column = npt.NDArray[Any]
Table = dict[str, Column]
MIDDAY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a replication yields.

    Parameters
    ----------
    outcomes : list of Outcome
        Those of the rule in force, then ``static.<rule>.<name>`` of each shadow rule: the same usage, settled by it.
    tables : dict of str to dict of str to ndarray
        ``payouts``, ``payees``, ``epochs``, ``settlement``, ``daily``, ``works``, each as columns.
    """

    outcomes: list[Outcome]
    tables: dict[str, Table]


def results_of(
    parts: Parts,
    calendar: Calendar,
    recorder: Recorder,
    books: Sequence[EpochBooks],
    catalogue: Catalogue,
    creator_community: npt.NDArray[np.int32],
) -> Results:
    """Return the outcomes and tables of an economy's records.

    Parameters
    ----------
    parts : Parts
        What the economy is made of.
    calendar : Calendar
        Maps chain time to days.
    recorder : Recorder
        Its rows.
    books : sequence of EpochBooks
        What the ledger says of each epoch.
    catalogue : Catalogue
        All works.
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.

    Returns
    -------
    Results
    """
    funds = np.arange(parts.num_communities, dtype=np.int32)
    payee_community = np.concatenate([funds, creator_community]).astype(np.int32)
    settlement = settlement_table(recorder, books, calendar)
    return Results(
        outcomes=outcomes_of(parts, recorder, books, payee_community, settlement, catalogue.num_works),
        tables={
            "payouts": payouts_table(recorder, payee_community.size),
            "payees": payees_table(parts, payee_community),
            "epochs": epochs_table(books, parts.ledger_name),
            "settlement": settlement,
            "daily": daily_table(recorder),
            "works": works_table(recorder, catalogue, parts.traditions),
        },
    )


def outcomes_of(
    parts: Parts,
    recorder: Recorder,
    books: Sequence[EpochBooks],
    payee_community: npt.NDArray[np.int32],
    settlement: Table,
    num_works: int,
) -> list[Outcome]:
    """Return all outcomes, those of the rule in force first."""
    daily = recorder.daily_table().sum(axis=0)
    counts, by_origin, by_community = np.split(daily, [len(TALLY), len(TALLY) + len(Origin)])
    evidence = Evidence(
        counts=counts,
        plays_by_origin=by_origin,
        plays_by_community=by_community,
        exposures_by_community=recorder.exposures_by_community,
        plays_by_work=recorder.plays_of(num_works),
        making=recorder.making,
        settled_units=settlement["units"],
        days_to_withdrawable=settlement["days_to_withdrawable"],
        pool_units=sum(line.pool_units for line in books),
        num_epochs=len(books),
    )
    outcomes = [
        *payout_outcomes(Payout(*recorder.totals_in_force(), payee_community, by_community)),
        *listening_outcomes(evidence),
        *making_outcomes(recorder.making),
        *money_outcomes(evidence),
    ]
    for rule in parts.shadow_rules:
        totals = recorder.totals_of(rule.name)
        if totals is not None:
            static = payout_outcomes(Payout(*totals, payee_community, by_community))
            outcomes += [replace(made, name=f"static.{rule.name}.{made.name}") for made in static]
    return outcomes


def payouts_table(recorder: Recorder, num_payees: int) -> Table:
    """Return one row for each epoch, rule and payee."""
    rows = [(line.epoch, rule, i > 0) for line in recorder.shares for i, rule in enumerate(line.rules)]
    return {
        "epoch": np.repeat(np.array([epoch for epoch, _, _ in rows], dtype=np.int32), num_payees),
        "rule": np.repeat(np.array([rule for _, rule, _ in rows], dtype=np.str_), num_payees),
        "shadow": np.repeat(np.array([shadow for _, _, shadow in rows], dtype=np.bool_), num_payees),
        "payee_id": np.tile(np.arange(num_payees, dtype=np.int32), len(rows)),
        "units": np.concatenate([line.payee_units.ravel() for line in recorder.shares] or [np.zeros(0, np.int64)]),
    }


def payees_table(parts: Parts, payee_community: npt.NDArray[np.int32]) -> Table:
    """Return one row for each payee."""
    return {
        "payee_id": np.arange(payee_community.size, dtype=np.int32),
        "name": np.array(parts.payee_names, dtype=np.str_),
        "kind": np.repeat(np.array(["community", "creator"]), [parts.num_communities, parts.num_creators]),
        "community": payee_community,
    }


def epochs_table(books: Sequence[EpochBooks], ledger_name: str) -> Table:
    """Return one row for each epoch: its money to the unit, and its block timestamps."""

    def column(name: str) -> Column:
        return np.array([getattr(line, name) for line in books], dtype=np.int64)

    amounts = ("pool_units", "statement_units", "deposited_units", "claimed_units", "unclaimed_units")
    return {
        "epoch": column("epoch").astype(np.int32),
        **{name: column(name) for name in (*amounts, "posted_s", "withdrawable_s", "gas", "claim_gas")},
        "root": np.array([line.root for line in books], dtype=np.str_),
        "ledger": np.full(len(books), ledger_name),
    }


def settlement_table(recorder: Recorder, books: Sequence[EpochBooks], calendar: Calendar) -> Table:
    """Return one row for each day of play: what it earned, and the days from its middle until that could be had.

    A work's amount is spread over the epoch's days as its plays were. ``days_to_paid`` is NaN where it was not claimed:
    such money is censored at ``days_observed``, the days from its play to the end of the books (the last day lived or
    the last block, whichever is later), which are fewer for late plays than for early ones.
    """
    rows = np.array(recorder.settled, dtype=np.int64).reshape(-1, 3)
    epoch, day, units = rows[:, 0], rows[:, 1], rows[:, 2]
    by_epoch = {line.epoch: line for line in books}
    withdrawable = [calendar.days(by_epoch[e].withdrawable_s) for e in epoch.tolist()]
    paid_s = [by_epoch[e].paid_s for e in epoch.tolist()]
    paid = [calendar.days(at) if at != UNPAID else np.nan for at in paid_s]
    end_s = max(calendar.start_of(len(recorder.daily)), *(max(line.withdrawable_s, line.paid_s) for line in books), 0)
    return {
        "epoch": epoch.astype(np.int32),
        "day": day.astype(np.int32),
        "units": units,
        "days_to_withdrawable": np.array(withdrawable, dtype=np.float64) - (day + MIDDAY),
        "days_to_paid": np.array(paid, dtype=np.float64) - (day + MIDDAY),
        "days_observed": calendar.days(end_s) - (day + MIDDAY),
    }


def daily_table(recorder: Recorder) -> Table:
    """Return one row for each day."""
    rows = recorder.daily_table()
    origins = [f"plays_{origin.name.lower()}" for origin in Origin]
    communities = [f"plays_community_{i}" for i in range(recorder.num_communities)]
    names = [*TALLY, *origins, *communities]
    days = np.arange(rows.shape[0], dtype=np.int32)
    return {"day": days, **{name: rows[:, i].copy() for i, name in enumerate(names)}}


def works_table(recorder: Recorder, catalogue: Catalogue, traditions: Sequence[str]) -> Table:
    """Return one row for each work of the catalogue."""
    n = catalogue.num_works
    return {
        "work_id": np.arange(n, dtype=np.int32),
        "tradition": np.array(traditions, dtype=np.str_)[catalogue.tradition],
        "community": catalogue.community.copy(),
        "creator": catalogue.creator.copy(),
        "origin": np.array([origin.name.lower() for origin in Origin])[catalogue.origin],
        "synthetic": catalogue.column("synthetic").copy(),
        "consistency": catalogue.consistency.copy(),
        "day": catalogue.column("day").copy(),
        "plays": recorder.plays_of(n),
        "earned_units": recorder.earned_of(n),
    }
