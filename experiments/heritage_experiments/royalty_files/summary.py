"""One account of a royalty run: read, settle, compare, put on the chain; as plain values for JSON, tables and files."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heritage_experiments.royalty_files.case import Case, read_case
from heritage_experiments.royalty_files.chain import settle_on_chain
from heritage_experiments.royalty_files.comparing import compare
from heritage_experiments.royalty_files.settling import parse_rules, settle_case, unmatched_rows
from heritage_sim.base import InputError, Statement, StorageError

CAVEAT = (
    "This is the arithmetic effect of the rules on one file: the same plays, behaviour held fixed. "
    "It says nothing about what listeners, creators or communities would do under another rule."
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asked for.

    Parameters
    ----------
    usage : Path
        Usage file.
    works, payees, columns : Path or None
        Works, payees and column map.
    rules : str
        Comma-separated; the first pays, is the baseline, and goes to the chain.
    pool : str or None
        Amount to share out, in the currency.
    currency : str
        Name of the currency, or of the test token that stands for it.
    period : str
        Label of the period the usage covers; free text.
    chain : bool
        Whether the first rule's statement goes through the contract.
    claims : int or None
        How many payees claim on the chain; None for all.
    """

    usage: Path
    works: Path | None = None
    payees: Path | None = None
    columns: Path | None = None
    rules: str = "pro_rata,user_centric"
    pool: str | None = None
    currency: str = "hUSD"
    period: str = ""
    chain: bool = True
    claims: int | None = 50


@dataclass(frozen=True, slots=True)
class Account:
    """A run's case and statements, and its summary as plain values."""

    case: Case
    statements: list[Statement]
    summary: dict[str, Any]


def run_royalty(request: Request, say: Callable[[str], None] = lambda _: None) -> Account:
    """Return the account of a request; nothing is written.

    Parameters
    ----------
    request : Request
        What was asked for.
    say : callable
        Told what is being done, for a progress line.

    Returns
    -------
    Account

    Raises
    ------
    InputError
        If a file, a rule or an amount cannot be used.
    LedgerError
        If the chain differs from the statement.
    """
    from heritage_contracts.config import LedgerConfig

    try:
        config = LedgerConfig(kind="evm", currency_code=request.currency)
    except ValueError:
        raise InputError(
            f"cannot use the currency name {request.currency!r}", "--currency", "write 1 to 11 letters, such as EUR"
        ) from None
    rules = parse_rules(request.rules)
    say("reading files")
    case = read_case(
        request.usage, request.works, request.payees, request.columns, request.pool, currency=config.currency
    )
    say("settling")
    statements = settle_case(case, rules)
    chain: dict[str, Any] | None = None
    if request.chain:
        say(f"posting {rules[0].name} to the contract (embedded EVM)")
        chain = asdict(settle_on_chain(statements[0], case.rights.payee_names, request.claims, config))
    plays = case.usage.plays_by_work()
    unmatched = unmatched_rows(case, statements)
    summary: dict[str, Any] = {
        "period": request.period,
        "currency": case.currency.code,
        "decimals": case.currency.decimals,
        "pool_units": case.pool_units,
        "pool": case.currency.show(case.pool_units),
        "listeners": int(case.usage.listener_ids.size) if case.usage.has_listeners else None,
        "works_played": int((plays > 0).sum()),
        "works_known": int((~case.unmatched).sum()),
        "plays": int(plays.sum()),
        "payees": case.rights.num_payees - (case.pot is not None),
        "notes": list(case.notes),
        "statements": [
            {
                "rule": s.rule,
                "statement_units": int(s.payee_units.sum()),
                "payees_paid": int((s.payee_units > 0).sum()) - bool(case.pot is not None and s.payee_units[case.pot]),
                "unattributed_units": 0 if case.pot is None else int(s.payee_units[case.pot]),
                "reasons": list(s.reasons),
            }
            for s in statements
        ],
        "unmatched": {
            "works": len(unmatched),
            "plays": int(plays[case.unmatched].sum()),
            "first": unmatched[:10],
        },
        "comparison": compare(case, statements),
        "caveat": CAVEAT,
        "chain": chain,
    }
    return Account(case, statements, summary)


def write_account(account: Account, folder: Path) -> list[Path]:
    """Write statements, unmatched usage and the summary into a folder, each file whole or not at all.

    Parameters
    ----------
    account : Account
        What `run_royalty` returned.
    folder : Path
        Made where it does not exist.

    Returns
    -------
    list of Path

    Raises
    ------
    StorageError
        If the folder cannot be written to.
    """
    import json

    texts = {f"statement_{_file_name(s.rule)}.csv": _statement_csv(account.case, s) for s in account.statements}
    texts["unmatched.csv"] = _unmatched_csv(account)
    texts["summary.json"] = json.dumps(account.summary, indent=1, ensure_ascii=False) + "\n"
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _write_whole(folder / name, text)
            written.append(folder / name)
    except OSError as wrong:
        raise StorageError(
            f"cannot write the results: {wrong.strerror or wrong}", str(folder), "name another folder with --out"
        ) from None
    return written


def _write_whole(path: Path, text: str) -> None:
    # Not mkstemp: its files can be read by nobody else.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as out:
            out.write(text)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Raise before any work is done where results could not be written to a folder.

    Parameters
    ----------
    folder : Path
        Where results are to go.

    Raises
    ------
    InputError
        If the path is a file, or its nearest existing parent cannot be written to.
    """
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InputError("results cannot be written here", str(nearest), "name another folder with --out")


def _file_name(rule: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", rule).strip("-")


def _statement_csv(case: Case, statement: Statement) -> str:
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["payee", "name", "community", "amount_units", "amount", "currency"])
    scale = 10**case.currency.decimals
    for p, units in enumerate(statement.payee_units.tolist()):
        home = int(case.rights.payee_community[p])
        whole, part = divmod(units, scale)
        write.writerow(
            [
                case.payee_keys[p],
                case.rights.payee_names[p],
                case.communities[home] if home >= 0 else "",
                units,
                f"{whole}.{part:0{case.currency.decimals}d}",
                case.currency.code,
            ]
        )
    return out.getvalue()


def _unmatched_csv(account: Account) -> str:
    out = io.StringIO()
    rules = [f"{s.rule}_units" for s in account.statements]
    write = csv.DictWriter(out, ["work", "line", "plays", *rules], lineterminator="\n")
    write.writeheader()
    write.writerows(unmatched_rows(account.case, account.statements))
    return out.getvalue()
