"""What derives from what, and what is permitted when: `ProvenanceRegistry` on integers.

Records are read from their bytes by a reader of their own, so that a slip of the writer shows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from heritage_contracts.hashing import keccak256, word
from heritage_contracts.refusals import RefusalError

_WHERE = "ProvenanceRegistry"
_MOST_PARENTS = _MOST_STEMS = 16
_WHOLE_SHARE = 10**8
_WHOLE_STEMS = 10_000
_DERIVE, _OUTSIDE, _ALL_USES = 2, 16, 31
_MIN_COMMIT_S, _MAX_COMMIT_S = 60, 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, read.

    Parameters
    ----------
    content : bytes
        Hash of the notes.
    community : int
        As on the chain: index + 1, 0 for none.
    uses, share : int
        Flags that it carries, and what derivatives owe it.
    parents : tuple of bytes
        Keys.
    stems : tuple of (bytes, int)
        Payee ids and basis points.
    hash : bytes
        Of the packed record.
    """

    content: bytes
    community: int
    uses: int
    share: int
    parents: tuple[bytes, ...]
    stems: tuple[tuple[bytes, int], ...]
    hash: bytes


def read_record(packed: bytes) -> Entry:
    """Return a packed record, read and checked against the rules that concern it alone."""
    num_parents, num_stems = packed[73], packed[74]
    ends = [75 + 32 * i for i in range(num_parents + 1)]
    parents = tuple(packed[end : end + 32] for end in ends[:-1])
    rows = [packed[ends[-1] + 34 * i : ends[-1] + 34 * (i + 1)] for i in range(num_stems)]
    stems = tuple((row[:32], int.from_bytes(row[32:], "big")) for row in rows)
    community, share = int.from_bytes(packed[64:68], "big"), int.from_bytes(packed[69:73], "big")
    wrong = (
        (num_parents > _MOST_PARENTS, "TooManyParents"),
        (num_stems > _MOST_STEMS, "TooManyStems"),
        (packed[68] > _ALL_USES, "UnknownUses"),
        (share > _WHOLE_SHARE, "ShareAboveWhole"),
        (any(a >= b for a, b in pairwise(parents)), "ParentsNotAscending"),
        (num_stems > 0 and sum(bps for _, bps in stems) != _WHOLE_STEMS, "StemsDoNotSum"),
    )
    for is_wrong, reason in wrong:
        if is_wrong:
            raise RefusalError(reason, _WHERE)
    return Entry(packed[:32], community, packed[68], share, parents, stems, keccak256(packed))


@dataclass(slots=True)
class Works:
    """Registered works, commitments, and the history of labels.

    Parameters
    ----------
    domain : bytes
        Chain id and the registry's address as words: the head before anything is registered is their hash.
    """

    domain: bytes
    head: bytes = field(init=False)
    revealed_head: bytes = field(init=False)
    num_numbered: int = 0
    entries: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    stored: set[bytes] = field(default_factory=set[bytes])
    contents: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    committed_at: dict[bytes, int] = field(default_factory=dict[bytes, int])
    labels: dict[tuple[int, bytes], list[tuple[int, int, int]]] = field(
        default_factory=dict[tuple[int, bytes], list[tuple[int, int, int]]]
    )

    def __post_init__(self) -> None:
        """Begin the folds."""
        self.head = self.revealed_head = keccak256(self.domain)

    def register(self, packed: Sequence[bytes]) -> None:
        """Enter a batch: each parent is numbered below, or is a single work."""
        fresh: list[Entry] = []
        for number, record in enumerate(packed, self.num_numbered):
            entry = read_record(record)
            for parent in entry.parents:
                if int.from_bytes(parent, "big") >= number and parent not in self.stored:
                    raise RefusalError("UnknownParent", _WHERE)
            fresh.append(entry)
        first = self.num_numbered
        leaves = [keccak256(keccak256(word(first + i) + entry.hash)) for i, entry in enumerate(fresh)]
        self.entries |= {word(first + i): entry for i, entry in enumerate(fresh)}
        self.num_numbered += len(fresh)
        self.head = keccak256(self.head + word(first) + word(len(fresh)) + _root(leaves))

    def open(self, key: bytes) -> None:
        """Store a work of a batch; from then on its content is taken, unless it was before."""
        self.stored.add(key)
        self.contents.setdefault(self.entries[key].content, key)

    def commit(self, commitment: bytes, now_s: int) -> None:
        """Announce a work."""
        before = self.committed_at.get(commitment)
        if before is not None and now_s <= before + _MAX_COMMIT_S:
            raise RefusalError("AlreadyCommitted", _WHERE)
        self.committed_at[commitment] = now_s

    def reveal(self, commitment: bytes, key: bytes, packed: bytes, now_s: int) -> None:
        """Register an announced work of an author who is no payee."""
        since = self.committed_at.get(commitment)
        if since is None:
            raise RefusalError("NotCommitted", _WHERE)
        if now_s < since + _MIN_COMMIT_S:
            raise RefusalError("CommitmentNotReady", _WHERE)
        if now_s > since + _MAX_COMMIT_S:
            raise RefusalError("CommitmentLapsed", _WHERE)
        self.register_single(key, packed, now_s, is_vouched=False)
        del self.committed_at[commitment]

    def register_single(self, key: bytes, packed: bytes, now_s: int, *, is_vouched: bool) -> None:
        """Enter a single work, whose parents are stored and permit it now."""
        entry = read_record(packed)
        for parent in entry.parents:
            if parent not in self.stored:
                raise RefusalError("ParentNotOpen", _WHERE)
            above = self.entries[parent]
            needed = _DERIVE if above.community == entry.community else _DERIVE | _OUTSIDE
            if self.permitted(parent, now_s) & needed != needed:
                raise RefusalError("NoConsent", _WHERE)
        if entry.content in self.contents:
            raise RefusalError("ContentTaken", _WHERE)
        if not is_vouched and entry.community:
            raise RefusalError("NotOfCommunity", _WHERE)
        self.contents[entry.content] = key
        self.entries[key] = entry
        self.stored.add(key)
        # As on the chain, what others reveal is folded apart: it makes no batch and no epoch stale.
        if is_vouched:
            self.head = keccak256(self.head + key + entry.hash)
        else:
            self.revealed_head = keccak256(self.revealed_head + key + entry.hash)

    def set_label(self, community: int, key: bytes, uses: int, expires_s: int, now_s: int) -> None:
        """Put a label down; a later one of the same second stands in its place."""
        history = self.labels.setdefault((community, key), [])
        if history and history[-1][0] == now_s:
            history.pop()
        history.append((now_s, uses, expires_s))

    def permitted(self, key: bytes, at_s: int) -> int:
        """Return what was permitted for a work at a moment: its own label or flags, narrowed by its community's."""
        entry = self.entries[key]
        own = self._label_at(entry.community, key, at_s, entry.uses)
        return own & self._label_at(entry.community, b"\xff" * 32, at_s, _ALL_USES)

    def _label_at(self, community: int, key: bytes, at_s: int, otherwise: int) -> int:
        history = self.labels.get((community, key), [])
        index = bisect_right(history, at_s, key=lambda label: label[0]) - 1
        if index < 0:
            return otherwise
        _, uses, expires_s = history[index]
        return 0 if expires_s and at_s >= expires_s else uses


def _root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaves of a complete binary tree whose node i has children 2i + 1 and 2i + 2."""
    nodes = [b""] * (len(leaves) - 1) + list(reversed(leaves))
    for i in range(len(leaves) - 2, -1, -1):
        pair = nodes[2 * i + 1], nodes[2 * i + 2]
        nodes[i] = keccak256(min(pair) + max(pair))
    return nodes[0]
