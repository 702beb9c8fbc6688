"""Which chain a ledger runs on: embedded, a managed Anvil, or the one behind a URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from heritage_contracts.config import LedgerConfig
from heritage_contracts.deployment import EMBEDDED_CHAIN_ID, ROLES, role_address
from heritage_contracts.sending.chain import Chain
from heritage_contracts.sending.outbox import FileOutbox, Outbox

if TYPE_CHECKING:
    from heritage_contracts.nodes.anvil import ManagedAnvil

OUTBOX = "outbox.jsonl"


class NodeChain(Chain):
    """A chain on a node of our own, which goes with it.

    Parameters
    ----------
    node : ManagedAnvil
        Running.
    outbox : Outbox
        Journal.
    """

    def __init__(self, node: ManagedAnvil, outbox: Outbox) -> None:
        self.node = node
        super().__init__(node.rpc, outbox, revive=node.revive)

    def close(self) -> None:
        """Let go of the outbox and stop the node."""
        super().close()
        self.node.stop()


def connector(config: LedgerConfig, work_dir: Path | None = None) -> Callable[[int], Chain]:
    """Return how to reach the chain that a configuration names.

    Parameters
    ----------
    config : LedgerConfig
        Its kind is not ``reference``.
    work_dir : Path or None
        Where the outbox is kept; in memory without it.

    Returns
    -------
    callable
        Takes block 0's timestamp, which a chain of others does not heed.
    """

    def outbox() -> Outbox:
        return Outbox() if work_dir is None else FileOutbox(work_dir / OUTBOX)

    def embedded(first_s: int) -> Chain:
        from heritage_contracts.nodes.embedded import embedded_web3

        return Chain(embedded_web3(first_s), outbox())

    def anvil(first_s: int) -> Chain:
        from heritage_contracts.nodes.anvil import ManagedAnvil

        funded = [role_address(role) for role in ROLES]
        if not config.faults:
            return NodeChain(ManagedAnvil(first_s, funded, EMBEDDED_CHAIN_ID), outbox())
        from heritage_contracts.nodes.faults import fault_schedule
        from heritage_contracts.nodes.faulty import FaultInjector

        faults = FaultInjector(fault_schedule(config.faults), config.fault_replication)
        node = ManagedAnvil(first_s, funded, EMBEDDED_CHAIN_ID, wrap=faults.wrap)
        faults.kill = node.kill
        return NodeChain(node, outbox())

    def rpc(_: int) -> Chain:
        from heritage_contracts.sending.pace import OthersBlocks
        from heritage_contracts.sending.rpc import http_rpc

        node = http_rpc(config.rpc_url)
        return Chain(node, outbox(), OthersBlocks(node, config.confirmations, config.poll_seconds))

    return {"evm": embedded, "anvil": anvil, "rpc": rpc}[config.kind]
