"""A trained network on disk: weights, vocabulary and record in one ``.npz`` named by what made it.

Nothing in the file is executable: arrays are read with ``allow_pickle=False``, the rest is JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from heritage_models.config import GeneratorConfig
from heritage_models.generator.fingerprint import TRAINED, corpora_sha256, training_key
from heritage_models.generator.network import Network, Shape
from heritage_models.generator.tokens import Events, Vocabulary
from heritage_models.generator.training import Progress, Split, held_out_loss, train_network, training_steps
from heritage_models.ngram import WittenBell
from heritage_models.storage import UNREADABLE, write_arrays
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import InputError

NGRAM_ORDER = 5
_WEIGHT = "weight."


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What a training made, and how it compares with counting.

    Parameters
    ----------
    checkpoint_sha256 : str
        Hash of weights, vocabulary and configuration.
    corpora_sha256 : str
        Hash of what it was trained on.
    path : str
        File of the checkpoint.
    steps, num_parameters : int
        Training steps; trained weights.
    train_pieces, held_out_pieces, unusable_pieces : int
        Archive pieces by use.
    train_events, held_out_events : int
        Their events.
    nll_conditioned, nll_unconditioned : float
        Held-out loss in nats per event (pitch + duration + ornament) with the context told and withheld; NaN where no
        piece was held out.
    nll_ngram : float
        The Witten-Bell 5-gram's on the same tokens, fitted to each tradition by itself: the better of one symbol per
        event and one symbol per token.
    nll_by_tradition : dict of str to (float, float)
        Network's (conditioned) and 5-gram's loss in nats per event.
    """

    checkpoint_sha256: str
    corpora_sha256: str
    path: str
    steps: int
    num_parameters: int
    train_pieces: int
    held_out_pieces: int
    unusable_pieces: int
    train_events: int
    held_out_events: int
    nll_conditioned: float
    nll_unconditioned: float
    nll_ngram: float
    nll_by_tradition: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network ready to decode.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    vocabulary : Vocabulary
        Its tokens.
    record : TrainingRecord
        How it came about.
    """

    network: Network
    vocabulary: Vocabulary
    record: TrainingRecord


def checkpoint_path(config: GeneratorConfig, corpora: Mapping[str, Corpus], cache_dir: Path) -> Path:
    """Return where the checkpoint of this configuration and these corpora lies or would lie."""
    return cache_dir / "checkpoints" / f"{training_key(config, corpora)[:32]}.npz"


def load_or_train(
    config: GeneratorConfig, corpora: Mapping[str, Corpus], cache_dir: Path, progress: Progress | None = None
) -> Checkpoint:
    """Return the checkpoint from the cache, or train it and put it there.

    Parameters
    ----------
    config : GeneratorConfig
        Size of the network and rhythm of its training; with the corpora it makes the file's name.
    corpora : mapping of str to Corpus
        Traditions and archives to learn from, by name.
    cache_dir : Path
        Folder of the cache; checkpoints lie in ``checkpoints`` below it.
    progress : callable, optional
        Called with (``"train"``, steps done, steps in all); not called where the cache has the checkpoint.

    Returns
    -------
    Checkpoint
        The network in evaluation mode, its vocabulary and its record. A damaged file is replaced by a new training.

    Raises
    ------
    InputError
        If the archives leave nothing to train on.
    StorageError
        If the checkpoint cannot be written.
    """
    path = checkpoint_path(config, corpora, cache_dir)
    if path.exists():
        try:
            return read_checkpoint(path)
        except (*UNREADABLE, InputError):  # damaged: made anew, to the same bits
            path.unlink(missing_ok=True)
    network, vocabulary, split = train_network(config, corpora, progress)
    record = _judge(config, corpora, network, vocabulary, split, path)
    write_arrays(path, _arrays(network, vocabulary, record, config))
    return Checkpoint(network, vocabulary, record)


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint in a file.

    Parameters
    ----------
    path : Path
        An ``.npz`` that `load_or_train` wrote.

    Returns
    -------
    Checkpoint
        Its record names ``path`` as the file, wherever it was first written.

    Raises
    ------
    InputError
        If its content does not have the hash it states.
    """
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(bytes(file["header"]).decode())
        arrays = {k.removeprefix(_WEIGHT): file[k] for k in file.files if k.startswith(_WEIGHT)}
    stated: dict[str, Any] = header["vocabulary"]
    lists = {k: tuple(v) for k, v in stated.items() if isinstance(v, list)}
    vocabulary = Vocabulary(**{**stated, **lists})
    record = TrainingRecord(
        **{**header["record"], "path": str(path), "nll_by_tradition": _pairs(header["record"]["nll_by_tradition"])}
    )
    if _weights_sha256(arrays, vocabulary, header["config"]) != record.checkpoint_sha256:
        raise InputError("the checkpoint's weights do not have the hash it states", str(path), "delete the file")
    size = header["config"]
    network = Network(Shape.of(vocabulary, size["width"], size["layers"], size["heads"]))
    network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    return Checkpoint(network.eval(), vocabulary, record)


def ngram_losses(vocabulary: Vocabulary, split: Split) -> dict[str, tuple[float, int]]:
    """Return for each tradition the 5-gram's held-out loss in nats per event, and the number of held-out events.

    Two readings of a piece are counted, and the lower loss stands: one symbol per event, whose context reaches four
    events back, and one symbol per token, which is less sparse (ornament tokens left out where there are none).
    """
    losses: dict[str, tuple[float, int]] = {}
    for code, name in enumerate(vocabulary.traditions, start=1):
        train = [p for p in split.train if p.context[0, 0] == code]
        held_out = [p for p in split.held_out if p.context[0, 0] == code]
        num_events = sum(p.num_events for p in held_out)
        if train and num_events:
            losses[name] = (_ngram_loss(vocabulary, train, held_out) / num_events, num_events)
    return losses


def _ngram_loss(vocabulary: Vocabulary, train: Sequence[Events], held_out: Sequence[Events]) -> float:
    pitches, durations, ornaments = vocabulary.token_sizes
    with_ornaments = any(p.tokens[:, 2].any() for p in [*train, *held_out])
    last = 3 if with_ornaments else 2
    base = np.array([0, pitches, pitches + durations])

    def by_token(p: Events) -> npt.NDArray[np.int64]:
        return (p.tokens + base)[:, :last].ravel().astype(np.int64)

    def by_event(p: Events) -> npt.NDArray[np.int64]:
        return ((p.tokens[:, 0] * durations + p.tokens[:, 1]) * ornaments + p.tokens[:, 2]).astype(np.int64)

    totals: list[float] = []
    for read, num_symbols in ((by_token, int(base[2]) + ornaments), (by_event, pitches * durations * ornaments)):
        try:
            model = WittenBell([read(p) for p in train], num_symbols, NGRAM_ORDER)
        except ValueError:  # more different events than its packed contexts hold
            continue
        totals.append(sum(float(model.nll(read(p)).sum()) for p in held_out))
    return min(totals)


def _judge(
    config: GeneratorConfig,
    corpora: Mapping[str, Corpus],
    network: Network,
    vocabulary: Vocabulary,
    split: Split,
    path: Path,
) -> TrainingRecord:
    ngram = ngram_losses(vocabulary, split)
    by_tradition: dict[str, tuple[float, float]] = {}
    for name, (loss, _) in ngram.items():
        code = vocabulary.traditions.index(name) + 1
        own = [p for p in split.held_out if p.context[0, 0] == code]
        by_tradition[name] = (held_out_loss(network, own, conditioned=True), loss)
    events = sum(n for _, n in ngram.values())
    arrays = {k: v.numpy() for k, v in network.state_dict().items()}
    return TrainingRecord(
        checkpoint_sha256=_weights_sha256(arrays, vocabulary, _trained_config(config)),
        corpora_sha256=corpora_sha256(corpora),
        path=str(path),
        steps=training_steps(config, sum(p.num_events for p in split.train)),
        num_parameters=sum(p.numel() for p in network.parameters()),
        train_pieces=len(split.train),
        held_out_pieces=len(split.held_out),
        unusable_pieces=split.unusable,
        train_events=sum(p.num_events for p in split.train),
        held_out_events=sum(p.num_events for p in split.held_out),
        nll_conditioned=held_out_loss(network, split.held_out, conditioned=True),
        nll_unconditioned=held_out_loss(network, split.held_out, conditioned=False),
        nll_ngram=sum(loss * n for loss, n in ngram.values()) / events if events else math.nan,
        nll_by_tradition=by_tradition,
    )


def _trained_config(config: GeneratorConfig) -> dict[str, float]:
    return {name: getattr(config, name) for name in TRAINED}


def _weights_sha256(arrays: Mapping[str, npt.NDArray[np.float32]], vocabulary: Vocabulary, config: object) -> str:
    h = hashlib.sha256(json.dumps([dataclasses.asdict(vocabulary), config], sort_keys=True).encode())
    for name in sorted(arrays):
        h.update(name.encode())
        h.update(np.ascontiguousarray(arrays[name]).tobytes())
    return h.hexdigest()


def _arrays(
    network: Network, vocabulary: Vocabulary, record: TrainingRecord, config: GeneratorConfig
) -> dict[str, npt.NDArray[np.generic]]:
    header = {
        "vocabulary": dataclasses.asdict(vocabulary),
        "record": {**dataclasses.asdict(record), "path": ""},
        "config": _trained_config(config),
    }
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    weights = {_WEIGHT + k: v.numpy() for k, v in network.state_dict().items()}
    return {"header": text, **weights}


def _pairs(stated: dict[str, list[float]]) -> dict[str, tuple[float, float]]:
    return {name: (float(a), float(b)) for name, (a, b) in stated.items()}
