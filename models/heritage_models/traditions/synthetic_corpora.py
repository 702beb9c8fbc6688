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
    source = Source(
        title="Gamelan, measured tuning, synthetic melodies",
        tuning=tuning,
        ornaments=GATRA_ORNAMENTS,
        tick_s=GATRA_TICK_S,
        synthetic=True,
        credit=f"Melodies: synthetic. Tuning: {tuning.source}",
    )
    return learn_corpus(config, source, gatra_pieces(tuning, config.num_works, root_seed, config.name), root_seed)


def panpipes(config: TraditionConfig, root_seed: int) -> Corpus:
    """Return synthetic phrases in the tuning of a measured row of pipes, which does not repeat."""
    tuning = measured_tuning(config.tuning or PANPIPES_TUNING, f"traditions: {config.name}: tuning", repeats=False)
    source = Source(
        title="Andean panpipes, measured tuning, synthetic melodies",
        tuning=tuning,
        ornaments=PHRASE_ORNAMENTS,
        tick_s=PHRASE_TICK_S,
        synthetic=True,
        credit=f"Melodies: synthetic. Tuning: {tuning.source}",
    )
    return learn_corpus(config, source, phrase_melodies(tuning, config.num_works, root_seed, config.name), root_seed)


def tuning_only(config: TraditionConfig, tuning: Tuning, root_seed: int) -> Corpus:
    """Return a corpus of synthetic melodies for a tuning that comes without scores."""
    source = Source(
        title=f"{tuning.name}, synthetic melodies",
        tuning=tuning,
        ornaments=PHRASE_ORNAMENTS,
        tick_s=PHRASE_TICK_S,
        synthetic=True,
        credit=f"Melodies: synthetic. Tuning: {tuning.source}",
    )
    return learn_corpus(config, source, phrase_melodies(tuning, config.num_works, root_seed, config.name), root_seed)
