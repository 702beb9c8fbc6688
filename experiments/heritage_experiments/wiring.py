"""The one place where parts meet: from a resolved scenario and a replication to an `Economy`.

What does not depend on the replication (corpora, encoder, pieces, the archive as rows) is made once in a process and
shared by all its replications. Streams are keyed by (scenario seed, replication) and never by arm, cell or rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from heritage_experiments.registry import make_own, rule_of
from heritage_experiments.scenario import Scenario
from heritage_models.config import GeneratorConfig, TraditionConfig
from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Executor,
    Generator,
    InputError,
    Keys,
    Ledger,
    Origin,
    People,
    Piece,
    Population,
    Recommender,
    WorkBatch,
    WorkFeatures,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from heritage_agents.communities.transmission.stock import PracticeStock
    from heritage_models.encoder import NoteEncoder
    from heritage_models.performance import Performer
    from heritage_models.traditions.tradition import Corpus
    from heritage_sim.economy import Economy
    from heritage_sim.fraud import FraudRing
    from heritage_sim.parts import Parts

Traditions = tuple[TraditionConfig, ...]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What an economy is run in; nothing here changes an outcome.

    Parameters
    ----------
    cache_dir : Path
        Where corpora, checkpoints and pools are kept.
    num_shards : int
        Parts the listeners are divided into.
    shards_on_ray : bool
        Whether each shard is a Ray actor.
    services : mapping of GeneratorConfig to Generator
        Running services that answer for ``generator.kind: serve``.
    on_shard_lost : callable, optional
        Called with the number of a shard whose Ray actor died, before it is built again.
    """

    cache_dir: Path
    num_shards: int = 1
    shards_on_ray: bool = False
    services: Mapping[GeneratorConfig, Generator] = field(default_factory=dict)
    on_shard_lost: Callable[[int], None] | None = None


def build_economy(scenario: Scenario, replication: int, surroundings: Surroundings) -> Economy:
    """Return the economy of one replication of a resolved scenario, before its first day.

    Parameters
    ----------
    scenario : Scenario
        A cell's scenario (`resolve_cell`).
    replication : int
        Number of the replication.
    surroundings : Surroundings
        Where it runs.

    Returns
    -------
    Economy
    """
    from heritage_sim.economy import Economy

    keys = Keys(scenario.seed, replication)
    return Economy(scenario.economy, build_parts(scenario, replication, keys, surroundings), keys)


def build_parts(scenario: Scenario, replication: int, keys: Keys, surroundings: Surroundings) -> Parts:
    """Return the parts of one replication."""
    from heritage_agents.adversaries.sybils import sybil_names
    from heritage_agents.communities.repertoire import archive_uses
    from heritage_agents.people import creator_names
    from heritage_sim.parts import Parts

    names = tuple(t.name for t in scenario.traditions)
    community_tradition = np.array([names.index(c.tradition) for c in scenario.communities], dtype=np.int32)
    archive = archive_of(
        scenario.traditions, tuple(community_tradition.tolist()), scenario.seed, surroundings.cache_dir
    )
    ledger = scenario.ledger.of_replication(replication)
    creators = creator_names(scenario.creators, scenario.communities) + sybil_names(scenario.adversaries.sybils)
    payees = tuple(f"{c.name} fund" for c in scenario.communities) + creators
    return Parts(
        traditions=names,
        community_names=tuple(c.name for c in scenario.communities),
        community_tradition=community_tradition,
        creator_names=creators,
        archive=archive,
        archive_uses=archive_uses(scenario.communities, archive.community, keys),
        takes=scenario.generator.takes,
        performer=performer_of(scenario.traditions, scenario.seed, surroundings.cache_dir),
        generator=generator_for(scenario, surroundings),
        encoder=encoder_of(scenario.traditions, scenario.seed, surroundings.cache_dir),
        rule=rule_of(scenario.royalty.rule),
        shadow_rules=tuple(rule_of(r) for r in scenario.royalty.shadow),
        ledger_name=scenario.own_parts.get("ledger", ledger.kind),
        make_people=partial(_people, scenario, keys),
        make_recommender=partial(_recommender, scenario, keys),
        make_executor=partial(_executor, scenario, keys, archive, surroundings),
        make_ledger=partial(_ledger, scenario, replication, payees),
        money_chain=scenario.money_chain,
        evaluation=scenario.evaluation,
        making=scenario.creators.making_rules,
        make_ring=partial(_ring, scenario, keys) if scenario.adversaries.is_on else None,
    )


@lru_cache(maxsize=8)
def corpora_of(traditions: Traditions, seed: int, cache_dir: Path) -> Mapping[str, Corpus]:
    """Return the corpora of a scenario by tradition.

    Parameters
    ----------
    traditions : tuple of TraditionConfig
        The scenario's traditions.
    seed : int
        The scenario's seed.
    cache_dir : Path
        Where what was read is kept.

    Returns
    -------
    mapping of str to Corpus

    Raises
    ------
    InputError
        If a corpus is empty.
    """
    from heritage_models.traditions import load_corpus

    corpora = {t.name: load_corpus(t, seed, cache_dir) for t in traditions}
    for name, corpus in corpora.items():
        if not corpus.pieces:
            raise InputError(
                f"the corpus of tradition {name!r} has no piece",
                f"traditions: {name}",
                "lower min_notes, raise max_notes, or import other scores",
            )
    return corpora


@lru_cache(maxsize=8)
def encoder_of(traditions: Traditions, seed: int, cache_dir: Path) -> NoteEncoder:
    """Return the encoder of a scenario's traditions."""
    from heritage_models.encoder import NoteEncoder

    return NoteEncoder(corpora_of(traditions, seed, cache_dir))


@lru_cache(maxsize=8)
def performer_of(traditions: Traditions, seed: int, cache_dir: Path) -> Performer:
    """Return who plays the recordings."""
    from heritage_models.performance import Performer

    return Performer(corpora_of(traditions, seed, cache_dir), seed)


@lru_cache(maxsize=8)
def archive_of(traditions: Traditions, community_tradition: tuple[int, ...], seed: int, cache_dir: Path) -> WorkBatch:
    """Return the archive as rows; communities of one tradition hold its works in turn."""
    corpora = corpora_of(traditions, seed, cache_dir)
    pieces: list[Piece] = []
    tradition: list[int] = []
    community: list[int] = []
    for t, config in enumerate(traditions):
        holders = [c for c, own in enumerate(community_tradition) if own == t]
        for i, piece in enumerate(corpora[config.name].pieces):
            pieces.append(piece)
            tradition.append(t)
            community.append(holders[i % len(holders)])
    n = len(pieces)
    hashes = b"".join(bytes.fromhex(p.receipt.piece_sha256) for p in pieces)
    return WorkBatch(
        vectors=encoder_of(traditions, seed, cache_dir).encode(pieces),
        tradition=np.array(tradition, dtype=np.int32),
        community=np.array(community, dtype=np.int32),
        creator=np.full(n, NO_ONE, dtype=np.int32),
        origin=np.full(n, Origin.ARCHIVE, dtype=np.int8),
        synthetic=np.array([p.synthetic for p in pieces], dtype=np.bool_),
        consistency=np.array([p.fidelity.consistency for p in pieces], dtype=np.float32),
        duration_s=np.array([p.notes.duration_s for p in pieces], dtype=np.float32),
        day=np.zeros(n, dtype=np.int32),
        parents=np.full((n, MAX_PARENTS), NO_ONE, dtype=np.int32),
        content_sha256=np.frombuffer(hashes, dtype=np.uint8).reshape(n, 32),
    )


def generator_for(scenario: Scenario, surroundings: Surroundings, progress: Progress | None = None) -> Generator:
    """Return what answers a scenario's commissions to derive: made here, or a running service."""
    config = scenario.generator
    own = scenario.own_parts.get("generator")
    if own is None and config.kind == "serve":
        service = surroundings.services.get(config)
        if service is None:
            raise InputError(
                "no generation service is running for this scenario",
                "generator.kind: serve",
                "start it through heritage run",
            )
        return service
    made = (own, scenario.traditions, scenario.seed, surroundings.cache_dir, _Quiet(progress))
    return generator_of(config, *made)  # pyright: ignore[reportArgumentType] (frozen models hash)


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Progress that does not tell one memo entry from another."""

    report: Progress | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def generator_of(
    config: GeneratorConfig, own: str | None, traditions: Traditions, seed: int, cache_dir: Path, progress: _Quiet
) -> Generator:
    """Return a generator in this process; trains or fills a pool if the cache does not hold it yet."""
    corpora = corpora_of(traditions, seed, cache_dir)
    if own is not None:
        return make_own("generator", own, config, corpora, seed)
    from heritage_models.generator import make_generator

    return make_generator(config, corpora, seed, cache_dir, progress.report)


def served_generator(config: GeneratorConfig, traditions: Traditions, seed: int, cache_dir: Path) -> Generator:
    """Return the generator that stands behind a service: the same one, in process."""
    behind = config.model_copy(update={"kind": "transformer"})
    made = (None, traditions, seed, cache_dir, _Quiet(None))
    return generator_of(behind, *made)  # pyright: ignore[reportArgumentType] (frozen models hash)


def archive_features(archive: WorkBatch) -> WorkFeatures:
    """Return the archive as listeners' first tastes are centred on it."""
    return WorkFeatures(
        vectors=archive.vectors,
        tradition=archive.tradition,
        community=archive.community,
        day=archive.day,
        consistency=archive.consistency,
        duration_s=archive.duration_s,
        available=np.ones(archive.num_works, dtype=np.bool_),
    )


def _people(scenario: Scenario, keys: Keys, model: Any) -> People:
    from heritage_agents.adversaries.sybils import PeopleWithSybils
    from heritage_agents.people import make_people

    practice = practice_of(scenario)
    people = make_people(model, scenario.creators, scenario.communities, keys, practice=practice)
    if not scenario.adversaries.sybils:
        return people
    # What it does not change it passes on by name, which a type checker cannot see.
    with_names: Any = PeopleWithSybils(people, _community_of_ring(scenario), scenario.adversaries.sybils)
    return with_names


def practice_of(scenario: Scenario) -> PracticeStock:
    """Return the practising bearers of an economy, by a form that is registered or the user's own."""
    from heritage_agents.communities.transmission.stock import PracticeStock

    own = scenario.own_parts.get("transmission")
    if own:
        return PracticeStock(scenario.transmission, scenario.communities, partial(make_own, "transmission", own))
    return PracticeStock(scenario.transmission, scenario.communities)


def _community_of_ring(scenario: Scenario) -> int:
    from heritage_agents.adversaries.sybils import community_of

    return community_of(scenario.adversaries.colluder, scenario.creators, scenario.communities)


def _ring(scenario: Scenario, keys: Keys, creator_community: NDArray[np.int32]) -> FraudRing:
    from heritage_agents.adversaries.ring import Ring

    _community_of_ring(scenario)
    return Ring(scenario.adversaries, scenario.listeners, keys, len(scenario.communities), creator_community)


def _recommender(scenario: Scenario, keys: Keys) -> Recommender:
    own = scenario.own_parts.get("recommender")
    if own:
        return make_own("recommender", own, scenario.recommender, keys)
    from heritage_models.recommenders import make_recommender

    return make_recommender(scenario.recommender, keys)


def _ledger(scenario: Scenario, replication: int, payees: Sequence[str]) -> Ledger:
    own = scenario.own_parts.get("ledger")
    config = scenario.ledger.of_replication(replication)
    if own:
        return make_own("ledger", own, config, payees, scenario.economy.genesis_s)
    from heritage_contracts import make_ledger

    make: Any = make_ledger
    # On a node the keys have one owner; where Ray runs it is an actor, which outlives whoever asks it.
    if config.kind in ("anvil", "rpc") and "ray" in sys.modules and sys.modules["ray"].is_initialized():
        from heritage_contracts.sending.ray_owner import OwnedLedger

        make = OwnedLedger
    return make(config, payees, scenario.economy.genesis_s, payee_communities=payee_communities_of(scenario))


def payee_communities_of(scenario: Scenario) -> tuple[int, ...]:
    """Return the community of each payee: the communities' funds first, then creators in the order of their ids."""
    communities = range(len(scenario.communities))
    ring = [_community_of_ring(scenario)] * scenario.adversaries.sybils if scenario.adversaries.sybils else []
    return (*communities, *(c for c in communities for _ in range(scenario.creators.num_per_community)), *ring)


def _executor(scenario: Scenario, keys: Keys, archive: WorkBatch, surroundings: Surroundings) -> Executor:
    from heritage_agents.listeners.cohort import make_shard
    from heritage_sim.sharding import shard_bounds

    features, sample = archive_features(archive), scenario.economy.session_sample
    num_shards = min(surroundings.num_shards, scenario.listeners.num_listeners)
    engine = (scenario.runtime.listener_engine, scenario.runtime.listener_device)
    factories: list[Callable[[], Population]] = [
        partial(make_shard, scenario.listeners, keys, first, stop, features, scenario.communities, sample, engine)
        for first, stop in shard_bounds(scenario.listeners.num_listeners, num_shards)
    ]
    if scenario.adversaries.bots:
        from heritage_agents.adversaries.shard import bot_bounds, make_shard_with_bots

        factories = [
            partial(make_shard_with_bots, make, scenario.adversaries, scenario.listeners, keys, *bounds)
            for make, bounds in zip(factories, bot_bounds(scenario.adversaries.bots, num_shards), strict=True)
        ]
    if surroundings.shards_on_ray:
        from heritage_sim.executors.ray_executor import RayExecutor

        return RayExecutor(factories, surroundings.on_shard_lost)
    from heritage_sim.executors import LocalExecutor

    return LocalExecutor(factories, scenario.runtime.threads)
