"""A ledger as a Ray actor: one owner of its keys and nonces, wherever its intents come from.

Others hold an `OwnedLedger`, which looks like the ledger itself: every intent goes to the actor, one after the other in
the order in which they come, and is answered from there. When the actor dies it is made again. What it had carried out
is in the journal that the handle keeps, and, where the ledger has a folder, signed in its outbox: an intent that was
under way is found there by its key and is not sent twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from heritage_contracts import make_ledger
from heritage_contracts.config import LedgerConfig
from heritage_contracts.ledgers.journal import JournaledLedger
from heritage_sim.base import HeritageError, LedgerError, MissingPartError
from heritage_sim.base.protocols import State

MAX_REBUILDS = 3
"""How often in a row the owner is made again for one question before it is given up."""


class LedgerOwner:
    """What runs in the actor: a ledger, and who asks it."""

    def __init__(self, make: Callable[[], JournaledLedger]) -> None:
        self._ledger = make()

    def ask(self, name: str, args: Sequence[Any], more: dict[str, Any]) -> tuple[Any, list[State]]:
        """Return the value of a method or attribute, and what it added to the journal."""
        before = self._ledger.journal_length
        asked = getattr(self._ledger, name)
        value = asked(*args, **more) if callable(asked) else asked
        return value, self._ledger.journal_since(before)

    def process_id(self) -> int:
        """Return the operating system's process id of the actor."""
        return os.getpid()

    def put_down(self, path: Path) -> None:
        """Leave the ledger's folder and let go of its chain."""
        from heritage_contracts.at_rest.folder import put_down

        ledger: Any = self._ledger
        put_down(ledger, path, ledger.chain.outbox)
        ledger.close()

    def catch_up(self, journal: list[State]) -> None:
        """Go through a journal from the beginning."""
        for entry in journal:
            self._ledger.replay(entry)


class OwnedLedger:
    """A ledger that lives in an actor; has the ledger's methods and attributes.

    Parameters
    ----------
    config : LedgerConfig
        As for `make_ledger`.
    payee_names : sequence of str
        As for `make_ledger`.
    genesis_s : int
        As for `make_ledger`.
    payee_communities : sequence of int, optional
        As for `make_ledger`.
    work_dir : Path, optional
        Where the outbox is kept; on the machine that the actor runs on.

    Raises
    ------
    MissingPartError
        If Ray is not installed or does not run.
    """

    def __init__(
        self,
        config: LedgerConfig,
        payee_names: Sequence[str],
        genesis_s: int,
        *,
        payee_communities: Sequence[int] | None = None,
        work_dir: Path | None = None,
    ) -> None:
        self._ray = _running_ray()
        gone = self._ray.exceptions
        self._lost = (gone.RayActorError, gone.OutOfMemoryError, gone.NodeDiedError, gone.ObjectLostError)
        self._make = partial(
            make_ledger, config, list(payee_names), genesis_s, payee_communities=payee_communities, work_dir=work_dir
        )
        self._journal: list[State] = []
        self.num_rebuilds = 0
        self.config = config
        self.payee_names = tuple(payee_names)
        # Calls of one actor are carried out one after the other: that is what makes it the one owner of the nonces.
        self._owner: Any = self._ray.remote(num_cpus=0, max_restarts=0, max_concurrency=1)(LedgerOwner)
        self._actor: Any = self._owner.remote(self._make)

    def __getattr__(self, name: str) -> Any:
        """Return a method of the ledger, or the value of an attribute."""
        if name.startswith("_"):
            raise AttributeError(name)
        attribute = getattr(JournaledLedger, name, None)
        if callable(attribute):
            return partial(self._ask, name)
        return self._ask(name)

    def process_id(self) -> int:
        """Return the operating system's process id of the actor."""
        return int(self._ray.get(self._actor.process_id.remote()))

    def restore(self, state: State) -> None:
        """Rebuild the ledger in its actor from a journal; see `JournaledLedger.restore`."""
        self._ask("restore", state)
        self._journal = list(state["journal"])

    def submissions(self) -> Any:
        """Return what it took to get intents onto the node; see `NodeLedger.submissions`."""
        return self._ask("submissions")

    def put_down(self, path: Path) -> None:
        """Leave the folder of a ledger on a chain, let go of the chain and end the actor; on the actor's machine.

        Parameters
        ----------
        path : Path
            Folder to write.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        self._fetched(self._actor.put_down.remote(path))
        self._ray.kill(self._actor)

    def close(self) -> None:
        """Let the ledger go, and end its actor."""
        self._ask("close")
        self._ray.kill(self._actor)

    def _ask(self, name: str, *args: Any, **more: Any) -> Any:
        """Return the owner's answer; an owner that is gone is made again and catches up first."""
        for _ in range(MAX_REBUILDS + 1):
            try:
                value, added = self._fetched(self._actor.ask.remote(name, args, more))
            except self._lost:
                self._rebuild()
                continue
            self._journal += added
            return value
        raise LedgerError(f"the ledger's owner died {MAX_REBUILDS + 1} times over one intent", f"ledger on Ray, {name}")

    def _rebuild(self) -> None:
        self.num_rebuilds += 1
        self._actor = self._owner.remote(self._make)
        self._fetched(self._actor.catch_up.remote(self._journal))

    def _fetched(self, reference: Any) -> Any:
        """Return a result; an error that says what and where comes as itself, without Ray's traceback as its text."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as wrong:
            if isinstance(wrong.cause, HeritageError):
                raise wrong.cause from None
            raise


def _running_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingPartError(
            "Ray is not installed", "ledger on Ray", "pip install 'heritage-economy[serve]'"
        ) from None
    if not ray.is_initialized():
        raise MissingPartError("Ray does not run", "ledger on Ray", "Start it, or use make_ledger without it.")
    return ray
