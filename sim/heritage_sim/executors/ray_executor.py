"""Shards as Ray actors, one a shard. What dies is built again and catches up; the run goes on with the same results.

A shard is deterministic: its state follows from its factory and the calls it has had. So the executor keeps the last
checkpoint and the calls since then, and a shard whose process is gone (killed, out of memory, lost node) is made again
by its factory, restored from the checkpoint and given those calls anew. Arguments lie in Ray's object store once, owned
by the driver, so they outlive the actor; of the item side only what is new is put there (`item_side`). Results carry
nothing of where they were computed.

Actors reserve no cores of Ray's count (a fixed share would make a run wait for ever where there are more shards than
cores); they are spread over the machines of a cluster.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from heritage_sim.base import HeritageError, MissingPartError, Population, State, World
from heritage_sim.base.own_ray import OWN_RAY_ENVIRONMENT, OWN_RAY_OPTIONS
from heritage_sim.executors.host import ShardHost
from heritage_sim.executors.item_side import Receiver, Sender, WorldSheet
from heritage_sim.executors.local import check_num_states

MAX_REBUILDS = 3
"""How often in a row a shard is built again for one call before the run is given up."""


class RayExecutor:
    """Runs every shard in an actor of its own.

    Parameters
    ----------
    factories : sequence of callable
        One for each shard, without arguments and picklable, that builds its `Population` in the actor.
    on_lost : callable, optional
        Called with the number of a shard whose process was found dead, before it is built again.

    Raises
    ------
    MissingPartError
        If Ray is not installed.
    """

    def __init__(
        self, factories: Sequence[Callable[[], Population]], on_lost: Callable[[int], None] | None = None
    ) -> None:
        self._ray = started_ray()
        gone = self._ray.exceptions
        # What Ray calls the loss of an actor depends on its cause: killed for memory and lost with its node are no
        # RayActorError, nor is a result whose node went after it was computed.
        self._lost = (gone.RayActorError, gone.OutOfMemoryError, gone.NodeDiedError, gone.ObjectLostError)
        self._on_lost = on_lost
        self._factories = list(factories)
        self._actor = self._ray.remote(num_cpus=0, max_restarts=0, scheduling_strategy="SPREAD")(ShardActor)
        self._actors: list[Any] = [self._actor.remote(make) for make in self._factories]
        self._checkpoint: list[Any] | None = None
        self._since: list[tuple[str, list[Any]]] = []
        self._items = Sender(self._ray.put)

    @property
    def num_shards(self) -> int:
        """Number of shards."""
        return len(self._factories)

    def process_ids(self) -> list[int]:
        """Return the operating system's process id of each shard."""
        return self._ray.get([actor.process_id.remote() for actor in self._actors])

    def call(self, method: str, *args: Any) -> list[Any]:
        """Return ``shard.method(*args)`` of every shard, in shard order; a `HeritageError` if one keeps dying."""
        held = [self._ray.put(self._items.sheet(arg) if isinstance(arg, World) else arg) for arg in args]
        self._since.append((method, held))
        return self._gathered([actor.call.remote(method, *held) for actor in self._actors])

    def checkpoint(self) -> list[State]:
        """Return the shards' snapshots, and rebuild from here after a death."""
        # The call itself is not kept: a snapshot changes nothing, and what is taken anew is the same.
        taken = self._gathered([actor.call.remote("snapshot") for actor in self._actors], ("snapshot", []))
        self._checkpoint = [self._ray.put(state) for state in taken]
        self._since = []
        return taken

    def restore(self, states: Sequence[State]) -> None:
        """Restore every shard; an `InputError` if the states come from another number of shards."""
        check_num_states(states, self.num_shards)
        self._checkpoint = [self._ray.put(state) for state in states]
        self._since = []
        pairs = zip(self._actors, self._checkpoint, strict=True)
        self._gathered([actor.call.remote("restore", state) for actor, state in pairs], None)

    def close(self) -> None:
        """End the actors. Ray itself goes on: it may serve other economies, and ends with the process."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors = []

    def _gathered(self, pending: list[Any], extra: tuple[str, list[Any]] | None = None) -> list[Any]:
        """Return the results in shard order; where a shard is gone, those of its successor."""
        results: list[Any] = []
        for shard, reference in enumerate(pending):
            try:
                results.append(self._fetched(reference))
            except self._lost:
                results.append(self._rebuilt(shard, extra))
        return results

    def _fetched(self, reference: Any) -> Any:
        """Return a result; an error that says what and where comes as itself, without Ray's traceback as its text."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as wrong:
            if isinstance(wrong.cause, HeritageError):
                raise wrong.cause from None
            raise

    def _rebuilt(self, shard: int, extra: tuple[str, list[Any]] | None) -> Any:
        """Build a shard again, let it catch up, and return the result of its last call."""
        calls = [*self._since, extra] if extra else self._since
        for _ in range(MAX_REBUILDS):
            if self._on_lost is not None:
                self._on_lost(shard)
            # One that cannot be reached may still live, and would hold its memory.
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.kill(self._actors[shard])
            actor = self._actor.remote(self._factories[shard])
            self._actors[shard] = actor
            try:
                result = None
                if self._checkpoint is not None:
                    self._ray.get(actor.call.remote("restore", self._checkpoint[shard]))
                for method, held in calls:
                    result = actor.call.remote(method, *held)
                return None if result is None else self._fetched(result)
            except self._lost:
                continue
        raise HeritageError(
            f"shard {shard} died {MAX_REBUILDS + 1} times in a row",
            "runtime.executor: ray",
            "look at the memory of the machine, or use more shards with fewer listeners each",
        )


class ShardActor:
    """What runs in an actor: a `ShardHost` addressed by method name.

    It is built by the first call: an error of the factory then reaches the caller as itself, where one in an actor's
    constructor would look like a death.
    """

    def __init__(self, make: Callable[[], Population]) -> None:
        self._make = make

    @cached_property
    def _host(self) -> ShardHost:
        return ShardHost(self._make())

    @cached_property
    def _items(self) -> Receiver:
        import ray

        return Receiver(ray.get)  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]

    def call(self, method: str, *args: Any) -> Any:
        """Return what the host's method returns."""
        whole = [self._items.world(arg) if isinstance(arg, WorldSheet) else arg for arg in args]
        return getattr(self._host, method)(*whole)

    def process_id(self) -> int:
        """Return the process this shard lives in."""
        return os.getpid()


def started_ray() -> Any:
    """Return the ray module, connected: as it is, or to a Ray of our own on this machine alone.

    Returns
    -------
    module
        ``ray``, after ``ray.init``; a connection that is already open is used as it is.

    Raises
    ------
    MissingPartError
        If Ray is not installed.
    """
    for name, value in OWN_RAY_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise MissingPartError(
            "Ray is not installed", "runtime.executor: ray", "install heritage-economy[serve], or set it to local"
        ) from None
    if not ray.is_initialized():
        # Socket paths may not exceed 107 characters; the default folder lies deep on some machines.
        folder = tempfile.mkdtemp(prefix="hr-", dir="/tmp" if os.path.isdir("/tmp") else None)
        ray.init(_temp_dir=folder, **OWN_RAY_OPTIONS)  # pyright: ignore[reportUnknownMemberType]
        # The last to be registered runs first: Ray has ended when its folder goes.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(ray.shutdown)  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
    return ray
