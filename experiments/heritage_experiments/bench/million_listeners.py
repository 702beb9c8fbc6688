"""A day of very many listeners, measured in a process of its own: its peak memory beyond the interpreter's.

The shard has all defaults, and what it is offered comes from the default recommender, over ten thousand works.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from heritage_sim.base import HeritageError


@dataclass(frozen=True, slots=True)
class Measured:
    """What a day took.

    Parameters
    ----------
    num_listeners, num_works : int
        The size.
    peak_bytes : int
        Largest resident memory less what the process held with everything imported and compiled.
    cpu_s : float
        CPU seconds of the day.
    num_slates : int
        Listener-steps of the day.
    """

    num_listeners: int
    num_works: int
    peak_bytes: int
    cpu_s: float
    num_slates: int


def measure_in_fresh_process(num_listeners: int, num_works: int = 10_000) -> Measured:
    """Return what one day of so many listeners takes; a `HeritageError` if the process fails."""
    command = [sys.executable, "-m", "heritage_experiments.bench.million_listeners", str(num_listeners), str(num_works)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip() or "nothing was said").splitlines()[-1]
        raise HeritageError(f"the measurement failed: {told}", " ".join(command), "run that command by itself")
    return Measured(**json.loads(done.stdout))


def measure(num_listeners: int, num_works: int) -> Measured:
    """Return what one day takes in this process, beyond what a small one left behind."""
    import time

    from heritage_experiments.bench.million_payees import peak_bytes
    from heritage_sim.base import TALLY

    _live_a_day(1_000, num_works)
    before = peak_bytes()
    began = time.process_time()
    tally = _live_a_day(num_listeners, num_works)
    cpu_s = time.process_time() - began
    return Measured(num_listeners, num_works, peak_bytes() - before, cpu_s, int(tally.counts[TALLY.index("slates")]))


def _live_a_day(num_listeners: int, num_works: int):
    import numpy as np

    from heritage_agents.config import CommunityConfig, ListenersConfig
    from heritage_agents.listeners.cohort import make_shard
    from heritage_experiments.bench.stripped_step import unit_rows
    from heritage_models.config import RecommenderConfig
    from heritage_models.recommenders import make_recommender
    from heritage_sim.base import Keys, WorkFeatures, World

    keys = Keys(root_seed=20_260_101, replication=0)
    of = (np.arange(num_works) % 3).astype(np.int32)
    works = WorkFeatures(
        vectors=unit_rows("works", num_works),
        tradition=of,
        community=of,
        day=np.zeros(num_works, dtype=np.int32),
        consistency=np.full(num_works, 0.8, dtype=np.float32),
        duration_s=np.full(num_works, 180.0, dtype=np.float32),
        available=np.ones(num_works, dtype=np.bool_),
    )
    communities = [CommunityConfig(name=f"Community {c}", tradition=f"tradition {c}") for c in range(3)]
    listeners = ListenersConfig(num_listeners=num_listeners)
    shard = make_shard(listeners, keys, 0, num_listeners, works, communities)
    state = make_recommender(RecommenderConfig(), keys).refresh({}, works, 0)
    return shard.run_day(World(0, works, state, np.zeros(num_works, dtype=np.int64)))


if __name__ == "__main__":
    print(json.dumps(asdict(measure(int(sys.argv[1]), int(sys.argv[2])))))
