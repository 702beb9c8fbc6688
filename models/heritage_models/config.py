"""Configuration of traditions, generators and recommenders: frozen sections, one default each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from heritage_sim.base import Section, parameter


class TraditionConfig(Section):
    """One tradition of a scenario: where its tuning and archive come from."""

    name: str = Field(min_length=1, description="Key of the tradition in the scenario; communities refer to it.")
    kind: Literal["gamelan", "chinese", "panpipes", "imported", "scl"] = Field(
        description="Source: built-in gamelan, chinese, panpipes; imported (`heritage corpus import`); scl (a file)."
    )
    num_works: int = Field(
        default=220, ge=2, le=20_000, description="Archive works to use, or all if there are fewer [works]."
    )
    tuning: str = Field(
        default="",
        description="Measured tuning by its file name in the scale library, without .scl; empty for the kind's own.",
    )
    path: str = Field(
        default="",
        description="kind scl: the .scl file. kind imported: the imported folder; empty looks it up by name.",
    )
    imported: str = Field(
        default="",
        description="kind imported: name given to `heritage corpus import`; empty uses the tradition's name.",
    )
    min_notes: int = Field(default=16, ge=4, le=512, description="Shortest archive piece [events].")
    max_notes: int = Field(
        default=64, ge=8, le=1024, description="Longest archive piece; longer ones are cut to whole cycles [events]."
    )
    min_step_count: int = Field(
        default=2, ge=1, description="How often the archive must show a melodic step for it to be legal [times]."
    )
    ornament_quantiles: tuple[float, float] = Field(
        default=(0.05, 0.95),
        description="Quantiles of the archive pieces' ornament rates that bound the allowed range [1].",
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

    kind: Literal["transformer", "pool", "archive", "serve"] = Field(
        default="pool",
        description="transformer (in process), pool (pre-made pieces), archive (retrieval only), serve (service).",
    )
    masks: bool = Field(default=True, description="Whether decoding is bound by the tradition's constraint tables.")
    conditioning: bool = Field(
        default=True,
        description="Whether the model is told tradition, cycle and position in it, and opens as its source does.",
    )
    takes: int = Field(default=1, ge=1, le=64, description="Different pieces that can be had on one source [pieces].")
    max_notes: int = Field(default=64, ge=8, le=1024, description="Longest generated piece [events].")
    num_cycles: int = Field(
        default=0, ge=0, le=64, description="Length of a generated piece [cycles]; 0 for as many as its source has."
    )
    temperature: float = Field(default=1.0, gt=0.0, le=4.0, description="Sampling temperature [1].")
    steps: int = Field(default=250, ge=1, description="Training steps; never a training time [steps].")
    max_passes: int = Field(
        default=18,
        ge=1,
        description="Times the whole archive may be gone through: where it is small, training ends before `steps`, for "
        "it would be learnt by heart [passes].",
    )
    batch: int = Field(default=16, ge=1, description="Sequences per training step [sequences].")
    context: int = Field(default=96, ge=16, le=4096, description="Events the model sees at once [events].")
    width: int = Field(default=128, ge=16, description="Width of the model [1].")
    layers: int = Field(default=3, ge=1, le=48, description="Transformer blocks [1].")
    heads: int = Field(default=4, ge=1, description="Attention heads [1].")
    learning_rate: float = Field(default=3e-3, gt=0.0, le=1.0, description="Peak learning rate [1].")
    weight_decay: float = Field(default=1.0, ge=0.0, description="Weight decay of AdamW; archives are small [1].")
    condition_dropout: float = Field(
        default=0.2,
        gt=0.0,
        lt=1.0,
        description="Share of training rows whose conditioning is withheld, to serve the unconditioned arm [1].",
    )
    held_out_share: float = Field(
        default=0.1, ge=0.0, le=0.9, description="Share of archive pieces kept for validation, by content hash [1]."
    )
    training_seed: int = Field(default=20260101, ge=0, description="Seed of initial weights and batches [1].")
    prompt_notes: int = Field(
        default=8, ge=0, description="Most events of the source's first cycle that open a conditioned piece [events]."
    )
    slots: int = Field(
        default=48, ge=1, le=4096, description="Pieces decoded side by side; part of the checkpoint's numerics [slots]."
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
