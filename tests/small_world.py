"""A small economy for tests: real listeners, people, rules and ledger; models that can be seen through at a glance.

Pieces are four notes that follow from the request, vectors a hash of the notes. The recommender offers every work and
favours what was played. No network, no training, no corpus.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from plain_recommender import PlainRecommender, PlainState

from heritage_agents.communities.repertoire import archive_uses
from heritage_agents.communities.transmission.stock import PracticeStock
from heritage_agents.config import CommunityConfig, CreatorsConfig, ListenersConfig, TransmissionConfig
from heritage_agents.listeners.cohort import make_shard
from heritage_agents.people import creator_names, make_people
from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_sim.base import (
    MAX_PARENTS,
    NO_ONE,
    Fidelity,
    GenerationError,
    Keys,
    Notes,
    Origin,
    Piece,
    Receipt,
    WorkBatch,
    WorkFeatures,
    World,
)
from heritage_sim.config import EconomyConfig
from heritage_sim.economy import Economy
from heritage_sim.executors import LocalExecutor
from heritage_sim.parts import Parts
from heritage_sim.royalty import make_rule
from heritage_sim.sharding import shard_bounds

TRADITIONS = ("reed", "slate")
COMMUNITIES = (
    CommunityConfig(name="Ossary", tradition="reed", share_bps=3_000, listener_share=2.0),
    CommunityConfig(name="Velmoor", tradition="slate", share_bps=2_000, listener_share=1.0, activity=1.5),
    CommunityConfig(name="Tarnhal", tradition="slate", share_bps=4_000, listener_share=1.0),
)
LISTENERS = ListenersConfig(num_listeners=120)
CREATORS = CreatorsConfig(num_per_community=4, base_log_odds=-2.0)
DIM = 8
WORKS_PER_TRADITION = 12
KEYS = Keys(root_seed=11, replication=1)


def four_notes(name: str) -> Notes:
    code = hashlib.sha256(name.encode()).digest()
    degree = np.array([b % 7 for b in code[:4]], dtype=np.int16)
    return Notes(
        degree=degree,
        period=np.zeros(4, dtype=np.int16),
        duration_ticks=np.array([1 + b % 4 for b in code[4:8]], dtype=np.int32),
        ornament=np.zeros(4, dtype=np.int8),
        cents=degree.astype(np.float64) * 171.0,
        ticks_per_cycle=8,
        tick_s=12.0,
    )


def piece(name: str, tradition: str, origin: Origin, consistency: float, request: str = "", sources=()) -> Piece:
    notes = four_notes(name)
    return Piece(
        notes=notes,
        tradition=tradition,
        title=name,
        origin=origin,
        synthetic=True,
        fidelity=Fidelity(3, int(consistency < 0.5), 1, 0, 0.0, False, 0.0, 1.0, consistency),
        receipt=Receipt(request, 0, "", notes.sha256(), tuple(sources)),
    )


@dataclass
class PlainComposer:
    """Four notes from (tradition, source, take) alone; remembers its batches, so that tests can see what was asked."""

    origin: Origin
    consistency: float = 0.8
    batches: list[tuple[str, ...]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    checkpoint_sha256: str = ""

    def compose(self, commissions):
        self.batches.append(tuple(c.request_id for c in commissions))
        self.asked += [c.source for c in commissions]
        made = []
        for c in commissions:
            if c.tradition not in TRADITIONS:
                raise GenerationError(f"unknown tradition {c.tradition}")
            name = f"{self.origin}/{c.tradition}/{c.source}/{c.take}"
            made.append(piece(name, c.tradition, self.origin, self.consistency, c.request_id, (c.source,)))
        return made


class PlainEncoder:
    dim = DIM

    def encode(self, pieces):
        rows = [np.frombuffer(hashlib.sha256(p.receipt.piece_sha256.encode()).digest()[:DIM], np.uint8) for p in pieces]
        vectors = np.array(rows, dtype=np.float64).reshape(-1, DIM) - 127.5
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def archive() -> tuple[WorkBatch, list[Piece]]:
    """Return the archive, and its pieces. Works of `slate` alternate between its two communities."""
    pieces, tradition, community = [], [], []
    for t, name in enumerate(TRADITIONS):
        for i in range(WORKS_PER_TRADITION):
            pieces.append(piece(f"archive/{name}/{i}", name, Origin.ARCHIVE, 0.9))
            tradition.append(t)
            community.append(0 if t == 0 else 1 + i % 2)
    n = len(pieces)
    hashes = b"".join(bytes.fromhex(p.receipt.piece_sha256) for p in pieces)
    batch = WorkBatch(
        vectors=PlainEncoder().encode(pieces),
        tradition=np.array(tradition, dtype=np.int32),
        community=np.array(community, dtype=np.int32),
        creator=np.full(n, NO_ONE, dtype=np.int32),
        origin=np.full(n, Origin.ARCHIVE, dtype=np.int8),
        synthetic=np.ones(n, dtype=bool),
        consistency=np.full(n, 0.9, dtype=np.float32),
        duration_s=np.array([p.notes.duration_s for p in pieces], dtype=np.float32),
        day=np.zeros(n, dtype=np.int32),
        parents=np.full((n, MAX_PARENTS), NO_ONE, dtype=np.int32),
        content_sha256=np.frombuffer(hashes, dtype=np.uint8).reshape(n, 32),
    )
    return batch, pieces


def features(batch: WorkBatch) -> WorkFeatures:
    return WorkFeatures(
        vectors=batch.vectors,
        tradition=batch.tradition,
        community=batch.community,
        day=batch.day,
        consistency=batch.consistency,
        duration_s=batch.duration_s,
        available=np.ones(batch.num_works, dtype=bool),
    )


def shard_factories(keys: Keys, num_shards: int, listeners: ListenersConfig = LISTENERS, communities=COMMUNITIES):
    works = features(archive()[0])
    bounds = shard_bounds(listeners.num_listeners, num_shards)
    return [partial(make_shard, listeners, keys, first, stop, works, communities, 30) for first, stop in bounds]


def world_of(day: int) -> World:
    """Return a day's world in which the archive alone is there."""
    works = features(archive()[0])
    nothing = np.zeros(works.num_works, dtype=np.int64)
    return World(day, works, PlainState(1.0, nothing.astype(np.float32), KEYS), nothing, np.ones(3))


def small_parts(
    keys: Keys,
    num_shards: int = 1,
    rule: str = "pro_rata",
    shadow: tuple[str, ...] = ("user_centric",),
    communities=COMMUNITIES,
    executor=LocalExecutor,
    ledger: LedgerConfig | None = None,
    consistency: float = 0.8,
    transmission: str = "none",
    **changes,
) -> Parts:
    """Return the parts of the small economy; `changes` replace single fields."""
    ledger = ledger or LedgerConfig()
    index = {name: t for t, name in enumerate(TRADITIONS)}
    bearers = TransmissionConfig(kind=transmission)
    parts = Parts(
        traditions=TRADITIONS,
        community_names=tuple(c.name for c in communities),
        community_tradition=np.array([index[c.tradition] for c in communities], dtype=np.int32),
        creator_names=creator_names(CREATORS, communities),
        archive=archive()[0],
        takes=3,
        performer=PlainComposer(Origin.HUMAN),
        generator=PlainComposer(Origin.GENERATED, consistency),
        encoder=PlainEncoder(),
        rule=make_rule(rule),
        shadow_rules=tuple(make_rule(name) for name in shadow),
        ledger_name=ledger.kind,
        archive_uses=archive_uses(communities, archive()[0].community, keys),
        make_people=lambda model: make_people(
            model, CREATORS, communities, keys, practice=PracticeStock(bearers, communities)
        ),
        make_recommender=lambda: PlainRecommender(keys),
        make_executor=lambda: executor(shard_factories(keys, num_shards, communities=communities)),
        make_ledger=lambda: ledger_of(ledger, communities),
        making=CREATORS.making_rules,
    )
    return replace(parts, **changes)


def ledger_of(config: LedgerConfig, communities=COMMUNITIES):
    names = [c.name for c in communities] + list(creator_names(CREATORS, communities))
    numbers = list(range(len(communities)))
    of_creators = [c for c in numbers for _ in range(CREATORS.num_per_community)]
    return make_ledger(config, names, EconomyConfig().genesis_s, payee_communities=numbers + of_creators)


def small_economy(
    days: int = 20, replication: int = 1, epoch_days: int = 7, refresh_days: int = 1, release_days: int = 1, **parts
) -> Economy:
    keys = Keys(root_seed=11, replication=replication)
    config = EconomyConfig(days=days, epoch_days=epoch_days, refresh_days=refresh_days, release_days=release_days)
    return Economy(config, small_parts(keys, **parts), keys)


def lived(**arguments) -> Economy:
    """Return a small economy that has lived all its days."""
    economy = small_economy(**arguments)
    economy.run()
    return economy


def same_results(a: Economy, b: Economy) -> None:
    """Assert that two economies recorded the same, bit for bit."""
    one, two = a.results(), b.results()
    assert [(o.name, o.unit, o.n) for o in one.outcomes] == [(o.name, o.unit, o.n) for o in two.outcomes]
    np.testing.assert_array_equal([o.value for o in one.outcomes], [o.value for o in two.outcomes])
    assert one.tables.keys() == two.tables.keys()
    for name, table in one.tables.items():
        assert table.keys() == two.tables[name].keys()
        for column, values in table.items():
            np.testing.assert_array_equal(values, two.tables[name][column], err_msg=f"{name}.{column}")
