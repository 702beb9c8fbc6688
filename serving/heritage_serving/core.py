"""What a replica does, without Ray: build the generator once, answer batches of plain commissions.

One commission that cannot be met must not spoil its neighbours: a batch that fails as a whole is asked again one by
one, and each answer is either ``{"piece": ...}`` or ``{"error": {"what", "where", "remedy"}}``. Errors travel as data,
so that a caller in another process raises the same `GenerationError` as in this one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from heritage_serving.codec import Plain, commission_from_plain, piece_from_plain, piece_to_plain
from heritage_sim.base import GenerationError, Generator, HeritageError, Piece

GeneratorFactory = Callable[[], Generator]
"""Picklable, takes nothing, builds the generator: called once in each replica."""


class GenerationCore:
    """A generator behind plain data.

    Parameters
    ----------
    factory : callable
        Builds the generator.
    """

    def __init__(self, factory: GeneratorFactory) -> None:
        self._generator = factory()
        # Replicas share cores; a replica's own thread pool would only fight its neighbours'. Only if torch is in use.
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)

    @property
    def checkpoint_sha256(self) -> str:
        """Return the hash of the generator's weights and configuration."""
        return self._generator.checkpoint_sha256

    def answer(self, commissions: Sequence[Plain]) -> list[Plain]:
        """Return one answer for each commission, in order."""
        try:
            wanted = [commission_from_plain(c) for c in commissions]
            return [{"piece": piece_to_plain(p)} for p in self._generator.compose(wanted)]
        except HeritageError as error:
            if len(commissions) > 1:
                return [answer for c in commissions for answer in self.answer([c])]
            return [{"error": {"what": error.what, "where": error.where, "remedy": error.remedy}}]


def piece_from_answer(answer: Plain) -> Piece:
    """Return the piece of an answer.

    Parameters
    ----------
    answer : dict
        What `GenerationCore.answer` gives for one commission: ``{"piece": ...}`` or ``{"error": ...}``.

    Returns
    -------
    Piece
        The same notes, measures and receipt as in the replica.

    Raises
    ------
    GenerationError
        If the answer is an error.
    """
    if error := answer.get("error"):
        raise GenerationError(error["what"], error["where"], error["remedy"])
    return piece_from_plain(answer["piece"])
