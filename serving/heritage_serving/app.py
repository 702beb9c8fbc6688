"""What `serve run serving/deploy/generator.yaml` builds: the gateway and composer, from a file's arguments alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import Field
from ray import serve

from heritage_models.config import GeneratorConfig, TraditionConfig
from heritage_serving.config import ServingConfig
from heritage_serving.deployment import http_application
from heritage_serving.session import GATEWAY_CPUS
from heritage_sim.base import Generator, Section


class ServedGenerator(Section):
    """The arguments of the application, as they stand under ``args`` in the deployment file."""

    traditions: tuple[TraditionConfig, ...] = Field(min_length=1, description="Traditions the generator knows.")
    generator: GeneratorConfig = Field(description="The generator; kind transformer, pool or archive.")
    root_seed: int = Field(ge=0, lt=2**63, description="Seed of the scenario whose pieces these are.")
    cache_dir: Path = Field(description="Folder of checkpoints and pools, by content hash; ~ is the home folder.")
    serving: ServingConfig = Field(default_factory=ServingConfig, description="Replicas and batches.")


def build(args: ServedGenerator) -> serve.Application:
    """Return the application; each replica builds the generator once, from the cache where it is there."""
    return http_application(partial(_generator, args), args.serving, GATEWAY_CPUS)


def _generator(args: ServedGenerator) -> Generator:
    from heritage_models.generator.factory import make_generator
    from heritage_models.traditions import load_corpus

    cache_dir = args.cache_dir.expanduser()
    corpora = {t.name: load_corpus(t, args.root_seed, cache_dir) for t in args.traditions}
    return make_generator(args.generator, corpora, args.root_seed, cache_dir)
