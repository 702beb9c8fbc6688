"""Keyed random numbers: Philox4x32-10, addressed instead of drawn in order.

A stream belongs to one decision of one kind of agent in one replication. Its key is a hash of (root seed, replication,
agent kind, decision) and never of an arm or a rule, so that changing a rule shifts no other stream (common random
numbers). Inside a stream, a number is addressed by (agent id, step, draw), so that it does not matter which shard,
worker or thread asks for it, nor when.

The address of draw ``d`` is word ``d % 4`` of the block with counter ``(id low, id high, step, d // 4)``. Every
implementation (NumPy here, numba in `heritage_agents`, torch by way of `philox_int64`) uses this address and passes
``tests/golden/philox4x32_10.json``.

References
----------
Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MULTIPLIER_0 = 0xD2511F53
MULTIPLIER_1 = 0xCD9E8D57
WEYL_0 = 0x9E3779B9
WEYL_1 = 0xBB67AE85
NUM_ROUNDS = 10
_MASK = 0xFFFFFFFF
_MULTIPLIERS = np.array([[MULTIPLIER_1], [MULTIPLIER_0]], dtype=np.uint64)
"""Of words 2 and 0: each product goes into the other's place."""
_KEY_STEPS = np.arange(NUM_ROUNDS, dtype=np.uint64)[:, None, None] * np.array([[WEYL_0], [WEYL_1]], dtype=np.uint64)
"""What the two key words have grown by in each round, shape ``(NUM_ROUNDS, 2, 1)``."""

Words = npt.NDArray[np.uint32]
Ids = npt.NDArray[np.integer] | int


def stream_key(root_seed: int, replication: int, agent_kind: str, decision: str) -> tuple[int, int]:
    """Return the two 32-bit key words of a stream: BLAKE2b-64 of its name.

    Hashing, unlike XOR, keeps different names from meeting in one key.
    """
    name = f"{root_seed}\x1f{replication}\x1f{agent_kind}\x1f{decision}".encode()
    digest = hashlib.blake2b(name, digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def philox4x32(counter: npt.ArrayLike, key: tuple[int, int]) -> Words:
    """Return Philox4x32-10 of each counter.

    Parameters
    ----------
    counter : array_like of uint32, shape (..., 4)
        Counter words, lowest first.
    key : tuple of int
        Two 32-bit key words.

    Returns
    -------
    ndarray of uint32, shape (..., 4)
    """
    words = np.asarray(counter, dtype=np.uint64)
    shift, mask = np.uint64(32), np.uint64(_MASK)
    flat = words.reshape(-1, 4) & mask
    # Words 0 and 2 go through the same steps, and so do 1 and 3: each pair is one array, for half the calls of NumPy.
    even, odd = flat[:, 0::2].T.copy(), flat[:, 1::2].T.copy()
    product = np.empty_like(even)
    for round_key in (_KEY_STEPS + np.array(key, dtype=np.uint64)[:, None]) & mask:
        np.multiply(even[::-1], _MULTIPLIERS, out=product)
        np.right_shift(product, shift, out=even)
        even ^= odd
        even ^= round_key
        np.bitwise_and(product, mask, out=odd)
    out = np.empty(flat.shape, dtype=np.uint32)
    out[:, 0::2], out[:, 1::2] = even.T, odd.T
    return out.reshape(words.shape)


@dataclass(frozen=True, slots=True)
class Stream:
    """The numbers of one decision: a key, addressed by (agent id, step, draw).

    Identical addresses give identical numbers on every machine; different addresses are independent.
    """

    key: tuple[int, int]

    def words(self, ids: Ids, step: int, num_draws: int, first_draw: int = 0) -> Words:
        """Return 32-bit words, shape ``(num_ids, num_draws)``, for draws ``first_draw ...`` of each id."""
        agent = np.atleast_1d(np.asarray(ids)).astype(np.uint64)
        first_block, last_block = first_draw // 4, (first_draw + num_draws + 3) // 4
        blocks = np.arange(first_block, last_block, dtype=np.uint64)
        counter = np.empty((agent.size, blocks.size, 4), dtype=np.uint64)
        counter[:, :, 0] = (agent & np.uint64(_MASK))[:, None]
        counter[:, :, 1] = (agent >> np.uint64(32))[:, None]
        counter[:, :, 2] = np.uint64(step & _MASK)
        counter[:, :, 3] = blocks[None, :]
        flat = philox4x32(counter, self.key).reshape(agent.size, 4 * blocks.size)
        offset = first_draw - 4 * first_block
        return flat[:, offset : offset + num_draws]

    def uniforms(self, ids: Ids, step: int, num_draws: int, first_draw: int = 0) -> npt.NDArray[np.float64]:
        """Return uniforms in the open interval (0, 1), shape ``(num_ids, num_draws)``: ``(word + 1/2) / 2^32``."""
        return (self.words(ids, step, num_draws, first_draw).astype(np.float64) + 0.5) * 2.0**-32

    def uniform(self, ids: Ids, step: int, draw: int = 0) -> npt.NDArray[np.float64]:
        """Return one uniform in (0, 1) for each id, shape ``(num_ids,)``."""
        return self.uniforms(ids, step, 1, draw)[:, 0]

    def normals(self, ids: Ids, step: int, num_draws: int, first_draw: int = 0) -> npt.NDArray[np.float64]:
        """Return standard normals, shape ``(num_ids, num_draws)``, by Box-Muller on two uniforms each."""
        u = self.uniforms(ids, step, 2 * num_draws, 2 * first_draw)
        return np.sqrt(-2.0 * np.log(u[:, 0::2])) * np.cos(2.0 * np.pi * u[:, 1::2])

    def integer(self, ids: Ids, step: int, high: int, draw: int = 0) -> npt.NDArray[np.int64]:
        """Return one integer in ``[0, high)`` for each id, shape ``(num_ids,)``: ``floor(word * high / 2^32)``."""
        word = self.words(ids, step, 1, draw)[:, 0].astype(np.uint64)
        return ((word * np.uint64(high)) >> np.uint64(32)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Keys:
    """The streams of one replication."""

    root_seed: int
    replication: int

    def stream(self, agent_kind: str, decision: str) -> Stream:
        """Return the stream of a decision."""
        return Stream(stream_key(self.root_seed, self.replication, agent_kind, decision))
