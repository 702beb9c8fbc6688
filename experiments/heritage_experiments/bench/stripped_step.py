"""The stripped listener-step: what simulators of recommenders commonly do in a step, and no more.

A hundred works drawn at random, scored by taste and popularity; the ten best shown; one chosen by multinomial logit;
the taste turned towards it; plays of works and of their creators brought up to date between steps. No history, no
dwell, no session. It is made of the parts of the listener kernel and measures them beside two ways of writing the same
step that anybody would think of first: NumPy in blocks, and one Mesa object per listener. These draw from NumPy's own
generator, which is faster than keyed numbers in NumPy would be: the comparison leans towards them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import mesa
import numpy as np
import numpy.typing as npt

from heritage_agents.kernel.arithmetic import WIDE, exponentials
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.draws import words_from
from heritage_agents.kernel.groups import GROUP, dot_group, score_group
from heritage_agents.kernel.lanes import padded, table_of_zeros
from heritage_agents.kernel.slates import TAKEN, take_slate
from heritage_agents.kernel.turning import turn_towards
from heritage_sim.base import Keys

CANDIDATES, SLATE, DIM, BLOCK = 100, 10, 32, 256
KAPPA, POPULARITY, DRIFT = 4.0, 0.1, 0.01
_FILLED = -(-CANDIDATES // (4 * WIDE)) * 4 * WIDE
_SCORED = -(-CANDIDATES // GROUP) * GROUP

_KEYS = Keys(root_seed=20_260_101, replication=0)


@dataclass(slots=True, eq=False)
class Market:
    """Listeners and works of the stripped step, changed in place.

    Parameters
    ----------
    taste : ndarray of float32, shape (num_listeners, DIM)
        Unit vectors.
    works : ndarray of float32, shape (num_works, DIM)
        Unit vectors.
    owner : ndarray of int32, shape (num_works,)
        Creator of each work.
    plays, streams : ndarray of int64
        Plays so far by work and by creator.
    """

    taste: npt.NDArray[np.float32]
    works: npt.NDArray[np.float32]
    owner: npt.NDArray[np.int32]
    plays: npt.NDArray[np.int64] = field(init=False)
    streams: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.plays = np.zeros(self.owner.size, dtype=np.int64)
        self.streams = np.zeros(int(self.owner.max()) + 1, dtype=np.int64)

    @property
    def popularity(self) -> npt.NDArray[np.float32]:
        """Return the utility of visible plays, shape ``(num_works,)``."""
        return (POPULARITY * np.log1p(self.plays)).astype(np.float32)

    def take_in(self, new: npt.NDArray[np.int64]) -> None:
        """Add a step's plays."""
        self.plays += new
        np.add.at(self.streams, self.owner, new)


def market(num_listeners: int, num_works: int) -> Market:
    """Return a market of that size, drawn by key."""
    owner = np.arange(num_works, dtype=np.int32) % max(1, num_works // 10)
    return Market(unit_rows("tastes", num_listeners), unit_rows("works", num_works), owner)


def unit_rows(name: str, n: int) -> npt.NDArray[np.float32]:
    """Return keyed unit vectors, shape ``(n, DIM)``."""
    made = table_of_zeros(n, DIM)
    for first in range(0, n, 65_536):  # in pieces: the draws take eight times the room of what they make
        ids = np.arange(first, min(first + 65_536, n))
        rows = _KEYS.stream("bench", name).normals(ids, 0, DIM)
        made[ids] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made


def live_kernel(on: Market, num_steps: int) -> float:
    """Live the steps with the kernel's parts, and return CPU seconds."""
    key = np.array(_KEYS.stream("bench", "step").key, dtype=np.uint64)
    vectors = padded(on.works)
    started = time.thread_time()
    for step in range(num_steps):
        popularity = on.popularity
        new = np.zeros_like(on.plays)
        _kernel_step(on.taste, vectors, popularity, step, key, new)
        on.take_in(new)
    return time.thread_time() - started


@compiled(error_model="numpy")
def _kernel_step(taste, vectors, popularity, step, key, plays):
    num_works = np.uint64(vectors.shape[0])
    at = np.uint64(step)
    words = np.empty(_FILLED, dtype=np.uint32)
    works = np.empty(_FILLED, dtype=np.int32)
    dots = np.empty(_FILLED, dtype=np.float32)
    scores = np.empty(_FILLED, dtype=np.float32)
    slate = np.zeros(_FILLED, dtype=np.int32)
    weight = np.empty(WIDE, dtype=np.float64)
    lowest, highest = np.float32(-1.01), np.float32(1.01) + popularity.max()
    guess = highest
    for row in range(taste.shape[0]):
        listener = np.uint64(row)
        for piece in range(_FILLED // (4 * WIDE)):
            words_from(listener, at, np.uint64(piece * WIDE), key[0], key[1], words, piece * 4 * WIDE)
        for c in range(_FILLED):
            works[c] = np.int32((np.uint64(words[c]) * num_works) >> np.uint64(32))
        for first in range(0, _SCORED, GROUP):
            dot_group(taste, row, vectors, works, first, dots)
            score_group(dots, np.float32(1.0), popularity, works, first, scores)
        for c in range(CANDIDATES, _SCORED):
            scores[c] = TAKEN
        guess = take_slate(scores, _SCORED, SLATE, lowest, highest, guess, slate)
        for s in range(WIDE):
            c = slate[s]
            weight[s] = (KAPPA - 1.0) * np.float64(dots[c]) + np.float64(scores[c])  # scores hold the popularity
        exponentials(weight)
        total = 0.0
        for s in range(SLATE):
            total += weight[s]
        # the first draw after the candidates' is there already: the words come in whole vectors
        left = (np.float64(words[CANDIDATES]) + 0.5) * 2.0**-32 * total
        pick = 0
        for s in range(SLATE - 1):
            left -= weight[s]
            pick += left >= 0.0
        chosen = works[slate[pick]]
        plays[chosen] += 1
        turn_towards(taste, row, vectors, chosen, DRIFT)


def live_numpy_blocked(on: Market, num_steps: int) -> float:
    """Live the steps in NumPy, `BLOCK` listeners at a time, and return CPU seconds."""
    rng = np.random.default_rng(1)  # noqa: TID251 (a baseline draws as its users draw)
    num_works = on.owner.size
    started = time.thread_time()
    for _ in range(num_steps):
        popularity = on.popularity
        new = np.zeros_like(on.plays)
        for first in range(0, on.taste.shape[0], BLOCK):
            u = on.taste[first : first + BLOCK]
            works = rng.integers(0, num_works, (u.shape[0], CANDIDATES), dtype=np.int32)
            dots = np.matmul(on.works[works], u[:, :, None])[:, :, 0]
            popular = popularity[works]
            slate = np.argpartition(-(dots + popular), SLATE, axis=1)[:, :SLATE]
            value = KAPPA * np.take_along_axis(dots, slate, axis=1) + np.take_along_axis(popular, slate, axis=1)
            weight = np.exp(value).cumsum(axis=1)
            pick = (rng.random((u.shape[0], 1)) * weight[:, -1:] > weight).sum(axis=1)
            chosen = np.take_along_axis(works, np.take_along_axis(slate, pick[:, None], axis=1), axis=1)[:, 0]
            new += np.bincount(chosen, minlength=num_works)
            v = on.works[chosen]
            angle = np.arccos(np.clip((u * v).sum(axis=1), -1.0, 1.0))[:, None]
            turned = np.sin((1.0 - DRIFT) * angle) * u + np.sin(DRIFT * angle) * v
            on.taste[first : first + BLOCK] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
        on.take_in(new)
    return time.thread_time() - started


class _Listener(mesa.Agent):
    """One listener as one object."""

    def __init__(self, model: _Listening, taste: npt.NDArray[np.float32]) -> None:
        super().__init__(model)
        self.taste = taste

    def step(self) -> None:
        model: _Listening = self.model  # pyright: ignore[reportAssignmentType]
        on = model.on
        works = model.draws.integers(0, on.owner.size, CANDIDATES, dtype=np.int32)
        dots = on.works[works] @ self.taste
        popular = model.popularity[works]
        slate = np.argpartition(-(dots + popular), SLATE)[:SLATE]
        weight = np.exp(KAPPA * dots[slate] + popular[slate]).cumsum()
        pick = int(np.searchsorted(weight, model.draws.random() * weight[-1], side="right"))
        chosen = works[slate[pick]]
        model.new[chosen] += 1
        v = on.works[chosen]
        angle = math.acos(max(-1.0, min(1.0, float(self.taste @ v))))
        turned = math.sin((1.0 - DRIFT) * angle) * self.taste + math.sin(DRIFT * angle) * v
        self.taste = turned / math.sqrt(float(turned @ turned))


class _Listening(mesa.Model):
    """The listeners of a market as Mesa agents; popularity changes between steps (synchronous activation)."""

    def __init__(self, on: Market) -> None:
        super().__init__(rng=1)
        self.on = on
        self.draws = np.random.default_rng(1)  # noqa: TID251 (a baseline draws as its users draw)
        self.popularity = on.popularity
        self.new = np.zeros_like(on.plays)
        for row in on.taste:
            _Listener(self, row)

    def live(self) -> None:
        """Live one step."""
        self.popularity = self.on.popularity
        self.new = np.zeros_like(self.on.plays)
        self.agents.do("step")
        self.on.take_in(self.new)


def live_mesa(on: Market, num_steps: int) -> float:
    """Live the steps with one Mesa object per listener, and return CPU seconds."""
    model = _Listening(on)
    started = time.thread_time()
    for _ in range(num_steps):
        model.live()
    seconds = time.thread_time() - started
    on.taste[:] = np.stack([agent.taste for agent in model.agents])  # pyright: ignore[reportAttributeAccessIssue]
    return seconds
