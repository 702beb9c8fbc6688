"""What code and what machine a run was made with: facts for the manifest and for refusing to mix versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = (
    "heritage_sim",
    "heritage_agents",
    "heritage_models",
    "heritage_contracts",
    "heritage_serving",
    "heritage_experiments",
)
SHOWN_ONLY = (
    "heritage_contracts/chain_books/",
    "heritage_contracts/at_rest/claiming.py",
    "heritage_contracts/export/",
    "heritage_contracts/at_rest/live.py",
    "heritage_contracts/verification/",
    "heritage_experiments/bench/",
    "heritage_experiments/cli/",
    "heritage_experiments/display.py",
    "heritage_experiments/doctor.py",
    "heritage_experiments/ledger_check.py",
    "heritage_experiments/ledger_exports.py",
    "heritage_experiments/ledger_on_chain.py",
    "heritage_experiments/report/",
    "heritage_experiments/royalty_files/",
    "heritage_experiments/statistics/",
)
"""Parts that only show, check or measure a run: changing them leaves every outcome as it is."""
LIBRARIES = [
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "mesa",
    "networkx",
    "pydantic",
    "pyarrow",
    "web3",
    "py-evm",
    "eth-tester",
    "scale-library",
    "torch",
    "ray",
    "music21",
    "implicit",
]


@cache
def code_sha256() -> str:
    """Return the hash of all code and compiled contracts that can bear on an outcome."""
    h = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        root = Path(next(iter(spec.submodule_search_locations or ()))) if spec else None
        if root is None:
            continue
        for file in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".json")):
            name = f"{package}/{file.relative_to(root).as_posix()}"
            if "__pycache__" in name or name.startswith(SHOWN_ONLY):
                continue
            h.update(name.encode() + b"\x1f" + hashlib.sha256(file.read_bytes()).digest())
    return h.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, of this distribution and of the libraries that bear on outcomes."""
    found = {"python": platform.python_version()}
    for name in ("heritage-economy", *LIBRARIES):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Return the number of cores this process may use: affinity and the container's CPU quota, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)


def hardware() -> dict[str, Any]:
    """Return what the machine is: architecture, processor, cores and memory."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
    }


def _processor() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()
