"""Direct payments along a work's sources: `RoyaltyPool` on integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from heritage_contracts.ledgers.reference.works import Entry, Works
from heritage_contracts.refusals import RefusalError

_WHERE = "RoyaltyPool"
_WHOLE = 10**8
_WHOLE_STEMS = 10_000
_MOST_ANCESTORS = 64
_MOST_STEMS_REACHED = 128


@dataclass(slots=True)
class Pool:
    """Which works can be paid, what they owe their ancestors, and what payees may withdraw.

    Parameters
    ----------
    works : Works
        Whose records are believed.
    rule : str
        ``lap``, ``decay`` or ``lrp``.
    every_path : bool
        Whether an ancestor counts once for each path to it.
    decay : int
        Factor for each further generation, in parts of 10^8.
    """

    works: Works
    rule: str
    every_path: bool
    decay: int
    due: dict[bytes, dict[bytes, int]] = field(default_factory=dict[bytes, dict[bytes, int]])
    balances: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def open(self, key: bytes) -> None:
        """Make a work payable."""
        self.due[key] = self.ancestors(self.works.entries[key])

    def ancestors(self, entry: Entry) -> dict[bytes, int]:
        """Return what a work owes each of its ancestors, in the order in which its record leads to them."""
        found: dict[bytes, int] = {}
        for parent in entry.parents:
            if parent not in self.due:
                raise RefusalError("NotOpen", _WHERE)
            for key, weight in self._through(parent):
                if not weight:
                    continue
                if key not in found and len(found) == _MOST_ANCESTORS:
                    raise RefusalError("TooManyAncestors", _WHERE)
                before = found.get(key, 0)
                found[key] = before + weight if self.every_path else max(before, weight)
        if sum(found.values()) > _WHOLE:
            raise RefusalError("StackAboveWhole", _WHERE)
        reached = len(entry.stems) + sum(len(self.works.entries[key].stems) for key in found)
        if reached > _MOST_STEMS_REACHED:
            raise RefusalError("TooManyStemsReached", _WHERE)
        return found

    def _through(self, parent: bytes) -> list[tuple[bytes, int]]:
        """Return what a child owes by way of one parent: to the parent, and to those above it."""
        share, above = self.works.entries[parent].share, self.due[parent]
        if self.rule == "lap":
            return [(parent, share), *above.items()]
        if self.rule == "decay":
            return [(parent, share), *((key, weight * self.decay // _WHOLE) for key, weight in above.items())]
        kept = _WHOLE - sum(above.values())
        parts = share_out(share, [kept, *above.values()], _WHOLE)
        return list(zip([parent, *above], parts, strict=True))

    def split(self, key: bytes, units: int) -> list[tuple[bytes, int]]:
        """Return what each payee id is credited of a payment to a payable work."""
        if key not in self.due:
            raise RefusalError("NotOpen", _WHERE)
        due = self.due[key]
        parts = share_out(units, [*due.values(), _WHOLE - sum(due.values())], _WHOLE)
        return [
            credit
            for work, part in zip([*due, key], parts, strict=True)
            if part
            for credit in self.split_stems(self.works.entries[work], part)
        ]

    def split_stems(self, entry: Entry, units: int) -> list[tuple[bytes, int]]:
        """Return what each payee id is credited of what a work itself keeps."""
        if not entry.stems:
            raise RefusalError("NobodyShares", _WHERE)
        parts = share_out(units, [bps for _, bps in entry.stems], _WHOLE_STEMS)
        return [(payee, part) for (payee, _), part in zip(entry.stems, parts, strict=True)]

    def credit(self, credits: Sequence[tuple[bytes, int]]) -> None:
        """Add to what payees may withdraw."""
        for payee, units in credits:
            self.balances[payee] = self.balances.get(payee, 0) + units


def share_out(units: int, weights: Sequence[int], whole: int) -> list[int]:
    """Return parts in proportion to weights; what is left goes to the largest remainders, ties to the lower index.

    Parameters
    ----------
    units : int
        To share.
    weights : sequence of int
        They sum to ``whole``.
    whole : int
        Sum of the weights.

    Returns
    -------
    list of int
        They sum to ``units``.
    """
    parts = [units * weight // whole for weight in weights]
    remainders = [units * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: units - sum(parts)]:
        parts[i] += 1
    return parts
