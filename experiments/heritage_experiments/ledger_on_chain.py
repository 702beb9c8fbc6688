"""A run's tables against the chain of one of its replications: what was reported is what the contracts did.

By the time this is asked the chain has been checked by itself (`heritage_contracts.verification`). Here every payout,
epoch, moment of settlement and licence fee that the run wrote down is looked for in the books that the chain gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from heritage_contracts.at_rest.folder import LedgerFolder
from heritage_contracts.chain_books import ChainBooks, require
from heritage_contracts.trees.published import read_epoch
from heritage_experiments.ledger_folders import part_of
from heritage_experiments.scenario import Scenario
from heritage_experiments.store import RunStore, Task
from heritage_experiments.wiring import payee_communities_of
from heritage_sim.base import DAY_S, Consent, InputError

if TYPE_CHECKING:
    import pandas as pd

NEVER = -1
_TOLERANCE_DAYS = 1e-6
"""A tenth of a second: the tables hold days as floating-point numbers."""


def compare_with_run(store: RunStore, task: Task, scenario: Scenario, folder: LedgerFolder, books: ChainBooks) -> None:
    """Hold a replication's tables against its chain.

    Parameters
    ----------
    store : RunStore
        The run.
    task : Task
        Replication.
    scenario : Scenario
        As resolved for its cell.
    folder : LedgerFolder
        Its ledger at rest.
    books : ChainBooks
        Its books, verified.

    Raises
    ------
    DifferenceError
        At the first value that is another.
    InputError
        If the ledger is not that of the replication's scenario.
    """
    config = scenario.ledger.of_replication(task.replication)
    if folder.at.config != config or folder.at.payee_communities != payee_communities_of(scenario):
        raise InputError(
            "this ledger has other settings than the run's scenario",
            str(folder.path / "ledger.json"),
            "Get the run's folder again from its source.",
        )
    table = part_of(store, "epochs", task).sort_values("epoch")
    payouts = part_of(store, "payouts", task)
    on_chain = table.loc[table["posted_s"] != NEVER]
    where = str(store.part_path("epochs", task))
    require("number of epochs that were posted", len(books.epochs), len(on_chain), where)
    _compare_epochs(on_chain, books, where)
    _compare_payouts(payouts.loc[~payouts["shadow"]], books, folder, str(store.part_path("payouts", task)))
    settlement = part_of(store, "settlement", task)
    _compare_moments(settlement, books, scenario, str(store.part_path("settlement", task)))
    if scenario.money_chain.settlement.kind == "on_chain":
        _compare_licences(part_of(store, "licences", task), books, str(store.part_path("licences", task)))
    num_works = len(part_of(store, "works", task))
    require("number of works", len(books.works.by_key), num_works, str(store.part_path("works", task)))


def _compare_epochs(table: pd.DataFrame, books: ChainBooks, path: str) -> None:
    before = 0
    for row, posted in zip(table.to_dict("records"), books.epochs, strict=True):
        where = f"{path}, epoch {row['epoch']}"
        require("root of an epoch", posted.root.hex(), str(row["root"]).removeprefix("0x"), where)
        require("second of posting", posted.posted_s, int(row["posted_s"]), where)
        require("second of finalisation", posted.final_s, int(row["withdrawable_s"]), where)
        require("gas of posting and finalising", posted.gas, int(row["gas"]), where)
        require("pool of an epoch", posted.total_units - before, int(row["pool_units"]), where)
        require("deposit of an epoch", posted.deposit_units, int(row["deposited_units"]), where)
        before = posted.total_units
    claimed = sum(books.claimed.values())
    require("units claimed over all epochs", claimed, int(sum(int(x) for x in table["claimed_units"])), path)


def _compare_payouts(table: pd.DataFrame, books: ChainBooks, folder: LedgerFolder, path: str) -> None:
    number = folder.at.payee_of_id
    before = [0] * folder.at.num_payees
    for posted in books.epochs:
        data = read_epoch(folder.epoch_data(posted.epoch), str(folder.epoch_path(posted.epoch)))
        cumulative = list(before)
        for row, units in zip(data.payee_ids, data.cumulative, strict=True):
            cumulative[number[row.tobytes()]] = int(units)
        rows = table.loc[table["epoch"] == posted.epoch]
        told = [0] * folder.at.num_payees
        for payee, units in zip(rows["payee_id"].tolist(), rows["units"].tolist(), strict=True):
            told[payee] += units
        for payee, (now, was, units) in enumerate(zip(cumulative, before, told, strict=True)):
            require("payout of an epoch", now - was, units, f"{path}, epoch {posted.epoch}, payee {payee}")
        before = cumulative


def _compare_moments(table: pd.DataFrame, books: ChainBooks, scenario: Scenario, path: str) -> None:
    calendar = scenario.economy.calendar
    final_s = {posted.epoch: posted.final_s for posted in books.epochs}
    paid_s = {payout.paid_s for payout in books.payouts}
    units: dict[int, int] = {}
    for line, row in enumerate(table.to_dict("records")):
        epoch, where = int(row["epoch"]), f"{path}, row {line}, epoch {row['epoch']}, day {row['day']}"
        units[epoch] = units.get(epoch, 0) + int(row["units"])
        used_s = calendar.middle_of(int(row["day"]))
        if epoch not in final_s:
            continue
        days = row["days_to_withdrawable"]
        is_final = days == days
        require("whether an epoch's money is withdrawable", final_s[epoch] != NEVER, is_final, where)
        if is_final:
            exact = (final_s[epoch] - used_s) / DAY_S
            found = exact if abs(days - exact) < _TOLERANCE_DAYS else days
            require("days from use to withdrawable", exact, found, where)
        if row["days_to_paid"] == row["days_to_paid"]:
            at_s = used_s + round(row["days_to_paid"] * DAY_S)
            require("second at which the chain paid", True, at_s in paid_s, f"{where}, second {at_s}")
    before = 0
    for posted in books.epochs:
        pool = posted.total_units - before
        require("units of an epoch by day", pool, units.get(posted.epoch, 0), f"{path}, epoch {posted.epoch}")
        before = posted.total_units


def _compare_licences(table: pd.DataFrame, books: ChainBooks, path: str) -> None:
    told: dict[int, int] = {}
    for work, units in zip(table["source_work"].tolist(), table["units"].tolist(), strict=True):
        told[work] = told.get(work, 0) + units
    paid: dict[int, int] = {}
    for payment in books.direct:
        work = books.works.by_key[payment.key].number
        paid[work] = paid.get(work, 0) + payment.units
    for work in sorted(told | paid):
        require("licence fees paid to a work", paid.get(work, 0), told.get(work, 0), f"{path}, work {work}")


def derivations_permitted(books: ChainBooks, made: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """Return how many works derive from others, and how many of them all sources permitted when they were made.

    Parameters
    ----------
    books : ChainBooks
        Works and consent labels.
    made : mapping of int to (int, int)
        Of numbered works: second of making, and `Consent` flags that it needed of its sources. Where a work is not
        named, the second of its registration and the flag to derive count.

    Returns
    -------
    tuple of (int, int)
    """
    derived = permitted = 0
    for work in books.works.by_key.values():
        if work.parents:
            at_s, needed = made.get(work.number, (work.registered_s, int(Consent.DERIVE)))
            derived += 1
            permitted += all(books.permitted(parent, at_s) & needed == needed for parent in work.parents)
    return derived, permitted


def made_in_run(works: pd.DataFrame, scenario: Scenario) -> dict[int, tuple[int, int]]:
    """Return when each work of a run was made and what it needed of its sources, by its number on the chain.

    A person's recording performs the tradition's own music; anything else derives from its sources.
    """
    calendar = scenario.economy.calendar
    rows = zip(works["work_id"].tolist(), works["day"].tolist(), works["origin"].tolist(), strict=True)
    needed = {"human": int(Consent.PERFORM)}
    return {work: (calendar.middle_of(day), needed.get(origin, int(Consent.DERIVE))) for work, day, origin in rows}
