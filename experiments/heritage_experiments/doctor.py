"""What is on this machine, and what a user goes without where a part is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heritage_experiments.cache import cache_dir
from heritage_experiments.code_version import hardware, usable_cores
from heritage_experiments.store import show_bytes
from heritage_sim.base import HeritageError, MissingPartError

MEMORY_WANTED_BYTES = 4e9
DISK_WANTED_BYTES = 2e9


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the machine.

    Parameters
    ----------
    part : str
        Its name.
    ok : bool
        Whether it is there, and enough.
    found : str
        What was found.
    without_it : str
        What a user goes without.
    """

    part: str
    ok: bool
    found: str
    without_it: str


def examine() -> list[Finding]:
    """Return what is there; finds out everything within a few seconds and changes nothing."""
    return [
        _python(),
        _cores(),
        _memory(),
        _disk(),
        _gpu(),
        _package("torch", "models", "no training and no new pieces: generator.kind archive only"),
        _package("ray", "serve", "no Ray: replications run one after the other, and generator.kind serve is refused"),
        _package("music21", "notation", "no Chinese folk melodies: tradition kind chinese is refused"),
        _package("implicit", "recommenders", "no factors of the whole catalogue: recommender kind ials is refused"),
        _package(
            "c2pa", "c2pa", "no signed pieces: generate --c2pa, ledger verify FILE.wav are refused", "c2pa-python"
        ),
        _program("node", "nothing in use; only building the contracts anew and npm's Anvil need it"),
        _anvil(),
        *_caches(),
    ]


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info < (3, 14)
    return Finding("Python", ok, f"{platform.python_version()} ({sys.executable})", "3.11, 3.12 or 3.13 is needed")


def _cores() -> Finding:
    cores = usable_cores()
    return Finding(
        "cores", cores >= 2, f"{cores} ({hardware()['processor']})", "with one core the quickstart takes twice as long"
    )


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{show_bytes(memory.available)} free of {show_bytes(memory.total)}"
    return Finding(
        "memory",
        memory.available >= MEMORY_WANTED_BYTES,
        found,
        "quickstart on Ray wants 4 GB: set runtime.executor=local",
    )


def _disk() -> Finding:
    usage = shutil.disk_usage(Path.cwd())
    return Finding(
        "disk", usage.free >= DISK_WANTED_BYTES, f"{show_bytes(usage.free)} free here", "use --out on another disk"
    )


def _gpu() -> Finding:
    without = "nothing is lost but time: training takes a minute or two on one core, listeners run on CPUs anyway"
    program = shutil.which("nvidia-smi")
    if program:
        names = _said([program, "--query-gpu=name", "--format=csv,noheader"])
        if names:
            return Finding("GPU", True, "; ".join(sorted(set(names.splitlines()))), without)
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return Finding("GPU", True, "Apple silicon (not used by this version)", without)
    return Finding("GPU", False, "none", without)


def _package(name: str, extra: str, without_it: str, distribution: str = "") -> Finding:
    if importlib.util.find_spec(name) is None:
        return Finding(name, False, "not installed", f"{without_it}; pip install 'heritage-economy[{extra}]'")
    return Finding(name, True, importlib.metadata.version(distribution or name), without_it)


def _program(name: str, without_it: str) -> Finding:
    path = shutil.which(name)
    said = _said([path, "--version"]) if path else ""
    return Finding(name, path is not None, f"{said.splitlines()[0]} ({path})" if said else "not found", without_it)


def _anvil() -> Finding:
    from heritage_contracts.nodes.anvil_binary import find_anvil

    without = (
        "heritage ledger up and --anvil are refused; runs keep their ledgers on an embedded EVM (about 55 transactions "
        "in a CPU second). To get it: npm install in contracts/, or Foundry"
    )
    try:
        path = find_anvil()
    except MissingPartError:
        return Finding("anvil", False, "not found", without)
    said = _said([str(path), "--version"])
    return Finding("anvil", True, f"{said.splitlines()[0] if said else 'no version told'} ({path})", without)


def _caches() -> list[Finding]:
    found = []
    parts: list[tuple[str, Callable[[], Path], str]] = [("cache", cache_dir, "a first run trains and fills its pools")]
    try:
        from heritage_models.traditions.imported import data_folder

        parts.append(("imported corpora", data_folder, "nothing is imported yet: heritage corpus import"))
    except ImportError:
        pass
    for part, where, without_it in parts:
        try:
            path = where()
        except HeritageError as error:
            found.append(Finding(part, False, error.what, error.remedy))
            continue
        files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else []
        size = show_bytes(sum(f.stat().st_size for f in files))
        found.append(Finding(part, bool(files), f"{len(files)} files, {size} in {path}", without_it))
    return found


def _said(command: list[str | None]) -> str:
    try:
        done = subprocess.run([c for c in command if c], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
