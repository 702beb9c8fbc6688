"""Who makes the blocks: we, on a chain whose clock we set, or others, on a chain we can only wait for.

On a development chain (embedded EVM, Anvil) mining is off; each parcel of transactions is closed by one block at the
second that was asked for, and a fixed fee is offered. On any other chain the wished second is only a lower bound: one
waits for the chain's own clock, offers what the last blocks suggest, and waits for inclusion and confirmations.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

from heritage_contracts.sending.parcels import Transaction
from heritage_contracts.sending.rpc import RefusedError, Rpc
from heritage_contracts.sending.signing import Fee
from heritage_sim.base import LedgerError

FIXED_FEE = Fee(max_wei=10**13, tip_wei=10**9)
"""Offered on chains where ether is free."""
_FEE_BLOCKS = 10
_FEE_PERCENTILE = 50


class Pace(Protocol):
    """How parcels come into blocks on one chain."""

    confirmations: int
    cap_wei: int

    def fee(self) -> Fee:
        """Return what to offer for a unit of gas now."""
        ...

    def ready(self, at_s: int) -> None:
        """Return when a transaction wished for ``at_s`` may be signed."""
        ...

    def sendable(self, missing: Sequence[Transaction]) -> list[Transaction]:
        """Return those of the missing transactions that may be in the pool together."""
        ...

    def advance(self, at_s: int) -> None:
        """Make a block at ``at_s``, or wait a while for one."""
        ...

    def take_back(self, number: int) -> bool:
        """Undo every block after that of a number, where blocks are ours to undo; return whether there were any."""
        ...

    def step(self, idle_rounds: int) -> str:
        """Return what to do after so many rounds that brought no receipt: wait, send, free, bump or stop."""
        ...


class OurBlocks:
    """Blocks made by us (``evm_mine``) at seconds set by us.

    Parameters
    ----------
    rpc : Rpc
        A chain with mining off.
    confirmations : int
        Empty blocks put on top of each parcel, one second each.
    fee : Fee
        Offered by every transaction.
    """

    cap_wei = 10**14

    def __init__(self, rpc: Rpc, confirmations: int = 0, fee: Fee = FIXED_FEE) -> None:
        self._rpc = rpc
        self._fee = fee
        self.confirmations = confirmations

    def fee(self) -> Fee:
        """Return the fixed fee."""
        return self._fee

    def ready(self, at_s: int) -> None:
        """Return at once: the clock is ours."""

    def sendable(self, missing: Sequence[Transaction]) -> list[Transaction]:
        """Return all of them: the pool keeps the order in which they came."""
        return list(missing)

    def advance(self, at_s: int) -> None:
        """Make a block at ``at_s``."""
        self._rpc.ask("evm_setNextBlockTimestamp", at_s)
        self._rpc.ask("evm_mine")

    def take_back(self, number: int) -> bool:
        """Undo every block after that of a number, where the chain can."""
        above = int(self._rpc.ask("eth_blockNumber"), 16) - number
        if above <= 0:
            return False
        try_ask(self._rpc, "anvil_rollback", above)
        return int(self._rpc.ask("eth_blockNumber"), 16) == number

    def step(self, idle_rounds: int) -> str:
        """Return send at first, then free: what an Anvil has queued for ever must leave its pool to come back."""
        return "send" if idle_rounds < 2 else "free" if idle_rounds < 6 else "stop"


class OthersBlocks:
    """Blocks made by others: any RPC URL.

    Parameters
    ----------
    rpc : Rpc
        The chain.
    confirmations : int
        Blocks that must stand on a transaction before it counts.
    poll_s : float
        Seconds between two looks.
    patience_s : float
        Seconds after which a transaction that no block takes is an error.
    cap_wei : int
        Highest fee for a unit of gas that is ever offered.
    """

    def __init__(
        self,
        rpc: Rpc,
        confirmations: int = 2,
        poll_s: float = 1.0,
        patience_s: float = 600.0,
        cap_wei: int = 10**12,
    ) -> None:
        self._rpc = rpc
        self._poll_s = poll_s
        self._rounds = max(8, round(patience_s / poll_s))
        self.confirmations = confirmations
        self.cap_wei = cap_wei

    def fee(self) -> Fee:
        """Return twice the next base fee plus the median tip of the last blocks, at most the cap.

        Twice the base fee stays enough for six full blocks in a row (EIP-1559: at most 12.5 % a block).
        """
        history: Any = self._rpc.ask("eth_feeHistory", hex(_FEE_BLOCKS), "latest", [_FEE_PERCENTILE])
        base = int(history["baseFeePerGas"][-1], 16)
        rewards: list[list[str]] = history.get("reward") or []
        tips = sorted(int(reward[0], 16) for reward in rewards if reward)
        tip = max(tips[len(tips) // 2] if tips else 0, 1)
        return Fee(min(2 * base + tip, self.cap_wei), min(tip, self.cap_wei))

    def ready(self, at_s: int) -> None:
        """Wait until the chain's clock has reached ``at_s``; a clock that stands still for too long is an error."""
        seen_s, idle = -1, 0
        while True:
            now_s = int(self._rpc.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
            if now_s >= at_s:
                return
            seen_s, idle = (seen_s, idle + 1) if now_s == seen_s else (now_s, 0)
            if idle > self._rounds:
                raise LedgerError(
                    f"the chain's clock stands still at {now_s}, before {at_s}",
                    self._rpc.name,
                    "A chain that makes blocks only for transactions has no clock to wait for; let it make them.",
                )
            time.sleep(self._poll_s)

    def sendable(self, missing: Sequence[Transaction]) -> list[Transaction]:
        """Return the first ones of one role: across senders nobody promises an order."""
        end = next((i for i, t in enumerate(missing) if t.role != missing[0].role), len(missing))
        return list(missing[:end])

    def advance(self, at_s: int) -> None:
        """Wait a while."""
        time.sleep(self._poll_s)

    def take_back(self, number: int) -> bool:
        """Return False: what stands, stands."""
        return False

    def step(self, idle_rounds: int) -> str:
        """Return wait mostly; send the same bytes again now and then, and offer more when that did not help."""
        if idle_rounds >= self._rounds:
            return "stop"
        if idle_rounds == 0 or idle_rounds % 8 == 4:
            return "send"
        return "bump" if idle_rounds % 8 == 0 else "wait"


def raised(fee_wei: int, floor_wei: int, cap_wei: int) -> int:
    """Return a fee that replaces one of ``fee_wei``: an eighth more, at least ``floor_wei``.

    Nodes take a second transaction with the same nonce only if it offers at least 10 % (Geth, Anvil) or 12.5 %
    (others) more.

    Parameters
    ----------
    fee_wei : int
        Offered before.
    floor_wei : int
        What the chain asks for now.
    cap_wei : int
        Highest that is ever offered.

    Returns
    -------
    int

    Raises
    ------
    LedgerError
        If that is above the cap.
    """
    wanted = max(fee_wei + -(-fee_wei // 8), floor_wei)
    if wanted > cap_wei:
        raise LedgerError(
            f"a transaction would have to offer {wanted} wei for a unit of gas, above the cap of {cap_wei}",
            "fees",
            "Raise the cap, or wait for the chain to become cheaper; the transaction stays in the outbox.",
        )
    return wanted


def refusal_kind(message: str) -> str:
    """Return what a node means by refusing a transaction: known, low (nonce), price, high (nonce) or final.

    Nodes share no error codes for this, so that their words are all there is (Geth, Reth, Erigon, Nethermind, Besu,
    Anvil, py-evm).
    """
    text = message.lower()
    if any(w in text for w in ("already imported", "already known", "known transaction", "alreadyknown")):
        return "known"
    if any(w in text for w in ("nonce too low", "nonce_too_low", "oldnonce", "nonce is too low")):
        return "low"
    if any(
        w in text for w in ("underpriced", "less than block base fee", "fee too low", "feetoolow", "lower than the")
    ):
        return "price"
    if any(w in text for w in ("nonce too high", "nonce gap")):
        return "high"
    return "final"


def try_ask(rpc: Rpc, method: str, *params: Any) -> Any:
    """Return a method's result, None where the node does not know it or refuses."""
    try:
        return rpc.ask(method, *params)
    except RefusedError:
        return None
