"""What an economy is made of, given to it from outside: it imports no model, no ledger and no agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Encoder, Executor, Generator, Ledger, People, Recommender, RoyaltyRule, WorkBatch
from heritage_sim.evaluation.config import EvaluationConfig
from heritage_sim.money.config import MoneyChainConfig

if TYPE_CHECKING:
    import mesa  # pyright: ignore[reportMissingTypeStubs]

    from heritage_sim.fraud import FraudRing


@dataclass(frozen=True, slots=True)
class MakingRules:
    """What holds for everybody who makes music.

    Parameters
    ----------
    licence_fee_units : int
        What the maker of a derived work pays its source on publication, in the token's smallest unit; 0 for nothing.
    learning_chance : float
        Chance that a creator learns one of its community's new works from an epoch to the next.
    learnt_share : float
        Chance that a commission builds on a learnt work rather than on the archive, where there is one.
    repertoire_size : int
        Learnt works that a creator keeps beside the archive, >= 1.
    most_generations : int
        Generations above which derivatives of derivatives are not learnt, >= 1.
    detection_chance : float
        Chance that a concealed source is found out.
    concealment_penalty : float
        What is paid then, in licence fees.
    """

    licence_fee_units: int = 0
    learning_chance: float = 0.0
    learnt_share: float = 0.0
    repertoire_size: int = 1
    most_generations: int = 1
    detection_chance: float = 1.0
    concealment_penalty: float = 1.0

    @property
    def penalty_units_half_up(self) -> int:
        """Return what one pays whose concealed source is found out, rounded to the nearest unit, halves up."""
        return int(self.licence_fee_units * self.concealment_penalty + 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of one replication.

    What has a state of its own comes as a factory, so that an economy can be forked; what answers the same whatever was
    asked before comes as itself and may be shared by many economies.

    Parameters
    ----------
    traditions : tuple of str
        Names, in index order.
    community_names : tuple of str, length num_communities
        Names, in index order; payee ``c`` is the fund of community ``c``.
    community_tradition : ndarray of int32, shape (num_communities,)
        Tradition of each community.
    creator_names : tuple of str, length num_creators
        Names, in creator order; payee ``num_communities + k`` is creator ``k``.
    archive : WorkBatch
        The archive: what the catalogue holds on day 0. Sources of commissions are its content hashes.
    takes : int
        Possible pieces on each source, >= 1.
    performer : Generator
        Answers commissions to record (a person plays).
    generator : Generator
        Answers commissions to derive.
    encoder : Encoder
        Turns pieces into work vectors.
    rule : RoyaltyRule
        The rule in force.
    shadow_rules : tuple of RoyaltyRule
        Rules that settle the same usage without effect: their arithmetic, apart from any response to it.
    ledger_name : str
        Name of the ledger's kind, for the records.
    make_people : callable
        ``make_people(model) -> People``: the Mesa agents of this model.
    make_recommender : callable
        ``make_recommender() -> Recommender``, fresh.
    make_executor : callable
        ``make_executor() -> Executor`` with fresh shards of listeners.
    make_ledger : callable
        ``make_ledger() -> Ledger``, empty, that knows the payees.
    money_chain : MoneyChainConfig
        How money goes from the play to the payee.
    make_ring : callable, optional
        ``make_ring(creator_community) -> FraudRing``: the ring of adversaries; nobody cheats where it is not given.
    archive_uses : ndarray of int16, shape (archive.num_works,), optional
        `Consent` flags that each archive work itself carries, for good; all uses where it is not given.
    making : MakingRules
        What holds for everybody who makes music.
    evaluation : EvaluationConfig
        When rankings are frozen, and what is asked of sessions.
    """

    traditions: tuple[str, ...]
    community_names: tuple[str, ...]
    community_tradition: npt.NDArray[np.int32]
    creator_names: tuple[str, ...]
    archive: WorkBatch
    takes: int
    performer: Generator
    generator: Generator
    encoder: Encoder
    rule: RoyaltyRule
    shadow_rules: tuple[RoyaltyRule, ...]
    ledger_name: str
    make_people: Callable[[mesa.Model], People]
    make_recommender: Callable[[], Recommender]
    make_executor: Callable[[], Executor]
    make_ledger: Callable[[], Ledger]
    money_chain: MoneyChainConfig = field(default_factory=MoneyChainConfig)
    make_ring: Callable[[npt.NDArray[np.int32]], FraudRing] | None = None
    archive_uses: npt.NDArray[np.int16] | None = None
    making: MakingRules = field(default_factory=MakingRules)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    @property
    def num_communities(self) -> int:
        """Return the number of communities."""
        return len(self.community_names)

    @property
    def num_creators(self) -> int:
        """Return the number of creators."""
        return len(self.creator_names)

    @property
    def payee_names(self) -> tuple[str, ...]:
        """Return the names of all payees: community funds first, then creators."""
        return tuple(f"{name} fund" for name in self.community_names) + self.creator_names
