"""A pool: every piece that can be asked for, made once and kept in one file, which is read without torch or a model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_models.generator.requests import RequestKey, Sources, derived_title, request_key
from heritage_models.storage import write_arrays
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import Commission, Fidelity, Generator, Notes, Origin, Piece, Receipt

BUILD_BATCH = 192
Progress = Callable[[str, int, int], None]
_NOTES = ("degree", "period", "duration_ticks", "ornament", "cents")
_FIDELITY = tuple(f.name for f in dataclasses.fields(Fidelity))


def pool_path(key: str, cache_dir: Path) -> Path:
    """Return where the pool of a decoding key lies or would lie."""
    return cache_dir / "pools" / f"{key[:32]}.npz"


def fill_pool(generator: Generator, sources: Sources, progress: Progress | None = None) -> dict[RequestKey, Piece]:
    """Return every piece that can be asked for, composed in batches."""
    keys = sources.keys()
    made: dict[RequestKey, Piece] = {}
    for first in range(0, len(keys), BUILD_BATCH):
        batch = keys[first : first + BUILD_BATCH]
        pieces = generator.compose([Commission(f"pool-{first + i}", *key) for i, key in enumerate(batch)])
        made.update(zip(batch, pieces, strict=True))
        if progress is not None:
            progress("pool", len(made), len(keys))
    return made


def write_pool(path: Path, pieces: Mapping[RequestKey, Piece], checkpoint_sha256: str) -> None:
    """Write pieces to a pool file, whole or not at all.

    Parameters
    ----------
    path : Path
        The ``.npz`` to write; an older one is replaced.
    pieces : mapping of (str, str, int) to Piece
        Pieces by tradition, source and take. What belongs to who asks is not kept: their titles and
        the receipts' ``request_id``.
    checkpoint_sha256 : str
        Hash of the model that made them.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    values = list(pieces.values())
    header = {
        "checkpoint_sha256": checkpoint_sha256,
        "keys": [list(key) for key in pieces],
        "piece_sha256": [p.receipt.piece_sha256 for p in values],
        "seed": [p.receipt.seed for p in values],
        "decoding_sha256": [p.receipt.decoding_sha256 for p in values],
        "ticks_per_cycle": [p.notes.ticks_per_cycle for p in values],
        "tick_s": [p.notes.tick_s for p in values],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        "first": np.concatenate([[0], np.cumsum([p.notes.num_notes for p in values])]),
        "fidelity": np.array([dataclasses.astuple(p.fidelity) for p in values], dtype=np.float64),
    }
    for name in _NOTES:
        arrays[name] = np.concatenate([getattr(p.notes, name) for p in values])
    write_arrays(path, arrays)


def read_pool(path: Path) -> tuple[dict[RequestKey, Piece], str]:
    """Return the pieces of a pool file, still without titles, and the hash of the checkpoint that made them."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in (*_NOTES, "first", "fidelity")}
        header = json.loads(bytes(file["header"]).decode())
    first, types = arrays["first"].tolist(), [type(v) for v in _fidelity_example()]
    pieces: dict[RequestKey, Piece] = {}
    for i, (tradition, source, take) in enumerate(header["keys"]):
        part = slice(first[i], first[i + 1])
        notes = Notes(
            **{name: arrays[name][part] for name in _NOTES},
            ticks_per_cycle=header["ticks_per_cycle"][i],
            tick_s=header["tick_s"][i],
        )
        measured = [kind(v) for kind, v in zip(types, arrays["fidelity"][i].tolist(), strict=True)]
        receipt = Receipt(
            request_id="",
            seed=header["seed"][i],
            checkpoint_sha256=header["checkpoint_sha256"],
            piece_sha256=header["piece_sha256"][i],
            sources=(source,),
            decoding_sha256=header["decoding_sha256"][i],
        )
        pieces[tradition, source, take] = Piece(
            notes, tradition, "", Origin.GENERATED, True, Fidelity(*measured), receipt
        )
    return pieces, header["checkpoint_sha256"]


def _fidelity_example() -> tuple[Any, ...]:
    """Return a value of each field's type: the file holds them all as float64, which is exact for each."""
    return dataclasses.astuple(Fidelity(0, 0, 0, 0, 0.0, False, 0.0, 0.0, 0.0))


class PoolGenerator:
    """Answers from a pool.

    Parameters
    ----------
    pieces : mapping of (str, str, int) to Piece
        The pool by request.
    checkpoint_sha256 : str
        Hash of the model that made it.
    corpora : mapping of str to Corpus
        Traditions and archives, to refuse what is not in them.
    takes : int
        Different pieces on one source.
    """

    def __init__(
        self, pieces: Mapping[RequestKey, Piece], checkpoint_sha256: str, corpora: Mapping[str, Corpus], takes: int
    ) -> None:
        self._pieces = pieces
        self._checkpoint_sha256 = checkpoint_sha256
        self._sources = Sources(corpora, takes)

    @property
    def checkpoint_sha256(self) -> str:
        """Hash of weights and configuration of the model that made the pool."""
        return self._checkpoint_sha256

    @property
    def num_pieces(self) -> int:
        """Return the number of pieces in the pool."""
        return len(self._pieces)

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return the pool's piece for each commission, in order.

        Parameters
        ----------
        commissions : sequence of Commission
            Requests of the pool, in any order and as often as wanted.

        Returns
        -------
        list of Piece, length num_commissions
            The pool's pieces, with each commission's ``request_id`` in the receipt.

        Raises
        ------
        GenerationError
            If a commission names an unknown tradition, source or take.
        """
        answers: list[Piece] = []
        for commission in commissions:
            source = self._sources.find(commission)
            piece = self._pieces[request_key(commission)]
            receipt = dataclasses.replace(piece.receipt, request_id=commission.request_id)
            title = derived_title(source, commission.take)
            answers.append(dataclasses.replace(piece, title=title, receipt=receipt))
        return answers
