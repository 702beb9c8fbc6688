"""The step loop: a table of slots, one event for every busy slot a step, a slot refilled as soon as its piece ends.

The same request gives the same piece in any batch, bit for bit. Three things make it so: random numbers are addressed
by (request, event, part) instead of drawn in order; the network's shapes are fixed by the table, so a slot's arithmetic
is the same whoever sits beside it (`network`); and the rules of a slot read that slot alone (`constraints`).

A part of an event is chosen by the inverse of its distribution function at one uniform number, in double precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from heritage_models.generator.constraints import ConstraintTables, SlotRules
from heritage_models.generator.network import Network
from heritage_models.generator.requests import Request
from heritage_models.generator.tokens import MAX_CYCLES_LEFT, NUM_CONTEXT, NUM_TOKENS, REST_TOKEN
from heritage_models.generator.training import one_thread
from heritage_sim.base import GenerationError, Stream, stream_key

Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A finished piece as tokens.

    Parameters
    ----------
    tokens : ndarray of int32, shape (num_events, 3)
        Pitch, duration, ornament.
    nll_nats : float
        The network's own mean negative log-likelihood per event at temperature 1 and without masks: set beside that of
        unmasked pieces it tells what the masks cost.
    """

    tokens: npt.NDArray[np.int32]
    nll_nats: float


class Engine:
    """Decodes requests in a table of slots.

    Parameters
    ----------
    network : Network
        Trained.
    tables : ConstraintTables
        Rules of every tradition; without masks only the lattice and the ornaments' names are read.
    num_slots : int
        Rows of the table. Part of the numerics: pieces are equal for equal tables only.
    masks : bool
        Whether the rules bind.
    temperature : float
        Sampling temperature.
    root_seed : int
        Seed of the stream in which requests have their numbers.
    """

    def __init__(
        self,
        network: Network,
        tables: ConstraintTables,
        num_slots: int,
        masks: bool,
        temperature: float,
        root_seed: int,
    ) -> None:
        self.num_slots = num_slots
        self.dead_ends = 0
        self.steps = 0
        self._network = network
        self._tables = tables
        self._vocabulary = tables.vocabulary
        self._masks = masks
        self._temperature = temperature
        self._stream = Stream(stream_key(root_seed, 0, "generator", "compose"))
        self._cycle_codes = {c: i + 1 for i, c in enumerate(self._vocabulary.cycles)}
        length = tables.max_events
        self._rules = SlotRules(tables, num_slots)
        self._cache = network.empty_cache(num_slots, length)
        self._requests: list[tuple[int, Request] | None] = [None] * num_slots
        self._tokens = np.zeros((num_slots, length + 1, NUM_TOKENS), dtype=np.int64)
        self._uniforms = np.full((num_slots, length, NUM_TOKENS), 0.5)
        self._nll = np.zeros(num_slots)
        self._place = np.zeros(num_slots, dtype=np.int64)
        self._ticks = np.zeros(num_slots, dtype=np.int64)
        self._total = np.ones(num_slots, dtype=np.int64)
        self._cycle = np.ones(num_slots, dtype=np.int64)
        self._codes = np.zeros((num_slots, NUM_CONTEXT), dtype=np.int64)
        self._told = np.zeros(num_slots, dtype=np.bool_)
        self._prompt = np.zeros((num_slots, length, NUM_TOKENS), dtype=np.int64)
        self._prompted = np.zeros(num_slots, dtype=np.int64)
        self._active = np.zeros(num_slots, dtype=np.bool_)

    @property
    def num_free(self) -> int:
        """Return the number of slots without a piece."""
        return self.num_slots - int(self._active.sum())

    def decode(self, requests: Sequence[Request]) -> list[Decoded]:
        """Return the pieces of requests, in order; as many side by side as there are slots."""
        done: dict[int, Decoded] = dict(self.stream(enumerate(requests)))
        return [done[i] for i in range(len(requests))]

    def stream(self, requests: Iterable[tuple[int, Request]]) -> Iterator[tuple[int, Decoded]]:
        """Yield numbered pieces as they end; whatever interrupts it, every slot is free afterwards."""
        waiting = iter(requests)
        more = True
        try:
            while True:
                while more and self.num_free:
                    entry = next(waiting, None)
                    if entry is None:
                        more = False
                    else:
                        self.admit(*entry)
                if not self._active.any():
                    return
                yield from self.step()
        finally:
            self._active[:] = False

    def admit(self, number: int, request: Request) -> None:
        """Put a request in a free slot, to be begun by the next `step`.

        Parameters
        ----------
        number : int
            The caller's own, given back with the finished piece.
        request : Request
            What to decode; its length gives way to the nearest at which every rule can be kept, if the rules bind.

        Raises
        ------
        GenerationError
            If no slot is free, or no piece of any near length keeps the rules.
        """
        free = np.flatnonzero(~self._active)
        if not free.size:
            raise GenerationError("every slot is busy", "engine", "step until one is free")
        s = int(free[0])
        total = self._feasible_length(request) if self._masks else request.total_ticks
        self._requests[s] = (number, request)
        self._tokens[s, 0] = self._vocabulary.token_sizes  # nothing before
        self._uniforms[s] = self._stream.uniforms(request.seed, 0, self._uniforms[s].size).reshape(-1, NUM_TOKENS)
        self._place[s] = self._ticks[s] = 0
        self._nll[s] = 0.0
        self._total[s] = total
        self._cycle[s] = request.ticks_per_cycle
        self._told[s] = request.told
        self._codes[s, 0] = request.tradition + 1
        self._codes[s, 1] = self._cycle_codes.get(request.ticks_per_cycle, 0)
        num_prompt = min(request.prompt.shape[0], self._prompt.shape[1])
        self._prompt[s, :num_prompt] = request.prompt[:num_prompt]
        self._prompted[s] = num_prompt
        self._active[s] = True
        if self._masks:
            self._rules.start(s, request.tradition, request.ticks_per_cycle, total)
        else:
            self._rules.tradition[s] = request.tradition

    def _feasible_length(self, request: Request) -> int:
        """Return the length in ticks nearest to the one asked for at which every rule can be kept."""
        cycle, asked = request.ticks_per_cycle, request.total_ticks // request.ticks_per_cycle
        for cycles in sorted(range(1, 2 * asked + 4), key=lambda c: (abs(c - asked), c)):
            if self._tables.can_start(request.tradition, cycle, cycles * cycle):
                return cycles * cycle
        name = self._vocabulary.traditions[request.tradition]
        raise GenerationError(
            f"no piece of {asked} cycles of {cycle} ticks and <= {self._tables.max_events} events keeps every rule",
            f"tradition {name!r}",
            "raise generator.max_notes, widen ornament_quantiles, or import the tradition with all its durations",
        )

    def step(self) -> list[tuple[int, Decoded]]:
        """Add one event to every busy slot; return the pieces that ended, with their numbers."""
        with torch.inference_mode(), one_thread():
            rows = np.arange(self.num_slots)
            place = np.minimum(self._place, self._uniforms.shape[1] - 1)
            hidden = self._network.step(
                torch.from_numpy(self._tokens[rows, place]),
                torch.from_numpy(self._context()),
                torch.from_numpy(place),
                self._cache,
            )
            event = self._choose(hidden, place)
        return self._count(event)

    def _context(self) -> Int64:
        codes = self._codes
        codes[:, 2] = np.minimum(self._ticks % self._cycle + 1, self._vocabulary.context_sizes[2] - 1)
        codes[:, 3] = np.clip(-((self._ticks - self._total) // self._cycle), 1, MAX_CYCLES_LEFT)
        return codes * self._told[:, None]

    def _choose(self, hidden: torch.Tensor, place: Int64) -> Int64:
        """Return the tokens of the next event of every slot, shape ``(num_slots, 3)``: pitch, duration, ornament."""
        network, rules, tables = self._network, self._rules, self._tables
        event = np.zeros((self.num_slots, NUM_TOKENS), dtype=np.int64)
        tensor = torch.from_numpy(event)
        allowed = rules.pitches() if self._masks else tables.on_lattice[rules.tradition]
        event[:, 0] = self._pick(network.pitch_logits(hidden), allowed, place, 0)
        everything = np.ones((self.num_slots, tables.durations.size), dtype=np.bool_)
        allowed = rules.durations(event[:, 0]) if self._masks else everything
        event[:, 1] = self._pick(network.duration_logits(hidden, tensor[:, 0]), allowed, place, 1)
        if self._masks:
            allowed = rules.ornaments(event[:, 0], event[:, 1])
        else:
            allowed = tables.ornament_ok[rules.tradition] & ((event[:, 0] != REST_TOKEN)[:, None])
            allowed[:, 0] = True
        event[:, 2] = self._pick(network.ornament_logits(hidden, tensor[:, 0], tensor[:, 1]), allowed, place, 2)
        return event

    def _pick(self, logits: torch.Tensor, allowed: Bool, place: Int64, part: int) -> Int64:
        """Return one token for each slot by inverse distribution function, or the prompt's where it is allowed."""
        rows = np.arange(self.num_slots)
        z = logits.double().numpy()
        dead = self._active & ~allowed.any(axis=1)
        if dead.any():
            self.dead_ends += int(dead.sum())
            raise GenerationError(
                "decoding reached a dead end", "constraints", "report it: the lookahead must prevent this"
            )
        weight = self._masked_weights(z, allowed)
        cumulative = np.cumsum(weight, axis=1)
        target = self._uniforms[rows, place, part] * cumulative[:, -1]
        token = np.minimum((cumulative <= target[:, None]).sum(axis=1), z.shape[1] - 1)
        wanted = self._prompt[rows, place, part]
        prompted = place < self._prompted
        follows = prompted & allowed[rows, wanted]
        self._prompted = np.where(prompted & ~follows, place, self._prompted)  # the rest of the prompt is left
        token = np.where(follows, wanted, token)
        highest = z.max(axis=1)
        log_total = highest + np.log(np.exp(z - highest[:, None]).sum(axis=1))
        self._nll += log_total - z[rows, token]
        return token

    def _masked_weights(self, z: Float64, allowed: Bool) -> Float64:
        safe = allowed | ~allowed.any(axis=1, keepdims=True)  # idle slots may have no choice at all
        scaled = np.where(safe, z / self._temperature, -np.inf)
        return np.exp(scaled - scaled.max(axis=1)[:, None])

    def _count(self, event: Int64) -> list[tuple[int, Decoded]]:
        active = self._active
        if self._masks:
            self._rules.advance(event[:, 0], event[:, 1], event[:, 2], active)
        self._tokens[active, self._place[active] + 1] = event[active]
        self._place += active
        self._ticks += self._tables.durations[event[:, 1]] * active
        self.steps += 1
        ended = active & ((self._ticks >= self._total) | (self._place >= self._tables.max_events))
        finished: list[tuple[int, Decoded]] = []
        for s in np.flatnonzero(ended):
            entry = self._requests[s]
            assert entry is not None
            num_events = int(self._place[s])
            tokens = self._tokens[s, 1 : num_events + 1].astype(np.int32)
            finished.append((entry[0], Decoded(tokens, float(self._nll[s]) / num_events)))
            self._requests[s] = None
            self._active[s] = False
        return finished
