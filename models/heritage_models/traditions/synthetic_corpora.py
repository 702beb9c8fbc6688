"""Corpora of synthetic melodies in a measured or given tuning: what there is where no score could be had."""

from __future__ import annotations

from heritage_models.config import TraditionConfig
from heritage_models.traditions.learning import Source, learn_corpus
from heritage_models.traditions.synthetic import GATRA_ORNAMENTS, PHRASE_ORNAMENTS, gatra_pieces, phrase_melodies
from heritage_models.traditions.tradition import Corpus, Tuning
from heritage_models.traditions.tunings import measured_tuning

GAMELAN_TUNING = "Indonesia_Harjawinangun"
"""Slendro of a Javanese set whose period is 1225 cents."""
PANPIPES_TUNING = "Bolivia_Sikura_01"
"""A row of seventeen pipes over 2710 cents that does not repeat."""

GATRA_TICK_S = 0.3
"""Half a beat in seconds: about 100 beats a minute. Assumed."""
PHRASE_TICK_S = 0.25
"""A sixteenth in seconds: 60 quarter notes a minute. Assumed."""


def gamelan(config: TraditionConfig, root_seed: int) -> Corpus:
    """Return synthetic balungan-like melodies in the tuning of a measured gamelan."""
    tuning = measured_tuning(config.tuning or GAMELAN_TUNING, f"traditions: {config.name}: tuning")
    pieces = gatra_pieces(tuning, config.num_works, root_seed, config.name)
    source = _source("Gamelan, measured tuning, synthetic melodies", tuning, GATRA_ORNAMENTS, GATRA_TICK_S)
    return learn_corpus(config, source, pieces, root_seed)


def panpipes(config: TraditionConfig, root_seed: int) -> Corpus:
    """Return synthetic phrases in the tuning of a measured row of pipes, which does not repeat."""
    tuning = measured_tuning(config.tuning or PANPIPES_TUNING, f"traditions: {config.name}: tuning", repeats=False)
    return _phrases(config, "Andean panpipes, measured tuning, synthetic melodies", tuning, root_seed)


def tuning_only(config: TraditionConfig, tuning: Tuning, root_seed: int) -> Corpus:
    """Return a corpus of synthetic phrases for a tuning that comes without scores."""
    return _phrases(config, f"{tuning.name}, synthetic melodies", tuning, root_seed)


def _phrases(config: TraditionConfig, title: str, tuning: Tuning, root_seed: int) -> Corpus:
    pieces = phrase_melodies(tuning, config.num_works, root_seed, config.name)
    return learn_corpus(config, _source(title, tuning, PHRASE_ORNAMENTS, PHRASE_TICK_S), pieces, root_seed)


def _source(title: str, tuning: Tuning, ornaments: tuple[str, ...], tick_s: float) -> Source:
    credit = f"Melodies: synthetic. Tuning: {tuning.source}"
    return Source(title, tuning, ornaments, tick_s, synthetic=True, credit=credit)
