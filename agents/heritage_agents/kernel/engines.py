"""What lives a day: the compiled kernel on the CPU's cores, or the same step in torch for a GPU.

Both follow the same formulas with the same keyed numbers, and their results are equal bit for bit, so a snapshot of one
goes on in the other and the choice is one of speed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from heritage_agents.kernel.catalogue import top_works
from heritage_agents.kernel.day import live_day
from heritage_sim.base import MissingPartError


class Engine(NamedTuple):
    """The two steps that a shard asks for.

    Parameters
    ----------
    live_day : callable
        As `heritage_agents.kernel.day.live_day`.
    top_works : callable
        As `heritage_agents.kernel.catalogue.top_works`.
    at_once : int
        Listeners whose candidates are laid out at once: memory for them does not grow with the shard.
    """

    live_day: Callable[..., tuple[int, int, int]]
    top_works: Callable[..., Any]
    at_once: int = 32_768


COMPILED = Engine(live_day, top_works)

_AT_ONCE_ON_GPU = 262_144
"""A launch costs the same for few and for many."""


def engine_named(name: str = "compiled", device: str = "auto") -> Engine:
    """Return the engine of that name.

    Parameters
    ----------
    name : str
        ``compiled`` or ``torch``.
    device : str
        Where torch works: ``cpu``, ``cuda``, or ``auto``, which is ``cuda`` where there is one and else ``cpu``.

    Returns
    -------
    Engine

    Raises
    ------
    MissingPartError
        If torch is asked for and not installed, or a GPU that is not there.
    """
    if name == "compiled":
        return COMPILED
    try:
        from heritage_agents.kernel import torch_catalogue, torch_day
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingPartError(
            "listening in torch is asked for, and torch is not installed",
            "runtime.listener_engine: torch",
            "install heritage-economy[models], or set runtime.listener_engine=compiled",
        ) from None
    if device == "auto":
        device = "cuda" if torch_day.has_gpu() else "cpu"
    if device == "cuda" and not torch_day.has_gpu():
        raise MissingPartError(
            "listening on a GPU is asked for, and torch finds none",
            "runtime.listener_device: cuda",
            "install a torch that is built for this GPU, or set runtime.listener_device=auto",
        )
    steps = (partial(torch_day.live_day, device=device), partial(torch_catalogue.top_works, device=device))
    return Engine(*steps, at_once=_AT_ONCE_ON_GPU) if device == "cuda" else Engine(*steps)
