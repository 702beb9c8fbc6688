"""Reads who is owed: works with their payees and shares, and payees with their names."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, Overflow
from pathlib import Path

from heritage_experiments.royalty_files.columns import PAYEES_COLUMNS, WORKS_COLUMNS, ColumnMap
from heritage_experiments.royalty_files.reading import Table, read_table
from heritage_sim.base import BPS, Consent, InputError

_CONSENTS = {c.name.lower(): c for c in Consent if c.name}
_CONSENTS |= {"none": Consent.NONE, "all": Consent.ALL}


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A work as a file states it.

    Parameters
    ----------
    work, title : str
        Id and title (the id where there is none).
    community : str or None
        Community, where stated.
    payees : tuple of (str, int)
        Payee ids with shares in basis points; they sum to 10,000.
    consent : Consent
        Permitted uses.
    where : str
        File and line.
    """

    work: str
    title: str
    community: str | None
    payees: tuple[tuple[str, int], ...]
    consent: Consent
    where: str


@dataclass(frozen=True, slots=True)
class PayeeRow:
    """A payee as a file states it: id, name (the id where there is none), community where stated."""

    payee: str
    name: str
    community: str | None


def read_works(path: Path, how: ColumnMap) -> tuple[list[WorkRow], bool]:
    """Return the works of a file, and whether it says who is owed for them.

    Parameters
    ----------
    path : Path
        The works file.
    how : ColumnMap
        Names of its columns, and constants.

    Returns
    -------
    works : list of WorkRow
    has_payees : bool
        False where each work is its own payee.

    Raises
    ------
    InputError
        If the file cannot be used: a work stands twice, shares do not sum to 100 per cent, an unknown consent.
    """
    table = read_table(path, "works", WORKS_COLUMNS, ("work",), how.works, how)
    works = _unique(table, "work")
    titles, communities = table.get("title"), table.get("community")
    payees, consents = table.get("payees"), table.get("consent")
    rows: list[WorkRow] = []
    for i, work in enumerate(works):
        where = table.at(i)
        rows.append(
            WorkRow(
                work=work,
                title=(titles[i] if titles else "") or work,
                community=(communities[i] if communities else "") or how.constants.community,
                payees=_shares(payees[i], where, how.decimal) if payees else ((work, BPS),),
                consent=_consent(consents[i], where) if consents else Consent.ALL,
                where=where,
            )
        )
    return rows, payees is not None


def read_payees(path: Path, how: ColumnMap) -> list[PayeeRow]:
    """Return the payees of a file.

    Parameters
    ----------
    path : Path
        The payees file.
    how : ColumnMap
        Names of its columns.

    Returns
    -------
    list of PayeeRow

    Raises
    ------
    InputError
        If the file cannot be used, or a payee stands twice.
    """
    table = read_table(path, "payees", PAYEES_COLUMNS, ("payee",), how.payees, how)
    payees = _unique(table, "payee")
    names, communities = table.get("name"), table.get("community")
    return [
        PayeeRow(p, (names[i] if names else "") or p, (communities[i] if communities else "") or None)
        for i, p in enumerate(payees)
    ]


def _unique(table: Table, column: str) -> list[str]:
    seen: dict[str, int] = {}
    for i, name in enumerate(table.columns[column]):
        if not name:
            raise InputError(f"the row has no {column}", table.at(i), "fill it, or delete the row")
        if name in seen:
            raise InputError(
                f"{column} {name!r} stands twice, here and on line {table.lines[seen[name]]}",
                table.at(i),
                "keep one row for each; several payees of a work go into one cell: wayan:70;fund:30",
            )
        seen[name] = i
    return table.columns[column]


def _shares(text: str, where: str, decimal: str) -> tuple[tuple[str, int], ...]:
    """Return payees and basis points of a cell such as ``wayan:70;fund:30``; a single payee needs no share."""
    parts = [p.strip() for p in text.split(";") if p.strip()]
    if not parts:
        raise InputError("the work has no payee", where, "name one, such as wayan, or wayan:70;fund:30")
    if len(parts) == 1 and ":" not in parts[0]:
        return ((parts[0], BPS),)
    shares: dict[str, int] = {}
    for part in parts:
        payee, colon, percent = (p.strip() for p in part.rpartition(":"))
        try:
            bps = (
                Decimal(percent.removesuffix("%").strip().replace(decimal, ".")) * 100
                if colon and payee
                else Decimal("NaN")
            )
        except (InvalidOperation, Overflow):
            bps = Decimal("NaN")
        if not bps.is_finite() or not 0 < bps <= BPS or bps != bps.to_integral_value():
            raise InputError(
                f"cannot read the share {part!r}",
                where,
                f"write payee:percent, at most two digits after the {'comma' if decimal == ',' else 'point'}, "
                "such as wayan:70;fund:30",
            )
        if payee in shares:
            raise InputError(f"payee {payee!r} stands twice in one work", where, "add the two shares up")
        shares[payee] = int(bps)
    total = sum(shares.values())
    if total != BPS:
        raise InputError(f"the shares sum to {total / 100:g} per cent", where, "make them sum to 100")
    return tuple(shares.items())


def _consent(text: str, where: str) -> Consent:
    given = Consent.NONE
    for word in text.lower().replace("|", "+").split("+"):
        if (use := _CONSENTS.get(word.strip())) is None:
            raise InputError(f"unknown consent {word.strip()!r}", where, f"join by +: {', '.join(_CONSENTS)}")
        given |= use
    return given
