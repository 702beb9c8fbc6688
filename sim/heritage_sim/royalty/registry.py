"""The rules there are: every class derived from `Rule` in a file of ``heritage_sim/royalty/rules``."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules

from heritage_sim.royalty import rules as _package
from heritage_sim.royalty.rule import Rule


def _found() -> dict[str, type[Rule]]:
    found: dict[str, type[Rule]] = {}
    for module in iter_modules(_package.__path__):
        name = f"{_package.__name__}.{module.name}"
        for _, made in inspect.getmembers(import_module(name), inspect.isclass):
            if made.__module__ == name and issubclass(made, Rule) and made.kind:
                if made.kind in found:
                    raise ValueError(f"two rules are called {made.kind}: {found[made.kind].__module__} and {name}")
                found[made.kind] = made
    return dict(sorted(found.items()))


RULES: dict[str, type[Rule]] = _found()
"""Registered name -> class."""
