"""What an economy is made of, given to it from outside: it imports no model, no ledger and no agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heritage_sim.base import Encoder, Executor, Generator, Ledger, People, Recommender, RoyaltyRule, WorkBatch
from heritage_sim.money.config import MoneyChainConfig

if TYPE_CHECKING:
    import mesa  # pyright: ignore[reportMissingTypeStubs]


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
    licence_fee_units : int
        What the maker of a derived work pays its source on publication, in the token's smallest unit; 0 for nothing.
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
    licence_fee_units: int = 0

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
