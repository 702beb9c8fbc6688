"""From a configuration to a generator; torch is imported only where pieces or weights have to be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from heritage_models.config import GeneratorConfig
from heritage_models.fidelity import FidelityMeter
from heritage_models.generator.archive import ArchiveGenerator
from heritage_models.generator.fingerprint import decoding_key
from heritage_models.generator.pool import PoolGenerator, fill_pool, pool_path, read_pool, write_pool
from heritage_models.generator.requests import Sources
from heritage_models.storage import UNREADABLE
from heritage_models.traditions.tradition import Corpus
from heritage_sim.base import Generator, InputError, MissingPartError

if TYPE_CHECKING:
    from heritage_models.generator.checkpoint import TrainingRecord
    from heritage_models.generator.transformer import TransformerGenerator

Progress = Callable[[str, int, int], None]


def make_generator(
    config: GeneratorConfig,
    corpora: Mapping[str, Corpus],
    root_seed: int,
    cache_dir: Path,
    progress: Progress | None = None,
) -> Generator:
    """Return the generator of a configuration, training the model and filling the pool where the cache lacks them.

    Parameters
    ----------
    config : GeneratorConfig
        What is asked for; ``kind: serve`` is made by `heritage_serving`.
    corpora : mapping of str to Corpus
        Every tradition of the scenario, by name.
    root_seed : int
        Seed of the scenario.
    cache_dir : Path
        Where checkpoints and pools are kept by content hash.
    progress : callable, optional
        Called with (stage, done, total); stages are ``train`` and ``pool``.

    Returns
    -------
    Generator

    Raises
    ------
    InputError
        If there is no tradition or an archive is empty, or the kind is not made here.
    MissingPartError
        If a model is needed and torch is not installed.
    """
    _refuse_empty(corpora)
    if config.kind == "archive":
        return ArchiveGenerator(corpora, config.takes)
    if config.kind == "transformer":
        return make_transformer(config, corpora, root_seed, cache_dir, progress)
    if config.kind == "pool":
        return _make_pool(config, corpora, root_seed, cache_dir, progress)
    raise InputError(
        f"generator.kind {config.kind!r} is not made in process",
        "generator.kind",
        "one of: transformer, pool, archive; serve is wired by the experiment",
    )


def make_transformer(
    config: GeneratorConfig,
    corpora: Mapping[str, Corpus],
    root_seed: int,
    cache_dir: Path,
    progress: Progress | None = None,
) -> TransformerGenerator:
    """Return the in-process generator; also what a service replica runs.

    Parameters
    ----------
    config : GeneratorConfig
        Size and training of the network, and how it decodes; ``kind`` is not read.
    corpora : mapping of str to Corpus
        Every tradition of the scenario, by name.
    root_seed : int
        Seed of the scenario, for the random numbers of decoding.
    cache_dir : Path
        Where checkpoints are kept by content hash.
    progress : callable, optional
        Called with (``"train"``, steps done, steps in all) while the model is trained.

    Returns
    -------
    TransformerGenerator
        With a trained network; no piece is made yet.

    Raises
    ------
    InputError
        If an archive is empty.
    MissingPartError
        If torch is not installed.
    """
    _refuse_empty(corpora)
    _require_torch()
    from heritage_models.generator.checkpoint import load_or_train
    from heritage_models.generator.transformer import TransformerGenerator

    checkpoint = load_or_train(config, corpora, cache_dir, progress)
    measures = {name: FidelityMeter(corpus).measure for name, corpus in corpora.items()}
    return TransformerGenerator(config, corpora, root_seed, checkpoint, measures)


def train(
    config: GeneratorConfig, corpora: Mapping[str, Corpus], cache_dir: Path, progress: Progress | None = None
) -> TrainingRecord:
    """Train the model of a configuration, or find it in the cache, and return its record.

    Parameters
    ----------
    config : GeneratorConfig
        Size and training of the network.
    corpora : mapping of str to Corpus
        Traditions and archives to learn from, by name.
    cache_dir : Path
        Where checkpoints are kept by content hash.
    progress : callable, optional
        Called with (``"train"``, steps done, steps in all) while the model is trained.

    Returns
    -------
    TrainingRecord
        The checkpoint's file and hash, pieces by use, and held-out losses in nats per event.

    Raises
    ------
    InputError
        If an archive is empty.
    MissingPartError
        If torch is not installed.
    """
    _refuse_empty(corpora)
    _require_torch()
    from heritage_models.generator.checkpoint import load_or_train

    return load_or_train(config, corpora, cache_dir, progress).record


def _make_pool(
    config: GeneratorConfig,
    corpora: Mapping[str, Corpus],
    root_seed: int,
    cache_dir: Path,
    progress: Progress | None,
) -> PoolGenerator:
    path = pool_path(decoding_key(config, corpora, root_seed), cache_dir)
    if path.exists():
        try:
            pieces, checkpoint_sha256 = read_pool(path)
            return PoolGenerator(pieces, checkpoint_sha256, corpora, config.takes)
        except UNREADABLE:  # damaged: made anew, to the same bits
            path.unlink(missing_ok=True)
    model = make_transformer(config, corpora, root_seed, cache_dir, progress)
    pieces = fill_pool(model, Sources(corpora, config.takes), progress)
    write_pool(path, pieces, model.checkpoint_sha256)
    return PoolGenerator(pieces, model.checkpoint_sha256, corpora, config.takes)


def _refuse_empty(corpora: Mapping[str, Corpus]) -> None:
    empty = [name for name, corpus in corpora.items() if not corpus.pieces]
    if empty or not corpora:
        where = f"tradition {empty[0]!r}" if empty else "traditions"
        raise InputError("there is no archive work to build on", where, "give every tradition at least two works")


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingPartError(
            "this generator needs torch, which is not installed",
            "generator.kind",
            "pip install 'heritage-economy[models]', or set generator.kind: archive",
        ) from error
