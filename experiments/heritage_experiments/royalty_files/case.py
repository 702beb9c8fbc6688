"""From rows of files to the arrays that rules and ledger take, with every assumption said in words.

Works that the usage names and the works file does not are *unmatched*. They take part in the rule like any other, and
what they earn is held for a payee of its own, the unattributed pot: the statement still sums to the pool, the money
goes to the contract, and nothing is handed to others meanwhile. They belong to no community (``NO_ONE``).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heritage_experiments.royalty_files.columns import ColumnMap, load_map
from heritage_experiments.royalty_files.reading import amount_units
from heritage_experiments.royalty_files.rights_file import PayeeRow, WorkRow, read_payees, read_works
from heritage_experiments.royalty_files.usage_file import UsageRows, natural_order, read_usage
from heritage_experiments.royalty_files.wording import counted
from heritage_sim.base import BPS, NO_ONE, Consent, Currency, InputError, Rights, Usage, largest_remainder

POT = "(unattributed pot)"
_ASSUMED_POOL = Decimal(1000)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A user's files, ready for the rules.

    Parameters
    ----------
    usage : Usage
        One shard, one epoch.
    rights : Rights
        Payees, shares, communities, consent.
    currency : Currency
        Unit of all amounts.
    pool_units : int
        Amount to share out.
    work_ids, work_titles : tuple of str, length num_works
        As in the files.
    payee_keys : tuple of str, length num_payees
        Ids of payees as in the files; names stand in ``rights``.
    communities : tuple of str
        Names; empty where the files name none.
    unmatched : ndarray of bool, shape (num_works,)
        Works of the usage that are not in the works file.
    first_line : tuple of int, length num_works
        Line of the usage file on which each work stands first; 0 where it was not played.
    pot : int or None
        Payee id of the unattributed pot, where there is one.
    usage_path : Path
        The usage file.
    listener_column : str
        What its listener column is, or would be, called.
    notes : tuple of str
        What was read and what was assumed, one sentence each.
    """

    usage: Usage
    rights: Rights
    currency: Currency
    pool_units: int
    work_ids: tuple[str, ...]
    work_titles: tuple[str, ...]
    payee_keys: tuple[str, ...]
    communities: tuple[str, ...]
    unmatched: npt.NDArray[np.bool_]
    first_line: tuple[int, ...]
    pot: int | None
    usage_path: Path
    listener_column: str
    notes: tuple[str, ...]


def read_case(
    usage: Path,
    works: Path | None = None,
    payees: Path | None = None,
    columns: Path | None = None,
    pool: str | None = None,
    currency: Currency | None = None,
) -> Case:
    """Return a user's files as arrays.

    Parameters
    ----------
    usage : Path
        Usage file.
    works : Path or None
        Works file; without it, each work is its own payee.
    payees : Path or None
        Payees file.
    columns : Path or None
        Column map (YAML).
    pool : str or None
        Amount to share out, in the currency; goes before the map's constant and before the sum of fees.
    currency : Currency or None
        Currency of fees and pool; the ledger's token where not given.

    Returns
    -------
    Case

    Raises
    ------
    InputError
        If a file or amount cannot be used; with file, line and remedy.
    """
    how = load_map(columns)
    unit = currency or Currency()
    rows = read_usage(usage, how, unit)
    pairs = counted(len(rows.pairs), "pair")
    notes = [f"{counted(rows.num_rows, 'row')} of usage, {pairs} of listener and work."]
    if rows.num_repeated:
        repeat = "row repeats" if rows.num_repeated == 1 else "rows repeat"
        notes.append(f"{rows.num_repeated:,} {repeat} a pair of listener and work; the plays were added up.")
    if payees is not None and works is None:
        raise InputError("payees were given without works", "--payees", "give --works, which says who is owed for what")
    if works is None:
        played = sorted(rows.first_line, key=natural_order)
        known = [WorkRow(w, w, how.constants.community, ((w, BPS),), Consent.ALL, "") for w in played]
        notes.append("No works file was given: each work is its own payee.")
    else:
        known, has_payees = read_works(works, how)
        known.sort(key=lambda row: natural_order(row.work))
        if not has_payees:
            notes.append("The works file names no payees: each work is its own payee.")
    people = read_payees(payees, how) if payees is not None else None

    matched = {row.work for row in known}
    strangers = sorted((w for w in rows.first_line if w not in matched), key=natural_order)
    if strangers:
        notes.append(
            f"Works of the usage that are not in the works file: {len(strangers):,}; they are listed, and what they "
            "earn is held in the unattributed pot."
        )
    idle = sum(1 for row in known if row.work not in rows.first_line)
    if idle:
        notes.append(f"Works of the works file that were not played: {idle:,}; their payees are counted as payees.")
    rights, keys, communities = _rights(known, len(strangers), people, payees, notes)
    withheld = [r for r in known if r.work in rows.first_line and not r.consent & Consent.PERFORM]
    if withheld:
        notes.append(
            f"Works played without consent to perform: {len(withheld):,} (the first: {withheld[0].work!r}, "
            f"{withheld[0].where}); what was played is owed for all the same."
        )
    work_ids = tuple(row.work for row in known) + tuple(strangers)
    index = {w: i for i, w in enumerate(work_ids)}
    pool_units, fees = _money(rows, how, pool, unit, notes)
    return Case(
        usage=_usage(rows, index, fees),
        rights=rights,
        currency=unit,
        pool_units=pool_units,
        work_ids=work_ids,
        work_titles=tuple(row.title for row in known) + tuple(strangers),
        payee_keys=keys,
        communities=communities,
        unmatched=np.arange(len(work_ids)) >= len(known),
        first_line=tuple(rows.first_line.get(w, 0) for w in work_ids),
        pot=len(keys) - 1 if strangers else None,
        usage_path=usage,
        listener_column=rows.listener_column,
        notes=tuple(notes),
    )


def _money(
    rows: UsageRows, how: ColumnMap, pool: str | None, unit: Currency, notes: list[str]
) -> tuple[int, npt.NDArray[np.int64]]:
    """Return the pool and what each listener's fee adds to it (one entry for all, where listeners are unknown)."""
    constants = how.constants
    where_pool = "--pool" if pool is not None else "--map, constants.pool"
    stated_pool = pool if pool is not None else constants.pool
    # The map's decimal sign is that of its texts; YAML numbers and options have a point.
    sign = how.decimal if pool is None and isinstance(stated_pool, str) else "."
    pool_units = None if stated_pool is None else amount_units(str(stated_pool), "the pool", unit, where_pool, sign)
    if pool_units == 0:
        raise InputError("there is nothing to share: the pool is 0", where_pool, "give an amount above 0")
    num = 1 if rows.listeners is None else len(rows.listeners)
    fees = np.zeros(num, dtype=np.int64)
    stated = rows.listeners is not None and (bool(rows.fees_units) or constants.fee is not None)
    if stated:
        if constants.fee is not None:
            sign = how.decimal if isinstance(constants.fee, str) else "."
            fees[:] = amount_units(str(constants.fee), "the fee", unit, "--map, constants.fee", sign)
            others = "each listener without a fee in the file" if rows.fees_units else "each listener"
            notes.append(f"The map says that {others} paid {unit.show(int(fees[0]))}.")
        for who, fee in rows.fees_units.items():
            fees[who] = fee
        missing = num - len(rows.fees_units) if constants.fee is None else 0
        if missing:
            notes.append(f"Listeners without a fee in the file: {missing:,}; it counts as 0.")
    total = sum(int(f) for f in fees)
    if stated and total == 0:
        raise InputError("all fees are 0", str(rows.path), "give fees above 0, or drop the fee column and give --pool")
    if pool_units is None:
        if stated:
            amount_units(str(Decimal(total).scaleb(-unit.decimals)), "the sum of all fees", unit, str(rows.path))
            notes.append(f"The pool is the sum of all fees, {unit.show(total)}.")
            return total, fees
        pool_units = int(_ASSUMED_POOL.scaleb(unit.decimals))
        notes.append(f"ASSUMED: neither fees nor a pool were given; a pool of {unit.show(pool_units)} is shared out.")
    if stated and total != pool_units:
        notes.append(
            f"The pool of {unit.show(pool_units)} is not the sum of fees, {unit.show(total)}: listeners are taken to "
            "contribute to it in proportion to their fees."
        )
    elif not stated and rows.listeners is not None:
        notes.append(
            f"ASSUMED: no fees were given; each of {counted(num, 'listener')} contributes the same part of the pool."
        )
    return pool_units, largest_remainder(pool_units, fees if stated else np.ones(num, dtype=np.int64))


def _usage(rows: UsageRows, index: dict[str, int], fees: npt.NDArray[np.int64]) -> Usage:
    ordered = sorted((who, index[work], plays, seconds) for (who, work), (plays, seconds) in rows.pairs.items())
    table = np.array(ordered, dtype=np.int64).reshape(-1, 4)
    num = fees.size
    plays = table[:, 2].copy()
    by_work = np.zeros((1, len(index)), dtype=np.int64)
    np.add.at(by_work[0], table[:, 1], plays)
    return Usage(
        epoch=0,
        num_works=len(index),
        listener_ids=np.arange(num, dtype=np.int64),
        fee_units=fees,
        indptr=np.searchsorted(table[:, 0], np.arange(num + 1)).astype(np.int64),
        work_ids=table[:, 1].astype(np.int32),
        plays=plays,
        seconds=table[:, 3].copy(),
        plays_by_day=by_work,
        has_listeners=rows.listeners is not None,
    )


def _rights(
    known: list[WorkRow],
    num_unmatched: int,
    people: list[PayeeRow] | None,
    payees_path: Path | None,
    notes: list[str],
) -> tuple[Rights, tuple[str, ...], tuple[str, ...]]:
    """Return the rights, the payees' ids and the communities' names."""
    named = sorted({r.community for r in known if r.community} | {p.community for p in people or () if p.community})
    community = {name: i for i, name in enumerate(named)}
    homeless = sum(1 for r in known if not r.community)
    if named and homeless:
        notes.append(f"Works that name no community: {homeless:,}.")
    home: dict[str, int] = {}
    for row in known:
        for payee, _ in row.payees:
            home.setdefault(payee, community.get(row.community or "", NO_ONE))
    if people is None:
        keys = sorted(home, key=natural_order)
        # A work that is its own payee goes by its title.
        title = {r.work: r.title for r in known if r.payees == ((r.work, BPS),)}
        names = [title.get(k, k) for k in keys]
    else:
        listed = {p.payee for p in people}
        for row in known:
            for payee, _ in row.payees:
                if payee not in listed:
                    raise InputError(
                        f"work {row.work!r} owes payee {payee!r}, who is not in {payees_path}",
                        row.where,
                        "add the payee, or correct the id",
                    )
        people = sorted(people, key=lambda p: natural_order(p.payee))
        keys, names = [p.payee for p in people], [p.name for p in people]
        home |= {p.payee: community[p.community] for p in people if p.community}
    index = {k: i for i, k in enumerate(keys)}
    ids = [index[p] for row in known for p, _ in row.payees]
    shares = [bps for row in known for _, bps in row.payees]
    counts = [len(row.payees) for row in known] + [1] * num_unmatched
    if num_unmatched:
        ids += [len(keys)] * num_unmatched
        shares += [BPS] * num_unmatched
        keys, names = [*keys, POT], [*names, POT]
    rights = Rights(
        payee_names=tuple(names),
        payee_community=np.array([home.get(k, NO_ONE) for k in keys], dtype=np.int32),
        work_community=np.array(
            [community.get(r.community or "", NO_ONE) for r in known] + [NO_ONE] * num_unmatched, dtype=np.int32
        ),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        payee_ids=np.array(ids, dtype=np.int32),
        share_bps=np.array(shares, dtype=np.int64),
        consent=np.array([int(r.consent) for r in known] + [int(Consent.ALL)] * num_unmatched, dtype=np.int16),
    )
    return rights, tuple(keys), tuple(named)
