"""What a direct payment gives to whom, from the records alone: the rule of `RoyaltyPool`, computed once more.

A work's ancestors are listed in the order in which its record leads to them: a parent, then the parent's own list. Each
has a weight in parts of 10^8; what they leave is the work's own. Amounts go by largest remainder, ties to the lower
index, first among ancestors and the work itself (last), then among each work's stems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heritage_contracts.chain_books.works import ChainWork

SHARE_BASIS, STEM_BASIS = 10**8, 10_000
LAP, DECAY, LRP = 0, 1, 2
"""Numbers of the rules, as the contract has them."""

Weights = list[tuple[bytes, int]]


class Splitter:
    """Splits payments along registered sources.

    Parameters
    ----------
    works : mapping of bytes to ChainWork
        By key; may grow.
    rule : int
        `LAP`, `DECAY` or `LRP`.
    every_path : bool
        Whether an ancestor counts once for each path that leads to it.
    decay : int
        Factor for each further generation, in parts of 10^8.
    """

    def __init__(self, works: Mapping[bytes, ChainWork], rule: int, every_path: bool, decay: int) -> None:
        self._works = works
        self._rule = rule
        self._every_path = every_path
        self._decay = decay
        self._known: dict[bytes, Weights] = {}

    def parts(self, key: bytes, amount: int) -> list[tuple[bytes, bytes, int]]:
        """Return (work, payee id, units) of all who are credited, in the contract's order, without those of nothing."""
        ancestors = self.ancestors(key)
        own = SHARE_BASIS - sum(weight for _, weight in ancestors)
        keys = [ancestor for ancestor, _ in ancestors] + [key]
        amounts = largest_remainder([weight for _, weight in ancestors] + [own], amount, SHARE_BASIS)
        found: list[tuple[bytes, bytes, int]] = []
        for work, units in zip(keys, amounts, strict=True):
            stems = self._works[work].stems
            shares = largest_remainder([bps for _, bps in stems], units, STEM_BASIS) if units else []
            found += [(work, payee, part) for (payee, _), part in zip(stems, shares, strict=False) if part]
        return found

    def ancestors(self, key: bytes) -> Weights:
        """Return a work's ancestors with their weights, in parts of 10^8."""
        if key not in self._known:
            found: dict[bytes, int] = {}
            for parent in self._works[key].parents:
                for ancestor, weight in self._through(parent):
                    if weight:
                        before = found.get(ancestor, 0)
                        found[ancestor] = before + weight if self._every_path else max(before, weight)
            self._known[key] = list(found.items())
        return self._known[key]

    def _through(self, parent: bytes) -> Weights:
        """Return what a parent brings its child: itself and its own ancestors."""
        share, above = self._works[parent].derivative_share, self.ancestors(parent)
        if self._rule == LRP:
            kept = SHARE_BASIS - sum(weight for _, weight in above)
            passed = largest_remainder([kept] + [weight for _, weight in above], share, SHARE_BASIS)
            return list(zip([parent] + [ancestor for ancestor, _ in above], passed, strict=True))
        if self._rule == DECAY:
            above = [(ancestor, weight * self._decay // SHARE_BASIS) for ancestor, weight in above]
        return [(parent, share), *above]


def largest_remainder(weights: Sequence[int], amount: int, basis: int) -> list[int]:
    """Return parts of an amount by weights that sum to the basis; leftover units go to the largest remainders.

    Parameters
    ----------
    weights : sequence of int
        They sum to ``basis``.
    amount : int
        To be shared out.
    basis : int
        The whole.

    Returns
    -------
    list of int
        They sum to the amount; ties go to the lower index.
    """
    parts = [amount * weight // basis for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(amount * weights[i] % basis), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
