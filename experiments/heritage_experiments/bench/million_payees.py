"""Tree and statement of very many payees, measured in a process of their own: its CPU seconds and its peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from heritage_sim.base import HeritageError


@dataclass(frozen=True, slots=True)
class Measured:
    """What it took.

    Parameters
    ----------
    num_payees : int
        Payees.
    cpu_s : float
        CPU seconds of tree and statement, start of the process and making of the ids not counted.
    peak_bytes : int
        Largest resident memory of the process, ids and all included.
    """

    num_payees: int
    cpu_s: float
    peak_bytes: int


def measure_in_fresh_process(num_payees: int) -> Measured:
    """Return what tree and statement of so many payees take.

    Parameters
    ----------
    num_payees : int
        Payees.

    Returns
    -------
    Measured

    Raises
    ------
    HeritageError
        If the process fails.
    """
    command = [sys.executable, "-m", "heritage_experiments.bench.million_payees", str(num_payees)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip() or "nothing was said").splitlines()[-1]
        raise HeritageError(f"the measurement failed: {told}", " ".join(command), "run that command by itself")
    return Measured(**json.loads(done.stdout))


def measure(num_payees: int) -> Measured:
    """Return what tree and statement of so many payees take in this process, once its kernels are compiled."""
    import time

    import numpy as np

    from heritage_contracts.hashing import keccak256
    from heritage_contracts.trees.merkle import root_of
    from heritage_contracts.trees.published import PublishedEpoch
    from heritage_contracts.trees.rows import hash_rows

    def publish(ids: np.ndarray, cumulative: np.ndarray) -> bytes:
        made = PublishedEpoch(
            chain_id=31_337,
            distributor=b"\x11" * 20,
            epoch=0,
            rule="bench",
            pool_units=int(cumulative.sum()),
            provenance_head=bytes(32),
            payee_ids=ids,
            cumulative=cumulative,
        )
        return root_of(made.tree()) + keccak256(made.written())

    def payees(count: int) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.arange(count, dtype=">u8").view(np.uint8).reshape(count, 8)
        return hash_rows(np.pad(numbers, ((0, 0), (24, 0))), count), np.arange(count, dtype=np.int64) * 1_000_003

    publish(*payees(10_000))
    ids, cumulative = payees(num_payees)
    began = time.process_time()
    publish(ids, cumulative)
    cpu_s = time.process_time() - began
    return Measured(num_payees, cpu_s, peak_bytes())


def peak_bytes() -> int:
    """Return the largest resident memory that this process has had, in bytes.

    Linux counts it in the process's own status; ``ru_maxrss`` there begins with what the parent held when it started
    the process, so it is asked only elsewhere (macOS, where it is in bytes).
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(asdict(measure(int(sys.argv[1])))))
