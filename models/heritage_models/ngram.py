"""An interpolated Witten-Bell n-gram over symbol sequences: the measure of likelihood, and the floor a model must beat.

    p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h))

c counts, T(h) is the number of different symbols seen after the context h, and h' is h without its oldest symbol. The
recursion ends at the uniform law over ``num_symbols``. A context never seen passes its shorter self on unchanged.

Contexts are packed into 64-bit integers and kept sorted, so that a whole sequence is looked up at once.

References
----------
Witten, Bell, "The zero-frequency problem", IEEE Trans. Information Theory 37 (1991), method C; interpolated as in Chen,
Goodman, "An empirical study of smoothing techniques for language modeling" (1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Symbols = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Counts of one context length, sorted by key."""

    gram_keys: Symbols
    gram_counts: Symbols
    context_keys: Symbols
    context_counts: Symbols
    context_types: Symbols


class WittenBell:
    """An n-gram fitted to sequences.

    Parameters
    ----------
    sequences : sequence of ndarray of int64
        Training sequences of symbols in ``[0, num_symbols)``; each is preceded by a start mark.
    num_symbols : int
        Size of the alphabet, over which unseen symbols share probability evenly.
    order : int
        Longest n-gram; 5 looks back over four symbols.

    Raises
    ------
    ValueError
        If there is no training symbol, or contexts of that order do not fit in 64 bits.
    """

    def __init__(self, sequences: Sequence[npt.ArrayLike], num_symbols: int, order: int = 5) -> None:
        arrays = [np.asarray(s, dtype=np.int64) for s in sequences]
        if not sum(a.size for a in arrays):
            raise ValueError("no symbols to count")
        self.num_symbols = num_symbols
        self.order = order
        self._seen = np.unique(np.concatenate(arrays))
        self._bits = int(self._seen.size + 1).bit_length()
        if self._bits * order > 63:
            raise ValueError(f"{self._seen.size} different symbols do not fit an n-gram of order {order} in 64 bits")
        contexts, symbols = self._windows(arrays)
        self._levels = [self._count(contexts, symbols, length) for length in range(order)]

    def nll(self, sequence: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the negative log-likelihood of each symbol given those before it, in nats, shape ``(n,)``."""
        s = np.asarray(sequence, dtype=np.int64)
        if s.size == 0:
            return np.zeros(0)
        contexts, symbols = self._windows([s])
        return -np.log(self._probability(contexts, symbols))

    def mean_nlls(self, sequences: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
        """Return the mean negative log-likelihood per symbol of each sequence, in nats, shape ``(num_sequences,)``."""
        return np.array([float(self.nll(s).mean()) if np.size(s) else 0.0 for s in sequences])

    def _windows(self, arrays: Sequence[Symbols]) -> tuple[Symbols, Symbols]:
        """Return packed contexts of every length, shape ``(order, n)``, and coded symbols, shape ``(n,)``."""
        unseen, start = self._seen.size, self._seen.size + 1
        padded: list[Symbols] = []
        inside: list[npt.NDArray[np.bool_]] = []
        pad = np.full(self.order - 1, start, dtype=np.int64)
        for a in arrays:
            at = np.minimum(np.searchsorted(self._seen, a), self._seen.size - 1)
            padded += [pad, np.where(self._seen[at] == a, at, unseen)]
            inside += [np.zeros(self.order - 1, dtype=np.bool_), np.ones(a.size, dtype=np.bool_)]
        flat = np.concatenate(padded)
        at = np.flatnonzero(np.concatenate(inside))
        contexts = np.zeros((self.order, at.size), dtype=np.int64)
        for length in range(1, self.order):
            contexts[length] = contexts[length - 1] + (flat[at - length] << (self._bits * (length - 1)))
        return contexts, flat[at]

    def _count(self, contexts: Symbols, symbols: Symbols, length: int) -> _Level:
        grams = (contexts[length] << self._bits) | symbols
        gram_keys, gram_counts = np.unique(grams, return_counts=True)
        context_keys, first, context_types = np.unique(gram_keys >> self._bits, return_index=True, return_counts=True)
        context_counts = np.add.reduceat(gram_counts, first)
        return _Level(gram_keys, gram_counts, context_keys, context_counts, context_types)

    def _probability(self, contexts: Symbols, symbols: Symbols) -> npt.NDArray[np.float64]:
        p = np.full(symbols.size, 1.0 / self.num_symbols)
        for length, level in enumerate(self._levels):
            context = contexts[length]
            count_h = _lookup(level.context_keys, level.context_counts, context)
            types_h = _lookup(level.context_keys, level.context_types, context)
            count = _lookup(level.gram_keys, level.gram_counts, (context << self._bits) | symbols)
            p = np.where(count_h > 0, (count + types_h * p) / np.maximum(count_h + types_h, 1), p)
        return p


def _lookup(keys: Symbols, values: Symbols, wanted: Symbols) -> Symbols:
    """Return the value of each wanted key, 0 where it is not there."""
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[at] == wanted, values[at], 0)
