"""The seams of the house: what each swappable part promises. Each has a conformance suite in ``tests/conformance``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from heritage_sim.base.acting import (
    Ballot,
    CommunityTerms,
    CommunityView,
    CreatorDecisions,
    CreatorMinds,
    CreatorRoll,
    CreatorViews,
    Verdict,
)
from heritage_sim.base.arriving import Arrival
from heritage_sim.base.listening import DayTally, HistoryVectors, Usage, WorkFeatures, World
from heritage_sim.base.money import (
    ConsentLabel,
    DirectPayment,
    Payments,
    PaymentSplit,
    Posting,
    ProvenanceRecord,
    Rights,
    Settlement,
    Statement,
)
from heritage_sim.base.music import Commission, Piece

State = dict[str, Any]
"""What a part puts down: plain numbers, strings, lists, dicts and NumPy arrays."""

Sums = dict[str, npt.NDArray[np.int64]]
"""Whole-number statistics of a shard; summed over shards element by element, so order never matters."""


@runtime_checkable
class Generator(Protocol):
    """Answers commissions.

    The piece depends on (tradition, source, take) and the generator's configuration alone: the same request gives the
    same piece in any batch, in any order, in process, from a pool or through a service.
    """

    @property
    def checkpoint_sha256(self) -> str:
        """Hash of weights and configuration; empty where no model is used."""
        ...

    def compose(self, commissions: Sequence[Commission]) -> list[Piece]:
        """Return one piece for each commission, in order.

        Parameters
        ----------
        commissions : sequence of Commission
            What is asked for; one call may mix traditions and repeat a request.

        Returns
        -------
        list of Piece, length num_commissions
            Each receipt carries the ``request_id`` of its commission.

        Raises
        ------
        GenerationError
            If a commission names an unknown tradition or source, or the constraints cannot be met.
        """
        ...


@runtime_checkable
class Encoder(Protocol):
    """Turns pieces into work vectors from their notes alone: archive and generated pieces go the same way."""

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        ...

    def encode(self, pieces: Sequence[Piece]) -> npt.NDArray[np.float32]:
        """Return vectors of unit length, shape ``(num_pieces, dim)``; each row depends on its own piece alone."""
        ...


@runtime_checkable
class RecommenderState(Protocol):
    """What is broadcast to the shards: arrays, picklable, never changed in place.

    A shard shows, of the candidates, those with the largest ``affinity * (history . vector) + bias``. A state knows the
    works that were there when it was made: one published since then is offered from the next refresh on.
    """

    @property
    def affinity(self) -> float:
        """Weight of the match between a listener's history and a work."""
        ...

    @property
    def bias(self) -> npt.NDArray[np.float32]:
        """Additive score of each work, shape ``(num_works,)``."""
        ...

    def candidates(
        self, listener_ids: npt.NDArray[np.int64], history: HistoryVectors, day: int
    ) -> npt.NDArray[np.int32]:
        """Return distinct available works for each listener, shape ``(num_listeners, num_candidates)``, -1 for none.

        Keyed by listener id and day: independent of who else is in the call. An id that is no work is refused: compiled
        code would read whatever lies where it points.
        """
        ...


@runtime_checkable
class CatalogueState(Protocol):
    """What is broadcast by a recommender that ranks the whole catalogue by its own factors; picklable, never changed.

    A shard offers each listener the ``num_candidates`` available works with the largest ``query . factors + bias``,
    best first, and shows them in this order. Works published since the refresh that made the state have no row in it,
    and are offered from the next refresh on, as with a `RecommenderState`. All numbers are finite.
    """

    @property
    def num_candidates(self) -> int:
        """Works to offer, >= 1."""
        ...

    @property
    def factors(self) -> npt.NDArray[np.float32]:
        """Factors of each work, shape ``(num_works, num_factors)``."""
        ...

    @property
    def bias(self) -> npt.NDArray[np.float32]:
        """Additive score of each work, shape ``(num_works,)``."""
        ...

    def queries(
        self, listener_ids: npt.NDArray[np.int64], recent: npt.NDArray[np.int32], day: int
    ) -> npt.NDArray[np.float32]:
        """Return each listener's query, shape ``(num_listeners, num_factors)``, a function of its own row alone.

        ``recent`` are the works each has played last, newest first, shape ``(num_listeners, num_recent)``, -1 for none.
        """
        ...


@runtime_checkable
class ArrivalSource(Protocol):
    """Requests as they arrive; the same however often and in whatever pieces it is asked."""

    def arrivals(self, start_s: float, stop_s: float) -> Iterator[Arrival]:
        """Yield the requests with ``start_s <= at_s < stop_s`` in order of time."""
        ...


@runtime_checkable
class Recommender(Protocol):
    """Learns from usage and work features; never sees a taste vector (its types do not admit one)."""

    def statistics(self, usage: Usage) -> Sums:
        """Return a shard's whole-number statistics of an epoch or day; computed inside the shard."""
        ...

    def refresh(self, statistics: Sums, works: WorkFeatures, day: int) -> RecommenderState | CatalogueState:
        """Return the state to broadcast, given statistics summed over shards (zeros on the first day)."""
        ...

    def snapshot(self) -> State:
        """Return what it has learnt."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        ...


@runtime_checkable
class Population(Protocol):
    """A shard of listeners. Bit-identical outcomes for any division into shards."""

    def run_day(self, world: World) -> DayTally:
        """Live one day and return its sums."""
        ...

    def audience(self) -> Sums:
        """Return by home community how many ``listeners`` there are, and how many ``subscribers`` among them."""
        ...

    def usage(self, epoch: int) -> Usage:
        """Return who listened to what since the last `close_epoch`."""
        ...

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        ...

    def snapshot(self) -> State:
        """Return the shard's state."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        ...


@runtime_checkable
class CreatorPolicy(Protocol):
    """How creators decide, all at once: each row follows from that row alone, so that nobody's choice shifts another's.

    Random numbers are keyed by (creator id, day).
    """

    def decide(self, views: CreatorViews, minds: CreatorMinds) -> CreatorDecisions:
        """Return what every creator does today, from what it knows and what it is."""
        ...


@runtime_checkable
class CommunityPolicy(Protocol):
    """How a community sets its terms."""

    def terms(self, community_id: int, view: CommunityView) -> CommunityTerms:
        """Return the terms for the epoch that begins."""
        ...


@runtime_checkable
class People(Protocol):
    """The creators and communities of one economy, as `heritage_agents` makes them (Mesa agents behind it).

    Creators are numbered 0 .. num_creators - 1, communities 0 .. num_communities - 1. The economy keeps everybody's
    books and tells each what it may know in a view; the people keep only what is theirs (terms in force, habits).
    Decisions are keyed by (creator, day) or (community, epoch): they depend on the views and on nothing drawn before.
    """

    @property
    def creator_community(self) -> npt.NDArray[np.int32]:
        """Community of each creator, shape ``(num_creators,)``."""
        ...

    @property
    def terms(self) -> list[CommunityTerms]:
        """Terms in force, one per community; the scenario's own before `set_terms` was first called."""
        ...

    def set_terms(self, views: Sequence[CommunityView]) -> list[CommunityTerms]:
        """Let every community set its terms for the epoch that begins (one view each), and return them."""
        ...

    def change_consent(self, day: int) -> bool:
        """Make the changes of consent that are set for a day, and return whether there was any."""
        ...

    def judge(self, ballot: Ballot) -> Verdict:
        """Return whether a community accepts a derived piece: by its jury's vote, or by the measured consistency."""
        ...

    @property
    def bearers(self) -> npt.NDArray[np.float64] | None:
        """Practising bearers of each community, shape ``(num_communities,)``; None where none are modelled."""
        ...

    @property
    def bearers_share(self) -> npt.NDArray[np.float64]:
        """Bearers relative to those at the start, shape ``(num_communities,)``; 1 where none are modelled."""
        ...

    def hand_on(self, views: Sequence[CommunityView], days: int) -> None:
        """Let the practice be learnt and forgotten over an epoch of so many days that was just settled."""
        ...

    @property
    def roll(self) -> CreatorRoll:
        """Who the creators are at present."""
        ...

    def decide_all(self, views: CreatorViews) -> CreatorDecisions:
        """Return what every creator does today, in creator order."""
        ...

    def snapshot(self) -> State:
        """Return all that is theirs."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        ...


@runtime_checkable
class RoyaltyRule(Protocol):
    """Two pure functions: statistics inside a shard, settlement of their sum."""

    @property
    def name(self) -> str:
        """Registered name with parameters, such as ``community_weighted(strength=0.5)``."""
        ...

    @property
    def needs_listeners(self) -> bool:
        """Whether the rule needs to know which listener played what."""
        ...

    @property
    def num_rounds(self) -> int:
        """1, or 2 where `statistics` is asked again with the first round's totals."""
        ...

    def statistics(self, usage: Usage, rights: Rights, totals: Mapping[str, npt.NDArray[np.int64]] | None) -> Sums:
        """Return a shard's whole-number statistics; ``totals`` is None in the first round."""
        ...

    def settle(self, statistics: Sums, rights: Rights, pool_units: int, epoch: int) -> Statement:
        """Return integer amounts that sum to the pool exactly."""
        ...


@runtime_checkable
class ProvenanceSink(Protocol):
    """Takes provenance edges."""

    def register(self, records: Sequence[ProvenanceRecord], at_s: int) -> None:
        """Register works, parents before children, at chain time ``at_s``. Registering the same record twice is one."""
        ...


@runtime_checkable
class Ledger(ProvenanceSink, Protocol):
    """Integer books with a clock given from outside. All implementations agree to the unit on every intent.

    Amounts are in the token's smallest unit; times are chain seconds, never decreasing.
    """

    @property
    def max_pending(self) -> int:
        """How many epochs may wait for their windows at once, >= 1."""
        ...

    def set_consent(self, labels: Sequence[ConsentLabel], at_s: int) -> None:
        """Put down what communities permit from chain time ``at_s`` on; earlier labels stay on record."""
        ...

    def pay(self, payments: Sequence[DirectPayment], at_s: int) -> PaymentSplit:
        """Pay works directly; each amount is split at once along the work's registered sources.

        Parameters
        ----------
        payments : sequence of DirectPayment
            Works and amounts.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        PaymentSplit

        Raises
        ------
        LedgerError
            If a work is not registered or shares nothing with anybody. Nobody is paid then.
        """
        ...

    def post(self, statement: Statement, at_s: int) -> Posting:
        """Deposit the pool and post the epoch's cumulative Merkle root and the provenance root in one transaction.

        Further epochs may be posted while earlier ones wait for their windows, up to the ledger's ``max_pending``.

        Parameters
        ----------
        statement : Statement
            Of the next epoch; its ``pool_units`` are deposited.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Posting
            Block timestamp in seconds, the Merkle root, and the gas.

        Raises
        ------
        LedgerError
            If the epoch is not the next one, the statement does not sum to its pool, or too many epochs are pending.
        """
        ...

    def finalize(self, epoch: int, at_s: int) -> Settlement:
        """Make the oldest pending epoch final: its money is withdrawable from that block on.

        Parameters
        ----------
        epoch : int
            The oldest epoch that is pending.
        at_s : int
            Wished chain time, seconds.

        Returns
        -------
        Settlement
            With the block's timestamp as ``withdrawable_s``, and the gas of posting and finalising.

        Raises
        ------
        LedgerError
            If it is not pending, is not the oldest, or its challenge window is still open.
        """
        ...

    def claim(self, payee_ids: Sequence[int], at_s: int) -> Payments:
        """Pay all that is withdrawable to each payee; those with nothing due are left out of the result."""
        ...

    def claimed_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee has been paid so far, shape ``(num_payees,)``."""
        ...

    def withdrawable_units(self) -> npt.NDArray[np.int64]:
        """Return what each payee could claim now, shape ``(num_payees,)``."""
        ...

    def deposited_units(self) -> int:
        """Return the sum of all deposits; claimed + unclaimed equals it."""
        ...

    def snapshot(self) -> State:
        """Return the journal of intents from which the ledger can be rebuilt."""
        ...

    def restore(self, state: State) -> None:
        """Rebuild from the journal, bit for bit: roots, balances, block timestamps."""
        ...


class Executor(Protocol):
    """Runs shards, in process or on Ray. Results come in shard order; a shard that dies is rebuilt."""

    @property
    def num_shards(self) -> int:
        """Number of shards."""
        ...

    def call(self, method: str, *args: Any) -> list[Any]:
        """Return ``shard.method(*args)`` of every shard, in shard order."""
        ...

    def checkpoint(self) -> list[State]:
        """Return the shards' snapshots, and rebuild from here after a death."""
        ...

    def restore(self, states: Sequence[State]) -> None:
        """Restore every shard; the states may come from another number of shards only through `reshard`."""
        ...

    def close(self) -> None:
        """Give back what was started; calling twice does no harm."""
        ...
