"""An outbox written out again: from memory to a file, or for another chain that is to do the same once more.

Signed bytes bind sender, number, contract and chain id, not a block: a fresh chain with the same id takes them as they
are. A copy without receipts is therefore a ledger that is signed and not sent, and whoever opens it sends it.
"""

from __future__ import annotations

import json
from typing import Any

from heritage_contracts.sending.outbox import Outbox
from heritage_contracts.sending.parcels import Transaction


class _Lines(Outbox):
    """An outbox that keeps what it would write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def _write(self, line: dict[str, Any], sync: bool = True) -> None:
        self.written.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def outbox_lines(outbox: Outbox, genesis: bytes | None = None) -> list[bytes]:
    """Return an outbox as the lines of its file.

    Parameters
    ----------
    outbox : Outbox
        Bound to a chain.
    genesis : bytes or None
        Hash of block 0 of another chain with the same id that is to carry the transactions out; the lines are then
        without receipts.

    Returns
    -------
    list of bytes
    """
    copy = _Lines()
    copy.bind(outbox.chain_id or 0, outbox.genesis if genesis is None else genesis)
    for parcel in outbox.parcels:
        firsts = [Transaction(t.intent, t.role, t.content, t.attempts[:1]) for t in parcel.transactions]
        entered = copy.sign(parcel.at_s if genesis is None else parcel.block_s or parcel.at_s, firsts)
        for index, transaction in enumerate(parcel.transactions):
            for attempt in transaction.attempts[1:]:
                copy.try_again(entered, index, attempt)
            if transaction.given_up:
                copy.give_up(entered, index)
            if genesis is None:
                entered.transactions[index].mined = transaction.mined
        if genesis is None and not parcel.is_open:
            copy.mined(entered, parcel.block, parcel.block_hash, parcel.block_s)
    return copy.written
