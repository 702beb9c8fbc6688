"""What stands around a shard of listeners wherever it runs: heavy usage stays here, whole-number sums come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import DayTally, Population, Recommender, Rights, RoyaltyRule, State, Sums, Usage, World
from heritage_sim.sharding import usage_since
from heritage_sim.usage_state import usage_from_state, usage_to_state


class ShardHost:
    """A shard with its usage at hand.

    Functions are brought to the data: a recommender or a rule comes in, its whole-number statistics go out. The usage
    of the running epoch is read from the population once between two days, however many rules ask for it.
    """

    def __init__(self, population: Population) -> None:
        self.population = population
        self._read: Usage | None = None
        self._seen: Usage | None = None
        self._days_lived = self._days_seen = 0

    def run_day(self, world: World) -> DayTally:
        """Return the day's tally of this shard."""
        self._read = None
        self._days_lived += 1
        return self.population.run_day(world)

    def run_days(self, world: World, num_days: int) -> list[DayTally]:
        """Return the tallies of consecutive days, from ``world.day`` on, on which the item side stays as it is."""
        return [self.run_day(replace(world, day=world.day + later)) for later in range(num_days)]

    def audience(self) -> Sums:
        """Return how many listeners of this shard are at home in each community, and how many of them subscribe."""
        return self.population.audience()

    def usage(self, epoch: int) -> Usage:
        """Return the usage of the running epoch so far."""
        if self._read is None or self._read.epoch != epoch:
            self._read = self.population.usage(epoch)
        return self._read

    def recommender_statistics(self, recommender: Recommender, epoch: int) -> Sums:
        """Return the recommender's statistics of what was listened to since it last asked; no play comes twice."""
        now = self.usage(epoch)
        new = now if self._seen is None else usage_since(now, self._seen, self._days_seen)
        self._seen, self._days_seen = now, self._days_lived
        return recommender.statistics(new)

    def rule_statistics(
        self, rules: Sequence[RoyaltyRule], rights: Rights, totals: Sequence[Sums | None], epoch: int
    ) -> list[Sums]:
        """Return each rule's statistics of the epoch; ``totals`` are None in a first round."""
        usage = self.usage(epoch)
        return [rule.statistics(usage, rights, total) for rule, total in zip(rules, totals, strict=True)]

    def epoch_totals(self, epoch: int) -> Sums:
        """Return what this shard's subscribers pay into the pool, and each work's plays on each day of the epoch."""
        usage = self.usage(epoch)
        return {
            "pool_units": np.array([usage.fee_units.sum(dtype=np.int64)]),
            "plays_by_day": usage.plays_by_day,
        }

    def ranking(self, world: World, num_ranks: int) -> dict[str, npt.NDArray[Any]]:
        """Return the sampled listeners and the best works of the whole catalogue for each; empty without a sample."""
        rank = getattr(self.population, "ranking", None)
        return {} if rank is None else rank(world, num_ranks)

    def noted(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
        """Return the sampled listeners' sessions and plays as columns; empty without a sample."""
        sessions, plays = (getattr(self.population, name, dict[str, Any]) for name in ("session_rows", "play_rows"))
        return sessions(), plays()

    def close_epoch(self) -> None:
        """Forget the usage of the epoch that was just settled."""
        self._read = self._seen = None
        self._days_lived = self._days_seen = 0
        self.population.close_epoch()

    def snapshot(self) -> State:
        """Return the shard's state, and what of the running epoch the recommender has seen."""
        return {
            "population": self.population.snapshot(),
            "seen": None if self._seen is None else usage_to_state(self._seen),
            "days_lived": self._days_lived,
            "days_seen": self._days_seen,
        }

    def restore(self, state: State) -> None:
        """Take up what `snapshot` put down."""
        self._read = None
        self._seen = None if state["seen"] is None else usage_from_state(state["seen"])
        self._days_lived, self._days_seen = int(state["days_lived"]), int(state["days_seen"])
        self.population.restore(state["population"])
