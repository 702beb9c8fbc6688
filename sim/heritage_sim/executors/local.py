"""Shards in this process: one after the other, or several at once in threads, with the same results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from heritage_sim.base import InputError, Population, State
from heritage_sim.executors.host import ShardHost


class LocalExecutor:
    """Runs every shard in this process.

    Parameters
    ----------
    factories : sequence of callable
        One for each shard, without arguments, that builds its `Population`.
    num_threads : int
        Shards that work at once. The compiled kernel lets other threads run beside it, and each listener is treated
        alone, so that their number does not show in any result.

    Raises
    ------
    InputError
        If there is no shard.
    """

    def __init__(self, factories: Sequence[Callable[[], Population]], num_threads: int = 1) -> None:
        if not factories:
            raise InputError("an executor needs at least one shard", "runtime.shards", "set it to 1 or more")
        self._hosts = [ShardHost(make()) for make in factories]
        at_once = min(num_threads, len(self._hosts))
        self._pool = ThreadPoolExecutor(at_once, "shard") if at_once > 1 else None

    @property
    def num_shards(self) -> int:
        """Number of shards."""
        return len(self._hosts)

    def call(self, method: str, *args: Any) -> list[Any]:
        """Return ``shard.method(*args)`` of every shard, in shard order."""

        def of(host: ShardHost) -> Any:
            return getattr(host, method)(*args)

        return list(map(of, self._hosts) if self._pool is None else self._pool.map(of, self._hosts))

    def checkpoint(self) -> list[State]:
        """Return the shards' snapshots; nothing here dies apart from the whole process."""
        return [host.snapshot() for host in self._hosts]

    def restore(self, states: Sequence[State]) -> None:
        """Restore every shard; an `InputError` if the states come from another number of shards."""
        check_num_states(states, self.num_shards)
        for host, state in zip(self._hosts, states, strict=True):
            host.restore(state)

    def close(self) -> None:
        """End the threads; the shards stay."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def check_num_states(states: Sequence[State], num_shards: int) -> None:
    """Refuse states of another number of shards.

    Parameters
    ----------
    states : sequence of dict
        One snapshot for each shard that was running when they were taken.
    num_shards : int
        Shards that are to take them up.

    Raises
    ------
    InputError
        If the numbers differ.
    """
    if len(states) != num_shards:
        raise InputError(
            f"a snapshot of {len(states)} shards cannot be taken up by {num_shards}",
            "runtime.shards",
            f"set it to {len(states)}, or divide the states with heritage_sim.executors.reshard",
        )
