"""Published epoch data: what a stranger needs to rebuild an epoch's Merkle root and data hash, which the chain keeps.

The form is canonical JSON Lines, so that equal data are equal bytes: a header line with sorted keys and no spaces, then
one line ``["0x<payee id>",<cumulative units>]`` for each payee in the order of the tree's leaves; every line ends with
a line feed. Anything that is not written exactly so is refused, naming the line: two readings of the same bytes would
be two ledgers.
"""

from __future__ import annotations

import json
import re
from binascii import unhexlify
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from heritage_contracts.hashing import keccak256
from heritage_contracts.trees.merkle import build_tree, payee_leaves, root_of
from heritage_contracts.trees.rows import Rows
from heritage_sim.base import InputError

FORMAT = "heritage-epoch-2"
"""Name of the form, in every header."""
_CHUNK = 65_536
# Payees whose lines are separate strings at once.
_ROW = re.compile(rb'\["0x([0-9a-f]{64})",(0|[1-9][0-9]{0,77})\]\n')
_WORD = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_REMEDY = "Give the bytes as they were published; a line end more or less is another file."


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an epoch's posting commits to: as the ledger recorded it, or as published data leads to it.

    Parameters
    ----------
    epoch : int
        Its number.
    root : bytes
        Merkle root of cumulative amounts.
    total_units, deposit_units : int
        Sum of all cumulative amounts, and this epoch's part of it.
    provenance_head : bytes
        Head of the provenance registry.
    data_hash : bytes
        Hash of the published data.
    """

    epoch: int
    root: bytes
    total_units: int
    deposit_units: int
    provenance_head: bytes
    data_hash: bytes


@dataclass(frozen=True, slots=True, eq=False)
class PublishedEpoch:
    """An epoch's data, taken apart.

    Parameters
    ----------
    chain_id : int
        Chain the distributor is on.
    distributor : bytes
        Its 20-byte address.
    epoch : int
        Number of the epoch.
    pool_units : int
        What this epoch shared out.
    provenance_head : bytes
        Head of the provenance registry it was settled on.
    rule : str
        Name of the royalty rule.
    payee_ids : ndarray of uint8, shape (num_payees, 32)
        Salted ids in the order of the leaves.
    cumulative : sequence of int, length num_payees
        What each has earned since the beginning, in the same order, in the smallest unit.
    """

    chain_id: int
    distributor: bytes
    epoch: int
    pool_units: int
    provenance_head: bytes
    rule: str
    payee_ids: Rows
    cumulative: Sequence[int] | npt.NDArray[np.int64]

    def tree(self) -> Rows:
        """Return the Merkle tree over the payees."""
        return build_tree(payee_leaves(self.chain_id, self.distributor, self.payee_ids, self.cumulative))

    def written(self) -> bytes:
        """Return the data in its canonical form."""
        header = {
            "chain_id": self.chain_id,
            "distributor": _hex(self.distributor),
            "epoch": self.epoch,
            "format": FORMAT,
            "num_payees": len(self.payee_ids),
            "pool_units": self.pool_units,
            "provenance_head": _hex(self.provenance_head),
            "rule": self.rule,
        }
        parts = [f"{_canonical(header)}\n".encode()]
        for start in range(0, len(self.payee_ids), _CHUNK):
            part = slice(start, start + _CHUNK)
            parts.append(_written_rows(self.payee_ids[part], self.cumulative[part]))
        return b"".join(parts)


def read_epoch(published: bytes, where: str = "published epoch") -> PublishedEpoch:
    """Return published data taken apart, after checking that they are in their canonical form.

    Parameters
    ----------
    published : bytes
        As `PublishedEpoch.written` gave them.
    where : str
        File they came from, for the message.

    Returns
    -------
    PublishedEpoch

    Raises
    ------
    InputError
        If they are not, naming the line.
    """
    end = published.find(b"\n") + 1
    header = _read_header(published[: end - 1] if end else published, where)
    ids = bytearray()
    amounts: list[int] = []
    position = end or len(published)
    for row in _ROW.finditer(published, position):
        if row.start() != position:
            break
        ids += unhexlify(row[1])
        amounts.append(int(row[2]))
        position = row.end()
    if position != len(published):
        text = published[position : position + 120].split(b"\n")[0].decode(errors="replace")
        _refuse(f'{text!r} is not ["0x<64 hex digits>",<whole number>] and a line end', where, len(amounts) + 2)
    if header["num_payees"] != len(amounts) or not amounts:
        _refuse(f"the header speaks of {header['num_payees']} payees, {len(amounts)} follow", where, 1)
    payee_ids = np.frombuffer(ids, dtype=np.uint8).reshape(-1, 32)
    _check_distinct(payee_ids, where)
    if max(amounts) >> 256:
        too_large = next(i for i, units in enumerate(amounts) if units >> 256)
        _refuse("the amount is 2^256 or more", where, too_large + 2)
    return PublishedEpoch(
        chain_id=header["chain_id"],
        distributor=unhexlify(header["distributor"][2:]),
        epoch=header["epoch"],
        pool_units=header["pool_units"],
        provenance_head=unhexlify(header["provenance_head"][2:]),
        rule=header["rule"],
        payee_ids=payee_ids,
        cumulative=amounts,
    )


def rebuild(published: bytes, where: str = "published epoch") -> Commitment:
    """Return what published data commits to, computed from the data alone.

    Parameters
    ----------
    published : bytes
        As the ledger's ``published_epoch`` gives it.
    where : str
        File it came from, for the message.

    Returns
    -------
    Commitment

    Raises
    ------
    InputError
        If the data is not an epoch's.
    """
    data = read_epoch(published, where)
    return Commitment(
        epoch=data.epoch,
        root=root_of(data.tree()),
        total_units=sum(data.cumulative),
        deposit_units=data.pool_units,
        provenance_head=data.provenance_head,
        data_hash=keccak256(published),
    )


def _read_header(line: bytes, where: str) -> dict[str, Any]:
    try:
        header: Any = json.loads(line)
    except ValueError as error:
        _refuse(f"the header is not JSON ({error})", where, 1)
    if not isinstance(header, dict):
        _refuse("the header is not a JSON object", where, 1)
    fields = cast("dict[str, Any]", header)
    if fields.get("format") != FORMAT:
        _refuse(f"the header's format is {fields.get('format')!r}, not {FORMAT!r}", where, 1)
    for key, good in _HEADER.items():
        if key not in fields:
            _refuse(f"the header has no {key}", where, 1)
        if not good(fields[key]):
            _refuse(f"the header's {key} cannot be {fields[key]!r}", where, 1)
    if line != _canonical({key: fields[key] for key in _HEADER}).encode():
        _refuse("the header is not in its canonical form: these keys alone, sorted, without spaces", where, 1)
    return fields


def _written_rows(payee_ids: Rows, cumulative: Sequence[int] | npt.NDArray[np.int64]) -> bytes:
    # Put together here and not by a JSON encoder, which takes three times as long for the same bytes.
    ids = payee_ids.tobytes().hex()
    amounts: Sequence[int] = cumulative.tolist() if isinstance(cumulative, np.ndarray) else cumulative
    starts = range(0, len(ids), 64)
    return "".join(
        [f'["0x{ids[start : start + 64]}",{units}]\n' for start, units in zip(starts, amounts, strict=True)]
    ).encode()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 256


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


_HEADER: dict[str, Callable[[Any], bool]] = {
    "chain_id": _is_number,
    "distributor": _is_address,
    "epoch": _is_number,
    "format": _is_text,
    "num_payees": _is_number,
    "pool_units": _is_number,
    "provenance_head": _is_word,
    "rule": _is_text,
}


def _check_distinct(payee_ids: Rows, where: str) -> None:
    """Refuse a payee that comes twice: the sum of leaves would promise more than the contract pays it."""
    # Eight bytes of a hash decide nearly always; sorting them costs a tenth of sorting the whole ids.
    starts = np.sort(np.ascontiguousarray(payee_ids[:, :8]).view(np.uint64), axis=None)
    if not np.any(starts[1:] == starts[:-1]):
        return
    seen: dict[bytes, int] = {}
    for i, row in enumerate(payee_ids):
        if (first := seen.setdefault(row.tobytes(), i)) != i:
            _refuse(f"the payee of line {first + 2} comes again", where, i + 2)


def _refuse(what: str, where: str, line: int) -> NoReturn:
    raise InputError(f"this is not an epoch's published data: {what}", f"{where}, line {line}", _REMEDY)


def _canonical(data: dict[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()
