"""Where replications run: one after the other in this process, or at once in Ray workers. Outcomes do not notice.

Both ways yield each finished replication as it comes. A Ray worker that dies takes only the replication it was at with
it: a new worker begins that one again, up to ``runtime.tries`` times.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from heritage_experiments.code_version import usable_cores
from heritage_experiments.scenario import RuntimeConfig, Scenario
from heritage_experiments.store import Task
from heritage_sim.base import HeritageError, InputError, MissingPartError
from heritage_sim.base.own_ray import OWN_RAY_ENVIRONMENT, OWN_RAY_OPTIONS

RAY_PAYS_FROM_CPU_S = 60.0
"""Work from which Ray's start (some 5 CPU seconds, and 4 more of imports in each worker) is won back in wall time."""

WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_prestart_worker_first_driver": "0",
}

Work = Callable[[Task], Any]


@dataclass(frozen=True, slots=True)
class Placement:
    """What ``runtime.executor: auto`` came to.

    Parameters
    ----------
    executor : str
        ``local`` or ``ray``.
    workers : int
        Replications at once.
    reason : str
        Why, in words.
    """

    executor: str
    workers: int
    reason: str


def has_ray() -> bool:
    """Return whether Ray is installed, without importing it."""
    return importlib.util.find_spec("ray") is not None


def place(
    runtime: RuntimeConfig, num_tasks: int, expected_cpu_s: float, cores: int | None = None, one_owner: bool = False
) -> Placement:
    """Return where the replications will run.

    Parameters
    ----------
    runtime : RuntimeConfig
        What the scenario asks for.
    num_tasks : int
        Replications to do.
    expected_cpu_s : float
        Work they are expected to be, in CPU seconds.
    cores : int, optional
        Cores to use; those of this process if not given.
    one_owner : bool
        Whether all replications write to one chain with the same keys, so that only one may run at a time.

    Returns
    -------
    Placement

    Raises
    ------
    MissingPartError
        If Ray is asked for and not installed, or what is to live the listeners' days is missing.
    InputError
        If several workers are asked for where only one may run.
    """
    if runtime.listener_engine != "compiled":
        from heritage_agents.kernel.engines import engine_named

        engine_named(runtime.listener_engine, runtime.listener_device)
    if one_owner:
        if runtime.executor == "ray" or (runtime.workers != "auto" and runtime.workers > 1):
            raise InputError(
                "replications on one chain share its keys and run one after the other",
                "runtime" if runtime.executor == "ray" else "runtime.workers",
                "set runtime.executor=local, or ledger.kind=anvil, where every replication has a chain of its own",
            )
        return Placement("local", 1, "all replications share the keys of the chain behind ledger.rpc_url")
    cores = usable_cores() if cores is None else cores
    wanted = cores if runtime.workers == "auto" else runtime.workers
    if runtime.executor == "ray" and not has_ray():
        raise MissingPartError(
            "Ray is not installed",
            "runtime.executor: ray",
            "pip install 'heritage-economy[serve]', or set runtime.executor=local",
        )
    if runtime.executor == "local":
        return Placement("local", 1, "runtime.executor is local")
    if runtime.shards > 1 and runtime.executor == "ray":
        return Placement("ray", 1, f"the {runtime.shards} shards of each replication are Ray actors")
    workers = max(1, min(wanted, num_tasks))
    if runtime.executor == "ray":
        return Placement("ray", workers, "runtime.executor is ray")
    if not has_ray():
        return Placement("local", 1, "Ray is not installed")
    if workers < 2:
        return Placement("local", 1, "one core, or one replication")
    if expected_cpu_s < RAY_PAYS_FROM_CPU_S:
        return Placement(
            "local", 1, f"about {expected_cpu_s:.0f} CPU seconds of work, too few to win back what starting Ray takes"
        )
    return Placement("ray", workers, f"about {expected_cpu_s:.0f} CPU seconds of work on {workers} cores")


def run_here(tasks: Sequence[Task], work: Work) -> Iterator[tuple[Task, Any]]:
    """Yield each task with its result, one after the other in this process."""
    for task in tasks:
        yield task, work(task)


def run_on_ray(
    tasks: Sequence[Task],
    work: Work,
    *,
    workers: int,
    tries: int,
    on_lost: Callable[[Task, int], None],
) -> Iterator[tuple[Task, Any]]:
    """Yield each task with its result as Ray workers finish them; Ray must be running.

    Parameters
    ----------
    tasks : sequence of Task
        What to do, begun in this order.
    work : callable
        ``work(task)``; pickled once, kept by each worker.
    workers : int
        Worker processes.
    tries : int
        Times a task is begun before its worker's death is held against it.
    on_lost : callable
        Called with the task and its number of tries when a worker died with it.

    Yields
    ------
    tuple[Task, Any]
        The task and what ``work`` returned for it, in the order in which they finish.

    Raises
    ------
    HeritageError
        What a task raised; or that its workers died ``tries`` times.
    """
    import ray
    from ray.exceptions import RayActorError

    @ray.remote(num_cpus=1, max_restarts=0)
    class Worker:
        def __init__(self, do: Work) -> None:
            self.do = do

        def run(self, task: Task) -> Any:
            try:
                return self.do(task)
            except HeritageError as error:
                # Ray wraps what a task raises; the error itself must reach the user.
                return error

    waiting = deque(tasks)
    tried: dict[Task, int] = {}
    at_work: dict[Any, tuple[Any, Task]] = {}
    shared = ray.put(work)
    idle = [Worker.remote(shared) for _ in range(workers)]
    everyone: list[Any] = list(idle)
    try:
        while waiting or at_work:
            while waiting and idle:
                task, worker = waiting.popleft(), idle.pop()
                tried[task] = tried.get(task, 0) + 1
                at_work[worker.run.remote(task)] = (worker, task)
            ready, _ = ray.wait(list(at_work), num_returns=1)
            worker, task = at_work.pop(ready[0])
            try:
                result = ray.get(ready[0])
            except RayActorError as error:
                on_lost(task, tried[task])
                if tried[task] >= tries:
                    raise HeritageError(
                        f"the worker process died {tries} times on this replication",
                        f"cell {task.cell}, replication {task.replication}",
                        "most often memory: lower runtime.workers or listeners.num_listeners, then heritage resume",
                    ) from error
                waiting.appendleft(task)
                worker = Worker.remote(shared)
                everyone.append(worker)
            else:
                if isinstance(result, HeritageError):
                    raise result
                yield task, result
            idle.append(worker)
    finally:
        for worker in everyone:
            with contextlib.suppress(Exception):
                ray.kill(worker)


@contextlib.contextmanager
def ray_running(num_cpus: int, object_store_mb: int) -> Iterator[None]:
    """Run a Ray of our own on this machine, quiet and on the loopback only, for as long as the context lasts."""
    from heritage_serving.session import sigterm_interrupts

    # Workers inherit these: one thread each (they are as many as the cores), and none started that no one asked for.
    for name, value in (OWN_RAY_ENVIRONMENT | WORKER_ENVIRONMENT).items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield
        return
    ray.init(num_cpus=num_cpus, object_store_memory=object_store_mb * 1024 * 1024, **OWN_RAY_OPTIONS)
    sigterm_interrupts()
    try:
        yield
    finally:
        ray.shutdown()


def cores_for(scenario: Scenario, placement: Placement, num_services: int) -> int:
    """Return the CPUs that Ray is told of: one for each worker or shard, and those of every service's replicas."""
    shards = scenario.runtime.shards if placement.workers == 1 else 0
    replicas = math.ceil(num_services * scenario.serving.num_replicas * scenario.serving.cpus_per_replica)
    return max(placement.workers, shards) + replicas
