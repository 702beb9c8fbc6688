"""Philox4x32-10 on signed 64-bit integers, for whatever array has operators: NumPy arrays and torch tensors alike.

Not every array library has unsigned 64-bit products; signed ones all have. Both factors of Philox lie above 2^31, so
2^32 is taken off them first and no product leaves 63 bits. Nothing but operators is used, so that the base needs no
such library. The words are those of `heritage_sim.base.rng`, held in ``[0, 2^32)``; both pass
``tests/golden/philox4x32_10.json``.

References
----------
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from typing import Any, TypeVar

from heritage_sim.base.rng import MULTIPLIER_0, MULTIPLIER_1, NUM_ROUNDS, WEYL_0, WEYL_1

_MASK = 0xFFFFFFFF

Whole = TypeVar("Whole", bound=Any)
"""An int64 array or tensor."""


def rounds(c0: Whole, c1: Whole, c2: Whole, c3: Whole, key: tuple[int, int]) -> tuple[Whole, Whole, Whole, Whole]:
    """Return the four words of Philox4x32-10 at each counter.

    Parameters
    ----------
    c0 : array of int64
        Lowest counter word, in ``[0, 2^32)``.
    c1 : array of int64
        The second one; the shapes of all four broadcast.
    c2 : array of int64
        The third one.
    c3 : array of int64
        The highest one.
    key : tuple of int
        Two 32-bit key words.

    Returns
    -------
    tuple of array of int64
        Words in ``[0, 2^32)``, of the counters' common shape.
    """
    k0, k1 = key
    for _ in range(NUM_ROUNDS):
        high0, low0 = _product(c0, MULTIPLIER_0)
        high1, low1 = _product(c2, MULTIPLIER_1)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + WEYL_0) & _MASK, (k1 + WEYL_1) & _MASK
    return c0, c1, c2, c3


def words_at(agent: Whole, step: int, draw: Whole, key: tuple[int, int]) -> Whole:
    """Return the 32-bit word at each address, as `heritage_sim.base.rng.Stream.words` does.

    Parameters
    ----------
    agent : array of int64
        Agent ids, >= 0.
    step : int
        Step, of which the low 32 bits count.
    draw : array of int64
        Draws, >= 0; its shape broadcasts with that of ``agent``.
    key : tuple of int
        Two 32-bit key words.

    Returns
    -------
    array of int64
        Words in ``[0, 2^32)``, of the common shape.
    """
    # 0 * agent: an array like it, which operators alone can make
    four = rounds(agent & _MASK, agent >> 32, 0 * agent + (step & _MASK), draw >> 2, key)
    lane = draw & 3
    # exactly one of the four is not multiplied by 0
    w0, w1, w2, w3 = (word * (lane == i) for i, word in enumerate(four))
    return w0 + w1 + w2 + w3


def _product(a: Whole, b: int) -> tuple[Whole, Whole]:
    """Return the high and low 32-bit words of ``a * b``, for a factor ``b`` in ``[2^31, 2^32)``."""
    less = a * (b - (1 << 32))  # a b - 2^32 a: between -2^63 and 0
    return ((less >> 32) + a) & _MASK, less & _MASK
