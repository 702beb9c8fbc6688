"""Configuration of traditions, generators and recommenders: frozen sections, one default each."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from heritage_sim.base import Section, parameter


class TraditionConfig(Section):
    """One tradition of a scenario: where its tuning and archive come from."""

    name: str = parameter(
        ...,
        "Key of the tradition in the scenario; communities refer to it.",
        unit="text",
        source="the scenario",
        min_length=1,
    )
    kind: Literal["gamelan", "chinese", "panpipes", "imported", "scl"] = parameter(
        ...,
        "Source: built-in gamelan, chinese, panpipes; imported (`heritage corpus import`); scl (a file).",
        unit="name",
        source="the scenario",
    )
    num_works: int = parameter(
        220, "Archive works to use, or all if there are fewer.", unit="works", source="the scenario", ge=2, le=20_000
    )
    tuning: str = parameter(
        "",
        "Measured tuning by its file name in the scale library, without .scl; empty for the kind's own.",
        unit="text",
        source="the scenario",
    )
    path: str = parameter(
        "",
        "kind scl: the .scl file. kind imported: the imported folder; empty looks it up by name.",
        unit="text",
        source="the scenario",
    )
    imported: str = parameter(
        "",
        "kind imported: name given to `heritage corpus import`; empty uses the tradition's name.",
        unit="text",
        source="the scenario",
    )
    min_notes: int = parameter(16, "Shortest archive piece.", unit="events", ge=4, le=512)
    max_notes: int = parameter(
        64, "Longest archive piece; longer ones are cut to whole cycles.", unit="events", ge=8, le=1024
    )
    min_step_count: int = parameter(
        2, "How often the archive must show a melodic step for it to be legal.", unit="times", ge=1
    )
    ornament_quantiles: tuple[float, float] = parameter(
        (0.05, 0.95), "Quantiles of the archive pieces' ornament rates that bound the allowed range.", unit="1"
    )

    @model_validator(mode="after")
    def _possible(self) -> TraditionConfig:
        low, high = self.ornament_quantiles
        if not 0.0 <= low < high <= 1.0:
            raise ValueError("ornament_quantiles must satisfy 0 <= low < high <= 1")
        if self.min_notes > self.max_notes:
            raise ValueError("min_notes must not exceed max_notes")
        if self.kind == "scl" and not self.path:
            raise ValueError("kind scl needs path: the .scl file")
        return self


class GeneratorConfig(Section):
    """How commissions to derive are answered, and how the model behind it is trained."""

    kind: Literal["transformer", "pool", "archive", "serve"] = parameter(
        "pool",
        "transformer (in process), pool (pre-made pieces), archive (retrieval only), serve (service).",
        unit="name",
        source="the scenario",
    )
    masks: bool = parameter(
        True, "Whether decoding is bound by the tradition's constraint tables.", unit="yes or no", source="the scenario"
    )
    conditioning: bool = parameter(
        True,
        "Whether the model is told tradition, cycle and position in it, and opens as its source does.",
        unit="yes or no",
        source="the scenario",
    )
    takes: int = parameter(
        1, "Different pieces that can be had on one source.", unit="pieces", source="the scenario", ge=1, le=64
    )
    max_notes: int = parameter(64, "Longest generated piece.", unit="events", ge=8, le=1024)
    num_cycles: int = parameter(
        0, "Length of a generated piece; 0 for as many as its source has.", unit="cycles", ge=0, le=64
    )
    temperature: float = parameter(1.0, "Sampling temperature.", unit="1", gt=0.0, le=4.0)
    steps: int = parameter(250, "Training steps; never a training time.", unit="steps", ge=1)
    max_passes: int = parameter(
        18,
        "Times the whole archive may be gone through: where it is small, training ends before `steps`, for "
        "it would be learnt by heart.",
        unit="passes",
        ge=1,
    )
    batch: int = parameter(16, "Sequences per training step.", unit="sequences", ge=1)
    context: int = parameter(96, "Events the model sees at once.", unit="events", ge=16, le=4096)
    width: int = parameter(128, "Width of the model.", unit="1", ge=16)
    layers: int = parameter(3, "Transformer blocks.", unit="1", ge=1, le=48)
    heads: int = parameter(4, "Attention heads.", unit="1", ge=1)
    learning_rate: float = parameter(3e-3, "Peak learning rate.", unit="1", gt=0.0, le=1.0)
    weight_decay: float = parameter(1.0, "Weight decay of AdamW; archives are small.", unit="1", ge=0.0)
    condition_dropout: float = parameter(
        0.2,
        "Share of training rows whose conditioning is withheld, to serve the unconditioned arm.",
        unit="1",
        gt=0.0,
        lt=1.0,
    )
    held_out_share: float = parameter(
        0.1, "Share of archive pieces kept for validation, by content hash.", unit="1", ge=0.0, le=0.9
    )
    training_seed: int = parameter(20260101, "Seed of initial weights and batches.", unit="1", ge=0)
    prompt_notes: int = parameter(
        8, "Most events of the source's first cycle that open a conditioned piece.", unit="events", ge=0
    )
    slots: int = parameter(
        48, "Pieces decoded side by side; part of the checkpoint's numerics.", unit="slots", ge=1, le=4096
    )

    @model_validator(mode="after")
    def _possible(self) -> GeneratorConfig:
        if self.width % self.heads:
            raise ValueError("width must be a multiple of heads")
        if (self.width // self.heads) % 2:
            raise ValueError("width / heads must be even: places are told apart by rotating pairs")
        return self


class RecommenderConfig(Section):
    """Which recommender offers works, and how."""

    kind: Literal["content", "popularity", "random", "ials"] = parameter(
        "content",
        "content (clusters near the listening history, popular works, exploration), popularity, random, or ials "
        "(factors of the whole catalogue by alternating least squares on plays; needs the package implicit)",
        unit="1",
    )
    num_candidates: int = parameter(40, "Candidates offered to a listener", unit="works", ge=1, le=1000)
    num_clusters: int = parameter(12, "content: clusters of works", unit="clusters", ge=1, le=1024)
    near_share: float = parameter(
        0.6, "content: share of candidates from clusters near the history", unit="1", ge=0.0, le=1.0
    )
    popular_share: float = parameter(
        0.2, "content: share of candidates that are most played; the rest explores", unit="1", ge=0.0, le=1.0
    )
    num_nearest: int = parameter(3, "content: nearest clusters to draw from", unit="clusters", ge=1)
    affinity: float = parameter(
        2.0, "Weight of the match in the score: history . vector (content), or factors (ials)", unit="1", ge=0.0
    )
    popularity_weight: float = parameter(0.2, "Weight of log(1 + decayed plays) in the score", unit="1", ge=0.0)
    half_life_days: float = parameter(14.0, "Half-life of play counts", unit="days", gt=0.0)
    ials_sample: int = parameter(
        1000,
        "ials: listeners, drawn once, from whose plays the factors are learnt; at a refresh a shard sends 8 bytes for "
        "each of them and each work",
        unit="listeners",
        ge=1,
        le=100_000,
    )
    ials_factors: int = parameter(32, "ials: learnt factors of a work", unit="factors", ge=1, le=512)
    ials_rounds: int = parameter(
        5, "ials: rounds of least squares at a refresh, which goes on from the last factors", unit="rounds", ge=1
    )
    ials_regularization: float = parameter(5.0, "ials: weight of the factors' squares in the loss", unit="1", gt=0.0)
    ials_confidence: float = parameter(
        5.0, "ials: confidence that one play adds to that of 1 in a pair never played", unit="1/play", gt=0.0
    )
    ials_exploration: float = parameter(
        0.8,
        "ials: spread of the score of a work never played, drawn for each listener, work and day; it falls with the "
        "root of plays, and stands against popularity_weight x log(1 + plays) of the works played most",
        unit="1",
        ge=0.0,
    )

    @model_validator(mode="after")
    def _possible(self) -> RecommenderConfig:
        if self.near_share + self.popular_share > 1.0 + 1e-9:
            raise ValueError("near_share + popular_share must not exceed 1")
        return self
