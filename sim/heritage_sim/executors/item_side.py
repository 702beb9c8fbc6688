"""The item side of a day, sent to shards elsewhere once: works as they come out, a recommender's state as it is made.

Listeners meet nearly the same works every day. So a `World` travels as a `WorldSheet`: what may change from day to day
(which works can be heard, the plays that are shown), and the addresses in an object store of what does not. The sender
puts there the rows of works that are new, and a recommender's state when it is another one; the receiver fetches what
it has not fetched yet. A sheet names all that belongs to it, so a shard that was built again needs nothing but the
sheets of the calls it repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heritage_sim.base import WorkFeatures, World

ROWS = ("vectors", "tradition", "community", "day", "consistency", "duration_s")
"""Columns of `WorkFeatures` that say the same of a work for ever; ``available`` is the one that does not."""

MAX_BLOCKS = 64
"""Blocks of rows after which all rows are put in the store anew, as one: a sheet stays short in a long run."""

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class WorldSheet:
    """A `World` without what the store holds.

    Parameters
    ----------
    world : World
        Its works have no rows but those of ``available``, and it has no recommender state.
    blocks : tuple of object
        Addresses of the works' rows, in order.
    recommender_state : object
        Address of the recommender's state.
    """

    world: World
    blocks: tuple[Any, ...]
    recommender_state: Any


class Sender:
    """Makes sheets of worlds, and puts in the store what was not there.

    Parameters
    ----------
    put : callable
        Puts an object into the store and returns its address.
    """

    def __init__(self, put: Callable[[Any], Any]) -> None:
        self._put = put
        self._blocks: tuple[Any, ...] = ()
        self._sent: Columns = {}
        # The state itself is kept beside its address: as long as it lives, no other object can be taken for it.
        self._state: tuple[Any, Any] | None = None

    def sheet(self, world: World) -> WorldSheet:
        """Return what is to be sent of a world."""
        rows = {name: getattr(world.works, name) for name in ROWS}
        self._put_rows(rows)
        if self._state is None or self._state[0] is not world.recommender_state:
            self._state = (world.recommender_state, self._put(world.recommender_state))
        works = replace(world.works, **{name: values[:0].copy() for name, values in rows.items()})
        return WorldSheet(replace(world, works=works, recommender_state=None), self._blocks, self._state[1])

    def _put_rows(self, rows: Columns) -> None:
        known = _num_rows(self._sent)
        if len(self._blocks) == MAX_BLOCKS or not _begin_with(rows, self._sent):
            self._blocks, known = (), 0
        if _num_rows(rows) > known or not self._blocks:
            self._blocks = (*self._blocks, self._put({name: values[known:] for name, values in rows.items()}))
        self._sent = rows


class Receiver:
    """Makes worlds of sheets again.

    Parameters
    ----------
    get : callable
        Returns the objects at a list of addresses, in order.
    """

    def __init__(self, get: Callable[[list[Any]], Sequence[Any]]) -> None:
        self._get = get
        self._blocks: tuple[Any, ...] = ()
        self._rows: Columns = {}
        self._state: tuple[Any, Any] | None = None

    def world(self, sheet: WorldSheet) -> World:
        """Return the world that a sheet was made of."""
        held = len(self._blocks)
        if sheet.blocks[:held] != self._blocks:
            self._rows, held = {}, 0
        if len(sheet.blocks) > held:
            fetched: list[Columns] = list(self._get(list(sheet.blocks[held:])))
            parts = [self._rows, *fetched] if held else fetched
            # One block alone is read where the store has it, without a copy of our own.
            self._rows = (
                parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in ROWS}
            )
        self._blocks = sheet.blocks
        if self._state is None or self._state[0] != sheet.recommender_state:
            self._state = (sheet.recommender_state, self._get([sheet.recommender_state])[0])
        works: WorkFeatures = replace(sheet.world.works, **self._rows)
        return replace(sheet.world, works=works, recommender_state=self._state[1])


def _num_rows(rows: Columns) -> int:
    return int(rows["tradition"].size) if rows else 0


def _begin_with(rows: Columns, first: Columns) -> bool:
    """Return whether the first rows are these, number for number: another catalogue may have come in its place."""
    known = _num_rows(first)
    return all(
        np.array_equal(rows[name][:known], values, equal_nan=values.dtype.kind == "f") for name, values in first.items()
    )
