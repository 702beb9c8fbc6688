"""What a node says the contracts said: the history of a ledger on a chain that others keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.chain_books.events import Event, event_of
from heritage_contracts.deployment import Deployment
from heritage_contracts.sending.rpc import RefusedError, Rpc
from heritage_contracts.verification.execution import Progress
from heritage_contracts.verification.recorded import Recorded
from heritage_sim.base import LedgerError

_SPAN = 10_000
"""Blocks asked about at once, at first; halved where a node finds that too many."""


def node_events(at: Deployment, node: Rpc, progress: Progress | None = None) -> Iterator[Event]:
    """Yield the events of a ledger's contracts as a node has them, in order.

    Parameters
    ----------
    at : Deployment
        Where the contracts stand.
    node : Rpc
        Any node of the chain that keeps its history.
    progress : callable, optional
        Told of every span of blocks.

    Yields
    ------
    Event
        Its ``where`` names block and transaction.

    Raises
    ------
    DifferenceError
        If the node is of another chain.
    LedgerError
        If it does not answer.
    """
    require("chain id", at.chain_id, int(node.ask("eth_chainId"), 16), node.name)
    head = int(node.ask("eth_blockNumber"), 16)
    contracts = ["0x" + address.hex() for address in (at.token, at.payees, at.registry, at.distributor, at.pool)]
    start, span = 0, _SPAN
    seconds: dict[str, int] = {}
    while start <= head:
        stop = min(start + span - 1, head)
        asked = {"fromBlock": hex(start), "toBlock": hex(stop), "address": contracts}
        try:
            logs: list[dict[str, Any]] = node.ask("eth_getLogs", asked)
        except RefusedError:
            if span == 1:
                raise
            span = max(1, span // 2)
            continue
        if progress is not None:
            progress("blocks read", stop, head)
        yield from _events(node, logs, seconds)
        start = stop + 1


def _events(node: Rpc, logs: list[dict[str, Any]], seconds: dict[str, int]) -> Iterator[Event]:
    logs.sort(key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))
    hashes = list(dict.fromkeys(log["transactionHash"] for log in logs))
    calls, gas = dict[str, bytes](), dict[str, int]()
    found = node.ask_many("eth_getTransactionByHash", [[h] for h in hashes])
    receipts = node.ask_many("eth_getTransactionReceipt", [[h] for h in hashes])
    for h, transaction, receipt in zip(hashes, found, receipts, strict=True):
        if not (transaction and receipt):
            raise LedgerError(
                f"the node no longer has transaction {h}", node.name, "Ask a node that keeps its history."
            )
        calls[h], gas[h] = bytes.fromhex(transaction["input"][2:]), int(receipt["gasUsed"], 16)
    fresh = [b for b in dict.fromkeys(log["blockNumber"] for log in logs) if b not in seconds]
    for number, block in zip(fresh, node.ask_many("eth_getBlockByNumber", [[b, False] for b in fresh]), strict=True):
        seconds[number] = int(block["timestamp"], 16)
    for log in logs:
        number, h = int(log["blockNumber"], 16), log["transactionHash"]
        yield event_of(
            bytes.fromhex(log["address"][2:]),
            tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
            bytes.fromhex(log["data"][2:]),
            call=calls[h],
            at_s=seconds[log["blockNumber"]],
            block=number,
            gas=gas[h],
            where=f"{node.name}, block {number}, transaction {h}",
        )


def compare_receipts(recorded: Recorded, node: Rpc, progress: Progress | None = None) -> None:
    """Hold the recorded receipts against those of a node.

    Parameters
    ----------
    recorded : Recorded
        Outbox of the ledger's owner.
    node : Rpc
        Any node of the chain.
    progress : callable, optional
        Told of every block.

    Raises
    ------
    DifferenceError
        If the node has another block, or another receipt, than is recorded.
    """
    blocks = recorded.blocks()
    for done, block in enumerate(blocks):
        if progress is not None:
            progress("receipts compared", done, len(blocks))
        made: Any = node.ask("eth_getBlockByNumber", hex(block.number), False)
        if made is None:
            raise DifferenceError(f"block {block.number}", "one on the chain", "none", block.where)
        require(f"hash of block {block.number}", bytes.fromhex(made["hash"][2:]), block.hash, block.where)
        require(f"second of block {block.number}", int(made["timestamp"], 16), block.at_s, block.where)
        for sent in block.sent:
            answers = node.ask_many("eth_getTransactionReceipt", [["0x" + a.hash.hex()] for a in sent.attempts])
            receipts: list[dict[str, Any]] = [a for a in answers if isinstance(a, dict)]
            where = recorded.where(sent.receipt_line)
            require("number of receipts of a transaction", 1, len(receipts), where)
            mined = sent.mined
            assert mined is not None, "blocks hold what has a receipt"
            (receipt,) = receipts
            require("gas of a transaction", int(receipt["gasUsed"], 16), mined.gas_used, where)
            require("whether a contract accepted a transaction", receipt["status"] == "0x1", mined.ok, where)
            logs = [
                (tuple(bytes.fromhex(t[2:]) for t in log["topics"]), bytes.fromhex(log["data"][2:]))
                for log in receipt["logs"]
            ]
            require("events of a transaction", tuple(logs), mined.logs, where)
