"""Which lines each form of an export has, in which order, with which keys and kinds of value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from heritage_contracts.export.lines import AUDITOR, FORMAT, PUBLIC

Check = Callable[[Any], bool]
Shape = dict[str, Check]


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _whole_or_none(value: Any) -> bool:
    return value is None or _whole(value)


def _community(value: Any) -> bool:
    return value == "all" or _whole_or_none(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _hex_of(num_bytes: int) -> Check:
    pattern = re.compile(f"0x[0-9a-f]{{{2 * num_bytes}}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_whole(v) for v in cast("list[Any]", value))


def _pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_numbers(v) and len(v) == 2 for v in cast("list[Any]", value))


def _counts(value: Any) -> bool:
    return isinstance(value, dict) and all(_whole(v) for v in cast("dict[str, Any]", value).values())


def _is(wanted: str) -> Check:
    return lambda value: value == wanted


_ADDRESS, _HASH = _hex_of(20), _hex_of(32)
_HEADER: Shape = {
    "line": _is("header"),
    "format": _is(FORMAT),
    "version": _text,
    "contracts_sha256": _text,
    "chain_id": _whole,
    "distributor": _ADDRESS,
    "currency": _text,
    "decimals": _whole,
    "lines": _counts,
    "left_out": _text,
}
_EPOCH: Shape = {
    "epoch": _whole,
    "root": _HASH,
    "data_hash": _HASH,
    "provenance_head": _HASH,
    "deposit_units": _whole,
    "total_units": _whole,
    "posted_s": _whole,
    "final_s": _whole,
    "gas": _whole,
}
HEADERS: dict[str, Shape] = {
    PUBLIC: _HEADER | {"form": _is(PUBLIC), "cells_kept_back": _whole, "fewest_payees_of_a_cell": _whole},
    AUDITOR: _HEADER | {"form": _is(AUDITOR), "payee_salt": _text},
}
"""Header of each form."""
LINES: dict[str, dict[str, Shape]] = {
    PUBLIC: {
        "payee": {"payee_id": _HASH},
        "epoch": _EPOCH,
        "cell": {
            "epoch": _whole,
            "kind": _text,
            "community": _community,
            "payees": _whole_or_none,
            "units": _whole_or_none,
        },
    },
    AUDITOR: {
        "payee": {"payee": _whole, "payee_id": _HASH, "account": _ADDRESS, "name": _text, "community": _whole_or_none},
        "epoch": _EPOCH,
        "amount": {"epoch": _whole, "kind": _text, "payee": _whole, "units": _whole},
        "work": {
            "work": _whole,
            "registered_s": _whole,
            "content_sha256": _HASH,
            "manifest_sha256": _HASH,
            "community": _whole,
            "uses": _whole,
            "derivative_share": _whole,
            "parents": _numbers,
            "stems": _pairs,
        },
        "consent": {"set_s": _whole, "community": _whole, "work": _whole_or_none, "uses": _whole, "expires_s": _whole},
        "payment": {"paid_s": _whole, "work": _whole, "units": _whole, "credited": _pairs},
        "claim": {"paid_s": _whole, "payee": _whole, "units": _whole},
    },
}
"""Lines of each form after its header, in their order."""


def fault_of(line: dict[str, Any], shape: Shape) -> str:
    """Return in words what is wrong with a line's keys and values; empty where nothing is.

    Parameters
    ----------
    line : dict
        The line, taken apart.
    shape : dict of str to callable
        What each key's value must be; ``line`` itself is not among them for other lines than the header.

    Returns
    -------
    str
    """
    keys = line.keys() - {"line"}
    wanted = shape.keys() - {"line"}
    if keys != wanted:
        return f"its keys are {', '.join(sorted(keys))}; they should be {', '.join(sorted(wanted))}"
    return next((f"its {key} cannot be {line[key]!r}" for key, good in shape.items() if not good(line[key])), "")
