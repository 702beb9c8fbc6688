"""What the contracts say happened, one event after the other, as plain fields.

An event stands in a receipt: the contract that emitted it, its indexed fields (topics) and the others (data). Where the
receipt comes from, the outbox of the ledger's owner, a chain that carried the transactions out again, or a node that
anybody asks, is the caller's matter; it goes along as ``where``, for whoever has to be told what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from heritage_contracts.hashing import keccak256

_SIGNATURES = (
    # SettlementToken
    "Transfer(address,address,uint256)",
    # PayeeRegistry
    "PayeeRegistered(bytes32,address,uint32)",
    "CommunityCreated(uint32,address[],uint8,bytes32)",
    "MembersChanged(uint32,address[],uint8,bool)",
    "RotationRequested(bytes32,address,uint256,bool,bool)",
    "RotationCancelled(bytes32,address)",
    "RotationCompleted(bytes32,address,address)",
    # ProvenanceRegistry
    "BatchRegistered(uint256,uint256,bytes32,bytes32)",
    "WorkRegistered(bytes32,address,bytes,bytes32)",
    "WorkOpened(bytes32,bytes32)",
    "Committed(bytes32)",
    "ConsentSet(uint32,bytes32,uint8,uint48)",
    # EpochDistributor
    "Funded(address,uint256)",
    "Posted(uint256,bytes32,uint256,uint256,bytes32,bytes32)",
    "Finalized(uint256,uint256)",
    "Disputed(uint256,bytes32,uint256)",
    "Claimed(bytes32,address,uint256)",
    "ClaimFailed(bytes32,address,uint256)",
    "NoticeGiven(bytes32,uint256,uint256)",
    "Expired(bytes32,address,uint256)",
    "WoundUp(uint256,uint256)",
    "Escaped(bytes32,address,uint256)",
    "TakenBack(address,uint256)",
    # RoyaltyPool
    "Opened(bytes32,uint256,uint256)",
    "Paid(bytes32,address,uint256)",
    "Credited(bytes32,bytes32,uint256)",
    "Withdrawn(bytes32,address,uint256)",
    "WithdrawalFailed(bytes32,address,uint256)",
)
EVENT_NAMES: dict[bytes, str] = {keccak256(s.encode()): s.partition("(")[0] for s in _SIGNATURES}
"""Name of every event that the books know, by its first topic; a test holds it against the shipped interfaces."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Parameters
    ----------
    contract : bytes
        20-byte address of the contract that emitted it.
    name : str
        Its name; empty where the books do not know it (a role granted, an approval).
    fields : tuple of bytes
        Indexed fields in order, then the words of its data, 32 bytes each.
    data : bytes
        Its data as a whole, for fields of dynamic length.
    call : bytes
        Calldata of the transaction that caused it; the records of a batch stand there and nowhere else.
    at_s, block : int
        Timestamp and number of its block.
    gas : int
        Gas of its transaction.
    where : str
        Where it is written, for messages.
    """

    contract: bytes
    name: str
    fields: tuple[bytes, ...]
    data: bytes
    call: bytes
    at_s: int
    block: int
    gas: int
    where: str

    def number(self, index: int) -> int:
        """Return a field as a number."""
        return int.from_bytes(self.fields[index], "big")

    def address(self, index: int) -> bytes:
        """Return a field as a 20-byte address."""
        return self.fields[index][12:]

    def blob(self, index: int) -> bytes:
        """Return a field of type ``bytes``; the index counts the data's heads, without indexed fields."""
        start = int.from_bytes(self.data[32 * index : 32 * index + 32], "big")
        size = int.from_bytes(self.data[start : start + 32], "big")
        return self.data[start + 32 : start + 32 + size]


def event_of(
    contract: bytes,
    topics: tuple[bytes, ...],
    data: bytes,
    *,
    call: bytes,
    at_s: int,
    block: int,
    gas: int,
    where: str,
) -> Event:
    """Return a receipt's log as an event.

    Parameters
    ----------
    contract : bytes
        20-byte address of the emitter.
    topics : tuple of bytes
        32 bytes each; the first names the event.
    data : bytes
        What is not indexed.
    call : bytes
        Calldata of the transaction.
    at_s : int
        Timestamp of the block.
    block : int
        Its number.
    gas : int
        Gas of the transaction.
    where : str
        Where it is written.

    Returns
    -------
    Event
    """
    words = tuple(data[i : i + 32] for i in range(0, len(data), 32))
    name = EVENT_NAMES.get(topics[0], "") if topics else ""
    return Event(contract, name, topics[1:] + words, data, call, at_s, block, gas, where)
