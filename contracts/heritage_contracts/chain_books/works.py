"""Works as the registry was given them: packed records taken apart, and the fold over all registrations.

The layout is that of the contract library `Records`. This reading is written apart from the writing in
`heritage_contracts.provenance`, so that a slip in one does not hide in the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from heritage_contracts.chain_books.difference import DifferenceError, require
from heritage_contracts.chain_books.events import Event
from heritage_contracts.hashing import keccak256, selector, word
from heritage_contracts.trees.merkle import build_tree, root_of

_FIXED = 75
_PARENT, _STEM = 32, 34
_REVEAL = selector("reveal(bytes,bytes32)")


@dataclass(frozen=True, slots=True)
class ChainWork:
    """A registered work.

    Parameters
    ----------
    key : bytes
        32 bytes by which the contracts know it.
    number : int
        Its number among works of batches; -1 for a single registration.
    content, manifest : bytes
        Hashes of its notes and of its C2PA manifest (zeros where it has none), 32 bytes each.
    community : int
        As on the chain: 0 for none.
    uses : int
        Flags that it carries.
    derivative_share : int
        What every derivative owes it, in parts of 10^8.
    parents : tuple of bytes
        Keys of the works it derives from.
    stems : tuple of (bytes, int)
        Payee ids and basis points of those who share in it.
    registered_s : int
        Timestamp of its registration.
    """

    key: bytes
    number: int
    content: bytes
    manifest: bytes
    community: int
    uses: int
    derivative_share: int
    parents: tuple[bytes, ...]
    stems: tuple[tuple[bytes, int], ...]
    registered_s: int


def records_in(packed: bytes, where: str) -> Iterator[bytes]:
    """Yield the records that stand one after the other in a batch's calldata.

    Parameters
    ----------
    packed : bytes
        All of them.
    where : str
        Where they are written.

    Yields
    ------
    bytes
        One record.

    Raises
    ------
    DifferenceError
        If the last one is cut short.
    """
    start = 0
    while start < len(packed):
        head = packed[start : start + _FIXED]
        size = _FIXED + _PARENT * head[73] + _STEM * head[74] if len(head) == _FIXED else _FIXED
        if start + size > len(packed):
            raise DifferenceError("length of a batch's last record", size, len(packed) - start, where)
        yield packed[start : start + size]
        start += size


def work_of(record: bytes, key: bytes, number: int, registered_s: int) -> ChainWork:
    """Return a packed record taken apart."""
    num_parents, num_stems = record[73], record[74]
    first_stem = _FIXED + _PARENT * num_parents
    parents = tuple(record[i : i + _PARENT] for i in range(_FIXED, first_stem, _PARENT))
    stems = tuple(
        (record[i : i + 32], int.from_bytes(record[i + 32 : i + _STEM], "big"))
        for i in range(first_stem, first_stem + _STEM * num_stems, _STEM)
    )
    return ChainWork(
        key=key,
        number=number,
        content=record[:32],
        manifest=record[32:64],
        community=int.from_bytes(record[64:68], "big"),
        uses=record[68],
        derivative_share=int.from_bytes(record[69:73], "big"),
        parents=parents,
        stems=stems,
        registered_s=registered_s,
    )


class Registrations:
    """The works in the order of their registration, and the heads that fold them.

    Parameters
    ----------
    chain_id : int
        Chain of the registry.
    registry : bytes
        Its 20-byte address.
    """

    def __init__(self, chain_id: int, registry: bytes) -> None:
        self.head = keccak256(word(chain_id) + registry.rjust(32, b"\0"))
        self.revealed_head = self.head
        self.by_key: dict[bytes, ChainWork] = {}
        self.num_numbered = 0

    def batch(self, event: Event) -> None:
        """Take a batch: its records from calldata, its root and the head recomputed.

        Parameters
        ----------
        event : Event
            As the chain gave it.

        Raises
        ------
        DifferenceError
            If the event says otherwise, or a record names a parent that is not there.
        """
        start = 4 + int.from_bytes(event.call[36:68], "big")
        size = int.from_bytes(event.call[start : start + 32], "big")
        packed = event.call[start + 32 : start + 32 + size]
        leaves: list[bytes] = []
        for number, record in enumerate(records_in(packed, event.where), self.num_numbered):
            leaves.append(keccak256(keccak256(word(number) + keccak256(record))))
            self._enter(work_of(record, word(number), number, event.at_s), event.where)
        require("first number of a batch of works", self.num_numbered, event.number(0), event.where)
        require("number of works of a batch", len(leaves), event.number(1), event.where)
        root = root_of(build_tree(leaves))
        require("Merkle root of a batch of works", root, event.fields[2], event.where)
        self.head = keccak256(self.head + word(self.num_numbered) + word(len(leaves)) + root)
        require("provenance head after a batch of works", self.head, event.fields[3], event.where)
        self.num_numbered += len(leaves)

    def single(self, event: Event) -> None:
        """Take a work that was registered by itself.

        Parameters
        ----------
        event : Event
            As the chain gave it.

        Raises
        ------
        DifferenceError
            If the head does not fold it, or a parent is not there.
        """
        record = event.blob(0)
        self._enter(work_of(record, event.fields[0], -1, event.at_s), event.where)
        # What its author revealed is folded apart from what the registrar brought.
        before = self.revealed_head if event.call[:4] == _REVEAL else self.head
        head = keccak256(before + event.fields[0] + keccak256(record))
        require("provenance head after a single work", head, event.data[32:64], event.where)
        if event.call[:4] == _REVEAL:
            self.revealed_head = head
        else:
            self.head = head

    def _enter(self, work: ChainWork, where: str) -> None:
        for parent in work.parents:
            if parent not in self.by_key:
                raise DifferenceError("parent of a work", "a work registered before it", parent, where)
        if work.key in self.by_key:
            raise DifferenceError("key of a work", "one that is new", work.key, where)
        self.by_key[work.key] = work
