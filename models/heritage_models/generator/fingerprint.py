"""Content hashes by which checkpoints and pools are named: what is asked for and the code that makes it, no more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from heritage_models.config import GeneratorConfig
from heritage_models.traditions.tradition import Corpus

TRAINED = (
    "steps",
    "batch",
    "max_passes",
    "context",
    "width",
    "layers",
    "heads",
    "learning_rate",
    "weight_decay",
    "condition_dropout",
    "held_out_share",
    "training_seed",
)
DECODED = (
    *TRAINED,
    "masks",
    "conditioning",
    "takes",
    "max_notes",
    "num_cycles",
    "temperature",
    "prompt_notes",
    "slots",
)

_PACKAGE = Path(__file__).resolve().parent.parent
_TRAINING_CODE = (
    "philox_torch.py",
    "ngram.py",
    "traditions/tradition.py",
    "generator/tokens.py",
    "generator/network.py",
    "generator/training.py",
    "generator/checkpoint.py",
)
_DECODING_CODE = (
    *_TRAINING_CODE,
    "fidelity.py",
    "generator/constraints.py",
    "generator/engine.py",
    "generator/requests.py",
    "generator/transformer.py",
    "generator/pool.py",
)


def corpora_sha256(corpora: Mapping[str, Corpus]) -> str:
    """Return the hash of the traditions' rules and the content of their archives, whatever order they come in."""
    h = hashlib.sha256()
    for name in sorted(corpora):
        h.update(f"{name}\x1f{corpora[name].tradition.sha256()}".encode())
        for piece in corpora[name].pieces:
            h.update(piece.receipt.piece_sha256.encode())
    return h.hexdigest()


def training_key(config: GeneratorConfig, corpora: Mapping[str, Corpus]) -> str:
    """Return the name of the checkpoint that this configuration makes of these corpora, 64 hex digits."""
    return _key(_chosen(config, TRAINED), corpora, _TRAINING_CODE, "")


def decoding_key(config: GeneratorConfig, corpora: Mapping[str, Corpus], root_seed: int) -> str:
    """Return the name of the pool of pieces that this configuration makes of these corpora, 64 hex digits."""
    return _key(_chosen(config, DECODED), corpora, _DECODING_CODE, str(root_seed))


def _chosen(config: GeneratorConfig, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


def _key(chosen: dict[str, Any], corpora: Mapping[str, Corpus], code: tuple[str, ...], extra: str) -> str:
    h = hashlib.sha256()
    h.update(json.dumps([chosen, corpora_sha256(corpora), extra, _torch_version()], sort_keys=True).encode())
    for name in code:
        h.update((_PACKAGE / name).read_bytes())
    return h.hexdigest()


def _torch_version() -> str:
    """Return the installed torch version without importing torch; empty where it is not installed."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""
