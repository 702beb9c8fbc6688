"""The transformer: one network over all traditions of a scenario, one step per event.

The input at an event's place is the event before it plus the context at the event's onset (tradition, cycle length,
position in the cycle, cycles left); pitches have a shared table and one per tradition. The output is a chain of three
heads: pitch, then duration given the pitch, then ornament given both, so an event costs one pass of the trunk instead
of three. Places are told apart by rotary embedding, hence by distance only.

Training runs whole rows (`Network.forward`), decoding runs one event for every slot against a preallocated cache
(`Network.step`); both give the same numbers to rounding. In `step` every shape is fixed by the number of slots and the
cache's length, never by how many slots are busy or how far they are: the same kernels run in the same order, so what
a slot computes does not depend on its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from heritage_models import philox_torch
from heritage_models.generator.tokens import NUM_CONTEXT, Vocabulary
from heritage_sim.base import stream_key

ROTARY_BASE = 1000.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a network.

    Parameters
    ----------
    width, layers, heads : int
        Width of the residual stream, number of blocks, attention heads.
    tokens : tuple of int
        Number of pitch, duration and ornament tokens.
    context : tuple of int
        Number of context codes.
    """

    width: int
    layers: int
    heads: int
    tokens: tuple[int, int, int]
    context: tuple[int, int, int, int]

    @classmethod
    def of(cls, vocabulary: Vocabulary, width: int, layers: int, heads: int) -> Shape:
        """Return the shape that fits a vocabulary."""
        return cls(width, layers, heads, vocabulary.token_sizes, vocabulary.context_sizes)


def rotary_tables(length: int, dim: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, each of shape ``(length, dim / 2)``."""
    frequency = ROTARY_BASE ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency[None, :]
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return ``x``, shape ``(..., dim)``, turned by the angles of its place, tables of shape ``(..., dim / 2)``."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Block(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values of shape ``(..., heads, dim)``."""
        qkv = self.qkv(self.norm_attention(x))
        q, k, v = qkv.view(*x.shape[:-1], 3, self.heads, -1).unbind(-3)
        return q, k, v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Return the block's output, given what the heads attended to, shape ``(..., heads * dim)``."""
        x = x + self.out(attended)
        return x + self.down(functional.gelu(self.up(self.norm_mlp(x))))


@dataclass(slots=True)
class Cache:
    """Keys and values of every slot.

    Parameters
    ----------
    keys, values : Tensor of float32, shape (layers, num_slots, heads, length, dim)
        Filled up to each slot's place; the rest is finite and masked.
    cos, sin : Tensor of float32, shape (length, dim / 2)
        Angles of every place.
    """

    keys: Tensor
    values: Tensor
    cos: Tensor
    sin: Tensor


class Network(nn.Module):
    """Next event given the events before it and the context.

    Parameters
    ----------
    shape : Shape
        Sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        pitches, durations, ornaments = shape.tokens
        self.shape = shape
        self.start_pitch = pitches
        self.before = nn.ModuleList(nn.Embedding(n + 1, width) for n in shape.tokens)  # last row: nothing before
        self.pitch_in_tradition = nn.Embedding(shape.context[0] * (pitches + 1), width)
        self.context = nn.ModuleList(nn.Embedding(n, width) for n in shape.context)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(width)
        self.pitch_head = nn.Linear(width, pitches)
        self.to_duration = nn.Linear(width, width)
        self.pitch_for_duration = nn.Embedding(pitches, width)
        self.duration_head = nn.Linear(width, durations)
        self.to_ornament = nn.Linear(width, width)
        self.pitch_for_ornament = nn.Embedding(pitches, width)
        self.duration_for_ornament = nn.Embedding(durations, width)
        self.ornament_head = nn.Linear(width, ornaments)

    def embed(self, before: Tensor, context: Tensor) -> Tensor:
        """Return the input of the trunk, shape ``(..., width)``.

        ``before`` holds the tokens of the event before, int64 ``(..., 3)``, ``context`` the codes, int64 ``(..., 4)``.
        """
        own = context[..., 0] * (self.start_pitch + 1) + before[..., 0]
        x = self.pitch_in_tradition(own)
        for i, table in enumerate(self.before):
            x = x + table(before[..., i])
        for i, table in enumerate(self.context):
            x = x + table(context[..., i])
        return x

    def forward(self, before: Tensor, context: Tensor, visible: Tensor) -> Tensor:
        """Return hidden states of whole rows.

        Parameters
        ----------
        before : Tensor of int64, shape (batch, length, 3)
            Tokens of the event before each.
        context : Tensor of int64, shape (batch, length, 4)
            Context codes.
        visible : Tensor of bool, shape (batch, 1, length, length)
            Which places each place may see.

        Returns
        -------
        Tensor of float32, shape (batch, length, width)
        """
        x = self.embed(before, context)
        batch, length, width = x.shape
        cos, sin = rotary_tables(length, width // self.shape.heads)
        for block in self.blocks:
            assert isinstance(block, Block)
            q, k, v = (y.transpose(1, 2) for y in block.split(x))
            mixed = functional.scaled_dot_product_attention(
                rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=visible
            )
            x = block.finish(x, mixed.transpose(1, 2).reshape(batch, length, width))
        return self.norm(x)

    def pitch_logits(self, hidden: Tensor) -> Tensor:
        """Return logits of the pitch, shape ``(..., num_pitches)``."""
        return self.pitch_head(hidden)

    def duration_logits(self, hidden: Tensor, pitch: Tensor) -> Tensor:
        """Return logits of the duration given the pitch, shape ``(..., num_durations)``."""
        return self.duration_head(functional.gelu(self.to_duration(hidden) + self.pitch_for_duration(pitch)))

    def ornament_logits(self, hidden: Tensor, pitch: Tensor, duration: Tensor) -> Tensor:
        """Return logits of the ornament given pitch and duration, shape ``(..., num_ornaments)``."""
        given = self.pitch_for_ornament(pitch) + self.duration_for_ornament(duration)
        return self.ornament_head(functional.gelu(self.to_ornament(hidden) + given))

    def nll(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """Return the negative log-likelihood of each part of each event in nats, shape ``(..., 3)``."""
        pitch, duration, ornament = tokens.unbind(-1)
        parts = (
            (self.pitch_logits(hidden), pitch),
            (self.duration_logits(hidden, pitch), duration),
            (self.ornament_logits(hidden, pitch, duration), ornament),
        )
        losses = [
            functional.cross_entropy(z.flatten(0, -2), y.flatten(), reduction="none").view(y.shape) for z, y in parts
        ]
        return torch.stack(losses, dim=-1)

    def empty_cache(self, num_slots: int, length: int) -> Cache:
        """Return a cache of zeros for a number of slots and places."""
        s = self.shape
        size = (s.layers, num_slots, s.heads, length, s.width // s.heads)
        return Cache(torch.zeros(size), torch.zeros(size), *rotary_tables(length, size[-1]))

    def step(self, before: Tensor, context: Tensor, place: Tensor, cache: Cache) -> Tensor:
        """Return the hidden state of the next event of every slot, shape ``(num_slots, width)``, and fill the cache.

        Parameters
        ----------
        before : Tensor of int64, shape (num_slots, 3)
            Tokens of the event before.
        context : Tensor of int64, shape (num_slots, 4)
            Context codes.
        place : Tensor of int64, shape (num_slots,)
            Index of the event in its piece, below the cache's length.
        cache : Cache
            Written at ``place``.

        Returns
        -------
        Tensor of float32, shape (num_slots, width)
        """
        num_slots, length = before.shape[0], cache.keys.shape[3]
        x = self.embed(before, context)
        dim = self.shape.width // self.shape.heads
        cos, sin = cache.cos[place][:, None, :], cache.sin[place][:, None, :]
        hidden_places = torch.where(torch.arange(length)[None, :] <= place[:, None], 0.0, -math.inf)[:, None, :]
        rows = torch.arange(num_slots)
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            q, k, v = block.split(x)
            keys, values = cache.keys[i], cache.values[i]
            keys[rows, :, place] = rotate(k, cos, sin)
            values[rows, :, place] = v
            scores = torch.matmul(keys, rotate(q, cos, sin)[..., None])[..., 0] * dim**-0.5 + hidden_places
            mixed = torch.matmul(scores.softmax(dim=-1)[:, :, None, :], values)
            x = block.finish(x, mixed.reshape(num_slots, -1))
        return self.norm(x)


def make_network(shape: Shape, seed: int) -> Network:
    """Return a network with keyed initial weights.

    Matrices are normal with deviation ``1 / sqrt(fan in)``, tables with ``.02 sqrt(width / 8)``, what writes to the
    residual stream is smaller by ``sqrt(2 layers)``, norms begin as the identity, biases at zero. No global generator
    is read or advanced.
    """
    with torch.device("meta"):
        network = Network(shape)
    network = network.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            _initialise(name, parameter, shape, seed)
    return network


def _initialise(name: str, parameter: Tensor, shape: Shape, seed: int) -> None:
    if "norm" in name or name.endswith("bias"):
        parameter.fill_(1.0 if name.endswith("weight") else 0.0)
        return
    is_matrix = any(part in name for part in ("qkv", "out", "up", "down", "_head", "to_"))
    deviation = parameter.shape[1] ** -0.5 if is_matrix else 0.02 * math.sqrt(shape.width / 8)
    if ".out." in name or ".down." in name:
        deviation /= math.sqrt(2 * shape.layers)
    key = stream_key(seed, 0, "network", name)
    drawn = philox_torch.normals(key, torch.arange(parameter.shape[0]), 0, parameter.shape[1])
    parameter.copy_((drawn * deviation).float())


def context_of_nobody(context: Tensor) -> Tensor:
    """Return codes that tell nothing: what the unconditioned network is fed, same shape as ``context``."""
    assert context.shape[-1] == NUM_CONTEXT
    return torch.zeros_like(context)
