"""A ledger at rest: a folder from which anybody can carry out again, check and take up what the ledger did.

::

    ledger.json      what it is: settings, number of payees, their communities, genesis, chain id, addresses
    outbox.jsonl     every transaction, signed, and its receipt
    epochs/<n>.jsonl the published data of epoch n
    intents.jsonl    what was asked of the ledger, in order

No name of a payee and no key is in it. (The wallets of a simulation follow from its salt; see `wallets`.)
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import Deployment
from heritage_contracts.sending.outbox import sync_folder
from heritage_contracts.sending.outbox_copy import outbox_lines
from heritage_sim.base import InputError, StorageError

if TYPE_CHECKING:
    from heritage_contracts.ledgers.journal import JournaledLedger
    from heritage_contracts.sending.outbox import Outbox

FORMAT = "heritage-ledger"
VERSION = 1
FACTS, OUTBOX, EPOCHS, INTENTS = "ledger.json", "outbox.jsonl", "epochs", "intents.jsonl"
_REMEDY = "Name the folder of a ledger: one with a ledger.json, as a run on a chain or `heritage ledger up` makes it."
_CONTRACTS = ("token", "payees", "registry", "distributor", "pool")


@dataclass(frozen=True, slots=True)
class LedgerFolder:
    """A ledger's folder, opened.

    Parameters
    ----------
    path : Path
        The folder.
    at : Deployment
        Settings, payees and addresses.
    """

    path: Path
    at: Deployment

    @property
    def outbox(self) -> Path:
        """Return where the signed transactions are."""
        return self.path / OUTBOX

    def epoch_path(self, epoch: int) -> Path:
        """Return where an epoch's published data are."""
        return self.path / EPOCHS / f"{epoch}.jsonl"

    def epoch_data(self, epoch: int) -> bytes:
        """Return an epoch's published data.

        Parameters
        ----------
        epoch : int
            Its number.

        Returns
        -------
        bytes

        Raises
        ------
        InputError
            If they cannot be read.
        """
        try:
            return self.epoch_path(epoch).read_bytes()
        except OSError as error:
            raise InputError(
                f"the published data of epoch {epoch} cannot be read ({error.strerror})",
                str(self.epoch_path(epoch)),
                "Get the file from whoever published it; its hash is on the chain.",
            ) from None


def is_ledger(path: Path) -> bool:
    """Return whether a folder is a ledger's."""
    return (path / FACTS).is_file()


def open_folder(path: Path) -> LedgerFolder:
    """Return a ledger's folder.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    LedgerFolder

    Raises
    ------
    InputError
        If there is none, it is another program's, of a newer format, or says of itself what cannot be.
    """
    where = path / FACTS
    try:
        raw = where.read_bytes()
    except OSError:
        raise InputError("this folder is not a ledger's", str(path), _REMEDY) from None
    try:
        facts: dict[str, Any] = json.loads(raw)
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r}, not {FORMAT!r}")
        if int(facts["version"]) > VERSION:
            raise InputError(
                f"the ledger's folder is of format version {facts['version']}, newer than {VERSION}",
                str(where),
                "Use the version of heritage that wrote it, or a newer one.",
            )
        at = Deployment(
            LedgerConfig(**facts["config"]),
            int(facts["num_payees"]),
            int(facts["genesis_s"]),
            int(facts["chain_id"]),
            tuple(int(c) for c in facts["payee_communities"]),
        )
    except InputError as error:
        if error.where == str(where):
            raise
        raise InputError(f"this is not a ledger's description: {error.what}", str(where), _REMEDY) from None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise InputError(f"this is not a ledger's description: {what}", str(where), _REMEDY) from None
    if raw != _written(at):
        line = next(i for i, pair in enumerate(_lines(raw, _written(at)), 1) if pair[0] != pair[1])
        raise InputError(
            "the ledger's description does not follow from itself: addresses, order or spelling were changed",
            f"{where}, line {line}",
            "Get the folder again from its source.",
        )
    return LedgerFolder(path, at)


def write_facts(path: Path, at: Deployment) -> None:
    """Write ``ledger.json``, whole or not at all.

    Parameters
    ----------
    path : Path
        The ledger's folder; made if it is not there.
    at : Deployment
        What the ledger is.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    _write(path / FACTS, _written(at))


def put_down(ledger: JournaledLedger, path: Path, outbox: Outbox | None = None) -> None:
    """Leave a ledger's folder.

    Parameters
    ----------
    ledger : JournaledLedger
        Of any kind.
    path : Path
        The folder; made if it is not there.
    outbox : Outbox or None
        What was sent, where it is kept in memory; a file outbox is in the folder already.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    for number in range(ledger.num_epochs):
        _write(path / EPOCHS / f"{number}.jsonl", ledger.published_epoch(number))
    _write(path / INTENTS, b"".join(_plain(entry) for entry in ledger.snapshot()["journal"]))
    if outbox is not None:
        _write(path / OUTBOX, b"".join(outbox_lines(outbox)))
    # Last, so that a folder that has it is whole.
    write_facts(path, ledger.deployment)


def read_intents(path: Path) -> list[dict[str, Any]]:
    """Return a folder's intents as `JournaledLedger.replay` takes them.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    list of dict

    Raises
    ------
    InputError
        If there are none, or a line is none.
    """
    entries: list[dict[str, Any]] = []
    where = path / INTENTS
    try:
        raw = where.read_bytes()
    except OSError as error:
        raise InputError(f"the ledger's intents cannot be read ({error.strerror})", str(where), _REMEDY) from None
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            entry: dict[str, Any] = json.loads(line)
            for key in ("content", "manifest"):
                if key in entry:
                    rows = [np.frombuffer(bytes.fromhex(text), dtype=np.uint8) for text in entry[key]]
                    entry[key] = np.array(rows, dtype=np.uint8).reshape(-1, 32)
            entries.append(entry)
        except (ValueError, KeyError, TypeError):
            raise InputError("this is no line of a ledger's intents", f"{where}, line {number}", _REMEDY) from None
    return entries


def addresses(at: Deployment) -> dict[str, str]:
    """Return the contracts' addresses by name."""
    return {name: "0x" + getattr(at, name).hex() for name in _CONTRACTS}


def _written(at: Deployment) -> bytes:
    facts: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "chain_id": at.chain_id,
        "genesis_s": at.genesis_s,
        "num_payees": at.num_payees,
        "payee_communities": list(at.payee_communities),
        "contracts": addresses(at),
        # The node's address may hold an access key, and is no part of what the ledger is.
        "config": at.config.model_dump(mode="json", exclude={"rpc_url"}) | _url_of_kind(at.config),
    }
    rows = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
    return ("{\n" + ",\n".join(rows) + "\n}\n").encode()


def _url_of_kind(config: LedgerConfig) -> dict[str, str]:
    from heritage_contracts.sending.rpc import public_name

    return {"rpc_url": public_name(config.rpc_url)} if config.rpc_url else {}


def _lines(a: bytes, b: bytes) -> Sequence[tuple[bytes, bytes]]:
    from itertools import zip_longest

    return list(zip_longest(a.splitlines(keepends=True), b.splitlines(keepends=True), fillvalue=b""))


def _plain(entry: Mapping[str, Any]) -> bytes:
    plain = {key: _value(value) for key, value in entry.items()}
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _value(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    # Of hashes a row each; of numbers as they stand.
    rows = cast("npt.NDArray[np.int64]", value)
    return [row.tobytes().hex() for row in rows] if rows.dtype.kind == "u" else rows.tolist()


def _write(path: Path, raw: bytes) -> None:
    beside = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise StorageError(
            f"the ledger's folder cannot be written: {error.strerror}", str(path), "Free space, or use another folder."
        ) from None


__all__ = [
    "EPOCHS",
    "FACTS",
    "FORMAT",
    "INTENTS",
    "OUTBOX",
    "VERSION",
    "LedgerFolder",
    "addresses",
    "is_ledger",
    "open_folder",
    "put_down",
    "read_intents",
    "write_facts",
]
