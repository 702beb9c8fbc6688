"""The generator in process: commissions in, decoded and measured pieces out, each made once."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence

from heritage_models.config import GeneratorConfig
from heritage_models.generator.checkpoint import Checkpoint
from heritage_models.generator.constraints import ConstraintTables
from heritage_models.generator.engine import Decoded, Engine
from heritage_models.generator.fingerprint import decoding_key
from heritage_models.generator.requests import Request, RequestKey, Sources, derived_title, make_request, request_key
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import Commission, Fidelity, Notes, Origin, Piece, Receipt

Measure = Callable[[Notes, str], Fidelity]
"""Measures notes, given the content hash of the archive work they were made from."""


def answer(piece: Piece, request_id: str) -> Piece:
    """Return a kept piece under the request that asks for it now."""
    if piece.receipt.request_id == request_id:
        return piece
    return dataclasses.replace(piece, receipt=dataclasses.replace(piece.receipt, request_id=request_id))


class TransformerGenerator:
    """Decodes pieces in process and keeps them by request.

    What ``conditioning`` and ``masks`` mean. Conditioned, the network is told the tradition, the length of the cycle,
    the position in it and the cycles left, and the piece opens with the opening of its source. Unconditioned, it is the
    same network told none of these (it was trained so in a share of its rows) and given no opening: it knows the events
    it has made and nothing else. Tokens are degrees counted from the finalis in both, and both sound in the tuning of
    the community's instruments, so that what differs is what is played, not on what. Masked, the constraint tables bind
    every choice; unmasked, any pitch the instruments have and any length of the vocabulary may follow, and the piece
    ends with the note that reaches the length asked for.

    Parameters
    ----------
    config : GeneratorConfig
        What is asked for.
    corpora : mapping of str to Corpus
        Traditions and archives.
    root_seed : int
        Seed of the scenario.
    checkpoint : Checkpoint
        Trained network.
    measures : mapping of str to callable
        Fidelity of notes, by tradition.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        corpora: Mapping[str, Corpus],
        root_seed: int,
        checkpoint: Checkpoint,
        measures: Mapping[str, Measure],
    ) -> None:
        self.config = config
        self.checkpoint = checkpoint
        self._corpora = corpora
        self._measures = measures
        self._sources = Sources(corpora, config.takes)
        self._kept: dict[RequestKey, Piece] = {}
        self._decoding_sha256 = decoding_key(config, corpora, root_seed)
        self._one_at_a_time = threading.Lock()  # a service may call from several threads; there is one slot table
        self._nll: dict[RequestKey, float] = {}
        tables = ConstraintTables(checkpoint.vocabulary, corpora, config.max_notes)
        self.engine = Engine(checkpoint.network, tables, config.slots, config.masks, config.temperature, root_seed)

    @property
    def checkpoint_sha256(self) -> str:
        """Hash of weights and training; what decoding adds stands in the receipts."""
        return self.checkpoint.record.checkpoint_sha256

    def request(self, commission: Commission) -> Request:
        """Return what the decoder is asked for by a commission.

        Parameters
        ----------
        commission : Commission
            Its source gives cycle, tempo and length, and in the conditioned arm the opening.

        Returns
        -------
        Request
            The same for every commission of one (tradition, source, take).

        Raises
        ------
        GenerationError
            If it names an unknown tradition, source or take.
        """
        source = self._sources.find(commission)
        corpus = self._corpora[commission.tradition]
        return make_request(request_key(commission), source, corpus, self.checkpoint.vocabulary, self.config)

    def piece(self, commission: Commission, decoded: Decoded) -> Piece:
        """Return the measured piece that decoded tokens make."""
        source = self._sources.find(commission)
        tradition = self._corpora[commission.tradition].tradition
        notes = self.checkpoint.vocabulary.decode(
            decoded.tokens, tradition, source.notes.ticks_per_cycle, source.notes.tick_s
        )
        request = request_key(commission)
        receipt = Receipt(
            request_id=commission.request_id,
            seed=self.request(commission).seed,
            checkpoint_sha256=self.checkpoint_sha256,
            piece_sha256=notes.sha256(),
            sources=(commission.source,),
            decoding_sha256=self._decoding_sha256,
        )
        self._nll[request] = decoded.nll_nats
        return Piece(
            notes=notes,
            tradition=commission.tradition,
            title=derived_title(source, commission.take),
            origin=Origin.GENERATED,
            synthetic=True,
            fidelity=self._measures[commission.tradition](notes, commission.source),
            receipt=receipt,
        )

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return one piece for each commission, in order.

        Parameters
        ----------
        commissions : sequence of Commission
            What is asked for; only requests that were not met before are decoded, each once.

        Returns
        -------
        list of Piece, length num_commissions
            Pieces with the fidelity measured on their notes and each commission's ``request_id`` in the receipt.

        Raises
        ------
        GenerationError
            If a commission names an unknown tradition, source or take, or the constraints cannot be met.
        """
        with self._one_at_a_time:
            missing = {request_key(c): c for c in commissions if request_key(c) not in self._kept}
            asked = list(missing.values())
            requests = [self.request(c) for c in asked]
            for number, decoded in self.engine.stream(enumerate(requests)):
                self._kept[request_key(asked[number])] = self.piece(asked[number], decoded)
        return [answer(self._kept[request_key(c)], c.request_id) for c in commissions]

    def own_nll(self, key: RequestKey) -> float:
        """Return the network's own loss on a composed piece, in nats per event (see `Decoded`)."""
        return self._nll[key]
