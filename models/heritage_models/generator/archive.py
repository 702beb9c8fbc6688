"""Retrieval instead of generation: the archive piece most like the source.

Likeness is the cosine between counts of melodic bigrams, ``(step in lattice positions, length)`` of neighbouring
sounding notes, weighted by ``log(num_pieces / pieces that have it)``: two pieces are alike where they share the turns
that few others have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from heritage_models.generator.requests import Sources, request_key, request_seed
from heritage_models.traditions.tradition import Corpus, Tradition
from heritage_sim.base import REST, Commission, GenerationError, Notes, Piece, Receipt


def bigrams(notes: Notes, tradition: Tradition) -> Counter[tuple[int, int]]:
    """Return how often each (step in positions, length in ticks of the first note) occurs."""
    sounding = notes.degree != REST
    position = tradition.position_of(notes.degree[sounding], notes.period[sounding])
    length = notes.duration_ticks[sounding]
    return Counter(zip(np.diff(position).tolist(), length[:-1].tolist(), strict=True))


def likeness(pieces: Sequence[Piece], tradition: Tradition) -> npt.NDArray[np.float64]:
    """Return the cosine of every pair of pieces, shape ``(num_pieces, num_pieces)``, in [0, 1]."""
    counts = [bigrams(p.notes, tradition) for p in pieces]
    index = {b: i for i, b in enumerate(sorted({b for c in counts for b in c}))}
    table = np.zeros((len(pieces), max(1, len(index))))
    for row, count in enumerate(counts):
        for b, n in count.items():
            table[row, index[b]] = n
    spread = (table > 0).sum(axis=0)
    table *= np.log(len(pieces) / np.maximum(spread, 1))
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    return table @ table.T


class ArchiveGenerator:
    """Answers take ``t`` with the ``t``-th most alike archive piece that is not the source itself; generates nothing.

    Parameters
    ----------
    corpora : mapping of str to Corpus
        Traditions and archives.
    takes : int
        Neighbours that may be asked for.
    """

    def __init__(self, corpora: Mapping[str, Corpus], takes: int) -> None:
        self._corpora = corpora
        self._sources = Sources(corpora, takes)
        self._ranked: dict[str, dict[str, list[int]]] = {}

    @property
    def checkpoint_sha256(self) -> str:
        """Empty: no model is used."""
        return ""

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return the retrieved piece of each commission, in order; origin and label are the archive's own.

        Parameters
        ----------
        commissions : sequence of Commission
            Each names a source of its tradition's archive; ``take`` counts the other works from the most alike down.

        Returns
        -------
        list of Piece, length num_commissions
            Archive pieces whose receipt names the commission and, as what it came from, the source asked for.

        Raises
        ------
        GenerationError
            If a commission names an unknown tradition, source or take, or the archive has too few other works.
        """
        return [self._retrieve(c) for c in commissions]

    def _retrieve(self, commission: Commission) -> Piece:
        self._sources.find(commission)
        pieces = self._corpora[commission.tradition].pieces
        near = self._neighbours(commission.tradition)[commission.source]
        if commission.take >= len(near):
            raise GenerationError(
                f"the archive of {commission.tradition!r} has {len(near)} works beside the source",
                f"commission {commission.request_id!r}",
                "lower generator.takes, or add works",
            )
        found = pieces[near[commission.take]]
        receipt = Receipt(
            request_id=commission.request_id,
            seed=request_seed(request_key(commission)),
            checkpoint_sha256="",
            piece_sha256=found.receipt.piece_sha256,
            sources=(commission.source,),
        )
        return Piece(found.notes, found.tradition, found.title, found.origin, found.synthetic, found.fidelity, receipt)

    def _neighbours(self, name: str) -> dict[str, list[int]]:
        """Return for each source the other pieces, most alike first, ties by archive order."""
        if name not in self._ranked:
            corpus = self._corpora[name]
            alike = likeness(corpus.pieces, corpus.tradition).round(12)
            hashes = [p.receipt.piece_sha256 for p in corpus.pieces]
            order = np.argsort(-alike, axis=1, kind="stable").tolist()
            self._ranked[name] = {own: [j for j in order[i] if hashes[j] != own] for i, own in enumerate(hashes)}
        return self._ranked[name]
