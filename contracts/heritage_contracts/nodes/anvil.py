"""A managed Anvil: started, watched and stopped by us.

The node is a child in a process group of its own, on a port the system chooses (port 0), which is then read from the
process itself: no other chain can be taken for ours, as happens when a second Anvil finds its port taken and exits. A
small watcher holds the reading end of a pipe to this process; when this process dies, however it dies, the pipe closes
and the watcher ends the node and takes its files away. (A parent-death signal would do this too, but it fires when the
*thread* that started the child ends.)

Every start is from the same block 0; what came after it is brought back by `Chain.settle` from the outbox, which also
covers the history that Anvil prunes.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import psutil

from heritage_contracts.nodes.anvil_binary import find_anvil
from heritage_contracts.sending.rpc import LoopbackProvider, Provider, Rpc, UnreachableError
from heritage_sim.base import LedgerError

ANVIL_CHAIN_ID = 31_337
BLOCK_GAS_LIMIT = 60_000_000
"""Twice what the schedule puts into a block: at half-full blocks the base fee does not rise (EIP-1559)."""
_FUNDS_WEI = 10**24
_START_S = 20.0
_STATES_KEPT = 64
_BLOCKS_KEPT = 256


class ManagedAnvil:
    """An Anvil that lives as long as this object, used as a context manager or stopped by `stop`.

    Parameters
    ----------
    genesis_s : int
        Timestamp of block 0.
    funded : sequence of bytes
        Addresses that own ether, 20 bytes each.
    chain_id : int
        Id of the chain.
    program : str, Path or None
        Where Anvil is; None: see `find_anvil`.
    wrap : callable or None
        Put around every provider that is made, such as one that injects faults.
    timeout_s : float
        How long an answer may take.

    Raises
    ------
    MissingPartError
        If there is no Anvil.
    LedgerError
        If it does not come up.
    """

    def __init__(
        self,
        genesis_s: int,
        funded: Sequence[bytes],
        chain_id: int = ANVIL_CHAIN_ID,
        program: str | Path | None = None,
        wrap: Callable[[Provider], Provider] | None = None,
        timeout_s: float = 20.0,
    ) -> None:
        self._program = find_anvil(program)
        self._wrap = wrap
        self._timeout_s = timeout_s
        self._chain_id = chain_id
        self._genesis_s = genesis_s
        self._folder = Path(tempfile.mkdtemp(prefix="heritage-anvil-"))
        self._genesis = self._folder / "genesis.json"
        self._genesis.write_text(json.dumps(_genesis_state(genesis_s, chain_id, funded)), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._first_hash = ""
        self.num_starts = 0
        self.port = 0
        atexit.register(self.stop)
        self.rpc = Rpc(self._start(), "the managed Anvil")

    def __enter__(self) -> ManagedAnvil:
        """Return itself, running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the node."""
        self.stop()

    @property
    def url(self) -> str:
        """Return where it answers now; a restart changes the port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the node's process id.

        Raises
        ------
        LedgerError
            If it is not running.
        """
        if self._process is None:
            raise LedgerError("the managed Anvil is stopped", "Anvil")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def revive(self, attempt: int) -> None:
        """Start a dead node again, or give a silent one a moment; `Chain` calls it before it asks again.

        A node that lives and stays silent is killed at the third attempt: its chain can be made again, its silence
        cannot be mended.

        Parameters
        ----------
        attempt : int
            How often it was called in a row.

        Raises
        ------
        LedgerError
            If it was stopped by us, or does not come up.
        """
        if self._process is None:
            raise LedgerError("the managed Anvil is stopped", "Anvil")
        if self.alive and attempt < 2:
            time.sleep(0.05 * 4**attempt)
            return
        self._end()
        self.rpc.use(self._start())

    def kill(self) -> None:
        """Kill the node without warning, as a fault would; `revive` starts it again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop the node and take its files away; stopping twice is stopping once."""
        atexit.unregister(self.stop)
        self._end()
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- the process --------------------------------------------------------------------------------------------

    def _start(self) -> Provider:
        """Start the node from block 0 and return a provider that reaches it."""
        command = [
            *(str(self._program), "--host", "127.0.0.1", "--port", "0", "--quiet"),
            *("--init", str(self._genesis), "--timestamp", str(self._genesis_s), "--chain-id", str(self._chain_id)),
            *("--no-mining", "--order", "fifo", "--accounts", "0"),
            # The rules of today's chains: without both, a transaction above the cap of EIP-7825 would pass.
            *("--hardfork", "osaka", "--enable-tx-gas-limit", "--gas-limit", str(BLOCK_GAS_LIMIT)),
            *("--no-request-size-limit", "--prune-history", str(_STATES_KEPT)),
            *("--transaction-block-keeper", str(_BLOCKS_KEPT), "--cache-path", str(self._folder)),
        ]
        with (self._folder / "anvil.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self._folder
            )
        self._watcher = _watch(self._process.pid, self._folder)
        self.num_starts += 1
        self.port = self._listening_port()
        provider = LoopbackProvider(self.port, self._timeout_s)
        self._check(Rpc(provider, "the managed Anvil"))
        return self._wrap(provider) if self._wrap else provider

    def _listening_port(self) -> int:
        """Return the port our own child listens on, as the system knows it."""
        process = self._process
        deadline = time.monotonic() + _START_S
        while process is not None and time.monotonic() < deadline:
            if process.poll() is not None:
                said = (self._folder / "anvil.log").read_text(encoding="utf-8", errors="replace").strip()
                raise LedgerError(f"Anvil ended with code {process.returncode}: {said[:500]}", str(self._program))
            try:
                connections = psutil.Process(process.pid).net_connections(kind="tcp")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                connections = []
            for connection in connections:
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
            time.sleep(0.01)
        self._end()
        raise LedgerError(
            f"Anvil did not listen within {_START_S:g} s", str(self._program), "Is the machine very busy?"
        )

    def _check(self, rpc: Rpc) -> None:
        """Check that the chain is the one that was asked for, and the same as before."""
        try:
            chain_id = int(rpc.ask("eth_chainId"), 16)
            first = rpc.ask("eth_getBlockByNumber", "0x0", False)
        except UnreachableError:
            self._end()
            raise
        known = self._first_hash or first["hash"]
        if chain_id != self._chain_id or int(first["timestamp"], 16) != self._genesis_s or first["hash"] != known:
            self._end()
            raise LedgerError(f"another chain answers at {self.url}", "Anvil", "Stop what listens there.")
        self._first_hash = first["hash"]

    def _end(self) -> None:
        """End node and watcher; the watcher last, so that being killed in between leaves no node behind."""
        self._end_node()
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.wait()
            if self._watcher.stdin:
                self._watcher.stdin.close()
            self._watcher = None

    def _end_node(self) -> None:
        """End the node: asked first, then by force, by the process group we made."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _watch(pid: int, folder: Path) -> subprocess.Popen[bytes] | None:
    """Return a process that, once this one is gone, kills a process group and takes its folder away.

    None where there is no shell for it.
    """
    if os.name == "nt":
        return None
    # `read` returns when the pipe's other end closes, which the system does for every way of dying.
    return subprocess.Popen(
        ["/bin/sh", "-c", f'read line; kill -KILL -{pid}; rm -rf "$1"', "watch", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _genesis_state(genesis_s: int, chain_id: int, funded: Sequence[bytes]) -> dict[str, object]:
    return {
        "config": {"chainId": chain_id},
        "timestamp": hex(genesis_s),
        "gasLimit": hex(BLOCK_GAS_LIMIT),
        "difficulty": "0x0",
        "baseFeePerGas": hex(10**9),
        "alloc": {"0x" + address.hex(): {"balance": hex(_FUNDS_WEI)} for address in funded},
    }
