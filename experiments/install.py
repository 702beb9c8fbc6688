"""Make the virtual environment and install the pinned set: what ``make install`` does. Standard library only.

It says first what it will download and which torch it takes, and refuses at once on a machine it cannot serve. Plain
``torch`` from PyPI on Linux x86-64 brings some 3 GB of CUDA libraries; where there is no NVIDIA GPU the CPU wheel is
taken instead, from wherever one is offered. Elsewhere PyPI's own wheel is for CPUs already.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, TOO_NEW = (3, 11), (3, 14)
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3")
MACHINES = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
OLDEST_GLIBC = (2, 28)
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_S = 5.0
EXTRAS = ".[all,dev]"
STAGES = {"Collecting": "fetching", "Downloading": "fetching", "Building": "building", "Installing": "installing"}
"""First words of pip's lines, and what they are told as."""
KEPT_LINES = 60

DOWNLOAD_MB, DISK_MB = 700, 2_600
"""Measured with a CPU torch on Linux x86-64 and Python 3.11: wheels, and the environment they become."""
CUDA_DOWNLOAD_MB, CUDA_DISK_MB = 3_600, 8_500
"""About the same with PyPI's torch and the CUDA libraries it needs."""


class Refused(Exception):  # noqa: N818 (it is what happened, said to a person)
    """The machine cannot be served; the message says why and what would help."""


def main() -> int:
    """Install, and return the exit code: 0 fine, 2 refused, 1 failed."""
    parser = argparse.ArgumentParser(description="Make the virtual environment and install the pinned set.")
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="folder of the virtual environment")
    parser.add_argument("--check", action="store_true", help="only say what would be done")
    arguments = parser.parse_args()
    try:
        check_machine(platform.system(), platform.machine(), platform.libc_ver())
        _use_a_fitting_python()
        venv = arguments.venv if arguments.venv.is_absolute() else ROOT / arguments.venv
        python = venv / "bin" / "python"
        if not arguments.check and not python.exists():
            _make_venv(venv)
        torch = choose_torch(python if python.exists() else Path(sys.executable))
        check_disk(venv.parent, torch.disk_mb)
        print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
        print(f"torch: {torch.words}")
        sizes = f"{torch.download_mb / 1000:.1f} GB; on disk: {torch.disk_mb / 1000:.1f} GB"
        print(f"to download: up to {sizes} in {venv}", flush=True)
        if arguments.check:
            return 0
        return _install(python, torch.options)
    except Refused as refused:
        print(f"install: {refused}", file=sys.stderr)
        return 2


class TorchChoice:
    """Which torch is taken: pip's options for it, the reason in words, and what it comes to in MB."""

    def __init__(self, words: str, options: tuple[str, ...] = (), cuda: bool = False) -> None:
        self.words = words
        self.options = options
        self.download_mb = CUDA_DOWNLOAD_MB if cuda else DOWNLOAD_MB
        self.disk_mb = CUDA_DISK_MB if cuda else DISK_MB


def choose_torch(python: Path, system: str | None = None, machine: str | None = None) -> TorchChoice:
    """Return which torch to take on this machine."""
    if (system or platform.system(), machine or platform.machine()) != ("Linux", "x86_64"):
        return TorchChoice("PyPI's wheel, which is for CPUs on this machine")
    if has_nvidia_gpu():
        return TorchChoice("PyPI's wheel with CUDA, as there is an NVIDIA GPU", cuda=True)
    offered = offered_by_pip(python)
    if "+cpu" in offered:
        return TorchChoice(f"{offered}, the CPU wheel that your pip's own settings offer")
    if cpu_index_answers():
        return TorchChoice(f"the CPU wheel from {CPU_INDEX}", ("--extra-index-url", CPU_INDEX))
    return TorchChoice(
        f"PyPI's wheel with CUDA: {CPU_INDEX} does not answer, and no CPU wheel is offered otherwise "
        "(interrupt with Ctrl-C and install a CPU torch 2.13.0 first, if that is too much)",
        cuda=True,
    )


def check_machine(system: str, machine: str, libc: tuple[str, str] = ("", "")) -> None:
    """Refuse an operating system, processor or C library that the pinned set has no wheels for."""
    if (system, machine) not in MACHINES:
        raise Refused(
            f"{system} on {machine} cannot be served: there are wheels for Linux (x86-64, arm64) and Apple silicon only"
        )
    name, version = libc
    if system == "Linux" and (name != "glibc" or tuple(int(x) for x in version.split(".")[:2]) < OLDEST_GLIBC):
        held = f"{name} {version}".strip() or "another C library (musl?)"
        oldest = ".".join(map(str, OLDEST_GLIBC))
        raise Refused(
            f"Linux with {held} cannot be served: wheels need glibc {oldest} or newer (Debian 10, Ubuntu 20.04)"
        )


def check_disk(where: Path, needed_mb: int) -> None:
    """Refuse a disk that could not hold the environment."""
    free_mb = shutil.disk_usage(where).free / 1e6
    if free_mb < needed_mb:
        raise Refused(f"{needed_mb / 1000:.1f} GB of disk are needed and {free_mb / 1000:.1f} GB are free in {where}")


def has_nvidia_gpu() -> bool:
    """Return whether an NVIDIA driver names a GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "GPU" in done.stdout


def offered_by_pip(python: Path) -> str:
    """Return the torch that pip would take by its own settings (find-links, indexes), or an empty string."""
    command = [str(python), "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    command += ["--retries", "1", "--timeout", "10", "--only-binary", ":all:", "--report", "-", TORCH]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return str(json.loads(done.stdout)["install"][0]["metadata"]["version"]) if done.returncode == 0 else ""
    except (OSError, ValueError, LookupError, subprocess.TimeoutExpired):
        return ""


def cpu_index_answers() -> bool:
    """Return whether the index of CPU wheels can be reached; never waits long."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=PROBE_S) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _use_a_fitting_python() -> None:
    """Go on in a Python that fits, if this one does not and another is on the path."""
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        return
    for name in CANDIDATES:
        path = shutil.which(name)
        if path is None:
            continue
        test = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] < {TOO_NEW})"
        if subprocess.run([path, "-c", test], check=False).returncode == 0:
            os.execv(path, [path, *sys.argv])
    raise Refused(
        f"Python 3.11, 3.12 or 3.13 is needed, this is {platform.python_version()}; "
        "install one, or: make PYTHON=/path/to/python"
    )


def _make_venv(venv: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["no message"]
        raise Refused(
            f"the virtual environment cannot be made ({last[0]}); on Debian and Ubuntu: apt install python3-venv"
        )


def _install(python: Path, options: tuple[str, ...]) -> int:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *options]
    command += ["--constraint", str(ROOT / "constraints.txt"), "--editable", EXTRAS]
    returncode = quietly(command)
    if returncode:
        print("install: pip failed (its last words are above); run make install again to go on", file=sys.stderr)
        return 1
    venv = python.parent.parent
    shown = venv.relative_to(ROOT) if venv.is_relative_to(ROOT) else venv
    print(f"installed. To have the `heritage` command in this shell: source {shown}/bin/activate")
    print(f"or write {shown}/bin/heritage; try: {shown}/bin/heritage doctor")
    return 0


def quietly(command: list[str]) -> int:
    """Run pip, show one line of what it is at, all it said last if it fails, and return its exit code."""
    said: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
    live, shown, num_found = sys.stdout.isatty(), "", 0
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.rstrip())
        words = line.split()
        num_found += words[:1] == ["Collecting"]
        stage = STAGES.get(words[0], "") if words else ""
        if live and stage:
            print(f"\r\033[K{stage}: {' '.join(words[1:3])[:70]} ({num_found} packages)", end="", flush=True)
        elif stage and stage != shown:
            print(f"{stage} ...", flush=True)
        shown = stage or shown
    if live:
        print("\r\033[K", end="", flush=True)
    if process.wait():
        print("\n".join(said), file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
