"""A ledger that is up: a node that answers on the loopback, and a file in the ledger's folder that says where.

The node belongs to the process that started it; the keys belong to whoever holds the outbox's lock, and everybody holds
it only while acting. So a claim is signed by the process that claims and is in the outbox like everything else, and a
ledger whose process was killed is brought back from there, whoever wrote the last line.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from heritage_contracts.at_rest.folder import EPOCHS, INTENTS, OUTBOX, LedgerFolder, is_ledger, write_facts
from heritage_contracts.deployment import ROLES, role_address
from heritage_contracts.nodes.anvil import ManagedAnvil
from heritage_contracts.schedule import DEPLOY_LEAD_S
from heritage_contracts.sending.chain import Chain
from heritage_contracts.sending.outbox import FileOutbox
from heritage_contracts.sending.outbox_copy import outbox_lines
from heritage_contracts.sending.pace import OthersBlocks, Pace
from heritage_contracts.sending.rpc import Rpc, http_rpc, public_name
from heritage_sim.base import InputError, StorageError

ENDPOINT = "endpoint.json"
_LOCK_TRIES = 50


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a ledger that is up answers.

    Parameters
    ----------
    url : str
        Address of its node.
    pid : int
        Process that keeps it up.
    """

    url: str
    pid: int


def endpoint_of(folder: Path) -> Endpoint | None:
    """Return where a ledger answers, None if it is not up; a file that a killed process left counts for nothing.

    Parameters
    ----------
    folder : Path
        The ledger's folder.

    Returns
    -------
    Endpoint or None
    """
    try:
        said: dict[str, Any] = json.loads((folder / ENDPOINT).read_text(encoding="utf-8"))
        found = Endpoint(str(said["url"]), int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return found


class LiveLedger:
    """Keeps a ledger up, used as a context manager.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger; what its outbox holds is brought onto the chain.
    rpc_url : str
        Node that others keep; empty: an Anvil of our own.

    Raises
    ------
    InputError
        If the ledger is up already.
    MissingPartError
        If there is no Anvil.
    LedgerError
        If another chain answers than the ledger's.
    """

    def __init__(self, folder: LedgerFolder, rpc_url: str = "") -> None:
        self.folder = folder
        up = endpoint_of(folder.path)
        if up is not None:
            raise InputError(
                f"this ledger is up already, kept by process {up.pid}",
                str(folder.path),
                f"It answers at {public_name(up.url)}.",
            )
        self._node: ManagedAnvil | None = None
        if not rpc_url:
            self._node = anvil_of(folder)
        self._rpc_url = rpc_url
        try:
            self.settle()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LiveLedger:
        """Return itself, up."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it down."""
        self.close()

    @property
    def url(self) -> str:
        """Return where it answers now, with the access key of a hosted node; `public_name` leaves that out."""
        return self._node.url if self._node is not None else self._rpc_url

    def settle(self) -> None:
        """Bring chain and outbox together, and say where the ledger answers.

        Raises
        ------
        LedgerError
            If another chain answers, or nobody.
        StorageError
            If another process does not let go of the outbox.
        """
        rpc = self._node.rpc if self._node is not None else http_rpc(self._rpc_url)
        revive = self._node.revive if self._node is not None else None
        with opened(self.folder, rpc, revive, tries=_LOCK_TRIES):
            pass
        beside = self.folder.path / f".{ENDPOINT}.draft"
        beside.unlink(missing_ok=True)
        # The address of a hosted node holds its access key: nobody else on this machine may read it.
        with open(beside, "x", encoding="utf-8", opener=_private) as file:
            file.write(json.dumps({"url": self.url, "pid": os.getpid()}) + "\n")
        beside.replace(self.folder.path / ENDPOINT)

    def watch(self, every_s: float, told: Callable[[str], None], for_s: float | None = None) -> None:
        """Stay until interrupted; a node that died is started again and gets back what the outbox holds.

        Parameters
        ----------
        every_s : float
            Seconds between two looks.
        told : callable
            Takes what happened, in words.
        for_s : float, optional
            Return after so many seconds.
        """
        until = None if for_s is None else time.monotonic() + for_s
        while until is None or time.monotonic() < until:
            time.sleep(every_s)
            if self._node is not None and not self._node.alive:
                self._node.revive(0)
                self.settle()
                told(f"the node had died; started again at {self.url} with all that the outbox holds")

    def close(self) -> None:
        """Take the node down and the file away; closing twice is closing once."""
        with contextlib.suppress(OSError):
            up = endpoint_of(self.folder.path)
            if up is None or up.pid == os.getpid():
                (self.folder.path / ENDPOINT).unlink(missing_ok=True)
        if self._node is not None:
            self._node.stop()


def anvil_of(folder: LedgerFolder) -> ManagedAnvil:
    """Return an Anvil at the beginning of a ledger's chain."""
    first_s = folder.at.genesis_s - DEPLOY_LEAD_S
    return ManagedAnvil(first_s, [role_address(role) for role in ROLES], folder.at.chain_id)


@contextlib.contextmanager
def opened(
    folder: LedgerFolder, node: Rpc, revive: Callable[[int], None] | None = None, tries: int = 1
) -> Generator[Chain]:
    """Hold a ledger's outbox and speak to its chain, for as long as the context lasts.

    Parameters
    ----------
    folder : LedgerFolder
        The ledger.
    node : Rpc
        Its chain.
    revive : callable, optional
        As `Chain` takes it.
    tries : int
        How often to wait a moment for another process to let go of the outbox.

    Yields
    ------
    Chain
        Settled.

    Raises
    ------
    StorageError
        If another process has the outbox.
    """
    outbox = _file_outbox(folder, tries)
    try:
        pace: Pace | None = OthersBlocks(node, folder.at.config.confirmations) if _is_others(folder) else None
        yield Chain(node, outbox, pace, revive=revive)
    finally:
        outbox.close()


def copy_for_anvil(source: LedgerFolder, target: Path) -> None:
    """Put the same ledger into another folder, signed and not sent, for a fresh Anvil to carry out.

    Parameters
    ----------
    source : LedgerFolder
        A ledger on a chain of our own, such as a run leaves it.
    target : Path
        Folder without a ledger.

    Raises
    ------
    InputError
        If the ledger is on a chain that others keep, or the target holds one already.
    StorageError
        If it cannot be written.
    """
    if _is_others(source):
        raise InputError(
            "this ledger is on a chain that others keep; it is there already", str(source.path), "Leave --from out."
        )
    if is_ledger(target):
        raise InputError("there is a ledger in this folder already", str(target), "Name a new folder.")
    outbox = FileOutbox(source.outbox)
    try:
        with anvil_of(source) as node:
            first: Any = node.rpc.ask("eth_getBlockByNumber", "0x0", False)
        lines = outbox_lines(outbox, bytes.fromhex(first["hash"][2:]))
    finally:
        outbox.close()
    try:
        (target / EPOCHS).mkdir(parents=True, exist_ok=True)
        (target / OUTBOX).write_bytes(b"".join(lines))
        (target / INTENTS).write_bytes((source.path / INTENTS).read_bytes())
        for path in sorted((source.path / EPOCHS).glob("*.jsonl")):
            (target / EPOCHS / path.name).write_bytes(path.read_bytes())
    except OSError as error:
        raise StorageError(f"the ledger cannot be copied: {error.strerror}", str(target)) from None
    config = source.at.config.model_copy(update={"kind": "anvil", "rpc_url": ""})
    write_facts(target, replace(source.at, config=config))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_others(folder: LedgerFolder) -> bool:
    return folder.at.config.kind == "rpc"


def _file_outbox(folder: LedgerFolder, tries: int) -> FileOutbox:
    for left in reversed(range(tries)):
        try:
            return FileOutbox(folder.outbox)
        except StorageError:
            if not left:
                raise
            time.sleep(0.1)
    raise AssertionError("unreachable")
