"""Listeners to look at one by one, though they live as arrays: light views, and selections of them as in Mesa.

A view is a copy of one listener's row at the time of asking; nothing that is done to it reaches the shard. A
`Selection` reads as Mesa's ``AgentSet`` does: ``len``, iteration, indexing, `select`, `agg`, `get` and `map`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class ListenerView:
    """One listener as of now; vectors are copies.

    Parameters
    ----------
    unique_id : int
        Listener id.
    home, plan, device : int
        Index of the home community, of the plan and of the device.
    familiarity : float
        Heritage-familiarity index in [0, 1].
    consistency_taste : float
        Utility of consistency with the archive.
    session_rate : float
        Mean sessions a day.
    is_subscribed : bool
        Whether the listener subscribes.
    satisfaction : float
        Moving mean of the sessions' mean surplus, in utility units.
    num_plays, num_sessions : int
        Plays and sessions so far.
    session_s : float
        Length of all sessions so far together, in seconds.
    taste, history : ndarray of float32, shape (dim,)
        Unit vector of what the listener likes, and mean vector of what was played.
    recent : ndarray of int32, shape (num_recent,)
        Works played last, newest first, -1 for none.
    """

    unique_id: int
    home: int
    plan: int
    device: int
    familiarity: float
    consistency_taste: float
    session_rate: float
    is_subscribed: bool
    satisfaction: float
    num_plays: int
    num_sessions: int
    session_s: float
    taste: npt.NDArray[np.float32]
    history: npt.NDArray[np.float32]
    recent: npt.NDArray[np.int32]


class Selection(Sequence[ListenerView]):
    """Some listeners of a shard, in ascending order.

    Parameters
    ----------
    columns : dict of str to ndarray
        What a view shows of all listeners of the shard, by the names of `ListenerView`.
    rows : ndarray of int64
        Rows of the selected ones.
    """

    def __init__(self, columns: dict[str, npt.NDArray[Any]], rows: npt.NDArray[np.int64]) -> None:
        self._columns, self._rows = columns, rows

    def __len__(self) -> int:
        """Return the number of listeners."""
        return int(self._rows.size)

    def __getitem__(self, index: Any) -> Any:
        """Return one view, or the `Selection` of a slice.

        Parameters
        ----------
        index : int or slice
            Place in this selection.

        Returns
        -------
        ListenerView or Selection
        """
        if isinstance(index, slice):
            return Selection(self._columns, self._rows[index])
        row = self._rows[index]
        return ListenerView(**{name: _plain(column[row]) for name, column in self._columns.items()})

    def __iter__(self) -> Iterator[ListenerView]:
        """Yield views in ascending order."""
        return (self[i] for i in range(len(self)))

    def select(
        self,
        filter_func: Callable[[ListenerView], bool] | npt.NDArray[np.bool_] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> Selection:
        """Return those for which a condition holds; arguments are those of Mesa's ``AgentSet.select``.

        Parameters
        ----------
        filter_func : callable or ndarray of bool, optional
            ``filter_func(view)``, or whether to take each of these listeners; all of them where it is left out.
        at_most : int or float
            Most to take, the first ones; a float up to 1 is a share of these listeners, as in Mesa.
        inplace : bool
            Narrow this selection and return it, instead of a new one. The listeners themselves stay in their shard.
        agent_type : type, optional
            Take those that are views of this type: all listeners are `ListenerView`.

        Returns
        -------
        Selection

        Raises
        ------
        ValueError
            If an array has not one entry for each of these listeners.
        """
        if filter_func is None:
            taken = np.ones(len(self), dtype=np.bool_)
        elif callable(filter_func):
            taken = np.array([bool(filter_func(view)) for view in self], dtype=np.bool_)
        else:
            taken = np.asarray(filter_func, dtype=np.bool_)
            if taken.shape != (len(self),):
                raise ValueError(f"there are {len(self)} listeners, not {taken.shape}")
        if agent_type is not None and not issubclass(ListenerView, agent_type):
            taken[:] = False
        rows = self._rows[taken]
        most = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        rows = rows[: max(math.ceil(min(most, rows.size)), 0)]
        if not inplace:
            return Selection(self._columns, rows)
        self._rows = rows
        return self

    def get(self, attribute: str) -> npt.NDArray[Any]:
        """Return an attribute of each, first axis ``(len(self),)``.

        Parameters
        ----------
        attribute : str
            A name of `ListenerView`.

        Returns
        -------
        ndarray

        Raises
        ------
        AttributeError
            If a view has none of that name, as in Mesa.
        """
        if attribute not in self._columns:
            raise AttributeError(f"a listener has no {attribute!r}; there are {', '.join(self._columns)}")
        return self._columns[attribute][self._rows]

    def agg(self, attribute: str, func: Callable[[Any], Any] | Iterable[Callable[[Any], Any]]) -> Any:
        """Return a function of an attribute's values, or a list of several.

        Parameters
        ----------
        attribute : str
            A name of `ListenerView`.
        func : callable or iterable of callable
            Such as ``numpy.mean``.

        Returns
        -------
        Any
            What the function returns; a list where several were given.
        """
        values = self.get(attribute)
        return func(values) if callable(func) else [one(values) for one in func]

    def map(self, method: Callable[[ListenerView], Any]) -> list[Any]:
        """Return what a function makes of each view."""
        return [method(view) for view in self]


def _plain(value: Any) -> Any:
    """Return a number as Python's own, and an array as a copy."""
    return value.copy() if isinstance(value, np.ndarray) else value.item()
