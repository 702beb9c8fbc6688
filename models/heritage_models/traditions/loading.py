"""Where each kind of tradition comes from."""

from __future__ import annotations

from pathlib import Path

from heritage_models.config import TraditionConfig
from heritage_models.traditions.chinese import load_chinese
from heritage_models.traditions.imported import load_imported
from heritage_models.traditions.scl import as_tuning, read_scl
from heritage_models.traditions.synthetic_corpora import gamelan, panpipes, tuning_only
from heritage_models.traditions.tradition import Corpus


def load(config: TraditionConfig, root_seed: int, cache_dir: Path) -> Corpus:
    """Return the corpus of a tradition, by its kind."""
    match config.kind:
        case "gamelan":
            return gamelan(config, root_seed)
        case "panpipes":
            return panpipes(config, root_seed)
        case "chinese":
            return load_chinese(config, root_seed, cache_dir)
        case "imported":
            return load_imported(config, root_seed)
        case "scl":
            path = Path(config.path)
            return tuning_only(config, as_tuning(read_scl(path), str(path), measured=False), root_seed)
