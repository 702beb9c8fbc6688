"""From a commission to what the decoder is asked for: length, opening, and the address of its random numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heritage_models.config import GeneratorConfig
from heritage_models.generator.tokens import NUM_TOKENS, Vocabulary
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import Commission, GenerationError, Piece

RequestKey = tuple[str, str, int]


def request_key(commission: Commission) -> RequestKey:
    """Return what a piece depends on besides the generator: (tradition, source, take)."""
    return commission.tradition, commission.source, commission.take


def request_seed(key: RequestKey) -> int:
    """Return the id under which a request's random numbers are addressed, in ``[0, 2^63)``: a hash of its key."""
    digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def derived_title(source: Piece, take: int) -> str:
    """Return what a piece generated on a source is called."""
    return f"After {source.title}, take {take + 1} (generated)"


class Sources:
    """The archive works by (tradition, content hash).

    Parameters
    ----------
    corpora : mapping of str to Corpus
        Traditions and archives by name.
    takes : int
        Different pieces that may be asked for on one source.
    """

    def __init__(self, corpora: Mapping[str, Corpus], takes: int) -> None:
        self._pieces = {name: {p.receipt.piece_sha256: p for p in c.pieces} for name, c in corpora.items()}
        self._takes = takes

    def find(self, commission: Commission) -> Piece:
        """Return the source of a commission.

        Parameters
        ----------
        commission : Commission
            Its tradition, source and take are looked at; its intent is not.

        Returns
        -------
        Piece
            The archive piece whose content hash the commission names.

        Raises
        ------
        GenerationError
            If the tradition or the source is unknown, or the take is outside ``[0, takes)``.
        """
        where = f"commission {commission.request_id!r}"
        if commission.tradition not in self._pieces:
            known = ", ".join(sorted(self._pieces))
            raise GenerationError(f"unknown tradition {commission.tradition!r}", where, f"one of: {known}")
        piece = self._pieces[commission.tradition].get(commission.source)
        if piece is None:
            raise GenerationError(
                f"the archive of {commission.tradition!r} holds no work {commission.source[:16]!r}",
                where,
                "name an archive work of that tradition by its content hash",
            )
        if not 0 <= commission.take < self._takes:
            raise GenerationError(
                f"take {commission.take} was asked for, but a source has {self._takes}",
                where,
                "raise generator.takes, or ask for a lower take",
            )
        return piece

    def keys(self) -> list[RequestKey]:
        """Return every request that can be answered: by tradition, source in archive order, take."""
        return [
            (name, source, take)
            for name in sorted(self._pieces)
            for source in self._pieces[name]
            for take in range(self._takes)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What the decoder is asked for.

    Parameters
    ----------
    seed : int
        Address of its random numbers.
    tradition : int
        Index in the vocabulary.
    ticks_per_cycle, total_ticks : int
        Cycle and length in ticks, whole cycles.
    tick_s : float
        Length of a tick in seconds.
    prompt : ndarray of int32, shape (num_prompt, 3)
        Tokens that open the piece; in masked decoding it is left at the first that breaks a rule.
    told : bool
        Whether the network is told the context.
    """

    seed: int
    tradition: int
    ticks_per_cycle: int
    total_ticks: int
    tick_s: float
    prompt: npt.NDArray[np.int32]
    told: bool


def make_request(
    key: RequestKey, source: Piece, corpus: Corpus, vocabulary: Vocabulary, config: GeneratorConfig
) -> Request:
    """Return the decoder's request: the source's cycle, tempo and length, and in the conditioned arm its opening.

    The length is as many cycles as the source has (or ``num_cycles``), fewer where they would hold more than
    ``max_notes`` events at the source's own density.
    """
    notes = source.notes
    cycle = notes.ticks_per_cycle
    source_ticks = int(notes.duration_ticks.sum())
    events_per_cycle = max(1.0, notes.num_notes * cycle / max(source_ticks, 1))
    wanted = config.num_cycles or max(1, round(source_ticks / cycle))
    num_cycles = max(1, min(wanted, math.floor(config.max_notes / events_per_cycle)))
    prompt = np.zeros((0, NUM_TOKENS), dtype=np.int32)
    if config.conditioning and config.prompt_notes:
        onset = np.cumsum(notes.duration_ticks) - notes.duration_ticks
        opening = int(min(config.prompt_notes, (onset < cycle).sum()))
        events = vocabulary.encode(notes, corpus.tradition)
        if events is not None:
            prompt = events.tokens[:opening]
    return Request(
        seed=request_seed(key),
        tradition=vocabulary.traditions.index(key[0]),
        ticks_per_cycle=cycle,
        total_ticks=num_cycles * cycle,
        tick_s=notes.tick_s,
        prompt=prompt,
        told=config.conditioning,
    )
