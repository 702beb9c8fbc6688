"""Files of the user's own as modules that every process can import again by name.

What is sent to a Ray worker or shard is pickled, and a pickle names a class by module and name. A user's file is on no
path of Python's, so its module's name says everything: ``heritage_experiments.own_modules.<sha256>_<path in hex>``.
Importing that name, in whatever process, reads that file; a file whose text has changed since is refused.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

from heritage_sim.royalty import Rule

__path__: list[str] = []
"""Makes this module a package to Python, so that its name may be followed by a dot."""


def import_own(file: Path) -> ModuleType:
    """Return a user's file as a module, as its text is now.

    Parameters
    ----------
    file : Path
        Python file.

    Returns
    -------
    ModuleType
        Its name holds path and hash. Whatever the file raises on import is passed on.
    """
    file = file.resolve()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return importlib.import_module(f"{__name__}.{sha256}_{str(file).encode().hex()}")


class _OwnLoader(Loader):
    """Runs a file's text, never a compiled copy of an older one."""

    def __init__(self, file: Path, sha256: str) -> None:
        self.file, self.sha256 = file, sha256

    def exec_module(self, module: ModuleType) -> None:
        text = self.file.read_bytes()
        if hashlib.sha256(text).hexdigest() != self.sha256:
            raise ImportError(f"{self.file} has changed since the run was begun")
        module.__file__ = str(self.file)
        exec(compile(text, str(self.file), "exec"), vars(module))
        for made in vars(module).values():
            if inspect.isclass(made) and made.__module__ == module.__name__ and issubclass(made, Rule):
                _name(made)


def _name(rule: type[Rule]) -> None:
    """Call a rule as its class is called, where it would bear the name of the rule it is derived from, or none."""
    if "kind" not in vars(rule):
        rule.kind = rule.__name__


class _OwnFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        above, _, name = fullname.rpartition(".")
        sha256, _, path_in_hex = name.partition("_")
        if above != __name__ or not path_in_hex:
            return None
        file = Path(bytes.fromhex(path_in_hex).decode())
        return spec_from_loader(fullname, _OwnLoader(file, sha256), origin=str(file))


sys.meta_path.append(_OwnFinder())
