"""Training: a fixed number of steps on keyed batches, in one thread, so that two trainings give the same bits.

A small archive gets fewer steps (`training_steps`), or it is learnt by heart. Trained on the quickstart's gamelan
archive alone with 60, 100 and 250 steps (10, 17 and 44 passes), the network's held-out loss was 2.26, 1.95 and 2.43
nats an event; on the panpipes alone 2.91, 2.64 and 2.94. `heritage train` shows the figure of any such setting.

Archive pieces are laid end to end, each epoch in its own keyed order, and the stream is cut in rows of ``context``
events; an event sees only its own piece. In a keyed share of the rows (`condition_dropout`) every context code is set
to "not told", so that one training serves both arms: the unconditioned generator is this network, fed nothing but the
events themselves.

Pieces held out for validation are chosen by their content hash, so the split does not move when the archive grows. The
record sets the network's loss beside a Witten-Bell 5-gram's on the same tokens of the same pieces (`checkpoint`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from heritage_models.config import GeneratorConfig
from heritage_models.generator.network import Network, Shape, context_of_nobody, make_network
from heritage_models.generator.tokens import Events, Vocabulary, make_vocabulary
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import InputError, Stream, stream_key

Progress = Callable[[str, int, int], None]
Int64 = npt.NDArray[np.int64]


@contextmanager
def one_thread():
    """Compute in one thread: sums are then taken in one order, and cores are left to the other workers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def is_held_out(piece_sha256: str, share: float) -> bool:
    """Return whether a piece is kept for validation: its hash, read as a fraction, lies below the share."""
    return int(piece_sha256[:8], 16) < share * 2**32


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The archives as tokens, by use.

    Parameters
    ----------
    train, held_out : tuple of Events
        Pieces to learn from, and pieces to judge by.
    unusable : int
        Pieces with a note outside the lattice.
    """

    train: tuple[Events, ...]
    held_out: tuple[Events, ...]
    unusable: int


def split_corpora(vocabulary: Vocabulary, corpora: Mapping[str, Corpus], share: float) -> Split:
    """Return the pieces of all traditions as tokens, divided by content hash.

    Parameters
    ----------
    vocabulary : Vocabulary
        Names the traditions to read, and gives the tokens.
    corpora : mapping of str to Corpus
        Traditions and archives by name.
    share : float
        Share of the pieces that is expected to be held out, in [0, 1].

    Returns
    -------
    Split
        Pieces to learn from and to judge by, each in the order of the traditions' names and then of the archive.

    Raises
    ------
    InputError
        If nothing is left to train on.
    """
    train: list[Events] = []
    held_out: list[Events] = []
    unusable = 0
    for name in vocabulary.traditions:
        for piece in corpora[name].pieces:
            events = vocabulary.encode(piece.notes, corpora[name].tradition)
            if events is None or not events.num_events:
                unusable += 1
            else:
                (held_out if is_held_out(piece.receipt.piece_sha256, share) else train).append(events)
    if not train:
        raise InputError("no archive piece to train on", "corpora", "add works, or lower generator.held_out_share")
    return Split(tuple(train), tuple(held_out), unusable)


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """Pieces laid end to end; the first axis is ``(num_events,)``."""

    before: Int64
    context: Int64
    tokens: Int64
    place: Int64
    first: Int64


def stack(pieces: Sequence[Events], token_sizes: tuple[int, int, int]) -> Stacked:
    """Return pieces end to end, each event with the one before it; ``first`` is where each piece begins."""
    sizes = np.array([p.num_events for p in pieces])
    before = []
    for p in pieces:
        shifted = np.empty_like(p.tokens)
        shifted[0] = token_sizes  # one past the last token: nothing before
        shifted[1:] = p.tokens[:-1]
        before.append(shifted)
    return Stacked(
        before=np.concatenate(before).astype(np.int64),
        context=np.concatenate([p.context for p in pieces]).astype(np.int64),
        tokens=np.concatenate([p.tokens for p in pieces]).astype(np.int64),
        place=np.concatenate([np.arange(n) for n in sizes]),
        first=np.concatenate([[0], np.cumsum(sizes)]),
    )


def training_rows(stacked: Stacked, num_rows: int, length: int, seed: int) -> Int64:
    """Return which event stands where, shape ``(num_rows, length)``: whole epochs, each in a keyed order of pieces."""
    stream = Stream(stream_key(seed, 0, "generator", "order"))
    first: list[int] = stacked.first.tolist()
    num_pieces = len(first) - 1
    parts: list[Int64] = []
    have = epoch = 0
    while have < num_rows * length:
        order = np.argsort(stream.uniform(np.arange(num_pieces), epoch), kind="stable")
        part = np.concatenate([np.arange(first[i], first[i + 1]) for i in order.tolist()])
        parts.append(part)
        have += part.size
        epoch += 1
    return np.concatenate(parts)[: num_rows * length].reshape(num_rows, length)


def visible_places(place: torch.Tensor) -> torch.Tensor:
    """Return which places each place may see, bool ``(batch, 1, length, length)``: its own piece, not the future."""
    piece = (place == 0).cumsum(dim=1)
    same = piece[:, :, None] == piece[:, None, :]
    return (same & torch.ones(same.shape[1:], dtype=torch.bool).tril())[:, None]


def held_out_loss(network: Network, pieces: Sequence[Events], conditioned: bool) -> float:
    """Return the mean loss per event over whole pieces in nats; NaN where there are none."""
    total, count = 0.0, 0
    sizes = network.shape.tokens
    with torch.inference_mode(), one_thread():
        for piece in pieces:
            s = stack([piece], sizes)
            before, context, tokens, place = (
                torch.from_numpy(a)[None] for a in (s.before, s.context, s.tokens, s.place)
            )
            context = context if conditioned else context_of_nobody(context)
            nll = network.nll(network(before, context, visible_places(place)), tokens)
            total += float(nll.double().sum())
            count += piece.num_events
    return total / count if count else math.nan


def train_network(
    config: GeneratorConfig, corpora: Mapping[str, Corpus], progress: Progress | None = None
) -> tuple[Network, Vocabulary, Split]:
    """Return a network trained for `training_steps`, its vocabulary and the split it saw.

    AdamW, warm-up over the first twentieth of the steps, then a cosine to zero; gradients are clipped at norm 1.
    """
    vocabulary = make_vocabulary(corpora)
    split = split_corpora(vocabulary, corpora, config.held_out_share)
    stacked = stack(split.train, vocabulary.token_sizes)
    num_steps = training_steps(config, stacked.place.size)
    rows = training_rows(stacked, num_steps * config.batch, config.context, config.training_seed)
    untold = Stream(stream_key(config.training_seed, 0, "generator", "condition dropout")).uniform(
        np.arange(rows.shape[0]), 0
    )
    told = torch.from_numpy(untold >= config.condition_dropout)
    before, context, tokens, place = (
        torch.from_numpy(a) for a in (stacked.before, stacked.context, stacked.tokens, stacked.place)
    )
    with one_thread():
        shape = Shape.of(vocabulary, config.width, config.layers, config.heads)
        network = make_network(shape, config.training_seed)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
        )
        for step in range(num_steps):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * schedule(step, num_steps)
            chosen = slice(step * config.batch, (step + 1) * config.batch)
            at = torch.from_numpy(rows[chosen])
            codes = context[at] * told[chosen][:, None, None]
            # A row may open in the middle of a piece: what it shows of it counts as one piece.
            loss = network.nll(network(before[at], codes, visible_places(place[at])), tokens[at]).sum(-1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            if progress is not None:
                progress("train", step + 1, num_steps)
    return network.eval(), vocabulary, split


def training_steps(config: GeneratorConfig, num_events: int) -> int:
    """Return how many steps are taken: ``config.steps``, or as many as make ``config.max_passes`` of the archive."""
    return min(config.steps, math.ceil(config.max_passes * num_events / (config.batch * config.context)))


def schedule(step: int, num_steps: int) -> float:
    """Return the learning rate's share of its peak at a step."""
    warm = max(1, num_steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, num_steps - warm)))
