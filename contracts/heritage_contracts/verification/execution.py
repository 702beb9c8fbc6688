"""Signed transactions carried out once more, on a chain that nobody else has touched.

Every block is made again at its recorded second with its recorded transactions. What the contracts then say is the
ledger's history; what the outbox says they said is compared with it, event by event. Blocks that the outbox does not
speak of (a node made one and found it empty) come right before the block that follows them, one second apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.chain_books.events import Event, event_of
from heritage_contracts.sending.parcels import Attempt, Mined
from heritage_contracts.sending.rpc import Refusal, Rpc
from heritage_contracts.sending.signing import fields_of
from heritage_contracts.verification.recorded import Recorded, RecordedBlock, Sent, sender_of

Progress = Callable[[str, int, int], None]
"""Takes what is done, how much of it is done, and how much there is."""


def executed_events(recorded: Recorded, node: Rpc, exactly: bool, progress: Progress | None = None) -> Iterator[Event]:
    """Yield what the contracts say when the recorded transactions are carried out on a fresh chain, in order.

    Parameters
    ----------
    recorded : Recorded
        What was signed, and what is said to have come of it.
    node : Rpc
        A fresh chain with mining off, its block 0 at the recorded second.
    exactly : bool
        Whether the chain is of the kind on which it was recorded: then gas and block hashes must be equal too.
    progress : callable, optional
        Told of every block.

    Yields
    ------
    Event
        Its ``where`` is the line of the recorded receipt.

    Raises
    ------
    DifferenceError
        If a transaction is refused, or the contracts say something else than is recorded.
    """
    if exactly:
        first: Any = node.ask("eth_getBlockByNumber", "0x0", False)
        require("hash of block 0", bytes.fromhex(first["hash"][2:]), recorded.genesis, recorded.where(1))
    blocks = recorded.blocks()
    at_block, at_s = 0, 0
    for done, block in enumerate(blocks):
        if progress is not None:
            progress("blocks made again", done, len(blocks))
        for missing in range(at_block + 1, block.number):
            _mine(node, max(at_s + 1, block.at_s - (block.number - missing)))
            at_s = max(at_s + 1, block.at_s - (block.number - missing))
        attempts = _send(node, block, recorded)
        _mine(node, block.at_s)
        at_block, at_s = block.number, block.at_s
        yield from _receipts(node, block, attempts, exactly, recorded)


def _mine(node: Rpc, at_s: int) -> None:
    node.ask("evm_setNextBlockTimestamp", at_s)
    node.ask("evm_mine")


def _send(node: Rpc, block: RecordedBlock, recorded: Recorded) -> list[Attempt]:
    chosen = [_attempt_in_turn(node, sent) for sent in block.sent]
    answers = node.ask_many("eth_sendRawTransaction", [["0x" + a.raw.hex()] for a in chosen]) if chosen else []
    for sent, answer in zip(block.sent, answers, strict=True):
        if isinstance(answer, Refusal):
            raise DifferenceError(
                "signed transaction", "one that a chain takes", answer.message, recorded.where(sent.line)
            )
    return chosen


def _attempt_in_turn(node: Rpc, sent: Sent) -> Attempt:
    """Return the attempt that can come into a block now: where there are several, their numbers may differ."""
    if len(sent.attempts) == 1:
        return sent.attempts[0]
    sender = "0x" + sender_of(sent.attempts[0].raw).hex()
    next_nonce = int(node.ask("eth_getTransactionCount", sender, "latest"), 16)
    later = [a for a in sent.attempts if a.nonce >= next_nonce]
    mined = sent.mined
    # Of those with one number, the one whose offer covers what was paid; all ask for the same.
    fitting = [a for a in later if mined is None or a.max_wei >= mined.fee_wei]
    return (fitting or later or sent.attempts)[-1]


def _receipts(
    node: Rpc, block: RecordedBlock, attempts: Sequence[Attempt], exactly: bool, recorded: Recorded
) -> Iterator[Event]:
    asked = [["0x" + a.hash.hex()] for a in attempts]
    answers: list[Any] = node.ask_many("eth_getTransactionReceipt", asked) if asked else []
    for sent, attempt, answer in zip(block.sent, attempts, answers, strict=True):
        where = recorded.where(sent.receipt_line)
        if isinstance(answer, Refusal) or not answer or answer.get("blockHash") is None:
            raise DifferenceError("receipt of a transaction", f"one in block {block.number}", "none", where)
        receipt: dict[str, Any] = answer
        mined = sent.mined
        assert mined is not None, "blocks hold what has a receipt"
        yield from _compared(receipt, mined, attempt, exactly, where)
    if exactly and (block.sent or block.hash):
        made: Any = node.ask("eth_getBlockByNumber", hex(block.number), False)
        require(f"hash of block {block.number}", bytes.fromhex(made["hash"][2:]), block.hash, block.where)


def _compared(receipt: dict[str, Any], mined: Mined, attempt: Attempt, exactly: bool, where: str) -> Iterator[Event]:
    require("number of a transaction's block", int(receipt["blockNumber"], 16), mined.block, where)
    require("whether a contract accepted a transaction", receipt["status"] == "0x1", mined.ok, where)
    gas = int(receipt["gasUsed"], 16)
    if exactly:
        require("gas of a transaction", gas, mined.gas_used, where)
        paid = int(receipt.get("effectiveGasPrice") or "0x0", 16)
        require("price of a transaction's gas", paid, mined.fee_wei, where)
    logs: list[dict[str, Any]] = receipt["logs"]
    require("number of events of a transaction", len(logs), len(mined.logs), where)
    call = fields_of(attempt.raw).data
    for index, log in enumerate(logs):
        topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
        contract, data = bytes.fromhex(log["address"][2:]), bytes.fromhex(log["data"][2:])
        event = event_of(contract, topics, data, call=call, at_s=mined.at_s, block=mined.block, gas=gas, where=where)
        what = f"event {index + 1} of a transaction ({event.name or 'not of the books'})"
        require(f"{what}: contract", contract, mined.emitters[index], where)
        require(f"{what}: indexed fields", topics, mined.logs[index][0], where)
        require(f"{what}: data", data, mined.logs[index][1], where)
        yield event


def recorded_events(recorded: Recorded) -> Iterator[Event]:
    """Yield what the outbox says the contracts said, without carrying anything out.

    Parameters
    ----------
    recorded : Recorded
        Outbox.

    Yields
    ------
    Event
        In order.

    Raises
    ------
    DifferenceError
        If its blocks are not in order.
    """
    for block in recorded.blocks():
        for sent in block.sent:
            mined = sent.mined
            assert mined is not None, "blocks hold what has a receipt"
            call, where = fields_of(sent.attempts[-1].raw).data, recorded.where(sent.receipt_line)
            for contract, (topics, data) in zip(mined.emitters, mined.logs, strict=True):
                yield event_of(
                    contract, topics, data, call=call, at_s=mined.at_s, block=mined.block, gas=mined.gas_used,
                    where=where,
                )  # fmt: skip
