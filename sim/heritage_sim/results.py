"""Outcomes and tables of the days lived so far, in the columns that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import TALLY, Calendar, Catalogue, CreatorRoll, Origin, Outcome
from heritage_sim.commission_log import CommissionLog
from heritage_sim.communities import community_outcomes
from heritage_sim.evaluation import Findings
from heritage_sim.fraud_evidence import FraudEvidence, fraud_outcomes
from heritage_sim.money import STEPS
from heritage_sim.money.books import EpochBooks
from heritage_sim.money.durations import durations_of
from heritage_sim.money.outcomes import Durations, MoneyEvidence, money_outcomes
from heritage_sim.money.treasury import Treasury
from heritage_sim.outcomes import (
    Evidence,
    Payout,
    creator_outcomes,
    listening_outcomes,
    making_outcomes,
    payout_outcomes,
)
from heritage_sim.parts import Parts
from heritage_sim.recording import Recorder

Column = npt.NDArray[Any]
Table = dict[str, Column]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a replication yields.

    Parameters
    ----------
    outcomes : list of Outcome
        Those of the rule in force, then ``static.<rule>.<name>`` of each shadow rule: the same usage, settled by it.
    tables : dict of str to dict of str to ndarray
        ``payouts``, ``payees``, ``epochs``, ``settlement``, ``licences``, ``commissions``, ``communities``,
        ``daily`` and ``works``, each as columns.
    """

    outcomes: list[Outcome]
    tables: dict[str, Table]


def results_of(
    parts: Parts,
    calendar: Calendar,
    recorder: Recorder,
    treasury: Treasury,
    catalogue: Catalogue,
    creator_community: npt.NDArray[np.int32],
    commissions: CommissionLog,
    roll: CreatorRoll,
    fraud: FraudEvidence,
    findings: Findings,
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
    treasury : Treasury
        Books of money.
    catalogue : Catalogue
        All works.
    creator_community : ndarray of int32, shape (num_creators,)
        Community of each creator.
    commissions : CommissionLog
        What was commissioned, and what became of it.
    roll : CreatorRoll
        Who the creators are at the end.
    fraud : FraudEvidence
        What a ring of adversaries made.
    findings : Findings
        What the evaluation tells.

    Returns
    -------
    Results
    """
    funds = np.arange(parts.num_communities, dtype=np.int32)
    payee_community = np.concatenate([funds, creator_community]).astype(np.int32)
    books, until_s = treasury.books, calendar.start_of(len(recorder.daily))
    epoch, day, durations = durations_of(treasury, recorder.settled, calendar, until_s)
    return Results(
        outcomes=outcomes_of(parts, recorder, treasury, payee_community, durations, catalogue, roll, fraud, findings),
        tables={
            "payouts": payouts_table(recorder, payee_community.size),
            "payees": payees_table(parts, payee_community),
            "epochs": epochs_table(books, parts.ledger_name),
            "settlement": settlement_table(epoch, day, durations),
            "licences": licences_table(treasury, catalogue),
            "commissions": commissions.table(catalogue.content_sha256),
            "communities": recorder.communities.table(),
            "daily": daily_table(recorder),
            "sessions": sessions_table(findings),
            "engagement": findings.table(),
            "works": works_table(recorder, catalogue, parts.traditions),
        },
    )


def outcomes_of(
    parts: Parts,
    recorder: Recorder,
    treasury: Treasury,
    payee_community: npt.NDArray[np.int32],
    durations: Durations,
    catalogue: Catalogue,
    roll: CreatorRoll,
    fraud: FraudEvidence,
    findings: Findings,
) -> list[Outcome]:
    """Return all outcomes, those of the rule in force first."""
    daily = recorder.daily_table().sum(axis=0)
    plays_by_work = recorder.plays_of(catalogue.num_works)
    generated = np.zeros(parts.num_communities, dtype=np.int64)
    np.add.at(generated, catalogue.community, plays_by_work * (catalogue.origin == Origin.GENERATED))
    counts, by_origin, by_community = np.split(daily, [len(TALLY), len(TALLY) + len(Origin)])
    evidence = Evidence(
        counts=counts,
        plays_by_origin=by_origin,
        plays_by_community=by_community,
        exposures_by_community=recorder.exposures_by_community,
        plays_by_work=plays_by_work,
        generated_plays_by_community=generated,
        making=recorder.making,
        money=money_evidence(recorder, treasury, payee_community, durations, parts.num_communities),
    )
    outcomes = [
        *payout_outcomes(Payout(*recorder.totals_in_force(), payee_community, by_community)),
        *listening_outcomes(evidence),
        *making_outcomes(recorder.making),
        *creator_outcomes(roll, payee_community[parts.num_communities :], parts.num_communities),
        *money_outcomes(evidence.money),
        *community_outcomes(recorder.communities, parts.num_communities),
        *fraud_outcomes(fraud),
        *findings.outcomes(),
    ]
    for rule in parts.shadow_rules:
        totals = recorder.totals_of(rule.name)
        if totals is not None:
            static = payout_outcomes(Payout(*totals, payee_community, by_community))
            outcomes += [replace(made, name=f"static.{rule.name}.{made.name}") for made in static]
    return outcomes


def money_evidence(
    recorder: Recorder,
    treasury: Treasury,
    payee_community: npt.NDArray[np.int32],
    durations: Durations,
    num_communities: int,
) -> MoneyEvidence:
    """Return what outcomes of money are computed from."""
    licences = np.zeros(num_communities, dtype=np.int64)
    np.add.at(licences, payee_community, treasury.licence_units)
    # Only a ledger that sends transactions has an account of them.
    submissions = getattr(treasury.ledger, "submissions", None)
    return MoneyEvidence(
        durations=durations,
        pool_units=sum(line.pool_units for line in treasury.books),
        num_epochs=len(treasury.books),
        cost_units=sum(line.cost_units for line in treasury.books),
        traceable_units=recorder.traceable_units,
        licence_units=licences,
        num_licences=len(treasury.licences),
        submissions=submissions() if submissions else None,
    )


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
    """Return one row for each epoch: its money to the unit, and its moments (-1 where one has not come)."""

    def column(name: str) -> Column:
        return np.array([getattr(line, name) for line in books], dtype=np.int64)

    amounts = ("pool_units", "statement_units", "deposited_units", "claimed_units", "unclaimed_units")
    moments = ("ready_s", "posted_s", "withdrawable_s")
    return {
        "epoch": column("epoch").astype(np.int32),
        **{name: column(name) for name in (*amounts, *moments, "gas", "claim_gas")},
        "payment_cost_units": column("cost_units"),
        "root": np.array([line.root for line in books], dtype=np.str_),
        "ledger": np.full(len(books), ledger_name),
    }


def settlement_table(epoch: Column, day: Column, durations: Durations) -> Table:
    """Return one row for each day of play and moment of payment: what it earned, and the days until it could be had.

    ``days_to_withdrawable`` and ``days_to_paid`` are NaN where that has not happened: such money is censored at
    ``days_observed``, the days from its play to the end of observation, which are fewer for late plays than for early
    ones. The steps' parts, ``<step>_days``, sum to ``days_to_paid``. ``payments`` counts what a statement gives one
    payee as one, its parts on several days as fractions.
    """
    return {
        "epoch": epoch.astype(np.int32),
        "day": day.astype(np.int32),
        "units": durations.units,
        "payments": durations.payments,
        "days_to_withdrawable": durations.withdrawable_days,
        "days_to_paid": durations.paid_days,
        "days_observed": durations.observed_days,
        **{f"{step}_days": days for step, days in zip(STEPS, durations.step_days, strict=True)},
        "trapped": durations.trapped,
    }


def licences_table(treasury: Treasury, catalogue: Catalogue) -> Table:
    """Return one row for each licence fee; its community is that of the source."""
    fees = treasury.licences
    source = np.array([fee.source_work for fee in fees], dtype=np.int32)
    return {
        "day": np.array([fee.day for fee in fees], dtype=np.int32),
        "creator": np.array([fee.creator for fee in fees], dtype=np.int32),
        "source_work": source,
        "community": catalogue.community[source].astype(np.int32),
        "units": np.array([fee.units for fee in fees], dtype=np.int64),
    }


def daily_table(recorder: Recorder) -> Table:
    """Return one row for each day."""
    rows = recorder.daily_table()
    origins = [f"plays_{origin.name.lower()}" for origin in Origin]
    communities = [f"plays_community_{i}" for i in range(recorder.num_communities)]
    names = [*TALLY, *origins, *communities]
    days = np.arange(rows.shape[0], dtype=np.int32)
    return {"day": days, **{name: rows[:, i].copy() for i, name in enumerate(names)}}


def sessions_table(findings: Findings) -> Table:
    """Return one row for each session of the sample; ``synthetic``: it comes out of the model and is no person's."""
    sessions = findings.sessions
    return {**sessions, "synthetic": np.ones(sessions["listener"].size, dtype=np.bool_)}


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
